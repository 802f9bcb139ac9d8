"""Recency: whether older rows should count less, tried forward in time; all rows count alike unless it surely pays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.metrics import MEASURES
from modelwright.core.ports import Lesson
from modelwright.evaluation.many import is_surely_better, together
from modelwright.evaluation.pairs import paired
from modelwright.search.problem import Material
from modelwright.search.threads import threads_of_fits

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.core.arrays import Bools, Floats, Ints
    from modelwright.core.run import Run
    from modelwright.core.score import Score
    from modelwright.search.portfolio import Candidate
    from modelwright.search.problem import Problem

BLOCKS = 3
ROWS_LEAST = 60
"""With fewer rows to judge by nothing is tried."""
ROWS_MOST = 30_000
"""A seeded sample of more rows decides just as well."""
TIME_SHARE = 0.25
"""Of a wall-clock budget, for the trials."""


@dataclass(frozen=True, slots=True)
class Way:
    """How rows of some age count.

    Attributes:
        name: For people.
        window: Newest share of the rows that is learnt from, 1 for all.
        half_life: Age at which a row counts half as much, as a share of the rows' whole span; 0 for never.
    """

    name: str
    window: float = 1.0
    half_life: float = 0.0


ALL_ROWS = Way("all rows alike")
WAYS = (
    Way("the newest half", window=0.5),
    Way("the newest quarter", window=0.25),
    Way("half weight after half the span", half_life=0.5),
    Way("half weight after an eighth of the span", half_life=0.125),
)


@dataclass(frozen=True, slots=True)
class Tested:
    """One way, held against all rows alike on the same later rows.

    Attributes:
        way: Which.
        difference: Its measure less that of all rows, with an interval that holds for all ways together.
    """

    way: Way
    difference: Score

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        d = self.difference
        return {"way": self.way.name, "metric": d.metric, "value": d.value, "low": d.low, "high": d.high}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What came of the trials.

    Attributes:
        way: How rows are to count.
        tested: Every way that was tried.
        rows: How many later rows judged them.
        reason: Why, one sentence.
    """

    way: Way
    tested: tuple[Tested, ...]
    rows: int
    reason: str


def rows_of(way: Way, times: Floats) -> Ints:
    """Return the rows that a way learns from: the newest, positions rising."""
    n = max(round(way.window * len(times)), 1)
    return np.sort(np.argsort(times, kind="stable")[len(times) - n :])


def weights_of(way: Way, times: Floats) -> Floats | None:
    """Return the weight of each row by its age, 1 for the newest, or None when all count alike."""
    span = float(times.max() - times.min()) if len(times) else 0.0
    if not way.half_life or span <= 0:
        return None
    return np.asarray(0.5 ** ((times.max() - times) / (way.half_life * span)))


def choose_way(
    problem: Problem,
    times: Floats,
    judging: Bools,
    candidate: Candidate,
    run: Run,
    *,
    tick: Callable[[], None] = lambda: None,
) -> Chosen:
    """Return how rows of some age should count.

    The judging rows are cut into blocks by time; each way is fitted on what lies before a block and judged on it.

    Args:
        problem: The rows that may be learnt from; sealed ones are not among them.
        times: When each happened, seconds.
        judging: Which of them may judge: those whose time is known and that the champion has not learnt from.
        candidate: What is fitted.
        run: Budget, seed, threads.
        tick: Called between fits.
    """
    if len(times) > ROWS_MOST:
        some = np.sort(np.random.default_rng(problem.seed).choice(len(times), ROWS_MOST, replace=False))
        problem, times, judging = problem.take(some), times[some], judging[some]
    at = np.flatnonzero(judging)
    at = at[np.argsort(times[at], kind="stable")]
    if len(at) < ROWS_LEAST:
        return Chosen(ALL_ROWS, (), len(at), f"{len(at):,} rows are too few to try anything else")
    begun = run.clock()
    blocks = np.array_split(at, BLOCKS)
    target = problem.target[at]
    scores = {ALL_ROWS: _forward(ALL_ROWS, problem, times, blocks, candidate, run)}
    ways = [w for w in WAYS if w.window < 1 or weights_of(w, times) is not None]
    for way in ways:
        tick()
        spent = run.clock() - begun
        if run.budget_seconds is not None and spent * (1 + 1 / len(scores)) > TIME_SHARE * run.budget_seconds:
            break
        scores[way] = _forward(way, problem, times, blocks, candidate, run)
    asked = MEASURES[problem.task.metric]
    metric = asked.name if asked.reads == "scores" else "log_loss"
    tested = [
        Tested(way, together(paired(problem.task, target, told, scores[ALL_ROWS], metric=metric), len(scores) - 1))
        for way, told in scores.items()
        if way is not ALL_ROWS
    ]
    better = [t for t in tested if is_surely_better(t.difference)]
    if not better:
        return Chosen(ALL_ROWS, tuple(tested), len(at), "nothing else is surely better on later rows")
    best = max(better, key=lambda t: abs(t.difference.value))
    return Chosen(best.way, tuple(tested), len(at), "it is surely better on later rows than all rows alike")


def _forward(way: Way, problem: Problem, times: Floats, blocks: list[Ints], candidate: Candidate, run: Run) -> Floats:
    """Return a way's scores for the judging rows, block after block."""
    parts = []
    for block in blocks:
        earlier = np.flatnonzero(times < times[block].min())
        learn = earlier[rows_of(way, times[earlier])]
        some = problem.take(learn)
        weight = weights_of(way, times[learn])
        if weight is not None:
            weight = weight if some.weight is None else weight * some.weight
        material = Material.prepare(some)
        plan, matrix = material.whole()
        threads = threads_of_fits(len(learn), run)
        given = some.weight if weight is None else weight
        lesson = Lesson(matrix, some.target, some.n_classes, given, None, problem.seed, threads)
        fitted, _ = run.catalogue.find("learner", candidate.learner)(**candidate.params).fit(lesson)
        parts.append(fitted.predict(plan.matrix(problem.frame[block])))
    return np.concatenate(parts)
