"""Relations between columns: one number a row that says how unusual its combination of values is.

Numbers are put on the normal scale by their reference rank; the squared Mahalanobis distance of a row is large when
values come together that did not. One half of the reference teaches the covariance, the other what is usual, so
that new rows and reference rows are treated alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from modelwright.core.arrays import Floats, Ints
    from modelwright.monitoring.traits import Trait

COLUMNS_MOST = 120
SHRINKAGE = 0.05
ROWS_LEAST = 200
ROWS_AT_ONCE = 50_000
NAME = ("relations between columns", "")


@dataclass(frozen=True, slots=True)
class Relations:
    """How the number columns go together.

    Attributes:
        traits: Whose bins give each value its rank.
        normal: By trait: the normal score of each bin, 0 for missing.
        whitening: Shape (n_traits, n_traits): turns scores into independent ones.
    """

    traits: tuple[Trait, ...]
    normal: tuple[Floats, ...]
    whitening: Floats

    def distances(self, codes: Mapping[tuple[str, str], Ints]) -> Floats:
        """Return the logarithm of each row's squared distance, shape (n,), from the bins of its values."""
        bins = [codes[t.name, t.column] for t in self.traits]
        n = len(bins[0])
        found = np.empty(n)
        for start in range(0, n, ROWS_AT_ONCE):
            rows = self._scores([b[start : start + ROWS_AT_ONCE] for b in bins])
            found[start : start + ROWS_AT_ONCE] = np.log1p(((rows @ self.whitening) ** 2).sum(axis=1))
        return found

    def _scores(self, bins: Sequence[Ints]) -> Floats:
        scores = np.empty((len(bins[0]), len(bins)), dtype=np.float64)
        for i, (normal, b) in enumerate(zip(self.normal, bins, strict=True)):
            scores[:, i] = normal[b]
        return scores


def fit_relations(
    traits: Sequence[Trait], values: Mapping[tuple[str, str], pl.Series | Floats], *, seed: int = 0
) -> tuple[Relations, Floats, Ints] | None:
    """Return the relations of the number columns, distances of the rows they were not learnt from, and those rows.

    None where there are fewer than two such columns, or too few rows.
    """
    from scipy.special import ndtri

    n = len(next(iter(values.values()))) if values else 0
    numeric = [t for t in traits if t.edges is not None and t.n_bins > 4 and len(values[t.name, t.column]) == n]
    numeric = numeric[:COLUMNS_MOST]
    if len(numeric) < 2 or n < max(ROWS_LEAST, 10 * len(numeric)):
        return None
    normal = []
    for trait in numeric:
        counts = trait.count(values[trait.name, trait.column]).astype(np.float64)[:-1]
        total = max(counts.sum(), 1.0)
        rank = (np.cumsum(counts) - counts / 2 + 0.25) / (total + 0.5)
        normal.append(np.append(ndtri(np.clip(rank, 1e-4, 1 - 1e-4)), 0.0))
    order = np.random.default_rng(seed).permutation(n)
    learnt, kept = order[: n // 2], np.sort(order[n // 2 :])
    blank = Relations(tuple(numeric), tuple(normal), np.eye(len(numeric)))
    rows = blank._scores([t.codes(values[t.name, t.column]) for t in numeric])
    size = np.maximum(rows[learnt].std(axis=0), 1e-6)
    covariance = np.cov(rows[learnt] / size, rowvar=False)
    covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.eye(len(numeric))
    lower = np.linalg.cholesky(np.linalg.inv(covariance))
    fitted = Relations(tuple(numeric), tuple(normal), lower / size[:, None])
    return fitted, np.log1p(((rows[kept] @ fitted.whitening) ** 2).sum(axis=1)), kept
