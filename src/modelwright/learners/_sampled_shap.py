"""Shapley values of any fitted part, by sampling orders in which columns become known.

Castro, Gómez and Tejada: Polynomial calculation of the Shapley value based on sampling (2009), with each order also
walked backwards (Mitchell et al.: Sampling permutations for Shapley value estimation, JMLR 2022). What is added along
an order adds up to the row's answer less a background row's, so the estimates add up as exact ones do; each carries
a standard error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.matrix import Matrix

if TYPE_CHECKING:
    from modelwright.core.arrays import Bools, Floats, Ints, Singles
    from modelwright.core.ports import Fitted

BACKGROUND_ROWS = 12
"""Each is met by one order and its reverse."""
CELLS_AT_ONCE = 8_000_000


def sampled(
    part: Fitted, matrix: Matrix, background: Matrix, reads: Bools, *, seed: int
) -> tuple[Floats, Floats, Floats]:
    """Return start, Shapley values and their standard errors.

    Args:
        part: Answers for rows.
        matrix: Rows to explain.
        background: Rows that stand for not knowing; at most twelve are used.
        reads: Shape (n_columns, n_features): from which columns each feature is made. A feature is known once all
            its columns are.
        seed: Chooses the background rows and the orders.

    Returns:
        Shapes (n_answers,), (n_rows, n_columns, n_answers) and the same again; a single value counts as one answer.
    """
    rng = np.random.default_rng(seed)
    n_columns = len(reads)
    chosen = rng.permutation(background.n_rows)[:BACKGROUND_ROWS]
    others = background.take(np.sort(chosen))
    said = _wide(part.predict(others))
    orders = np.array([rng.permutation(n_columns) for _ in range(others.n_rows)])
    known = np.stack([_known(order, reads) for both in zip(orders, orders[:, ::-1], strict=True) for order in both])
    at = np.stack([np.argsort(order) for both in zip(orders, orders[:, ::-1], strict=True) for order in both])
    giver = np.repeat(np.arange(others.n_rows), 2)
    n_answers = said.shape[1]
    values = np.zeros((matrix.n_rows, n_columns, n_answers))
    errors = np.zeros_like(values)
    many = max(int(CELLS_AT_ONCE / max(known.size, 1)), 1)
    for first in range(0, matrix.n_rows, many):
        rows = slice(first, first + many)
        gains = _gains(part, matrix.values[rows], others, known, giver, matrix)
        # (rows, walks, steps, answers) → by column, then the mean of an order and its reverse.
        by_column = np.take_along_axis(gains, at[None, :, :, None], axis=2)
        pairs = by_column.reshape(len(by_column), others.n_rows, 2, n_columns, n_answers).mean(axis=2)
        values[rows] = pairs.mean(axis=1)
        errors[rows] = pairs.std(axis=1, ddof=1) / np.sqrt(others.n_rows) if others.n_rows > 1 else np.inf
    return said.mean(axis=0), values, errors


def _known(order: Ints, reads: Bools) -> Bools:
    """Return which features are known after 0, 1, … columns of an order, shape (n_columns + 1, n_features)."""
    step = np.empty(len(order), dtype=np.int64)
    step[order] = np.arange(1, len(order) + 1)
    last = np.where(reads, step[:, None], 0).max(axis=0)
    return np.asarray(last[None, :] <= np.arange(len(order) + 1)[:, None])


def _gains(part: Fitted, rows: Singles, others: Matrix, known: Bools, giver: Ints, matrix: Matrix) -> Floats:
    """Return what each step of each walk adds, shape (n_rows, n_walks, n_columns, n_answers)."""
    mixed = np.where(known[None], rows[:, None, None, :], others.values[giver][None, :, None, :])
    flat = np.ascontiguousarray(mixed.reshape(-1, mixed.shape[-1]), dtype=np.float32)
    said = _wide(part.predict(Matrix(flat, matrix.features)))
    return np.diff(said.reshape(*mixed.shape[:3], said.shape[1]), axis=2)


def _wide(answers: Floats) -> Floats:
    return answers[:, None] if answers.ndim == 1 else answers
