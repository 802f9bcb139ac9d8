"""A document as a Word file."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from modelwright.reports.as_html import INKS
from modelwright.reports.libraries import needs
from modelwright.reports.names import as_plain
from modelwright.reports.office import STAMP_PART, STAMP_RELATION, STAMP_TYPE, as_office, made_at, stamp_xml
from modelwright.reports.prose import Drawing, Grid, Paragraph, Points, Said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.reports.prose import Block, Prose

PAGE_CM = (21.0, 29.7)
MARGIN_CM = 2.0
CHART_CM = 11.0
_BOOKMARK = re.compile(r"[^A-Za-z0-9_]")


def docx_of(prose: Prose, stamp: Mapping[str, Any], painted: Mapping[str, bytes], *, created: str = "") -> bytes:
    """Return a document as DOCX; equal documents give equal bytes.

    Args:
        prose: What it says.
        stamp: What it can be checked by.
        painted: Its charts as PNG by name.
        created: When the model was made, ISO 8601.

    Raises:
        MissingLibrary: python-docx is not installed.
    """
    with needs("python-docx", "a Word document"):
        import docx
    writer = _Writer(docx.Document(), prose)
    writer.write(painted)
    return writer.saved(stamp, created)


class _Writer:
    """Lays out prose in an empty Word document."""

    def __init__(self, document: Any, prose: Prose) -> None:
        self.document, self.prose, self.numbers = document, prose, prose.numbered()
        self._bookmarks = 0
        self._page()
        self._styles()

    def write(self, painted: Mapping[str, bytes]) -> None:
        """Write title, sections and sources."""
        self.document.add_paragraph(as_office(self.prose.eyebrow), style="Subtitle")
        self.document.add_paragraph(as_office(self.prose.title), style="Title")
        for section in self.prose.sections:
            heading = self.document.add_heading(as_office(section.title), level=1)
            if section.anchor:
                self._bookmark(heading, section.anchor)
            for block in section.blocks:
                self._block(block, painted)
        self._sources()

    def saved(self, stamp: Mapping[str, Any], created: str) -> bytes:
        """Return the file."""
        from docx.opc.packuri import PackURI
        from docx.opc.part import Part

        part = self.document.part
        carried = Part(PackURI(STAMP_PART), STAMP_TYPE, stamp_xml(stamp), part.package)
        part.relate_to(carried, STAMP_RELATION)
        facts = self.document.core_properties
        facts.title, facts.author, facts.comments = as_plain(self.prose.title)[:200], "modelwright", ""
        facts.created = facts.modified = made_at(created)
        file = io.BytesIO()
        self.document.save(file)
        return file.getvalue()

    def _page(self) -> None:
        from docx.shared import Cm

        section = self.document.sections[0]
        section.page_width, section.page_height = (Cm(v) for v in PAGE_CM)
        section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Cm(MARGIN_CM)
        self._page_number(section.footer.paragraphs[0])

    def _styles(self) -> None:
        from docx.oxml.ns import qn
        from docx.shared import Pt, RGBColor

        sizes = {"Normal": 10, "Title": 22, "Subtitle": 9.5, "Heading 1": 14, "List Bullet": 10}
        for name, size in sizes.items():
            style = self.document.styles[name]
            style.font.size, style.font.name, style.font.italic = Pt(size), "Arial", False
            fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
            for kind in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
                fonts.attrib.pop(qn(f"w:{kind}"), None)
            for kind in ("ascii", "hAnsi", "cs", "eastAsia"):
                fonts.set(qn(f"w:{kind}"), "Arial")
        for name, ink in {"Title": "ink", "Subtitle": "soft", "Heading 1": "accent"}.items():
            self.document.styles[name].font.color.rgb = RGBColor.from_string(INKS[ink][1:])
        title = self.document.styles["Title"].paragraph_format
        title.space_before, title.space_after = Pt(0), Pt(14)
        border = self.document.styles["Title"].element.pPr.find(qn("w:pBdr"))
        if border is not None:
            self.document.styles["Title"].element.pPr.remove(border)
        heading = self.document.styles["Heading 1"].paragraph_format
        heading.space_before, heading.space_after = Pt(18), Pt(6)
        self.document.styles["Normal"].paragraph_format.space_after = Pt(5)
        self.document.styles["List Bullet"].paragraph_format.space_after = Pt(2)

    def _block(self, block: Block, painted: Mapping[str, bytes]) -> None:
        match block:
            case Paragraph(said, style):
                self._said(self.document.add_paragraph(), said, style)
            case Points(items):
                for said in items:
                    self._said(self.document.add_paragraph(style="List Bullet"), said)
            case Grid():
                self._grid(block)
            case Drawing():
                self._drawing(block, painted.get(block.picture.name))

    def _said(self, paragraph: Any, said: Said, style: str = "") -> None:
        from docx.shared import Pt, RGBColor

        run = paragraph.add_run(as_office(said.text))
        if style == "lead":
            run.font.size = Pt(12)
        elif style in ("small", "code"):
            run.font.size, run.font.color.rgb = Pt(8.5), RGBColor.from_string(INKS["soft"][1:])
        elif style == "alarm":
            run.font.bold = True
        if style == "code":
            run.font.name = "Courier New"
        self._marks(paragraph, said.cites)

    def _marks(self, paragraph: Any, cites: tuple[str, ...]) -> None:
        for key in cites:
            if key in self.numbers:
                self._link(paragraph, str(self.numbers[key]), f"source_{self.numbers[key]}", raised=True)

    def _grid(self, grid: Grid) -> None:
        from docx.shared import Cm, Pt

        width = PAGE_CM[0] - 2 * MARGIN_CM
        table = self.document.add_table(rows=1, cols=len(grid.heads), style="Table Grid")
        table.autofit = False
        self._borders(table)
        for cell, head in zip(table.rows[0].cells, grid.heads, strict=True):
            self._cell(cell, head, is_head=True)
        self._repeat(table.rows[0])
        for at, row in enumerate(grid.rows):
            cells = table.add_row().cells
            for cell, text in zip(cells[:-1], row[:-1], strict=True):
                self._cell(cell, text)
            self._cell(cells[-1], row[-1], target=grid.target_of(at))
            self._marks(cells[0].paragraphs[0], grid.cites_of(at))
        for column, share in zip(table.columns, grid.shares(), strict=True):
            column.width = Cm(width * share / 100)
        for row in table.rows:
            for cell, share in zip(row.cells, grid.shares(), strict=True):
                cell.width = Cm(width * share / 100)
        after = self.document.add_paragraph()
        after.paragraph_format.space_after = Pt(2)

    def _cell(self, cell: Any, text: str, *, is_head: bool = False, target: str = "") -> None:
        from docx.shared import Pt, RGBColor

        paragraph = cell.paragraphs[0]
        paragraph.paragraph_format.space_after = Pt(1)
        if target:
            self._link(paragraph, as_office(text), target)
            return
        run = paragraph.add_run(as_office(text))
        run.font.size = Pt(8.5)
        if is_head:
            run.font.color.rgb = RGBColor.from_string(INKS["soft"][1:])

    def _drawing(self, drawing: Drawing, png: bytes | None) -> None:
        from docx.shared import Cm, Pt, RGBColor

        if png is None:
            return
        heading = self.document.add_paragraph()
        heading.paragraph_format.keep_with_next = True
        run = heading.add_run(drawing.picture.title)
        run.font.bold = True
        self._marks(heading, drawing.cites)
        caption = heading.add_run(f"  {drawing.picture.caption}")
        caption.font.size, caption.font.color.rgb = Pt(8.5), RGBColor.from_string(INKS["soft"][1:])
        shape = self.document.add_picture(io.BytesIO(png), width=Cm(CHART_CM))
        if shape.height > Cm(16):
            shape.width, shape.height = int(shape.width * Cm(16) / shape.height), Cm(16)
        shape._inline.docPr.set("descr", f"{drawing.picture.title}. {as_plain(drawing.picture.told)}"[:500])

    def _sources(self) -> None:
        if not self.numbers:
            return
        self.document.add_heading("Where the numbers came from", level=1)
        rows = []
        for key in self.numbers:
            source = self.prose.sources[key]
            rows.append((str(self.numbers[key]), source.title, f"{source.place}; {source.basis.value}", source.command))
        self._grid(Grid(("No.", "Number", "Place and basis", "Command"), tuple(rows), widths=(0.07, 0.25, 0.33, 0.35)))
        table = self.document.tables[-1]
        for number, row in zip(self.numbers.values(), table.rows[1:], strict=True):
            self._bookmark(row.cells[0].paragraphs[0], f"source_{number}")

    def _link(self, paragraph: Any, text: str, anchor: str, *, raised: bool = False) -> None:
        """Add a link to a bookmark of this document; there are no others."""
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn
        from docx.shared import Pt, RGBColor
        from docx.text.run import Run

        link = OxmlElement("w:hyperlink")
        link.set(qn("w:anchor"), _BOOKMARK.sub("_", anchor))
        element = OxmlElement("w:r")
        link.append(element)
        paragraph._p.append(link)
        run = Run(element, paragraph)
        run.text = text
        run.font.size = Pt(8 if raised else 8.5)
        run.font.superscript = raised or None
        run.font.color.rgb = RGBColor.from_string(INKS["accent"][1:])

    def _bookmark(self, paragraph: Any, name: str) -> None:
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn

        self._bookmarks += 1
        begin, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
        for element in (begin, end):
            element.set(qn("w:id"), str(self._bookmarks))
        begin.set(qn("w:name"), _BOOKMARK.sub("_", name))
        paragraph._p.insert(1 if paragraph._p.pPr is not None else 0, begin)
        paragraph._p.append(end)

    def _borders(self, table: Any) -> None:
        """Leave only thin lines between rows."""
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn

        borders = OxmlElement("w:tblBorders")
        for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
            line = OxmlElement(f"w:{side}")
            line.set(qn("w:val"), "single" if side in ("bottom", "insideH") else "nil")
            line.set(qn("w:sz"), "4")
            line.set(qn("w:color"), INKS["line"][1:])
            borders.append(line)
        table._tbl.tblPr.append(borders)

    def _repeat(self, row: Any) -> None:
        from docx.oxml import OxmlElement

        row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))

    def _page_number(self, paragraph: Any) -> None:
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn

        paragraph.alignment = 2
        field = OxmlElement("w:fldSimple")
        field.set(qn("w:instr"), "PAGE")
        field.append(OxmlElement("w:r"))
        paragraph._p.append(field)
