"""Labels: the values of a target column as classes, in their own spelling."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from modelwright.core.contract import Column, Kind
from modelwright.core.task import LabelType
from modelwright.core.values import BLANKS, canonical_level, is_finite, null_spellings, parse_boolean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_POSITIVES = frozenset({"positive", "pos", "+", "present", "case", "event", "success"})


@dataclass(frozen=True, slots=True)
class Labels:
    """A target column as classes.

    Attributes:
        keys: One per row, null where missing; labels that differ in blanks only share a key.
        spellings: The most frequent spelling of each key, with how many rows have the key; in order of spelling.
        label_type: How they were typed.
    """

    keys: pl.Series
    spellings: Mapping[str, tuple[str, int]]
    label_type: LabelType


def read_labels(raw: pl.Series, column: Column) -> Labels:
    """Return the labels of a target column: text stripped but as written, typed values in canonical spelling."""
    nulls = null_spellings(column)
    is_nested = raw.dtype.is_nested() or raw.dtype == pl.Object
    cells = [None if c is None else canonical_level(c) for c in raw.to_list()] if is_nested else raw.to_list()
    counted = Counter(cell for cell in cells if cell is not None)
    spelt = {cell: _spell(cell) for cell in counted}
    known = {cell: key_of(text) for cell, text in spelt.items() if text and canonical_level(text).lower() not in nulls}
    counts: dict[str, dict[str, int]] = {}
    for cell, count in counted.items():
        if cell in known:
            spellings = counts.setdefault(known[cell], {})
            spellings[spelt[cell]] = spellings.get(spelt[cell], 0) + count
    best = {key: (min(s, key=lambda text: (-s[text], text)), sum(s.values())) for key, s in counts.items()}
    ordered = dict(sorted(best.items(), key=lambda item: item[1][0]))
    keys = pl.Series(raw.name, [known.get(cell) for cell in cells], dtype=pl.String)
    return Labels(keys, ordered, _label_type(raw, [text for text, _ in ordered.values()]))


def key_of(text: str) -> str:
    """Return what labels are compared by: runs of blanks count as one, and ``1.0`` is ``1``."""
    return " ".join(canonical_level(text).split())


def _spell(value: object) -> str:
    if isinstance(value, str):
        return value.strip(BLANKS)
    return "" if isinstance(value, float | Decimal) and not is_finite(value) else canonical_level(value)


def _label_type(raw: pl.Series, spellings: Iterable[str]) -> LabelType:
    if raw.dtype == pl.Boolean:
        return LabelType.BOOLEAN
    if raw.dtype.is_float() or raw.dtype.is_decimal():
        return LabelType.FLOAT
    return LabelType.INTEGER if all(map(_is_integer, spellings)) else LabelType.TEXT


def _is_integer(text: str) -> bool:
    # Short, since int() of thousands of digits is refused, and no label is that long a number.
    digits = text.removeprefix("-")
    return len(digits) <= 18 and digits.isascii() and digits.isdigit() and str(int(text)) == text


def in_order(spellings: Sequence[str], label_type: LabelType) -> tuple[str, ...]:
    """Return labels sorted: as numbers where they are, else as text."""
    if label_type in (LabelType.INTEGER, LabelType.FLOAT):
        return tuple(sorted(spellings, key=float))
    return tuple(sorted(spellings))


def choose_positive(counts: Mapping[str, int]) -> tuple[str, str]:
    """Return which of two labels counts as positive, and why.

    The one that by its word is (``yes``, ``true``, ``positive``, also ``1`` beside ``0`` or ``-1``); where the
    words do not say, the rarer one, for what is rare is what one asks after; where both are as frequent, the
    last in the alphabet.
    """
    first, second = sorted(counts)
    means = {label: _means_positive(label, {first, second} - {label}) for label in (first, second)}
    if means[first] != means[second]:
        return (first if means[first] else second), "by its word"
    if counts[first] != counts[second]:
        return min(counts, key=lambda label: counts[label]), "the rarer label"
    return second, "both are as frequent; the last in the alphabet"


def _means_positive(label: str, others: set[str]) -> bool:
    word = label.lower()
    if canonical_level(word) in ("1", "+1"):
        return {canonical_level(o) for o in others} <= {"0", "-1"}
    return word in _POSITIVES or parse_boolean(word) is True


def as_number(column: Column) -> Column:
    """Return a column to be read as numbers, whatever it was taken for; dates stay dates, which are numbers."""
    if column.kind in (Kind.NUMBER, Kind.DATETIME):
        return column
    return replace(column, kind=Kind.NUMBER, levels=(), true_spellings=(), false_spellings=())
