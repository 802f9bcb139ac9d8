"""The audition: features that must show on other rows that they help, and the quick model that tells.

Texts: a quick model is cross-validated with and without what was made of the words of each text column, and where
they do not help, with and without its length and counts. Names and titles often say nothing, and thirty numbers that
say nothing cost time and accuracy.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.matrix import Matrix
from modelwright.core.ports import Lesson
from modelwright.evaluation.metrics import loss
from modelwright.search.problem import Material, Problem
from modelwright.search.threads import slots

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelwright.core.arrays import Bools, Floats, Ints, Singles, Target
    from modelwright.core.matrix import Feature
    from modelwright.core.run import Run

ROWS_LEAST, ROWS_MOST = 500, 10_000
"""With fewer rows chance is too strong; more would cost time and change little."""
CELLS_MOST = 50_000_000
"""Of wide tables fewer rows learn and judge, so that a matrix of theirs takes no more than 200 MB."""
CLASSES_MOST = 10
N_FOLDS, N_BINS = 3, 24
QUICK = {"rounds": 100, "learning_rate": 0.1, "leaves": 31, "row_share": 1.0, "feature_share": 1.0, "patience": 0}
SHARE_MOST = 0.1
"""Of the search time."""


def with_texts(material: Material, run: Run, *, round_seconds: float, search_seconds: float) -> Material:
    """Return the material in which texts whose words do not help are only counted, or left out, if counts do not.

    Args:
        material: The training rows.
        run: Seed, threads, catalogue.
        round_seconds: Time of one boosting round on all rows.
        search_seconds: What the search may use; the audition takes a tenth of it at most.
    """
    p = material.problem
    texts = [step.column for step in material.recipe.steps if step.craft == "text"]
    seconds = (2 + 2 * len(texts)) * quick_seconds(p.n_rows, run, round_seconds)
    if not texts or not can_tell(p) or seconds > may_spend(run, SHARE_MOST * search_seconds):
        return material
    run.say("search", "an audition of texts")
    return _texts(material, texts, np.random.default_rng(run.seed).permutation(p.n_rows)[:ROWS_MOST], run)


def can_tell(problem: Problem) -> bool:
    """Whether a quick model can tell what helps: rows are enough, and labels not so many that no model is quick."""
    return problem.n_rows >= ROWS_LEAST and problem.n_classes <= CLASSES_MOST


def may_spend(run: Run, seconds: float) -> float:
    """Return the seconds an audition may take: so many against the clock, without end where work is counted."""
    return float("inf") if run.budget_seconds is None else seconds


def quick_seconds(n_rows: int, run: Run, round_seconds: float, rows_most: int = ROWS_MOST) -> float:
    """Return about how long one cross-validation of a quick model takes on so many of the rows at most.

    Args:
        n_rows: All rows.
        run: Threads.
        round_seconds: Time of one boosting round on all rows.
        rows_most: Rows of the sample.
    """
    return N_FOLDS * float(QUICK["rounds"]) * round_seconds * min(1.0, rows_most / n_rows) / slots(rows_most, run)


def _texts(material: Material, texts: Sequence[str], rows: Ints, run: Run) -> Material:
    """Return the material with words and counts of those texts whom they help on these rows."""
    p, base = material.problem, material.base.take(rows)
    target, weight = p.target[rows], p.weight_of(rows)
    if len(material.base.features) <= sum(any(_is_of_word(f, t) for t in texts) for f in base.features):
        return material  # without the words nothing would be left

    def losses(matrix: Matrix) -> Floats:
        return loss(p.task.kind, target, cross_validated(matrix, target, rows, material, run))

    def idle(whole: Matrix, is_of: Callable[[Feature, str], bool], columns: Sequence[str]) -> list[str]:
        before = losses(whole)
        return [c for c in columns if not is_real(losses(_without(whole, c, is_of)) - before, weight)]

    silent = idle(base, _is_of_word, texts)
    if not silent:
        return material
    for text in silent:
        base = _without(base, text, _is_of_word)
    useless = idle(base, _is_of, silent) if any(s.column not in silent for s in material.recipe.steps) else []
    reason = "its words did not help a quick model, so only lengths and counts are taken"
    steps = [
        replace(s, craft="text_counts", reason=reason) if s.column in silent else s
        for s in material.recipe.steps
        if s.column not in useless
    ]
    encoded = tuple(step for step in material.recipe.encoded if step.column not in silent)
    return Material.prepare(p, replace(material.recipe, steps=tuple(steps), encoded=encoded))


def is_real(gain: Floats, weight: Floats | None, sure: float = 1.0) -> bool:
    """Whether rows gain more in the mean, weighted where they have weights, than so many standard errors."""
    if weight is not None:
        gain = gain * weight / weight.mean()
    return bool(gain.mean() > sure * gain.std() / np.sqrt(len(gain)))


def _is_of(feature: Feature, text: str) -> bool:
    return feature.source == text


def _is_of_word(feature: Feature, text: str) -> bool:
    """Whether a feature is a component of the words of a text."""
    return feature.name.startswith(f"{text}.component_")


def _without(matrix: Matrix, column: str, is_of: Callable[[Feature, str], bool]) -> Matrix:
    """Return the matrix without the features of a column that are of this kind."""
    kept = [i for i, f in enumerate(matrix.features) if not is_of(f, column)]
    return Matrix(np.ascontiguousarray(matrix.values[:, kept]), tuple(matrix.features[i] for i in kept))


def cross_validated(
    matrix: Matrix, target: Target, rows: Ints, material: Material, run: Run, **changed: object
) -> Floats:
    """Return the out-of-fold predictions of a quick model, with these parameters changed."""
    p = material.problem
    weight = p.weight_of(rows)
    parts = [np.arange(matrix.n_rows) % N_FOLDS == fold for fold in range(N_FOLDS)]

    def fit(held: Bools) -> Floats:
        learnt = None if weight is None else weight[~held]
        lesson = Lesson(matrix.take(np.flatnonzero(~held)), target[~held], p.n_classes, learnt, seed=run.seed)
        fitted, _ = run.catalogue.find("learner", "lightgbm")(**{**QUICK, **changed}).fit(lesson)
        predictions: Floats = fitted.predict(matrix.take(np.flatnonzero(held)))
        return predictions

    made = np.zeros((matrix.n_rows, p.n_classes) if p.n_classes else matrix.n_rows)
    with ThreadPoolExecutor(slots(matrix.n_rows, run)) as pool:
        for held, predictions in zip(parts, pool.map(fit, parts), strict=True):
            made[held] = predictions
    return made


def residuals_of(target: Target, predictions: Floats, n_classes: int) -> Floats:
    """Return what is left unexplained, shape (n_rows, n_answers), of variance one in all."""
    if not n_classes:
        left = (target - predictions)[:, None]
    elif n_classes == 2:
        left = ((target == 1) - predictions[:, 1])[:, None]
    else:
        left = (target[:, None] == np.arange(n_classes)) - predictions
    spread = np.sqrt(float((left**2).sum()) / len(left)) or 1.0
    scaled: Floats = left / spread
    return scaled


def told(values: Floats | Singles, residual: Floats) -> float:
    """Return how much the bins of these values differ in their mean residual, in standard errors of chance.

    The sum of squares between equally filled bins has mean and variance of a chi-square where the values say nothing.
    """
    order = np.argsort(values, kind="stable")  # missing values come last and share the last bins
    bins = np.empty(len(values), dtype=np.int64)
    bins[order] = np.arange(len(values)) * N_BINS // len(values)
    _, first = np.unique(values[order], return_index=True)
    # Equal values belong to one bin, that of the first of them.
    starts = np.repeat(first, np.diff(np.append(first, len(values))))
    bins[order] = bins[order][starts]
    counts = np.bincount(bins, minlength=N_BINS)
    used = counts > 0
    between = sum(
        float((np.bincount(bins, weights=column, minlength=N_BINS)[used] ** 2 / counts[used]).sum())
        for column in residual.T
    )
    freedom = max(int(used.sum()) - 1, 1)
    return float((between - freedom) / np.sqrt(2 * freedom))


def leading(values: Mapping[str, Floats], answers: Floats, most: int) -> list[str]:
    """Return the numbers that tell most about the target."""
    scores = {name: told(column, answers) for name, column in values.items()}
    return sorted(sorted(scores, key=lambda name: -scores[name])[:most])
