"""Bodies: JSON, CSV and Parquet become the same rows, each capped before it is unfolded."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from modelwright.core.prediction import Cell
from modelwright.service.refusals import too_large, unprocessable, unreadable, without_parquet

if TYPE_CHECKING:
    from modelwright.service.limits import Limits

_T = TypeVar("_T")
Row = dict[str, Cell]
JSON, CSV, PARQUET = "application/json", "text/csv", "application/vnd.apache.parquet"
KINDS = {
    "": JSON,
    "application/json": JSON,
    "text/csv": CSV,
    "application/csv": CSV,
    "application/vnd.apache.parquet": PARQUET,
    "application/parquet": PARQUET,
    "application/x-parquet": PARQUET,
}
"""Content types that are read; the list is fixed, and nothing in it can hold code."""


class PredictRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The JSON body of ``POST /predict``; ``explain`` asks for the reasons of each row too."""

    records: list[Row]
    explain: bool = False


predict_decoder = msgspec.json.Decoder(PredictRequest)


def decode(decoder: msgspec.json.Decoder[_T], body: bytes) -> _T:
    """Return what a JSON body holds, or raise Refused; the message names places, never values."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise unprocessable("a body has the form that /openapi.json describes", got=str(error)[:200]) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise unreadable("a JSON body is JSON", got=_without_values(error)) from None
    except RecursionError:
        raise unreadable("a JSON body is not nested deeply") from None


def decode_loosely(decoder: msgspec.json.Decoder[_T], body: bytes) -> _T:
    """Return what a body holds in which NaN stands for what is missing, as Python's own JSON writes it."""
    if b"NaN" not in body:
        return decode(decoder, body)
    try:
        # Whatever is not finite is missing; the result is held against the form like any other body.
        strict = json.dumps(json.loads(body, parse_constant=lambda _: None)).encode()
    except (ValueError, RecursionError):
        return decode(decoder, body)
    return decode(decoder, strict)


def _without_values(error: Exception) -> str:
    return "bytes that are not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)[:200]


def rows_of(kind: str, body: bytes, limits: Limits) -> list[Row]:
    """Return the rows of a body of a kind of ``KINDS``.

    Raises:
        Refused: 400 it is not what it says, 413 it holds too much, 422 its form is another.
    """
    return asked_of(kind, body, limits)[0]


def asked_of(kind: str, body: bytes, limits: Limits) -> tuple[list[Row], bool]:
    """Return the rows of a body, and whether reasons are asked for, which only JSON can; as ``rows_of``."""
    explain = False
    if kind == JSON:
        request = decode(predict_decoder, body)
        rows, explain = request.records, request.explain
    else:
        rows = rows_of_csv(body, limits) if kind == CSV else rows_of_parquet(body, limits)
    if len(rows) > limits.rows:
        raise too_large("rows", limits.rows)
    return rows, explain


def rows_of_csv(body: bytes, limits: Limits) -> list[Row]:
    """Return the rows of a CSV body with a header; cells are text, and blank ones are missing."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise unreadable("a CSV body is UTF-8", got="other bytes") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        _check_header(header, limits)
        rows: list[Row] = []
        for cells in reader:
            if len(cells) != len(header):
                if not cells:
                    continue
                raise unreadable("a CSV row has as many cells as the header", where=f"line {reader.line_num}")
            if len(rows) == limits.rows:
                raise too_large("rows", limits.rows)
            rows.append({name: cell if cell != "" else None for name, cell in zip(header, cells, strict=True)})
    except csv.Error:
        raise unreadable("a CSV body is CSV", where=f"line {reader.line_num}") from None
    return rows


def _check_header(header: list[str], limits: Limits) -> None:
    if len(set(header)) != len(header) or not header:
        raise unreadable("a CSV header names each column once", where="line 1")
    if len(header) > limits.columns:
        raise too_large("columns", limits.columns)


def rows_of_parquet(body: bytes, limits: Limits) -> list[Row]:
    """Return the rows of a Parquet body; only flat columns, and no more than the limits once unfolded."""
    from modelwright.core.errors import ModelwrightError

    try:
        from modelwright.data.parquet_bodies import read_rows
    except ModuleNotFoundError:
        raise without_parquet() from None
    try:
        rows: Any = read_rows(body, rows_max=limits.rows, columns_max=limits.columns, bytes_max=limits.unfolded_bytes)
    except ModelwrightError as error:
        raise unreadable(error.rule, where=error.where or "body", got=str(error.got or "")) from None
    if rows is None:
        raise too_large("rows", limits.rows)
    return list(rows)
