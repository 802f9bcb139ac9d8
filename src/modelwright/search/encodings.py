"""Encodings: levels as their mean target, kept for the columns where other rows are predicted better with them.

The mean target of a level may tell what its code does not; or boosting finds as much in the codes, and the means of
seldom seen levels only add noise. The mean of two quick models, which take codes as categories and as numbers as the
members of an ensemble do, is cross-validated with and without, in folds cut as the search cuts its own, so that rows
that come in time are judged by earlier ones. The models learn from a sample of rows, but the means come from all rows
that are not judged: how often a level was seen decides what its mean is worth.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.ports import Lesson
from modelwright.core.split import Fold
from modelwright.evaluation.metrics import loss
from modelwright.features.encoding import TargetEncoding
from modelwright.learners.lightgbm import ORDER
from modelwright.search.audition import (
    CELLS_MOST,
    N_FOLDS,
    QUICK,
    ROWS_MOST,
    can_tell,
    is_real,
    may_spend,
    quick_seconds,
)
from modelwright.search.threads import slots
from modelwright.search.validation import FoldShape, folded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.core.arrays import Bools, Floats
    from modelwright.core.run import Run
    from modelwright.core.split import How
    from modelwright.features.recipe import Step
    from modelwright.search.problem import Material

MEANS_ROWS_MOST = 200_000
"""Rows that means come from at most; more change little about whether they help."""
JUDGED_MOST = 30_000
"""Rows that judge: an answer costs less than learning from a row, and the more answers, the less is left to chance."""
SHARE_MOST = 0.08
"""Of the search time."""
WAYS: tuple[Mapping[str, Any], ...] = ({}, {"categories": ORDER})
"""How the quick models take codes."""


def with_encodings(material: Material, run: Run, *, how: How, round_seconds: float, search_seconds: float) -> Material:
    """Return the material that encodes by the target those categories only where this helps.

    Each column is tried alone where time allows, all together where not; in a run too short for that, or on rows too
    few to tell, all that the recipe names stay.

    Args:
        material: The training rows.
        run: Seed, threads, catalogue.
        how: How the sealed rows were chosen; folds follow it.
        round_seconds: Time of one boosting round on all rows.
        search_seconds: What the search may use.
    """
    p = material.problem
    offered = [step for step in material.recipe.encoded if step.craft == "target_mean"]
    if not offered or not can_tell(p):
        return material
    one = len(WAYS) * quick_seconds(p.n_rows, run, round_seconds)
    most = may_spend(run, SHARE_MOST * search_seconds)
    if 2 * one > most:
        return material
    run.say("search", "an audition of encodings by the target")
    folds, learns = _judging(material, run, how)
    judged = np.concatenate([fold.valid for fold in folds])

    def losses(encoded: Sequence[Step]) -> Floats:
        told = encoded_out_of_fold(material.encoding(encoded), folds, run, learns=learns, ways=WAYS)
        return loss(p.task.kind, p.target[judged], told)

    begun = run.clock()
    plain = losses(())
    one = max(one, run.clock() - begun)
    trials = [[step] for step in offered] if (1 + len(offered)) * one <= most else [offered]
    helps = [step for trial in trials if is_real(plain - losses(trial), p.weight_of(judged)) for step in trial]
    return material.encoding([s for s in material.recipe.encoded if s.craft != "target_mean" or s in helps])


def _judging(material: Material, run: Run, how: How) -> tuple[list[Fold], Bools]:
    """Return folds of a sample: whom means come from and who judges; and which rows the quick model learns from."""
    n_rows = material.problem.n_rows
    drawn = np.random.default_rng(run.seed).permutation(n_rows)
    known = np.sort(drawn[:MEANS_ROWS_MOST])
    judges, learns = np.zeros(n_rows, dtype=bool), np.zeros(n_rows, dtype=bool)
    judges[drawn[: min(JUDGED_MOST, CELLS_MOST // max(len(material.base.features), 1))]] = True
    learns[drawn[:ROWS_MOST]] = True
    cut = folded(material.problem.take(known), FoldShape(N_FOLDS, 1, None), how=how).folds
    folds = [Fold(known[fold.fit], known[fold.valid]) for fold in cut]
    return [Fold(fold.fit, fold.valid[judges[fold.valid]]) for fold in folds], learns


def encoded_out_of_fold(
    material: Material,
    folds: Sequence[Fold],
    run: Run,
    *,
    learns: Bools | None = None,
    ways: Sequence[Mapping[str, Any]] = WAYS[:1],
) -> Floats:
    """Return a quick model's predictions for the rows that folds judge, one fold after the other.

    Categories are encoded by the target inside each fold, from all of its rows to fit on.

    Args:
        material: The training rows, and in its recipe what is encoded.
        folds: Positions of rows.
        run: Seed, threads, catalogue.
        learns: Which rows the model learns from, all where None.
        ways: Parameters that the quick model is given; with several of them predictions are the mean.
    """
    p, base = material.problem, material.base
    recipe = replace(material.recipe, encoded=tuple(s for s in material.recipe.encoded if s.craft == "target_mean"))

    def fit(fold: Fold) -> Floats:
        encoding, encoded = TargetEncoding.fit(
            p.frame[fold.fit],
            p.contract,
            recipe,
            p.target[fold.fit],
            n_classes=p.n_classes,
            weight=p.weight_of(fold.fit),
            seed=run.seed,
        )
        some = np.arange(len(fold.fit)) if learns is None else np.flatnonzero(learns[fold.fit])
        learnt = fold.fit[some]
        fit_on, judged_on = base.take(learnt), base.take(fold.valid)
        if not encoding.is_empty:
            fit_on = fit_on.beside(encoded.take(some))
            judged_on = judged_on.beside(encoding.matrix(p.frame[fold.valid]))
        lesson = Lesson(fit_on, p.target[learnt], p.n_classes, p.weight_of(learnt), seed=run.seed)
        quick = run.catalogue.find("learner", "lightgbm")
        told = [quick(**{**QUICK, **way}).fit(lesson)[0].predict(judged_on) for way in ways]
        return np.asarray(sum(told) / len(told))

    n_learnt = max(len(fold.fit) if learns is None else int(learns[fold.fit].sum()) for fold in folds)
    with ThreadPoolExecutor(slots(n_learnt, run)) as pool:
        return np.concatenate(list(pool.map(fit, folds)))
