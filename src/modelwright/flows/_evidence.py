"""From a model and rows it has never seen to evidence: which measurement is taken, on what, in which order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.evidence import Evidence
from modelwright.core.metrics import MEASURES
from modelwright.core.ports import Lesson
from modelwright.evaluation.baselines import verdict
from modelwright.evaluation.bias_variance import decompose
from modelwright.evaluation.convergence import describe
from modelwright.evaluation.costs import costs_by
from modelwright.evaluation.figures import figures
from modelwright.evaluation.importance import NOTE, importance
from modelwright.evaluation.intervals import measure
from modelwright.evaluation.leaderboard import rank
from modelwright.evaluation.metrics import loss
from modelwright.flows._explanation import explanation
from modelwright.search.threads import threads_of_fits
from modelwright.search.yardstick import ROUNDS, untuned

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.core.arrays import Array, Floats, Ints
    from modelwright.core.model import Model
    from modelwright.core.run import Run
    from modelwright.core.score import Score
    from modelwright.core.task import Task
    from modelwright.search.problem import Problem
    from modelwright.search.workshop import Found

COST = "cost_per_row"
"""What the measure of a cost matrix is called: the mean cost of the model's answers."""
RESAMPLES = 8
"""Models fitted on resamples for the bias–variance split."""
ROWS_MOST, ROWS_LEAST, SCORES_MOST = 5_000, 500, 20_000
"""Rows that the costly measurements use, fewer when each has many probabilities."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The evidence about a model and the scores it rests on."""

    evidence: Evidence
    scores: Floats


def judge(model: Model, found: Found, sealed: Problem, run: Run, *, times: dict[str, float], seconds: float) -> Judged:
    """Measure a model on the sealed rows.

    Args:
        model: Fitted without the sealed rows.
        found: The search it came from.
        sealed: The sealed rows.
        run: Seed and budget; measurements that can be shortened are, when time is short.
        times: Seconds by stage so far.
        seconds: About how long it may take; the costly measurements are shortened to fit.
    """
    if run.budget_seconds is None:
        seconds = float("inf")  # what is counted in work units must not depend on how busy the machine is
    begun = run.clock()
    run.say("evaluate", "measures")
    task, target, weight = sealed.task, sealed.target, sealed.weight
    matrix = model.plan.matrix(sealed.frame)
    scores = model.blend.predict(matrix)
    choices = model.choices(scores)
    kpis = measure(task, target, scores, choices, weight=weight, seed=run.seed)
    kpis = with_cost(kpis, task, target, scores, choices, weight)
    run.say("evaluate", "yardsticks")
    yard = found.yardsticks.scores(sealed.frame)
    baselines = verdict(
        task, target, scores, yard["constant"], yard["lightgbm_default"], choices=choices, weight=weight
    )
    run.say("evaluate", "importance")
    rows = _some(len(target), _rows_most(task), run.seed)
    some_weight = None if weight is None else weight[rows]
    ranked = importance(
        model.blend.predict,
        matrix.take(rows),
        target[rows],
        task,
        seed=run.seed,
        seconds=0.3 * seconds,
        weight=some_weight,
    )
    run.say("evaluate", "bias and variance")
    split = _bias_variance(found, sealed, rows, run, limit=0.3 * seconds)
    run.say("evaluate", "explanation")
    # What the others left of the time; in work units that is without end, whatever the clock says.
    limit = max(0.3 * seconds, seconds - (run.clock() - begun))
    why = explanation(model, sealed, scores, run, seconds=limit)
    return Judged(
        Evidence(
            kpis=kpis,
            baselines=baselines,
            leaderboard=leaderboard(found),
            importance=ranked,
            convergence=tuple(describe(t.candidate.name, t.curves[0]) for t in found.result.tried if t.rounds),
            bias_variance=split,
            figures=figures(task, target, scores, choices, weight=weight),
            timing=dict(times),
            notes=_notes(found),
            explanation=why,
        ),
        scores,
    )


