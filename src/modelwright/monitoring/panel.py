"""The panel: all monitors of one kind of rows, fitted once on reference rows.

Each monitor is the mean of a score of its trait's bins: Legendre polynomials of the reference rank (location,
spread, shape: Neyman's smooth test, Skandinavisk Aktuarietidskrift 1937), or an indicator (a level, missing, a
value outside all that was seen). Scores have mean 0 and variance 1 on the reference, so one table of sums per
window holds everything, windows are pooled by adding, and no monitor depends on how many rows there are but
through its standard error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from modelwright.core.signal import Aspect
from modelwright.monitoring.traits import Form

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.core.arrays import Floats, Ints
    from modelwright.monitoring.traits import Trait

CORRELATED = 0.5
"""Monitors of which one is this much correlated with another share a cause."""
ROWS_CORRELATED = 20_000
WHOLE_MATRIX = 900
HORIZONS = (1, 2, 4, 8, 16, 32)
"""Over how many windows together the monitors look."""
WINDOWS_LEAST = 8
SURE = 0.001
"""Chance of allowing for more spread than there is, for each monitor."""
"""Up to so many monitors their joint distribution is kept whole; beyond, within each column."""
WORSE_ONLY = frozenset({Aspect.LOSS, Aspect.SURPRISE, Aspect.EXPECTED_LOSS, Aspect.NEW_VALUES, Aspect.RELATIONS})


@dataclass(frozen=True, slots=True)
class Monitor:
    """One monitor.

    Attributes:
        name: Unique in its panel.
        trait: Position of its trait.
        aspect: What about it.
        level: The level, of monitors of one.
        share: Of indicators: the reference's share; else None.
        unseen: Of values never seen: reference rows to compare with (``_unseen``); else 0.
        skewness: Of its score on a reference row.
        kurtosis: Likewise, in excess of the normal's.
    """

    name: str
    trait: int
    aspect: Aspect
    level: str = ""
    share: float | None = None
    unseen: int = 0
    skewness: float = 0.0
    kurtosis: float = 0.0

    @property
    def is_one_sided(self) -> bool:
        """Whether only a rise is of concern."""
        return self.aspect in WORSE_ONLY


@dataclass(frozen=True, slots=True)
class Panel:
    """All monitors of one kind of rows.

    Attributes:
        traits: What is counted.
        counts: Of the reference, by trait.
        monitors: Of all traits, in their order.
        scores: By trait, shape (n_bins, n_monitors of the trait): what a row in a bin adds to each sum.
        correlation: Of the monitors' scores over reference rows, shape (n_monitors, n_monitors).
        causes: Which cause each monitor speaks of, shape (n_monitors,).
        spread: How much more window means vary than rows drawn at random would let them, by (horizon, monitor);
            1 where nothing speaks against chance.
    """

    traits: tuple[Trait, ...]
    counts: tuple[Ints, ...]
    monitors: tuple[Monitor, ...]
    scores: tuple[Floats, ...]
    correlation: Floats
    causes: Ints
    spread: Mapping[int, Floats]

    @property
    def n_reference(self) -> Ints:
        """Reference rows by monitor, shape (n_monitors,)."""
        return np.array([self.counts[m.trait].sum() for m in self.monitors], dtype=np.int64)

    @property
    def hits(self) -> Floats:
        """Reference rows that an indicator is compared with, by monitor; 0 for those of means."""
        return np.array([self.known(i)[0] for i in range(len(self.monitors))], dtype=np.float64)

    def known(self, monitor: int) -> tuple[float, float]:
        """Return the reference's hits and rows behind one monitor."""
        m = self.monitors[monitor]
        rows = float(self.counts[m.trait].sum())
        return float(m.unseen or (m.share or 0.0) * rows), rows

    def count(self, values: Mapping[tuple[str, str], pl.Series | Floats]) -> tuple[Ints, ...]:
        """Return the counts of a window by trait."""
        return tuple(t.count(values[t.name, t.column]) for t in self.traits)

    def sums(self, counts: Sequence[Ints]) -> Floats:
        """Return the sum of each monitor's score over a window, shape (n_monitors,)."""
        return np.concatenate([c @ s for c, s in zip(counts, self.scores, strict=True)])

    def sizes(self, counts: Sequence[Ints]) -> Floats:
        """Return the rows behind each monitor's sum, shape (n_monitors,)."""
        totals = np.array([c.sum() for c in counts], dtype=np.float64)
        return totals[[m.trait for m in self.monitors]]


