"""Repeating: a run again from its executed plan, without a search and without a clock.

A plan holds what a search decided: how columns are prepared, how rows are folded, which candidates were fitted with
which parameters, what each fit was told of the time, and the weights. All else follows from the rows and the seed.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import InvalidPlan
from modelwright.core.fingerprint import plain
from modelwright.core.metrics import MEASURES
from modelwright.features.recipe import Recipe, Step
from modelwright.learners.trees import use_threads
from modelwright.search.clocks import repeating
from modelwright.search.ensemble import loss_of
from modelwright.search.pace import Pace
from modelwright.search.portfolio import Candidate
from modelwright.search.problem import Material
from modelwright.search.race import Result
from modelwright.search.threads import slots, threads_of_fits
from modelwright.search.trial import Folding, Trial, Tried
from modelwright.search.validation import FoldShape, folded
from modelwright.search.workshop import Found, decide
from modelwright.search.yardstick import fit_yardsticks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.core.arrays import Floats
    from modelwright.core.run import Run
    from modelwright.core.split import How
    from modelwright.search.problem import Problem

Plan = dict[str, Any]


def plan_of(found: Found) -> Plan:
    """Return what a search decided, as plain data."""
    shape = found.shape
    plan: Plan = plain(
        {
            "recipe": found.material.recipe.to_dict(),
            "folds": {"n_folds": shape.n_folds, "n_repeats": shape.n_repeats, "holdout": shape.holdout},
            "candidates": [
                {
                    "name": t.candidate.name,
                    "learner": t.candidate.learner,
                    "params": dict(t.candidate.params),
                    "why": t.candidate.why,
                    "has_rate": t.candidate.has_rate,
                    "clocks": list(t.clocks),
                    "rounds": list(t.rounds),
                    "weight": float(w),
                }
                for t, w in zip(found.result.tried, found.result.weights, strict=True)
            ],
            "stopped": found.result.stopped,
            "failed": list(found.result.failed),
        }
    )
    return plan


def repeat(plan: Mapping[str, Any], problem: Problem, run: Run, *, how: How) -> Found:
    """Fit what a plan names, and return it as a search would.

    Args:
        plan: As ``plan_of`` made it.
        problem: The training rows.
        run: Seed, threads, catalogue; its budget is not read.
        how: How the sealed rows were chosen; folds follow it.

    Raises:
        InvalidPlan: It does not say what a plan says.
    """
    use_threads(threads_of_fits(problem.n_rows, run))
    try:
        recipe = _recipe(plan["recipe"])
        shape = FoldShape(**plan["folds"])
        planned = [(_candidate(c), c["clocks"], float(c["weight"])) for c in plan["candidates"]]
        stopped, failed = str(plan["stopped"]), tuple(map(str, plan["failed"]))
    except (KeyError, TypeError, ValueError) as error:
        raise unsound(f"{type(error).__name__}: {error}") from error
    weights = np.array([w for *_, w in planned])
    if not planned or not weights.sum() > 0 or (weights < 0).any():
        raise unsound("no candidate with weight")
    material = Material.prepare(problem, recipe)
    yardsticks = fit_yardsticks(material, run)
    folds = folded(problem, shape, how=how)
    n_folds = len(folds.folds)
    growth = problem.n_rows / float(np.mean([len(fold.fit) for fold in folds.folds]))
    pace = Pace(run, 0.0, n_folds, slots(problem.n_rows, run), growth)
    folding = Folding(material, folds, run, pace)
    tried = tuple(_fitted(folding, candidate, clocks) for candidate, clocks, _ in planned)
    result = Result(tried, folding.covered, weights, stopped, failed)
    return Found(material, folds, pace, yardsticks, result, *decide(material, result), shape=shape)


def unsound(got: str) -> InvalidPlan:
    """Return the error for a plan that does not say what a plan says."""
    return InvalidPlan(
        "a plan is one that a run of modelwright left",
        where="plan",
        got=got[:200],
        fix="give a package, or its plan.json",
    )


def _fitted(folding: Folding, candidate: Candidate, clocks: list[Mapping[str, Any]]) -> Tried:
    """Return a candidate after its folds, each told of the time what it was told before."""
    run, n_folds = folding.run, len(folding.folds.folds)
    run.say("search", candidate.name)
    trial = Trial(candidate, float("inf"), n_folds, is_rated=True)
    told = list(clocks) if len(clocks) == n_folds else [{}] * n_folds

    def fit(number: int) -> None:
        trial.outcomes[number] = folding.fit(candidate, number, float("inf"), clock=repeating(told[number]))

    with ThreadPoolExecutor(folding.pace.n_slots) as pool:
        list(pool.map(fit, range(n_folds)))
    return folding.judge(trial, lambda predictions: _score(folding, predictions))


def _score(folding: Folding, predictions: Floats) -> float:
    p, covered = folding.material.problem, folding.covered
    asked = MEASURES[p.task.metric]
    metric = asked if asked.reads == "scores" else MEASURES["log_loss"]
    weight = p.weight_of(covered)
    loss = loss_of(metric.name, p.target[covered], predictions, weight)
    return -loss if metric.greater_is_better else loss


def _candidate(data: Mapping[str, Any]) -> Candidate:
    name, learner, why = str(data["name"]), str(data["learner"]), str(data["why"])
    return Candidate(name, learner, dict(data["params"]), why, bool(data["has_rate"]))


def _recipe(data: Mapping[str, Any]) -> Recipe:
    known = {f.name for f in fields(Recipe)}
    values = {k: v for k, v in data.items() if k in known}
    steps = {k: tuple(Step(**step) for step in values[k]) for k in ("steps", "encoded")}
    return Recipe(**{**values, **steps})
