"""Shrunk means: what a level says about the target, held back where it was seen seldom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.core.arrays import Floats, Ints

_LEAST_PRIOR_ROWS = 1.0  # a level seen once is never believed by more than a half


def level_means(groups: Ints, n_groups: int, answers: Floats, weight: Floats) -> Floats:
    """Return the mean answers of each group, shrunk towards the overall mean by empirical Bayes.

    The overall mean counts as so many rows as the variance within groups is larger than the variance between their
    true means, both estimated by a one-way random-effects analysis of variance (Searle, Casella & McCulloch 1992;
    for target encoding Micci-Barreca 2001). Groups without rows get the overall mean, and so does every group when
    the groups differ no more than chance would have them.

    Args:
        groups: Group of each row, shape (n_rows,), 0 to n_groups - 1.
        n_groups: How many groups there are.
        answers: Shape (n_rows, n_answers).
        weight: Row weights of mean about one, shape (n_rows,).

    Returns:
        Shape (n_groups, n_answers).

    >>> level_means(np.array([0, 0, 1, 1]), 3, np.array([[1.0], [1.0], [0.0], [0.0]]), np.ones(4)).ravel().round(2)
    array([0.83, 0.17, 0.5 ])
    """
    scale = np.abs(answers).max(axis=0, initial=0.0)
    scale[scale == 0] = 1.0  # and squares of huge targets stay finite
    scaled = answers / scale
    n_rows: Floats = np.bincount(groups, weights=weight, minlength=n_groups).astype(np.float64)
    mean = weight @ scaled / weight.sum()
    columns = [_shrunk(groups, n_rows, weight, column) for column in (scaled - mean).T]
    means: Floats = (np.column_stack(columns) + mean) * scale
    return means


def _shrunk(groups: Ints, n_rows: Floats, weight: Floats, centred: Floats) -> Floats:
    sums = np.bincount(groups, weights=weight * centred, minlength=len(n_rows))
    present = n_rows > 0
    n_total, n_present = n_rows.sum(), int(present.sum())
    between = float((sums[present] ** 2 / n_rows[present]).sum())
    within = max(float(weight @ centred**2) - between, 0.0)
    freedom = n_total - n_present
    spread = n_total - float((n_rows**2).sum()) / n_total
    if freedom <= 0 or spread <= 0:  # each group seen once, or one group only: nothing tells signal from noise
        return np.zeros(len(n_rows))
    noise = within / freedom
    signal = (between - (n_present - 1) * noise) / spread
    if signal <= 0:
        return np.zeros(len(n_rows))
    prior_rows = max(noise / signal, _LEAST_PRIOR_ROWS)
    shrunk: Floats = sums / (n_rows + prior_rows)
    return shrunk


def out_of_fold(folds: Ints, width: int, encode: Callable[[Ints, Ints], Floats]) -> Floats:
    """Return for the rows of each fold what ``encode(fit_rows, held_rows)`` makes of them; NaN for a lone row.

    Args:
        folds: Fold of each row, shape (n_rows,).
        width: How many numbers a row becomes.
        encode: Learns from the first row numbers and returns the encodings of the second.
    """
    values = np.full((len(folds), width), np.nan)
    for fold in np.unique(folds):
        held = folds == fold
        if not held.all():
            values[held] = encode(np.flatnonzero(~held), np.flatnonzero(held))
    return values
