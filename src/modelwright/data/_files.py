"""Files: one file's bytes become a frame; what it is shows in its first bytes, and only then in its ending."""

from __future__ import annotations

import gzip
import io
import json
import re
from typing import TYPE_CHECKING, Any

import polars as pl

from modelwright.core.errors import EmptySource, UnreadableSource
from modelwright.data._border import border, needs
from modelwright.data._csv import read_delimited
from modelwright.data._encoding import to_utf8
from modelwright.data._sheets import read_sheet
from modelwright.data._tidying import from_records, tidy

if TYPE_CHECKING:
    from pathlib import Path

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_PARQUET, _ARROW, _ARROW_STREAM, _FEATHER_1 = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff", b"FEA1"
_ZIP, _OLD_OFFICE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_LAYERS = 3
_TRUTH = re.compile(rb":\s*(?:true|false)\b")


def read_file(path: Path, sheet: str | None = None) -> pl.DataFrame:
    """Return the frame of one local file, its types tidied; a frame of no rows where there is only a header.

    Args:
        path: An existing file or pipe.
        sheet: The sheet of a workbook, the first when None.

    Raises:
        UnreadableSource: It cannot be opened, or is not what its first bytes or ending say.
        EmptySource: It holds nothing at all.
        InvalidTable: It holds no table.
    """
    opening = border("a file that is read can be opened", where=str(path), fix="check the path and the permissions")
    with opening, path.open("rb") as file:
        head = file.read(len(_ARROW))
        is_parquet = head.startswith(_PARQUET) and path.is_file()
        data = b"" if is_parquet else head + file.read()
    if is_parquet:
        # From the path polars reads a large file in pieces, without holding its bytes as well.
        with _damage("Parquet", str(path)):
            return tidy(pl.read_parquet(path, glob=False, hive_partitioning=False), str(path))
    return read_bytes(data, str(path), sheet)


def read_bytes(data: bytes, where: str, sheet: str | None = None) -> pl.DataFrame:
    """Return the frame of a file's bytes; ``where`` is its name, whose ending counts where the bytes do not tell."""
    data, name = _unpacked(data, where)
    if not data:
        raise EmptySource("a file holds a header and rows", where=where, got="0 bytes", fix="get the file again")
    return tidy(_frame(data, where, name, sheet), where)


def _frame(data: bytes, where: str, name: str, sheet: str | None) -> pl.DataFrame:
    if data.startswith((_ZIP, _OLD_OFFICE)):
        return read_sheet(data, where, sheet)
    if data.startswith(_PARQUET):
        with _damage("Parquet", where):
            return pl.read_parquet(io.BytesIO(data))
    if data.startswith(_ARROW):
        with _damage("Arrow", where):
            return pl.read_ipc(io.BytesIO(data))
    if data.startswith(_ARROW_STREAM):
        with _damage("an Arrow stream", where):
            return pl.read_ipc_stream(io.BytesIO(data))
    _refuse_others(data, where)
    if name.endswith((".jsonl", ".ndjson", ".json")):
        return _read_json(to_utf8(data, where), where)
    return read_delimited(data, where)


def _unpacked(data: bytes, where: str) -> tuple[bytes, str]:
    """Return the bytes without gzip or zstd around them, and the name in lower case without their endings."""
    name = where.lower()
    for _ in range(_LAYERS):
        if data.startswith(_GZIP):
            with _damage("gzip", where):
                data = gzip.decompress(data)
        elif data.startswith(_ZSTD):
            data = _unzstd(data, where)
        else:
            break
        for ending in (".gz", ".zst", ".zstd"):
            name = name.removesuffix(ending)
    return data, name


def _unzstd(data: bytes, where: str) -> bytes:
    """Return the bytes inside zstd.

    Python has no zstd of its own before 3.14 and polars opens it for text only: asked for one column and one row,
    it hands over the text as it stands. Anything else inside needs pyarrow.
    """
    with border("the file is complete zstd", where=where, fix="get the file again; it was cut short or altered"):
        try:
            return text_inside(data)
        except pl.exceptions.NoDataError:
            return b""
        except pl.exceptions.ComputeError:
            with needs("pyarrow", "frames", where=f"{where} (zstd around something other than UTF-8 text)"):
                import pyarrow as pa
        return bytes(pa.input_stream(io.BytesIO(data), compression="zstd").read())


def text_inside(data: bytes) -> bytes:
    """Return the UTF-8 text polars finds in the bytes, unpacked, without its byte-order mark."""
    return "".join(pl.read_csv(data, **AS_ONE_CELL).to_series().to_list()).encode()


AS_ONE_CELL: dict[str, Any] = {
    "has_header": False,
    "schema": {"text": pl.String},
    "separator": "\x01",
    "quote_char": None,
    "eol_char": "\x00",
}
"""Options under which polars' CSV reader gives a whole text as one cell: no text holds these two characters."""


def _read_json(text: bytes, where: str) -> pl.DataFrame:
    """Return the frame of JSON Lines, or of one JSON list of objects."""
    if not text.strip():
        raise EmptySource("a file holds rows", where=where, got="blank lines only", fix="write one object a line")
    if text.lstrip().startswith(b"["):
        with _damage("JSON", where):
            records = json.loads(text)
        return from_records(_objects(enumerate(records, 1), f"{where}, item"), where)
    try:
        frame = pl.read_ndjson(io.BytesIO(text), infer_schema_length=None)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        frame = pl.DataFrame()
    # polars refuses some mixtures of types, and writes truth values among text in another way than Python does. Python
    # reads these, and says which line is no JSON.
    if frame.width and not (pl.String in frame.dtypes and _TRUTH.search(text)):
        return frame
    lines = enumerate(text.decode().split("\n"), 1)
    parsed = ((number, _parsed(line, f"{where}, line {number}")) for number, line in lines if line.strip())
    return from_records(_objects(parsed, f"{where}, line"), where)


def _parsed(line: str, where: str) -> Any:
    with border("each line of JSON Lines is one JSON object", where=where, fix='write lines such as {"age": 31}'):
        return json.loads(line)


def _objects(items: Any, where: str) -> list[dict[str, Any]]:
    records = []
    for number, item in items:
        if not isinstance(item, dict):
            raise UnreadableSource(
                "each row is one JSON object",
                where=f"{where} {number}",
                got=type(item).__name__,
                fix='write rows such as {"age": 31, "city": "Oslo"}',
            )
        records.append(item)
    return records


def _refuse_others(data: bytes, where: str) -> None:
    """Raise UnreadableSource for formats that are known and not read from a file, with the way round."""
    known = (
        (data.startswith(b"SQLite format 3\0"), "an SQLite database", "give sqlite:///FILE together with a query"),
        (data[8:12] == b"DUCK", "a DuckDB database", "give duckdb:///FILE together with a query"),
        (data.startswith(_FEATHER_1), "Feather of version 1", "write it again as Arrow (Feather version 2)"),
    )
    for is_it, what, fix in known:
        if is_it:
            raise UnreadableSource("a file holds one table in a known format", where=where, got=what, fix=fix)


def _damage(what: str, where: str) -> Any:
    return border(f"a file that begins as {what} is whole", where=where, fix="get the file again, or write it anew")
