"""A document as PDF: its HTML laid out on A4, with what it can be checked by attached."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from modelwright.reports.as_html import html_of, inked
from modelwright.reports.libraries import needs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.reports.prose import Prose

ATTACHED = "modelwright-sources.json"


def pdf_of(prose: Prose, stamp: Mapping[str, Any], drawn: Mapping[str, str]) -> bytes:
    """Return a document as PDF; equal documents give equal bytes on one machine.

    Nothing is fetched: whatever asks for an address is refused.

    Args:
        prose: What it says.
        stamp: What it can be checked by.
        drawn: Its charts as SVG by name.

    Raises:
        MissingLibrary: weasyprint is not installed.
    """
    with needs("weasyprint", "a PDF document"):
        import weasyprint
    page = _flat(html_of(prose, stamp, {name: inked(svg) for name, svg in drawn.items()}))
    attached = weasyprint.Attachment(string=json.dumps(stamp), name=ATTACHED, description="What the numbers rest on")
    made: bytes = weasyprint.HTML(string=page, url_fetcher=_refused).write_pdf(
        attachments=[attached], pdf_identifier=str(stamp["manifest"]).encode(), pdf_tags=True
    )
    return made


def _flat(page: str) -> str:
    """Return the page with colours in place of variables, which SVG inside a PDF does not know."""
    return re.sub(r"<svg.*?</svg>", lambda m: inked(m.group()), page, flags=re.DOTALL)


def _refused(url: str, *_: Any, **__: Any) -> dict[str, Any]:
    message = f"a document fetches nothing: {url[:80]}"
    raise ValueError(message)
