"""Scouting: what learners that a champion does not use would have won on its own folds, and what they would cost."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import ModelwrightError
from modelwright.core.metrics import MEASURES
from modelwright.core.ports import Exam, Lesson
from modelwright.evaluation.many import is_surely_worse, together
from modelwright.evaluation.metrics import compute
from modelwright.evaluation.pairs import paired
from modelwright.learners.contract import checks
from modelwright.packaging.size import disk_bytes
from modelwright.search import pace as pacing
from modelwright.search import portfolio as known
from modelwright.search.threads import threads_of_fits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.core.arrays import Floats, Ints
    from modelwright.core.ports import Fitted
    from modelwright.core.run import Run
    from modelwright.core.score import Score
    from modelwright.core.split import Folds
    from modelwright.search.portfolio import Candidate
    from modelwright.search.problem import Material

FEW_ROWS = 4_000
"""A table of so many rows or fewer is raced on at once; of more, a sample sorts out who is far behind."""
SAMPLE_ROWS = 2_000
RATE = 0.05
"""Learning rate of contenders where the champion has no boosted member whose rate could be theirs."""
SHARES = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
"""Weights that a contender is tried with beside the champion."""
ROWS_TIMED = 60
PROMISE_SHARE = 0.1
"""Of the time, for checking the promises of one plug-in."""
PRESETS = (
    known.LIGHTGBM_EXTRA,
    known.LIGHTGBM,
    known.LIGHTGBM_REGULAR,
    known.LIGHTGBM_ORDERED,
    known.LIGHTGBM_SHALLOW,
    known.CATBOOST,
    known.XGBOOST,
    known.EXTRA_TREES,
    known.FOREST,
    known.LINEAR,
    known.NEIGHBOURS,
    known.NEURAL,
    replace(known.CATBOOST, name="catboost shallow", params={"depth": 4}, why="nearly additive symmetric trees"),
    replace(known.XGBOOST, name="xgboost shallow", params={"depth": 3}, why="nearly additive"),
)
"""What the built-in learners are tried with."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs.

    Attributes:
        fit_seconds: Of one fold's fit, in the mean.
        row_ms: Of one answer, the median, once the row is a row of the matrix.
        size_bytes: Of its state.
    """

    fit_seconds: float
    row_ms: float
    size_bytes: int

    def __add__(self, other: Price) -> Price:
        return Price(
            self.fit_seconds + other.fit_seconds, self.row_ms + other.row_ms, self.size_bytes + other.size_bytes
        )


FREE = Price(0.0, 0.0, 0)


@dataclass(frozen=True, slots=True)
class Looked:
    """What one contender came to.

    Attributes:
        candidate: Who.
        ended: ``raced``, ``far behind``, ``failed``, ``no time``.
        reason: Why it ended before the end, or empty.
        alone: Its measure less the champion's, with an interval that holds for all contenders together; or None.
        beside: The same of champion and contender together, with weights that other rows chose.
        share: The weight it has there, in the mean.
        price: What it costs, or None.
    """

    candidate: Candidate
    ended: str
    reason: str = ""
    alone: Score | None = None
    beside: Score | None = None
    share: float = 0.0
    price: Price | None = None


@dataclass(frozen=True, slots=True)
class Scouted:
    """What came of a look around.

    Attributes:
        metric: What was compared.
        value: The champion's, on these folds, under the versions installed now.
        price: The champion's.
        rows: How many rows judged.
        looked: Every contender.
    """

    metric: str
    value: float
    price: Price
    rows: int
    looked: tuple[Looked, ...]


@dataclass(slots=True)
class _Field:
    """The race course: rows, folds, and the time there is."""

    material: Material
    folds: Folds
    run: Run
    deadline: float
    metric: str
    _judged: Ints = field(init=False)

    def __post_init__(self) -> None:
        self._judged = np.unique(np.concatenate([f.valid for f in self.folds.folds]))

    @property
    def target(self) -> Any:
        return self.material.problem.target[self._judged]

    def left(self) -> float:
        return self.deadline - self.run.clock()

    def fit(self, candidate: Candidate, number: int, *, sample: bool = False) -> tuple[Fitted, Floats, float]:
        """Fit a candidate on a fold; return it with its scores for the judged part and its seconds."""
        p, fold = self.material.problem, self.folds.folds[number]
        learn, judged = self.material.fold(number, fold)
        at, shown = np.arange(len(fold.fit)), np.arange(len(fold.valid))
        if sample:
            at, shown = self._sampled(len(at)), self._sampled(len(shown))
            learn, judged = learn.take(at), judged.take(shown)
        rows, valid = fold.fit[at], fold.valid[shown]
        exam = Exam(judged, p.target[valid], p.weight_of(valid))
        threads = threads_of_fits(len(rows), self.run)
        weight = p.weight_of(rows)
        lesson = Lesson(learn, p.target[rows], p.n_classes, weight, exam, p.seed, threads, self.left)
        begun = self.run.clock()
        fitted, _ = self.run.catalogue.find("learner", candidate.learner)(**candidate.params).fit(lesson)
        return fitted, fitted.predict(judged), self.run.clock() - begun

    def _sampled(self, n: int) -> Ints:
        rng = np.random.default_rng(self.material.problem.seed)
        return np.sort(rng.choice(n, min(n, SAMPLE_ROWS), replace=False))

    def sample_target(self) -> Any:
        valid = self.folds.folds[0].valid
        return self.material.problem.target[valid[self._sampled(len(valid))]]

    def over_folds(self, candidate: Candidate, *, is_needed: bool = False) -> tuple[Floats, Price]:
        """Return a candidate's scores for every judged row, and its price; what is needed may take its time."""
        p = self.material.problem
        shape = (p.n_rows, p.n_classes) if p.n_classes else (p.n_rows,)
        total, counts, seconds = np.zeros(shape), np.zeros(p.n_rows), []
        for number, fold in enumerate(self.folds.folds):
            if number and self.left() <= 0 and not is_needed:
                raise _OutOfTime
            fitted, scores, took = self.fit(candidate, number)
            total[fold.valid] += scores
            counts[fold.valid] += 1
            seconds.append(took)
        judged = total[self._judged]
        judged /= counts[self._judged][:, None] if p.n_classes else counts[self._judged]
        price = Price(float(np.mean(seconds)), self._row_ms(fitted), disk_bytes(fitted.state()))
        return judged, price

    def _row_ms(self, fitted: Fitted) -> float:
        base = self.material.fold(0, self.folds.folds[0])[1]
        rows = [base.take(np.array([i % base.n_rows])) for i in range(ROWS_TIMED)]
        times = []
        for row in rows:
            begun = perf_counter()
            fitted.predict(row)
            times.append(perf_counter() - begun)
        return 1e3 * float(np.median(times))

    def difference(self, one: Floats, other: Floats, target: Any) -> Score:
        return paired(self.material.problem.task, target, one, other, metric=self.metric)


