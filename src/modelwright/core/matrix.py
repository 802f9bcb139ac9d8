"""The matrix: what learners learn from, numbers only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from modelwright.core.arrays import Ints, Singles


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of a matrix.

    Attributes:
        name: Unique within the matrix, such as ``date.hour``.
        source: The table column it was made from.
        n_levels: For category codes the number of codes (values are 0 … n_levels-1, NaN when missing; the
            last code stands for rare and unseen levels); 0 for numbers.
        other: The second column it was made from, or "".
    """

    name: str
    source: str
    n_levels: int = 0
    other: str = ""

    @property
    def is_category(self) -> bool:
        """Whether the values are codes without an order."""
        return self.n_levels > 0


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of float32 numbers, NaN where missing.

    Attributes:
        values: Shape (n_rows, n_features), C order, finite or NaN.
        features: One per column of ``values``.
    """

    values: Singles
    features: tuple[Feature, ...]

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return int(self.values.shape[0])

    def take(self, rows: Ints) -> Matrix:
        """Return the rows at these positions."""
        return Matrix(self.values[rows], self.features)

    @property
    def categories(self) -> list[int]:
        """Positions of the category features."""
        return [i for i, f in enumerate(self.features) if f.is_category]

    @property
    def numbers(self) -> list[int]:
        """Positions of the number features."""
        return [i for i, f in enumerate(self.features) if not f.is_category]

    def beside(self, other: Matrix) -> Matrix:
        """Return this matrix with the columns of another, of as many rows, to its right."""
        values = np.ascontiguousarray(np.hstack([self.values, other.values]))
        return Matrix(values, self.features + other.features)
