"""Learning curves: what more rows would bring, from what the last ones brought.

The measure follows a + b n^−c over the number of rows n (Viering and Loog: The shape of learning curves, IEEE PAMI
2023). Every exponent that fits is kept at the weight with which it fits, so the doubt about the shape is part of the
interval.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats, Ints

EXPONENTS = np.linspace(0.1, 1.5, 29)
DRAWS = 2_000
WORTHWHILE = 0.02
"""A gain counts from this share of what the model has over the constant answer."""


def extrapolate(
    sizes: Ints,
    values: Floats,
    *,
    greater_is_better: bool,
    constant: float,
    factor: float = 2.0,
    seed: int = 0,
) -> dict[str, Any]:
    """Return what the measure would be with more rows.

    Args:
        sizes: Rows learnt from, rising, shape (n_sizes,), at least three.
        values: The measure at each size, shape (n_sizes, n_repeats), all on the same judged rows.
        greater_is_better: The measure's direction.
        constant: The measure of the constant answer, from which progress is counted.
        factor: How many times the rows.
        seed: Of the draws behind the interval.

    Returns:
        ``now`` (at the largest size), ``then`` with ``low`` and ``high`` (95 %), ``gain`` (positive is better) with
        ``gain_low`` and ``gain_high``, ``n_rows``, ``factor``, ``worthwhile`` (the least gain that counts), ``helps``
        (``yes``, ``no`` or ``unclear``), ``is_gain_likely`` (whether the gain is more likely than not worthwhile),
        ``exponent``, and the ``curve`` (``rows``, ``value``).
    """
    sign = 1.0 if greater_is_better else -1.0
    mean = values.mean(axis=1) * sign
    error = _errors(values)
    at = sizes / sizes[-1]
    a, b, c = _draws(at, mean, error, seed)
    gain = b * (1.0 - factor**-c)
    low, middle, high = (float(q) for q in np.quantile(gain, [0.025, 0.5, 0.975]))
    now = float(mean[-1])
    least = WORTHWHILE * abs(now - constant * sign)
    likely = float((gain > least).mean())
    helps = "yes" if likely >= 0.9 else "no" if likely <= 0.1 else "unclear"
    grid = np.geomspace(at[0], factor, 40)
    curve = np.median(a[:, None] - b[:, None] * grid[None, :] ** -c[:, None], axis=0)
    ends = sorted(((now + low) * sign, (now + high) * sign))
    return {
        "now": now * sign,
        "then": (now + middle) * sign,
        "low": ends[0],
        "high": ends[1],
        "gain": middle,
        "gain_low": low,
        "gain_high": high,
        "n_rows": int(sizes[-1]),
        "factor": factor,
        "worthwhile": least,
        "helps": helps,
        "is_gain_likely": likely >= 0.5,
        "exponent": float(np.median(c)),
        "sizes": sizes.tolist(),
        "values": (mean * sign).tolist(),
        "errors": error.tolist(),
        "curve": {"rows": (grid * sizes[-1]).tolist(), "value": (curve * sign).tolist()},
    }


def _errors(values: Floats) -> Floats:
    """Return the standard error of each size's mean: pooled, since few repeats tell little of their own spread."""
    n_sizes, n_repeats = values.shape
    if n_repeats < 2:
        spread = np.abs(np.diff(values[:, 0])).min(initial=np.inf)
        return np.full(n_sizes, max(float(spread) / 2, 1e-12))
    own = values.var(axis=1, ddof=1)
    pooled = own.mean()
    return np.asarray(np.sqrt(np.maximum((own + pooled) / 2, 1e-24) / n_repeats))


def _draws(at: Floats, mean: Floats, error: Floats, seed: int) -> tuple[Floats, Floats, Floats]:
    """Return draws of a, b and c in a − b at^−c, b zero or more: least squares for each exponent, by its fit."""
    inverse = 1 / error**2
    powers = at[None, :] ** -EXPONENTS[:, None]
    # Weighted least squares of a line in −at^−c, for all exponents at once.
    weight = inverse / inverse.sum()
    middle, level = powers @ weight, float(mean @ weight)
    away = powers - middle[:, None]
    spread = away**2 @ inverse
    slope = -(away * (mean - level)) @ inverse / spread
    left = ((mean - level + slope[:, None] * away) ** 2) @ inverse
    # A curve that the points do not follow within their errors has larger errors than they show.
    excess = np.maximum(left / max(len(at) - 3, 1), 1.0)
    share = np.exp(-0.5 * (left / excess - (left / excess).min()))
    rng = np.random.default_rng(seed)
    chosen = np.repeat(np.arange(len(EXPONENTS)), rng.multinomial(DRAWS, share / share.sum()))
    noise = rng.standard_normal((2, DRAWS)) * np.sqrt(excess[chosen])
    b = slope[chosen] + noise[0] / np.sqrt(spread[chosen])
    a = level + b * middle[chosen] + noise[1] / np.sqrt(inverse.sum())
    return a, np.maximum(b, 0.0), EXPONENTS[chosen]
