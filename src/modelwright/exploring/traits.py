"""Traits: in which columns some rows differ from all rows, in words and standard deviations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.contract import Kind
from modelwright.core.exploration import Trait

if TYPE_CHECKING:
    import polars as pl

    from modelwright.core.arrays import Bools
    from modelwright.core.contract import Column, Contract

MOST = 4
WEAKEST = 0.2
"""Standard deviations below which a difference is not told."""
LEVELS = 200


def traits(frame: pl.DataFrame, contract: Contract, rows: Bools) -> tuple[Trait, ...]:
    """Return the columns in which some rows differ most from all rows.

    Args:
        frame: Conformed rows.
        contract: What each column means.
        rows: Which rows, shape (n_rows,).
    """
    found = [t for c in contract.features if (t := _trait(frame[c.name], c, rows)) is not None]
    strong = [t for t in found if t.strength >= WEAKEST]
    return tuple(sorted(strong, key=lambda t: -t.strength)[:MOST])


def _trait(values: pl.Series, column: Column, rows: Bools) -> Trait | None:
    if column.kind in (Kind.NUMBER, Kind.BOOLEAN):
        return _of_numbers(values, column, rows)
    if column.kind is Kind.CATEGORY:
        return _of_levels(values, column, rows)
    return None


def _of_numbers(values: pl.Series, column: Column, rows: Bools) -> Trait | None:
    numbers = values.cast(float).to_numpy()
    here, spread = numbers[rows], float(np.nanstd(numbers)) if np.isfinite(numbers).any() else 0.0
    if not spread > 0 or not np.isfinite(here).any():
        return None
    mean, overall = float(np.nanmean(here)), float(np.nanmean(numbers))
    strength = abs(mean - overall) / spread
    if column.kind is Kind.BOOLEAN:
        return Trait(column.name, f"{100 * mean:.0f} % yes", f"{100 * overall:.0f} % yes", strength)
    return Trait(column.name, f"{mean:,.4g} on average", f"{overall:,.4g} on average", strength)


def _of_levels(values: pl.Series, column: Column, rows: Bools) -> Trait | None:
    """Return the level whose share differs most."""
    text = values.to_numpy()
    inside, best = text[rows], None
    for level in column.levels[:LEVELS]:
        overall, here = float((text == level.value).mean()), float((inside == level.value).mean())
        if 0 < overall < 1:
            strength = abs(here - overall) / math.sqrt(overall * (1 - overall))
            if best is None or strength > best.strength:
                name = level.value[:60]
                best = Trait(
                    column.name, f"{100 * here:.0f} % are {name}", f"{100 * overall:.0f} % are {name}", strength
                )
    return best
