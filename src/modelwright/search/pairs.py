"""Pairs of numbers: sums, differences, products and ratios that help on rows that did not choose them.

Trees cut one number at a time, and what depends on two together takes them many cuts. All operations on all pairs are
offered at once to a quick model of each fold's rows, each tree of which sees a few of them. Those whose splits save
most of its loss are chosen, and the rows that the fold judges say whether they are predicted better with them. Folds
are cut as the search cuts its own, so that rows that come in time are judged by earlier ones.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.contract import Kind
from modelwright.core.matrix import Matrix
from modelwright.core.ports import Lesson
from modelwright.core.split import Fold
from modelwright.evaluation.metrics import loss
from modelwright.features.arithmetic import Arithmetic
from modelwright.features.recipe import Step
from modelwright.search.audition import CELLS_MOST, N_FOLDS, QUICK, can_tell, is_real, leading, may_spend, residuals_of
from modelwright.search.memory import ENOUGH, held_bytes
from modelwright.search.threads import slots
from modelwright.search.validation import FoldShape, folded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.core.arrays import Floats, Ints
    from modelwright.core.run import Run
    from modelwright.core.split import How
    from modelwright.search.problem import Material

Term = tuple[str, str, str]
"""Operation, left column, right column."""

LEARNT_MOST, JUDGED_MOST = 60_000, 30_000
"""Of a fold. On fewer rows pairs help more than they will on all: trees find by themselves what many rows show."""
SCREENED_ROWS_MOST = 5_000
NUMBERS_MOST = 32
"""Columns that are paired at most: those whose own bins tell most about the target."""
LOOKED_AT_AGAIN, KEPT_MOST = 150, 30
"""So many of the first look are compared once more, among themselves, and so many are kept."""
SIZES = (2, 8, KEPT_MOST)
"""So many are tried: where few tell all there is, the others would only be in the way."""
JUDGE = {**QUICK, "min_leaf": 20}
"""Of smaller leaves it would learn noise by heart, and columns that only keep it from that would seem to help."""
SCREEN = {**JUDGE, "rounds": 50, "bins": 31}
COLUMNS_A_TREE = 250
CELL_SECONDS, CELL_BYTES = 3e-7, 24
"""What a term of one row costs in the first look: in three matrices, and what the library makes of it."""
FITS = 1 + len(SIZES)
"""Of the quick model on a fold."""
SHARE_MOST = 0.1
"""Of the search time."""
REASON = "it saves a quick model many cuts in the two numbers, and helps on other rows"


def with_pairs(material: Material, run: Run, *, how: How, round_seconds: float, search_seconds: float) -> Material:
    """Return the material with up to 30 operations on pairs of numbers, where they help.

    Args:
        material: The training rows.
        run: Seed, threads, catalogue.
        how: How the sealed rows were chosen; folds follow it.
        round_seconds: Time of one boosting round on all rows.
        search_seconds: What the search may use.
    """
    p = material.problem
    numbers = [c.name for c in p.contract.features if c.kind is Kind.NUMBER]
    if len(numbers) < 2 or not can_tell(p):
        return material
    folds = folds_of(material, run, how)
    n_slots = slots(p.n_rows, run)
    n_terms = min(
        _terms_in_time(folds, may_spend(run, SHARE_MOST * search_seconds), round_seconds / p.n_rows, n_slots),
        _terms_in_memory(material, folds, run.memory_bytes, n_slots),
    )
    n_paired = max((n for n in range(2, NUMBERS_MOST + 1) if 5 * n * (n - 1) / 2 <= n_terms), default=0)
    if not n_paired:
        return material
    run.say("search", "an audition of pairs of numbers")
    with ThreadPoolExecutor(n_slots) as pool:
        tried = list(pool.map(lambda fold: on_fold(material, run, numbers, fold, n_paired), folds))
    weight = p.weight_of(np.concatenate([fold.valid for fold in folds]))
    gains = {n: np.concatenate([one.plain - one.wider[n] for one in tried]) for n in SIZES}
    best = max(SIZES, key=lambda n: float(np.average(gains[n], weights=weight)))
    if not is_real(gains[best], weight):
        return material
    terms = most_chosen([one.terms[:best] for one in tried], best)
    return material.with_arithmetic([Step(left, operation, REASON, other=right) for operation, left, right in terms])


def folds_of(material: Material, run: Run, how: How) -> list[Fold]:
    """Return the folds that choose and judge, of so many rows that quick models are quick; rows in any order."""
    rng = np.random.default_rng(run.seed)
    most = CELLS_MOST // (len(material.base.features) + KEPT_MOST)
    whole = folded(material.problem, FoldShape(N_FOLDS, 1, None), how=how).folds
    return [
        Fold(rng.permutation(f.fit)[: min(LEARNT_MOST, most)], rng.permutation(f.valid)[: min(JUDGED_MOST, most)])
        for f in whole
    ]


def _terms_in_time(folds: Sequence[Fold], seconds: float, row_round_seconds: float, n_slots: int) -> float:
    """Return how many terms there is time to look at."""
    learnt = max(len(fold.fit) for fold in folds)
    fits = FITS * float(QUICK["rounds"]) * row_round_seconds * learnt
    return (seconds * n_slots / len(folds) - fits) / (CELL_SECONDS * min(learnt, SCREENED_ROWS_MOST))


def _terms_in_memory(material: Material, folds: Sequence[Fold], limit: int | None, n_slots: int) -> float:
    """Return how many terms there is memory for beside the quick models' own rows."""
    if limit is None:
        return float("inf")
    learnt, judged = (max(len(rows) for rows in side) for side in zip(*((f.fit, f.valid) for f in folds), strict=True))
    own = CELL_BYTES * (learnt + judged) * (len(material.base.features) + KEPT_MOST)
    room = (ENOUGH * limit - held_bytes()) / n_slots - own
    return room / (CELL_BYTES * min(learnt, SCREENED_ROWS_MOST))


