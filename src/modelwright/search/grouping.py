"""Grouping: distances of numbers from group means, and pairs of categories, that show they help on other rows.

As with pairs of numbers, what a quick model leaves unexplained out of fold decides what is tried: a distance whose
bins differ in their mean residual, a pair of levels whose rows do. Half of the rows choose, the other half judge.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.contract import Kind
from modelwright.core.split import Fold
from modelwright.evaluation.metrics import loss
from modelwright.features.categories import count_levels
from modelwright.features.crosses import crossed
from modelwright.features.groups import fit_deviation
from modelwright.features.recipe import Step
from modelwright.search.audition import (
    N_FOLDS,
    ROWS_MOST,
    can_tell,
    is_real,
    leading,
    may_spend,
    quick_seconds,
    residuals_of,
    told,
)
from modelwright.search.encodings import encoded_out_of_fold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from modelwright.core.arrays import Floats
    from modelwright.core.run import Run
    from modelwright.search.problem import Material

NUMBERS_MOST, CATEGORIES_MOST = 10, 10
"""Columns that are looked at, those that tell most about the target."""
LEVEL_ROWS = 3
"""Pairs of levels with fewer rows than this are counted together when crosses are compared."""
TERMS_MOST = 4
AUDITIONS, SHARE_MOST = 4, 0.06
"""So many cross-validations of the quick model at most, in this share of the search time."""
SURE = 1.645
"""Standard errors by which the loss must fall: by chance in one table of twenty."""
ALIKE = 0.98
"""Terms whose ranks correlate more than this say the same."""
COLUMN_ROWS = 30
"""A category groups rows when a level has this many in the mean."""


def with_groups(material: Material, run: Run, *, round_seconds: float, search_seconds: float) -> Material:
    """Return the material with distances from group means, and with crosses, where they help.

    Args:
        material: The training rows.
        run: Seed, threads, catalogue.
        round_seconds: Time of one boosting round on all rows.
        search_seconds: What the search may use.
    """
    p = material.problem
    one = quick_seconds(p.n_rows, run, round_seconds)
    if not can_tell(p) or AUDITIONS * one > may_spend(run, SHARE_MOST * search_seconds):
        return material
    rows = np.random.default_rng(run.seed).permutation(p.n_rows)[:ROWS_MOST]
    frame, target = p.frame[rows], p.target[rows]
    columns = [c.name for c in p.contract.features if c.kind is Kind.CATEGORY]
    columns = [name for name in columns if 2 <= frame[name].n_unique() <= len(rows) / COLUMN_ROWS]
    numbers = [c.name for c in p.contract.features if c.kind is Kind.NUMBER]
    if not columns:
        return material
    run.say("search", "an audition of groups and pairs of categories")
    parts = np.array_split(rows, N_FOLDS)
    folds = [Fold(np.concatenate([*parts[:i], *parts[i + 1 :]]), part) for i, part in enumerate(parts)]
    before = encoded_out_of_fold(material, folds, run)
    residual = residuals_of(target, before, p.n_classes)
    choosing, judging = np.arange(len(rows)) % 2 == 0, np.arange(len(rows)) % 2 == 1
    half = frame.filter(choosing)
    lost = loss(p.task.kind, target, before)
    for found, widen in (
        (_deviations(half, numbers, columns, residual[choosing]), "with_deviations"),
        (_crosses(half, columns, residual[choosing]), "with_crosses"),
    ):
        if not found:
            continue
        wider = getattr(material, widen)(found)
        after = loss(p.task.kind, target, encoded_out_of_fold(wider, folds, run))
        if is_real((lost - after)[judging], p.weight_of(rows[judging]), SURE):
            material, lost = wider, after
    return material


def _deviations(frame: pl.DataFrame, numbers: Sequence[str], columns: Sequence[str], residual: Floats) -> list[Step]:
    """Return the distances from group means that tell more about the residual than the number itself."""
    values = {name: frame[name].to_numpy() for name in numbers}
    names = leading(values, residual, NUMBERS_MOST)
    by = _leading(frame, columns, residual)
    made: dict[tuple[str, str], Floats] = {}
    for name in names:
        for column in by:
            out = np.empty((frame.height, 1), dtype=np.float32)
            fit_deviation(frame, name, column).fill(frame, out)
            made[name, column] = out[:, 0].astype(np.float64)
    chance = _chance(len(made))
    alone = {name: max(told(values[name], residual), 0.0) for name in names}
    scores = {term: told(column, residual) for term, column in made.items()}
    telling = [t for t in sorted(made, key=lambda t: -scores[t]) if scores[t] > max(chance, alone[t[0]] + 1.0)]
    reason = "its distance from the mean of its level tells what the two columns do not, and helps on other rows"
    return [Step(name, "deviation", reason, other=by) for name, by in _unlike(telling, made, TERMS_MOST)]


def _unlike(
    terms: Sequence[tuple[str, str]], made: Mapping[tuple[str, str], Floats], most: int
) -> list[tuple[str, str]]:
    """Return the first terms whose ranks differ from those before them."""
    taken: list[tuple[str, str]] = []
    ranks: list[Floats] = []
    for term in terms:
        rank = np.argsort(np.argsort(made[term])).astype(np.float64)
        if all(abs(np.corrcoef(rank, other)[0, 1]) < ALIKE for other in ranks):
            taken.append(term)
            ranks.append(rank)
        if len(taken) == most:
            break
    return taken


def _crosses(frame: pl.DataFrame, columns: Sequence[str], residual: Floats) -> list[Step]:
    """Return the pairs of categories that tell more about the residual than either of them."""
    alone = {name: _told_by(frame[name], residual) for name in columns}
    names = sorted(sorted(columns, key=lambda name: -alone[name])[:CATEGORIES_MOST])
    scores = {(a, b): _told_by(crossed(frame, a, b), residual) for a, b in combinations(names, 2)}
    chance = _chance(len(scores))
    telling = [
        t for t in sorted(scores, key=lambda t: -scores[t]) if scores[t] > max(chance, *(alone[n] + 1 for n in t))
    ]
    reason = "its levels tell together what they do not tell alone, and help on other rows"
    return [Step(a, "target_mean", reason, other=b) for a, b in telling[:TERMS_MOST]]


def _chance(n_terms: int) -> float:
    """Return about how many standard errors the best of so many terms reaches by chance, and one more."""
    return float(np.sqrt(2 * np.log(max(n_terms, 2)))) + 1.0


def _leading(frame: pl.DataFrame, columns: Sequence[str], residual: Floats) -> list[str]:
    scores = {name: _told_by(frame[name], residual) for name in columns}
    return sorted(sorted(columns, key=lambda name: -scores[name])[:CATEGORIES_MOST])


def _told_by(levels: pl.Series, residual: Floats) -> float:
    """Return how much rows of different levels differ in their mean residual, in standard errors of chance."""
    known, counts = count_levels(levels)
    codes: Mapping[str, int] = {level: i + 1 for i, level in enumerate(known[: int((counts >= LEVEL_ROWS).sum())])}
    groups = np.fromiter((codes.get(level, 0) for level in levels), dtype=np.int64, count=len(levels))
    n_rows = np.bincount(groups, minlength=len(codes) + 1)
    used = n_rows > 0
    sums = [np.bincount(groups, weights=column, minlength=len(n_rows))[used] for column in residual.T]
    between = sum(float((s**2 / n_rows[used]).sum()) for s in sums)
    freedom = max(int(used.sum()) - 1, 1)
    return float((between - freedom) / np.sqrt(2 * freedom))
