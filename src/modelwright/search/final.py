"""The final fit: the chosen candidates, fitted once more on every row there is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.model import Model
from modelwright.core.ports import Lesson
from modelwright.learners.blend import Blend
from modelwright.search.problem import Material
from modelwright.search.threads import fits_at_once, threads_of_fit

if TYPE_CHECKING:
    from modelwright.core.ports import Fitted
    from modelwright.core.run import Run
    from modelwright.search.problem import Problem
    from modelwright.search.race import Tried
    from modelwright.search.workshop import Found

ROUNDS_GROWTH = 0.5
"""A fit on more rows bears more rounds; half of the rows' growth is a cautious share of it."""
SAFETY = 1.3
TRAINING_ROWS, ALL_ROWS = "training rows", "all rows"


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the ensemble: what is fitted, with how many rounds, at which weight."""

    tried: Tried
    weight: float


def members_of(found: Found) -> tuple[Member, ...]:
    """Return the candidates that have weight, in the order in which they were tried."""
    pairs = zip(found.result.tried, found.result.weights, strict=True)
    return tuple(Member(t, float(w)) for t, w in pairs if w > 0)


def seconds_needed(found: Found, n_rows: int) -> float:
    """Return how long a fit of all members on this many rows is expected to take."""
    n_fit = len(found.folds.folds[0].fit)
    return SAFETY * sum(m.tried.fit_seconds for m in members_of(found)) * max(n_rows / n_fit, 1.0)


def model_on(material: Material, found: Found, run: Run, *, must_finish: bool) -> Model | None:
    """Fit all members on all rows of the material and return the model.

    Args:
        material: The rows; their plan is completed with encodings fitted on all of them.
        found: What the race came to.
        run: Threads and budget.
        must_finish: Whether a model is returned however long it takes; otherwise None when time runs out.
    """
    plan, matrix = material.whole()
    members = members_of(found)
    at_once = fits_at_once(matrix.n_rows, len(members), run)
    threads = threads_of_fit(matrix.n_rows, at_once, run)
    cut = False

    def seconds_left() -> float:
        return float("inf") if must_finish else run.seconds_left() - found.pace.tail_seconds / 2

    def fit(member: Member) -> Fitted:
        nonlocal cut
        learner = run.catalogue.find("learner", member.tried.candidate.learner)
        p = material.problem
        n_fit = len(found.folds.folds[0].fit)
        params = _params(member.tried, growth=p.n_rows / n_fit)
        lesson = Lesson(matrix, p.target, p.n_classes, p.weight, None, p.seed, threads, seconds_left)
        fitted, curve = learner(**params).fit(lesson)
        cut = cut or curve.ended == "time"
        return fitted  # type: ignore[no-any-return]

    with ThreadPoolExecutor(at_once) as pool:
        fitted = tuple(pool.map(fit, members))
    if cut:
        return None
    p = material.problem
    blend = Blend(fitted, np.array([m.weight for m in members]), found.calibrator)
    return Model(p.task, p.contract, plan, blend, found.threshold)


def _params(tried: Tried, *, growth: float) -> dict[str, Any]:
    """Return the parameters for more rows: as many rounds as the folds found best, grown with the rows."""
    params = dict(tried.candidate.params)
    if tried.rounds:
        rounds = float(np.mean(tried.rounds)) * (1 + ROUNDS_GROWTH * max(growth - 1, 0.0))
        params["rounds"] = max(round(rounds), 1)
    return params


def evidence_model(found: Found, run: Run) -> Model:
    """Return the model that the sealed rows judge: fitted on the training rows only.

    A holdout's own fits serve as they are; after cross-validation all members are fitted on all training rows.
    """
    if found.folds.is_holdout:
        held = _model_of_holdout(found)
        if held is not None:
            return held
    run.say("finish", "fitting on all training rows")
    model = model_on(found.material, found, run, must_finish=True)
    assert model is not None
    return model


def final_model(found: Found, everything: Problem, run: Run, *, otherwise: Model) -> tuple[Model, str]:
    """Return the model to deliver and which rows it was fitted on.

    The same members with the same rounds are fitted on all rows, the sealed ones included, when time allows;
    ``otherwise`` is the model that the evidence was measured on.
    """
    room = run.seconds_left() - found.pace.tail_seconds / 2
    if run.is_stopped() or seconds_needed(found, everything.n_rows) > room:
        return otherwise, TRAINING_ROWS
    model = model_on(Material.prepare(everything), found, run, must_finish=not found.pace.is_timed)
    return (model, ALL_ROWS) if model is not None else (otherwise, TRAINING_ROWS)


def _model_of_holdout(found: Found) -> Model | None:
    """Return the model of the holdout's own fits, or None where they are not at hand (a resumed run)."""
    members = members_of(found)
    if not all(m.tried.fitted for m in members):
        return None
    material = found.material
    p = material.problem
    plan = material.plan_of_fold(found.folds.folds[0])
    blend = Blend(tuple(m.tried.fitted[0] for m in members), np.array([m.weight for m in members]), found.calibrator)
    return Model(p.task, p.contract, plan, blend, found.threshold)
