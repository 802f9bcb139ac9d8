"""The recipe: which column gets which step, and why, as plain data that a person can read."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from modelwright.core.contract import Kind
from modelwright.core.fingerprint import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.contract import Column, Contract

MAX_CODES = 1_000
"""Category codes given at most to one column."""

COUNT_FROM = 50
"""A column of more distinct levels than this also gets their log count."""

ENCODE_FROM = 10
"""A category column of more distinct levels than this is also encoded by the target."""

MAX_ENCODED = 30
"""So many category columns are encoded by the target at most, those of the most levels first."""

MAX_TEXTS = 6
"""So many text columns are read word by word at most; the others are only counted."""

MAX_GAPS = 10
"""So many pairs of date columns are subtracted at most."""


@dataclass(frozen=True, slots=True)
class Step:
    """One column's step.

    Attributes:
        column: Which column.
        craft: ``number``, ``category``, ``calendar``, ``gap``, ``text`` or ``text_counts``; ``sum``,
            ``difference``, ``product`` or ``ratio`` of two columns; ``deviation`` of a number from its mean by a
            category; among the encoded ones ``target_mean`` (also of two categories) or ``target_score``.
        reason: Why, in one short sentence.
        other: The second column of a ``gap``, of an operation, of a ``deviation`` or of two categories.
    """

    column: str
    craft: str
    reason: str
    other: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a feature plan is fitted from.

    Attributes:
        steps: Steps that never see the target.
        encoded: Steps that learn from the target and are fitted inside each fold.
        max_codes: Category codes given at most to one column.
        count_from: With more distinct levels than this a category column also gets their log count.
        n_components: Dense numbers that a text is reduced to, at most.
    """

    steps: tuple[Step, ...]
    encoded: tuple[Step, ...] = ()
    max_codes: int = MAX_CODES
    count_from: int = COUNT_FROM
    n_components: int = 32

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as plain data."""
        data: dict[str, Any] = plain(self)
        return data


def recommend(contract: Contract, *, n_classes: int, n_rows: int) -> Recipe:
    """Return the steps that suit the kinds of the contract's features.

    Args:
        contract: What each column means.
        n_classes: Labels of the task, 0 for regression.
        n_rows: Training rows; few rows carry few text components.

    Returns:
        Steps in the contract's order, differences of dates last; no step for constants and identifiers.

    >>> from modelwright.core.contract import Column, Contract
    >>> recommend(Contract((Column("age", Kind.NUMBER),)), n_classes=2, n_rows=100).steps[0].craft
    'number'
    """
    columns = contract.features
    read = _most_distinct([c for c in columns if c.kind is Kind.TEXT], MAX_TEXTS)
    steps = [_step(c, is_read=c.name in read) for c in columns]
    return Recipe(
        tuple(steps + _gaps(columns)),
        _encoded(columns, read, n_classes),
        n_components=24 if n_rows < 1_000 else 32,
    )


def _step(column: Column, *, is_read: bool) -> Step:
    match column.kind:
        case Kind.NUMBER:
            return Step(column.name, "number", "numbers are taken as they are")
        case Kind.BOOLEAN:
            return Step(column.name, "number", "true is 1 and false is 0")
        case Kind.DATETIME:
            return Step(column.name, "calendar", "moments are taken apart into the calendar parts that vary")
        case Kind.TEXT if is_read:
            return Step(column.name, "text", "texts become components of their words and letters, and counts")
        case Kind.TEXT:
            return Step(
                column.name, "text_counts", f"beyond {MAX_TEXTS} text columns only lengths and counts are taken"
            )
        case _:
            return Step(column.name, "category", "levels become codes by falling count; rare ones share a code")


def _gaps(columns: Sequence[Column]) -> list[Step]:
    dates = [c.name for c in columns if c.kind is Kind.DATETIME]
    pairs = list(combinations(dates, 2))[:MAX_GAPS]
    return [Step(late, "gap", "days between two moments of a row", other=early) for early, late in pairs]


def _encoded(columns: Sequence[Column], read: frozenset[str], n_classes: int) -> tuple[Step, ...]:
    wide = [c for c in columns if c.kind is Kind.CATEGORY and _n_levels(c) > ENCODE_FROM]
    chosen = _most_distinct(wide, MAX_ENCODED)
    answer = "mean target" if n_classes == 0 else "share of each label" if n_classes > 2 else "share of positives"
    steps = []
    for column in columns:
        if column.name in chosen:
            reason = (
                f"{_n_levels(column)} levels, more than {ENCODE_FROM}: the {answer} of each, shrunk to the overall one"
            )
            steps.append(Step(column.name, "target_mean", reason))
        elif column.name in read:
            steps.append(Step(column.name, "target_score", "a linear score of the words and letters"))
    return tuple(steps)


def _most_distinct(columns: Sequence[Column], limit: int) -> frozenset[str]:
    ranked = sorted(columns, key=lambda c: -_n_levels(c))
    return frozenset(c.name for c in ranked[:limit])


def _n_levels(column: Column) -> int:
    # A contract written by hand may list levels without counting them.
    return max(column.n_distinct, len(column.levels))
