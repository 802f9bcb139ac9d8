"""The pace: how the time of a command is divided, so that the deadline holds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelwright.core.run import Run

ROUNDS_TIMES_RATE = 25.0
"""Boosting settles after about this many rounds times learning rate (500 rounds at 0.05)."""
RATE_LOWEST, RATE_HIGHEST = 0.05, 0.25
SEALED_GROWTH = 1.25
"""A fit on all rows sees about this many times the training rows."""
REFIT_SAFETY = 1.2
"""Fits on more rows are given more rounds, too."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The division of a budget.

    Attributes:
        run: Clock and budget.
        tail_seconds: Kept for evidence, package and report.
        n_folds: Folds of the comparison.
        n_slots: How many fits run side by side.
        growth: The training rows, counted in those that a fold's fit sees.
    """

    run: Run
    tail_seconds: float
    n_folds: int
    n_slots: int = 1
    growth: float = 1.25

    @property
    def is_timed(self) -> bool:
        """Whether the wall clock counts; otherwise work units do."""
        return self.run.budget_seconds is not None

    @property
    def refits(self) -> float:
        """How many fold fits' worth of time the fits after the race take."""
        return refits(self.n_folds, self.growth)

    def left(self, refit_seconds: float = 0.0) -> float:
        """Seconds the race may still use when the fits after it take ``refit_seconds`` a fold."""
        if self.run.is_stopped():
            return 0.0
        return self.run.seconds_left() - self.tail_seconds - self.refits * refit_seconds

    def left_for_refits(self) -> float:
        """Seconds until only the package is left to write: the final fit may run beside the measuring."""
        return self.run.seconds_left() - package_seconds(self.run.budget_seconds)

    def fold_seconds(self, share: float, total: float, refit_seconds: float) -> float:
        """Seconds one fold of a candidate may take, so that its final fits still find room.

        Its share is one of the work that all slots can do; what is left is time, and its own fits after the race
        run one after the other.
        """
        turns = math.ceil(self.n_folds / self.n_slots)
        shared = share * total * self.n_slots / (self.n_folds + self.refits)
        return max(min(shared, self.left(refit_seconds) / (turns + self.refits)), 0.0)


def refits(n_folds: int, growth: float) -> float:
    """Return how many fold fits' worth of time the fits on the training rows and on all rows take.

    Time grows with the rows. A holdout's own fits serve as the judged model, so only the fit on all rows remains.

    >>> refits(1, growth=1.25) < refits(5, growth=1.25) < refits(3, growth=1.5)
    True
    """
    n_models = SEALED_GROWTH if n_folds == 1 else 1 + SEALED_GROWTH
    return REFIT_SAFETY * growth * n_models


def tail_seconds(budget_seconds: float | None) -> float:
    """Return what is kept for evidence, package and report: 4.5 s and 7 % of the budget, never over 40 % of it.

    Most of the measuring is done while the final fit runs, and costs nothing more.
    """
    if budget_seconds is None:
        return 0.0
    return min(4.5 + 0.07 * budget_seconds, 0.4 * budget_seconds, 30.0)


def package_seconds(budget_seconds: float | None) -> float:
    """Return the part of the tail that is kept for the documents and the package."""
    return 0.0 if budget_seconds is None else min(3.0 + 0.026 * budget_seconds, 0.26 * budget_seconds, 16.0)


def learning_rate(round_seconds: float, fit_seconds: float) -> float:
    """Return the smallest useful rate whose rounds fit into the time.

    Cutting a slow fit short leaves it underfitted; a faster rate that finishes is better.

    >>> learning_rate(round_seconds=0.01, fit_seconds=2.5)
    0.1
    """
    wanted = ROUNDS_TIMES_RATE * round_seconds / max(fit_seconds, 1e-9)
    return round(min(max(wanted, RATE_LOWEST), RATE_HIGHEST), 3)


def rounds_limit(rate: float) -> int:
    """Return after how many rounds a fit ends at the latest."""
    return int(4 * ROUNDS_TIMES_RATE / rate)


def patience(rate: float) -> int:
    """Return how many rounds without gain end a fit: longer at slower rates.

    >>> patience(0.1), patience(0.02)
    (30, 150)
    """
    return int(min(max(3.0 / rate, 20), 200))
