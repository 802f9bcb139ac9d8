"""What a column's values tell once its kind is known: counts, range, levels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.contract import Column, Kind, Level
from modelwright.data._cells import read_cells

if TYPE_CHECKING:
    import polars as pl

MAX_LEVELS = 1_000
_LEVELLED = (Kind.CATEGORY, Kind.CONSTANT)


def learn(raw: pl.Series, column: Column) -> tuple[Column, int, str]:
    """Return the column with everything its values tell, how many cells were unreadable, and one of these."""
    cells = read_cells(raw, column)
    # Each polars step has a price of its own, which tells in a table of 5,000 columns.
    present = cells.series.drop_nulls() if cells.series.null_count() else cells.series
    facts = replace(column, n_rows=raw.len(), n_missing=raw.len() - present.len(), levels=())
    if column.kind in _LEVELLED:
        counted = present.alias("level").value_counts(name="count")
        top = sorted(counted.rows(), key=lambda row: (-row[1], row[0]))[:MAX_LEVELS]
        facts = replace(facts, n_distinct=counted.height, levels=tuple(Level(*row) for row in top))
    else:
        facts = replace(facts, n_distinct=present.n_unique())
    if column.is_numeric and present.len():
        numbers = present.to_numpy()
        is_integer = bool((numbers == np.floor(numbers)).all())
        facts = replace(facts, low=float(numbers.min()), high=float(numbers.max()), is_integer=is_integer)
    return facts, cells.n_unreadable, cells.example
