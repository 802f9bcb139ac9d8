"""A comparison of two models: what changed, and whether it matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelwright.core.score import Score


@dataclass(frozen=True, slots=True)
class Gain:
    """How one measure changed.

    Attributes:
        metric: Which measure.
        before: Of the first model, on its own sealed rows.
        after: Of the second, on its own.
        difference: Second less first on the rows that are sealed for both, NaN where none are.
        verdict: ``better``, ``worse``, ``tied``, or ``not comparable`` where no row is shared.
    """

    metric: str
    before: Score
    after: Score
    difference: Score
    verdict: str


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not the same in both: what, before, after."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models side by side.

    Attributes:
        names: How they are called.
        fingerprints: Of their packages.
        target: The column that both predict.
        metric: The measure that decides: the second model's own.
        n_shared: Rows that are sealed for both.
        n_rows: Sealed rows of each.
        verdict: Of the measure that decides.
        sentence: What that means.
        gains: Every measure of quality.
        changes: What else is not the same.
    """

    names: tuple[str, str]
    fingerprints: tuple[str, str]
    target: str
    metric: str
    n_shared: int
    n_rows: tuple[int, int]
    verdict: str
    sentence: str
    gains: tuple[Gain, ...]
    changes: tuple[Change, ...]
