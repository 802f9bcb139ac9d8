"""Neighbours: the answer of the most similar rows, weighted by nearness (Dudani 1976)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from modelwright.core.ports import Curve, Fitted, Lesson
from modelwright.core.state import State
from modelwright.learners._design import Design
from modelwright.learners._settings import read, setting
from modelwright.learners._unfolding import array, positions, refuse, whole
from modelwright.learners.constant import Constant, nothing_to_learn

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats, Ints, Singles
    from modelwright.core.matrix import Matrix

ROWS_MAX, CELLS_MAX = 20_000, 1_000_000
"""Rows kept at most, fewer of wide ones: a single row is compared with all of them in half a millisecond."""
SPARE = 8
"""Candidates beyond the neighbours asked for, since the quick distances that find them are rounded."""
CHUNK_ROWS = 256
COUNTS = (3, 7, 15, 31)
TRIAL_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Settings:
    """What may be set.

    Attributes:
        neighbours: How many rows answer; None to choose by leaving one out.
        rows: Rows kept at most.
    """

    neighbours: int | None = setting(None, 1, 1_000)
    rows: int = setting(ROWS_MAX, 1, ROWS_MAX)


@dataclass(frozen=True, slots=True)
class NeighboursModel:
    """The rows kept and what they answer.

    Attributes:
        design: Makes the columns.
        columns: Shape (n_kept, n_columns), float32.
        answer: Shape (n_kept,): float64 values, or int64 labels.
        weight: Shape (n_kept,).
        prior: Shape (n_classes,), empty for regression: shares of the labels; one neighbour's worth of them is
            mixed in, so that no label has a chance of zero.
        neighbours: How many rows answer.
        squares: Squared lengths of the columns.
    """

    design: Design
    columns: Singles
    answer: Floats | Ints
    weight: Floats
    prior: Floats
    neighbours: int
    squares: Singles

    def predict(self, matrix: Matrix) -> Floats:
        """Return (n_rows,) values, or (n_rows, n_classes) probabilities."""
        self.design.check("neighbours", matrix)
        shown = self.design.apply(matrix.values).astype(np.float32)
        out = np.empty((len(shown), *self.prior.shape) if len(self.prior) else len(shown))
        for start in range(0, len(shown), CHUNK_ROWS):
            chunk = shown[start : start + CHUNK_ROWS]
            out[start : start + CHUNK_ROWS] = self.answers(chunk, *self.nearest(chunk, self.neighbours))
        return out

    def nearest(self, shown: Singles, count: int) -> tuple[Ints, Floats]:
        """Return positions and squared distances of the nearest kept rows, nearest first."""
        quick = self.squares - 2.0 * (shown @ self.columns.T)
        n_candidates = min(count + SPARE, len(self.columns))
        at = np.argpartition(quick, n_candidates - 1, axis=1)[:, :n_candidates]
        # Ties go to the row that stands first, whichever way the candidates came out.
        at = np.sort(at, axis=1)
        apart = np.square(self.columns[at] - shown[:, None, :]).sum(axis=2, dtype=np.float64)
        order = np.argsort(apart, axis=1, kind="stable")[:, :count]
        return np.take_along_axis(at, order, axis=1), np.take_along_axis(apart, order, axis=1)

    def answers(self, shown: Singles, at: Ints, apart: Floats) -> Floats:
        """Return the answers of given neighbours, each weighted by one over its distance."""
        nearness = 1.0 / (np.sqrt(apart) + 1e-2 * np.sqrt(max(1, shown.shape[1])))
        nearness = nearness / nearness.max(axis=1, keepdims=True) * self.weight[at]
        mass = nearness.sum(axis=1)
        if not len(self.prior):
            return np.asarray((nearness * self.answer[at]).sum(axis=1) / mass)
        n_classes = len(self.prior)
        cell = np.arange(len(at))[:, None] * n_classes + self.answer[at]
        total = np.bincount(cell.ravel(), weights=nearness.ravel(), minlength=len(at) * n_classes)
        return np.asarray((total.reshape(-1, n_classes) + self.prior) / (mass[:, None] + 1.0))

    def state(self) -> State:
        """Return design and rows kept."""
        own = {"columns": self.columns, "answer": self.answer, "weight": self.weight, "prior": self.prior}
        meta = {**self.design.meta(), "neighbours": self.neighbours, "n_classes": len(self.prior)}
        return State("neighbours", meta, {**self.design.arrays(), **own})


class Neighbours:
    """Keeps rows and answers with the nearest."""

    name: ClassVar[str] = "neighbours"
    has_rounds: ClassVar[bool] = False

    def __init__(self, **settings: object) -> None:
        self.settings = read(self.name, Settings, settings)

    def fit(self, lesson: Lesson) -> tuple[Fitted, Curve]:
        """Keep a seeded sample of the rows and choose how many neighbours answer."""
        if nothing_to_learn(lesson):
            return Constant().fit(lesson)
        design = Design.of(lesson.matrix)
        if not design.n_columns:
            return Constant().fit(lesson)
        rows = self._sample(lesson.matrix.n_rows, design.n_columns, lesson.seed)
        answer: Any = np.asarray(lesson.target)[rows].astype(np.int64 if lesson.n_classes else np.float64)
        weight = np.ones(len(rows)) if lesson.weight is None else lesson.weight[rows] / lesson.weight[rows].mean()
        prior = Constant().fit(lesson)[0].answer if lesson.n_classes else np.empty(0)
        columns = design.apply(lesson.matrix.values[rows]).astype(np.float32)
        model = _model(design, columns, answer, weight, prior, self.settings.neighbours or 1)
        if self.settings.neighbours is None:
            model = _model(design, columns, answer, weight, prior, _best_count(model))
        return model, Curve()

    def _sample(self, n_rows: int, n_columns: int, seed: int) -> Ints:
        most = min(self.settings.rows, max(100, CELLS_MAX // max(1, n_columns)))
        if n_rows <= most:
            return np.arange(n_rows)
        return np.sort(np.random.default_rng(seed).choice(n_rows, most, replace=False))

    @classmethod
    def restore(cls, state: State) -> NeighboursModel:
        """Return the rows kept in a state."""
        design, n_classes = Design.restore(state), whole(state, "n_classes", 0)
        columns = array(state, "columns", (None, design.n_columns)).astype(np.float32)
        n = len(columns)
        weight = array(state, "weight", (n,)).astype(np.float64)
        prior = array(state, "prior", (n_classes,)).astype(np.float64)
        answer = positions(state, "answer", n, n_classes) if n_classes else array(state, "answer", (n,))
        if not n or (weight <= 0).any() or (n_classes and abs(prior.sum() - 1) > 1e-6):
            refuse("neighbours", "rows kept have weights and answers", f"{n} rows")
        answer = answer.astype(np.int64 if n_classes else np.float64)
        return _model(design, columns, answer, weight, prior, whole(state, "neighbours", 1, 1_000))


def _model(
    design: Design, columns: Singles, answer: Floats | Ints, weight: Floats, prior: Floats, neighbours: int
) -> NeighboursModel:
    squares = (columns.astype(np.float64) ** 2).sum(axis=1).astype(np.float32)
    return NeighboursModel(design, columns, answer, weight, prior, min(neighbours, len(columns)), squares)


def _best_count(model: NeighboursModel) -> int:
    """Return the number of neighbours with the least loss when each of 1,000 rows is answered by the others."""
    n = len(model.columns)
    counts = [c for c in COUNTS if c < n] or [1]
    own = np.arange(n)[:: max(1, n // TRIAL_ROWS)][:TRIAL_ROWS]
    losses = np.zeros(len(counts))
    for start in range(0, len(own), CHUNK_ROWS):
        rows = own[start : start + CHUNK_ROWS]
        at, apart = model.nearest(model.columns[rows], min(max(counts) + 1, n))
        others = np.argsort(at == rows[:, None], axis=1, kind="stable")[:, : at.shape[1] - 1]
        at, apart = np.take_along_axis(at, others, axis=1), np.take_along_axis(apart, others, axis=1)
        for i, count in enumerate(counts):
            losses[i] += _loss(model.answers(model.columns[rows], at[:, :count], apart[:, :count]), model.answer[rows])
    return counts[int(np.argmin(losses))]


def _loss(told: Floats, answer: Floats | Ints) -> float:
    if told.ndim == 1:
        return float(((told - answer) ** 2).sum())
    return -float(np.log(told[np.arange(len(told)), answer.astype(np.int64)]).sum())
