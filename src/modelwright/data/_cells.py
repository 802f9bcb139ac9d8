"""Whole columns of cells: what ``core.values`` says of one cell, for a polars column at a time.

The plain cases go through polars. What these do not take goes through the Python reader, once per distinct
value, so the two can only differ where a fast path takes a cell it does not understand; a property test watches.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from modelwright.core.contract import Column, Kind
from modelwright.core.values import (
    BLANKS,
    LIMIT,
    Reader,
    canonical_level,
    is_missing,
    null_numbers,
    null_spellings,
    reader,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_FEW_LEVELS = 1_000
_SMALL = 500
"""Up to so many cells a Python loop is quicker than polars, whose every step has a price of its own."""


@dataclass(frozen=True, slots=True)
class Cells:
    """A column as the contract reads it.

    Attributes:
        series: Float64 for numeric kinds, String for others; null where missing or unreadable.
        n_unreadable: How many cells hold something that is no value of the column and no null token.
        example: The most frequent of them.
        distinct: Its values, where they were looked at one by one.
    """

    series: pl.Series
    n_unreadable: int = 0
    example: str = ""
    distinct: frozenset[str] | None = None


def read_cells(raw: pl.Series, column: Column) -> Cells:
    """Return a raw column, text or typed, as the contract reads it; cell by cell the same as ``read_value``."""
    dtype = pl.Float64 if column.is_numeric else pl.String
    if raw.dtype in (pl.Categorical, pl.Enum):
        raw = raw.cast(pl.String)
    if raw.dtype == pl.Null:
        return Cells(pl.Series(raw.name, [None] * raw.len(), dtype=dtype))
    read = reader(column)
    if raw.len() <= _SMALL or not _is_hashed(raw.dtype):
        values = raw.to_list()
        answers = [read(v) for v in values]
        return Cells(pl.Series(raw.name, answers, dtype=dtype), *_unreadable(values, [1] * raw.len(), answers, column))
    distinct = _clean_levels(raw, column, read)
    if distinct is not None:
        return Cells(raw, distinct=distinct)
    fast = _fast(raw, column)
    if fast is not None and fast.null_count() == raw.null_count():
        return Cells(fast)
    left = raw.drop_nulls() if fast is None else raw.filter(fast.is_null() & raw.is_not_null())
    counted = left.value_counts(name="count")
    values, counts = counted[left.name].to_list(), counted["count"].to_list()
    answers = [read(v) for v in values]
    slow = _spread(raw, values, answers, dtype)
    series = slow if fast is None else fast.zip_with(fast.is_not_null(), slow)
    return Cells(series.alias(raw.name), *_unreadable(values, counts, answers, column))


def _clean_levels(raw: pl.Series, column: Column, read: Reader) -> frozenset[str] | None:
    """Return the levels of a category whose every level is spelled as it is read, which is the usual case."""
    if column.kind is not Kind.CATEGORY or raw.dtype != pl.String or column.n_distinct > _FEW_LEVELS:
        return None
    distinct = raw.unique()
    if distinct.len() > 2 * _FEW_LEVELS:
        return None
    levels = frozenset(v for v in distinct.to_list() if v is not None)
    return levels if all(read(v) == v for v in levels) else None


def _is_hashed(dtype: pl.DataType) -> bool:
    return dtype == pl.String or dtype.is_numeric() or dtype in (pl.Boolean, pl.Date, pl.Datetime)


def _spread(
    raw: pl.Series, values: Sequence[object], answers: Sequence[float | str | None], dtype: type[pl.DataType]
) -> pl.Series:
    """Return the answers at the places of their values."""
    known = {v: a for v, a in zip(values, answers, strict=True) if a is not None}
    if not known:
        return pl.Series([None], dtype=dtype).new_from_index(0, raw.len())
    old = pl.Series(list(known), dtype=raw.dtype)
    new = pl.Series(list(known.values()), dtype=dtype)
    return raw.replace_strict(old, new, default=None, return_dtype=dtype)


def _unreadable(
    values: Sequence[object], counts: Sequence[int], answers: Sequence[object], column: Column
) -> tuple[int, str]:
    """Return how many cells are neither values nor null tokens, and the most frequent of them as text."""
    if not any(a is None for a in answers):
        return 0, ""
    nulls, without_tokens = null_spellings(column), reader(replace(column, null_tokens=()))
    bad: dict[str, int] = {}
    for value, count, answer in zip(values, counts, answers, strict=True):
        if answer is None and not is_missing(value):
            text = canonical_level(value)
            if text.lower() not in nulls and without_tokens(value) is None:
                bad[text] = bad.get(text, 0) + count
    return sum(bad.values()), min(bad, key=lambda t: (-bad[t], t), default="")


def _fast(raw: pl.Series, column: Column) -> pl.Series | None:
    """Return the column with null at the cells that need the Python reader; None when all of them do."""
    if column.kind is Kind.NUMBER:
        return _fast_numbers(raw, column)
    if column.kind is Kind.DATETIME:
        return _fast_datetimes(raw)
    if not column.is_numeric and raw.dtype == pl.String:
        return _fast_text(raw, column)
    return None


def _fast_numbers(raw: pl.Series, column: Column) -> pl.Series | None:
    is_text = raw.dtype == pl.String
    if is_text and (column.decimal != "." or column.thousands == "."):
        return None
    if not (is_text or raw.dtype.is_integer() or raw.dtype.is_float() or raw.dtype == pl.Boolean):
        return None
    # What polars casts, Python's float reads alike; the tokens of the contract come on top.
    numbers = raw.cast(pl.Float64, strict=False)
    is_plain = numbers.is_between(-LIMIT, LIMIT)
    if column.null_tokens:
        is_plain &= ~numbers.is_in(list(null_numbers(column)))
    return numbers if is_plain.all() else numbers.set(~is_plain, None)


def _fast_datetimes(raw: pl.Series) -> pl.Series | None:
    if raw.dtype == pl.Date:
        return raw.to_physical().cast(pl.Float64) * 86_400.0
    if isinstance(raw.dtype, pl.Datetime):
        micros = raw.dt.cast_time_unit("us").to_physical().cast(pl.Float64)
        # By numpy: polars divides by a number by multiplying with its inverse, which is off in the last bit.
        return pl.Series(raw.name, micros.to_numpy() / 1e6, nan_to_null=True)
    return None


def _fast_text(raw: pl.Series, column: Column) -> pl.Series | None:
    # Lower case never has fewer characters, so what is longer than every token is none; a final 0 may be "6.0".
    longest = max(map(len, null_spellings(column)), default=0)
    is_bare = (raw.str.strip_chars(BLANKS) == raw) & (raw.str.len_chars() > longest) & ~raw.str.ends_with("0")
    return raw if is_bare.all() else raw.set(~is_bare, None)
