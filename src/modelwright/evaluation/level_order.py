"""The order of levels: which levels of a column are alike in all its other columns, so that they stand side by side.

Levels have no order of their own. They are given the one in which neighbours differ least in what else the rows with
them are like, as Apley and Zhu do (Visualizing the effects of predictor variables, JRSS B 2020, section 4.4): distances
between levels, summed over the other columns, on one line by classical scaling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.core.arrays import Array, Floats, Ints


def order(place: Ints, n_levels: int, columns: Mapping[str, Array]) -> Ints:
    """Return the levels' numbers in an order in which neighbours are alike.

    Args:
        place: Which level each row has, shape (n,), 0 to ``n_levels`` − 1; every level has rows.
        n_levels: How many levels.
        columns: The other columns of the same rows: floats with NaN, or text with None.
    """
    if n_levels < 3:
        return np.arange(n_levels)
    apart = np.zeros((n_levels, n_levels))
    for values in columns.values():
        apart += _apart(place, n_levels, values)
    # Classical scaling (Torgerson 1952): the first axis of the doubly centred squares.
    squares = apart**2
    centred = squares - squares.mean(axis=0) - squares.mean(axis=1)[:, None] + squares.mean()
    line = np.linalg.eigh(-centred / 2)[1][:, -1]
    # Which end is left is of no account; the most frequent level's side is, so that the order is always the same.
    return np.argsort(line if line[0] <= 0 else -line, kind="stable")


def _apart(place: Ints, n_levels: int, values: Array) -> Floats:
    """Return how far levels lie apart in one column: Kolmogorov and Smirnov for numbers, total variation for texts."""
    if values.dtype.kind == "f":
        # A missing value is one of its own, beyond all others.
        known = np.where(np.isfinite(values), values, np.inf)
        codes = np.unique(known, return_inverse=True)[1].ravel()
    else:
        codes = np.unique(["" if v is None else f"={v}" for v in values.tolist()], return_inverse=True)[1].ravel()
    counts = np.zeros((n_levels, int(codes.max(initial=0)) + 1))
    np.add.at(counts, (place, codes), 1)
    share = counts / counts.sum(axis=1, keepdims=True)
    if values.dtype.kind == "f":
        reached = share.cumsum(axis=1)
        return np.asarray(np.abs(reached[:, None, :] - reached[None, :, :]).max(axis=2))
    return np.asarray(np.abs(share[:, None, :] - share[None, :, :]).sum(axis=2) / 2)
