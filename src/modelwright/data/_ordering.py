"""Time order: which columns tell the time, and whether the rows stand in its order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from modelwright.core.contract import Kind, Role
from modelwright.data._association import average_rank

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.core.arrays import Floats
    from modelwright.core.contract import Column, Contract

SORTED_STEPS = 0.99
"""Share of steps from row to row that must not go back; the rest is late entries and clock changes."""

SORTED_CORRELATION = 0.98
"""Rank correlation with the sorted column; a panel sorted by unit, then by date, falls far below it."""

DISTINCT_TIMES = 10
"""Fewer moments than this come out in order too easily, and leave no place to cut."""

PARTS = {
    "year": ({"year", "yr", "yyyy"}, 1900, 2200),
    "month": ({"month", "mon", "mnth", "mo", "monthofyear"}, 1, 12),
    "day": ({"day", "dayofmonth", "mday", "dd", "dom"}, 1, 31),
    "hour": ({"hour", "hr", "hh", "hourofday"}, 0, 24),
    "minute": ({"minute", "min", "mi"}, 0, 60),
}
"""Date parts from coarse to fine: the words they go by and the whole numbers they may hold."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Columns that tell the time: their names, and one number a row that grows with time, NaN where unknown."""

    columns: tuple[str, ...]
    key: Floats

    @property
    def named(self) -> str:
        """The columns as a person would list them."""
        return ", ".join(self.columns)


@dataclass(frozen=True, slots=True)
class Order:
    """A clock that the rows follow.

    Attributes:
        clock: What tells the time.
        is_rising: Oldest rows first; otherwise newest first.
        share: Share of the steps from row to row that go the same way or stay.
        n_distinct: Distinct moments.
    """

    clock: Clock
    is_rising: bool
    share: float
    n_distinct: int


def clocks(frame: pl.DataFrame, contract: Contract) -> tuple[Clock, ...]:
    """Return every clock of a conformed frame: date-time columns, then sets of date parts such as Year, Month."""
    there = set(frame.columns)
    known = [c for c in contract.columns if c.name in there and c.role not in (Role.TARGET, Role.WEIGHT)]
    dates = [clock_of(frame, (c.name,)) for c in known if c.kind is Kind.DATETIME]
    return (*dates, *_clocks_of_parts(frame, known))


def clock_of(frame: pl.DataFrame, columns: tuple[str]) -> Clock:
    """Return the clock of a single column that was named as time."""
    return Clock(columns, numbers(frame, columns[0]))


def find_order(clocks: tuple[Clock, ...]) -> Order | None:
    """Return the finest clock that the rows follow, or None when they follow none."""
    found = [order for clock in clocks if (order := order_of(clock))]
    return max(found, key=lambda order: order.n_distinct, default=None)


def order_of(clock: Clock) -> Order | None:
    """Return how the rows follow a clock, or None when they do not.

    The rank correlation is taken with the sorted clock, not with the row number, so that rows in order give
    1 however many of them share a moment.
    """
    known = clock.key[~np.isnan(clock.key)]
    if len(known) < 2 or len(known) < 0.95 * len(clock.key):
        return None
    rises, falls = float(np.mean(known[1:] >= known[:-1])), float(np.mean(known[1:] <= known[:-1]))
    n_distinct = len(np.unique(known)) if max(rises, falls) >= SORTED_STEPS else 0
    if n_distinct < DISTINCT_TIMES:
        return None
    ranks = average_rank(known if rises >= falls else known[::-1])
    if np.corrcoef(ranks, np.sort(ranks))[0, 1] < SORTED_CORRELATION:
        return None
    return Order(clock, rises >= falls, max(rises, falls), n_distinct)


def numbers(frame: pl.DataFrame, name: str) -> Floats:
    """Return a column as floats, NaN where missing; text that holds no numbers becomes its place in the alphabet."""
    column = frame[name]
    if column.dtype == pl.String:
        read = column.cast(pl.Float64, strict=False)
        column = read if read.null_count() == column.null_count() else column.rank("dense").cast(pl.Float64)
    values: Floats = column.cast(pl.Float64).to_numpy().astype(np.float64)
    return values


def running_numbers(frame: pl.DataFrame, contract: Contract) -> tuple[str, ...]:
    """Return the whole-number columns that go up (or down) from row to row without a tie, such as a row number."""
    found, there = [], set(frame.columns)
    for column in contract.columns:
        may_count = column.kind is Kind.IDENTIFIER or (column.kind is Kind.NUMBER and column.is_integer)
        if not may_count or column.name not in there or frame.height < 2 * DISTINCT_TIMES:
            continue
        values = numbers(frame, column.name)
        first = values[: 2 * DISTINCT_TIMES]
        if np.isnan(values).any() or not (np.all(first[1:] > first[:-1]) or np.all(first[1:] < first[:-1])):
            continue
        if max(np.mean(values[1:] > values[:-1]), np.mean(values[1:] < values[:-1])) >= SORTED_STEPS:
            found.append(column.name)
    return tuple(found)


def _clocks_of_parts(frame: pl.DataFrame, columns: list[Column]) -> Iterator[Clock]:
    families: dict[tuple[str, ...], dict[str, str]] = {}
    for column in columns:
        part, family = _part(column.name)
        if part and column.kind is not Kind.DATETIME:
            families.setdefault(family, {}).setdefault(part, column.name)
    for parts in families.values():
        # A day without its month, or an hour without its day, orders nothing.
        names = list(PARTS)
        start = 0 if "year" in parts else 1
        chain = names[start : next((i for i in range(start, len(names)) if names[i] not in parts), len(names))]
        if len(chain) < 2:
            continue
        clock = _joined(frame, [(name, parts[name]) for name in chain])
        if clock is not None:
            yield clock


def _joined(frame: pl.DataFrame, parts: list[tuple[str, str]]) -> Clock | None:
    key = np.zeros(frame.height)
    for part, name in parts:
        _, low, high = PARTS[part]
        read = frame[name].cast(pl.Float64, strict=False)
        values = read.to_numpy().astype(np.float64)
        known = values[~np.isnan(values)]
        if read.null_count() > frame[name].null_count() or not len(known):
            return None
        if known.min() < low or known.max() > high or not np.all(known == np.floor(known)):
            return None
        key = key * (high - low + 1) + (values - low)
    return Clock(tuple(name for _, name in parts), key)


def _part(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the date part a column's name speaks of, and the rest of the name: ``Yr.Sold`` → year, (sold,)."""
    whole = re.sub(r"[^a-z]", "", name.lower())
    words = [w.lower() for w in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]
    for part, (spellings, _, _) in PARTS.items():
        if whole in spellings:
            return part, ()
    for part, (spellings, _, _) in PARTS.items():
        hits = [w for w in words if w in spellings]
        if hits and "week" not in words and "of" not in words:
            return part, tuple(w for w in words if w not in hits)
    return "", ()
