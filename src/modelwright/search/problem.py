"""The problem: the rows a search may learn from, and what is asked of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.matrix import Matrix
from modelwright.features.arithmetic import Arithmetic
from modelwright.features.encoding import TargetEncoding
from modelwright.features.groups import fit_deviation
from modelwright.features.plan import FeaturePlan, recommend

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from modelwright.core.arrays import Bools, Floats, Ints, Target
    from modelwright.core.contract import Contract
    from modelwright.core.split import Fold
    from modelwright.core.task import Task
    from modelwright.features.recipe import Recipe, Step


@dataclass(frozen=True, slots=True)
class Problem:
    """Rows, their targets, and the question.

    Attributes:
        frame: Conformed rows.
        target: Shape (n_rows,), encoded.
        weight: Row weights, or None.
        contract: What the columns mean.
        task: What is asked.
        seed: All randomness comes from it.
    """

    frame: pl.DataFrame
    target: Target
    weight: Floats | None
    contract: Contract
    task: Task
    seed: int = 0

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return self.frame.height

    @property
    def n_classes(self) -> int:
        """How many labels there are, 0 for regression."""
        return len(self.task.labels)

    @property
    def n_trees_a_round(self) -> int:
        """How many trees a round of boosting adds: one a label from three labels on."""
        return self.n_classes if self.n_classes > 2 else 1

    def weight_of(self, rows: Ints | Bools) -> Floats | None:
        """Return the weights of these rows, or None where rows have none."""
        return None if self.weight is None else self.weight[rows]

    def take(self, rows: Ints) -> Problem:
        """Return the problem on these rows only."""
        return Problem(self.frame[rows], self.target[rows], self.weight_of(rows), self.contract, self.task, self.seed)


@dataclass(slots=True)
class Material:
    """The matrices of a problem, made once and shared by all candidates.

    What never sees the target (codes, calendar parts, text vectors) is fitted once on all rows of the problem;
    what does see it (target encodings) is fitted anew inside each fold.
    """

    problem: Problem
    recipe: Recipe
    plan: FeaturePlan
    base: Matrix
    _folds: dict[int, tuple[Matrix, Matrix]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @classmethod
    def prepare(cls, problem: Problem, recipe: Recipe | None = None) -> Material:
        """Fit the target-free layer, by the recommended recipe when none is given, and make its matrix."""
        recipe = recipe or recommend(problem.contract, n_classes=problem.n_classes, n_rows=problem.n_rows)
        plan = FeaturePlan.fit(problem.frame, problem.contract, recipe, seed=problem.seed)
        return cls(problem, recipe, plan, plan.matrix(problem.frame))

    def with_arithmetic(self, steps: Sequence[Step]) -> Material:
        """Return the material with these operations on pairs of numbers as further features."""
        made = Arithmetic(tuple((step.craft, step.column, step.other) for step in steps))
        values = np.empty((self.base.n_rows, len(steps)), dtype=np.float32)
        made.fill(self.problem.frame, values)
        recipe = replace(self.recipe, steps=(*self.recipe.steps, *steps))
        base = self.base.beside(Matrix(values, made.features))
        return Material(self.problem, recipe, self.plan.with_late(made), base)

    def with_deviations(self, steps: Sequence[Step]) -> Material:
        """Return the material with these distances of numbers from group means as further features."""
        made = [fit_deviation(self.problem.frame, step.column, step.other) for step in steps]
        values = np.empty((self.base.n_rows, len(made)), dtype=np.float32)
        for place, craft in enumerate(made):
            craft.fill(self.problem.frame, values[:, place : place + 1])
        recipe = replace(self.recipe, steps=(*self.recipe.steps, *steps))
        base = self.base.beside(Matrix(values, tuple(f for craft in made for f in craft.features)))
        return Material(self.problem, recipe, self.plan.with_late(*made), base)

    def with_crosses(self, steps: Sequence[Step]) -> Material:
        """Return the material whose folds also encode these pairs of categories by the target."""
        return self.encoding((*self.recipe.encoded, *steps))

    def encoding(self, steps: Sequence[Step]) -> Material:
        """Return the material whose folds encode these by the target, and nothing else."""
        return Material(self.problem, replace(self.recipe, encoded=tuple(steps)), self.plan, self.base)

    def fold(self, number: int, fold: Fold) -> tuple[Matrix, Matrix]:
        """Return the matrices to fit on and to be judged on in one fold."""
        with self._lock:  # fits side by side ask for the same fold at the same moment
            if number not in self._folds:
                encoding, encoded = self._encode(fold.fit)
                fit, valid = self.base.take(fold.fit), self.base.take(fold.valid)
                if not encoding.is_empty:
                    fit = fit.beside(encoded)
                    valid = valid.beside(encoding.matrix(self.problem.frame[fold.valid]))
                self._folds[number] = (fit, valid)
            return self._folds[number]

    def plan_of_fold(self, fold: Fold) -> FeaturePlan:
        """Return the complete plan as it was fitted inside a fold."""
        encoding, _ = self._encode(fold.fit)
        return self.plan if encoding.is_empty else self.plan.with_encoding(encoding)

    def whole(self) -> tuple[FeaturePlan, Matrix]:
        """Return the complete plan and the matrix of all rows, for the final fit."""
        encoding, encoded = self._encode(np.arange(self.problem.n_rows))
        if encoding.is_empty:
            return self.plan, self.base
        return self.plan.with_encoding(encoding), self.base.beside(encoded)

    def release(self) -> None:
        """Let go of the folds' matrices."""
        self._folds.clear()

    def _encode(self, rows: Ints) -> tuple[TargetEncoding, Matrix]:
        p = self.problem
        weight = p.weight_of(rows)
        return TargetEncoding.fit(
            p.frame[rows],
            p.contract,
            self.recipe,
            p.target[rows],
            n_classes=p.n_classes,
            weight=weight,
            seed=p.seed,
        )
