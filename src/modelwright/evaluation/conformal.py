"""Uncertainty: how wide an answer must be to hold the truth nine times of ten, promised without a model of the noise.

Split conformal prediction: Vovk, Gammerman and Shafer: Algorithmic learning in a random world (2005); for labels the
sets of Sadinle, Lei and Wasserman: Least ambiguous set-valued classifiers (JASA 2019).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Floats

COVERAGE = 0.9


def reach(target: Array, scores: Floats, *, coverage: float = COVERAGE) -> float:
    """Return how far an answer must reach to hold the truth of a new row with this probability.

    For values it is the half width around the estimate; for labels the least probability that keeps a label in the
    set. Infinite (or 0) where there are too few rows to promise it. The promise is of new rows like these, in the
    mean over them.

    Args:
        target: Shape (n,), encoded, of rows the model has not learnt from.
        scores: Values (n,) or probabilities (n, n_classes).
        coverage: Between 0 and 1.
    """
    values = scores.ndim == 1
    if values:
        strange = np.abs(np.asarray(target, dtype=np.float64) - scores)
    else:
        strange = 1.0 - scores[np.arange(len(target)), np.asarray(target, dtype=np.int64)]
    rank = math.ceil((len(strange) + 1) * coverage)
    if rank > len(strange):
        return math.inf if values else 0.0
    found = float(np.sort(strange)[rank - 1])
    return found if values else 1.0 - found


def sets(scores: Floats, least: float) -> Array:
    """Return which labels stay in each row's set, shape (n, n_classes)."""
    return np.asarray(scores >= least - 1e-12)


def describe(target: Array, scores: Floats, *, coverage: float = COVERAGE) -> dict[str, Any]:
    """Return the reach and what it means for rows like these.

    Returns:
        ``coverage``, ``reach``, ``n_rows`` and, for labels, ``sure``, ``torn`` and ``lost``: shares of rows whose set
        holds one label, more, or none.
    """
    found = reach(target, scores, coverage=coverage)
    known = {"coverage": coverage, "reach": found if math.isfinite(found) else None, "n_rows": len(target)}
    if scores.ndim == 1:
        return known
    held = sets(scores, found).sum(axis=1)
    return {
        **known,
        "sure": float((held == 1).mean()),
        "torn": float((held > 1).mean()),
        "lost": float((held == 0).mean()),
    }
