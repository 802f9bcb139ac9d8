"""Thresholds: from which probability on the positive label is best answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.metrics import BINARY, MEASURES, measure

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Bools, Floats
    from modelwright.core.task import Task

SWEPT = ("accuracy", "balanced_accuracy", "f1", "f1_macro")
"""Measures with a best threshold. Precision and recall alone have none: either is best at an end of the scale."""
PLAIN = 0.5
PLATEAU = 1.0
"""How much of its standard error the metric may lose on the plateau; in simulations one standard error and the
middle in log-odds lost least to the threshold that is best for all rows (``benchmarks/results/coverage.md``)."""
SMALLEST = 1e-9


def best_threshold(target: Array, probabilities: Floats, metric: str, *, weight: Floats | None = None) -> float:
    """Return the probability from which answering the positive label serves the metric best.

    Every threshold that changes an answer is tried. The measured optimum of a noisy curve jumps about, so the
    middle (in log-odds) is taken of the plateau around it: all neighbouring thresholds that score within one
    standard error of the best.

    Args:
        target: Shape (n,), 1 for the positive label.
        probabilities: Shape (n,) of the positive label, or (n, 2).
        metric: A measure of choices; for any other, and for precision and recall alone, 0.5 is returned.
        weight: Row weights, or None.

    Raises:
        InvalidTask: A binary task has no such measure.

    >>> best_threshold(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.6, 0.9]), "accuracy")
    0.4
    """
    measure(metric, BINARY)
    probability = probabilities[:, 1] if probabilities.ndim == 2 else probabilities
    positive = np.asarray(target) == 1
    if metric not in SWEPT or not positive.any() or positive.all():
        return PLAIN
    weight = np.ones(len(positive)) if weight is None else weight
    cuts, values = sweep(positive, probability, weight, metric)
    best = float(values.max())
    noise = np.sqrt(max(best * (1 - best), 0.0) / _rows_that_count(positive, weight, metric))
    first, last = _plateau(values, best - PLATEAU * float(noise))
    if first == last:
        return float(cuts[first])
    ends = np.clip(cuts[[first, last]], SMALLEST, 1 - SMALLEST)
    return float(1 / (1 + np.exp(-np.log(ends / (1 - ends)).mean())))


def threshold_of(task: Task, target: Array, probabilities: Floats) -> float:
    """Return a task's rule: what costs least where costs are named, what its measure likes best, else one half."""
    if len(task.labels) != 2:
        return PLAIN
    if task.costs is not None:
        return task.costs.threshold
    if MEASURES[task.metric].reads != "choices":
        return PLAIN
    return best_threshold(target, probabilities, task.metric)


def sweep(positive: Bools, probability: Floats, weight: Floats, metric: str) -> tuple[Floats, Floats]:
    """Return every threshold that answers differently, rising, and the metric at each.

    Args:
        positive: Which rows have the positive label; some have it and some have not.
        probability: Shape (n,), of the positive label.
        weight: Row weights.
        metric: One of ``SWEPT``.
    """
    levels, place = np.unique(probability, return_inverse=True)
    hits = np.cumsum(np.bincount(place, weight * positive)[::-1])[::-1]
    alarms = np.cumsum(np.bincount(place, weight * ~positive)[::-1])[::-1]
    # Halfway between two neighbouring probabilities, so that a new row near either is answered like it.
    cuts = np.append(levels[0], (levels[1:] + levels[:-1]) / 2)
    n_positive, n_negative = hits[0], alarms[0]
    rejected = n_negative - alarms
    f1 = 2 * hits / (hits + alarms + n_positive)
    negative_f1 = 2 * rejected / (rejected + (n_positive - hits) + n_negative)
    values = {
        "accuracy": (hits + rejected) / (n_positive + n_negative),
        "balanced_accuracy": (hits / n_positive + rejected / n_negative) / 2,
        "f1": f1,
        "f1_macro": (f1 + negative_f1) / 2,
    }
    return cuts, values[metric]


def _rows_that_count(positive: Bools, weight: Floats, metric: str) -> float:
    """Return how many rows decide the metric: all for accuracy, those of the rarer label twice otherwise."""
    if metric == "accuracy":
        return float(len(weight))
    share = float(weight @ positive / weight.sum())
    return 2 * min(share, 1 - share) * len(weight)


def _plateau(values: Floats, least: float) -> tuple[int, int]:
    """Return the first and last threshold of the run around the best one that stays at ``least`` or above."""
    best = int(values.argmax())
    below = np.flatnonzero(values < least)
    before, after = below[below < best], below[below > best]
    return int(before[-1]) + 1 if len(before) else 0, int(after[0]) - 1 if len(after) else len(values) - 1
