"""Association: how much one column, on its own, tells of the target, measured out of fold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import polars.selectors as cs

from modelwright.core.task import TaskKind
from modelwright.data._chance import deal, stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.core.arrays import Array, Bools, Floats, Ints
    from modelwright.core.task import Task

N_FOLDS = 5
N_BINS = 64
MAX_ROWS = 20_000
MAX_CLASSES = 50
MISSING = 0
"""The code of a missing value; codes of values begin at 1."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One column, ready to be held against the target.

    Attributes:
        name: The column.
        codes: Shape (n_rows,): 0 where missing, else a level or a bin.
        values: The numbers themselves, NaN where missing; None for text.
    """

    name: str
    codes: Ints
    values: Floats | None


@dataclass(frozen=True, slots=True)
class Association:
    """What a column tells of the target.

    Attributes:
        measure: ``roc_auc`` (binary), ``lambda`` (multiclass), ``r2`` of the target's ranks (regression).
        value: Out of fold; a column that tells nothing has 0.5 for ``roc_auc`` and 0 for the others.
        strength: The same from 0 (nothing) to 1 (everything).
        log_chance: Natural logarithm of a bound on the chance that a column without signal does as well.
    """

    measure: str
    value: float
    strength: float
    log_chance: float


def sample_rows(rows: Ints, *, seed: int) -> Ints:
    """Return the rows, or a seeded sample of 20,000 of them, rising."""
    if len(rows) <= MAX_ROWS:
        return rows
    return np.sort(stream(seed, "sample").choice(rows, MAX_ROWS, replace=False))


def signals(frame: pl.DataFrame, names: list[str]) -> Iterator[Signal]:
    """Return the named columns of a conformed frame as signals, one after the other."""
    frame = frame.select(names)
    for column, codes in zip(frame, level_codes(frame, text_only=True), strict=True):
        name = column.name
        if column.dtype == pl.String:
            yield Signal(name, codes.to_numpy().astype(np.int64), None)
        else:
            values = column.to_numpy().astype(np.float64)
            yield Signal(name, bins(values), values)


def level_codes(frame: pl.DataFrame, *, text_only: bool = False) -> pl.DataFrame:
    """Return the place of each value among its column's distinct values in order, from 1; 0 where missing.

    All columns are coded in one query, a tenth of the time that one query a column takes on wide tables.
    """
    chosen = cs.string() if text_only else cs.all()
    return frame.with_columns(chosen.rank("dense").fill_null(MISSING)) if frame.width else frame


def bins(values: Floats) -> Ints:
    """Return codes of numbers: 0 where NaN, odd codes for stretches, even codes for the values that part them.

    Values that part the stretches are quantiles, so a value that many rows share has a code of its own.
    """
    known = np.sort(values[~np.isnan(values)])
    if not len(known):
        return np.zeros(len(values), dtype=np.int64)
    edges = known[np.concatenate([[True], known[1:] != known[:-1]])]
    if len(edges) > N_BINS:
        n_bins = min(N_BINS, max(2, len(known) // 20))
        edges = np.unique(known[np.arange(1, n_bins) * len(known) // n_bins])
    codes = np.searchsorted(edges, values, "left") + np.searchsorted(edges, values, "right") + 1
    return np.where(np.isnan(values), MISSING, codes).astype(np.int64)


def average_rank(values: Floats) -> Floats:
    """Return ranks from 0, ties sharing their mean rank.

    >>> average_rank(np.array([5.0, 1.0, 5.0])).tolist()
    [1.5, 0.0, 1.5]
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    counts = np.diff(np.append(starts, len(values)))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(starts + (counts - 1) / 2, counts)
    return ranks


class Judge:
    """Holds columns against one target; what all columns share is worked out once.

    Args:
        task: What is asked.
        target: Encoded target, shape (n_rows,).
        seed: Deals the folds.
    """

    def __init__(self, task: Task, target: Floats | Ints, *, seed: int) -> None:
        self.kind = task.kind
        self.n_rows = len(target)
        if task.is_classification:
            self.classes, self.counts = _common_classes(target)
            self.folds = deal(self.classes, N_FOLDS, stream(seed, "judge"))
            self.truth = (self.classes == 1).astype(np.float64)
        else:
            self.truth = average_rank(np.asarray(target, dtype=np.float64))
            self.folds = deal(np.zeros(len(target), dtype=np.int64), N_FOLDS, stream(seed, "judge"))

    def judge(self, signal: Signal) -> Association:
        """Return what a column tells of the target.

        Binary: ROC AUC of the out-of-fold target mean; for numbers also of the number itself, either way round.
        Multiclass: share of the errors of always naming the commonest class that disappears (Goodman and
        Kruskal 1954). Regression: R² of the target's ranks, which no single huge value can make or break.
        """
        if self.kind is TaskKind.MULTICLASS:
            return self._lambda(signal)
        agreement = _auc if self.kind is TaskKind.BINARY else _rank_r2
        guess = _out_of_fold_mean(signal.codes, self.truth, self.folds)
        told = agreement(self.truth, average_rank(guess))
        if signal.values is None:
            return told
        present = signal.codes != MISSING
        # Less than half the rows would speak of those rows only.
        if present.sum() * 2 < self.n_rows:
            return told
        directly = agreement(self.truth[present], average_rank(signal.values[present]), either_way=True)
        return max(told, directly, key=lambda found: found.value)

    def _lambda(self, signal: Signal) -> Association:
        n_classes = len(self.counts)
        cells = (signal.codes * N_FOLDS + self.folds) * n_classes + self.classes
        size = (int(signal.codes.max()) + 1) * N_FOLDS * n_classes
        table = np.bincount(cells, minlength=size).reshape(-1, N_FOLDS, n_classes)
        # Half a row of the overall mix settles levels that no other fold has seen.
        others = table.sum(axis=1, keepdims=True) - table + 0.5 * self.counts / self.n_rows
        n_right = int(np.sum(others.argmax(axis=2)[signal.codes, self.folds] == self.classes))
        base = float(self.counts.max()) / self.n_rows
        value = max(0.0, (n_right / self.n_rows - base) / (1 - base)) if base < 1 else 0.0
        return Association("lambda", value, value, float(log_chance_of(n_right, self.n_rows, base)))


