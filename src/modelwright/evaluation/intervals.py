"""Measures with 95 % intervals, and differences between two models on the same rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.metrics import MEASURES
from modelwright.core.metrics import measure as find_measure
from modelwright.core.score import Score
from modelwright.evaluation import _calibration, _classes, _ends, metrics
from modelwright.evaluation._influence import influence
from modelwright.evaluation._judged import judged

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Floats
    from modelwright.core.task import Task
    from modelwright.evaluation._ends import Ends
    from modelwright.evaluation._judged import Judged


def measure(
    task: Task, target: Array, scores: Floats, choices: Array | None, *, weight: Floats | None = None, seed: int = 0
) -> dict[str, Score]:
    rows = judged(target, scores, choices, weight=weight, values=not task.is_classification)
    return {m.name: score(m.name, rows) for m in MEASURES.values() if task.kind in m.kinds}


def score(name: str, rows: Judged) -> Score:
    value = metrics.of(name, rows)
    (low, high), method = ends(name, rows, value)
    return Score(name, value, low, high, rows.n_rows, MEASURES[name].unit, method, "")


def ends(name: str, rows: Judged, value: float) -> tuple[Ends, str]:
    nothing = (math.nan, math.nan), "none"
    if math.isnan(value):
        return nothing
    if name in _classes.MEASURES:
        return of_choices(name, rows)
    if name in ("roc_auc", "average_precision"):
        return of_ranking(name, rows, value)
    if name == "calibration_error":
        binned = _calibration.bins(*_calibration.outcomes(rows), rows.weight)
        return _calibration.ends(binned, _ends.t_quantile(math.inf)), "folded"
    if name == "rmse":
        low, high = ends("mse", rows, value**2)[0]
        return (math.sqrt(low), math.sqrt(high)), "root"
    moved = influence(name, rows)
    low, high = _ends.skewed(value, moved, rows.weight)
    if name != "r2":
        low = max(low, 0)
    return (low, high), "skewed t"


def of_choices(name, rows):
    parts = _classes.proportions(name, rows)
    e = [_ends.wilson(p.value, p.n_effective) for p in parts]
    v = np.array([p.value for p in parts])
    if _classes.is_f1(name):
        f = lambda j: 2 * j / (1 + j)
        e = [(f(a), f(b)) for a, b in e]
        v = f(v)
    if len(parts) == 1:
        return e[0], "Wilson"
    moved = np.array([p.influence * rows.weight for p in parts])
    norms = np.sqrt((moved**2).sum(1))
    corr = moved @ moved.T / np.maximum(np.outer(norms, norms), 1e-300)
    np.fill_diagonal(corr, 1)
    return _ends.combined(v, e, corr), "Wilson combined"


def of_ranking(name, rows, value):
    moved = influence(name, rows)
    err = _ends.standard_error(moved, rows.weight)
    if err == 0 or not 0 < value < 1:
        m = np.bincount(rows.target).min()
        return _ends.wilson(value, m), "guard"
    df = _ends.satterthwaite(moved, rows.weight, rows.target)
    return _ends.logit_t(value, err, df), "logit"
