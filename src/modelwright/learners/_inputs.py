"""Inputs of a network: smooth numbers and where they lie between quantiles, flags, levels, codes to look up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.learners._design import Design
from modelwright.learners._unfolding import array, positions, refuse, whole

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Floats, Ints, Singles
    from modelwright.core.matrix import Matrix
    from modelwright.core.state import State

ONE_HOT_MAX = 9
"""Categories with more codes get a learnt vector per code instead of a column."""
CODES_MAX = 1_000_000
BEND = 3.0
"""Spreads beyond which a number's growth is bent down."""
INPUTS_WANTED = 320
"""Pieces are made coarser where numbers are many, so that a row costs about the same."""
PIECES_LEAST = 4
NUMBERS_MAX = 300
"""With more numbers than this none is cut into pieces."""
KNOT_ROWS = 50_000
"""Rows, evenly spaced, that quantiles are taken from."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a network sees of a row.

    Numbers come twice: by robust scale with their far values drawn in (Holzmüller et al. 2024), and as pieces: how
    much of each stretch between two of their quantiles they have passed, from 0 to 1 (Gorishniy et al. 2022).

    Attributes:
        design: Scales numbers, flags missing ones, and makes columns of categories with few codes.
        piece_at: Which of the design's numbers each piece belongs to.
        piece_low: Where each piece begins.
        piece_width: How long it is, above zero.
        code_at: Columns of the categories that are looked up.
        n_codes: How many rows each has in the table of vectors, the last one for what is missing or unknown.
    """

    design: Design
    piece_at: Ints
    piece_low: Floats
    piece_width: Floats
    code_at: Ints
    n_codes: Ints

    @classmethod
    def of(cls, matrix: Matrix, pieces: int) -> Inputs:
        """Return the inputs that suit a matrix, with so many pieces per number at most."""
        design = Design.of(matrix, levels_max=ONE_HOT_MAX)
        n_numbers = len(design.number_at)
        is_cut = pieces and n_numbers <= NUMBERS_MAX
        count = max(PIECES_LEAST, min(pieces, INPUTS_WANTED // max(n_numbers, 1))) if is_cut else 0
        sample = matrix.values[:: max(1, matrix.n_rows // KNOT_ROWS)]
        smooth = _bent(design.apply(sample)[:, :n_numbers])
        knots = [_knots(smooth[:, i], count) for i in range(n_numbers)]
        coded = [at for at in matrix.categories if matrix.features[at].n_levels > ONE_HOT_MAX]
        return cls(
            design=design,
            piece_at=np.repeat(np.arange(n_numbers), [max(len(k) - 1, 0) for k in knots]).astype(np.int64),
            piece_low=np.concatenate([np.empty(0), *(k[:-1] for k in knots)]),
            piece_width=np.concatenate([np.empty(0), *(np.diff(k) for k in knots)]),
            code_at=np.array(coded, dtype=np.int64),
            n_codes=np.array([matrix.features[at].n_levels + 1 for at in coded], dtype=np.int64),
        )

    @property
    def n_columns(self) -> int:
        """How many columns come out, those of vectors not counted."""
        return self.design.n_columns + len(self.piece_at)

    def columns(self, values: Singles) -> Floats:
        """Return (n_rows, n_columns) numbers: scaled and bent, flags, levels, pieces."""
        shown = self.design.apply(values)
        n_numbers = len(self.design.number_at)
        shown[:, :n_numbers] = _bent(shown[:, :n_numbers])
        passed = (shown[:, self.piece_at] - self.piece_low) / self.piece_width
        return np.concatenate([shown, np.clip(passed, 0.0, 1.0, out=passed)], axis=1)

    def one(self, row: Singles) -> Floats:
        """Return what ``columns`` does for one row, shape (n_features,): (n_columns,) numbers."""
        n_numbers, n_made = len(self.design.number_at), self.design.n_columns
        made = np.empty(self.n_columns)
        shown, passed = made[:n_made], made[n_made:]
        shown[:] = self.design.one(row)[0]
        shown[:n_numbers] = _bent(shown[:n_numbers])
        np.subtract(shown.take(self.piece_at), self.piece_low, out=passed)
        passed /= self.piece_width
        np.minimum(np.maximum(passed, 0.0, out=passed), 1.0, out=passed)
        return made

    def codes(self, values: Singles) -> Ints:
        """Return (n_rows, n_coded) rows in the one table of vectors that all categories share."""
        if not len(self.code_at):
            return np.empty((len(values), 0), dtype=np.int64)
        last, begin = self.n_codes - 1, np.cumsum(self.n_codes) - self.n_codes
        given = values[:, self.code_at]
        return np.where((given >= 0) & (given < last), given, last).astype(np.int64) + begin

    def meta(self) -> dict[str, Any]:
        """Return what a state's meta needs."""
        return self.design.meta()

    def arrays(self) -> dict[str, Array]:
        """Return what a state's arrays need."""
        names = ("piece_at", "piece_low", "piece_width", "code_at", "n_codes")
        return {**self.design.arrays(), **{name: getattr(self, name) for name in names}}

    @classmethod
    def restore(cls, state: State) -> Inputs:
        """Return the inputs that a state of a network holds."""
        design = Design.restore(state)
        piece_at = positions(state, "piece_at", None, len(design.number_at))
        piece_width = array(state, "piece_width", (len(piece_at),))
        if (piece_width <= 0).any():
            refuse(f"{state.kind}.piece_width", "pieces are longer than zero", "zero or less")
        code_at = positions(state, "code_at", None, whole(state, "n_features", 1))
        n_codes = positions(state, "n_codes", len(code_at), CODES_MAX)
        if (n_codes < 1).any():
            refuse(f"{state.kind}.n_codes", "a category that is looked up has codes", "none")
        return cls(
            design=design,
            piece_at=piece_at,
            piece_low=array(state, "piece_low", (len(piece_at),)),
            piece_width=piece_width,
            code_at=code_at,
            n_codes=n_codes.astype(np.int64),
        )


def _bent(scaled: Floats) -> Floats:
    """Return numbers with far ones drawn in, smoothly: nothing goes beyond ``BEND``."""
    return np.asarray(scaled / np.sqrt(1.0 + np.square(scaled / BEND)))


def _knots(column: Floats, count: int) -> Floats:
    """Return the borders of at most so many pieces at a column's quantiles, none where it has one value."""
    if not count:
        return np.empty(0)
    borders = np.unique(np.quantile(column, np.linspace(0.0, 1.0, count + 1)))
    # Pieces shorter than float32 tells apart are no pieces.
    kept = np.append(True, np.diff(borders) > 1e-5)
    return np.asarray(borders[kept]) if kept.sum() > 1 else np.empty(0)
