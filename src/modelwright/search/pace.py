"""The pace: how the time of a command is divided, so that the deadline holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelwright.core.run import Run

ROUNDS_TIMES_RATE = 25.0
"""Boosting settles after about this many rounds times learning rate (500 rounds at 0.05)."""
RATE_LOWEST, RATE_HIGHEST = 0.03, 0.25
REFIT_EXTRA = 1.35
"""A final fit sees more rows than a fold's fit did; its time grows with them."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The division of a budget.

    Attributes:
        run: Clock and budget.
        tail_seconds: Kept for evidence, package and report.
        n_folds: Folds of the comparison.
    """

    run: Run
    tail_seconds: float
    n_folds: int

    @property
    def is_timed(self) -> bool:
        """Whether the wall clock counts; otherwise work units do."""
        return self.run.budget_seconds is not None

    @property
    def refits(self) -> float:
        """How many fold fits' worth of time the fits after the race take: on the training rows and on all rows.

        A holdout's own fits serve as the evidence model, so only the fit on all rows remains.
        """
        return REFIT_EXTRA if self.n_folds == 1 else 2 * REFIT_EXTRA

    def left(self, refit_seconds: float = 0.0) -> float:
        """Seconds the race may still use when the fits after it take ``refit_seconds`` a fold."""
        if self.run.is_stopped():
            return 0.0
        return self.run.seconds_left() - self.tail_seconds - self.refits * refit_seconds

    def fold_seconds(self, share: float, total: float, refit_seconds: float) -> float:
        """Seconds one fold of a candidate may take, so that its final fits still find room."""
        return max(min(share * total, self.left(refit_seconds)), 0.0) / (self.n_folds + self.refits)


def tail_seconds(budget_seconds: float | None) -> float:
    """Return what is kept for evidence, package and report: 4 s and 8 % of the budget, never over 40 % of it."""
    if budget_seconds is None:
        return 0.0
    return min(4.0 + 0.08 * budget_seconds, 0.4 * budget_seconds, 40.0)


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

    >>> patience(0.1), patience(0.03)
    (30, 100)
    """
    return int(min(max(3.0 / rate, 20), 100))
