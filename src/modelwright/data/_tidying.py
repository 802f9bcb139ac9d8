"""Columns: Python values become typed columns, and every frame is brought to the types the house knows."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from modelwright.core.errors import EmptySource, InvalidTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_SHOWN = 8
_MISSING_TYPES = frozenset({"NAType", "NaTType"})
_PLAIN = (pl.String, pl.Boolean, pl.Date, pl.Datetime, pl.Float32, pl.Float64, pl.Int8, pl.Int16, pl.Int32, pl.Int64)
_PLAIN_UNSIGNED = (pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)


def check_names(names: Sequence[str], where: str) -> None:
    """Raise InvalidTable when a column has no name or shares it with another."""
    blank = [position for position, name in enumerate(names, 1) if not name.strip()]
    if blank:
        raise InvalidTable(
            "every column has a name",
            where=f"{where}, header",
            got=f"no name in column {_listed(blank)} of {len(names):,}",
            fix="name the column in the header, or leave it out (an index written by pandas: index=False)",
        )
    if len(set(names)) < len(names):
        seen: set[str] = set()
        twice = list(dict.fromkeys(n for n in names if n in seen or seen.add(n)))  # type: ignore[func-returns-value]
        raise InvalidTable(
            "each column name stands in a table once",
            where=f"{where}, header",
            got=f"more than once: {_listed([repr(n) for n in twice])}",
            fix="rename or remove the repeated columns",
        )


def tidy(frame: pl.DataFrame, where: str) -> pl.DataFrame:
    """Return the frame with plain types only: numbers, text, booleans, dates and date-times.

    Decimals and durations (in seconds) become floats, categories and times of day text; 128-bit integers become
    64-bit ones where they fit and text where they do not, so that no digit is lost.

    Raises:
        InvalidTable: A name is blank, or columns hold nested, binary or Python values.
    """
    check_names(frame.columns, where)
    nested = [name for name, dtype in frame.schema.items() if not _is_known(dtype)]
    if nested:
        shown = _listed([f"{name!r} ({_type_name(frame.schema[name])})" for name in nested])
        raise InvalidTable(
            "a cell holds one plain value",
            where=where,
            got=f"nested or binary values in {shown}",
            fix="leave these columns out of the source, or unfold them into columns of their own",
        )
    changed = [_plain(column) for column in frame if not isinstance(column.dtype, _PLAIN + _PLAIN_UNSIGNED)]
    return frame.with_columns(changed) if changed else frame


def from_rows(names: Sequence[str], rows: Sequence[Sequence[Any]], where: str) -> pl.DataFrame:
    """Return the frame of a query's answer."""
    check_names(names, where)
    columns: Iterable[Sequence[Any]] = zip(*rows, strict=True) if rows else [() for _ in names]
    return pl.DataFrame([from_values(n, list(v), where) for n, v in zip(names, columns, strict=True)])


def from_records(records: Sequence[Mapping[Any, Any]], where: str) -> pl.DataFrame:
    """Return the frame of a list of mappings; keys that a record lacks are missing there."""
    keys = list(dict.fromkeys(key for record in records for key in record))
    if not records or not keys:
        raise EmptySource("a table has rows and columns", where=where, got="none", fix="give at least one record")
    names = [str(key) for key in keys]
    check_names(names, where)
    columns = ([record.get(key) for record in records] for key in keys)
    return pl.DataFrame([from_values(n, v, where) for n, v in zip(names, columns, strict=True)])


def from_values(name: str, values: Sequence[Any], where: str) -> pl.Series:
    """Return the column of these Python values: of their type where they share one, as text where they do not.

    ``None``, NaN and the missing values of pandas are missing. Whole and broken numbers together are floats.

    >>> from_values("a", [1, None, 2.5], "").to_list()
    [1.0, None, 2.5]
    >>> from_values("a", [1, "x", True], "").to_list()
    ['1', 'x', 'True']
    """
    cells = [_plain_value(value) for value in values]
    kinds = {_kind(cell) for cell in cells if cell is not None}
    if "nested" in kinds:
        raise InvalidTable(
            "a cell holds one plain value",
            where=where,
            got=f"nested or binary values in {name!r}",
            fix="leave this column out of the source, or unfold it into columns of its own",
        )
    chosen = _COLUMN.get(frozenset(kinds), _as_text)
    return chosen(name, cells)


