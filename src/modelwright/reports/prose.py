"""Prose: a document as sentences, lists, tables and charts, before it becomes HTML, PDF or a Word file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.reports.gallery import Picture
    from modelwright.reports.sources import Source


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence and the keys of the sources its numbers came from; names of the data in it are marked."""

    text: str
    cites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One sentence or several; ``style`` is empty, ``lead``, ``small``, ``alarm`` or ``code``."""

    said: Said
    style: str = ""


@dataclass(frozen=True, slots=True)
class Points:
    """A list."""

    items: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table.

    Attributes:
        heads: One a column.
        rows: Cells as sentences.
        cites: Keys of sources, one tuple a row, or nothing at all.
        targets: Anchors that the last cell of each row leads to, empty for none; or nothing at all.
        widths: Shares of the width, one a column, or nothing at all.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    cites: tuple[tuple[str, ...], ...] = ()
    targets: tuple[str, ...] = ()
    widths: tuple[float, ...] = ()

    def cites_of(self, row: int) -> tuple[str, ...]:
        """Return the sources of a row."""
        return self.cites[row] if self.cites else ()

    def shares(self) -> tuple[float, ...]:
        """Return the width of each column in percent."""
        even = 1 / len(self.heads)
        return tuple(round(100 * share, 1) for share in self.widths or (even,) * len(self.heads))

    def target_of(self, row: int) -> str:
        """Return the anchor that a row leads to, or an empty text."""
        return self.targets[row] if self.targets else ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart with its heading and caption, and the keys of its sources."""

    picture: Picture
    cites: tuple[str, ...] = ()


Block = Paragraph | Points | Grid | Drawing


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it; ``anchor`` names it for links within the document."""

    title: str
    blocks: tuple[Block, ...]
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Prose:
    """A whole document.

    Attributes:
        kind: Which one, such as ``brief``.
        eyebrow: A few words above the title.
        title: Its title, a sentence.
        sections: In order.
        sources: Every source that may be cited, by key.
    """

    kind: str
    eyebrow: str
    title: str
    sections: tuple[Section, ...]
    sources: dict[str, Source]

    def numbered(self) -> dict[str, int]:
        """Return the number of each cited source, in the order in which they are first cited."""
        keys = [key for section in self.sections for block in section.blocks for key in _cites(block)]
        return {key: i for i, key in enumerate(dict.fromkeys(k for k in keys if k in self.sources), start=1)}

    def drawings(self) -> tuple[Drawing, ...]:
        """Return the charts, in order."""
        return tuple(b for s in self.sections for b in s.blocks if isinstance(b, Drawing))


def _cites(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(said):
            yield from said.cites
        case Points(items):
            for item in items:
                yield from item.cites
        case Grid():
            for row in range(len(block.rows)):
                yield from block.cites_of(row)
        case Drawing():
            yield from block.cites


def points(*texts: str | Said) -> Points:
    """Return a list of the sentences that say something."""
    said = [t if isinstance(t, Said) else Said(t) for t in texts]
    return Points(tuple(s for s in said if s.text))
