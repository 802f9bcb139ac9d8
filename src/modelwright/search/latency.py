"""Latency: how long one row takes a candidate's final fit, reckoned from counts and never from a clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.search.final import ROUNDS_GROWTH, rows_fitted
from modelwright.search.pace import SEALED_GROWTH
from modelwright.search.portfolio import MANY_CLASSES

if TYPE_CHECKING:
    from modelwright.core.split import Folds
    from modelwright.learners.costs import Counts
    from modelwright.search.problem import Material
    from modelwright.search.trial import Tried

READING_US, COLUMN_US, FEATURE_US, TEXT_US = 12.0, 1.0, 0.06, 70.0
"""Microseconds to read a record: at all, per column, per feature, and per text that is read word by word."""
ROW_US_MOST, MANY_LABELS_TIMES = 300.0, 3
"""The ensemble answers a row within so many where nothing is said, within so many times as many where labels are many.
Half a millisecond is aimed at: beside other work a row often takes twice as much as is reckoned."""
MEMBERS_US_LEAST = 200.0
"""Members may take so many in any case: of a row that takes long to read they are the smaller part."""
UNKNOWN_US = 60.0
"""What a candidate is taken to cost that an older journal knew without its counts."""


def reading_us(n_columns: int, n_features: int, n_texts: int) -> float:
    """Return about how long a record takes on its way to numbers.

    >>> reading_us(20, 20, 0) < reading_us(1, 39, 1)
    True
    """
    return READING_US + COLUMN_US * n_columns + FEATURE_US * n_features + TEXT_US * n_texts


def reading_us_of(material: Material) -> float:
    """Return about how long a record of this material takes on its way to numbers."""
    recipe, contract = material.recipe, material.problem.contract
    n_texts = sum(s.craft == "text" for s in recipe.steps) + sum(s.craft == "target_score" for s in recipe.encoded)
    return reading_us(len(contract.features), len(material.base.features), n_texts)


def members_us_most(material: Material, row_seconds: float | None = None) -> float:
    """Return how long all members together may take for one row.

    Args:
        material: What a row is read into.
        row_seconds: What an answer may take. The ensemble may grow to it; to less it is pruned when the race is over,
            so that the price is known.
    """
    most = ROW_US_MOST * (MANY_LABELS_TIMES if material.problem.n_classes >= MANY_CLASSES else 1)
    most = max(most, 1e6 * (row_seconds or 0.0))
    return max(most - reading_us_of(material), MEMBERS_US_LEAST)


def rounds_growth(n_rows: int, folds: Folds) -> float:
    """Return by which factor a final fit has more rounds than those of the folds.

    Args:
        n_rows: Rows of all folds together; the sealed ones join them at the end.
        folds: Where each fold's rows stand.
    """
    return 1 + ROUNDS_GROWTH * max(SEALED_GROWTH * n_rows / rows_fitted(folds) - 1, 0.0)


def final_counts(one: Tried, growth: float, share: float = 1.0) -> Counts | None:
    """Return what a candidate's final fit is made of, or None where an older journal didn't keep counts.

    Args:
        one: The candidate, whose first fold's model was counted.
        growth: Of its rounds, as ``rounds_growth`` says.
        share: How much of its rounds or trees is kept.
    """
    return None if one.counts is None else one.counts.cut(share * (growth if one.rounds else 1.0))


def row_us(one: Tried, growth: float) -> float:
    """Return about how many microseconds a candidate's final fit takes for one row."""
    counts = final_counts(one, growth)
    return UNKNOWN_US if counts is None else counts.row_us
