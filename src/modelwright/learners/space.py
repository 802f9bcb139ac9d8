"""The space of rows: every column of the table weighs alike, whatever its kind and however many features it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modelwright.learners._design import Design

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats, Ints
    from modelwright.core.matrix import Matrix

FAR = 10.0
"""Spreads from the middle beyond which a value counts as just far, as ``Design`` has it."""


@dataclass(frozen=True, slots=True)
class Space:
    """A fitted space.

    Attributes:
        design: Scaled numbers, flags of missing values, one-hot levels.
        middle: Mean of each of its columns.
        weight: So that the columns made from one source have a variance of one together.
        source_at: Position in ``sources`` of each column.
        sources: Table columns.
        far: Spreads from the middle beyond which a value counts as just far.
    """

    design: Design
    middle: Floats
    weight: Floats
    source_at: Ints
    sources: tuple[str, ...]
    far: float = FAR

    @classmethod
    def of(cls, matrix: Matrix, *, far: float = FAR) -> Space:
        """Return the space of a matrix's rows."""
        design = Design.of(matrix)
        at = [*design.number_at, *design.flag_at, *design.level_at]
        sources = tuple(dict.fromkeys(matrix.features[int(i)].source for i in at))
        source_at = np.array([sources.index(matrix.features[int(i)].source) for i in at], dtype=np.int64)
        values = np.clip(design.apply(matrix.values), -far, far)
        spread = np.bincount(source_at, values.var(axis=0), len(sources)) if len(at) else np.zeros(0)
        weight = 1 / np.sqrt(np.where(spread > 0, spread, 1.0))
        return cls(design, values.mean(axis=0), weight[source_at], source_at, sources, far)

    def apply(self, matrix: Matrix) -> Floats:
        """Return rows as points, shape (n_rows, n_columns)."""
        return (np.clip(self.design.apply(matrix.values), -self.far, self.far) - self.middle) * self.weight
