"""Pairs: how much better one model is than another on the same rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.metrics import measure
from modelwright.core.score import Score
from modelwright.evaluation import _classes, _ends
from modelwright.evaluation._influence import influence
from modelwright.evaluation._judged import judged
from modelwright.evaluation.metrics import of

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Floats
    from modelwright.core.task import Task
    from modelwright.evaluation._ends import Ends
    from modelwright.evaluation._judged import Judged

RANKED = ("roc_auc", "average_precision")


def paired(
    task: Task,
    target: Array,
    scores_a: Floats,
    scores_b: Floats,
    *,
    metric: str,
    choices: tuple[Array | None, Array | None] = (None, None),
    weight: Floats | None = None,
) -> Score:
    """Return the measure of model a less that of model b, with a 95 % interval; ties span zero.

    Each row's influence on the difference is the difference of its influences on the two measures, so what both
    models get wrong alike does not widen the interval. For ROC AUC this is the interval of DeLong, DeLong and
    Clarke-Pearson (Biometrics 1988); for the others the infinitesimal jackknife (Efron 1982).

    Args:
        task: Kind of the task.
        target: Encoded, shape (n_rows,).
        scores_a: Values (n_rows,) or probabilities (n_rows, n_classes).
        scores_b: Likewise, of the same rows.
        metric: A measure the task has.
        choices: Labels answered by a and by b; None for the most probable.
        weight: Row weights, or None.

    Raises:
        InvalidTask: The task has no such measure.
    """
    unit, values = measure(metric, task.kind).unit, not task.is_classification
    both = zip((scores_a, scores_b), choices, strict=True)
    a, b = (judged(target, scores, chosen, weight=weight, values=values) for scores, chosen in both)
    difference = of(metric, a) - of(metric, b)
    if math.isnan(difference):
        return Score(metric, math.nan, math.nan, math.nan, a.n_rows, unit, "none", "not measurable on these rows")
    if a.n_rows < 2:
        half = abs(difference)
        return Score(metric, difference, -half, half, a.n_rows, unit, "none", "one row decides nothing")
    low, high = _ends_of(metric, difference, influence(metric, a) - influence(metric, b), a)
    method = "DeLong, paired" if metric == "roc_auc" else "infinitesimal jackknife, paired"
    return Score(metric, difference, low, high, a.n_rows, unit, method)


def _ends_of(metric: str, difference: float, moved: Floats, rows: Judged) -> Ends:
    """Return the interval of a difference from each row's influence on it: a plain t interval.

    Between models that are alike, rows differ as often one way as the other, so there is no skewness to correct;
    correcting the little that chance shows would call equal models different twice as often as it should.
    """
    weight, freedom = rows.weight, _ends.n_effective(rows.weight) - 1
    if metric in RANKED:
        error, freedom = _ends.standard_error_by_group(moved, weight, rows.target)
    elif metric in _classes.MEASURES and moved.any():
        # Half a row more on either side, as in Agresti and Min (Statistics in Medicine 2005): with few rows that
        # only one model has right, their number alone would make the interval too narrow.
        most = float(np.abs(weight * moved).max())
        error = math.sqrt(_ends.standard_error(moved, weight) ** 2 + (most / weight.sum()) ** 2)
    else:
        error = _ends.standard_error(moved, weight)
    half = _ends.t_quantile(freedom) * error
    return difference - half, difference + half