def _plain_value(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if type(value).__name__ in _MISSING_TYPES:
        return None
    if type(value).__module__ == "numpy" and hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        # numpy gives times finer than microseconds as bare integers.
        value = (value.astype(f"{value.dtype.kind}8[us]") if value.dtype.kind in "mM" else value).item()
    if isinstance(value, float | Decimal) and math.isnan(value):
        return None
    return value


def _kind(value: Any) -> str:
    kind = next((kind for types, kind in _KINDS if isinstance(value, types)), "text")
    if kind == "text" and not isinstance(value, str) and hasattr(value, "__array__"):
        return "nested"
    if kind == "moment":
        return "naive" if value.tzinfo is None else "aware"
    if kind == "integer":
        return kind if -(2**63) <= value < 2**63 else "huge"
    return kind


# Subclasses stand before what they inherit from: a boolean is an integer to Python, a date-time a date.
_KINDS: tuple[tuple[Any, str], ...] = (
    (str, "text"),
    (bool, "boolean"),
    (int, "integer"),
    ((float, Decimal), "float"),
    (dt.datetime, "moment"),
    (dt.date, "date"),
    (dt.timedelta, "duration"),
    ((bytes, bytearray, memoryview, dict, list, tuple, set, frozenset), "nested"),
)


def _as_text(name: str, cells: list[Any]) -> pl.Series:
    return pl.Series(name, [None if c is None else str(c) for c in cells], dtype=pl.String)


def _as_float(name: str, cells: list[Any]) -> pl.Series:
    return pl.Series(name, [None if c is None else float(c) for c in cells], dtype=pl.Float64)


def _as_seconds(name: str, cells: list[Any]) -> pl.Series:
    return pl.Series(name, [None if c is None else c.total_seconds() for c in cells], dtype=pl.Float64)


def _as_moment(name: str, cells: list[Any]) -> pl.Series:
    moments = [None if c is None else c.astimezone(dt.UTC) for c in cells]
    return pl.Series(name, moments, dtype=pl.Datetime("us", "UTC"))


def _of(dtype: Any) -> Callable[[str, list[Any]], pl.Series]:
    return lambda name, cells: pl.Series(name, cells, dtype=dtype)


_COLUMN: dict[frozenset[str], Callable[[str, list[Any]], pl.Series]] = {
    frozenset({"boolean"}): _of(pl.Boolean),
    frozenset({"integer"}): _of(pl.Int64),
    frozenset({"float"}): _as_float,
    frozenset({"integer", "float"}): _as_float,
    frozenset({"date"}): _of(pl.Date),
    frozenset({"naive"}): _of(pl.Datetime("us")),
    frozenset({"aware"}): _as_moment,
    frozenset({"duration"}): _as_seconds,
}


def _is_known(dtype: pl.DataType) -> bool:
    others = (pl.Null, pl.Decimal, pl.Categorical, pl.Enum, pl.Duration, pl.Time)
    return isinstance(dtype, _PLAIN + _PLAIN_UNSIGNED + others) or (dtype.is_numeric() and not dtype.is_nested())


def _plain(column: pl.Series) -> pl.Series:
    dtype = column.dtype
    if isinstance(dtype, pl.Decimal):
        return column.cast(pl.Float64)
    if isinstance(dtype, pl.Duration):
        unit = {"ns": 1e9, "us": 1e6, "ms": 1e3}[dtype.time_unit]
        return column.to_physical().cast(pl.Float64) / unit
    if dtype.is_integer():
        narrow = column.cast(pl.Int64, strict=False)
        return narrow if narrow.null_count() == column.null_count() else column.cast(pl.String)
    return column.cast(pl.Float32 if dtype.is_float() else pl.String)


def _type_name(dtype: pl.DataType) -> str:
    return type(dtype).__name__.lower()


def _listed(items: Sequence[object]) -> str:
    more = f" and {len(items) - _SHOWN:,} more" if len(items) > _SHOWN else ""
    return ", ".join(map(str, items[:_SHOWN])) + more
