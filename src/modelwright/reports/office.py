"""What Word and PowerPoint files share: safe text, and the part that carries what a document can be checked by."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any

from modelwright.reports.names import CLOSE, MARKED, OPEN, clean

if TYPE_CHECKING:
    from collections.abc import Mapping

STAMP_PART = "/customXml/modelwright.xml"
STAMP_TYPE = "application/xml"
STAMP_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/customXml"
_LEFT_TO_RIGHT = "\u200e"
_PLAIN = re.compile(r"[^\W_]")


def as_office(sentence: str) -> str:
    """Return a sentence as text for an office file: no control characters, right-to-left names kept in their place.

    >>> as_office("Check \u2068total\u2069.")
    'Check total.'
    """
    kept = MARKED.sub(lambda m: _isolated(m.group(1)), sentence)
    return clean(kept.replace(OPEN, "").replace(CLOSE, ""), 10_000).replace("\ue000", _LEFT_TO_RIGHT) if kept else ""


def _isolated(name: str) -> str:
    # A left-to-right mark behind a right-to-left name keeps what follows from joining it; ``clean`` would drop it.
    is_right_to_left = any(unicodedata.bidirectional(c) in ("R", "AL") for c in name)
    return f"{name}\ue000" if is_right_to_left else name


def as_cell(name: str, limit: int = 40) -> str:
    """Return a name for the sheet inside a chart, where text that begins like a formula or address would be one.

    >>> as_cell("tenure"), as_cell("=1+1"), as_cell("http://x")
    ('tenure', '“=1+1”', '“http://x”')
    """
    shown = clean(name, limit)
    is_safe = bool(_PLAIN.match(shown)) and ":" not in shown
    return shown if is_safe else f"“{shown}”"


def stamp_xml(stamp: Mapping[str, Any]) -> bytes:
    """Return the part's content."""
    text = escape(json.dumps(stamp), quote=True)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<sources xmlns="urn:modelwright:sources">{text}</sources>'.encode()


def made_at(created: str) -> datetime:
    """Return when a package was made, so that equal packages give equal files; a fixed day when unknown."""
    try:
        return datetime.fromisoformat(created).astimezone(UTC).replace(tzinfo=None)
    except ValueError:
        return datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
