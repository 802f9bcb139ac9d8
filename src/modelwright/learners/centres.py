"""Centres: groups of points by k-means, and which group a point belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats, Ints


FEW = 5_000
"""Rows up to which groups are sought by one thread."""


@dataclass(frozen=True, slots=True)
class Centres:
    """Fitted groups: one centre each, shape (n_groups, n_columns)."""

    points: Floats

    @classmethod
    def fit(cls, points: Floats, n: int, *, seed: int, starts: int = 4) -> Centres:
        """Return the centres of n groups.

        Args:
            points: Shape (n_rows, n_columns), at least n rows.
            n: How many groups, from 1.
            seed: Of the starts.
            starts: How many times to begin; the tightest groups are kept.
        """
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        # So few rows are not worth threads, and threads that wait for each other cost most on a busy machine.
        with threadpool_limits(1 if len(points) < FEW else None):
            found = KMeans(n, n_init=starts, random_state=seed, algorithm="lloyd").fit(points)
        return cls(np.asarray(found.cluster_centers_, dtype=np.float64))

    def distances(self, points: Floats) -> Floats:
        """Return the distance of each point to each centre, shape (n_rows, n_groups)."""
        squared = (points**2).sum(axis=1)[:, None] - 2 * points @ self.points.T + (self.points**2).sum(axis=1)
        found: Floats = np.sqrt(np.maximum(squared, 0.0))
        return found

    def assign(self, points: Floats) -> Ints:
        """Return the nearest centre of each point."""
        nearest: Ints = self.distances(points).argmin(axis=1)
        return nearest