def with_cost(
    kpis: Mapping[str, Score], task: Task, target: Array, scores: Floats, choices: Array, weight: Floats | None
) -> dict[str, Score]:
    """Return the measures and, where each answer of a task has a cost, what a row costs in the mean."""
    if task.costs is None:
        return dict(kpis)
    found = costs_by(task.costs, target, scores, choices, weight).model
    return {**kpis, COST: replace(found, metric=COST, unit=task.costs.unit)}


def leaderboard(found: Found) -> tuple[dict[str, Any], ...]:
    """Return the candidates, best first, with who is tied with the best."""
    p, result = found.material.problem, found.result
    target = p.target[result.covered]
    entries = [
        {
            "name": t.candidate.name,
            "learner": t.candidate.learner,
            "score": t.score,
            "weight": float(w),
            "fit_seconds": t.fit_seconds,
            "folds": len(found.folds.folds),
            "rounds": round(float(np.mean(t.rounds))) if t.rounds else None,
            "losses": loss(p.task.kind, target, t.predictions),
        }
        for t, w in zip(result.tried, result.weights, strict=True)
    ]
    asked = MEASURES[p.task.metric]
    metric = asked if asked.reads == "scores" else MEASURES["log_loss"]
    weight = p.weight_of(result.covered)
    return tuple(rank(entries, greater_is_better=metric.greater_is_better, weight=weight))


def _bias_variance(found: Found, sealed: Problem, rows: Ints, run: Run, *, limit: float) -> dict[str, Any]:
    """Refit an untuned LightGBM on resamples of the training rows and split its error on the sealed rows.

    The default LightGBM stands in for the ensemble: eight fits of the whole ensemble would cost more than the
    search itself, and what is asked, whether the error comes from too little flexibility or from too few
    rows, is a property of the table more than of the member.
    """
    p, yard = found.material.problem, found.yardsticks
    rng = np.random.default_rng(run.seed)
    n = min(p.n_rows, _rows_most(p.task))
    rounds = ROUNDS
    if run.budget_seconds is not None:
        # Two models at least are needed: where rounds are dear, each gets fewer.
        rounds = max(int(limit / (2 * max(yard.round_seconds * n / p.n_rows, 1e-9))), 1)
    judged = found.yardsticks.narrow(found.material.plan.matrix(sealed.frame[rows]))
    threads = threads_of_fits(p.n_rows, run)
    begun = run.clock()
    predictions: list[Floats] = []
    for _ in range(RESAMPLES):
        if len(predictions) >= 2 and run.clock() - begun > limit * len(predictions) / (len(predictions) + 1):
            break
        drawn = rng.integers(0, p.n_rows, n)
        weight = p.weight_of(drawn)
        matrix = yard.narrow(found.material.base.take(drawn))
        lesson = Lesson(matrix, p.target[drawn], p.n_classes, weight, None, run.seed, threads)
        if run.budget_seconds is not None:
            ends = run.clock() + limit / 2
            lesson = replace(lesson, seconds_left=lambda ends=ends: ends - run.clock())  # type: ignore[misc]
        fitted, _ = untuned(run, rounds).fit(lesson)
        predictions.append(fitted.predict(judged))
    return decompose(predictions, sealed.target[rows], sealed.task)


def _rows_most(task: Task) -> int:
    return max(ROWS_LEAST, min(ROWS_MOST, SCORES_MOST // max(len(task.labels), 1)))


def _some(n: int, most: int, seed: int) -> Ints:
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))


def _notes(found: Found) -> tuple[str, ...]:
    notes = [f"{found.folds.reason[0].upper()}{found.folds.reason[1:]}."]
    if found.yardsticks.rounds < ROUNDS:
        notes.append(f"The default LightGBM had time for {found.yardsticks.rounds} of its {ROUNDS} rounds.")
    notes += [f"The candidate {reason} and was left out." for reason in found.result.failed]
    return (*notes, NOTE)
