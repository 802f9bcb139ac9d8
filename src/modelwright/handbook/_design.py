"""The design: a matrix as textbook methods want it, without gaps, categories one-hot, columns on one scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl

    from modelwright.core.arrays import Floats, Ints
    from modelwright.core.matrix import Feature, Matrix

LEVELS_MOST = 10
"""Levels of one category that get a column of their own; each must have been seen ``LEVEL_ROWS`` times."""
LEVEL_ROWS = 5
COLUMNS_MOST = 100
DEVIATIONS_MOST = 6.0


def design(
    matrices: tuple[Matrix, Matrix], frame: pl.DataFrame
) -> tuple[tuple[str, ...], tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Return column names, the raw columns of both sides, and the same standardised by the first side.

    Numbers: gaps are filled with the median of the first side, and a column that says where they were is added;
    categories: a column per frequent level. Columns that are constant in the first side are left out.

    Args:
        matrices: Rows to learn from, rows held back.
        frame: The conformed rows behind the first matrix, for the names of levels.
    """
    names: list[str] = []
    columns: list[tuple[Floats, Floats]] = []
    order = sorted(range(len(matrices[0].features)), key=lambda i: matrices[0].features[i].is_category)
    for i in order:
        feature = matrices[0].features[i]
        pair = matrices[0].values[:, i].astype(np.float64), matrices[1].values[:, i].astype(np.float64)
        made = _levels(feature, *pair, frame) if feature.is_category else _number(feature.name, *pair)
        for name, a, b in made:
            if np.ptp(a) > 0 and len(names) < COLUMNS_MOST:
                names.append(name)
                columns.append((a, b))
    n_rows = matrices[0].n_rows, matrices[1].n_rows
    raws = tuple(
        np.column_stack([c[side] for c in columns]) if columns else np.zeros((n_rows[side], 0)) for side in (0, 1)
    )
    mean, spread = raws[0].mean(axis=0), raws[0].std(axis=0)
    spread[spread == 0] = 1.0
    xs = tuple(np.clip((raw - mean) / spread, -DEVIATIONS_MOST, DEVIATIONS_MOST) for raw in raws)
    return tuple(names), (raws[0], raws[1]), (xs[0], xs[1])


def _number(name: str, fit: Floats, held: Floats) -> list[tuple[str, Floats, Floats]]:
    known = np.isfinite(fit)
    if not known.any():
        return []
    middle = float(np.median(fit[known]))
    made = [(name, np.where(known, fit, middle), np.where(np.isfinite(held), held, middle))]
    if not known.all():
        made.append((f"{name} is missing", (~known).astype(np.float64), (~np.isfinite(held)).astype(np.float64)))
    return made


def _levels(feature: Feature, fit: Floats, held: Floats, frame: pl.DataFrame) -> list[tuple[str, Floats, Floats]]:
    codes, counts = np.unique(fit[np.isfinite(fit)], return_counts=True)
    kept = codes[np.argsort(-counts, kind="stable")][:LEVELS_MOST]
    seen = dict(zip(codes.tolist(), counts.tolist(), strict=True))
    frequent = [float(code) for code in kept if seen[float(code)] >= LEVEL_ROWS]
    return [(f"{feature.name} = {_level(feature, fit == c, frame)}", _is(fit, c), _is(held, c)) for c in frequent]


def _is(codes: Floats, code: float) -> Floats:
    return np.asarray(codes == code, dtype=np.float64)


def _level(feature: Feature, rows: Ints | np.ndarray, frame: pl.DataFrame) -> str:
    """Return how the level of these rows is spelled in the table."""
    spelled = frame.get_column(feature.source).filter(rows).unique(maintain_order=True)
    return str(spelled[0]) if spelled.len() == 1 else "other"
