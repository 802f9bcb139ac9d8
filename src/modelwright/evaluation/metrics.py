"""The measures: one value from truths and predictions, for every name in ``core.metrics``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.errors import UnknownName, closest
from modelwright.core.metrics import MEASURES
from modelwright.core.task import TaskKind
from modelwright.evaluation import _calibration, _classes, _ranks
from modelwright.evaluation._judged import judged

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Floats
    from modelwright.evaluation._judged import Judged

SMALLEST_PROBABILITY = 1e-15
"""Log loss never looks at a smaller probability, so that one sure mistake does not outweigh all other rows."""

MEANS = ("log_loss", "brier", "mae", "mse", "mape")
"""Measures that are a mean of one loss per row."""


def compute(
    name: str, target: Array, scores: Floats, choices: Array | None = None, *, weight: Floats | None = None
) -> float:
    """Return one measure, NaN where it does not exist on these rows.

    For two labels precision, recall, F1 and the ranking measures speak of the positive label; for more labels
    they are plain means over the labels that the target holds, each against the rest. Precision of a label
    that is never answered counts as 0. MAPE leaves out rows whose target is 0.

    Args:
        name: A name from ``core.metrics``.
        target: Shape (n,): positions of labels, or values.
        scores: Shape (n,) values, (n,) probabilities of the positive label, or (n, n_classes) probabilities.
        choices: Positions of the answered labels; by default the most probable, the positive one from 0.5 on.
        weight: Row weights, not negative, or None.

    Raises:
        UnknownName: There is no measure of this name.
        InvalidEvidence: The arrays differ in length or hold no row.

    >>> compute("accuracy", np.array([0, 1, 1, 0]), np.array([0.2, 0.7, 0.4, 0.1]))
    0.75
    """
    if name not in MEASURES:
        raise UnknownName("a measure is chosen by its name", where="metric", got=name, fix=closest(name, MEASURES))
    values = TaskKind.REGRESSION in MEASURES[name].kinds
    return of(name, judged(target, scores, choices, weight=weight, values=values))


def of(name: str, rows: Judged) -> float:
    """Return one measure of rows that were brought into shape."""
    if name in _classes.MEASURES:
        return _classes.compute(name, rows)
    if name in ("roc_auc", "average_precision"):
        return _ranking(name, rows)
    if name == "calibration_error":
        return _calibration.bins(*_calibration.outcomes(rows), rows.weight).error
    if name == "rmse":
        return float(np.sqrt(of("mse", rows)))
    if name == "r2":
        return _r2(rows)
    losses, weight = row_losses(name, rows), rows.weight
    if name == "mape":
        losses, weight = losses[rows.target != 0], weight[rows.target != 0]
    total = weight.sum()
    return float(weight @ losses / total) if total > 0 else float("nan")


def loss(task_kind: TaskKind, target: Array, scores: Floats) -> Floats:
    """Return the loss of each row, shape (n,): log loss for classification, squared error for regression."""
    values = task_kind is TaskKind.REGRESSION
    return row_losses("mse" if values else "log_loss", judged(target, scores, values=values))


def row_losses(name: str, rows: Judged) -> Floats:
    """Return what each row adds to a measure that is a mean over rows; NaN for MAPE where the target is 0."""
    truth, scores = rows.target, rows.scores
    if name == "log_loss":
        chosen = np.clip(scores, SMALLEST_PROBABILITY, 1.0)
        return np.asarray(np.log(chosen.sum(axis=1)) - np.log(chosen[np.arange(rows.n_rows), truth]))
    if name == "brier":
        if rows.is_binary:
            return np.asarray((scores[:, 1] - truth) ** 2)
        given = scores[np.arange(rows.n_rows), truth]
        return np.asarray((scores**2).sum(axis=1) - 2 * given + 1)
    error = np.abs(truth - scores)
    if name == "mape":
        return np.asarray(100 * np.divide(error, np.abs(truth), out=np.full(rows.n_rows, np.nan), where=truth != 0))
    return np.asarray(error if name == "mae" else error**2)


def _ranking(name: str, rows: Judged) -> float:
    measured = _ranks.roc_auc if name == "roc_auc" else _ranks.average_precision
    values = [measured(*rows.against_rest(label), rows.weight) for label in rows.curves]
    return float(np.mean(values)) if values else float("nan")


def _r2(rows: Judged) -> float:
    counted = rows.target[rows.weight > 0]
    if counted.max() == counted.min():
        return float("nan")
    centred = rows.target - np.average(rows.target, weights=rows.weight)
    return float(1 - rows.weight @ (rows.target - rows.scores) ** 2 / (rows.weight @ centred**2))
