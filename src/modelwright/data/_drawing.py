"""Drawing rows: by class, by group and by time; splits and holdouts are drawn alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from modelwright.core.errors import InvalidTask
from modelwright.data._ordering import Clock

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats, Ints
    from modelwright.core.task import Task

SMALL_ROWS = 1_000
"""Below this, a random draw of numbers can miss the low or the high ones noticeably."""

GROUP_DRAWS = 25
"""Random draws of groups, of which the one nearest to the wanted size and mix is taken."""


def strata_of(task: Task, target: Floats | Ints) -> Ints:
    """Return what is to keep its share: the class, or the tenth of the target in small regression tables."""
    if task.is_classification:
        return np.asarray(target, dtype=np.int64)
    n = len(target)
    if not 20 <= n < SMALL_ROWS:
        return np.zeros(n, dtype=np.int64)
    place = np.empty(n, dtype=np.int64)
    place[np.argsort(target, kind="stable")] = np.arange(n)
    return place * min(10, n // 10) // n


def by_class(strata: Ints, n_drawn: int, rng: np.random.Generator) -> Ints:
    """Return about ``n_drawn`` rows in which each stratum keeps its share, rising.

    A stratum of two rows or more has one at least on each side; a single row stays where models learn.
    """
    _, codes, counts = np.unique(strata, return_inverse=True, return_counts=True)
    wanted = counts * n_drawn / len(strata)
    quota = np.floor(wanted).astype(np.int64)
    rest = np.argsort(-(wanted - quota), kind="stable")[: n_drawn - int(quota.sum())]
    quota[rest] += 1
    quota = np.where(counts > 1, np.clip(quota, 1, counts - 1), 0)
    order = np.lexsort((rng.random(len(codes)), codes))
    starts = np.cumsum(counts) - counts
    place = np.arange(len(codes)) - np.repeat(starts, counts)
    return np.sort(order[place < np.repeat(quota, counts)])


def by_group(groups: Ints, strata: Ints, n_drawn: int, rng: np.random.Generator, *, where: str) -> Ints:
    """Return rows of whole groups, about ``n_drawn``, whose strata are mixed like all rows', rising.

    Raises:
        InvalidTask: All rows are of one group.
    """
    sizes = np.bincount(groups)
    if len(sizes) < 2:
        raise InvalidTask("a split by group needs two groups", where=where, got="1 group", fix="leave out --group")
    mix = np.bincount(strata) / len(strata)
    best, best_miss = np.empty(0, dtype=np.int64), np.inf
    for _ in range(GROUP_DRAWS):
        order = rng.permutation(len(sizes))
        # A group larger than what is wanted is drawn only when nothing else is left.
        order = order[np.argsort(sizes[order] > n_drawn, kind="stable")]
        reached = np.cumsum(sizes[order])[:-1]
        chosen = np.zeros(len(sizes), dtype=np.bool_)
        chosen[order[: int(np.argmin(np.abs(reached - n_drawn))) + 1]] = True
        rows = np.flatnonzero(chosen[groups])
        share = np.bincount(strata[rows], minlength=len(mix)) / len(rows)
        miss = abs(len(rows) - n_drawn) / n_drawn + float(np.abs(share - mix).sum())
        if miss < best_miss:
            best, best_miss = rows, miss
    return best


def by_time(key: Floats, n_drawn: int, *, where: str) -> Ints:
    """Return the newest rows, about ``n_drawn``, in time order; rows of one moment stay together.

    Rows whose time is unknown count as oldest: they may be learnt from, but judge nothing.

    Raises:
        InvalidTask: There is one moment only.
    """
    order = np.argsort(np.where(np.isnan(key), -np.inf, key), kind="stable")
    cuts = time_cuts(key[order])
    if not len(cuts):
        raise InvalidTask(
            "a split in time needs two moments", where=where, got="one moment", fix="name another column with --time"
        )
    return order[cuts[np.argmin(np.abs(cuts - (len(key) - n_drawn)))] :]


def time_cuts(ordered: Floats) -> Ints:
    """Return the places in an ordered clock where a new moment begins (unknown times first count as one)."""
    known = np.where(np.isnan(ordered), -np.inf, ordered)
    return np.flatnonzero(known[1:] != known[:-1]) + 1


def group_codes(frame: pl.DataFrame, group: str) -> Ints:
    """Return a number from 0 for each row's group; a row without one is a group of its own."""
    codes = frame[group].rank("dense").cast(pl.Int64).to_numpy().astype(np.float64)
    missing = np.isnan(codes)
    codes[missing] = np.arange(int(missing.sum())) + frame.height + 1
    numbered: Ints = np.unique(codes, return_inverse=True)[1].astype(np.int64)
    return numbered


def clock_of_groups(frame: pl.DataFrame, clock: Clock, group: str) -> Clock:
    """Return a clock that gives each row the first moment of its group, groups of one moment kept apart."""
    codes = group_codes(frame, group)
    known = np.where(np.isnan(clock.key), np.inf, clock.key)
    first = np.full(int(codes.max()) + 1, np.inf)
    np.minimum.at(first, codes, known)
    place = np.empty(len(first))
    place[np.argsort(first, kind="stable")] = np.arange(len(first))
    return Clock(clock.columns, np.where(np.isinf(first[codes]), np.nan, place[codes]))
