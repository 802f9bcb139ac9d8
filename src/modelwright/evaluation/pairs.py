"""Pairs: how much better one model is than another on the same rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from modelwright.core.metrics import MEASURES
from modelwright.core.score import Score
from modelwright.evaluation._ends import n_effective, standard_error, t_quantile
from modelwright.evaluation._influence import influence
from modelwright.evaluation._judged import judged
from modelwright.evaluation.metrics import of

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Floats
    from modelwright.core.task import Task


def paired(
    task: Task, target: Array, scores_a: Floats, scores_b: Floats, *, metric: str, weight: Floats | None = None
) -> Score:
    """Return the measure of model a less that of model b, with a 95 % interval.

    Each row's influence on the difference is the difference of its influences on the two measures, so what both
    models get wrong alike does not widen the interval. For ROC AUC this is the interval of DeLong, DeLong and
    Clarke-Pearson (Biometrics 1988); for the others the infinitesimal jackknife (Efron 1982).

    Args:
        task: Kind of the task.
        target: Encoded, shape (n_rows,).
        scores_a: Values (n_rows,) or probabilities (n_rows, n_classes).
        scores_b: Likewise, of the same rows.
        metric: A measure that reads scores.
        weight: Row weights, or None.
    """
    values = not task.is_classification
    a, b = (judged(target, s, weight=weight, values=values) for s in (scores_a, scores_b))
    if metric == "rmse":
        root_a, root_b = of("rmse", a), of("rmse", b)
        # The root's slope turns an influence on the mean square into one on its root.
        moved = influence("mse", a) / max(2 * root_a, 1e-300) - influence("mse", b) / max(2 * root_b, 1e-300)
        difference = root_a - root_b
    else:
        moved, difference = influence(metric, a) - influence(metric, b), of(metric, a) - of(metric, b)
    if math.isnan(difference):
        return Score(metric, math.nan, math.nan, math.nan, a.n_rows, MEASURES[metric].unit, "none")
    half = t_quantile(max(n_effective(a.weight) - 1, 1.0)) * standard_error(moved, a.weight)
    return Score(
        metric, difference, difference - half, difference + half, a.n_rows, MEASURES[metric].unit, "paired influence"
    )