class _OutOfTime(Exception):
    """The budget ended between two folds."""


def contenders(
    available: Sequence[str], used: Sequence[Candidate], settings: Mapping[str, Mapping[str, Any]], own: Sequence[str]
) -> tuple[Candidate, ...]:
    """Return what could be tried that a champion does not use, what it has tried before last.

    Args:
        available: Learners that can be imported.
        used: The champion's members.
        settings: By learner, what only the user can say, such as a file of weights.
        own: Names of candidates that the champion's search has tried and not chosen.
    """
    named = {c.name for c in used}
    built_in = [c for c in PRESETS if c.learner in available and c.name not in named]
    others = [
        known.Candidate(name, name, dict(settings.get(name, {})), "a plug-in" if name not in known.BUILT_IN else "")
        for name in available
        if (name not in known.BUILT_IN or name in settings) and name not in named
    ]
    return tuple(sorted((*others, *built_in), key=lambda c: c.name in own))


def broken_promises(candidate: Candidate, material: Material, run: Run, *, seconds: float) -> list[str]:
    """Return the promises of a learner that a plug-in does not keep, as far as there is time to see."""
    learner = run.catalogue.find("learner", candidate.learner)
    make = partial(learner, **candidate.params)
    begun, broken = run.clock(), []
    for check in checks(make, kinds=(material.problem.task.kind,)):
        if run.clock() - begun > seconds:
            break
        try:
            check()
        except Exception as error:  # whatever a stranger's code raises is a broken promise
            name = check.__name__.removesuffix(f"_{material.problem.task.kind}")
            broken.append(f"{name}: {str(error)[:80] or type(error).__name__}")
    return broken


