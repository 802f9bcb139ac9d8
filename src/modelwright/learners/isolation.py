"""Isolation: how easily a row is told apart from all others, and how far its farthest column lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats, Ints

TREES = 200
SAMPLE = 256
HALF = 4.0
"""Standard deviations at which one column alone counts half."""


@dataclass(frozen=True, slots=True)
class Isolation:
    """A fitted isolation forest (Liu, Ting and Zhou, ICDM 2008), and which columns belong to one source.

    The forest sees rows that are odd as a whole, and hardly one that is odd in a single column of many; the
    distance of the farthest column sees just that. A row's oddness is the mean of both.
    """

    forest: Any
    source_at: Ints

    @classmethod
    def fit(cls, points: Floats, source_at: Ints, *, seed: int) -> Isolation:
        """Return what knows ordinary points.

        Args:
            points: Shape (n_rows, n_columns), each source with a variance of one.
            source_at: The source of each column, from 0.
            seed: Of the trees.
        """
        from sklearn.ensemble import IsolationForest

        sample = min(SAMPLE, len(points))
        forest = IsolationForest(n_estimators=TREES, max_samples=sample, random_state=seed).fit(points)
        return cls(forest, source_at)

    def oddness(self, points: Floats) -> Floats:
        """Return how odd each point is, 0 to 1."""
        isolated = -np.asarray(self.forest.score_samples(points), dtype=np.float64)
        squared = np.zeros((len(points), int(self.source_at.max()) + 1))
        np.add.at(squared.T, self.source_at, points.T**2)
        farthest = np.sqrt(squared.max(axis=1))
        mean: Floats = (isolated + farthest / (farthest + HALF)) / 2
        return mean