@dataclass(frozen=True, slots=True)
class OnFold:
    """What a fold's rows choose, and what is lost on each row that it judges: without it, with the first few, with all.

    Attributes:
        terms: The best first.
        plain: Shape (n_judged,), without them.
        wider: The same with so many of the first.
    """

    terms: list[Term]
    plain: Floats
    wider: Mapping[int, Floats]


def on_fold(material: Material, run: Run, numbers: Sequence[str], fold: Fold, most: int) -> OnFold:
    """Choose on a fold's rows, and learn from them with and without what was chosen."""
    terms = chosen(material, run, numbers, fold.fit, most)
    plain = _losses(material, run, (), fold)
    wider = {n: _losses(material, run, terms[:n], fold) if terms else plain for n in SIZES}
    return OnFold(terms, plain, wider)


def most_chosen(by_fold: Sequence[Sequence[Term]], most: int) -> list[Term]:
    """Return the terms that folds chose, those first that most of them chose early.

    >>> a, b, c = ("sum", "x", "y"), ("ratio", "x", "y"), ("ratio", "y", "x")
    >>> most_chosen([[a, b], [b, c]], 3) == [b, a, c]
    True
    """
    worth: Counter[Term] = Counter()
    for terms in by_fold:
        for place, term in enumerate(terms):
            worth[term] += KEPT_MOST - place
    return [term for term, _ in worth.most_common(most)]


def chosen(material: Material, run: Run, numbers: Sequence[str], rows: Ints, most: int) -> list[Term]:
    """Return the terms whose splits lower a quick model's loss most, the best first.

    Args:
        material: The training rows.
        run: Seed, catalogue.
        numbers: Columns.
        rows: Up to 5,000 of them are looked at.
        most: Columns that are paired, those that tell most about the target.
    """
    p, rows = material.problem, rows[:SCREENED_ROWS_MOST]
    terms = _terms(material, numbers, rows, most)
    for first in (LOOKED_AT_AGAIN, KEPT_MOST):
        matrix = _wider(material, terms, rows)
        share = min(1.0, max(COLUMNS_A_TREE / len(matrix.features), 0.01))
        lesson = Lesson(matrix, p.target[rows], p.n_classes, p.weight_of(rows), seed=run.seed)
        saved = run.catalogue.find("learner", "lightgbm")(**{**SCREEN, "feature_share": share}).gains(lesson)
        saved = saved[len(material.base.features) :]
        terms = [terms[i] for i in np.argsort(-saved, kind="stable")[:first] if saved[i] > 0]
        if not terms:
            break
    return terms


def _losses(material: Material, run: Run, terms: Sequence[Term], fold: Fold) -> Floats:
    """Return the loss of each row that a fold judges, by a quick model that learns with these terms, too."""
    p, learnt, judged = material.problem, fold.fit, fold.valid
    lesson = Lesson(_wider(material, terms, learnt), p.target[learnt], p.n_classes, p.weight_of(learnt), seed=run.seed)
    fitted, _ = run.catalogue.find("learner", "lightgbm")(**JUDGE).fit(lesson)
    return loss(p.task.kind, p.target[judged], fitted.predict(_wider(material, terms, judged)))


def _terms(material: Material, numbers: Sequence[str], rows: Ints, most: int) -> list[Term]:
    """Return all operations on the numbers, or on those that tell most about the target where they are many."""
    if len(numbers) > most:
        p = material.problem
        target = p.target[rows]
        share = np.bincount(target.astype(np.int64), minlength=p.n_classes) / len(rows) if p.n_classes else None
        flat = np.full(len(rows), target.mean()) if share is None else np.tile(share, (len(rows), 1))
        values = {name: p.frame[name].to_numpy()[rows] for name in numbers}
        numbers = leading(values, residuals_of(target, flat, p.n_classes), most)
    terms = [(operation, a, b) for operation in ("sum", "difference", "product") for a, b in combinations(numbers, 2)]
    return [*terms, *(("ratio", a, b) for a, b in permutations(numbers, 2))]


def _wider(material: Material, terms: Sequence[Term], rows: Ints) -> Matrix:
    """Return the material's features of these rows, and the terms behind them."""
    if not terms:
        return material.base.take(rows)
    made, read = Arithmetic(tuple(terms)), {name for _, *columns in terms for name in columns}
    values = np.empty((len(rows), len(terms)), dtype=np.float32)
    made.fill(material.problem.frame.select(sorted(read))[rows], values)
    return material.base.take(rows).beside(Matrix(values, made.features))
