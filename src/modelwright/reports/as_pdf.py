"""A document as PDF: its HTML laid out on A4, with what it can be checked by attached."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelwright.reports.as_html import html_of
from modelwright.reports.libraries import needs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.reports.prose import Prose

ATTACHED = "modelwright-sources.json"
CHART = "chart:"
"""What the addresses of charts begin with: names of pictures in memory."""


def pdf_of(prose: Prose, stamp: Mapping[str, Any], painted: Mapping[str, bytes]) -> bytes:
    """Return a document as PDF; equal documents give equal bytes on one machine.

    Nothing is fetched: what is not one of the charts is refused.

    Args:
        prose: What it says.
        stamp: What it can be checked by.
        painted: Its charts as PNG by name. Drawn from SVG they would cost more time than all the rest.

    Raises:
        MissingLibrary: weasyprint is not installed.
    """
    with needs("weasyprint", "a PDF document"):
        import weasyprint
        from weasyprint.urls import URLFetcherResponse

    def fetch(url: str, *_: Any, **__: Any) -> Any:
        name = url.removeprefix(CHART)
        if not url.startswith(CHART) or name not in painted:
            message = f"a document fetches nothing: {url[:80]}"
            raise ValueError(message)
        return URLFetcherResponse(url, painted[name], {"Content-Type": "image/png"})

    page = html_of(prose, stamp, {name: f"{CHART}{name}" for name in painted}, is_paper=True)
    attached = weasyprint.Attachment(string=json.dumps(stamp), name=ATTACHED, description="What the numbers rest on")
    made: bytes = weasyprint.HTML(string=page, url_fetcher=fetch).write_pdf(
        attachments=[attached], pdf_identifier=str(stamp["manifest"]).encode(), pdf_tags=True
    )
    return made
