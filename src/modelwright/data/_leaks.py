"""Suspected leaks: single columns that tell more of the target than they should be able to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.contract import Kind
from modelwright.core.finding import Finding, Severity
from modelwright.core.task import TaskKind
from modelwright.data._association import (
    MISSING,
    Judge,
    average_rank,
    log_chance_of,
    log_chance_of_correlation,
    sample_rows,
    signals,
)

if TYPE_CHECKING:
    from modelwright.core.arrays import Bools, Floats, Ints
    from modelwright.core.contract import Column
    from modelwright.data._association import Association, Signal
    from modelwright.data._case import Case

NEAR_PERFECT = {"roc_auc": 0.98, "lambda": 0.98, "r2": 0.98}
"""Above what single honest columns reach: a measurement that decides a diagnosis stays at an AUC of 0.976."""

PURITY = 0.995
COVERAGE = 0.1
"""A value that settles the label for fewer of a class's rows than this cannot carry a model."""

ODDS, HALF = 200.0, 0.5
"""A value that half of a class has need not be as pure, if it makes the class 200 times likelier: as much as 99.5 %
says of two equal classes. Honest single answers reach 20."""

MISSING_R2 = 0.8
CHANCE = 1e-3
"""Chance, over all columns and values of a table together, that noise is taken for a leak."""

ACTION = "kept and reported; nothing was dropped"
OVERRULE = "leave the column out with --ignore {0} if it is not known when a prediction is wanted"


def check(case: Case, named: frozenset[str]) -> list[Finding]:
    """Return suspected leaks of columns that were not named yet, measured on rows to learn from only."""
    columns = [c for c in case.features if c.name not in named]
    rows = sample_rows(case.split.train, seed=case.seed)
    if not columns or len(rows) < 2:
        return []
    target = case.target[rows]
    judge = Judge(case.task, target, seed=case.seed)
    found = []
    for column, signal in zip(columns, signals(case.frame[rows], [c.name for c in columns]), strict=True):
        finding = (
            _near_perfect(column, judge.judge(signal), len(columns), len(rows))
            or _missingness(case, signal, target, len(columns))
            or _value(case, column, signal, target, len(columns))
        )
        if finding:
            found.append(finding)
    return found


def _near_perfect(column: Column, told: Association, n_columns: int, n_rows: int) -> Finding | None:
    # Numbers get three looks: in bins, rising, falling.
    if told.value < NEAR_PERFECT[told.measure] or told.log_chance + np.log(3 * n_columns) > np.log(CHANCE):
        return None
    measure = {"roc_auc": "ROC AUC", "lambda": "share of errors removed", "r2": "R² of ranks"}[told.measure]
    return Finding(
        "F010",
        Severity.SEVERE,
        f"{column.name} alone predicts the target nearly perfectly ({measure} {told.value:.3f}, out of fold): "
        "suspected leak",
        (column.name,),
        {"measure": told.measure, "value": round(told.value, 6), "n_rows": n_rows, "n_columns_tried": n_columns},
        ACTION,
        OVERRULE.format(column.name),
    )


def _missingness(case: Case, signal: Signal, target: Floats | Ints, n_columns: int) -> Finding | None:
    missing = signal.codes == MISSING
    if not missing.any() or missing.all():
        return None
    if not case.task.is_classification:
        return _missingness_of_number(signal.name, missing, target, n_columns)
    for rows, word in ((missing, "missing"), (~missing, "present")):
        counts = np.bincount(np.asarray(target, dtype=np.int64)[rows], minlength=len(case.task.labels))
        # Missing cells may point to the common class as well; that takes stronger proof, not another rule.
        best = _giveaway(counts[None, :], target, case.task.labels, 2 * n_columns, prior_most=0.9)
        if best is not None:
            label = case.task.labels[best["class"]]
            return Finding(
                "F012",
                Severity.SEVERE,
                f"where {signal.name} is {word} the target is {label} in {best['purity']:.1%} of rows, "
                f"{best['coverage']:.0%} of all {label}: suspected leak",
                (signal.name,),
                {"when": word, "label": label, **_numbers(best), "n_rows": len(target)},
                ACTION,
                OVERRULE.format(signal.name),
            )
    return None


def _missingness_of_number(name: str, missing: Bools, target: Floats | Ints, n_columns: int) -> Finding | None:
    ranks = average_rank(np.asarray(target, dtype=np.float64))
    if len(ranks) < 4 or not ranks.std():
        return None
    r = abs(float(np.corrcoef(missing, ranks)[0, 1]))
    log_chance = log_chance_of_correlation(r, missing)
    if r**2 < MISSING_R2 or log_chance + np.log(2 * n_columns) > np.log(CHANCE):
        return None
    return Finding(
        "F012",
        Severity.SEVERE,
        f"whether {name} is missing settles {r**2:.0%} of the target (R² of ranks): suspected leak",
        (name,),
        {"r2": round(r**2, 6), "n_missing": int(missing.sum()), "n_rows": len(ranks)},
        ACTION,
        OVERRULE.format(name),
    )