def fit_panel(
    traits: Sequence[Trait],
    values: Mapping[tuple[str, str], pl.Series | Floats],
    aspects: Mapping[str, Sequence[Aspect]] | None = None,
    *,
    window_of: Ints | None = None,
    taken: Mapping[str, Ints] | None = None,
) -> Panel:
    """Return the panel of these traits.

    Args:
        traits: What is counted, bins fixed.
        values: The reference rows by (name, column) of the traits.
        aspects: What is watched of a trait of numbers, by name; location, spread and shape when not said.
        window_of: The window each reference row would have fallen into, shape (n,), rising from 0, where the
            reference is ordered in time; window means that vary more than chance lets them are then allowed for.
        taken: By name of a trait: which reference rows its values are of; all when not said.
    """
    counts: list[Ints] = []
    scores: list[Floats] = []
    monitors: list[Monitor] = []
    rows: list[Floats] = []
    spreads: list[dict[int, Floats]] = []
    for position, trait in enumerate(traits):
        codes = trait.codes(values[trait.name, trait.column])
        counted = np.bincount(codes, minlength=trait.n_bins)
        wanted = (aspects or {}).get(trait.name)
        unseen = 0 if wanted else _unseen(trait, values[trait.name, trait.column])
        made, table = _monitors_of(trait, position, counted, wanted, unseen)
        counts.append(counted)
        scores.append(table)
        monitors += made
        rows.append(table[codes[:ROWS_CORRELATED]].astype(np.float32))
        windows = None if window_of is None else window_of[(taken or {}).get(trait.name, slice(None))]
        spreads.append(
            _spread(table, counted, codes, windows if windows is not None and len(windows) == len(codes) else None)
        )
    correlation = _correlation(rows)
    spread = {} if window_of is None else {k: np.concatenate([s[k] for s in spreads]) for k in HORIZONS}
    causes = _causes(traits, monitors, correlation)
    return Panel(tuple(traits), tuple(counts), tuple(monitors), tuple(scores), correlation, causes, spread)


def _monitors_of(
    trait: Trait, position: int, counts: Ints, aspects: Sequence[Aspect] | None, unseen: int
) -> tuple[list[Monitor], Floats]:
    share = counts / max(counts.sum(), 1)
    made: list[Monitor] = []
    table: list[Floats] = []
    if trait.form is Form.NUMBERS:
        wanted = aspects or (Aspect.LOCATION, Aspect.SPREAD, Aspect.SHAPE)
        for aspect, score in zip(wanted, _legendre(counts, len(wanted)), strict=False):
            made.append(
                Monitor(
                    f"{trait.name}: {aspect.value}",
                    position,
                    aspect,
                    skewness=float(share @ score**3),
                    kurtosis=float(share @ score**4) - 3 if score.any() else 0.0,
                )
            )
            table.append(score)
        outside = np.zeros(trait.n_bins)
        outside[[0, trait.n_bins - 2]] = 1.0
        indicators = [] if aspects else [(Aspect.NEW_VALUES, "", outside)]
    else:
        n = len(trait.levels)
        indicators = [(Aspect.LEVEL, level, np.eye(trait.n_bins)[i]) for i, level in enumerate(trait.levels)]
        indicators += [(Aspect.LEVEL, "(rare levels)", np.eye(trait.n_bins)[n])]
        indicators += [(Aspect.NEW_VALUES, "", np.eye(trait.n_bins)[n + 1])]
    if not aspects:
        indicators.append((Aspect.MISSING, "", np.eye(trait.n_bins)[-1]))
    for aspect, level, score in indicators:
        name = f"{trait.name} = {level}" if level else f"{trait.name}: {aspect.value}"
        known = unseen if aspect is Aspect.NEW_VALUES else 0
        made.append(Monitor(name, position, aspect, level=level, share=float(share @ score), unseen=known))
        table.append(score)
    return made, np.column_stack(table) if table else np.zeros((trait.n_bins, 0))


def _unseen(trait: Trait, values: pl.Series | Floats) -> int:
    """Return how many hits of the reference make values never seen come as often as rows of the same source bring them.

    No reference row is new to itself, so a share of none would make every new value a surprise. New rows fall beyond
    the smallest and the largest of n values as into two of n + 1 spacings, all alike: a negative binomial count of
    shape 2, which is that of a reference with one hit. A level is new to a row as often as a level is seen once
    (Good, Biometrika 1953). Ends that were seen more often, as those of whole numbers, count nothing.
    """
    present = pl.Series(values).drop_nulls()
    if trait.form is Form.LEVELS:
        return int((present.value_counts(name="n")["n"] == 1).sum()) if len(present) else 0
    present = present.cast(pl.Float64).drop_nans()
    if not len(present):
        return 0
    ends = int((present == present.min()).sum()), int((present == present.max()).sum())
    return max(ends.count(1) - 1, 0)


