"""Delimited text: delimiter and quoting are found, cells arrive as text exactly as written, blank ones are missing.

polars reads what is well formed. Whatever it might misread (a stray quote, a short row, old line ends) goes to
Python's own reader, which is slower and either reads it rightly or says which line is wrong.
"""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from modelwright.core.errors import EmptySource, InvalidTable
from modelwright.data._encoding import to_utf8
from modelwright.data._tidying import check_names

if TYPE_CHECKING:
    from collections.abc import Iterator

_DELIMITERS = "\t;|,"
_SAMPLE_BYTES = 1 << 20
_SAMPLE_LINES = 200
_LONGEST_CELL = 2**31 - 1
_HINT = re.compile(rb'"?sep=([\x01-\x7f])"?\r?\n')
_QUOTE, _LINE_FEED, _CARRIAGE_RETURN = b'"\n\r'
# What the reader may be told besides the delimiter.
_STRICT: dict[str, bool | int] = {"strict": True}
_LENIENT: dict[str, bool | int] = {}
_UNQUOTED: dict[str, bool | int] = {"quoting": csv.QUOTE_NONE}
_SPACED: dict[str, bool | int] = {"skipinitialspace": True}


def read_delimited(data: bytes, where: str) -> pl.DataFrame:
    """Return the frame of a CSV or TSV file, all columns text.

    Args:
        data: The whole file, uncompressed, in any encoding ``to_utf8`` knows.
        where: Its name, for messages.

    Raises:
        EmptySource: There is no header.
        InvalidTable: A name is blank or repeated, a row is ragged, or a quote is never closed.
        UnreadableSource: The bytes are not text.
    """
    text = to_utf8(data, where)
    body = text.lstrip(b"\r\n")
    first_line = text.count(b"\n", 0, len(text) - len(body)) + 1
    body = body.rstrip(b"\r\n")
    if not body.strip():
        raise EmptySource(
            "a file holds a header and rows", where=where, got=f"{len(data)} bytes, none of them a name", fix="fill it"
        )
    hint = _HINT.match(body)
    if hint:
        body, first_line = body[hint.end() :], first_line + 1
    delimiter = (hint.group(1).decode() if hint else sniff(body)) or _absent(body)
    frame = _read_well_formed(body, delimiter, where)
    if frame is None:
        frame = _read_carefully(body.decode(), delimiter, where, first_line)
    return frame.select(pl.when(pl.all() != "").then(pl.all()))


def sniff(body: bytes) -> str:
    r"""Return the delimiter whose count agrees most over the first 200 lines, or empty for a single column.

    A delimiter counts only where it stands outside quotes and also divides the header.

    >>> sniff(b"a;b\n1,5;2,5\n2,5;3,1\n")
    ';'
    """
    end = max(_SAMPLE_BYTES, body.find(b"\n") + 1 or len(body))
    lines = io.StringIO(body[:end].decode(errors="ignore"), newline="").readlines()
    is_cut = end < len(body) or len(lines) > _SAMPLE_LINES
    sample = "".join(lines[:_SAMPLE_LINES])
    best, chosen = (0.0, 1), ""
    for delimiter in _DELIMITERS:
        widths = [len(row) for row, _ in _rows(sample, delimiter, _LENIENT) if row]
        width, judged = widths[0], widths[:-1] if is_cut and len(widths) > 1 else widths
        found = (judged.count(width) / len(judged), width)
        if width > 1 and found > best:
            best, chosen = found, delimiter
    return chosen


def _absent(body: bytes) -> str:
    """Return a control character the text does not hold, to stand for the delimiter of a single column."""
    return next(chr(code) for code in (31, 30, 29, 28, *range(1, 9), *range(14, 28)) if code not in body)


def _read_well_formed(body: bytes, delimiter: str, where: str) -> pl.DataFrame | None:
    """Return the frame polars reads, or None where its answer cannot be relied on."""
    has_quotes = b'"' in body
    # A carriage return alone ends a line for some programs and is part of a cell for others.
    if body.count(b"\r") != body.count(b"\r\n") or (has_quotes and not _is_well_quoted(body, delimiter)):
        return None
    names = next(row for row, _ in _rows(_header(body), delimiter, _LENIENT))
    check_names(names, where)
    # At the very end, without a line feed after it, polars overlooks a delimiter too many.
    whole = body + b"\n" if body.endswith(delimiter.encode()) else body
    try:
        frame = pl.read_csv(whole, separator=delimiter, quote_char='"' if has_quotes else None, infer_schema=False)
    except pl.exceptions.PolarsError:
        return None
    # polars refuses long rows and fills up short ones, so equal totals mean that no row is ragged.
    if len(names) != frame.width or _n_delimiters(body, delimiter) != (len(names) - 1) * (frame.height + 1):
        return None
    frame.columns = names
    return frame


def _header(body: bytes) -> str:
    """Return the text up to the first line feed outside quotes."""
    end = body.find(b"\n")
    while end >= 0 and body.count(b'"', 0, end) % 2:
        end = body.find(b"\n", end + 1)
    return (body if end < 0 else body[:end]).decode()


