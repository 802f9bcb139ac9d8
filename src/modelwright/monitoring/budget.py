"""The budget: the threshold at which a whole model raises as many false alarms a month as its user accepts.

While nothing changes, all strengths together are a Gaussian process whose law is known: the correlation of the
monitors, the overlap of the horizons, the reference's own error. It is simulated, the same rule that turns
strengths into alarms is applied, and the threshold is read off. Unlike bounds that hold whatever the data
(Bonferroni over windows, or e-detectors: Shin, Ramdas and Rinaldo, New England Journal of Statistics in Data
Science 2024), this spends the budget in full: changes are seen sooner.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.signal import Aspect
from modelwright.monitoring.panel import HORIZONS
from modelwright.monitoring.scanning import share_deviate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from modelwright.core.arrays import Bools, Floats, Ints, Singles
    from modelwright.monitoring.panel import Panel

DAYS_A_MONTH = 365.25 / 12
QUIET_WINDOWS = 3
"""A cause is over when it has been below its threshold for so many windows."""
JOINED_WINDOWS = 2
"""Causes that begin within so many windows of an alarm's own are further signs of it, and raise none of their own."""
CLEARLY = 1.0
"""Standard errors beyond the threshold from which a cause is no mere further sign of another."""
WINDOWS_SIMULATED = 30_000
STREAM_WINDOWS_MOST = 400
FITTED = 11
"""Simulated rates that the one wanted is read from."""
TRIALS = 1_000
"""Of the simulation behind the smallest change that is found."""
PRECISION = 0.005
"""Of that change, relative to it: it is told with two digits."""
NORMAL = 50.0
"""From so many expected rows a window on, what an indicator finds is reckoned as of a mean."""
DENSE = 8.0
"""From so many expected rows a window on, an indicator is as good as normal."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Rows that arrive together: a panel and how many rows a window has.

    Attributes:
        panel: Its monitors.
        rows: Rows of a typical window.
    """

    panel: Panel
    rows: float


@dataclass(frozen=True, slots=True)
class Null:
    """What strengths do while nothing changes.

    Attributes:
        peaks: The largest strength by (stream of windows, window, cause).
        windows_a_month: How many windows a month has.
    """

    peaks: Singles
    windows_a_month: float

    def rate(self, threshold: float) -> float:
        """Return false alarms a month at this threshold."""
        raised = openings(self.peaks >= threshold, self.peaks >= threshold + CLEARLY)
        n_alarms = int(raised.any(axis=-1).sum())
        return n_alarms / self.months

    @property
    def months(self) -> float:
        """How many months were simulated."""
        return float(self.peaks.shape[0] * self.peaks.shape[1] / self.windows_a_month)

    def threshold(self, budget: float) -> float:
        """Return the threshold at which there are ``budget`` false alarms a month.

        The logarithm of the rate is close to a parabola of the threshold; one is fitted to the simulated rates
        around the budget, which also reaches a little further than what was simulated.
        """
        coarse = np.arange(1.6, 7.0, 0.3)
        rates = np.array([self.rate(float(h)) for h in coarse])
        top = int(np.argmax(rates))
        # Near its largest value the rate bends (alarms there run into each other); far out it was seldom simulated.
        usable = (np.arange(len(coarse)) > top) & (rates <= 0.7 * rates[top]) & (rates * self.months >= 10)
        if not usable.any():
            return float(coarse[top])
        off = np.abs(np.log(np.maximum(rates, 1e-12) / budget)) + np.where(usable, 0.0, 1e6)
        middle = float(coarse[int(np.argmin(off))])
        grid = middle + np.linspace(-0.3, 0.3, FITTED)
        rates = np.array([self.rate(float(h)) for h in grid])
        near = np.flatnonzero(rates * self.months >= 10)
        months = self.months
        if len(near) < 3:
            return middle
        fitted = np.polyfit(grid[near], np.log(rates[near]), 2 if len(near) > 5 else 1, w=np.sqrt(rates[near] * months))
        fine = np.arange(grid[near[0]] - 0.5, 8.0, 0.002)
        values, slope = np.polyval(fitted, fine), np.polyval(np.polyder(fitted), fine)
        falls = np.flatnonzero((values <= np.log(budget)) & (slope < 0))
        return float(fine[falls[0]]) if len(falls) else 8.0


