"""How good groups are: whether they are found again, and how far apart they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats, Ints


def adjusted_rand(a: Ints, b: Ints) -> float:
    """Return how far two groupings of the same rows agree: 1 wholly, 0 as by chance (Hubert and Arabie 1985).

    >>> adjusted_rand(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
    1.0
    """
    table = _table(a, b)
    n = int(table.sum())
    both, first, second = (float((m * (m - 1) / 2).sum()) for m in (table, table.sum(axis=1), table.sum(axis=0)))
    expected = first * second / (n * (n - 1) / 2) if n > 1 else 0.0
    most = (first + second) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)


def jaccard(a: Ints, b: Ints) -> Floats:
    """Return for each group of a the overlap with the group of b that is most like it, 0 to 1 (Hennig 2007)."""
    table = _table(a, b)
    union = table.sum(axis=1)[:, None] + table.sum(axis=0) - table
    found: Floats = (table / np.maximum(union, 1)).max(axis=1)
    return found


def silhouette(distances: Floats, labels: Ints) -> float:
    """Return the mean silhouette (Rousseeuw 1987): how much nearer rows are to their own group than to the next.

    Args:
        distances: Between all rows, shape (n, n).
        labels: Groups, shape (n,), two or more.
    """
    groups, place, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    if len(groups) < 2:
        return 0.0
    member = (place[:, None] == np.arange(len(groups))).astype(np.float64)
    sums = distances @ member
    rows = np.arange(len(labels))
    own_size = sizes[place]
    own = sums[rows, place] / np.maximum(own_size - 1, 1)
    others = sums / sizes
    others[rows, place] = np.inf
    next_ = others.min(axis=1)
    widest = np.maximum(own, next_)
    value = np.where((own_size > 1) & (widest > 0), (next_ - own) / np.where(widest > 0, widest, 1.0), 0.0)
    return float(value.mean())


def _table(a: Ints, b: Ints) -> Ints:
    table = np.zeros((int(a.max()) + 1, int(b.max()) + 1), dtype=np.int64)
    np.add.at(table, (a, b), 1)
    return table
