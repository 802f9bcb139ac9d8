"""Slices and groups: is a model much worse for a part of the rows, or unlike for groups of people?"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.evaluation import _ends
from modelwright.evaluation.metrics import loss
from modelwright.evaluation.slices import of_column

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from modelwright.core.arrays import Array, Bools
    from modelwright.core.policy import Policy
    from modelwright.core.task import Task
    from modelwright.evaluation.gate import Answers

LEVELS_MOST = 20
"""Of one column; the gate looks at no pairs of columns, so it can afford more levels than a search does."""
SHOWN = 10


def slices(
    task: Task, answers: Answers, columns: Mapping[str, Array], policy: Policy
) -> tuple[list[str], list[dict[str, Any]]]:
    """Find the parts of the rows, by level or by quarter of a column, on which a model loses most.

    Intervals hold for all slices together at 95 % (Bonferroni): the worst of many is also the unluckiest.

    Returns:
        What is surely beyond the limit, and the worst slices with their loss as a multiple of the mean loss.
    """
    losses = loss(task.kind, answers.target, answers.scores)
    weight = np.ones(len(losses)) if answers.weight is None else answers.weight
    mean = float(np.average(losses, weights=weight)) if weight.sum() > 0 else 0.0
    least = policy["behave", "slice_rows_min"]
    cut = [part for column, values in columns.items() for part in of_column(column, values, most=LEVELS_MOST)]
    parts = [(*part.terms[0], part.rows) for part in cut if part.rows.sum() >= least]
    level = 1 - (1 - _ends.LEVEL) / max(len(parts), 1)
    failed: list[str] = []
    found: list[dict[str, Any]] = []
    for column, what, rows in parts:
        if weight[rows].sum() <= 0 or mean <= 0:
            continue
        own = float(np.average(losses[rows], weights=weight[rows]))
        low, high = _ends.plain_t(own, losses[rows] - own, weight[rows], level)
        ratio = {"ratio": own / mean, "low": max(low, 0.0) / mean, "high": high / mean, "n_rows": int(rows.sum())}
        found.append({"column": column, "slice": what, **ratio})
        limit = policy["behave", "slice_ratio_max"]
        if ratio["low"] > limit:
            failed.append(f"where {column} {what} it loses {ratio['ratio']:.1f} times as much, at most {limit:g} may")
    found.sort(key=lambda s: -s["ratio"])
    return failed, found[:SHOWN]


def groups(
    task: Task, answers: Answers, columns: Mapping[str, Sequence[str]], policy: Policy
) -> tuple[list[str], list[str], list[dict[str, Any]]]:
    """Compare how groups of people are treated, each pair of groups by each fairness measure.

    Binary tasks: selection rate (demographic parity), recall (equal opportunity), false positive rate; others:
    accuracy; regression: share of rows that are overestimated. Intervals are Newcombe's hybrid score (Statistics in
    Medicine 1998), and hold for all pairs and measures of a column together (Bonferroni).

    Returns:
        Surely beyond the limit; not surely within it; and the widest gap of each measure, as plain data.
    """
    failed, doubtful, found = [], [], []
    limit, least = policy["behave", "group_gap_max"], policy["behave", "slice_rows_min"]
    for column, values in columns.items():
        named = np.asarray([str(v) for v in values])
        levels = [level for level, n in zip(*np.unique(named, return_counts=True), strict=True) if n >= least]
        pairs = list(combinations(levels[:LEVELS_MOST], 2))
        measures = list(_rates(task, answers))
        if not pairs:
            doubtful.append(f"fewer than two groups of {column!r} have {least} rows")
        level = 1 - (1 - _ends.LEVEL) / max(len(pairs) * len(measures), 1)
        for measure, hits, asked in measures:
            gaps = [_gap(hits, asked, named == a, named == b, level) | {"groups": [a, b]} for a, b in pairs]
            if not gaps:
                continue
            widest = max(gaps, key=lambda g: g["low"])
            most = max(gaps, key=lambda g: g["value"])
            found.append({"column": column, "measure": measure, "limit": limit, **most})
            if widest["low"] > limit:
                failed.append(_told(column, measure, widest, limit))
            elif max(g["high"] for g in gaps) > limit:
                doubtful.append(_told(column, measure, max(gaps, key=lambda g: g["high"]), limit))
    return failed, doubtful, found


def _told(column: str, measure: str, gap: Mapping[str, Any], limit: float) -> str:
    ends = f"{gap['value']:.3f} ({gap['low']:.3f} to {gap['high']:.3f})"
    return f"{measure} of {column} {' and '.join(gap['groups'])} differs by {ends}, at most {limit:g} may"


def _rates(task: Task, answers: Answers) -> Iterator[tuple[str, Bools, Bools]]:
    """Yield measures as what counts as a hit among which rows."""
    every = np.ones(len(answers.target), dtype=bool)
    if not task.is_classification:
        yield "overestimated share", np.asarray(answers.scores) > np.asarray(answers.target, dtype=np.float64), every
    elif len(task.labels) == 2:
        chosen, truth = answers.choices == 1, answers.target == 1
        yield "selection rate", chosen, every
        yield "recall", chosen, truth
        yield "false positive rate", chosen, ~truth
    else:
        yield "accuracy", answers.choices == answers.target, every


def _gap(hits: Bools, asked: Bools, a: Bools, b: Bools, level: float) -> dict[str, Any]:
    """Return the size of the difference of two rates with its interval."""
    (p, n), (q, m) = (_share(hits, asked & rows) for rows in (a, b))
    (low_p, high_p), (low_q, high_q) = _ends.wilson(p, n, level), _ends.wilson(q, m, level)
    difference = p - q
    low = difference - float(np.hypot(p - low_p, high_q - q))
    high = difference + float(np.hypot(high_p - p, q - low_q))
    nearest = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    return {"value": abs(difference), "low": nearest, "high": max(abs(low), abs(high)), "n_rows": [n, m]}


def _share(hits: Bools, rows: Bools) -> tuple[float, int]:
    n = int(rows.sum())
    return (float(hits[rows].mean()) if n else 0.0), n
