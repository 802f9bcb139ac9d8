"""Fairness: what a model does for each group, and which gaps between a group and all others are beyond chance.

Gaps of shares have Newcombe's interval (Statistics in Medicine 1998, method 10), gaps of means Welch's. Their level is
raised by Bonferroni for the number of gaps looked at, so that all of them together hold in 95 of 100 tables.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.evaluation._ends import LEVEL, t_quantile, wilson

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Bools, Floats
    from modelwright.core.task import Task

ROWS_LEAST = 20
"""Smaller groups are put together."""
GROUPS_MOST = 12
SMALL_GROUPS, MISSING = "all other groups", "missing"
TITLES = {
    "chosen": "is answered the positive label",
    "recall": "true positives found",
    "false_alarms": "negatives called positive",
    "precision": "right when called positive",
    "accuracy": "answered rightly",
    "promised": "probability promised beyond what came true",
    "error": "estimate above the truth",
    "size": "size of the error",
}


@dataclass(frozen=True, slots=True)
class _Measure:
    """One quantity by row: ``value`` over the rows in ``among``; a share when all values are 0 or 1."""

    name: str
    value: Floats
    among: Bools
    is_share: bool


def by_group(group: Array, task: Task, target: Array, scores: Floats, choices: Array) -> dict[str, Any]:
    """Return what each group of a column gets, and the gaps that are beyond chance.

    Args:
        group: Shape (n,), text, None where missing.
        task: Says what is measured.
        target: Shape (n,), encoded.
        scores: Values (n,) or probabilities (n, n_classes), of rows not learnt from.
        choices: Labels answered.

    Returns:
        ``groups``: one entry per group with ``group``, ``n_rows``, ``measures`` (name to value, low, high, n, and
        ``gap`` to all other rows with ``gap_low``, ``gap_high``, ``is_beyond_chance``); ``n_gaps``; ``unfair``: the
        gaps beyond chance, largest first; ``sentence``.
    """
    names = _grouped(group)
    measures = _measures(task, target, scores, choices)
    pairs = [(g, m) for g in dict.fromkeys(names.tolist()) for m in measures]
    counted = [(g, m) for g, m in pairs if _counts(names == g, m)]
    level = 1 - (1 - LEVEL) / max(len(counted), 1)
    entries: dict[str, dict[str, Any]] = {
        g: {"group": g, "n_rows": int((names == g).sum()), "measures": {}} for g in dict.fromkeys(names.tolist())
    }
    for g, m in counted:
        entries[g]["measures"][m.name] = _compared(names == g, m, level)
    unfair = [
        {"group": g, "measure": m.name, "title": TITLES[m.name], **entries[g]["measures"][m.name]}
        for g, m in counted
        if entries[g]["measures"][m.name]["is_beyond_chance"]
    ]
    unfair.sort(key=lambda e: -abs(e["gap"]) / max(e["gap_high"] - e["gap_low"], 1e-12))
    ordered = sorted(entries.values(), key=lambda e: -e["n_rows"])
    return {
        "groups": ordered,
        "n_gaps": len(counted),
        "unfair": unfair,
        "sentence": _sentence(unfair, len(counted), task),
    }


def _grouped(group: Array) -> Array:
    """Return group names, small groups put together."""
    told = np.array([MISSING if v is None else str(v) for v in group.tolist()], dtype=object)
    names, counts = np.unique(told.astype(str), return_counts=True)
    large = names[np.argsort(-counts, kind="stable")][:GROUPS_MOST]
    kept = set(large.tolist()) & set(names[counts >= ROWS_LEAST].tolist())
    return np.array([v if v in kept else SMALL_GROUPS for v in told.tolist()], dtype=object)


def _measures(task: Task, target: Array, scores: Floats, choices: Array) -> list[_Measure]:
    n = len(target)
    everyone = np.ones(n, dtype=bool)
    if not task.is_classification:
        error = scores - np.asarray(target, dtype=np.float64)
        return [_Measure("error", error, everyone, False), _Measure("size", np.abs(error), everyone, False)]
    right = np.asarray(choices == target, dtype=np.float64)
    if task.positive is None:
        return [_Measure("accuracy", right, everyone, True)]
    true, called = np.asarray(target == 1), np.asarray(choices == 1)
    promised = scores[:, 1] - true
    return [
        _Measure("chosen", called.astype(np.float64), everyone, True),
        _Measure("recall", called.astype(np.float64), true, True),
        _Measure("false_alarms", called.astype(np.float64), ~true, True),
        _Measure("precision", true.astype(np.float64), called, True),
        _Measure("promised", promised, everyone, False),
    ]


def _counts(inside: Bools, m: _Measure) -> bool:
    """Whether both sides hold enough rows to be compared."""
    return min(int((inside & m.among).sum()), int((~inside & m.among).sum())) >= ROWS_LEAST // 2


def _compared(inside: Bools, m: _Measure, level: float) -> dict[str, Any]:
    a, b = m.value[inside & m.among], m.value[~inside & m.among]
    own, gap = (_share_ends, _newcombe) if m.is_share else (_mean_ends, _welch)
    low, high = own(a)
    gap_low, gap_high = gap(a, b, level)
    return {
        "value": float(a.mean()),
        "low": low,
        "high": high,
        "n": len(a),
        "others": float(b.mean()),
        "gap": float(a.mean() - b.mean()),
        "gap_low": gap_low,
        "gap_high": gap_high,
        "is_beyond_chance": bool(gap_low > 0 or gap_high < 0),
    }


def _share_ends(a: Floats) -> tuple[float, float]:
    return wilson(float(a.mean()), len(a))


def _mean_ends(a: Floats) -> tuple[float, float]:
    half = t_quantile(max(len(a) - 1, 1)) * float(a.std(ddof=1)) / math.sqrt(len(a))
    return float(a.mean()) - half, float(a.mean()) + half


def _newcombe(a: Floats, b: Floats, level: float) -> tuple[float, float]:
    p, q = float(a.mean()), float(b.mean())
    (low_p, high_p), (low_q, high_q) = wilson(p, len(a), level), wilson(q, len(b), level)
    return p - q - math.hypot(p - low_p, high_q - q), p - q + math.hypot(high_p - p, q - low_q)


def _welch(a: Floats, b: Floats, level: float) -> tuple[float, float]:
    parts = float(a.var(ddof=1)) / len(a), float(b.var(ddof=1)) / len(b)
    whole = sum(parts)
    spread = parts[0] ** 2 / (len(a) - 1) + parts[1] ** 2 / (len(b) - 1)
    half = t_quantile(whole**2 / spread if spread > 0 else math.inf, level) * math.sqrt(whole)
    gap = float(a.mean() - b.mean())
    return gap - half, gap + half


def _sentence(unfair: list[dict[str, Any]], n_gaps: int, task: Task) -> str:
    looked = f"of {n_gaps} gaps looked at"
    if not unfair:
        return f"No gap between a group and all others is beyond chance, {looked}."
    worst = unfair[0]
    scale, unit = (100, " points") if task.is_classification else (1, f" of {task.target}")
    own, others, gap, low, high = (scale * worst[k] for k in ("value", "others", "gap", "gap_low", "gap_high"))
    return (
        f"{len(unfair)} {looked} are beyond chance, the clearest: {worst['title']} for {worst['group']!r}: "
        f"{own:.3g} against {others:.3g}, a gap of {gap:+.3g}{unit} ({low:+.3g} to {high:+.3g})."
    )
