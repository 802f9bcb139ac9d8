"""The yardsticks: what a constant and an untuned LightGBM reach on the same rows, and the first usable model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.matrix import Matrix
from modelwright.core.ports import Lesson
from modelwright.search.threads import threads_of_fits

if TYPE_CHECKING:
    import polars as pl

    from modelwright.core.arrays import Floats
    from modelwright.core.ports import Fitted, Learner
    from modelwright.core.run import Run
    from modelwright.search.problem import Material


WARM_ROWS = 50
ROUNDS = 100
"""The library's own number of rounds."""
WAITING_MOST = 3.0
SHARE_MOST = 0.12
"""Of the budget: with hundreds of labels a round takes a second, and the yardstick is cut short."""


@dataclass(frozen=True, slots=True)
class Yardsticks:
    """Two models nobody had to work for.

    Attributes:
        constant: Always answers the mean, or the class shares.
        lightgbm_default: LightGBM with its default parameters on the plain columns: numbers and category
            codes as they are, no calendar parts, no text.
        columns: Positions of those columns in the material's base matrix.
        round_seconds: What one of its boosting rounds took.
        rounds: How many it was given time for, of its own hundred.
        waiting: How many times as long as it worked it took: above 1 where others use the cores.
    """

    material: Material
    constant: Fitted
    lightgbm_default: Fitted
    columns: tuple[int, ...]
    round_seconds: float
    rounds: int = ROUNDS
    waiting: float = 1.0

    def narrow(self, matrix: Matrix) -> Matrix:
        """Return the plain columns of a base matrix."""
        values = np.ascontiguousarray(matrix.values[:, list(self.columns)])
        return Matrix(values, tuple(matrix.features[i] for i in self.columns))

    def scores(self, frame: pl.DataFrame) -> dict[str, Floats]:
        """Return both models' predictions for conformed rows."""
        base = self.material.plan.matrix(frame)
        return {
            "constant": self.constant.predict(base),
            "lightgbm_default": self.lightgbm_default.predict(self.narrow(base)),
        }


def untuned(run: Run, rounds: int = ROUNDS) -> Learner:
    """Return LightGBM with its default parameters; fewer rounds than its own where time is short."""
    learner: Learner = run.catalogue.find("learner", "lightgbm")(preset="default", rounds=min(rounds, ROUNDS))
    return learner


def fit_yardsticks(material: Material, run: Run) -> Yardsticks:
    """Fit both yardsticks on all rows of the material."""
    p, base = material.problem, material.base
    columns = tuple(i for i, f in enumerate(base.features) if f.name == f.source)
    lesson = Lesson(base, p.target, p.n_classes, p.weight, None, p.seed, threads_of_fits(p.n_rows, run))
    constant, _ = run.catalogue.find("learner", "constant")().fit(lesson)
    learner = untuned(run)
    few = np.arange(min(p.n_rows, WARM_ROWS))
    learner.fit(replace(lesson, matrix=base.take(few), target=p.target[few], weight=None))  # its library is imported
    begun, worked = run.clock(), run.worked()
    plain = Matrix(np.ascontiguousarray(base.values[:, list(columns)]), tuple(base.features[i] for i in columns))
    ends = float("inf") if run.budget_seconds is None else begun + SHARE_MOST * run.budget_seconds
    fitted, curve = learner.fit(replace(lesson, matrix=plain, seconds_left=lambda: ends - run.clock()))
    spent, rounds = run.clock() - begun, max(curve.best_round, 1)
    given = rounds if curve.ended == "time" else ROUNDS
    waiting = min(max(spent / max(run.worked() - worked, 1e-3), 1.0), WAITING_MOST)
    return Yardsticks(material, constant, fitted, columns, spent / rounds, given, waiting)
