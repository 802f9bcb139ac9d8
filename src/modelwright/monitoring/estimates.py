"""Quality without labels: what the measures are expected to be, from the answers alone, with a band.

Classification: calibrated probabilities say how often each answer is right, so every measure has an expectation
(confidence-based performance estimation). Regression: a second model learns how large errors are where. Both hold
only while answers mean what they meant on the reference; how far the two were apart there makes the band, and the
surprise monitor says when outcomes contradict them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.matrix import Feature, Matrix
from modelwright.core.metrics import MEASURES
from modelwright.core.ports import Lesson
from modelwright.core.score import Score
from modelwright.evaluation import metrics
from modelwright.evaluation._judged import judged
from modelwright.learners.lightgbm import LightGBM
from modelwright.learners.redrawing import redraw

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Floats, Ints
    from modelwright.core.ports import Fitted
    from modelwright.core.task import Task
    from modelwright.learners.redrawing import Averaged

FOLDS = 5
ERROR_MODEL = {"rounds": 120, "learning_rate": 0.05, "leaves": 12, "min_leaf": 30, "row_share": 0.8, "patience": 0}
BAND_DRAWS = 60
BAND_ROWS_MOST = 1_000
BAND_Z = 1.96
FEWEST_ROWS = 100
"""A reference of fewer rows teaches no error model: errors are then expected to be as large everywhere."""
OF_ERRORS = ("mae", "mse", "rmse")
OF_VALUES = (*OF_ERRORS, "r2")


@dataclass(frozen=True, slots=True)
class Doubt:
    """How far realised and estimated measures lay apart on reference rows.

    Attributes:
        rows: Of the pieces they were compared on.
        spread: Standard deviation by measure for pieces of so many rows.
        floor: Part of it that more rows do not make smaller (the reference's own error), by measure.
        level: Of errors, what was expected on the reference: where larger ones are expected, doubt grows with them.
    """

    rows: int
    spread: dict[str, float]
    floor: dict[str, float]
    level: dict[str, float] = field(default_factory=dict)

    def half_width(self, name: str, value: float, n: int) -> float:
        """Return half of the band of a measure that was estimated to be ``value`` from n rows."""
        level = self.level.get(name, 0.0)
        larger = max(value / level, 1.0) if level > 0 else 1.0
        sampling = max(self.spread[name] ** 2 - self.floor[name] ** 2, 0.0) * self.rows / max(n, 1)
        return BAND_Z * larger * math.sqrt(sampling + self.floor[name] ** 2)


@dataclass(frozen=True, slots=True)
class Estimator:
    """Expects losses and measures without knowing outcomes.

    Attributes:
        task: What is predicted.
        redrawn: What chances come to, or None where there is too little to learn it from.
        error_model: Expects the absolute error of a row, regression only; None where there is too little to learn from.
        mean_error: Mean absolute error of the reference.
        square: Mean squared error over mean squared expected error.
        doubt: Behind the band.
    """

    task: Task
    redrawn: Averaged | None
    error_model: Fitted | None
    mean_error: float
    square: float
    doubt: Doubt

    def probabilities(self, scores: Floats) -> Floats:
        """Return calibrated probabilities."""
        return scores if self.redrawn is None else self.redrawn.apply(scores)

    @property
    def needs_matrix(self) -> bool:
        """Whether more than the answers tells what to expect: the rows as the model sees them."""
        return self.error_model is not None

    def expect(self, scores: Floats, matrix: Matrix | None) -> Floats:
        """Return what is expected of each row: its probabilities (n, n_classes), or its absolute error (n,)."""
        if self.task.is_classification:
            return self.probabilities(scores)
        if self.error_model is None or matrix is None or not len(scores):
            return np.full(len(scores), self.mean_error)
        return np.maximum(self.error_model.predict(with_answer(matrix, scores)), self.mean_error * 1e-3)

    def expected_losses(self, expected: Floats, scores: Floats, loss: str) -> Floats:
        """Return the loss of each row, of which ``expect`` said this."""
        if not self.task.is_classification:
            return expected if loss == "mae" else self.square * expected**2
        return expected_class_losses(expected, scores, loss)

    def estimate(self, name: str, expected: Floats, scores: Floats, choices: Array) -> Score:
        """Return one measure as it is expected to be, with a band that shall hold the realised one."""
        n = len(scores)
        if self.task.is_classification:
            value = _expected_of_classes(name, expected, scores, choices)
        else:
            value = expected_of_values(name, expected, scores, self.square)
        if name not in self.doubt.spread or not math.isfinite(value):
            return Score(name, math.nan, math.nan, math.nan, n, MEASURES[name].unit, "none", "cannot be estimated")
        half = self.doubt.half_width(name, value, n)
        return Score(name, value, value - half, value + half, n, MEASURES[name].unit, "estimated without labels")

    def measures(self) -> tuple[str, ...]:
        """Return the measures that can be estimated."""
        return tuple(self.doubt.spread)


def fit_estimator(
    task: Task,
    target: Array,
    scores: Floats,
    choices: Array,
    matrix: Matrix | None,
    *,
    in_order: bool = False,
    seed: int = 0,
) -> tuple[Estimator, Floats]:
    """Return an estimator and the reference's expected losses, each from a fit that had not seen its row.

    Args:
        task: What is predicted.
        target: Encoded, shape (n,), of the reference.
        scores: The model's values or probabilities on it.
        choices: The answers given.
        matrix: The rows as the model sees them, or None.
        in_order: The rows stand in order of time: folds and pieces are then stretches of time.
        seed: Of draws.
    """
    loss = loss_of(task)
    if task.is_classification:
        redrawn = redraw(scores, np.asarray(target, dtype=np.int64), seed=seed)
        bare = Estimator(task, redrawn, None, 0.0, 1.0, Doubt(1, {}, {}))
        expected = bare.expected_losses(bare.expect(scores, None), scores, loss)
        doubt = _doubt_of_classes(bare, np.asarray(target), scores, choices, in_order=in_order, seed=seed)
        return Estimator(task, redrawn, None, 0.0, 1.0, doubt), expected
    errors = np.abs(np.asarray(target, dtype=np.float64) - scores)
    mean_error = max(float(errors.mean()), 1e-12)
    if matrix is None or len(errors) < FEWEST_ROWS:
        out_of_fold, fitted = np.full(len(errors), mean_error), None
    else:
        rows = with_answer(matrix, scores)
        out_of_fold = _out_of_fold(rows, errors, mean_error, in_order=in_order, seed=seed)
        fitted = _fit_errors(rows, errors, seed)
    square = float((errors**2).mean() / max((out_of_fold**2).mean(), 1e-300))
    doubt = _doubt_of_values(task, np.asarray(target), scores, out_of_fold, square, in_order=in_order, seed=seed)
    expected = out_of_fold if loss == "mae" else square * out_of_fold**2
    return Estimator(task, None, fitted, mean_error, square, doubt), expected


def loss_of(task: Task) -> str:
    """Return the row loss that stands for a task's metric."""
    if task.is_classification:
        return "brier" if task.metric == "brier" else "log_loss"
    return "mae" if task.metric in ("mae", "mape") else "mse"


def losses(task: Task, target: Array, scores: Floats) -> Floats:
    """Return the realised loss of each row."""
    return metrics.row_losses(loss_of(task), judged(target, scores, values=not task.is_classification))


def with_answer(matrix: Matrix, scores: Floats) -> Matrix:
    """Return the matrix with the model's answer beside it."""
    values = np.asarray(scores, dtype=np.float32).reshape(-1, 1)
    return matrix.beside(Matrix(values, (Feature("(answer)", "(answer)"),)))


def expected_class_losses(true: Floats, scores: Floats, loss: str) -> Floats:
    """Return the loss expected of each row when labels come with the probabilities ``true``."""
    if loss == "log_loss":
        said = np.clip(scores, metrics.SMALLEST_PROBABILITY, 1.0)
        said = said / said.sum(axis=1, keepdims=True)
        return np.asarray(-(true * np.log(said)).sum(axis=1))
    if scores.shape[1] == 2:
        return np.asarray(true[:, 1] * (1 - scores[:, 1]) ** 2 + true[:, 0] * scores[:, 1] ** 2)
    return np.asarray((scores**2).sum(axis=1) - 2 * (true * scores).sum(axis=1) + 1)


def _expected_of_classes(name: str, true: Floats, scores: Floats, choices: Array) -> float:
    """Return a measure of rows that have each label with its probability: every row stands once a label."""
    n, n_classes = scores.shape
    rows = np.repeat(np.arange(n), n_classes)
    target = np.tile(np.arange(n_classes), n)
    return metrics.compute(name, target, scores[rows], np.asarray(choices)[rows], weight=true.reshape(-1))


def expected_of_values(name: str, errors: Floats, scores: Floats, square: float) -> float:
    """Return a measure of values from the errors that are expected."""
    if name == "mae":
        return float(errors.mean())
    mse = square * float((errors**2).mean())
    if name == "r2":
        spread = float(scores.var()) + mse
        return 1 - mse / spread if spread > 0 else math.nan
    return math.sqrt(mse) if name == "rmse" else mse


def _out_of_fold(rows: Matrix, errors: Floats, mean_error: float, *, in_order: bool, seed: int) -> Floats:
    order = np.arange(len(errors)) if in_order else np.random.default_rng(seed).permutation(len(errors))
    found = np.empty(len(errors))
    for part in np.array_split(order, FOLDS):
        fit = np.setdiff1d(order, part)
        found[part] = _fit_errors(rows.take(fit), errors[fit], seed).predict(rows.take(part))
    return np.maximum(found, mean_error * 1e-3)


def _fit_errors(rows: Matrix, errors: Floats, seed: int) -> Fitted:
    fitted, _ = LightGBM(**ERROR_MODEL).fit(Lesson(rows, errors, 0, None, None, seed))
    return fitted


def _pieces(n: int, *, in_order: bool, seed: int) -> tuple[list[Ints], int]:
    """Return pieces of the reference to compare estimates on, and how many rows each has."""
    size = max(min(BAND_ROWS_MOST, n // 5), min(n, 20))
    rng = np.random.default_rng(seed)
    if in_order:
        starts = np.linspace(0, n - size, BAND_DRAWS).astype(np.int64)
        return [np.arange(s, s + size) for s in starts], size
    return [rng.choice(n, size, replace=False) for _ in range(BAND_DRAWS)], size


def _doubt_of_classes(
    bare: Estimator, target: Array, scores: Floats, choices: Array, *, in_order: bool, seed: int
) -> Doubt:
    pieces, size = _pieces(len(target), in_order=in_order, seed=seed)
    true = bare.probabilities(scores)
    names = [m.name for m in MEASURES.values() if bare.task.kind in m.kinds and m.name != "calibration_error"]
    spread: dict[str, float] = {}
    floor: dict[str, float] = {}
    for name in names:
        off = [
            metrics.compute(name, target[p], scores[p], np.asarray(choices)[p])
            - _expected_of_classes(name, true[p], scores[p], np.asarray(choices)[p])
            for p in pieces
        ]
        _note(name, np.array(off), size, len(target), spread, floor)
    return Doubt(size, spread, floor)


def _doubt_of_values(
    task: Task, target: Array, scores: Floats, expected: Floats, square: float, *, in_order: bool, seed: int
) -> Doubt:
    pieces, size = _pieces(len(target), in_order=in_order, seed=seed)
    del task
    spread: dict[str, float] = {}
    floor: dict[str, float] = {}
    for name in OF_VALUES:
        off = [
            metrics.of(name, judged(target[p], scores[p], values=True))
            - expected_of_values(name, expected[p], scores[p], square)
            for p in pieces
        ]
        _note(name, np.array(off), size, len(target), spread, floor)
    level = {name: expected_of_values(name, expected, scores, square) for name in OF_ERRORS}
    return Doubt(size, spread, floor, level)


def _note(name: str, off: Floats, size: int, n: int, spread: dict[str, float], floor: dict[str, float]) -> None:
    """Note how far estimates were off; draws without replacement show too little by the share they took."""
    off = off[np.isfinite(off)]
    if len(off) < BAND_DRAWS // 2:
        return
    seen = float(np.sqrt((off**2).mean()) / math.sqrt(max(1 - size / n, 0.2)))
    at_reference = seen * math.sqrt(size / n)
    spread[name], floor[name] = math.sqrt(seen**2 + at_reference**2), at_reference
