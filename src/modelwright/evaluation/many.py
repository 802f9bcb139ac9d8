"""Many comparisons at once: intervals that hold together, so that the best of many is not the luckiest of many."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from modelwright.core.metrics import MEASURES
from modelwright.evaluation._ends import LEVEL, t_quantile

if TYPE_CHECKING:
    from modelwright.core.score import Score


def together(difference: Score, n: int) -> Score:
    """Return a paired difference whose interval holds beside those of others: with 95 % chance all of them do.

    Bonferroni's correction: each is wrong one in n times as often. It holds whatever the candidates have in common.

    Args:
        difference: With its own 95 % interval from Student's t.
        n: How many are compared, 1 or more.

    >>> from modelwright.core.score import Score
    >>> round(together(Score("rmse", 0.0, -1.0, 1.0, 1000), 10).high, 2)
    1.43
    """
    if n <= 1 or not math.isfinite(difference.high - difference.low):
        return difference
    freedom = max(difference.n_rows - 1, 1)
    wider = t_quantile(freedom, 1 - (1 - LEVEL) / n) / t_quantile(freedom)
    low = difference.value - wider * (difference.value - difference.low)
    high = difference.value + wider * (difference.high - difference.value)
    return replace(difference, low=low, high=high, method=f"{difference.method}, {n} together".strip(", "))


def is_surely_better(difference: Score) -> bool:
    """Return whether the first of a pair is better as far as the interval tells."""
    if MEASURES[difference.metric].greater_is_better:
        return difference.low > 0
    return difference.high < 0


def is_surely_worse(difference: Score) -> bool:
    """Return whether the first of a pair is worse as far as the interval tells."""
    if MEASURES[difference.metric].greater_is_better:
        return difference.high < 0
    return difference.low > 0
