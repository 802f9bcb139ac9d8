"""Learning curves: what more rows would bring, from what the last ones brought.

The measure follows a power law, a + b n^−c, over the number of rows n (Viering and Loog: The shape of learning curves,
IEEE PAMI 2023), or a curve that bends less: a logarithm, or a power that still gains speed, as curves do where the rows
have only begun to suffice. Every exponent that fits is kept at the weight with which it fits, so the doubt about the
shape is part of the interval. So is the luck of the draw: rows drawn anew would have given another measure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats, Ints

EXPONENTS = np.linspace(-0.5, 1.5, 41)
"""Positive: gains per doubling shrink; zero: they stay; negative: they still grow."""
USUAL, SPREAD = 0.5, 0.5
"""Exponents of curves that were measured lie about here; it decides where the points do not."""
DRAWS = 4_000
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
        sizes: Rows learnt from, rising, shape (n_sizes,), at least three. The last are all rows there are; the others
            are drawn from them without replacement, anew for each repeat.
        values: The measure at each size, shape (n_sizes, n_repeats), all on the same judged rows.
        greater_is_better: The measure's direction.
        constant: The measure of the constant answer, from which progress is counted.
        factor: How many times the rows.
        seed: Of the draws behind the interval.

    Returns:
        ``now`` (at the largest size), ``then`` with ``low`` and ``high`` (95 %: what will be measured on the same
        judged rows, once more rows are added to these), ``gain`` (positive is better) with ``gain_low`` and
        ``gain_high``, ``n_rows``, ``factor``, ``worthwhile`` (the least gain that counts), ``helps`` (``yes``, ``no``
        or ``unclear``) and ``is_gain_likely`` (whether a worthwhile gain is more likely than not), both of the gain to
        be expected whatever rows come, ``exponent``, and the ``curve`` (``rows``, ``value``).
    """
    sign = 1.0 if greater_is_better else -1.0
    mean = values.mean(axis=1) * sign
    at = sizes / sizes[-1]
    luck = _luck(at, values)
    error = _errors(at, values, luck)
    rng = np.random.default_rng(seed)
    slope, exponent = _draws(at, mean, error, luck.freedom, rng)
    gain = slope * _power(factor, exponent)
    # Rows to come are as lucky or unlucky as these were: of a mean over rows, that would be this variance.
    spread = np.sqrt(luck.of_sample * (1 - 1 / factor) + luck.of_fit)
    ahead = gain + spread * rng.standard_t(luck.freedom, DRAWS)
    low, high = (float(q) for q in np.quantile(ahead, [0.025, 0.975]))
    middle = float(np.median(gain))
    now = float(mean[-1])
    least = WORTHWHILE * abs(now - constant * sign)
    likely = float((gain > least).mean())
    helps = "yes" if likely >= 0.9 else "no" if likely <= 0.1 else "unclear"
    grid = np.geomspace(at[0], factor, 40)
    curve = now + np.median(slope * _power(grid[:, None], exponent), axis=1)
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
        "exponent": float(np.median(exponent)),
        "sizes": sizes.tolist(),
        "values": (mean * sign).tolist(),
        "repeats": values.tolist(),
        "constant": constant,
        "errors": error.tolist(),
        "curve": {"rows": (grid * sizes[-1]).tolist(), "value": (curve * sign).tolist()},
    }


@dataclass(frozen=True, slots=True)
class _Luck:
    """What a measure owes to chance.

    Attributes:
        of_sample: Variance over samples of as many rows as there are.
        of_fit: Variance of fits to the same rows.
        freedom: Degrees of freedom of both.
    """

    of_sample: float
    of_fit: float
    freedom: float


def _luck(at: Floats, values: Floats) -> _Luck:
    """Return what is due to chance, from the spread of the repeats.

    A share s of n rows, drawn from them, varies by (1 − s) / s of what n rows vary by when they are drawn anew, for
    whatever is a mean over rows; all of n rows do not vary, except by the fit.
    """
    n_repeats = values.shape[1]
    if n_repeats < 2:
        spread = float(np.abs(np.diff(values[:, 0])).min(initial=np.inf))
        return _Luck(spread**2, (spread / 2) ** 2, 1.0)
    own, part = values.var(axis=1, ddof=1), at < 1
    of_sample = float((own[part] * at[part] / (1 - at[part])).mean())
    return _Luck(of_sample, float(own[~part].mean()), float(part.sum() * (n_repeats - 1)))


def _errors(at: Floats, values: Floats, luck: _Luck) -> Floats:
    """Return the standard error of each size's mean, about what these rows give at that size."""
    within = luck.of_sample * (1 - at) / at + luck.of_fit
    least = 1e-6 * max(luck.of_sample, 1e-18)
    return np.asarray(np.sqrt(np.maximum(within, least) / values.shape[1]))


def _power(at: Any, exponent: Floats) -> Floats:
    """Return (1 − at^−c) / c, which rises with ``at`` for every c and is 0 at 1; its logarithm where c is 0."""
    small = np.abs(exponent) < 1e-9
    c = np.where(small, 1.0, exponent)
    return np.asarray(np.where(small, np.log(at), (1 - at**-c) / c))


def _draws(at: Floats, mean: Floats, error: Floats, freedom: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return draws of slope, zero or more, and exponent: least squares for each exponent, by how well it fits."""
    inverse = 1 / error**2
    powers = _power(at[None, :], EXPONENTS[:, None])
    # Weighted least squares of a line in the power, for all exponents at once.
    weight = inverse / inverse.sum()
    away = powers - (powers @ weight)[:, None]
    level, spread = float(mean @ weight), away**2 @ inverse
    slope = away * (mean - level) @ inverse / spread
    left = ((mean - level - slope[:, None] * away) ** 2) @ inverse
    # The errors are known by few repeats, and by how closely the points follow the curve: both are pooled.
    n_left = max(len(at) - 3, 1)
    excess = np.maximum((freedom + left) / (freedom + n_left), 1.0)
    log_share = -(freedom + n_left) / 2 * np.log(freedom + left) - ((EXPONENTS - USUAL) / SPREAD) ** 2 / 2
    share = np.exp(log_share - log_share.max())
    chosen = np.repeat(np.arange(len(EXPONENTS)), rng.multinomial(DRAWS, share / share.sum()))
    noise = rng.standard_t(freedom, DRAWS) * np.sqrt(excess[chosen] / spread[chosen])
    return np.maximum(slope[chosen] + noise, 0.0), EXPONENTS[chosen]
