"""Ends of intervals: what can be said of the truth from a value and the influence of each row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.core.arrays import Array, Floats

LEVEL = 0.95
Ends = tuple[float, float]


def t_quantile(df: float, level: float = LEVEL) -> float:
    """Return the two-sided quantile of Student's t; of the normal for infinite ``df``."""
    from scipy.special import ndtri, stdtrit

    tail = 0.5 + level / 2
    return float(ndtri(tail) if math.isinf(df) else stdtrit(max(df, 1.0), tail))


def wilson(share: float, n: float, level: float = LEVEL) -> Ends:
    """Return the score interval of a proportion of ``n`` trials; all of [0, 1] without a trial.

    Wilson (JASA 1927); recommended by Brown, Cai and DasGupta (Statistical Science 2001).

    >>> [round(end, 3) for end in wilson(0.9, 100)]
    [0.826, 0.945]
    """
    if n <= 0:
        return 0.0, 1.0
    z2 = t_quantile(math.inf, level) ** 2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return min(max(centre - half, 0.0), share), max(min(centre + half, 1.0), share)


def n_effective(weight: Floats) -> float:
    """Return how many rows of equal weight say as much (Kish 1965); 0 without weight."""
    squares = float(weight @ weight)
    return float(weight.sum() ** 2 / squares) if squares > 0 else 0.0


def length(values: Floats) -> float:
    """Return the root of the sum of squares, also where the squares alone would be too large."""
    largest = float(np.abs(values).max(initial=0.0))
    if not 0.0 < largest < math.inf:
        return largest
    return largest * float(np.sqrt(((values / largest) ** 2).sum()))


def standard_error(influence: Floats, weight: Floats) -> float:
    """Return the standard error of a measure from the influence of its rows; 0 for a single row."""
    n = n_effective(weight)
    if n <= 1 + 1e-9:
        return 0.0
    return float(length(weight * influence) / weight.sum() * math.sqrt(n / (n - 1)))


def standard_error_by_group(influence: Floats, weight: Floats, group: Array) -> tuple[float, float]:
    """Return standard error and degrees of freedom when rows were drawn group by group.

    The variance is a sum over groups, the degrees of freedom follow Satterthwaite (Biometrics Bulletin 1946).
    """
    n = np.bincount(group, weight) ** 2 / np.maximum(np.bincount(group, weight**2), np.finfo(float).tiny)
    parts = np.bincount(group, (weight * influence) ** 2) * n / np.maximum(n - 1, 1.0)
    spread = float((parts**2 / np.maximum(n - 1, 1.0)).sum())
    freedom = float(parts.sum() ** 2 / spread) if spread > 0 else math.inf
    return float(np.sqrt(parts.sum()) / weight.sum()), freedom


def leaning(influence: Floats, weight: Floats) -> float:
    """Return the skewness of what rows add, divided by the root of their number: near 1, one row decides."""
    moved = weight * influence
    size = length(moved)
    return float(((moved / size) ** 3).sum()) if size > 0 else 0.0


def skewed(value: float, influence: Floats, weight: Floats, level: float = LEVEL) -> Ends:
    """Return a t interval corrected for the skewness of the rows.

    Hall: On the removal of skewness by transformation (JRSS B 1992). Losses are skewed, most of all those of a
    rare class; a plain t interval ends too low for them.
    """
    error = standard_error(influence, weight)
    if error == 0.0:
        return value, value
    quantile = t_quantile(n_effective(weight) - 1, level)
    lean = leaning(influence, weight)
    if abs(lean) < 1e-6:
        return value - quantile * error, value + quantile * error

    def back(y: float) -> float:
        return 3 / lean * (float(np.cbrt(1 + lean * (y - lean / 6))) - 1)

    return value - max(error * back(quantile), 0.0), value - min(error * back(-quantile), 0.0)


def plain_t(value: float, influence: Floats, weight: Floats, level: float = LEVEL) -> Ends:
    """Return a t interval."""
    half = t_quantile(n_effective(weight) - 1, level) * standard_error(influence, weight)
    return value - half, value + half


def log_t(value: float, influence: Floats, weight: Floats) -> Ends:
    """Return a t interval made on the log scale, for a value above zero."""
    half = t_quantile(n_effective(weight) - 1) * standard_error(influence, weight) / value
    half = min(half, 50.0)
    return value * math.exp(-half), value * math.exp(half)


def logit_t(value: float, error: float, freedom: float) -> Ends:
    """Return a t interval made on the logit scale, for a value strictly inside (0, 1)."""
    centre = math.log(value / (1 - value))
    half = t_quantile(freedom) * error / (value * (1 - value))
    low, high = (0.5 * (1 + math.tanh((centre + side * half) / 2)) for side in (-1, 1))
    return min(low, value), max(high, value)


def scored(value: float, quantile: float, variance: Callable[[float], float]) -> Ends:
    """Return the values in [0, 1] that the one measured is not unusual for, given the variance under each."""

    def furthest(outside: float) -> float:
        inside = value
        for _ in range(60):
            middle = (inside + outside) / 2
            if (value - middle) ** 2 > quantile**2 * variance(middle):
                outside = middle
            else:
                inside = middle
        return inside

    return furthest(0.0), furthest(1.0)


def combined(values: Floats, ends: Sequence[Ends], moved: Sequence[Floats]) -> Ends:
    """Return the interval of the mean of parts in [0, 1] from each part's own interval.

    The method of variance estimates recovery, for parts that the same rows move: Zou and Donner, Construction of
    confidence limits about effect measures (Statistics in Medicine 2008).

    Args:
        values: The parts.
        ends: The interval of each.
        moved: What each row adds to each part, from which their correlation follows.
    """
    mean = float(values.mean())
    rows = np.array(moved)
    size = np.sqrt(np.maximum((rows**2).sum(axis=1), np.finfo(float).tiny))
    correlation = (rows / size[:, None]) @ (rows / size[:, None]).T
    np.fill_diagonal(correlation, 1.0)
    gaps = (values - np.array([low for low, _ in ends]), np.array([high for _, high in ends]) - values)
    below, above = (math.sqrt(max(float(gap @ correlation @ gap), 0.0)) / len(values) for gap in gaps)
    return max(mean - below, 0.0), min(mean + above, 1.0)
