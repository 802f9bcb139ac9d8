"""Reading back a document that was drawn here: its visible numbers, and what it can be checked by."""

from __future__ import annotations

import html
import io
import json
import re
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from modelwright.core.errors import UnreadableSource
from modelwright.reports.as_html import STAMP
from modelwright.reports.as_pdf import ATTACHED
from modelwright.reports.libraries import needs
from modelwright.reports.office import STAMP_PART

BYTES_MAX = 64 * 2**20
"""What a document may hold, unpacked."""
ENDINGS = (".html", ".pdf", ".docx", ".pptx", ".md", ".json")
NUMERAL = re.compile(r"[−+]?\d+(?:[.,]\d+)*(?: × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?")
AROUND = 30
_TAGS = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL)
_OFFICE_TEXT = re.compile(r"<(?:w:t|a:t|c:v)(?:\s[^>]*)?>([^<]*)</(?:w:t|a:t|c:v)>|</(?:w:p|a:p)>")
_OFFICE_PARTS = re.compile(
    r"word/document\.xml|ppt/slides/slide\d+\.xml|ppt/charts/chart\d+\.xml|ppt/notesSlides/\w+\.xml"
)


@dataclass(frozen=True, slots=True)
class Stated:
    """What a document says.

    Attributes:
        ending: What kind of file it is.
        text: What a reader sees.
        stamp: What it can be checked by, or None: a card in Markdown carries none.
    """

    ending: str
    text: str
    stamp: dict[str, Any] | None

    def numerals(self) -> Counter[str]:
        """Return how often each number stands in it."""
        return Counter(NUMERAL.findall(self.text))

    def in_order(self) -> list[str]:
        """Return its numbers in the order in which they stand."""
        return NUMERAL.findall(self.text)

    def around(self, numeral: str) -> str:
        """Return the words around the first place where a number stands."""
        found = re.search(rf"(?<![\d.,]){re.escape(numeral)}(?![\d]|[.,]\d)", self.text)
        if found is None:
            return numeral
        return " ".join(self.text[max(found.start() - AROUND, 0) : found.end() + AROUND].split())


def reread(name: str, content: bytes) -> Stated:
    """Return what a document says.

    Args:
        name: Of the file; its ending tells what it is.
        content: Of the file.

    Raises:
        UnreadableSource: It is none of our documents, or too large.
        MissingLibrary: A PDF is given and pypdf is not installed.
    """
    ending = PurePath(name).suffix.lower()
    if ending not in ENDINGS or len(content) > BYTES_MAX:
        raise _unreadable(name, "too large" if ending in ENDINGS else f"ending {ending!r}")
    try:
        match ending:
            case ".pdf":
                text, stamp = _pdf(name, content)
            case ".docx" | ".pptx":
                text, stamp = _office(name, content)
            case _:
                text, stamp = _plain(ending, content.decode())
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise _unreadable(name, f"{type(error).__name__}: {error}"[:200]) from error
    return Stated(ending, text, stamp)


def _unreadable(name: str, got: str) -> UnreadableSource:
    return UnreadableSource(
        "a document to be checked was drawn by `modelwright report`",
        where=name,
        got=got,
        fix=f"give a file that ends in {', '.join(ENDINGS)}, as it was written",
    )


def _plain(ending: str, text: str) -> tuple[str, dict[str, Any] | None]:
    if ending == ".json":
        data = json.loads(text)
        return text, _stamp(data.get("stamp") if isinstance(data, dict) else None)
    if ending == ".md":
        return text, None
    found = re.search(rf'<meta name="{STAMP}" content="([^"]*)">', text)
    shown = html.unescape(_TAGS.sub(" ", text))
    return shown, _stamp(json.loads(html.unescape(found.group(1)))) if found else None


def _office(name: str, content: bytes) -> tuple[str, dict[str, Any] | None]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sizes = {i.filename: i.file_size for i in archive.infolist()}
        wanted = [n for n in sorted(sizes) if _OFFICE_PARTS.fullmatch(n)]
        if sum(sizes[n] for n in wanted) > BYTES_MAX:
            raise _unreadable(name, "too large")
        parts = [archive.read(n).decode() for n in wanted]
        place = STAMP_PART.lstrip("/")
        carried = archive.read(place).decode() if 0 < sizes.get(place, 0) <= BYTES_MAX else ""
    text = "".join(m.group(1) or "\n" for part in parts for m in _OFFICE_TEXT.finditer(part))
    found = re.search(r"<sources[^>]*>([^<]*)</sources>", carried)
    return html.unescape(text), _stamp(json.loads(html.unescape(found.group(1)))) if found else None


def _pdf(name: str, content: bytes) -> tuple[str, dict[str, Any] | None]:
    with needs("pypdf", name):
        import pypdf
    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        text = "\n".join(page.extract_text() for page in reader.pages)
        attached = reader.attachments.get(ATTACHED)
    except Exception as error:
        raise _unreadable(name, f"{type(error).__name__}: {error}"[:200]) from error
    return text, _stamp(json.loads(attached[0])) if attached else None


def _stamp(found: Any) -> dict[str, Any] | None:
    """Return a stamp that has the shape of one."""
    if not isinstance(found, dict) or found.get("format") != 1 or not isinstance(found.get("sources"), dict):
        return None
    return found
