"""A trial: one candidate over the folds, from its lessons to its out-of-fold predictions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.machine import ShortTurns
from modelwright.core.ports import Curve, Cuttable, Exam, Lesson
from modelwright.evaluation.metrics import loss
from modelwright.learners.costs import counts_of
from modelwright.search import pace as pacing
from modelwright.search.clocks import Witness
from modelwright.search.memory import Memory, fit_bytes
from modelwright.search.portfolio import FOREST, MANY_CLASSES
from modelwright.search.threads import threads_of_fits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelwright.core.arrays import Bools, Floats, Ints
    from modelwright.core.matrix import Matrix
    from modelwright.core.ports import Fitted
    from modelwright.core.run import Run
    from modelwright.core.split import Folds
    from modelwright.learners.costs import Counts
    from modelwright.search.pace import Pace
    from modelwright.search.portfolio import Candidate
    from modelwright.search.problem import Material

PROBE_ROUNDS = (4, 20)
PROBE_SHARE, PROBE_SECONDS_LEAST = 0.2, 0.5
"""Of the seconds of a fit, what one measuring fit before it may take."""
TREE_PER_CLASS = ("lightgbm", "xgboost")
"""These grow a tree per class in each round, so that with many classes few rounds already cost an answer its time."""
TREES_MOST = 4_000
"""With many classes a model has so many trees at most: they alone take one row about 0.6 ms."""
FORGIVEN = 1.25
"""A candidate is dropped after its first folds when on each its loss is this many times the leader's."""
SHARES = (0.5, 0.25, 0.125)
"""Of its trees a model may keep so many, where an answer must be quick or a package small."""
FRONT_ROWS_MOST = 5_000
FOLDS_FORGIVEN = 2
"""So many folds are always waited for: one alone may be unlucky."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A candidate after its folds.

    Attributes:
        candidate: With the learning rate and rounds it was given.
        predictions: Out-of-fold, for the rows that some fold judges.
        score: The metric on them, in its own direction.
        rounds: Best round of each fold, empty without rounds.
        curves: One per fold.
        fit_seconds: Mean time of one fold's fit.
        fitted: The folds' models, kept after a holdout only.
        counts: What the first fold's model is made of.
        shorter: Out-of-fold predictions for ``Folding.front_rows`` after a share of the rounds or trees, by share;
            empty for what has none.
        clocks: What each fold's fit was told of the time.
    """

    candidate: Candidate
    predictions: Floats
    score: float
    rounds: tuple[int, ...]
    curves: tuple[Curve, ...]
    fit_seconds: float
    fitted: tuple[Fitted, ...] = ()
    counts: Counts | None = None
    shorter: Mapping[float, Floats] = field(default_factory=dict)
    clocks: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """One fold's fit.

    The model, how it went, its predictions for the judged rows, its seconds, the predictions of its first trees alone
    by their share, and what it was told of the time.
    """

    fitted: Fitted
    curve: Curve
    predictions: Floats
    seconds: float
    shorter: Mapping[float, Floats] = field(default_factory=dict)
    clock: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Trial:
    """A candidate that is being fitted fold by fold.

    Attributes:
        candidate: What is tried.
        seconds: What one fold's fit may take.
        n_folds: How many there are.
        outcomes: By fold, as they end.
        started: How many folds were handed out.
        is_rated: Whether its learning rate is set.
        is_dropped: Nothing more of it is wanted.
        lock: Held while the learning rate is being set.
    """

    candidate: Candidate
    seconds: float
    n_folds: int
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    started: int = 0
    is_rated: bool = False
    is_dropped: bool = False
    lock: Lock = field(default_factory=Lock)

    @property
    def is_whole(self) -> bool:
        """Whether every fold has ended."""
        return len(self.outcomes) == self.n_folds

    @property
    def is_handed_out(self) -> bool:
        """Whether no fold is left to start."""
        return self.is_dropped or self.started == self.n_folds


def front_rows(covered: Bools, seed: int) -> Bools:
    """Return which of the judged rows judge models that are cut short: enough to tell, few enough to cost nothing."""
    at = np.flatnonzero(covered)
    if len(at) <= FRONT_ROWS_MOST:
        return covered
    mask = np.zeros(len(covered), bool)
    mask[np.random.default_rng(seed).choice(at, FRONT_ROWS_MOST, replace=False)] = True
    return mask


