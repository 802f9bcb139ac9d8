"""The race: candidates are fitted on folds, one after the other, as long as time allows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import MissingLibrary
from modelwright.core.metrics import MEASURES
from modelwright.core.ports import Curve, Exam, Lesson
from modelwright.search import pace as pacing
from modelwright.search.ensemble import choose, loss_of
from modelwright.search.portfolio import Candidate
from modelwright.search.threads import fits_at_once, threads_of_fit, wall_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.arrays import Bools, Floats
    from modelwright.core.ports import Fitted
    from modelwright.core.run import Run
    from modelwright.core.split import Folds
    from modelwright.search.journal import Journal
    from modelwright.search.pace import Pace
    from modelwright.search.problem import Material

PROBE_ROUNDS = (4, 20)
FORGIVEN = 1.25
"""A candidate is dropped after its first folds when its loss is this many times the leader's worst fold."""
SHORTEST_FIT_SECONDS = 0.15
LAST_RESORT_SECONDS = 1.0
TREES_WITHOUT_ROUNDS = 500.0
"""What a forest, a linear model or neighbours cost one row, counted in boosted trees."""
QUICKEST = Candidate(
    "lightgbm quick", "lightgbm", {"learning_rate": 0.2, "rounds": 60, "patience": 15}, "what the time allows"
)


