"""How candidates are compared: cross-validation where it can be paid for, a holdout where not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modelwright.data.splitting import fold
from modelwright.search.pace import ROUNDS_TIMES_RATE, refits
from modelwright.search.threads import slots

if TYPE_CHECKING:
    from modelwright.core.run import Run
    from modelwright.core.split import Folds, How
    from modelwright.search.problem import Problem

FITS_WANTED = 6.0
"""A fold count is affordable when so many fits of an untuned LightGBM, folds and final fits each, find room."""
FEW_FITS_WANTED = 1.0
"""On few rows, where only thousands of columns or hundreds of labels make a fit dear."""
TYPICAL_RATE = 0.08
HOLDOUT_ROWS, HOLDOUT_ROWS_MOST = 5_000, 20_000
ROWS_ALWAYS_FOLDED = 3_000
"""Up to here a holdout is too small to choose by: fewer candidates on five folds are worth more."""


@dataclass(frozen=True, slots=True)
class FoldShape:
    """How rows are divided: so many folds, so often, or a share that is held out."""

    n_folds: int
    n_repeats: int
    holdout: float | None


def plan_folds(problem: Problem, run: Run, *, round_seconds: float, search_seconds: float) -> FoldShape:
    """Return the folds that the time pays for.

    Args:
        problem: The training rows.
        run: Budget or work units.
        round_seconds: Measured time of one round of an untuned LightGBM on all training rows.
        search_seconds: What the race may use.
    """
    n_folds, n_repeats = _affordable(problem, run, round_seconds, search_seconds)
    holdout = None
    if n_folds == 1:
        holdout = min(max(0.15, HOLDOUT_ROWS / problem.n_rows), 0.25, HOLDOUT_ROWS_MOST / problem.n_rows)
    return FoldShape(max(n_folds, 2), n_repeats, holdout)


def folded(problem: Problem, shape: FoldShape, *, how: How) -> Folds:
    """Return the rows in folds of a shape; ``how`` is how the sealed rows were chosen, and folds follow it."""
    return fold(
        problem.frame,
        problem.task,
        problem.target,
        np.arange(problem.n_rows),
        n_folds=shape.n_folds,
        n_repeats=shape.n_repeats,
        holdout=shape.holdout,
        seed=problem.seed,
        how=how,
        contract=problem.contract,
    )


def _affordable(problem: Problem, run: Run, round_seconds: float, search_seconds: float) -> tuple[int, int]:
    """Return the number of folds (1: a holdout) and of repeats."""
    if run.budget_seconds is None:
        cells = problem.n_rows * max(len(problem.contract.features), 1) * max(problem.n_classes, 1)
        return (5, 1) if cells <= 2_000_000 else (3, 1) if cells <= 10_000_000 else (1, 1)
    one_fit = round_seconds * ROUNDS_TIMES_RATE / TYPICAL_RATE
    is_small = problem.n_rows <= ROWS_ALWAYS_FOLDED
    fits_wanted = FEW_FITS_WANTED if is_small else FITS_WANTED
    for n_folds in (5, 3):
        fits = n_folds + refits(n_folds, n_folds / (n_folds - 1))
        if fits * one_fit * fits_wanted <= search_seconds * slots(problem.n_rows, run):
            return n_folds, 1
    return (3, 1) if is_small else (1, 1)
