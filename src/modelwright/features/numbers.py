"""Numbers and booleans, taken as they are; and how many values of a row are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from modelwright.core.matrix import Feature
from modelwright.core.state import State
from modelwright.features._craft import LARGEST, sound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from modelwright.core.arrays import Singles
    from modelwright.features._craft import Cell, Value

MISSING = "(missing values)"
"""Name and source of the feature that counts the missing values of a row."""


@dataclass(frozen=True)
class Numbers:
    """Columns whose canonical value is the feature: float32, NaN where missing."""

    columns: tuple[str, ...]

    @property
    def features(self) -> tuple[Feature, ...]:
        """One per column, of the same name."""
        return tuple(Feature(name, name) for name in self.columns)

    def fill(self, frame: pl.DataFrame, out: Singles) -> None:
        """Write the columns side by side."""
        held = np.empty(frame.height)
        for place, name in enumerate(self.columns):
            np.clip(frame[name].to_numpy(), -LARGEST, LARGEST, out=held)
            out[:, place] = held

    def cell(self, places: Mapping[str, int]) -> Cell:
        """Return the function that picks these values of a record."""
        chosen = [places[name] for name in self.columns]
        first, last = chosen[0], chosen[-1] + 1
        if chosen == list(range(first, last)):
            return lambda values: values[first:last]
        return lambda values: [values[i] for i in chosen]

    def state(self) -> State:
        """Return the names of the columns."""
        return State("numbers", {"columns": list(self.columns)})

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return the craft a state describes."""
        with sound(state.kind):
            return cls(tuple(map(str, state.meta["columns"])))


@dataclass(frozen=True)
class MissingCount:
    """How many of the columns are missing in a row."""

    columns: tuple[str, ...]

    @property
    def features(self) -> tuple[Feature, ...]:
        """A single one; its source is no column of the table."""
        return (Feature(MISSING, MISSING),)

    def fill(self, frame: pl.DataFrame, out: Singles) -> None:
        """Write the counts."""
        out[:] = 0
        for name in self.columns:
            series = frame[name]
            if series.null_count():
                out[:, 0] += series.is_null().to_numpy()

    def cell(self, places: Mapping[str, int]) -> Cell:
        """Return the function that counts the missing values of a record."""
        if set(places) == set(self.columns):
            return lambda values: (float(values.count(None)),)
        chosen = [places[name] for name in self.columns]

        def count(values: Sequence[Value]) -> Sequence[Value]:
            return (float([values[i] for i in chosen].count(None)),)

        return count

    def state(self) -> State:
        """Return the names of the columns."""
        return State("missing_count", {"columns": list(self.columns)})

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return the craft a state describes."""
        with sound(state.kind):
            return cls(tuple(map(str, state.meta["columns"])))
