"""Prose as one HTML file that needs no network and runs no script."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.reports.names import as_html, as_plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.reports.prose import Prose

TEMPLATES = Path(__file__).with_name("templates")
STAMP = "modelwright-sources"
"""The name of the tag that carries what a document can be checked by."""

INKS = {
    "accent": "#0b61a4",
    "second": "#c2570c",
    "third": "#00755a",
    "quiet": "#9a9fa8",
    "ink": "#1d2026",
    "soft": "#5c626d",
    "line": "#e3e1dc",
    "paper": "#ffffff",
    "card": "#ffffff",
    "on-accent": "#ffffff",
}
"""Colours for what knows no style sheet: the light ones of the page."""


def html_of(
    prose: Prose, stamp: Mapping[str, Any], drawn: Mapping[str, str] | None = None, *, is_paper: bool = False
) -> str:
    """Return a document as HTML, fit for a screen, a phone and paper.

    Args:
        prose: What it says.
        stamp: What it can be checked by.
        drawn: Its charts as SVG by name; the others are left out, their numbers stand in tables.
        is_paper: It is laid out as PDF: ``drawn`` holds addresses of pictures, and tables get fixed columns.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["words"] = lambda text: Markup(as_html(str(text)))  # noqa: S704 - it escapes all but its own <bdi>
    environment.filters["svg"] = lambda text: Markup(text)  # noqa: S704 - the renderer escapes its texts
    style = (TEMPLATES / "document.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    numbers = prose.numbered()
    return environment.get_template("document.html.j2").render(
        prose=prose,
        title=as_plain(prose.title),
        style=style,
        style_hash=f"sha256-{digest}",
        drawn=drawn or {},
        numbers=numbers,
        cited=[(i, prose.sources[key]) for key, i in numbers.items()],
        stamp=json.dumps(stamp),
        stamp_name=STAMP,
        is_paper=is_paper,
    )


def inked(svg: str) -> str:
    """Return an SVG with colours in place of the page's variables.

    >>> inked('<rect fill="var(--accent)"/>')
    '<rect fill="#0b61a4"/>'
    """
    return re.sub(r"var\(--([a-z-]+)\)", lambda m: INKS.get(m.group(1), INKS["ink"]), svg)


def inked_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a chart's spec on white, with colours in place of the page's variables, its data untouched."""
    inks = {key: value if key in ("data", "datasets") else _inked(value) for key, value in spec.items()}
    return {**inks, "background": INKS["paper"], "config": {**inks.get("config", {}), "background": INKS["paper"]}}


def _inked(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: v if k == "data" else _inked(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_inked(v) for v in value]
    return inked(value) if isinstance(value, str) else value
