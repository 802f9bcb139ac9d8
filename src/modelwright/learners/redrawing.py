"""What chances come to, by what came true of them: several ways to redraw them, averaged by how well each foretells.

Which way is right is seldom known from a few thousand outcomes. Taking the best one is wrong whenever luck chose it;
over the truths of tests/learners/test_redrawing.py the average is nearer than chances as they are or only risen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modelwright.learners.calibration import FLOOR, N_FOLDS, ROWS_MIN, calibrated_by

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.core.arrays import Floats, Ints

DRAWS = 200
"""Of the weights that rows might have had, over which ways are averaged."""


@dataclass(frozen=True, slots=True)
class Monotone:
    """The chances of a positive label, redrawn so that they rise with the old ones and come true on the reference.

    Isotonic regression (Zadrozny and Elkan, KDD 2002). How many answers are right hangs on chances near the
    threshold, where straight lines miss; what it comes to is in benchmarks/results/estimates.md.

    Attributes:
        old: Rising, shape (n,).
        new: Likewise.
    """

    old: Floats
    new: Floats

    @classmethod
    def of(cls, scores: Floats, target: Ints) -> Monotone:
        """Return what reference rows say, scores of shape (n_rows, 2)."""
        from scipy.optimize import isotonic_regression

        old, place, count = np.unique(scores[:, 1], return_inverse=True, return_counts=True)
        found = isotonic_regression(np.bincount(place, weights=target) / count, weights=count)
        least = 0.5 / len(scores)  # no chance is none at all
        return cls(old, np.clip(found.x, least, 1 - least))

    def apply(self, scores: Floats) -> Floats:
        """Return the chances of both labels."""
        positive = np.interp(scores[:, 1], self.old, self.new)
        return np.column_stack([1 - positive, positive])


@dataclass(frozen=True, slots=True)
class Averaged:
    """Chances as several ways redraw them, averaged.

    Attributes:
        ways: What each makes of chances, shape (n_rows, n_classes) to the same.
        weights: Of the ways; they sum to one.
    """

    ways: Sequence[Callable[[Floats], Floats]]
    weights: Floats

    def apply(self, scores: Floats) -> Floats:
        """Return redrawn chances of the same shape."""
        return np.asarray(sum(w * way(scores) for way, w in zip(self.ways, self.weights, strict=True)))


def redraw(scores: Floats, target: Ints, *, seed: int = 0) -> Averaged | None:
    """Return how chances are to be redrawn by what came true.

    The ways: as they are, of another temperature, affine in the logarithms, and for two labels whatever rises with
    them. Each weighs as much as is expected of its share of all likelihoods on rows it was not fitted on, the
    expectation over weights the rows might have had (pseudo-BMA+: Yao, Vehtari, Simpson and Gelman, Bayesian Analysis
    2018).

    Args:
        scores: Chances of rows that the model has not learnt from, shape (n_rows, n_classes).
        target: Positions of the true labels, shape (n_rows,).
        seed: Divides the rows and draws their weights.

    Returns:
        None under 200 rows, which are too few to redraw anything by.

    >>> told = np.repeat([[0.1, 0.9], [0.9, 0.1]], 500, axis=0)
    >>> truth = np.tile([0, 1, 1, 0, 1, 0, 1, 0, 0, 1], 100)  # right as often as wrong
    >>> redraw(told, truth).apply(told[:1]).round(1).tolist()
    [[0.5, 0.5]]
    """
    n_rows, n_classes = scores.shape
    if n_rows < ROWS_MIN:
        return None
    fits = [_temperature, _affine, *([_monotone] if n_classes == 2 else [])]
    rng = np.random.default_rng(seed)
    fold = rng.permutation(n_rows) % N_FOLDS
    foretold = np.empty((1 + len(fits), n_rows))
    foretold[0] = _of_truth(scores, target)
    for i, fit in enumerate(fits, start=1):
        for k in range(N_FOLDS):
            learnt, judged = fold != k, fold == k
            redrawn = fit(scores[learnt], target[learnt])(scores[judged])
            foretold[i, judged] = _of_truth(redrawn, target[judged])
    likelihoods = np.log(np.clip(foretold, FLOOR, 1.0))
    weights = np.zeros(len(likelihoods))
    for _ in range(DRAWS):
        total = likelihoods @ (rng.dirichlet(np.ones(n_rows)) * n_rows)
        share = np.exp(total - total.max())
        weights += share / share.sum() / DRAWS
    return Averaged([_as_it_is, *(fit(scores, target) for fit in fits)], weights)


def _of_truth(scores: Floats, target: Ints) -> Floats:
    return np.asarray(scores[np.arange(len(target)), target])


def _as_it_is(scores: Floats) -> Floats:
    return scores


def _temperature(scores: Floats, target: Ints) -> Callable[[Floats], Floats]:
    return calibrated_by("temperature", scores, target).apply


def _affine(scores: Floats, target: Ints) -> Callable[[Floats], Floats]:
    return calibrated_by("affine", scores, target).apply


def _monotone(scores: Floats, target: Ints) -> Callable[[Floats], Floats]:
    return Monotone.of(scores, target).apply
