"""Workbooks: a sheet of an Excel file (or OpenDocument) becomes a frame."""

from __future__ import annotations

import polars as pl

from modelwright.core.errors import EmptySource, UnreadableSource, closest
from modelwright.data._border import border, needs
from modelwright.data._tidying import check_names


def read_sheet(data: bytes, where: str, sheet: str | None) -> pl.DataFrame:
    """Return the frame of a sheet; the first row with anything in it is the header.

    Rows and columns without any content are left out, since workbooks keep them when cells are cleared.

    Args:
        data: The workbook.
        where: Its name, for messages.
        sheet: Which sheet, the first when None.

    Raises:
        MissingLibrary: fastexcel is not installed.
        UnreadableSource: It is no workbook, or has no sheet of this name.
        EmptySource: The sheet is blank.
        InvalidTable: A column has no name or shares it with another.
    """
    with needs("fastexcel", "excel", where=where):
        import fastexcel
    with border("a file that begins as a workbook is one", where=where, fix="open it in Excel and save it as .xlsx"):
        book = fastexcel.read_excel(data)
        names: list[str] = book.sheet_names
        if sheet is not None and sheet not in names:
            raise UnreadableSource(
                "a sheet that is named must exist", where=where, got=sheet, fix=closest(sheet, names)
            )
        chosen = sheet if sheet is not None else names[0]
        header = pl.DataFrame(book.load_sheet(chosen, header_row=None, n_rows=1, dtypes="string"))
        # All rows decide on a column's type; from a sample, later cells of another type would be lost.
        body = pl.DataFrame(book.load_sheet(chosen, schema_sample_rows=None)) if header.height else pl.DataFrame()
    if not header.width:
        raise EmptySource(
            "a sheet holds a header and rows",
            where=f"{where}#{chosen}",
            got="a blank sheet",
            fix=f"name the sheet after #; there are {', '.join(map(repr, names))}",
        )
    titles = [title or "" for title in header.row(0)]
    kept = [i for i, title in enumerate(titles) if title.strip() or body.to_series(i).null_count() < body.height]
    check_names([titles[i] for i in kept], f"{where}#{chosen}")
    frame = pl.DataFrame([_whole(body.to_series(i)).alias(titles[i]) for i in kept])
    return frame.filter(~pl.all_horizontal(pl.all().is_null())) if frame.height else frame


def _whole(column: pl.Series) -> pl.Series:
    """Return whole numbers as such: a workbook knows broken numbers only."""
    if column.dtype != pl.Float64 or column.null_count() == column.len():
        return column
    numbers = column.cast(pl.Int64, strict=False)
    is_same = numbers.null_count() == column.null_count() and bool((numbers.cast(pl.Float64) == column).all())
    return numbers if is_same else column
