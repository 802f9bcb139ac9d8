"""Importance: how much worse the model becomes when one column tells it nothing.

Breiman: Random forests (Machine Learning 2001); Fisher, Rudin and Dominici: All models are wrong, but many are
useful (JMLR 2019).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.matrix import Matrix
from modelwright.evaluation.metrics import loss

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.core.arrays import Array, Floats
    from modelwright.core.task import Task

REPEATS = 5
"""Shuffles of each column, when time allows."""
ROWS_LEAST = 200
COLUMNS_MOST = 300
"""Beyond this many columns only those that vary together most with the prediction are shuffled."""


def importance(
    predict: Callable[[Matrix], Floats],
    matrix: Matrix,
    target: Array,
    task: Task,
    *,
    seed: int,
    seconds: float = float("inf"),
    weight: Floats | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[dict[str, Any], ...]:
    """Return the rise of the loss when all that was made from a column is shuffled, most important first.

    The value is the mean rise of the log loss, or of the root mean squared error in the target's unit. Its 95 %
    interval covers both the rows and the shuffles. Columns that say the same share their importance: shuffling one
    leaves the other to the model.

    Args:
        predict: From a matrix to scores.
        matrix: Rows the model has not seen.
        target: Their targets, encoded.
        task: Names the loss.
        seed: Of the shuffles.
        seconds: About how long it may take: repeats are cut first, then rows.
        weight: Row weights, or None.
        clock: Seconds that only rise.

    Returns:
        One dict per column: ``column``, ``value``, ``low``, ``high``, ``unit``; columns that were not shuffled
        are left out.
    """
    sources = _sources(matrix)
    begun = clock()
    base = loss(task.kind, target, predict(matrix))
    once = max(clock() - begun, 1e-6)
    sources = _screened(sources, matrix, predict) if len(sources) > COLUMNS_MOST else sources
    affordable = seconds / (once * max(len(sources), 1))
    n_repeats = int(np.clip(affordable, 1, REPEATS)) if np.isfinite(affordable) else REPEATS
    n_rows = matrix.n_rows
    if affordable < 1 and n_rows > ROWS_LEAST:
        n_rows = max(int(n_rows * affordable), ROWS_LEAST)
        kept = np.sort(np.random.default_rng(seed).choice(matrix.n_rows, n_rows, replace=False))
        matrix, target, base = matrix.take(kept), target[kept], base[kept]
        weight = None if weight is None else weight[kept]
    share = np.full(n_rows, 1 / max(n_rows, 1)) if weight is None else weight / weight.sum()
    unit = "" if task.is_classification else "target"
    ranked = []
    for number, (source, columns) in enumerate(sources.items()):
        rises = np.array(
            [
                loss(task.kind, target, predict(_shuffled(matrix, columns, [seed, number, r]))) - base
                for r in range(n_repeats)
            ]
        )
        ranked.append({"column": source, **_interval(rises, base, share, unit), "unit": unit})
    return tuple(sorted(ranked, key=lambda e: (-e["value"], e["column"])))


def _sources(matrix: Matrix) -> dict[str, list[int]]:
    sources: dict[str, list[int]] = {}
    for position, feature in enumerate(matrix.features):
        sources.setdefault(feature.source, []).append(position)
    return sources


def _shuffled(matrix: Matrix, columns: list[int], seed: list[int]) -> Matrix:
    """Return the matrix with these columns shuffled together."""
    values = matrix.values.copy()
    order = np.random.default_rng(seed).permutation(matrix.n_rows)
    values[:, columns] = values[order][:, columns]
    return Matrix(values, matrix.features)


def _screened(
    sources: dict[str, list[int]], matrix: Matrix, predict: Callable[[Matrix], Floats]
) -> dict[str, list[int]]:
    """Return the sources whose columns go together most with the prediction, by absolute correlation."""
    scores = predict(matrix)
    scores = scores if scores.ndim == 1 else scores[:, -1]
    filled = np.nan_to_num(matrix.values.astype(np.float64))
    filled = (filled - filled.mean(axis=0)) / np.maximum(filled.std(axis=0), 1e-12)
    strength = np.abs(filled.T @ (scores - scores.mean()))
    order = sorted(sources, key=lambda s: -max(strength[sources[s]]))
    return {s: sources[s] for s in sorted(order[:COLUMNS_MOST], key=order.index)}


def _interval(rises: Floats, base: Floats, share: Floats, unit: str) -> dict[str, float]:
    """Return mean rise and interval; for squared error on the scale of its root, by the delta method."""
    per_row = rises.mean(axis=0)
    value = float(share @ per_row)
    between_rows = float(share**2 @ (per_row - value) ** 2)
    means = rises @ share
    between_shuffles = float(means.var(ddof=1) / len(means)) if len(means) > 1 else 0.0
    half = 1.96 * np.sqrt(between_rows + between_shuffles)
    low, high = value - half, value + half
    if unit:
        start = float(share @ base)
        low, value, high = (float(np.sqrt(max(start + v, 0.0)) - np.sqrt(start)) for v in (low, value, high))
    return {"value": value, "low": float(low), "high": float(high)}
