"""Groups: how far a number lies from its mean among the rows of the same level."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from modelwright.core.matrix import Feature
from modelwright.core.state import State
from modelwright.features._craft import shaped, singles, sound
from modelwright.features._index import LevelIndex
from modelwright.features.categories import RARE_BELOW, count_levels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from modelwright.core.arrays import Floats, Singles
    from modelwright.features._craft import Cell, Value

PRIOR_ROWS = 10.0
"""A level's mean is held back as if so many rows of the overall mean were among its own."""


@dataclass(frozen=True)
class Deviation:
    """A number's distance from its mean within the level of a category; NaN where the number is missing.

    Attributes:
        column: The number.
        by: The category.
        levels: Known levels.
        means: Shape (len(levels) + 2,), float32: of each level, of unseen levels, and of rows without a level.
    """

    column: str
    by: str
    levels: tuple[str, ...]
    means: Singles

    @property
    def features(self) -> tuple[Feature, ...]:
        """One; both columns are its sources."""
        return (Feature(f"{self.column} − mean by {self.by}", self.column, other=self.by),)

    def fill(self, frame: pl.DataFrame, out: Singles) -> None:
        """Write the distances."""
        out[:, 0] = singles(frame[self.column].to_numpy() - self.means.take(self._index.find(frame[self.by])))

    @cached_property
    def _index(self) -> LevelIndex:
        return LevelIndex(self.levels)

    def cell(self, places: Mapping[str, int]) -> Cell:
        """Return the function that works out the distance of a record."""
        means = [float(m) for m in self.means]
        known: dict[Value, float] = {**dict(zip(self.levels, means, strict=False)), None: means[-1]}
        at, by, unseen = places[self.column], places[self.by], means[-2]

        def work_out(values: Sequence[Value]) -> Sequence[Value]:
            number = values[at]
            return [number - known.get(values[by], unseen) if isinstance(number, float) else math.nan]

        return work_out

    def state(self) -> State:
        """Return levels and means."""
        meta = {"column": self.column, "by": self.by, "levels": list(self.levels)}
        return State("deviation", meta, {"means": self.means})

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return the craft a state describes."""
        with sound(state.kind):
            column, by, levels = str(state.meta["column"]), str(state.meta["by"]), tuple(map(str, state.meta["levels"]))
            means = shaped(state.arrays["means"], (len(levels) + 2,), np.float32, where=by)
            if len(set(levels)) != len(levels) or np.isnan(means).any():
                raise ValueError("a level stands twice, or has no mean")
            return cls(column, by, levels, means)


def fit_deviation(frame: pl.DataFrame, column: str, by: str) -> Deviation:
    """Return the means of a number by the levels of a category, shrunk to the overall mean; the target is not seen.

    >>> import polars as pl
    >>> rows = pl.DataFrame({"price": [1.0, 3.0, 9.0, 11.0], "kind": ["a", "a", "b", "b"]})
    >>> fit_deviation(rows, "price", "kind").means.round(2).tolist()
    [5.329999923706055, 6.670000076293945, 6.0, 6.0]
    """
    levels, counts = count_levels(frame[by])
    levels = levels[: int((counts >= RARE_BELOW).sum())]
    groups = LevelIndex(levels).find(frame[by])
    numbers = np.asarray(frame[column].to_numpy(), dtype=np.float64)
    known = np.isfinite(numbers)
    scale = float(np.abs(numbers[known]).max(initial=0.0)) or 1.0  # sums of huge numbers stay finite
    overall = float(np.mean(numbers[known] / scale)) if known.any() else 0.0
    n_groups = len(levels) + 2
    n_rows: Floats = np.bincount(groups[known], minlength=n_groups).astype(np.float64)
    sums = np.bincount(groups[known], weights=numbers[known] / scale - overall, minlength=n_groups)
    means = (overall + sums / (n_rows + PRIOR_ROWS)) * scale
    means[-2] = overall * scale  # rare levels tell nothing about unseen ones
    return Deviation(column, by, levels, singles(means))
