"""The workshop's door: from training rows to chosen members, their weights and their rule of decision."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.errors import SearchFailed
from modelwright.core.metrics import MEASURES
from modelwright.core.split import How
from modelwright.evaluation.thresholds import threshold_of
from modelwright.learners.calibration import fit_calibrator
from modelwright.learners.trees import use_threads
from modelwright.search.audition import with_texts
from modelwright.search.encodings import with_encodings
from modelwright.search.ensemble import blended
from modelwright.search.grouping import with_groups
from modelwright.search.ingredients import ALL, Ingredients
from modelwright.search.pace import Pace, tail_seconds
from modelwright.search.pairs import with_pairs
from modelwright.search.portfolio import portfolio
from modelwright.search.race import Race, Result
from modelwright.search.shapes import shapes_that_help
from modelwright.search.threads import slots, threads_of_fits
from modelwright.search.trial import Folding
from modelwright.search.tuning import Tuner
from modelwright.search.validation import folded, plan_folds
from modelwright.search.yardstick import fit_yardsticks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelwright.core.arrays import Bools, Floats
    from modelwright.core.run import Run
    from modelwright.core.split import Folds
    from modelwright.learners.calibration import Calibrator
    from modelwright.search.journal import Journal
    from modelwright.search.portfolio import Candidate
    from modelwright.search.problem import Material
    from modelwright.search.validation import FoldShape
    from modelwright.search.yardstick import Yardsticks


TAIL_MOST = 0.4
"""Share of the budget that is kept for what comes after the race, at most."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to.

    Attributes:
        material: Matrices of the training rows.
        folds: How candidates were compared.
        pace: How the time was divided.
        yardsticks: The models nobody had to work for.
        result: Who ran and what weight each has.
        blended: Out-of-fold predictions of the ensemble, calibrated, for ``result.covered`` rows.
        calibrator: Corrects probabilities, or None when that does not help.
        threshold: Binary: probability from which the positive label is answered.
        shares: By place among those tried, the share of its trees that a member keeps; all where it is not named.
        shape: Of the folds.
        judged: The rows that ``blended`` is about, where they are fewer than ``result.covered``.
    """

    material: Material
    folds: Folds
    pace: Pace
    yardsticks: Yardsticks
    result: Result
    blended: Floats
    calibrator: Calibrator | None
    threshold: float
    shape: FoldShape
    shares: Mapping[int, float] = field(default_factory=dict)
    judged: Bools | None = None


def search(
    material: Material,
    run: Run,
    *,
    how: How,
    open_journal: Callable[[Folds], Journal],
    ingredients: Ingredients = ALL,
    first: Sequence[Candidate] = (),
) -> Found:
    """Find the blend that predicts best out of fold, within the budget.

    Args:
        material: The training rows, prepared.
        run: Budget, seed, threads, catalogue.
        how: How the sealed rows were chosen; folds follow it.
        open_journal: Returns the journal that belongs to these folds.
        ingredients: What is auditioned.
        first: Candidates that are tried before the portfolio's.

    Raises:
        SearchFailed: No candidate could be fitted; the message names each one's reason.
    """
    use_threads(threads_of_fits(material.problem.n_rows, run))
    run.say("search", "yardsticks")
    yardsticks = fit_yardsticks(material, run)
    # What comes after the race was measured on idle cores; where others use them it takes longer, too.
    tail = min(tail_seconds(run.budget_seconds) * yardsticks.waiting, TAIL_MOST * (run.budget_seconds or 0.0))
    times = {"round_seconds": yardsticks.round_seconds, "search_seconds": run.seconds_left() - tail}
    material = with_texts(material, run, **times) if ingredients.features else material
    material = with_pairs(material, run, how=how, **times) if ingredients.features else material
    material = with_encodings(material, run, how=how, **times) if ingredients.encodings else material
    material = with_groups(material, run, **times) if ingredients.groups else material
    # Where rows come in time the judged ones are the past: a shape that helps there need not where targets have grown.
    may_shape = ingredients.shapes and how is not How.TIME
    shapes = shapes_that_help(material, run, **times) if may_shape else ()
    shape = plan_folds(material.problem, run, **times)
    folds = folded(material.problem, shape, how=how)
    p = material.problem
    n_folds = len(folds.folds)
    growth = p.n_rows / float(np.mean([len(fold.fit) for fold in folds.folds]))
    pace = Pace(run, tail, n_folds, slots(p.n_rows, run), growth)
    candidates = portfolio(
        n_rows=p.n_rows,
        n_classes=p.n_classes,
        n_features=len(material.base.features),
        n_categories=len(material.base.categories),
        available=run.catalogue.names("learner"),
        seconds=pace.left() if pace.is_timed else float("inf"),
        shapes=shapes,
    )
    named = {c.name for c in first}
    candidates = (*first, *(c for c in candidates if c.name not in named))
    folding = Folding(material, folds, run, pace)
    tuner = Tuner(
        int(folding.covered.sum()),
        greater_is_better=MEASURES[p.task.metric].greater_is_better,
        seed=run.seed,
        is_reproducible=run.effort is not None,
        n_trees_a_round=p.n_trees_a_round,
    )
    race = Race(folding, open_journal(folds), tuner)
    result = race.go(candidates)
    if not result.tried:
        if result.failed:
            raise SearchFailed(
                "at least one candidate can be fitted",
                where="search",
                got="; ".join(result.failed),
                fix="look at the findings of `modelwright profile`",
            )
        result = race.go_shortest()
    return Found(material, folds, pace, yardsticks, result, *decide(material, result), shape=shape)


def decide(material: Material, result: Result) -> tuple[Floats, Calibrator | None, float]:
    """Return the calibrated out-of-fold blend, its calibrator and its threshold."""
    p = material.problem
    scores = blended([t.predictions for t in result.tried], result.weights)
    if not p.n_classes:
        return scores, None, 0.5
    target = np.asarray(p.target[result.covered], dtype=np.int64)
    weight = p.weight_of(result.covered)
    calibrator = fit_calibrator(scores, target, weight=weight, seed=p.seed)
    if calibrator is not None:
        scores = calibrator.apply(scores)
    return scores, calibrator, threshold_of(p.task, target, scores)
