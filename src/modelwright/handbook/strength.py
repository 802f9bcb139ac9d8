"""Strength: which columns go with the target, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats, Ints
    from modelwright.handbook.arrays import Answers


def strongest(x: Floats, y: Answers, is_classes: bool) -> Ints:
    """Return the columns by falling share of the target's variance that each explains alone.

    Args:
        x: Shape (n, columns).
        y: Shape (n,): labels as positions, or values.
        is_classes: Labels are compared by the means of their groups (the F statistic of an analysis of variance).

    >>> strongest(np.array([[0.0, 1.0], [1.0, 1.0], [0.0, 2.0], [1.0, 2.0]]), np.array([0, 0, 1, 1]), True).tolist()
    [1, 0]
    """
    return np.argsort(-explained(x, y, is_classes), kind="stable")


def explained(x: Floats, y: Answers, is_classes: bool) -> Floats:
    """Return, by column, the share of variance that column and target have in common, 0 to 1."""
    centred = x - x.mean(axis=0)
    total = (centred**2).sum(axis=0)
    if is_classes:
        groups = [centred[y == label] for label in np.unique(y)]
        between = np.sum([len(g) * g.mean(axis=0) ** 2 for g in groups], axis=0)
    else:
        aim = y - y.mean()
        size = float(aim @ aim)
        between = (centred.T @ aim) ** 2 / size if size > 0 else np.zeros(x.shape[1])
    shared: Floats = np.divide(between, total, out=np.zeros(x.shape[1]), where=total > 0)
    return shared