def _shorter(fitted: Fitted, candidate: Candidate, matrix: Matrix) -> dict[float, Floats]:
    """Return what the first trees alone predict, by their share."""
    if not isinstance(fitted, Cuttable):
        return {}
    is_mean = candidate.learner == FOREST.learner
    return {share: fitted.cut(share, is_mean=is_mean).predict(matrix) for share in SHARES}


@dataclass
class Folding:
    """Fits candidates on the folds of a material and judges what comes out.

    Attributes:
        material: The rows.
        folds: How they are divided.
        run: Clock, threads, catalogue, and whether the person stopped it.
        pace: Whether the clock counts, and how many fits run side by side.
        round_seconds: Seconds of one boosting round by candidate, on one fold, as measured.
        is_last_resort: Nothing else could be fitted, so a person who stopped the run does not cut this short.
    """

    material: Material
    folds: Folds
    run: Run
    pace: Pace
    round_seconds: dict[str, float] = field(default_factory=dict)
    is_last_resort: bool = False

    @property
    def covered(self) -> Bools:
        """Which rows are judged by some fold."""
        mask = np.zeros(self.material.problem.n_rows, bool)
        for fold in self.folds.folds:
            mask[fold.valid] = True
        return mask

    @cached_property
    def _memory(self) -> Memory:
        return Memory(self.run.memory_bytes)

    @cached_property
    def _is_front(self) -> Bools:
        """Marks the rows that judge what is cut short, all that are judged or a seeded sample of them."""
        return front_rows(self.covered, self.material.problem.seed)

    def with_rate(self, candidate: Candidate, seconds: float) -> Candidate:
        """Return the candidate with the learning rate that suits the seconds one fit has."""
        if not candidate.has_rate:
            return candidate
        p = self.material.problem
        if not self.pace.is_timed:
            rate = 0.05 if p.n_rows <= 50_000 and p.n_classes < 10 else 0.1
        else:
            rate = pacing.learning_rate(self._measured_round(candidate, seconds), seconds)
        limit = pacing.rounds_limit(rate)
        if candidate.learner in TREE_PER_CLASS and p.n_classes >= MANY_CLASSES:
            limit = TREES_MOST // p.n_classes
            rate = max(rate, round(pacing.ROUNDS_TIMES_RATE / limit, 3))
        rates = {"learning_rate": rate, "rounds": limit, "patience": pacing.patience(rate)}
        return replace(candidate, params={**candidate.params, **rates})

    def fit(
        self, candidate: Candidate, number: int, seconds: float, *, clock: Callable[[], float] | None = None
    ) -> Outcome:
        """Fit a candidate on one fold, within seconds or by a clock of its own."""
        learner = self.run.catalogue.find("learner", candidate.learner)(**candidate.params)
        begun = self.run.clock()
        witness = Witness(clock or self._until(begun + seconds), candidate.learner)
        lesson = self._lesson(number, witness)
        needed = 0 if self.is_last_resort else fit_bytes(candidate.learner, lesson.matrix)
        with ShortTurns(), self._memory.room_for(needed, candidate.name):
            fitted, curve = learner.fit(lesson)
        assert lesson.exam is not None
        predictions = fitted.predict(lesson.exam.matrix)
        spent = self.run.clock() - begun
        at = np.flatnonzero(self._is_front[self.folds.folds[number].valid])
        shorter = _shorter(fitted, candidate, lesson.exam.matrix.take(at))
        return Outcome(fitted, curve, predictions, spent, shorter, witness.record())

    def judge(self, trial: Trial, score: Callable[[Floats], float]) -> Tried:
        """Return what a whole trial came to; ``score`` is asked about its out-of-fold predictions."""
        outcomes = [trial.outcomes[i] for i in range(trial.n_folds)]
        predictions = self._gathered([o.predictions for o in outcomes], self.covered)
        is_front = self._is_front
        valid = [fold.valid[is_front[fold.valid]] for fold in self.folds.folds]
        shares = [share for share in SHARES if all(share in o.shorter for o in outcomes)]
        shorter = {s: self._gathered([o.shorter[s] for o in outcomes], is_front, valid) for s in shares}
        return Tried(
            trial.candidate,
            predictions,
            score(predictions),
            tuple(o.curve.best_round for o in outcomes if o.curve.ended),
            tuple(o.curve for o in outcomes),
            float(np.mean([o.seconds for o in outcomes])),
            tuple(o.fitted for o in outcomes) if self.folds.is_holdout else (),
            counts_of(outcomes[0].fitted),
            shorter,
            tuple(o.clock for o in outcomes),
        )

    def _gathered(self, parts: Sequence[Floats], rows: Bools, valid: Sequence[Ints] | None = None) -> Floats:
        """Return the mean of the folds' predictions for each of the rows that are marked."""
        p = self.material.problem
        valid = [fold.valid for fold in self.folds.folds] if valid is None else valid
        total = np.zeros((p.n_rows, p.n_classes) if p.n_classes else p.n_rows)
        counts = np.zeros(p.n_rows)
        for at, part in zip(valid, parts, strict=True):
            total[at] += part
            counts[at] += 1
        found: Floats = total[rows] / (counts[rows] if not p.n_classes else counts[rows, None])
        return found

    def is_hopeless(self, trial: Trial, leader: Tried) -> bool:
        """Whether the first folds are all far behind the leader's on the same rows."""
        first = [trial.outcomes.get(i) for i in range(FOLDS_FORGIVEN)]
        if trial.n_folds <= FOLDS_FORGIVEN or any(o is None for o in first):
            return False
        p = self.material.problem
        position = np.cumsum(self.covered) - 1
        for fold, outcome in zip(self.folds.folds, first, strict=False):
            assert outcome is not None
            theirs = loss(p.task.kind, p.target[fold.valid], leader.predictions[position[fold.valid]]).mean()
            if loss(p.task.kind, p.target[fold.valid], outcome.predictions).mean() <= FORGIVEN * theirs:
                return False
        return True

    def _lesson(self, number: int, seconds_left: Callable[[], float]) -> Lesson:
        """Return one fold as a lesson with its exam."""
        p, fold = self.material.problem, self.folds.folds[number]
        fit, valid = self.material.fold(number, fold)
        weight = p.weight
        exam = Exam(valid, p.target[fold.valid], None if weight is None else weight[fold.valid])
        threads = threads_of_fits(p.n_rows, self.run)
        learnt = None if weight is None else weight[fold.fit]
        return Lesson(fit, p.target[fold.fit], p.n_classes, learnt, exam, p.seed, threads, seconds_left)

    def _until(self, ends: float) -> Callable[[], float]:
        """Return a clock that runs down to this moment, and stands at nothing once the person stops the run."""

        def seconds_left() -> float:
            if (self.run.is_stopped() or self._memory.is_scarce()) and not self.is_last_resort:
                return 0.0
            return ends - self.run.clock() if self.pace.is_timed else float("inf")

        return seconds_left

    def _measured_round(self, candidate: Candidate, seconds: float) -> float:
        """Seconds of one round of this candidate on one fold, measured once by two short fits.

        Their difference leaves out what comes once: imports, binning, and the like. Where rounds are so dear that
        these fits would eat up the time of the real one, the first alone tells, cut short where it must be.
        """
        if candidate.name not in self.round_seconds:
            limit, (n_few, n_more) = max(PROBE_SHARE * seconds, PROBE_SECONDS_LEAST), PROBE_ROUNDS
            few, done = self._probe(candidate, n_few, limit)
            found = few / done
            if done == n_few and found * n_more <= limit:
                more, done = self._probe(candidate, n_more, limit)
                # Never under half of the plain mean: a difference of two noisy times can be far too small.
                found = max((more - few) / max(done - n_few, 1), more / done / 2)
            self.round_seconds[candidate.name] = found
        return self.round_seconds[candidate.name]

    def _probe(self, candidate: Candidate, rounds: int, seconds: float) -> tuple[float, int]:
        """Return the seconds of a fit of this many rounds, and how many there was time for."""
        rates = {"learning_rate": 0.1, "rounds": rounds, "patience": rounds}
        probe = replace(candidate, params={**candidate.params, **rates})
        outcome = self.fit(probe, 0, seconds)
        return outcome.seconds, min(max(len(outcome.curve.valid), 1), rounds)
