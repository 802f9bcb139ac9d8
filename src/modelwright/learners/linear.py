"""Linear: ridge regression and penalised logistic regression, the model that extrapolates and explains.

Both minimise mean loss plus half a penalty on squared coefficients by L-BFGS (Liu and Nocedal 1989); the penalty
is chosen on rows held out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from modelwright.core.machine import one_thread
from modelwright.core.ports import FEW_ROWS, Curve, Exam, Fitted, Lesson
from modelwright.core.state import State
from modelwright.learners._descent import descend
from modelwright.learners._design import Design
from modelwright.learners._rounds import Yard
from modelwright.learners._settings import read, setting
from modelwright.learners._unfolding import array, real, refuse, whole, width
from modelwright.learners.constant import Constant, nothing_to_learn
from modelwright.learners.trees import apply_link

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.core.arrays import Floats, Ints, Singles
    from modelwright.core.matrix import Matrix

PENALTIES = (1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
ROWS_MAX, CELLS_MAX, PATH_ROWS_MAX = 50_000, 8_000_000, 5_000
EXACT_COLUMNS_MAX = 500
LEARN_MIN = 40
"""Rows under which nothing is held out to choose the penalty."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What may be set.

    Attributes:
        penalty: Strength of the penalty per row; None to choose from a short path.
        iterations: Steps of the optimiser at most.
    """

    penalty: float | None = setting(None, 1e-9, 1e6)
    iterations: int = setting(100, 1, 10_000)


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Scaled columns times coefficients.

    Attributes:
        design: Makes the columns.
        coefficients: Shape (n_columns + 1, n_outputs), the intercept last.
        low: Least value answered in regression, half a range under the least one seen.
        high: Greatest value answered.
    """

    design: Design
    coefficients: Floats
    low: float
    high: float

    def predict(self, matrix: Matrix) -> Floats:
        """Return (n_rows,) values, or (n_rows, n_classes) probabilities."""
        self.design.check("linear", matrix)
        margins = self.design.apply(matrix.values) @ self.coefficients[:-1] + self.coefficients[-1]
        if margins.shape[1] == 1:
            return np.asarray(np.clip(margins[:, 0], self.low, self.high))
        return apply_link("softmax", margins)

    @property
    def rows_alone(self) -> int:
        """How many rows ``one`` is quicker for, whatever the task."""
        return FEW_ROWS

    def one(self, row: Singles) -> float | list[float]:
        """Return what ``predict`` does for one row, shape (n_features,): a value, or probabilities."""
        width("linear", len(row), self.design.n_features)
        margins = (self.design.one(row) @ self.coefficients[:-1] + self.coefficients[-1])[0].tolist()
        if len(margins) == 1:
            return float(min(max(margins[0], self.low), self.high))
        if len(margins) > 2:
            probabilities: list[float] = apply_link("softmax", np.array([margins])).tolist()[0]
            return probabilities
        most = max(margins)
        no, yes = (float(np.exp(margin - most)) for margin in margins)
        return [no / (no + yes), yes / (no + yes)]

    def state(self) -> State:
        """Return design and coefficients."""
        meta = {**self.design.meta(), "n_outputs": self.coefficients.shape[1], "low": self.low, "high": self.high}
        return State("linear", meta, {**self.design.arrays(), "coefficients": self.coefficients})


class Linear:
    """Learns one coefficient per column and label."""

    name: ClassVar[str] = "linear"
    has_rounds: ClassVar[bool] = False

    def __init__(self, **settings: object) -> None:
        self.settings = read(self.name, Settings, settings)

    def fit(self, lesson: Lesson) -> tuple[Fitted, Curve]:
        """Learn from at most 50,000 rows, a seeded sample of more."""
        if nothing_to_learn(lesson):
            return Constant().fit(lesson)
        design = Design.of(lesson.matrix)
        if not design.n_columns:
            return Constant().fit(lesson)
        with one_thread():
            return self._fit(design, lesson), Curve()

    def _fit(self, design: Design, lesson: Lesson) -> LinearModel:
        yard = Yard.of(lesson)
        rows = _sample(lesson.matrix.n_rows, design.n_columns, lesson.seed)
        learn = _Problem.of(design, yard, lesson, rows)
        start = np.zeros((design.n_columns + 1, max(1, lesson.n_classes)))
        penalty = self.settings.penalty or _best_penalty(learn, _held_out(design, yard, lesson), start, lesson)
        coefficients = learn.solve(penalty, start, self.settings.iterations, lesson.seconds_left)
        if lesson.n_classes:
            return LinearModel(design, coefficients, 0.0, 0.0)
        coefficients = coefficients * yard.spread
        coefficients[-1] += yard.mean
        target = np.asarray(lesson.target, dtype=np.float64)
        reach = float(np.ptp(target)) / 2
        return LinearModel(design, coefficients, float(target.min()) - reach, float(target.max()) + reach)

    @classmethod
    def restore(cls, state: State) -> LinearModel:
        """Return the linear model of a state."""
        design, n_outputs = Design.restore(state), whole(state, "n_outputs", 1)
        coefficients = array(state, "coefficients", (design.n_columns + 1, n_outputs))
        low, high = real(state, "low"), real(state, "high")
        if low > high:
            refuse("linear.low", "low is at most high", [low, high])
        return LinearModel(design, coefficients, low, high)


