"""From a table to points: the contract's columns through the feature plan, none of them a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.core.errors import InvalidTask
from modelwright.core.matrix import Matrix
from modelwright.features.plan import FeaturePlan, recommend
from modelwright.learners.space import Space

if TYPE_CHECKING:
    import polars as pl

    from modelwright.core.arrays import Floats
    from modelwright.core.contract import Contract

ROWS_LEAST = 20


@dataclass(frozen=True, slots=True)
class Points:
    """Rows as points.

    Attributes:
        plan: From conformed rows to a matrix.
        space: From a matrix to points.
        values: Shape (n_rows, n_columns).
    """

    plan: FeaturePlan
    space: Space
    values: Floats

    @classmethod
    def of(cls, frame: pl.DataFrame, contract: Contract, *, seed: int, far: float) -> Points:
        """Return the points of conformed rows.

        Args:
            frame: At least 20 rows.
            contract: What each column means.
            seed: Of the text components.
            far: Spreads from the middle beyond which a value counts as just far.

        Raises:
            InvalidTask: There are too few rows, or no column tells them apart.
        """
        if frame.height < ROWS_LEAST:
            raise InvalidTask(
                f"order is sought among at least {ROWS_LEAST} rows", got=f"{frame.height} rows", fix="give more rows"
            )
        recipe = recommend(contract, n_classes=0, n_rows=frame.height)
        plan = FeaturePlan.fit(frame, contract, recipe, seed=seed) if recipe.steps else None
        space = None if plan is None else Space.of(_of_columns(plan, frame), far=far)
        if plan is None or space is None or not space.sources:
            raise InvalidTask(
                "at least one column tells rows apart",
                got="only constants, identifiers and ignored columns",
                fix="add columns, or change what a column is taken for with --contract",
            )
        return cls(plan, space, space.apply(_of_columns(plan, frame)))

    def more(self, frame: pl.DataFrame) -> Floats:
        """Return further conformed rows as points of the same space."""
        return self.space.apply(_of_columns(self.plan, frame))


def _of_columns(plan: FeaturePlan, frame: pl.DataFrame) -> Matrix:
    """Return the matrix without features of several columns at once: the count of missing values has no column."""
    matrix = plan.matrix(frame)
    kept = [i for i, feature in enumerate(matrix.features) if feature.source in plan.contract and not feature.other]
    return Matrix(matrix.values[:, kept], tuple(matrix.features[i] for i in kept))