def _legendre(counts: Ints, degree: int) -> list[Floats]:
    """Return orthonormal polynomials of the reference rank by bin; missing values count nothing.

    A degree that the values are too few for is all zeros: its monitor never speaks.
    """
    present = counts[:-1].astype(np.float64)
    total = present.sum()
    weight = np.append(present, 0.0) / max(counts.sum(), 1)
    if not total:
        return [np.zeros(len(counts)) for _ in range(degree)]
    rank = np.append((np.cumsum(present) - present / 2) / total, 0.5)
    basis = [np.append(np.ones(len(present)), 0.0)]
    found = []
    for power in range(1, degree + 1):
        score = np.append((2 * rank[:-1] - 1) ** power, 0.0)
        for _ in range(2):  # once more: rounding leaves a little of the lower ones
            for b in basis:
                score = score - (weight @ (score * b)) / (weight @ b**2) * b if weight @ b**2 > 0 else score
        norm = float(np.sqrt(weight @ score**2))
        score = score / norm if norm > 1e-6 else np.zeros(len(counts))
        if norm > 1e-6:
            basis.append(score)
        found.append(score)
    return found


def _correlation(columns: Sequence[Floats]) -> Floats:
    n = min((len(c) for c in columns), default=0)
    rows = np.hstack([c[:n] for c in columns]) if columns else np.zeros((1, 0), np.float32)
    rows = rows - rows.mean(axis=0)
    size = np.sqrt((rows**2).sum(axis=0))
    rows /= np.where(size > 0, size, 1.0)
    if rows.shape[1] <= WHOLE_MATRIX:
        found = (rows.T @ rows).astype(np.float64)
    else:
        found = np.zeros((rows.shape[1], rows.shape[1]))
        start = 0
        for c in columns:
            part = slice(start, start + c.shape[1])
            found[part, part] = rows[:, part].T @ rows[:, part]
            start = part.stop
    np.fill_diagonal(found, 1.0)
    return np.asarray(found)


def _causes(traits: Sequence[Trait], monitors: Sequence[Monitor], correlation: Floats) -> Ints:
    """Return which monitors belong together: those of one column, and those that are correlated.

    Missing values are a cause of their own: what brings them is another fault than what moves the values, and a faint
    alarm about these that lasts must not keep them from being told.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    n = len(monitors)
    if not n:
        return np.zeros(0, dtype=np.int64)
    named = [traits[m.trait].column or traits[m.trait].name for m in monitors]
    columns = np.array(
        [f"{n}: {m.aspect}" if m.aspect is Aspect.MISSING else n for n, m in zip(named, monitors, strict=True)]
    )
    together = (columns[:, None] == columns[None, :]) | (np.abs(correlation) >= CORRELATED)
    _, labels = connected_components(csr_array(together), directed=False)
    return np.asarray(labels, dtype=np.int64)


def _spread(table: Floats, counts: Ints, codes: Ints, window_of: Ints | None) -> dict[int, Floats]:
    """Return, by horizon, the variance of pooled window means as a multiple of what chance makes, at least 1.

    Seasons, days of the week and batches make windows differ without anything being wrong. What the reference
    itself shows of it is allowed for; beyond the horizons it can show, the largest that it shows counts.
    """
    from scipy.stats import chi2

    largest = np.ones(table.shape[1])
    found = {}
    if window_of is not None:
        n_windows, n_bins = int(window_of.max()) + 1, len(counts)
        by_window = np.bincount(window_of * n_bins + codes, minlength=n_windows * n_bins).reshape(n_windows, n_bins)
        share = counts / counts.sum()
        centred = table - share @ table
        variance = share @ centred**2
    for k in HORIZONS:
        if window_of is not None and n_windows // k >= WINDOWS_LEAST:
            pieces = by_window[: n_windows // k * k].reshape(n_windows // k, k, n_bins).sum(axis=1)
            size = pieces.sum(axis=1)
            pieces, size = pieces[size > 0], size[size > 0]
            freedom = max(len(size) - 1, 1)
            moved = (((pieces @ centred) ** 2) / size[:, None]).sum(axis=0) / freedom
            ratio = np.divide(moved, variance, out=np.ones(len(variance)), where=variance > 0)
            limit = chi2.ppf(1 - SURE, freedom) / freedom
            largest = np.maximum(largest, np.where(ratio > limit, ratio, 1.0))
        found[k] = largest.copy()
    return found