def _sample(n_rows: int, n_columns: int, seed: int) -> Ints:
    """Return the rows to learn from: all, or as many as the time and memory of a quick learner allow."""
    most = min(ROWS_MAX, max(500, CELLS_MAX // max(1, n_columns)))
    if n_rows <= most:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(seed).choice(n_rows, most, replace=False))


@dataclass(frozen=True, slots=True)
class _Problem:
    """Columns, targets (values or positions of labels) and weights that add up to one.

    All but the sums are float32: the time goes into reading columns and raising powers.
    """

    columns: Singles
    target: Floats | Ints
    weight: Floats

    @classmethod
    def of(cls, design: Design, yard: Yard, lesson: Lesson | Exam, rows: Ints) -> _Problem:
        target: Any = yard.standardise(lesson.target)[rows]
        weight = np.ones(len(rows)) if lesson.weight is None else lesson.weight[rows]
        columns = design.apply(lesson.matrix.values[rows]).astype(np.float32)
        return cls(columns, target, weight / weight.sum())

    def take(self, rows: Ints) -> _Problem:
        """Return some of the rows."""
        weight = self.weight[rows]
        return _Problem(self.columns[rows], self.target[rows], weight / weight.sum())

    def loss(self, coefficients: Floats) -> tuple[float, Singles]:
        """Return the mean loss and its slope along each margin."""
        margins = self.columns @ coefficients[:-1].astype(np.float32) + coefficients[-1].astype(np.float32)
        weight = self.weight.astype(np.float32)[:, None]
        if margins.shape[1] == 1:
            away = margins - self.target[:, None].astype(np.float32)
            return float(self.weight @ away[:, 0].astype(np.float64) ** 2) / 2, away * weight
        own = np.arange(len(margins)), self.target.astype(np.int64)
        margins -= margins.max(axis=1, keepdims=True)
        told = margins[own].astype(np.float64)
        powers = np.exp(margins, out=margins)
        total = powers.sum(axis=1, keepdims=True)
        powers /= total
        powers[own] -= 1.0
        return float(self.weight @ (np.log(total[:, 0].astype(np.float64)) - told)), powers * weight

    def solve(self, penalty: float, start: Floats, iterations: int, seconds_left: Callable[[], float]) -> Floats:
        """Return the coefficients of least loss plus penalty; the intercept is free."""
        if start.shape[1] == 1 and self.columns.shape[1] <= EXACT_COLUMNS_MAX:
            return self._exact(penalty)

        def objective(flat: Floats) -> tuple[float, Floats]:
            coefficients = flat.reshape(start.shape)
            loss, slope = self.loss(coefficients)
            pull = (slope.T @ self.columns).T.astype(np.float64)
            gradient = np.vstack([pull + penalty * coefficients[:-1], slope.sum(axis=0, dtype=np.float64)])
            return loss + penalty / 2 * float((coefficients[:-1] ** 2).sum()), gradient.ravel()

        flat = descend(objective, start.ravel(), steps=iterations, is_over=lambda: seconds_left() <= 0)
        return flat.reshape(start.shape)

    def _exact(self, penalty: float) -> Floats:
        """Return the solution of the normal equations, for squared error."""
        columns = np.hstack([self.columns, np.ones((len(self.columns), 1))])
        weighted = columns * self.weight[:, None]
        ridge = np.full(columns.shape[1], penalty)
        ridge[-1] = 0.0
        return np.asarray(np.linalg.solve(weighted.T @ columns + np.diag(ridge), weighted.T @ self.target[:, None]))


def _held_out(design: Design, yard: Yard, lesson: Lesson) -> _Problem | None:
    """Return the exam as a problem, if there is one."""
    if lesson.exam is None or not lesson.exam.matrix.n_rows:
        return None
    rows = np.arange(min(lesson.exam.matrix.n_rows, PATH_ROWS_MAX))
    return _Problem.of(design, yard, lesson.exam, rows)


def _best_penalty(learn: _Problem, exam: _Problem | None, start: Floats, lesson: Lesson) -> float:
    """Return the penalty with the least loss on the exam, or on a fifth of the rows without one.

    The path goes from strong to weak, each step starting where the last ended, and ends once it gets worse.
    """
    n_rows = len(learn.columns)
    if n_rows < LEARN_MIN:
        return 0.1
    order = np.random.default_rng(lesson.seed).permutation(n_rows)[:PATH_ROWS_MAX]
    if exam is None:
        learn, exam = learn.take(order[len(order) // 5 :]), learn.take(order[: len(order) // 5])
    else:
        learn = learn.take(order)
    best, least = PENALTIES[0], np.inf
    for penalty in PENALTIES:
        start = learn.solve(penalty, start, 25, lesson.seconds_left)
        loss = exam.loss(start)[0]
        if loss < least:
            best, least = penalty, loss
        elif loss > least * 1.02 or lesson.seconds_left() <= 0:
            break
    return best
