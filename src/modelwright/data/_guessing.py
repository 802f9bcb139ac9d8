"""Guessing what a column means; the rules stand in ``data.inference``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from modelwright.core.contract import Column, Kind
from modelwright.core.values import BLANKS, HARD_NULLS, LIMIT, SOFT_NULLS, parse_boolean
from modelwright.data._learning import learn
from modelwright.data._shapes import (
    date_patterns,
    is_code,
    is_id_name,
    n_words,
    name_words,
    number_marks,
    share_of_dates,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_Verdict = tuple[Kind, float, str]
_SURE, _MOST, _MANY = 0.95, 0.80, 50
_SAMPLE = 2_000
_LONGEST_TOKEN = 16
_NEARLY_UNIQUE = 0.95
_FEW_ROWS, _ENOUGH_ROWS = 20, 100
_LARGEST_EXACT = 2.0**53
_DATE_NAMES = frozenset({"date", "day", "dt", "datum", "fecha", "ymd", "yyyymmdd", "dato"})
_EPOCH_NAMES = frozenset({"timestamp", "epoch", "unix", "unixtime", "ts"})
_MARKS_OF_TRUTH = frozenset({"x", "✓", "✔", "☑", "*"})


@dataclass(frozen=True, slots=True)
class _Look:
    """What is seen of a column of text before its kind is known.

    ``values`` are stripped, present and none of the null tokens, evenly spaced over the distinct ones in order
    of appearance, at most 2,000; ``hard`` and ``soft`` are the null tokens in use, as spelled.
    """

    raw: pl.Series
    values: list[str]
    n_distinct: int
    hard: tuple[str, ...]
    soft: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.raw.name


def guess_text(raw: pl.Series) -> Column:
    """Return what a column of text means."""
    plain = raw.cast(pl.Float64, strict=False)
    if plain.null_count() == raw.null_count() and _are_finite(plain):
        return _plain_numbers(raw)
    look = _look(raw)
    # A column of nothing but words that may mean missing has no other value to be judged by.
    judged: tuple[Callable[[_Look], Column | None], ...] = ()
    if look.values:
        judged = (_as_boolean, _as_datetime, _as_number)
    for rule in (_as_single, *judged):
        column = rule(look)
        if column is not None:
            return column
    return _as_words(look)


def guess_number(raw: pl.Series, column: Column, n_unreadable: int, example: str) -> Column:
    """Return what a column whose values were read as numbers means, by these numbers and its name."""
    n_present = column.n_rows - column.n_missing
    reason = f"{column.n_distinct:,} distinct numbers"
    if n_unreadable:
        reason += f", {n_unreadable:,} unreadable values such as {example!r} read as missing"
    column = replace(column, reason=reason, confidence=0.8 if n_unreadable else 1.0)
    if not column.is_integer or column.n_distinct < 2:
        return column
    if column.n_distinct == 2 and (column.low, column.high) == (0.0, 1.0):
        spelt = {"true_spellings": ("1",), "false_spellings": ("0",)}
        return replace(column, kind=Kind.BOOLEAN, confidence=0.95, reason="only 0 and 1", **spelt)  # type: ignore[arg-type]
    dated = _dated_number(raw, column)
    if dated is not None:
        return dated
    why = "" if n_unreadable else _why_identifier(column, n_present)
    if why:
        return replace(column, kind=Kind.IDENTIFIER, confidence=0.9, reason=why)
    if column.n_distinct <= 10 and n_present >= _ENOUGH_ROWS:
        return replace(column, confidence=min(column.confidence, 0.8), reason=f"{reason}, whole; could be codes")
    return column


def _plain_numbers(raw: pl.Series) -> Column:
    column, n_unreadable, example = learn(raw, Column(raw.name, Kind.NUMBER))
    width = max(len(v) for v in raw.drop_nulls().head(100).to_list())
    # Only where a number is shorter than its text are there leading zeros to look for.
    if column.is_integer and width >= 3 and len(str(int(column.low or 0))) < width:
        values = raw.drop_nulls().unique(maintain_order=True).to_list()
        if is_code(values):
            return _as_words(_look(raw))
    return guess_number(raw, column, n_unreadable, example)


def _are_finite(numbers: pl.Series) -> bool:
    present = numbers.drop_nulls() if numbers.null_count() else numbers
    return bool((np.abs(present.to_numpy()) <= LIMIT).all())


def _dated_number(raw: pl.Series, column: Column) -> Column | None:
    words = set(name_words(column.name))
    low, high = column.low or 0.0, column.high or 0.0
    form = ""
    if words & _DATE_NAMES and low >= 19_000_101 and high <= 21_001_231:
        form = "%Y%m%d"
    elif words & _EPOCH_NAMES and low >= 3e8 and high <= 4.2e9:
        form = "unix"
    if not form:
        return None
    dated = replace(column, kind=Kind.DATETIME, datetime_format=form, confidence=0.8)
    learnt, n_unreadable, _ = learn(raw, replace(dated, reason=f"its name says date, and all values read as {form}"))
    return None if n_unreadable else learnt


def _why_identifier(column: Column, n_present: int) -> str:
    """Return why whole numbers name their rows, or nothing."""
    low, high = column.low or 0.0, column.high or 0.0
    if n_present < _FEW_ROWS or column.n_distinct < _NEARLY_UNIQUE * n_present:
        return ""
    if is_id_name(column.name):
        return "whole numbers, nearly all distinct, and the name says so"
    if n_present < _ENOUGH_ROWS:
        return ""
    if max(abs(low), abs(high)) > _LARGEST_EXACT:
        return "whole numbers too long to be measured, nearly all distinct"
    is_running = column.n_distinct == n_present and high - low + 1 <= 2 * n_present
    is_years = low >= 1500 and high <= 2200
    return "a running number: all distinct, filling its range" if is_running and not is_years else ""


def _look(raw: pl.Series) -> _Look:
    distinct = list(dict.fromkeys(v.strip(BLANKS) for v in raw.drop_nulls().unique(maintain_order=True).to_list()))
    short = [v for v in distinct if len(v) <= _LONGEST_TOKEN]
    hard = tuple(sorted(v for v in short if v.lower() in HARD_NULLS and v))
    soft = tuple(sorted(v for v in short if v.lower() in SOFT_NULLS))
    tokens = {"", *hard, *soft}
    values = [v for v in distinct if v not in tokens]
    return _Look(raw, values[:: max(1, -(-len(values) // _SAMPLE))], len(values), hard, soft)


def _as_single(look: _Look) -> Column | None:
    if look.n_distinct + len(look.soft) > 1:
        return None
    column, _, _ = learn(look.raw, Column(look.name, Kind.CATEGORY, null_tokens=look.hard))
    is_marked = look.n_distinct == 1 and look.values[0].lower() in _MARKS_OF_TRUTH and column.n_missing
    if not is_marked:
        return column  # the caller makes it a constant
    mark = look.values[0]
    marked = replace(column, kind=Kind.BOOLEAN, true_spellings=(mark.lower(),), confidence=0.8)
    learnt, _, _ = learn(look.raw, replace(marked, reason=f"{mark!r} or nothing"))
    return learnt


def _as_boolean(look: _Look) -> Column | None:
    spelt = {v.lower(): parse_boolean(v) for v in look.values[:12]}
    if look.n_distinct > 12 or set(spelt.values()) != {True, False}:
        return None
    true, false = (tuple(sorted(v for v, truth in spelt.items() if truth is wanted)) for wanted in (True, False))
    reason = f"only {' and '.join(repr(v) for v in (*true[:1], *false[:1]))}"
    column = Column(look.name, Kind.BOOLEAN, confidence=0.95, reason=reason, null_tokens=look.hard + look.soft)
    learnt, _, _ = learn(look.raw, replace(column, true_spellings=true, false_spellings=false))
    return learnt


def _as_datetime(look: _Look) -> Column | None:
    patterns = date_patterns(look.values, at_least=_SURE)
    if len(patterns) > 1 and look.n_distinct > len(look.values):
        # The sample leaves it open which of day and month comes first: ask every value.
        every = look.raw.drop_nulls().str.strip_chars(BLANKS).unique(maintain_order=True).to_list()
        shares = {p: share_of_dates(every, p) for p in patterns}
        patterns = [p for p in patterns if shares[p] == max(shares.values())]
    if not patterns:
        return None
    pattern, reason, confidence = patterns[0], f"dates written as {patterns[0]}", 0.95
    if "y" in pattern:
        confidence = 0.8
    if len(patterns) > 1:
        reason, confidence = f"dates written as {pattern} or {patterns[1]}: no value decides", 0.5
    column = Column(look.name, Kind.DATETIME, confidence=confidence, reason=reason, datetime_format=pattern)
    learnt, n_unreadable, example = learn(look.raw, replace(column, null_tokens=look.hard + look.soft))
    if _share_read(learnt, n_unreadable) < _SURE:
        return None
    return _with_unreadable(learnt, n_unreadable, example)


def _as_number(look: _Look) -> Column | None:
    marks = number_marks(look.values)
    if not marks or is_code(look.values):
        return None
    column = Column(look.name, Kind.NUMBER, decimal=marks[0][0], thousands=marks[0][1])
    learnt, n_unreadable, example = learn(look.raw, replace(column, null_tokens=look.hard + look.soft))
    share = _share_read(learnt, n_unreadable)
    if share < _MOST or (share < _SURE and look.n_distinct <= _MANY):
        return None
    guessed = guess_number(look.raw, learnt, n_unreadable, example)
    if share < _SURE:
        return replace(guessed, confidence=0.5)
    # A single comma before three digits is read as thousands, though it may be a decimal comma.
    if guessed.kind is Kind.NUMBER and marks[0] == (".", ",") and (",", "") in marks:
        return replace(guessed, confidence=0.6, reason=f"{guessed.reason}; commas read as thousands")
    return guessed


def _as_words(look: _Look) -> Column:
    """Return the identifier, text or category that values without a numeric meaning are."""
    column, _, _ = learn(look.raw, Column(look.name, Kind.CATEGORY, null_tokens=look.hard))
    kind, confidence, reason = _identifier(look, column) or _text(look, column) or _category(look, column)
    levels = column.levels if kind is Kind.CATEGORY else ()
    return replace(column, kind=kind, confidence=confidence, reason=reason, levels=levels)


def _identifier(look: _Look, column: Column) -> _Verdict | None:
    n_present = column.n_rows - column.n_missing
    if n_present < _FEW_ROWS or column.n_distinct < _NEARLY_UNIQUE * n_present:
        return None
    is_word = _share(look.values, lambda v: n_words(v) <= 1 and len(v) <= 64) >= _SURE
    has_digits = _share(look.values, lambda v: any(c.isdigit() for c in v)) >= 0.5
    if not is_word or (n_present < _ENOUGH_ROWS and not has_digits and not is_id_name(look.name)):
        return None
    return Kind.IDENTIFIER, 0.9, f"{column.n_distinct:,} distinct short texts in {n_present:,} rows"


def _text(look: _Look, column: Column) -> _Verdict | None:
    if look.n_distinct < _FEW_ROWS:
        return None
    words = sum(map(n_words, look.values)) / len(look.values)
    characters = sum(map(len, look.values)) / len(look.values)
    share = column.n_distinct / (column.n_rows - column.n_missing)
    is_long = (words >= 3 or characters >= 25) and share >= 0.1
    is_wordy = words >= 1.5 and share >= 0.3 and look.n_distinct >= 100
    if not is_long and not is_wordy:
        return None
    reason = f"{column.n_distinct:,} distinct texts of {words:.1f} words in the mean"
    return Kind.TEXT, 0.9 if is_long else 0.6, reason


def _category(look: _Look, column: Column) -> _Verdict:
    rows_per_level = (column.n_rows - column.n_missing) / column.n_distinct
    reason, confidence = f"{column.n_distinct:,} levels", 0.95 if rows_per_level >= 5 else 0.6
    if is_code(look.values or [""]):
        reason += ", digits with leading zeros"
    if look.soft:
        reason += f"; {look.soft[0]!r} kept as a level, though it may mean missing"
        confidence = min(confidence, 0.8)
    return Kind.CATEGORY, confidence, reason


def _share(values: Sequence[str], holds: Callable[[str], bool]) -> float:
    return sum(map(holds, values)) / len(values)


def _share_read(column: Column, n_unreadable: int) -> float:
    n_read = column.n_rows - column.n_missing
    return n_read / max(1, n_read + n_unreadable)


def _with_unreadable(column: Column, n_unreadable: int, example: str) -> Column:
    if not n_unreadable:
        return column
    reason = f"{column.reason}, {n_unreadable:,} unreadable values such as {example!r} read as missing"
    return replace(column, reason=reason, confidence=min(column.confidence, 0.8))