def scout(
    material: Material,
    folds: Folds,
    members: Sequence[tuple[Candidate, float]],
    found: Sequence[Candidate],
    run: Run,
) -> Scouted:
    """Race contenders against a champion on its own folds.

    Args:
        material: The champion's training rows, prepared; its sealed rows are not among them.
        folds: As the champion's search divided them.
        members: The champion's members with their weights.
        found: The contenders.
        run: Budget, seed, threads, catalogue.
    """
    p = material.problem
    asked = MEASURES[p.task.metric]
    metric = asked.name if asked.reads == "scores" else "log_loss"
    deadline = run.clock() + run.seconds_left() if run.budget_seconds is not None else float("inf")
    course = _Field(material, folds, run, deadline, metric)
    run.say("scout", "the champion, fitted anew")
    champion, price = _blend([(*course.over_folds(c, is_needed=True), w) for c, w in members])
    rate = next((c.params["learning_rate"] for c, _ in members if "learning_rate" in c.params), RATE)
    tried = [_with_rate(c, rate) for c in found]
    order, looked = _sorted_out(course, members, tried)
    raced: list[tuple[Candidate, Floats, Price]] = []
    for candidate in order:
        if course.left() <= 0 or run.is_stopped():
            looked.append(Looked(candidate, "no time"))
            continue
        run.say("scout", candidate.name)
        try:
            raced.append((candidate, *course.over_folds(candidate)))
        except _OutOfTime:
            looked.append(Looked(candidate, "no time"))
        except Exception as error:  # a contender may be a stranger's code
            looked.append(Looked(candidate, "failed", _said(error)))
    looked = [*(_held(course, champion, one, 2 * len(raced)) for one in raced), *looked]
    return Scouted(metric, compute(metric, course.target, champion), price, len(course.target), tuple(looked))


def _said(error: Exception) -> str:
    return f"{error.rule}: {error.got}" if isinstance(error, ModelwrightError) else f"{type(error).__name__}: {error}"


def _blend(fitted: Sequence[tuple[Floats, Price, float]]) -> tuple[Floats, Price]:
    total = sum(w for _, _, w in fitted)
    scores = np.asarray(sum(w / total * s for s, _, w in fitted))
    return scores, sum((price for _, price, _ in fitted), FREE)


def _with_rate(candidate: Candidate, rate: float) -> Candidate:
    if not candidate.has_rate:
        return candidate
    rates = {"learning_rate": rate, "rounds": pacing.rounds_limit(rate), "patience": pacing.patience(rate)}
    return replace(candidate, params={**candidate.params, **rates})


def _sorted_out(
    course: _Field, members: Sequence[tuple[Candidate, float]], tried: Sequence[Candidate]
) -> tuple[list[Candidate], list[Looked]]:
    """Return who races, most promising first, and who is out: surely worse on a sample, alone and beside."""
    if course.material.problem.n_rows <= FEW_ROWS:
        return list(tried), []
    course.run.say("scout", "a first look on a sample")
    target = course.sample_target()
    champion, _ = _blend([(course.fit(c, 0, sample=True)[1], FREE, w) for c, w in members])
    order: list[tuple[float, Candidate]] = []
    out: list[Looked] = []
    for candidate in tried:
        if course.left() <= 0:
            order.append((0.0, candidate))
            continue
        try:
            scores = course.fit(candidate, 0, sample=True)[1]
        except Exception as error:  # a contender may be a stranger's code
            out.append(Looked(candidate, "failed", _said(error)))
            continue
        alone = together(course.difference(scores, champion, target), len(tried))
        beside = course.difference((scores + champion) / 2, champion, target)
        gain = beside.value if MEASURES[course.metric].greater_is_better else -beside.value
        if is_surely_worse(alone) and gain < 0:
            out.append(Looked(candidate, "far behind", f"on a sample of {len(target):,} rows", alone))
        else:
            order.append((-gain, candidate))
    return [c for _, c in sorted(order, key=lambda pair: pair[0])], out


def _held(course: _Field, champion: Floats, one: tuple[Candidate, Floats, Price], n: int) -> Looked:
    """Hold a contender against the champion, alone and beside it."""
    candidate, scores, price = one
    target = course.target
    alone = together(course.difference(scores, champion, target), n)
    mixed, share = _cross_fitted(course, champion, scores)
    beside = together(course.difference(mixed, champion, target), n)
    return Looked(candidate, "raced", "", alone, beside, share, price)


def _cross_fitted(course: _Field, champion: Floats, scores: Floats) -> tuple[Floats, float]:
    """Return both together: each half of the rows with the weight that the other half chooses."""
    target, p = course.target, course.material.problem
    order = np.random.default_rng(p.seed).permutation(len(target))
    halves = np.sort(order[::2]), np.sort(order[1::2])
    sign = 1.0 if MEASURES[course.metric].greater_is_better else -1.0
    mixed, shares = champion.copy(), []
    for chosen_on, used_on in (halves, halves[::-1]):
        values = {
            w: sign * compute(course.metric, target[chosen_on], (1 - w) * champion[chosen_on] + w * scores[chosen_on])
            for w in (0.0, *SHARES)
        }
        best = max(values, key=lambda w: values[w])
        shares.append(best)
        mixed[used_on] = (1 - best) * champion[used_on] + best * scores[used_on]
    return mixed, float(np.mean(shares))