def log_chance_of(hits: Ints | int, n_rows: Ints | int, rate: float) -> Floats:
    """Return a bound on the logarithm of the chance of so many hits or more (Chernoff–Hoeffding 1963)."""
    n, rate = np.maximum(np.asarray(n_rows, dtype=np.float64), 1), min(max(rate, 1e-12), 1 - 1e-12)
    share = np.clip(np.asarray(hits, dtype=np.float64) / n, 0, 1)
    hit = share * np.log(np.maximum(share, 1e-300) / rate)
    miss = (1 - share) * np.log(np.maximum(1 - share, 1e-300) / (1 - rate))
    bound: Floats = np.where(share > rate, -n * (hit + miss), 0.0)
    return bound


def log_chance_of_correlation(r: float, ranks: Floats | Bools) -> float:
    """Return a bound on the logarithm of the chance of a correlation of r or more with these ranks.

    Fisher's transformation (1915) for many rows; but no arrangement of few rows is rarer than one in all.
    """
    n = len(ranks)
    if n < 4 or r <= 0:
        return 0.0
    fisher = _log_tail(math.atanh(min(r, 1 - 1e-12)) * math.sqrt(n - 3))
    # What is likely anyway needs no second bound, and most columns are.
    return fisher if fisher > -5 else max(fisher, -log_arrangements(ranks))


def log_arrangements(values: Array) -> float:
    """Return the logarithm of the number of different orders of these values.

    >>> round(math.exp(log_arrangements(np.array([1, 1, 2, 2]))))
    6
    """
    _, ties = np.unique(values, return_counts=True)
    return math.lgamma(len(values) + 1) - sum(math.lgamma(k + 1) for k in ties[ties > 1].tolist())


def _auc(truth: Floats, ranks: Floats, *, either_way: bool = False) -> Association:
    n_positive, n = float(truth.sum()), len(truth)
    pairs = n_positive * (n - n_positive)
    if not pairs:
        return Association("roc_auc", 0.5, 0.0, 0.0)
    value = (float(ranks[truth == 1].sum()) - n_positive * (n_positive - 1) / 2) / pairs
    value = max(value, 1 - value) if either_way else value
    # The normal tail of Mann and Whitney's statistic lies above the true one so far out.
    z = (value - 0.5) / math.sqrt((n + 1) / (12 * pairs))
    return Association("roc_auc", value, max(0.0, 2 * value - 1), _log_tail(z))


def _rank_r2(truth: Floats, ranks: Floats, *, either_way: bool = False) -> Association:
    n = len(truth)
    # The spread of ranks is measured where they are used: tied ranks spread less.
    spread = float(truth.std() * ranks.std())
    if n < 4 or not spread:
        return Association("r2", 0.0, 0.0, 0.0)
    r = float(np.mean((truth - truth.mean()) * (ranks - ranks.mean()))) / spread
    r = min(abs(r) if either_way else max(r, 0.0), 1.0)
    return Association("r2", r * r, r * r, log_chance_of_correlation(r, truth))


def _log_tail(z: float) -> float:
    """Return the logarithm of a bound on the normal tail beyond z (Chernoff), which never underflows."""
    return -z * z / 2 if z > 0 else 0.0


def _out_of_fold_mean(codes: Ints, truth: Floats, folds: Ints) -> Floats:
    """Return each row's mean truth over the rows of its code in the other folds, pulled to the mean by one row."""
    cells, size = codes * N_FOLDS + folds, (int(codes.max()) + 1) * N_FOLDS
    count = np.bincount(cells, minlength=size).reshape(-1, N_FOLDS)
    total = np.bincount(cells, weights=truth, minlength=size).reshape(-1, N_FOLDS)
    others = count.sum(axis=1, keepdims=True) - count
    mean = (total.sum(axis=1, keepdims=True) - total + truth.mean()) / (others + 1)
    guess: Floats = mean[codes, folds]
    return guess


def _common_classes(target: Floats | Ints) -> tuple[Ints, Ints]:
    """Return classes and their counts, the rarest lumped together beyond the fifty commonest."""
    classes = np.asarray(target, dtype=np.int64)
    counts = np.bincount(classes)
    if len(counts) <= MAX_CLASSES:
        return classes, counts
    place = np.empty(len(counts), dtype=np.int64)
    place[np.argsort(-counts, kind="stable")] = np.minimum(np.arange(len(counts)), MAX_CLASSES)
    return place[classes], np.bincount(place[classes])
