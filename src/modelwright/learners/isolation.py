"""Isolation: how easily a row is told apart from all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats

TREES = 200
SAMPLE = 256


@dataclass(frozen=True, slots=True)
class Isolation:
    """A fitted isolation forest (Liu, Ting and Zhou, ICDM 2008)."""

    forest: Any

    @classmethod
    def fit(cls, points: Floats, *, seed: int) -> Isolation:
        """Return the forest of some points, shape (n_rows, n_columns)."""
        from sklearn.ensemble import IsolationForest

        sample = min(SAMPLE, len(points))
        return cls(IsolationForest(n_estimators=TREES, max_samples=sample, random_state=seed).fit(points))

    def oddness(self, points: Floats) -> Floats:
        """Return how odd each point is: 0 to 1, about 0.4 for ordinary ones."""
        return -np.asarray(self.forest.score_samples(points), dtype=np.float64)
