"""Constant: the mean, or the shares of the labels; the yardstick that a model must beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from modelwright.core.ports import Curve
from modelwright.core.state import State
from modelwright.learners._settings import read, setting
from modelwright.learners._unfolding import array, refuse

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.core.matrix import Matrix
    from modelwright.core.ports import Lesson

TARGET_MAX = 1e150
"""Squares of larger targets are no numbers any more."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What may be set.

    Attributes:
        smoothing: Rows added to every label, so that one without rows has a small chance.
    """

    smoothing: float = setting(0.5, 1e-9, 1e6)


@dataclass(frozen=True, slots=True)
class ConstantModel:
    """Answers every row alike: ``answer`` has shape () for regression, (n_classes,) for classification."""

    answer: Floats

    def predict(self, matrix: Matrix) -> Floats:
        """Return the answer once per row."""
        return np.broadcast_to(self.answer, (matrix.n_rows, *self.answer.shape)).copy()

    def state(self) -> State:
        """Return the answer."""
        return State("constant", {"is_value": self.answer.ndim == 0}, {"answer": np.atleast_1d(self.answer)})


class Constant:
    """Learns the weighted mean of the target, or the weighted shares of its labels."""

    name: ClassVar[str] = "constant"
    has_rounds: ClassVar[bool] = False

    def __init__(self, **settings: object) -> None:
        self.settings = read(self.name, Settings, settings)

    def fit(self, lesson: Lesson) -> tuple[ConstantModel, Curve]:
        """Return the constant of a lesson; features are not looked at."""
        target: Any = lesson.target
        weight = np.ones(len(target)) if lesson.weight is None else lesson.weight
        if not lesson.n_classes:
            # Scaling first keeps the sum of huge targets finite.
            size = float(np.abs(target).max(initial=0.0)) or 1.0
            mean = float(np.average(target / size, weights=weight)) * size if len(target) else 0.0
            return ConstantModel(np.asarray(mean)), Curve()
        seen = np.bincount(target.astype(np.int64), weights=weight / weight.mean(), minlength=lesson.n_classes)
        counts = seen + self.settings.smoothing
        return ConstantModel(counts / counts.sum()), Curve()

    @classmethod
    def restore(cls, state: State) -> ConstantModel:
        """Return the constant of a state."""
        answer = array(state, "answer", (None,)).astype(np.float64)
        if state.meta.get("is_value") is True and len(answer) == 1:
            return ConstantModel(answer[0])
        if len(answer) < 2 or (answer < 0).any() or abs(answer.sum() - 1) > 1e-6:
            refuse("constant.answer", "shares of labels add up to one", answer.tolist()[:5])
        return ConstantModel(answer)


def nothing_to_learn(lesson: Lesson) -> bool:
    """Whether no learner can do better than the constant: no features, a target of one value or beyond sums."""
    target = np.asarray(lesson.target)
    if not lesson.matrix.features or lesson.matrix.n_rows < 2 or bool((target == target[0]).all()):
        return True
    return not lesson.n_classes and float(np.abs(target).max()) > TARGET_MAX