def simulate(streams: Sequence[Stream], windows_a_month: float, *, seed: int = 0) -> Null:
    """Simulate a model that nothing happens to.

    Args:
        streams: What is watched.
        windows_a_month: How many windows a month has.
        seed: Of the simulation.
    """
    rng = np.random.default_rng(seed)
    length = int(min(max(12 * windows_a_month, 40), STREAM_WINDOWS_MOST))
    n_runs = max(WINDOWS_SIMULATED // length, 8)
    peaks = [_peaks(stream, n_runs, length, rng) for stream in streams]
    return Null(np.concatenate(peaks, axis=2), windows_a_month)


def _peaks(stream: Stream, n_runs: int, length: int, rng: np.random.Generator) -> Singles:
    """Return the largest strength of each cause, shape (n_runs, length, n_causes)."""
    panel, n = stream.panel, max(stream.rows, 1.0)
    causes = panel.causes
    n_causes = int(causes.max()) + 1 if len(causes) else 0
    peaks = np.zeros((n_runs, length, n_causes), dtype=np.float32)
    reference, hits = panel.n_reference, panel.hits
    share = np.where([m.share is not None for m in panel.monitors], hits / np.maximum(reference, 1), np.nan)
    is_unseen = np.array([m.aspect is Aspect.NEW_VALUES for m in panel.monitors])
    can_speak = np.array([m.share is not None or m.kurtosis != 0.0 for m in panel.monitors])
    rare = (np.minimum(share, 1 - share) * n < DENSE) & ~np.isnan(share)
    one_sided = np.array([m.is_one_sided for m in panel.monitors])
    dense = np.flatnonzero(can_speak & ~rare)
    dense = dense[np.argsort(one_sided[dense], kind="stable")]
    few = np.flatnonzero(rare & ((share > 0) | is_unseen) & (share < 1))
    root = _root(panel.correlation[np.ix_(dense, dense)]).astype(np.float32)
    n_two_sided = int((~one_sided[dense]).sum())
    for run in range(n_runs):
        own = (rng.standard_normal(len(dense), dtype=np.float32) @ root.T) / np.sqrt(reference[dense], dtype=np.float32)
        drawn = rng.standard_normal((length, len(dense)), dtype=np.float32) @ root.T / np.float32(np.sqrt(n))
        _keep(
            peaks[run],
            _strongest_means(np.asarray(drawn - own, np.float32), n, reference[dense], n_two_sided),
            causes[dense],
        )
        if len(few):
            known, rate = _known(hits[few], reference[few], rng, is_unseen=is_unseen[few])
            strongest = _strongest_counts(rate, known, n, reference[few], length, rng)
            _keep(peaks[run], np.where(one_sided[few], np.maximum(strongest, 0), np.abs(strongest)), causes[few])
    return peaks


def _keep(peaks: Singles, strongest: Floats | Singles, causes: Ints) -> None:
    """Raise the peaks of causes to the strengths of their monitors."""
    order = np.argsort(causes, kind="stable")
    first = np.flatnonzero(np.diff(causes[order], prepend=-1))
    if len(first):
        named = causes[order][first]
        peaks[:, named] = np.maximum(peaks[:, named], np.maximum.reduceat(strongest[:, order], first, axis=1))


def _strongest_means(off: Singles, n: float, reference: Ints, n_two_sided: int) -> Singles:
    """Return the largest strength over the horizons of window means (less the reference's own error)."""
    total = np.vstack([np.zeros((1, off.shape[1]), np.float32), np.cumsum(off, axis=0, dtype=np.float32)])
    best = np.zeros(off.shape, dtype=np.float32)
    for k in HORIZONS:
        if k > len(off):
            break
        z = total[k:] - total[:-k]
        z *= (1 / (k * np.sqrt(1 / (k * n) + 1 / reference))).astype(np.float32)
        np.abs(z[:, :n_two_sided], out=z[:, :n_two_sided])
        np.maximum(best[k - 1 :], z, out=best[k - 1 :])
    return best


def _known(hits: Floats, reference: Ints, rng: np.random.Generator, *, is_unseen: Bools) -> tuple[Floats, Floats]:
    """Return what a reference counts of each indicator, and the share that new rows then have.

    A share is taken for the true one, and references differ by chance. What is unseen is chosen by the reference
    itself: its count stands, and the share behind it follows the gamma law of a count that came one short.
    """
    drawn, behind = rng.poisson(hits).astype(np.float64), rng.gamma(hits + 1)
    return np.where(is_unseen, hits, drawn), np.where(is_unseen, behind, hits) / reference


def _strongest_counts(
    share: Floats, known: Floats, n: float, reference: Ints, length: int, rng: np.random.Generator
) -> Floats:
    drawn = rng.poisson(np.broadcast_to(share * n, (length, len(share)))).astype(np.float64)
    total = np.cumsum(drawn, axis=0)
    best = np.zeros(drawn.shape)
    for k in HORIZONS:
        if k > length:
            break
        pooled = total[k - 1 :].copy()
        pooled[1:] -= total[:-k]
        rows = np.full(len(share), k * n)
        z = share_deviate(np.minimum(pooled, rows), rows, np.minimum(known, reference), reference.astype(np.float64))
        latest = best[k - 1 :]
        better = np.abs(z) > np.abs(latest)
        latest[better] = z[better]
    return best


def _root(correlation: Floats) -> Floats:
    """Return a root of the correlation matrix; what rounding made negative counts as nothing."""
    values, vectors = np.linalg.eigh(correlation)
    root: Floats = vectors * np.sqrt(np.maximum(values, 0.0))
    return root


def openings(over: Bools, clear: Bools) -> Bools:
    """Return where alarms begin, from where causes are over their threshold; the one rule of all alarms.

    A cause begins when it is over after having been quiet for ``QUIET_WINDOWS``. Within ``JOINED_WINDOWS`` after an
    alarm it is taken for a further sign of the same, unless it is clear: then it raises an alarm of its own.

    Args:
        over: Shape (…, n_windows, n_causes), in order of time.
        clear: Likewise: over by ``CLEARLY`` and more.

    Returns:
        Likewise: true where a cause raises an alarm. Several true in one window are one alarm.
    """
    begins, active = over.copy(), over.copy()
    for back in range(1, QUIET_WINDOWS + 1):
        begins[..., back:, :] &= ~over[..., :-back, :]
        active[..., back:, :] |= over[..., :-back, :]
    raised = np.zeros_like(over)
    last = np.full(over.shape[:-2], -JOINED_WINDOWS - 1)
    told = np.zeros_like(over[..., 0, :])
    for window in range(over.shape[-2]):
        told &= active[..., window, :]
        loud = clear[..., window, :] & ~told
        is_near = (window - last <= JOINED_WINDOWS)[..., None]
        raised[..., window, :] = np.where(is_near, loud, loud | begins[..., window, :])
        told |= raised[..., window, :]
        last = np.where(raised[..., window, :].any(axis=-1), window, last)
    return raised


def detectable(
    panel: Panel, rows: float, threshold: float, windows: int, *, monitor: int, power: float = 0.8, seed: int = 0
) -> float:
    """Return the smallest change a monitor finds within some windows.

    Args:
        panel: The monitors.
        rows: Rows of a window.
        threshold: Strength at which it alarms.
        windows: How many windows it has.
        monitor: Position in the panel.
        power: Chance of finding it.
        seed: Of the simulation.

    Returns:
        Of an indicator the rise of its share; else standard deviations of its score.
    """
    spread = {k: float(s[monitor]) for k, s in panel.spread.items()}
    trials = _Trials(max(rows, 1.0), windows, threshold, spread, np.random.default_rng(seed))
    hits, reference = panel.known(monitor)
    if panel.monitors[monitor].share is None:
        return trials.smallest_of_means(reference, power)
    share = hits / max(reference, 1.0)
    if min(share, 1 - share) * trials.n >= NORMAL:
        spread_of_one = math.sqrt(share * (1 - share))
        return spread_of_one * trials.smallest_of_means(reference, power)
    return _smallest(trials.of_shares(hits, reference), 1.0 - share, power)


def _smallest(found: Callable[[float], float], high: float, power: float) -> float:
    """Return the smallest change that is found with this chance, by bisection."""
    low, least = 0.0, 1e-6 * high
    while high - low > max(PRECISION * high, least):
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) >= power else (middle, high)
    return float(high)