def _value(case: Case, column: Column, signal: Signal, target: Floats | Ints, n_columns: int) -> Finding | None:
    """Return a finding when one value of a column settles a class that is not the common one."""
    if case.task.kind is not TaskKind.BINARY or column.kind is Kind.TEXT:
        return None
    size = 2 * (int(signal.codes.max()) + 1)
    table = np.bincount(signal.codes * 2 + np.asarray(target, dtype=np.int64), minlength=size).reshape(-1, 2)
    table[MISSING] = 0
    if not np.any(table.max(axis=1) > COVERAGE * np.bincount(np.asarray(target, dtype=np.int64)).min()):
        return None  # most columns end here
    if column.kind is Kind.NUMBER:
        table = np.where(_stands_out(table)[:, None], table, 0)
    best = _giveaway(table, target, case.task.labels, n_columns * len(table), prior_most=0.5)
    if best is None:
        return None
    label, value = case.task.labels[best["class"]], _spelling(case, signal, best["code"])
    return Finding(
        "F011",
        Severity.SEVERE,
        f"{signal.name} = {value} means {label} in {best['purity']:.1%} of rows, "
        f"{best['coverage']:.0%} of all {label}: suspected leak",
        (signal.name,),
        {"value": value, "label": label, **_numbers(best), "n_rows": len(target)},
        ACTION,
        OVERRULE.format(signal.name),
    )


def _giveaway(
    table: Ints, target: Floats | Ints, labels: tuple[str, ...], n_looks: int, *, prior_most: float
) -> dict[str, Any] | None:
    """Return the code whose rows are nearly all of one class and a notable part of it, beyond chance.

    Args:
        table: Rows by code and class, shape (n_codes, n_classes).
        target: Encoded classes.
        labels: One per class.
        n_looks: Codes looked at in the whole table, for Bonferroni's correction.
        prior_most: Classes more common than this are left out; their purity is no news.
    """
    totals = np.bincount(np.asarray(target, dtype=np.int64), minlength=len(labels))
    sizes, best = table.sum(axis=1), None
    for c in np.flatnonzero((totals > 0) & (totals <= prior_most * len(target))):
        purity, coverage = table[:, c] / np.maximum(sizes, 1), table[:, c] / totals[c]
        chance = log_chance_of(table[:, c], sizes, totals[c] / len(target)) + np.log(n_looks * len(labels))
        false_share = (sizes - table[:, c]) / max(len(target) - int(totals[c]), 1)
        is_pure = (purity >= PURITY) & (coverage >= COVERAGE)
        is_likely = (coverage >= ODDS * false_share) & (coverage >= HALF)
        fits = (is_pure | is_likely) & (chance <= np.log(CHANCE))
        if fits.any():
            code = int(np.argmax(np.where(fits, coverage, -1)))
            if best is None or coverage[code] > best["coverage"]:
                best = {"class": int(c), "code": code, "purity": float(purity[code])}
                best |= {"coverage": float(coverage[code]), "n_value": int(sizes[code])}
    return best


def _numbers(best: dict[str, Any]) -> dict[str, Any]:
    return {"purity": round(best["purity"], 6), "coverage": round(best["coverage"], 6), "n_with": best["n_value"]}


def _stands_out(table: Ints) -> Bools:
    """Return which codes of a number lean to another class than the nearest values on both sides.

    A pure value at the end of a steady climb is honest strength; one between values of another kind is a mark
    that somebody wrote afterwards. Only codes of exact values (even) can stand out.
    """
    sizes = table.sum(axis=1)
    used = np.flatnonzero(sizes)
    leaning = (table[used, 1] * 2 > sizes[used]).astype(np.int64)
    before, after = np.append(-1, leaning[:-1]), np.append(leaning[1:], -1)
    stands = np.zeros(len(table), dtype=np.bool_)
    stands[used] = (leaning != before) & (leaning != after) & (used % 2 == 0)
    return stands


def _spelling(case: Case, signal: Signal, code: int) -> str:
    row = sample_rows(case.split.train, seed=case.seed)[int(np.flatnonzero(signal.codes == code)[0])]
    value = case.frame[signal.name][int(row)]
    return f"{value:g}" if isinstance(value, float) else str(value)[:40]
