"""Shaped: a model of a skewed target's root or logarithm, or of the logarithm of its mean, and the way back.

A squared error lets the few largest targets decide. Where they are all positive, a learner is shown their square root
or logarithm, or LightGBM maximises the likelihood of counts (Poisson) or of a mixture of none and much (Tweedie). The
mean of a root, squared, is less than the mean: what is missing is learnt from the residuals (Duan 1983).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from modelwright.core.ports import Cuttable, Single
from modelwright.core.state import State
from modelwright.learners import restoring
from modelwright.learners._unfolding import real, refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.core.arrays import Array, Floats, Singles
    from modelwright.core.matrix import Matrix
    from modelwright.core.ports import Curve, Fitted, Lesson

PLAIN, ROOT, LOG = "plain", "root", "log"
TRANSFORMED = (PLAIN, ROOT, LOG)
"""What any learner can be shown."""
LIKELIHOODS = ("poisson", "tweedie")
"""What LightGBM can maximise besides; its margin is the logarithm of the mean."""
SHAPES = (*TRANSFORMED, *LIKELIHOODS)
REACH = 0.1
"""How far beyond the targets seen an answer may lie, as a share of their range."""
LIFT_MOST = 2.0
"""The logarithm's correction is this factor at most."""
LOG_UNIT = 0.01
"""The logarithm is taken of one plus the target, in units of this share of the median where none is zero."""


def can_be_shaped(target: Array) -> bool:
    """Whether all targets are zero or more, some of them more, and all finite."""
    lowest, highest = float(np.min(target)), float(np.max(target))
    return lowest >= 0 and 0 < highest < math.inf


def fit_shaped(fit: Callable[[Lesson], tuple[Fitted, Curve]], shape: str, lesson: Lesson) -> tuple[Fitted, Curve]:
    """Let a learner fit the shape of a target and return the model in the target's unit.

    Args:
        fit: Fits a lesson of a plain target.
        shape: ``root`` or ``log``.
        lesson: Its targets are zero or more; where one is not, the target is learnt as it is.
    """
    target = np.asarray(lesson.target, dtype=np.float64)
    if not can_be_shaped(target):
        return fit(lesson)
    unit = 1.0 if shape == ROOT else _log_unit(target)
    exam = lesson.exam
    if exam is not None:
        exam = replace(exam, target=_shown(shape, np.asarray(exam.target, dtype=np.float64), unit))
    shown = _shown(shape, target, unit)
    inner, curve = fit(replace(lesson, target=shown, exam=exam))
    left = shown - inner.predict(lesson.matrix)
    weight = lesson.weight
    if shape == ROOT:
        lift = float(np.average(np.square(left), weights=weight))
    else:
        lift = min(float(np.average(np.exp(np.clip(left, -5.0, 5.0)), weights=weight)), LIFT_MOST)
    return Shaped.within(inner, shape, target, unit=unit, lift=lift), replace(curve, loss=f"mse_of_{shape}")


def _log_unit(target: Floats) -> float:
    """Return what the logarithm counts in: next to nothing, or the median where there are zeros to be told apart."""
    median = float(np.median(target[target > 0]))
    return LOG_UNIT * median if target.min() > 0 else median


def _shown(shape: str, target: Floats, unit: float) -> Floats:
    """Return the targets that a learner is shown."""
    above = np.maximum(target, 0.0)
    return np.sqrt(above) if shape == ROOT else np.log1p(above / unit)


@dataclass(frozen=True, slots=True)
class Shaped:
    """A model of the shape, and the way back.

    Attributes:
        inner: Answers in the shape.
        shape: ``root``, ``log``, or one of ``LIKELIHOODS``.
        unit: What the target is counted in.
        lift: What is added to the square of a root, or multiplies the exponential of a logarithm.
        low: Least answer.
        high: Greatest answer.
    """

    inner: Fitted
    shape: str
    unit: float
    lift: float
    low: float
    high: float

    @classmethod
    def within(cls, inner: Fitted, shape: str, target: Floats, *, unit: float, lift: float) -> Shaped:
        """Return the model with answers near the range of these targets."""
        low, high = float(target.min()), float(target.max())
        reach = REACH * (high - low)
        return cls(inner, shape, unit, lift, max(low - reach, 0.0), high + reach)

    def predict(self, matrix: Matrix) -> Floats:
        """Return (n_rows,) values in the target's unit."""
        return self.brought_back(self.inner.predict(matrix))

    def brought_back(self, told: Floats) -> Floats:
        """Return answers in the target's unit, shape (n_rows,), for those in the shape."""
        if self.shape == ROOT:
            made = np.square(np.maximum(told, 0.0)) + self.lift
        else:
            powers = self.lift * np.exp(np.minimum(told, 700.0))
            made = self.unit * (powers - 1.0 if self.shape == LOG else powers)
        return np.asarray(np.clip(made, self.low, self.high))

    def cut(self, share: float, *, is_mean: bool = False) -> Shaped:
        """Return the model of the first trees, a share of all; the way back stays what it was."""
        if not isinstance(self.inner, Cuttable):
            return self
        return replace(self, inner=self.inner.cut(share, is_mean=is_mean))

    @property
    def rows_alone(self) -> int:
        """As of the model inside."""
        return self.inner.rows_alone if isinstance(self.inner, Single) else 0

    def one(self, row: Singles) -> float:
        """Return what ``predict`` does for one row, shape (n_features,), without arrays."""
        told = cast("float", cast("Single", self.inner).one(row))
        if self.shape == ROOT:
            made = max(told, 0.0) ** 2 + self.lift
        else:
            power = self.lift * math.exp(min(told, 700.0))
            made = self.unit * (power - 1.0 if self.shape == LOG else power)
        return min(max(made, self.low), self.high)

    def state(self) -> State:
        """Return the way back and, as a part, the model of the shape."""
        own = {name: getattr(self, name) for name in ("shape", "unit", "lift", "low", "high")}
        return State("shaped", own, parts={"inner": self.inner.state()})

    @classmethod
    def restore(cls, state: State) -> Shaped:
        """Return the model of a state."""
        shape = state.meta.get("shape")
        unit, lift, low, high = (real(state, name) for name in ("unit", "lift", "low", "high"))
        if shape not in SHAPES or shape == PLAIN or state.parts.keys() != {"inner"}:
            refuse("shaped", "a shaped model has a known shape and one model inside", shape)
        if unit <= 0 or lift < 0 or not 0 <= low <= high or state.parts["inner"].kind in ("shaped", "blend"):
            refuse("shaped", "unit above zero, lift of zero or more, low at most high, trees inside", [unit, lift])
        return cls(restoring.restore(state.parts["inner"]), shape, unit, lift, low, high)
