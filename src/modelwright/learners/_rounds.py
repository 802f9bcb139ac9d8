"""Rounds: what every boosting learner shares, from the target it sees to the moment it stops."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.ports import Curve

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.core.arrays import Array, Floats
    from modelwright.core.ports import Lesson

POINTS_MAX = 200
WIDE = 500
"""Columns from which on a fit is dear by its columns, not its rows."""


@dataclass(frozen=True, slots=True)
class Yard:
    """A regression target's mean and spread: learners see it standardised, in float32 without loss of meaning.

    Labels pass through unchanged, with mean 0 and spread 1.
    """

    mean: float = 0.0
    spread: float = 1.0

    @classmethod
    def of(cls, lesson: Lesson) -> Yard:
        """Return the mean and spread of a lesson's target."""
        if lesson.n_classes:
            return cls()
        target = np.asarray(lesson.target, dtype=np.float64)
        size = float(np.abs(target).max()) or 1.0
        mean = float(np.mean(target / size))
        return cls(mean * size, float(np.std(target / size)) * size or 1.0)

    def standardise(self, target: Array) -> Array:
        """Return the target in spreads from the mean."""
        if self.spread == 1.0 and self.mean == 0.0:
            return target
        return np.asarray((np.asarray(target, dtype=np.float64) - self.mean) / self.spread)


def normalised(weight: Floats | None) -> Floats | None:
    """Return row weights with mean one, so that only their proportions count."""
    return None if weight is None else weight / weight.mean()


@dataclass
class Track:
    """Follows the losses of rounds and says when to stop.

    Attributes:
        rounds: Rounds at most.
        patience: Rounds without a better exam loss after which training ends; 0 for never.
        seconds_left: Polled after each round.
        factor: Turns the library's loss into ours, such as a standardised squared error into the target's unit.
    """

    rounds: int
    patience: int
    seconds_left: Callable[[], float]
    factor: float = 1.0
    fit: list[float] = field(default_factory=list)
    valid: list[float] = field(default_factory=list)
    ended: str = "rounds"

    def has_ended(self, fit: float | None, valid: float | None) -> bool:
        """Take the losses of one more round and say whether it was the last."""
        self.fit.append(float("nan") if fit is None else float(fit) * self.factor)
        if valid is not None:
            self.valid.append(float(valid) * self.factor)
        if len(self.fit) >= self.rounds:
            return True
        if valid is not None and self.patience and len(self.valid) - self.best_round >= self.patience:
            self.ended = "patience"
            return True
        if self.seconds_left() <= 0:
            self.ended = "time"
            return True
        return False

    @property
    def best_round(self) -> int:
        """The round to keep, counted from 1: the best on the exam, or the last without one."""
        if not self.valid:
            return max(1, len(self.fit))
        losses = np.nan_to_num(self.valid, nan=np.inf)
        return int(np.argmin(losses)) + 1

    def curve(self, loss: str) -> Curve:
        """Return the losses at no more than 200 rounds, the first, best and last among them."""
        n = len(self.fit)
        steps = np.linspace(0, n - 1, min(n, POINTS_MAX - 1)).round().astype(int)
        at = np.unique(np.append(steps, min(self.best_round, n) - 1)).tolist() if n else []
        return Curve(
            loss=loss,
            rounds=tuple(i + 1 for i in at),
            fit=tuple(self.fit[i] for i in at) if np.isfinite(self.fit).all() else (),
            valid=tuple(self.valid[i] for i in at) if self.valid else (),
            best_round=self.best_round,
            ended=self.ended,
        )


def bins_for(lesson: Lesson, usual: int) -> int:
    """Return into how many bins a feature is cut: a quarter of the usual where thousands of columns make rounds dear.

    A split then has fewer places to fall; among so many columns, most of which say nothing, that also shields it.
    """
    return usual if len(lesson.matrix.features) <= WIDE else usual // 4


def loss_name(lesson: Lesson) -> str:
    """Return the name of the loss that boosting learners follow."""
    return "log_loss" if lesson.n_classes else "mse"


def link_of(n_classes: int) -> tuple[str, int]:
    """Return the link of a task and its number of margins."""
    if not n_classes:
        return "identity", 1
    return ("sigmoid", 1) if n_classes == 2 else ("softmax", n_classes)
