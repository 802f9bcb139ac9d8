"""Carrying: reasons for a margin become reasons for what the margin is turned into.

A margin moves from where it starts to where the row puts it, and each column has its share of the way. What is made
of the margin moves with it; each column gets the part of that movement which its share of the way brought about,
gathered along the straight line (Aumann and Shapley 1974). For one margin this is the rescale rule, which carries
Shapley values through a series of models: Chen, Lundberg and Lee: Explaining a series of models by propagating
Shapley values (Nature Communications 2022).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.core.arrays import Floats

N_POINTS = 24
TINY = 1e-9


def carried(
    turn: Callable[[Floats], Floats], slopes: Callable[[Floats], Floats], start: Floats, end: Floats, parts: Floats
) -> Floats:
    """Return the parts of ``turn(end) − turn(start)``, given the parts of ``end − start``.

    Args:
        turn: From (n, width) margins to (n, n_answers) answers.
        slopes: From (n, width) margins to (n, n_answers, width) derivatives.
        start: Shape (width,), the same for all rows.
        end: Shape (n, width).
        parts: Shape (n, n_columns, width); their sum over columns is ``end − start``.

    Returns:
        Shape (n, n_columns, n_answers); their sum over columns is the difference of the answers.
    """
    at, weight = np.polynomial.legendre.leggauss(N_POINTS)
    mean: Floats = np.zeros(1)
    for point, share in zip((at + 1) / 2, weight / 2, strict=True):
        mean = mean + share * slopes(start + point * (end - start))
    moved = np.einsum("nkj,ncj->nck", mean, parts)
    return settled(moved, turn(end) - turn(start[None, :]))


def rescaled(start: Floats, end: Floats, begun: Floats, ended: Floats, parts: Floats) -> Floats:
    """Return the parts of ``ended − begun``, what one margin is turned into, given those of ``end − start``.

    Args:
        start: Shape (n,) or (1,), the margins rows start from.
        end: Shape (n,), the margins.
        begun: What ``start`` is turned into.
        ended: What ``end`` is turned into.
        parts: Shape (n, n_columns); their sum is ``end − start``.
    """
    way, moved = end - start, ended - begun
    is_far = np.abs(way) > TINY * (1.0 + np.abs(end))
    # Where a row ends where it started its parts cancel; the usual slope of the others serves to show them.
    slope = np.divide(moved, way, out=np.zeros(len(way)), where=is_far)
    if not is_far.all():
        slope[~is_far] = np.median(slope[is_far]) if is_far.any() else 1.0
    return settled((parts * slope[:, None])[:, :, None], moved[:, None])[:, :, 0]


def settled(parts: Floats, total: Floats) -> Floats:
    """Return parts that add up to the total exactly: what is missing is dealt out in proportion to their size.

    Args:
        parts: Shape (n, n_columns, n_answers).
        total: Shape (n, n_answers).
    """
    missing = total - parts.sum(axis=1)
    size = np.abs(parts)
    whole = size.sum(axis=1)
    # A row without any part has nothing to be proportional to.
    share = np.where(whole[:, None, :] > 0, size, 1.0) / np.where(whole > 0, whole, parts.shape[1])[:, None, :]
    return np.asarray(parts + share * missing[:, None, :])


def softmax_slopes(margins: Floats) -> Floats:
    """Return the derivatives of softmax, shape (n, k, k)."""
    powers = np.exp(margins - margins.max(axis=1, keepdims=True))
    told = powers / powers.sum(axis=1, keepdims=True)
    return np.asarray(told[:, :, None] * (np.eye(told.shape[1]) - told[:, None, :]))


def share_slopes(margins: Floats) -> Floats:
    """Return the derivatives of margins divided by their sum, shape (n, k, k)."""
    total = margins.sum(axis=1)[:, None, None]
    told = margins / margins.sum(axis=1, keepdims=True)
    return np.asarray((np.eye(told.shape[1]) - told[:, :, None]) / total)
