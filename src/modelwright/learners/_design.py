"""The design: a matrix made fit for learners that need scaled, complete numbers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.learners._unfolding import array, positions, refuse, whole, width

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Bools, Floats, Ints, Singles
    from modelwright.core.matrix import Matrix
    from modelwright.core.state import State

LEVELS_MAX = 50
"""Categories with more codes are left to their encodings."""
CLIP = 10.0
"""Spreads from the middle beyond which a value counts as just far: huge values must not drown the rest."""
SAMPLE_ROWS = 10_000
"""Rows that quartiles are taken from."""


@dataclass(frozen=True, slots=True)
class Design:
    """Numbers by robust scale, missing as the median beside a flag, category codes one-hot.

    Attributes:
        n_features: Columns of the matrix it takes.
        number_at: Columns of the numbers kept: those that vary.
        middle: Median of each.
        spread: Interquartile range in standard deviations, or the standard deviation where that is zero.
        flag_at: Columns that get a flag where a value is missing.
        level_at: Column of each one-hot output.
        level: Code of each one-hot output.
    """

    n_features: int
    number_at: Ints
    middle: Floats
    spread: Floats
    flag_at: Ints
    level_at: Ints
    level: Floats

    @classmethod
    def of(cls, matrix: Matrix, *, levels_max: int = LEVELS_MAX) -> Design:
        """Return the design that suits a matrix; categories with more codes than ``levels_max`` are left out."""
        scales = {at: _scale(matrix.values[:SAMPLE_ROWS, at], matrix.values[:, at]) for at in matrix.numbers}
        kept = [at for at, (_, spread) in scales.items() if spread > 0]
        missing: Bools = np.asarray(np.isnan(matrix.values).any(axis=0))
        coded = [at for at in matrix.categories if matrix.features[at].n_levels <= levels_max]
        levels = [(at, code) for at in coded for code in np.unique(matrix.values[:, at]) if code == code]  # noqa: PLR0124
        return cls(
            n_features=len(matrix.features),
            number_at=np.array(kept, dtype=np.int64),
            middle=np.array([scales[at][0] for at in kept], dtype=np.float64),
            spread=np.array([scales[at][1] for at in kept], dtype=np.float64),
            flag_at=np.array([at for at in matrix.numbers if missing[at]], dtype=np.int64),
            level_at=np.array([at for at, _ in levels], dtype=np.int64),
            level=np.array([code for _, code in levels], dtype=np.float64),
        )

    @property
    def n_columns(self) -> int:
        """How many columns come out."""
        return len(self.number_at) + len(self.flag_at) + len(self.level_at)

    def apply(self, values: Singles) -> Floats:
        """Return (n_rows, n_columns) numbers, all finite: scaled numbers, flags, one-hot levels."""
        n_numbers, n_flags = len(self.number_at), len(self.flag_at)
        made = np.empty((len(values), self.n_columns))
        scaled = made[:, :n_numbers]
        np.subtract(values[:, self.number_at], self.middle, out=scaled)
        scaled /= self.spread
        np.clip(scaled, -CLIP, CLIP, out=scaled)
        scaled[np.isnan(scaled)] = 0.0
        if n_flags:
            made[:, n_numbers : n_numbers + n_flags] = np.isnan(values[:, self.flag_at])
        if len(self.level_at):
            made[:, n_numbers + n_flags :] = values[:, self.level_at] == self.level
        return made

    def one(self, row: Singles) -> Floats:
        """Return what ``apply`` does for one row, shape (n_features,), without the arrays in between."""
        n_numbers, n_flags = len(self.number_at), len(self.flag_at)
        made = np.empty((1, self.n_columns))
        scaled = made[0, :n_numbers]
        np.subtract(row.take(self.number_at), self.middle, out=scaled)
        scaled /= self.spread
        np.minimum(np.maximum(scaled, -CLIP, out=scaled), CLIP, out=scaled)
        scaled[scaled != scaled] = 0.0  # noqa: PLR0124 - NaN
        if n_flags:
            made[0, n_numbers : n_numbers + n_flags] = np.isnan(row.take(self.flag_at))
        if len(self.level_at):
            made[0, n_numbers + n_flags :] = row.take(self.level_at) == self.level
        return made

    def meta(self) -> dict[str, Any]:
        """Return what a state's meta needs."""
        return {"n_features": self.n_features}

    def arrays(self) -> dict[str, Array]:
        """Return what a state's arrays need."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "n_features"}

    @classmethod
    def restore(cls, state: State) -> Design:
        """Return the design that a state of a learner holds."""
        n = whole(state, "n_features", 1)
        number_at = positions(state, "number_at", None, n)
        level_at = positions(state, "level_at", None, n)
        spread = array(state, "spread", (len(number_at),))
        if (spread <= 0).any():
            refuse(f"{state.kind}.spread", "spreads are above zero", "zero or less")
        return cls(
            n_features=n,
            number_at=number_at,
            middle=array(state, "middle", (len(number_at),)),
            spread=spread,
            flag_at=positions(state, "flag_at", None, n),
            level_at=level_at,
            level=array(state, "level", (len(level_at),)),
        )

    def check(self, kind: str, matrix: Matrix) -> None:
        """Refuse a matrix of another width for a part of this kind."""
        width(kind, matrix.values.shape[1], self.n_features)


def _scale(sample: Singles, column: Singles) -> tuple[float, float]:
    """Return median and spread of the present values, 0 and 0 where there are none."""
    present = sample[~np.isnan(sample)].astype(np.float64)
    if not len(present):
        present = column[~np.isnan(column)].astype(np.float64)
    if not len(present):
        return 0.0, 0.0
    low, middle, high = np.percentile(present, [25, 50, 75])
    spread = (high - low) / 1.349
    if not spread > 0:
        size = float(np.abs(present).max()) or 1.0
        spread = float(np.std(present / size)) * size
    return float(middle), float(spread)
