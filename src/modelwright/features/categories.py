"""Categories: each level is looked up in a table of numbers, for codes, counts and target means alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from modelwright.core.matrix import Feature
from modelwright.core.state import State
from modelwright.features._craft import features_from_meta, features_to_meta, shaped, sound
from modelwright.features._index import LevelIndex

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from modelwright.core.arrays import Ints, Singles
    from modelwright.features._craft import Cell, Value

RARE_BELOW = 2
"""A level seen fewer times than this in training is treated like one never seen."""


def count_levels(series: pl.Series) -> tuple[tuple[str, ...], Ints]:
    """Return the levels of a text column by falling count, ties by name, and their counts."""
    counts = series.drop_nulls().alias("level").value_counts(name="count")
    counts = counts.sort(["count", "level"], descending=[True, False])
    return tuple(counts["level"].to_list()), counts["count"].to_numpy().astype(np.int64)


@dataclass(frozen=True)
class Lookup:
    """A table of numbers with one row a level, then one for unseen levels and one for missing values.

    Attributes:
        column: The column of levels.
        made: The features, one per column of ``table``.
        levels: Known levels.
        table: Shape (len(levels) + 2, n_features), float32.
    """

    column: str
    made: tuple[Feature, ...]
    levels: tuple[str, ...]
    table: Singles

    @property
    def features(self) -> tuple[Feature, ...]:
        """The features it makes."""
        return self.made

    def fill(self, frame: pl.DataFrame, out: Singles) -> None:
        """Write the table's row of each value."""
        out[:] = self.table.take(self._index.find(frame[self.column]), axis=0)

    @cached_property
    def _index(self) -> LevelIndex:
        return LevelIndex(self.levels)

    @cached_property
    def _answers(self) -> dict[Value, tuple[float, ...]]:
        rows = list(map(tuple, self.table.tolist()))
        return {**dict(zip(self.levels, rows, strict=False)), None: rows[-1]}

    def cell(self, places: Mapping[str, int]) -> Cell:
        """Return the function that looks up the value of a record."""
        place, find, unseen = places[self.column], self._answers.get, tuple(self.table[-2].tolist())
        return lambda values: find(values[place], unseen)

    def state(self) -> State:
        """Return levels and table."""
        meta = {"column": self.column, "features": features_to_meta(self.made), "levels": list(self.levels)}
        return State("lookup", meta, {"table": self.table})

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return the craft a state describes."""
        with sound(state.kind):
            made, levels = features_from_meta(state.meta["features"]), tuple(map(str, state.meta["levels"]))
            shape = (len(levels) + 2, len(made))
            table = shaped(state.arrays["table"], shape, np.float32, where=str(state.meta["column"]))
            if len(set(levels)) != len(levels):
                raise ValueError("a level stands twice")
            return cls(str(state.meta["column"]), made, levels, table)


def encode_levels(series: pl.Series, *, max_codes: int, count_from: int) -> Lookup:
    """Return codes by falling count, and log counts for a column of many levels.

    Missing is NaN. Rare levels, those beyond ``max_codes`` and unseen ones share the last code, so that a model
    learns from rare levels how to treat unseen ones, and never takes an unseen level for a missing value.

    Args:
        series: Levels of the training rows, as text.
        max_codes: Codes given at most, besides the shared one.
        count_from: With more distinct levels than this, the logarithm of the count is a second feature.

    >>> import polars as pl
    >>> lookup = encode_levels(pl.Series("c", ["a", "b", "a", "b", "a", "z"]), max_codes=9, count_from=50)
    >>> values = np.empty((4, 1), dtype=np.float32)
    >>> lookup.fill(pl.DataFrame({"c": ["a", "b", "z", None]}), values)
    >>> values.ravel().tolist()
    [0.0, 1.0, 2.0, nan]
    """
    levels, counts = count_levels(series)
    n_distinct = len(levels)
    n_kept = int((counts >= RARE_BELOW).sum())
    levels, counts = levels[:n_kept], counts[:n_kept]
    name, n_codes = series.name, min(n_kept, max_codes)
    made = [Feature(name, name, n_levels=n_codes + 1)]
    columns = [np.append(np.minimum(np.arange(n_kept + 1), n_codes), np.nan)]
    if n_distinct > count_from:
        made.append(Feature(f"{name}.log_count", name))
        columns.append(np.concatenate([np.log(counts), [0.0, np.nan]]))
    elif n_kept > n_codes:
        levels, columns = levels[:n_codes], [np.append(columns[0][: n_codes + 1], np.nan)]
    return Lookup(name, tuple(made), levels, np.column_stack(columns).astype(np.float32))
