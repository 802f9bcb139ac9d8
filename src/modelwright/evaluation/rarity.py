"""Conformal p-values: how rare a row's oddness is among rows it is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats


def p_values(scores: Floats, reference: Floats) -> Floats:
    """Return for each score the chance of one as high among rows like the reference.

    Whatever the scores are, an ordinary row gets a value of at most a with a chance of at most a, as long as the
    rows of the reference were not learnt from (Vovk, Gammerman and Shafer 2005).

    Args:
        scores: Higher is odder, shape (n,).
        reference: Scores of ordinary rows, shape (m,).

    >>> p_values(np.array([5.0, 0.0]), np.array([1.0, 2.0, 3.0])).tolist()
    [0.25, 1.0]
    """
    ordered = np.sort(reference)
    above = len(ordered) - np.searchsorted(ordered, scores, side="left")
    found: Floats = (above + 1) / (len(ordered) + 1)
    return found


def among_others(scores: Floats) -> Floats:
    """Return for each score the share of all scores that are at least as high: its rank as a p-value."""
    ordered = np.sort(scores)
    found: Floats = (len(ordered) - np.searchsorted(ordered, scores, side="left")) / len(ordered)
    return found
