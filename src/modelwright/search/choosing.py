"""Choosing: the weights of the best blend of what was tried that answers a row in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.metrics import MEASURES
from modelwright.core.split import How
from modelwright.search.ensemble import SHRUNK_ROWS_MOST, choose, shortfall, shrunk
from modelwright.search.latency import members_us_most, rounds_growth, row_us
from modelwright.search.tuning import SLOWER, TUNED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.arrays import Floats
    from modelwright.search.trial import Folding, Tried


def weights_of(
    tried: Sequence[Tried],
    folding: Folding,
    *,
    metric: str,
    row_seconds: float | None = None,
    shares: bool = True,
) -> Floats:
    """Return the weight of each candidate in the blend; they add up to one.

    Args:
        tried: At least one.
        folding: Where their predictions come from.
        metric: A measure that reads scores.
        row_seconds: What an answer may take, where it may take more than by itself; infinite for no limit.
        shares: Whether the best few share half of the weight, where rows are few or come in time.
    """
    p, covered = folding.material.problem, folding.covered
    target, weight = p.target[covered], p.weight_of(covered)
    growth = rounds_growth(p.n_rows, folding.folds)
    costs = [row_us(t, growth) for t in tried]
    most = members_us_most(folding.material, row_seconds)
    told = [t.predictions for t in tried]
    chosen = choose(told, target, metric=metric, costs=costs, cost_most=most, weight=weight, seed=p.seed)
    in_time = folding.folds.how is How.TIME
    if not shares or not (in_time or len(target) <= SHRUNK_ROWS_MOST):
        return chosen
    sign = -1.0 if MEASURES[metric].greater_is_better else 1.0
    # In time tuned candidates and copies are alike, so the portfolio's share.
    losses = [
        np.inf if in_time and t.candidate.why in (TUNED, SLOWER) else shortfall(sign * t.score, metric) for t in tried
    ]
    return shrunk(chosen, losses, costs, most)