@dataclass(frozen=True, slots=True)
class _Trials:
    """Simulated windows after a change.

    Attributes:
        n: Rows of a window.
        windows: How many there are.
        threshold: Strength of an alarm.
        spread: Of the monitor, by horizon.
        rng: Draws them.
    """

    n: float
    windows: int
    threshold: float
    spread: Mapping[int, float]
    rng: np.random.Generator

    def smallest_of_means(self, reference: float, power: float) -> float:
        """Return the smallest rise of the mean that is found with this chance.

        Each trial has one of its own, the least at which any horizon alarms in any window. That a fall alarms after a
        rise, as two-sided monitors could, is too rare to count.
        """
        noise = self.rng.standard_normal((TRIALS, self.windows)) / np.sqrt(self.n)
        off = noise - self.rng.standard_normal((TRIALS, 1)) / np.sqrt(reference)
        needed = np.full(TRIALS, np.inf)
        for k, pooled in self._pooled(off):
            loud = self.threshold * np.sqrt(self.spread.get(k, 1.0) * (1 / (k * self.n) + 1 / reference))
            needed = np.minimum(needed, loud - pooled.max(axis=1) / k)
        return float(max(np.quantile(needed, power, method="higher"), 0.0))

    def of_shares(self, hits: float, reference: float) -> Callable[[float], float]:
        """Return what tells, by a rise of the share, how often it is found."""
        n = max(round(self.n), 1)
        base = self.rng.beta(hits + 1, max(reference - hits, 0.0) + 1, (TRIALS, 1))
        seed = int(self.rng.integers(2**31))

        def deviate(pooled: Floats, k: int) -> Floats:
            return share_deviate(pooled, *(np.asarray(float(x)) for x in (k * n, hits, reference)))

        def found(rise: float) -> float:
            rng = np.random.default_rng(seed)
            drawn = rng.binomial(n, np.minimum(base + rise, 1.0), (TRIALS, self.windows))
            return self._share_found(drawn.astype(np.float64), deviate)

        return found

    def _share_found(self, off: Floats, deviate: Callable[[Floats, int], Floats]) -> float:
        hit = np.zeros(len(off), dtype=bool)
        for k, pooled in self._pooled(off):
            hit |= (deviate(pooled, k) / np.sqrt(self.spread.get(k, 1.0)) >= self.threshold).any(axis=1)
        return float(np.mean(hit))

    def _pooled(self, off: Floats) -> Iterator[tuple[int, Floats]]:
        """Give each horizon with the sums over as many windows, by the window that ends it."""
        total = np.cumsum(off, axis=1)
        for k in HORIZONS:
            if k > off.shape[1]:
                return
            pooled = total[:, k - 1 :].copy()
            pooled[:, 1:] -= total[:, :-k]
            yield k, pooled