@dataclass(frozen=True, slots=True)
class Tried:
    """A candidate after its folds.

    Attributes:
        candidate: With the learning rate and rounds it was given.
        predictions: Out-of-fold, for the rows of ``Race.covered``.
        score: The metric on them, in its own direction.
        rounds: Best round of each fold, empty without rounds.
        curves: One per fold.
        fit_seconds: Mean time of one fold's fit.
        fitted: The folds' models.
    """

    candidate: Candidate
    predictions: Floats
    score: float
    rounds: tuple[int, ...]
    curves: tuple[Curve, ...]
    fit_seconds: float
    fitted: tuple[Fitted, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """How the race ended: who ran, which rows were judged, each one's weight, and why it ended."""

    tried: tuple[Tried, ...]
    covered: Bools
    weights: Floats
    stopped: str
    failed: tuple[str, ...] = ()


@dataclass(slots=True)
class Race:
    """Runs candidates over the folds of a material."""

    material: Material
    folds: Folds
    run: Run
    pace: Pace
    journal: Journal
    round_seconds: dict[str, float]
    """Seconds of one boosting round by candidate, on one fold, as measured."""
    is_last_resort: bool = False
    """Nothing else could be fitted, so this one is not cut short by the person who stopped the run."""

    def go(self, candidates: Sequence[Candidate]) -> Result:
        """Run the candidates in order and return what they came to."""
        tried: list[Tried] = []
        failed: list[str] = []
        total = self.pace.left()
        stopped = "every candidate was tried"
        for number, candidate in enumerate(candidates):
            if self.run.effort is not None and number >= self.run.effort:
                stopped = f"the {self.run.effort} work units were used"
                break
            refits = self._refit_seconds(tried)
            seconds = self.pace.fold_seconds(candidate.share, total, refits)
            if seconds < SHORTEST_FIT_SECONDS:
                stopped = "stopped by the user" if self.run.is_stopped() else "the time was used"
                break
            self.run.say("search", candidate.name, best=self._best(tried), tried=len(tried))
            try:
                one = self.journal.recall(candidate) or self._try(candidate, seconds, tried)
            except MissingLibrary:
                continue
            except Exception as error:
                failed.append(f"{candidate.name}: {type(error).__name__}: {error}".splitlines()[0][:250])
                continue
            if one is not None:
                self.journal.record(one)
                tried.append(one)
        return Result(tuple(tried), self.covered, self._weights(tried), stopped, tuple(failed))

    def go_shortest(self) -> Result:
        """Run the quickest candidate whatever the time, and whoever stopped: a search always ends with a model."""
        self.is_last_resort = True
        one = self._try(QUICKEST, LAST_RESORT_SECONDS, ())
        assert one is not None
        return Result((one,), self.covered, np.ones(1), "the time was used")

    @property
    def covered(self) -> Bools:
        """Which rows are judged by some fold."""
        mask = np.zeros(self.material.problem.n_rows, bool)
        for fold in self.folds.folds:
            mask[fold.valid] = True
        return mask

    @property
    def _threads(self) -> int:
        """Threads of one fold's fit."""
        n_rows = self.material.problem.n_rows
        return threads_of_fit(n_rows, fits_at_once(n_rows, len(self.folds.folds), self.run), self.run)

    @property
    def metric(self) -> str:
        """The measure candidates are compared by: the task's, or log loss where that reads labels."""
        asked = MEASURES[self.material.problem.task.metric]
        return asked.name if asked.reads == "scores" else "log_loss"

    def _try(self, candidate: Candidate, seconds: float, tried: Sequence[Tried]) -> Tried | None:
        """Fit a candidate on every fold, or None when it is dropped or does not finish."""
        timed = self._with_rate(candidate, seconds)
        numbers = range(len(self.folds.folds))
        n_side = fits_at_once(self.material.problem.n_rows, len(numbers), self.run)
        outcomes: list[tuple[Fitted, Curve, Floats, float]] = []
        for start in range(0, len(numbers), n_side):
            batch = numbers[start : start + n_side]
            if n_side == 1:
                outcomes.append(self._fit_fold(timed, batch[0], seconds, self._threads))
            else:
                with ThreadPoolExecutor(n_side) as pool:
                    outcomes += pool.map(lambda i: self._fit_fold(timed, i, seconds, 1), batch)
            if len(outcomes) < len(numbers) and tried and (self.run.is_stopped() or self._is_hopeless(outcomes, tried)):
                return None
        return self._judge(timed, outcomes)

    def _fit_fold(
        self, candidate: Candidate, number: int, seconds: float, threads: int
    ) -> tuple[Fitted, Curve, Floats, float]:
        learner = self.run.catalogue.find("learner", candidate.learner)(**candidate.params)
        begun = self.run.clock()
        lesson = self.lesson(number, threads=threads, seconds=seconds)
        fitted, curve = learner.fit(lesson)
        assert lesson.exam is not None
        return fitted, curve, fitted.predict(lesson.exam.matrix), self.run.clock() - begun

    def lesson(self, number: int, *, threads: int, seconds: float) -> Lesson:
        """Return one fold as a lesson with its exam."""
        p, fold = self.material.problem, self.folds.folds[number]
        fit, valid = self.material.fold(number, fold)
        ends = self.run.clock() + seconds

        def seconds_left() -> float:
            if self.run.is_stopped() and not self.is_last_resort:
                return 0.0
            return ends - self.run.clock() if self.pace.is_timed else float("inf")

        weigh = p.weight
        exam = Exam(valid, p.target[fold.valid], None if weigh is None else weigh[fold.valid])
        weight = None if weigh is None else weigh[fold.fit]
        return Lesson(fit, p.target[fold.fit], p.n_classes, weight, exam, p.seed, threads, seconds_left)

    def _with_rate(self, candidate: Candidate, seconds: float) -> Candidate:
        """Return the candidate with the learning rate that suits the time there is."""
        if not candidate.has_rate:
            return candidate
        p = self.material.problem
        if not self.pace.is_timed:
            rate = 0.05 if p.n_rows <= 50_000 and p.n_classes < 10 else 0.1
        else:
            rate = pacing.learning_rate(self._measured_round(candidate), seconds)
        rates = {"learning_rate": rate, "rounds": pacing.rounds_limit(rate), "patience": pacing.patience(rate)}
        return replace(candidate, params={**candidate.params, **rates})

    def _measured_round(self, candidate: Candidate) -> float:
        """Seconds of one round of this candidate on one fold, measured once by two short fits.

        Their difference leaves out what comes once: imports, binning, and the like.
        """
        if candidate.name not in self.round_seconds:
            n_few, n_more = PROBE_ROUNDS
            few, more = self._probe(candidate, n_few), self._probe(candidate, n_more)
            # Never under half of the plain mean: a difference of two noisy times can be far too small.
            self.round_seconds[candidate.name] = max((more - few) / (n_more - n_few), more / n_more / 2)
        return self.round_seconds[candidate.name]

    def _probe(self, candidate: Candidate, rounds: int) -> float:
        """Return the seconds of a fit of this many rounds."""
        rates = {"learning_rate": 0.1, "rounds": rounds, "patience": rounds}
        probe = replace(candidate, params={**candidate.params, **rates})
        return self._fit_fold(probe, 0, float("inf"), self._threads)[3]

    def _judge(self, candidate: Candidate, outcomes: Sequence[tuple[Fitted, Curve, Floats, float]]) -> Tried:
        p = self.material.problem
        shape = (p.n_rows,) if not p.n_classes else (p.n_rows, p.n_classes)
        total, counts = np.zeros(shape), np.zeros(p.n_rows)
        for fold, (_, _, predicted, _) in zip(self.folds.folds, outcomes, strict=True):
            total[fold.valid] += predicted
            counts[fold.valid] += 1
        covered = counts > 0
        predictions = total[covered] / (counts[covered] if not p.n_classes else counts[covered, None])
        curves = tuple(c for _, c, _, _ in outcomes)
        one = Tried(
            candidate,
            predictions,
            0.0,
            tuple(c.best_round for c in curves if c.ended),
            curves,
            float(np.mean([s for *_, s in outcomes])),
            tuple(f for f, *_ in outcomes) if self.folds.is_holdout else (),
        )
        return replace(one, score=self._score(predictions))

    def _score(self, predictions: Floats) -> float:
        loss = self._loss(predictions, self.covered)
        return -loss if MEASURES[self.metric].greater_is_better else loss

    def _loss(self, predictions: Floats, rows: Any) -> float:
        p = self.material.problem
        weight = None if p.weight is None else p.weight[rows]
        return loss_of(self.metric, p.target[rows], predictions, weight)

    def _is_hopeless(self, outcomes: Sequence[tuple[Fitted, Curve, Floats, float]], tried: Sequence[Tried]) -> bool:
        """Whether the folds so far are all far behind the leader's on the same rows."""
        from modelwright.evaluation.metrics import loss

        p, covered = self.material.problem, self.covered
        position = np.cumsum(covered) - 1
        leader = min(tried, key=lambda t: self._loss(t.predictions, covered))
        kind = p.task.kind
        for fold, (_, _, predicted, _) in zip(self.folds.folds, outcomes, strict=False):
            theirs = loss(kind, p.target[fold.valid], leader.predictions[position[fold.valid]]).mean()
            if loss(kind, p.target[fold.valid], predicted).mean() <= FORGIVEN * theirs:
                return False
        return True

    def _weights(self, tried: Sequence[Tried]) -> Floats:
        if not tried:
            return np.zeros(0)
        p, covered = self.material.problem, self.covered
        weight = None if p.weight is None else p.weight[covered]
        predictions = [t.predictions for t in tried]
        trees = [self._trees(t) for t in tried]
        return choose(predictions, p.target[covered], metric=self.metric, trees=trees, weight=weight, seed=p.seed)

    def _trees(self, one: Tried) -> float:
        """Return about how many trees the candidate's final fit asks for one answer."""
        n_outputs = max(self.material.problem.n_classes, 1) if self.material.problem.n_classes > 2 else 1
        return float(np.mean(one.rounds)) * n_outputs if one.rounds else TREES_WITHOUT_ROUNDS

    def _refit_seconds(self, tried: Sequence[Tried]) -> float:
        """Seconds a fold's fit of all current members takes, side by side where that is done."""
        if not self.pace.is_timed:
            return 0.0  # nothing is reckoned in seconds, so the ensemble need not be chosen for it
        members = [t.fit_seconds for t, w in zip(tried, self._weights(tried), strict=True) if w > 0]
        return wall_seconds(members, fits_at_once(self.material.problem.n_rows, max(len(members), 1), self.run))

    def _best(self, tried: Sequence[Tried]) -> float | None:
        if not tried:
            return None
        pick = max if MEASURES[self.metric].greater_is_better else min
        return pick(t.score for t in tried)
