"""Scanning: how far the latest windows, taken together over several horizons, lie from the reference.

At the end of each window the last 1, 2, 4, … 32 windows are pooled and compared with the reference: short horizons
see large changes at once, long ones see small changes later (window-limited scanning: Lai, IEEE Transactions on
Information Theory 1998). Every strength is a standard normal deviate while nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modelwright.monitoring.panel import HORIZONS

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats, Ints
    from modelwright.monitoring.panel import Panel

NOTABLE, FEW_HITS = 2.0, 100
"""From this deviate on, and up to so many rows hit on both sides, the chance is worked out exactly."""
SMALLEST = 1e-300
ROWS_LEAST = 20
"""Pooled windows of fewer rows than this say nothing yet."""


@dataclass(frozen=True, slots=True)
class Scan:
    """The strongest deviation of each monitor at the end of each window.

    Attributes:
        strength: Shape (n_windows, n_monitors); for one-sided monitors a fall counts nothing.
        horizon: Over how many windows, likewise.
    """

    strength: Floats
    horizon: Ints


def scan(panel: Panel, sums: Floats, sizes: Floats) -> Scan:
    """Scan windows in order of time.

    Args:
        panel: The monitors.
        sums: Shape (n_windows, n_monitors), as ``Panel.sums`` gives them.
        sizes: Rows behind them, likewise.
    """
    total = np.cumsum(sums, axis=0)
    rows = np.cumsum(sizes, axis=0)
    strength = np.zeros(sums.shape)
    horizon = np.ones(sums.shape, dtype=np.int64)
    deviates = _Deviates(panel)
    for k in HORIZONS:
        if k > len(sums):
            break
        pooled, n = total[k - 1 :].copy(), rows[k - 1 :].copy()
        pooled[1:] -= total[:-k]
        n[1:] -= rows[:-k]
        z = deviates.of(pooled, n, k)
        latest = strength[k - 1 :]
        better = np.abs(z) > np.abs(latest)
        latest[better] = z[better]
        horizon[k - 1 :][better] = k
    return Scan(strength, horizon)


class _Deviates:
    """Turns pooled sums into standard normal deviates."""

    def __init__(self, panel: Panel) -> None:
        monitors = panel.monitors
        self.reference = panel.n_reference.astype(np.float64)
        self.is_indicator = np.array([m.share is not None for m in monitors], dtype=bool)
        self.hits = panel.hits
        self.skewness = np.array([m.skewness for m in monitors])
        self.kurtosis = np.array([m.kurtosis for m in monitors])
        self.one_sided = np.array([m.is_one_sided for m in monitors], dtype=bool)
        self.spread = panel.spread

    def of(self, pooled: Floats, n: Floats, k: int) -> Floats:
        z = np.zeros(pooled.shape)
        means, shares = ~self.is_indicator, self.is_indicator
        safe = np.maximum(n, 1.0)
        z[:, means] = mean_deviate(
            pooled[:, means] / safe[:, means],
            safe[:, means],
            self.reference[means],
            self.skewness[means],
            self.kurtosis[means],
        )
        known, reference = self.hits[shares], self.reference[shares]
        z[:, shares] = share_deviate(pooled[:, shares], safe[:, shares], known, reference)
        if k in self.spread:
            z /= np.sqrt(self.spread[k])
        z[n < ROWS_LEAST] = 0.0
        z[:, self.one_sided] = np.maximum(z[:, self.one_sided], 0.0)
        return z


def mean_deviate(mean: Floats, n: Floats, reference: Floats, skewness: Floats, kurtosis: Floats) -> Floats:
    """Return the normal deviate of a mean of standardised scores against a reference of its own size.

    The third and fourth cumulants are taken out (the inverse of Cornish and Fisher's expansion, 1938): a score
    with skewed values would otherwise alarm far more often than it should at four standard errors.
    """
    variance = 1 / n + 1 / reference
    z = mean / np.sqrt(variance)
    g1 = skewness * (1 / n**2 - 1 / reference**2) / variance**1.5
    g2 = kurtosis * (1 / n**3 + 1 / reference**3) / variance**2
    z = np.clip(z, -40.0, 40.0)
    inner = np.clip(z, -8.0, 8.0)  # beyond eight the expansion means nothing, and nothing hangs on it
    shift = -g1 * (inner**2 - 1) / 6 - g2 * (inner**3 - 3 * inner) / 24 + g1**2 * (4 * inner**3 - 7 * inner) / 36
    corrected: Floats = z + np.clip(shift, -np.abs(z) / 2, np.abs(z) / 2)
    return corrected


def share_deviate(count: Floats, n: Floats, count_reference: Floats, n_reference: Floats) -> Floats:
    """Return the normal deviate of the difference between two shares, on the safe side.

    The signed root of the deviance, half a row nearer to each other than they are, stays close to normal far into the
    tails. Where few rows are hit and it matters, the half row costs days: there the chance of so many of all hits
    falling on this side is exact (the binomial tail given their sum).
    """
    expected = n * (count + count_reference) / (n + n_reference)
    sign = np.sign(count - expected)
    nearer = np.where(np.abs(count - expected) <= 0.5, expected, count - 0.5 * sign)
    other = np.clip(count_reference + (count - nearer), 0.0, n_reference)
    together = (nearer + other) / (n + n_reference)
    deviance = 2 * (_likelihood(nearer, n, together) + _likelihood(other, n_reference, together))
    found = np.asarray(sign * np.sqrt(np.maximum(deviance, 0.0)))
    exact = (np.abs(found) > NOTABLE) & (count + count_reference <= FEW_HITS)
    if exact.any():
        whole = np.broadcast_arrays(count, n, count_reference, n_reference)
        found[exact] = _exact_deviate(*(part[exact] for part in whole))
    return found


def _exact_deviate(count: Floats, n: Floats, count_reference: Floats, n_reference: Floats) -> Floats:
    """Return the normal deviate of the exact chance of a count this far out, given the sum of both."""
    from scipy.special import betainc, ndtri

    total, part = count + count_reference, n / (n + n_reference)
    above = count > total * part
    with np.errstate(invalid="ignore"):
        high = betainc(count, count_reference + 1, part)  # so many or more
        low = betainc(count_reference, count + 1, 1 - part)  # so many or fewer
    z = np.where(above, -ndtri(np.clip(high, SMALLEST, 0.5)), ndtri(np.clip(low, SMALLEST, 0.5)))
    return np.asarray(z)


def _likelihood(count: Floats, n: Floats, share: Floats) -> Floats:
    """Return the log-likelihood gained by a share of one's own over the common one."""
    with np.errstate(divide="ignore", invalid="ignore"):
        hits = np.where(count > 0, count * np.log(count / (n * share)), 0.0)
        misses = np.where(count < n, (n - count) * np.log((n - count) / (n * (1 - share))), 0.0)
    return np.asarray(np.nan_to_num(hits) + np.nan_to_num(misses))
