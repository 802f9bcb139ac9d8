"""The final fit: the chosen candidates, fitted once more on every row there is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.model import Model
from modelwright.core.ports import Lesson
from modelwright.learners.blend import Blend
from modelwright.search.pace import package_seconds
from modelwright.search.problem import Material
from modelwright.search.threads import fits_at_once, threads_of_fit, wall_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.core.ports import Curve, Fitted, Learner
    from modelwright.core.run import Run
    from modelwright.core.split import Folds
    from modelwright.search.problem import Problem
    from modelwright.search.race import Tried
    from modelwright.search.workshop import Found

ROUNDS_GROWTH = 0.5
"""A fit on more rows bears more rounds; half of the rows' growth is a cautious share of it."""
SAFETY = 1.2
TRAINING_ROWS, ALL_ROWS = "training rows", "all rows"


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the ensemble: what is fitted, with how many rounds, at which weight."""

    tried: Tried
    weight: float


def rows_fitted(folds: Folds) -> float:
    """Return how many rows a fold's fit sees in the mean: forward in time, each sees more than the one before."""
    return float(np.mean([len(fold.fit) for fold in folds.folds]))


def members_of(found: Found) -> tuple[Member, ...]:
    """Return the candidates that have weight, in the order in which they were tried."""
    pairs = zip(found.result.tried, found.result.weights, strict=True)
    return tuple(Member(t, float(w)) for t, w in pairs if w > 0)


def seconds_needed(found: Found, n_rows: int, run: Run) -> float:
    """Return how long a fit of all members on this many rows is expected to take."""
    growth = max(n_rows / rows_fitted(found.folds), 1.0)
    fits = [m.tried.fit_seconds * growth for m in members_of(found)]
    return SAFETY * wall_seconds(fits, fits_at_once(n_rows, len(fits), run))


def model_on(material: Material, found: Found, run: Run) -> Model:
    """Fit all members on all rows of the material and return the model, however long it takes."""
    return _fit_all(material, found, run, lambda: float("inf"))[0]


def _fit_all(material: Material, found: Found, run: Run, seconds_left: Callable[[], float]) -> tuple[Model, bool]:
    """Return the model of all members, and whether time cut one of them short.

    The plan is completed with encodings fitted on all rows of the material.
    """
    plan, matrix = material.whole()
    members = members_of(found)
    p = material.problem
    at_once = fits_at_once(matrix.n_rows, len(members), run)
    threads = threads_of_fit(matrix.n_rows, at_once, run)
    lesson = Lesson(matrix, p.target, p.n_classes, p.weight, None, p.seed, threads, seconds_left)
    growth = p.n_rows / rows_fitted(found.folds)

    def fit(member: Member) -> tuple[Fitted, Curve]:
        learner: Learner = run.catalogue.find("learner", member.tried.candidate.learner)(
            **_params(member.tried, growth)
        )
        return learner.fit(lesson)

    with ThreadPoolExecutor(at_once) as pool:
        fitted = tuple(pool.map(fit, members))
    blend = Blend([f for f, _ in fitted], np.array([m.weight for m in members]), found.calibrator)
    is_cut = any(curve.ended == "time" for _, curve in fitted)
    return Model(p.task, p.contract, plan, blend, found.threshold), is_cut


def _params(tried: Tried, growth: float) -> dict[str, Any]:
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
    return model_on(found.material, found, run)


def final_model(found: Found, everything: Problem, run: Run, *, otherwise: Model) -> tuple[Model, str]:
    """Return the model to deliver and which rows it was fitted on.

    The same members with the same rounds are fitted on all rows, the sealed ones included, when time allows;
    ``otherwise`` is the model that the evidence was measured on.
    """
    keep = package_seconds(run.budget_seconds)
    if run.is_stopped() or seconds_needed(found, everything.n_rows, run) > run.seconds_left() - keep:
        return otherwise, TRAINING_ROWS
    model, is_cut = _fit_all(Material.prepare(everything), found, run, lambda: run.seconds_left() - keep)
    return (otherwise, TRAINING_ROWS) if is_cut else (model, ALL_ROWS)


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