def _is_well_quoted(body: bytes, delimiter: str) -> bool:
    """Whether each quote opens or closes a whole cell, or is doubled inside one."""
    codes = np.frombuffer(body, dtype=np.uint8)
    quotes = np.flatnonzero(codes == _QUOTE)
    if len(quotes) % 2:
        return False
    edges = np.array([ord(delimiter), _LINE_FEED, _CARRIAGE_RETURN, _QUOTE], dtype=np.uint8)
    before, after = quotes[::2] - 1, quotes[1::2] + 1
    before, after = before[before >= 0], after[after < len(codes)]
    return bool(np.isin(codes[before], edges).all() and np.isin(codes[after], edges).all())


def _n_delimiters(body: bytes, delimiter: str) -> int:
    """Return how many delimiters stand outside quotes in well-quoted text."""
    if b'"' not in body:
        return body.count(delimiter.encode())
    codes = np.frombuffer(body, dtype=np.uint8)
    places = np.flatnonzero(codes == ord(delimiter))
    quotes = np.flatnonzero(codes == _QUOTE)
    inside = np.searchsorted(places, quotes[1::2]) - np.searchsorted(places, quotes[::2])
    return len(places) - int(inside.sum())


def _read_carefully(text: str, delimiter: str, where: str, first_line: int) -> pl.DataFrame:
    """Return the frame under the first way of quoting that gives every row the header's width."""
    others = [_LENIENT] if _is_quoting(text, delimiter) else [_UNQUOTED, _LENIENT]
    for options in [_STRICT, *others, _SPACED]:
        rows = _even_rows(text, delimiter, options)
        if rows is not None:
            check_names(rows[0], where)
            columns = zip(*rows[1:], strict=True) if len(rows) > 1 else [() for _ in rows[0]]
            return pl.DataFrame([pl.Series(n, list(v), dtype=pl.String) for n, v in zip(rows[0], columns, strict=True)])
    raise _ragged(text, delimiter, where, first_line)


def _is_quoting(text: str, delimiter: str) -> bool:
    """Whether cells with a quote are mostly cells in quotes, rather than text in which a quote stands."""
    cells = (c.strip() for row, _ in _rows(text, delimiter, _UNQUOTED) for c in row if '"' in c)
    balance = sum(1 if len(c) > 1 and c[0] == c[-1] == '"' else -1 for c in cells)
    return balance > 0


def _even_rows(text: str, delimiter: str, options: dict[str, bool | int]) -> list[list[str]] | None:
    """Return the rows when all are as wide as the first and the last quote is closed, else None."""
    rows: list[list[str]] = []
    width = 0
    try:
        for row, is_closed in _rows(text, delimiter, options):
            width = width or len(row)
            cells = [""] if not row and width == 1 else row
            if not is_closed or (len(cells) != width and not _is_blank(cells)):
                return None
            if len(cells) == width:
                rows.append(cells)
    except csv.Error:
        return None
    return rows


def _rows(text: str, delimiter: str, options: dict[str, bool | int]) -> Iterator[tuple[list[str], bool]]:
    """Yield each row, and whether its quotes were closed."""
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        # A last empty line tells an open quote, which swallows it, from a closed one, which leaves it.
        lines = [*io.StringIO(text + "\n", newline=""), "\n"]
        reader = csv.reader(lines, delimiter=delimiter, **options)  # type: ignore[arg-type]
        for row in reader:
            is_last = reader.line_num == len(lines)
            if is_last and not row:
                return
            yield row, not is_last
    finally:
        csv.field_size_limit(before)


def _is_blank(cells: list[str]) -> bool:
    return len(cells) <= 1 and not "".join(cells).strip()


def _ragged(text: str, delimiter: str, where: str, first_line: int) -> InvalidTable:
    """Return the error that names the first row which is not as wide as the header."""
    options = _LENIENT if _is_quoting(text, delimiter) or _even_quotes(text, delimiter) else _UNQUOTED
    line, width = first_line, 0
    for row, is_closed in _rows(text, delimiter, options):
        width = width or len(row)
        if not is_closed:
            return InvalidTable(
                "a quote that opens a cell is closed again",
                where=f"{where}, line {line}",
                got="a cell that runs to the end of the file",
                fix='close the quote, or write a quote inside a cell twice: ""',
            )
        if len(row) != width and not (_is_blank(row)):
            break
        line += "\n".join(row).count("\n") - len(row) + 2 if row else 1
    shown = {"\t": "tab"}.get(delimiter, delimiter)
    return InvalidTable(
        "every row has as many fields as the header",
        where=f"{where}, line {line}",
        got=f"{len(row)} fields where the header has {width} (divided by {shown!r})",
        fix="mend or remove that line; put text that contains the delimiter in quotes",
    )


def _even_quotes(text: str, delimiter: str) -> bool:
    return all(is_closed for _, is_closed in _rows(text, delimiter, _LENIENT))
