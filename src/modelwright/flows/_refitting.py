"""Refitting: the leading member of a package, fitted again on other rows or with other columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import InvalidTask
from modelwright.core.matrix import Matrix
from modelwright.core.ports import Exam, Lesson
from modelwright.core.split import Fold
from modelwright.core.table import Table
from modelwright.data.conforming import conform
from modelwright.data.splitting import split
from modelwright.data.tasks import encode
from modelwright.flows._known_rows import judged_rows, known_rows, some
from modelwright.flows._preparing import weights
from modelwright.search.problem import Material, Problem
from modelwright.search.threads import threads_of_fits

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from modelwright.core.arrays import Floats, Ints
    from modelwright.core.ports import Fitted, Learner
    from modelwright.core.run import Run
    from modelwright.packaging.package import Package

LEARNT_ROWS, HELD_ROWS = 20_000, 5_000
FEWEST_ROWS = 100
EXAM_SHARE = 0.15
"""Of the rows a fit is given, so many tell it when to stop, where the right number of rounds is not known."""


@dataclass(frozen=True, slots=True)
class Refit:
    """A fit and what it says.

    Attributes:
        fitted: The member.
        learnt: Its scores for the rows it learnt from, or None when they were not asked for.
        held: Its scores for the held rows.
        matrix: The held rows as it sees them.
    """

    fitted: Fitted
    learnt: Floats | None
    held: Floats
    matrix: Matrix


@dataclass(slots=True)
class Bench:
    """A table, divided as at training, and the member to fit on it.

    Attributes:
        material: All rows, prepared.
        learn: Rows to learn from, as positions.
        held: Rows to be judged on.
        name: The member.
        learner: Its family.
        params: Its parameters, rounds included where it has any.
        place: Each row's number in the table, from 1.
        how: How the rows were divided, a sentence.
        run: Seed, threads, catalogue.
    """

    material: Material
    learn: Ints
    held: Ints
    name: str
    learner: str
    params: dict[str, Any]
    place: Ints
    how: str
    run: Run
    _count: int = field(default=0)

    @classmethod
    def of(cls, package: Package, source: object, run: Run, *, query: str | None = None) -> Bench:
        """Bring a table with the target onto the bench.

        Raises:
            InvalidTask: It has too few labelled rows.
        """
        rows = known_rows(source, package, query=query)
        model = package.model
        table = Table(rows.raw, rows.source, "")
        target, known = encode(table, model.task, model.contract)
        at = np.flatnonzero(known)
        if len(at) < FEWEST_ROWS:
            raise InvalidTask(
                f"a diagnosis needs {FEWEST_ROWS} labelled rows or more",
                where=rows.source,
                got=len(at),
                fix="give the table the model was trained on, or one like it",
            )
        frame = conform(rows.raw[at], model.contract).frame
        target = target[at]
        judged = judged_rows(package, [rows])
        if judged is not None and judged.is_sealed:
            sealed = set(map(tuple, judged.rows.raw.rows()))
            is_held = np.array([row in sealed for row in rows.raw[at].rows()])
            learn, held, how = np.flatnonzero(~is_held), np.flatnonzero(is_held), "judged on the package's sealed rows"
        else:
            parts = split(frame, model.task, target, fraction=None, seed=run.seed, contract=model.contract)
            learn, held, how = parts.train, parts.test, f"judged on rows set aside here: {parts.reason}"
        weight = weights(frame, model.task) if model.task.weight in frame.columns else None
        problem = Problem(frame, target, weight, model.contract, model.task, run.seed)
        chosen = learn[some(len(learn), LEARNT_ROWS, run.seed)]
        name, learner, params = leading(package)
        kept = held[some(len(held), HELD_ROWS, run.seed)]
        return cls(Material.prepare(problem), chosen, kept, name, learner, params, at + 1, how, run)

    @property
    def problem(self) -> Problem:
        """All rows and their targets."""
        return self.material.problem

    def fit(
        self,
        rows: Ints,
        held: Ints | None = None,
        *,
        changes: Mapping[str, Any] | None = None,
        without: Collection[str] = (),
        with_exam: bool = False,
        wants_learnt: bool = False,
    ) -> Refit:
        """Fit the member on some rows and score the held ones.

        Args:
            rows: Positions to learn from, repeats allowed.
            held: Positions to score; those of the bench by default.
            changes: Parameters in place of the member's own.
            without: Columns it does not see.
            with_exam: Let a sixth of the rows tell it when to stop, instead of the rounds of the search.
            wants_learnt: Score the rows it learnt from, too.
        """
        p, held = self.problem, self.held if held is None else held
        self._count += 1
        exam_rows = rows[: max(int(EXAM_SHARE * len(rows)), 1)] if with_exam and "rounds" in self.params else rows[:0]
        learn = rows[len(exam_rows) :]
        seen, judged = self.material.fold(self._count, Fold(learn, np.concatenate([held, exam_rows])))
        self.material.release()
        seen, judged = _narrow(seen, without), _narrow(judged, without)
        shown = judged.take(np.arange(len(held)))
        params = {**self.params, **(changes or {})}
        exam = None
        if len(exam_rows):
            params = {**params, "rounds": 2 * params["rounds"], "patience": 30}
            last = judged.take(np.arange(len(held), judged.n_rows))
            exam = Exam(last, p.target[exam_rows], p.weight_of(exam_rows))
        weight = p.weight_of(learn)
        threads = threads_of_fits(len(learn), self.run)
        lesson = Lesson(seen, p.target[learn], p.n_classes, weight, exam, self.run.seed, threads)
        learner: Learner = self.run.catalogue.find("learner", self.learner)(**params)
        fitted, _ = learner.fit(lesson)
        return Refit(fitted, fitted.predict(seen) if wants_learnt else None, fitted.predict(shown), shown)

    def shuffled(self, number: int) -> Ints:
        """Return the rows to learn from in a seeded order of their own."""
        return np.random.default_rng([self.run.seed, number]).permutation(self.learn)

    def drawn(self, number: int, most: int) -> Ints:
        """Return a bootstrap resample of the rows to learn from."""
        n = min(len(self.learn), most)
        return self.learn[np.random.default_rng([self.run.seed, 1_000 + number]).integers(0, len(self.learn), n)]


def _narrow(matrix: Matrix, without: Collection[str]) -> Matrix:
    if not without:
        return matrix
    kept = [i for i, f in enumerate(matrix.features) if not {f.source, f.other or f.source} & set(without)]
    return Matrix(np.ascontiguousarray(matrix.values[:, kept]), tuple(matrix.features[i] for i in kept))


def leading(package: Package) -> tuple[str, str, dict[str, Any]]:
    """Return name, learner and parameters of the member with the most weight; LightGBM where none is on record."""
    candidates = [c for c in package.record.get("candidates", ()) if c.get("weight", 0) > 0]
    if not candidates:
        return "lightgbm", "lightgbm", {"rounds": 200, "learning_rate": 0.05}
    best = max(candidates, key=lambda c: c["weight"])
    params = dict(best["params"])
    if best["rounds"]:
        params["rounds"] = max(round(float(np.mean(best["rounds"]))), 1)
    return str(best["name"]), str(best["learner"]), params
