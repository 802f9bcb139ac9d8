"""Measures with 95 % intervals, all of them analytic: nothing is resampled, so any number of rows is quick.

How often the intervals hold the truth is measured by ``benchmarks/intervals.py``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.metrics import MEASURES
from modelwright.core.score import Score
from modelwright.evaluation import _calibration, _classes, _ends, _rank_ends, metrics
from modelwright.evaluation._influence import influence
from modelwright.evaluation._judged import judged

if TYPE_CHECKING:
    from collections.abc import Collection

    from modelwright.core.arrays import Array, Floats
    from modelwright.core.task import Task
    from modelwright.evaluation._ends import Ends
    from modelwright.evaluation._judged import Judged

HEAVY = 0.4
"""From this leaning on, a few rows decide a mean and its interval covers the truth less often than it says."""
HEAVY_ROWS = 10
OF_LOSSES = (*metrics.MEANS, "rmse", "r2")


def measure(
    task: Task,
    target: Array,
    scores: Floats,
    choices: Array | None,
    *,
    weight: Floats | None = None,
    seed: int = 0,
    only: Collection[str] | None = None,
) -> dict[str, Score]:
    """Return every measure of a task, each with its 95 % interval and how that was made.

    Args:
        task: Says which measures there are.
        target: Shape (n_rows,), encoded.
        scores: Values (n_rows,), or probabilities (n_rows, n_classes).
        choices: Positions of the labels answered, or None: the most probable; not read for regression.
        weight: Row weights, not negative, or None.
        seed: Changes nothing: no interval is resampled.
        only: Names of the measures that are wanted; all when None.

    Returns:
        Scores by name; NaN with a note where a measure does not exist on these rows.

    Raises:
        InvalidEvidence: The arrays differ in length or hold no row.
    """
    rows = judged(target, scores, choices, weight=weight, values=not task.is_classification)
    with np.errstate(over="ignore", invalid="ignore"):
        wanted = [m.name for m in MEASURES.values() if task.kind in m.kinds and (only is None or m.name in only)]
        return {name: score(name, rows, task) for name in wanted}


def score(name: str, rows: Judged, task: Task) -> Score:
    """Return one measure with its interval."""
    value = metrics.of(name, rows)
    unit, notes = MEASURES[name].unit, _notes(name, rows, task)
    n_rows = int((rows.target != 0).sum()) if name == "mape" else rows.n_rows
    (low, high), method = _interval(name, rows, value)
    if not math.isfinite(low + value + high):
        reason = "; ".join(notes) or "the errors are too large for floating-point numbers"
        return Score(name, math.nan, math.nan, math.nan, n_rows, unit, "none", reason)
    if rows.is_weighted:
        notes.append(f"rows are weighted and say as much as {_ends.n_effective(rows.weight):,.0f} equal ones")
    if low == high and name in OF_LOSSES:
        notes.append("every row loses the same, so the rows cannot show its doubt")
    elif _is_heavy(name, rows):
        notes.append("a few rows make up most of it, so its interval is a rough guide only")
    return Score(name, value, min(low, value), max(high, value), n_rows, unit, method, "; ".join(notes))


def _interval(name: str, rows: Judged, value: float) -> tuple[Ends, str]:
    if not math.isfinite(value):
        return (value, value), "none"
    if name in _classes.MEASURES:
        return _of_choices(name, rows)
    if name in ("roc_auc", "average_precision"):
        return _rank_ends.ends(name, rows)
    if name == "calibration_error":
        binned = _calibration.bins(*_calibration.outcomes(rows), rows.weight)
        return _calibration.ends(binned, _ends.t_quantile(math.inf)), "folded normal, inverted"
    if name == "r2":
        return _of_r2(rows, 1 - value)
    return _of_mean(name, rows, value)


def _of_mean(name: str, rows: Judged, value: float) -> tuple[Ends, str]:
    """Return the interval of a mean of row losses, or of the root of one."""
    if name == "rmse":
        (low, high), method = _of_mean("mse", rows, value**2)
        return (math.sqrt(low), math.sqrt(high)), f"{method}, root"
    low, high = _ends.skewed(value, influence(name, rows), rows.weight)
    if name == "brier" and low == high:
        # All rows lose alike, as when all are right: what was never seen can still be as frequent as this.
        top = 1.0 if rows.is_binary else 2.0
        low, high = (top * end for end in _ends.wilson(value / top, _ends.n_effective(rows.weight)))
        return (low, high), "Wilson"
    return (max(low, 0.0), high), "skewness-corrected t"


def _of_r2(rows: Judged, left: float) -> tuple[Ends, str]:
    """Return the interval of R² from that of the share of the spread that is left unexplained."""
    if left <= 0:
        return (1 - left, 1 - left), "none"
    moved = influence("r2", rows)
    low, high = _ends.log_t(left, moved, rows.weight)
    # The log takes care of the ratio, Hall's correction of skewed errors; what is left can be as much as either says.
    _, skewed = _ends.skewed(left, -moved, rows.weight)
    return (1 - max(high, skewed), 1 - low), "t on log(1 − R²), skewness-corrected"


def _of_choices(name: str, rows: Judged) -> tuple[Ends, str]:
    """Return the interval of a proportion, or of the mean over labels of a function of one."""
    parts = _classes.proportions(name, rows)
    ends = [_ends.wilson(part.value, part.n_effective) for part in parts]
    values = np.array([part.value for part in parts])
    method = "Wilson"
    if _classes.is_f1(name):
        # F1 rises with J = hits / (hits + false alarms + misses), so the ends of J map to those of F1.
        values, method = 2 * values / (1 + values), "Wilson through J = F1 / (2 − F1)"
        ends = [(2 * low / (1 + low), 2 * high / (1 + high)) for low, high in ends]
    if len(parts) == 1:
        return ends[0], method
    return _ends.combined(values, ends, [rows.weight * part.influence for part in parts]), f"{method}, MOVER"


def _is_heavy(name: str, rows: Judged) -> bool:
    """Whether a few rows decide a measure that is made of row losses."""
    if name not in OF_LOSSES or rows.n_rows < HEAVY_ROWS:
        return False
    return abs(_ends.leaning(influence(name, rows), rows.weight)) > HEAVY


def _notes(name: str, rows: Judged, task: Task) -> list[str]:
    """Return what a reader of this measure must know."""
    notes = []
    if name == "mape":
        zero = int((rows.target == 0).sum())
        if zero == rows.n_rows:
            notes.append("every target is zero, so no row has a percentage error")
        elif zero:
            notes.append(
                f"{zero:,} of {rows.n_rows:,} rows have a target of zero and no percentage error; they are left out"
            )
    if name == "r2" and np.ptp(rows.target[rows.weight > 0]) == 0:
        notes.append("the target is the same in all rows, so there is nothing to explain")
    if task.is_classification:
        notes += _label_notes(name, rows, task)
    return notes


def _label_notes(name: str, rows: Judged, task: Task) -> list[str]:
    present = rows.present
    if name in ("roc_auc", "average_precision") and len(present) < 2:
        return [f"all rows are {task.labels[present[0]]!r}, so there is nothing to rank"]
    if rows.is_binary and name in ("precision", "recall", "f1"):
        if 1 not in present:
            return [f"no row is {task.positive!r}"]
        if name == "precision" and not rows.choices.any():
            return [f"no row was answered {task.positive!r}; precision counts as 0"]
    missing = len(task.labels) - len(present)
    if not rows.is_binary and missing and name not in ("accuracy", "log_loss", "brier", "calibration_error"):
        return [f"mean over the {len(present)} labels that these rows hold; {missing} are absent"]
    return []
