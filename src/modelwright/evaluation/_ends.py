"""Ends of 95 % intervals: what can be said of the truth from a value and the influence of each row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats

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
    """Return how many rows of equal weight say as much (Kish 1965)."""
    return float(weight.sum() ** 2 / (weight @ weight))


def standard_error(influence: Floats, weight: Floats) -> float:
    """Return the standard error of a measure from the influence of its rows; 0 for a single row."""
    n = n_effective(weight)
    if n <= 1.0 + 1e-9:
        return 0.0
    return float(np.sqrt((weight * influence) @ (weight * influence)) / weight.sum() * math.sqrt(n / (n - 1)))


def skewed(value: float, influence: Floats, weight: Floats, level: float = LEVEL) -> Ends:
    """Return a t interval corrected for the skewness of the rows.

    Hall: On the removal of skewness by transformation (JRSS B 1992). Losses are skewed, and most of all those
    of a rare class; the plain t interval ends too low for them.
    """
    n = n_effective(weight)
    error = standard_error(influence, weight)
    if error == 0.0:
        return value, value
    quantile = t_quantile(n - 1, level)
    moved = weight * influence
    # Skewness divided by the root of n, which is how it enters every term.
    lean = float((moved**3).sum() / (moved @ moved) ** 1.5)
    if abs(lean) < 1e-9:
        return value - quantile * error, value + quantile * error

    def back(y: float) -> float:
        return 3 / lean * (float(np.cbrt(1 + lean * (y - lean / 6))) - 1)

    return value - max(error * back(quantile), 0.0), value - min(error * back(-quantile), 0.0)


def logit_t(value: float, error: float, df: float, level: float = LEVEL) -> Ends:
    """Return a t interval made on the logit scale, for a value strictly inside (0, 1)."""
    centre = math.log(value / (1 - value))
    half = t_quantile(df, level) * error / (value * (1 - value))
    low, high = (0.5 * (1 + math.tanh((centre + side * half) / 2)) for side in (-1, 1))
    return min(low, value), max(high, value)


def combined(values: Floats, ends: list[Ends], correlation: Floats) -> Ends:
    """Return the interval of the mean of correlated parts from each part's own interval.

    The method of variance estimates recovery: Zou and Donner (Statistics in Medicine 2008).
    """
    mean = float(values.mean())
    below = values - np.array([low for low, _ in ends])
    above = np.array([high for _, high in ends]) - values
    half = [math.sqrt(max(float(gap @ correlation @ gap), 0.0)) / len(values) for gap in (below, above)]
    return max(mean - half[0], 0.0), min(mean + half[1], 1.0)


def satterthwaite(influence: Floats, weight: Floats, group: Floats) -> float:
    """Return the degrees of freedom of a variance that is a sum over groups (Satterthwaite 1946)."""
    moved = (weight * influence) ** 2
    parts = np.bincount(group, moved)
    rows = np.bincount(group, weight) ** 2 / np.maximum(np.bincount(group, weight**2), 1e-300)
    spread = float((parts**2 / np.maximum(rows - 1, 1.0)).sum())
    return float(parts.sum() ** 2 / spread) if spread > 0 else math.inf
