"""Columns of the contract, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from modelwright.core.contract import Kind
from modelwright.reports import numbers
from modelwright.reports.names import clean, marked

if TYPE_CHECKING:
    from modelwright.core.contract import Column

LEVELS_SHOWN = 4
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def span(column: Column) -> str:
    """Return the smallest and largest value seen, or an empty text.

    >>> from modelwright.core.contract import Column
    >>> span(Column("age", Kind.NUMBER, low=17, high=90))
    '17 to 90'
    """
    if column.low is None or column.high is None or column.kind is Kind.BOOLEAN:
        return ""
    if column.kind is Kind.DATETIME:
        return f"{_date(column.low)} to {_date(column.high)}"
    return f"{numbers.number(column.low, 4)} to {numbers.number(column.high, 4)}"


def seen(column: Column) -> str:
    """Return what values were seen: a range, the commonest levels, or how many there are."""
    if ranged := span(column):
        return ranged
    if column.levels:
        shown = ", ".join(marked(v.value, 24) for v in column.levels[:LEVELS_SHOWN])
        rest = max(column.n_distinct, len(column.levels)) - LEVELS_SHOWN
        return f"{shown} and {numbers.count(rest)} more" if rest > 0 else shown
    return f"{numbers.count(column.n_distinct)} different" if column.n_distinct else ""


def missing(column: Column) -> str:
    """Return what share of the rows had no value."""
    if not column.n_rows or not column.n_missing:
        return "none"
    return numbers.percent(column.n_missing / column.n_rows)


def reason(column: Column) -> str:
    """Return why the column has its kind, with the confidence where a guess was made."""
    said = clean(column.reason, 120) if column.reason else ""
    if column.confidence >= 1:
        return said
    return f"{said} ({numbers.percent(column.confidence)} sure)".strip()


def _date(seconds: float) -> str:
    try:
        return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%d")
    except OverflowError:
        return numbers.number(seconds)
