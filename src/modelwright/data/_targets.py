"""The target itself: unequal or rare classes, caps, common values, outliers, rows without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.finding import Finding, Severity
from modelwright.data._case import counted, listed

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.data._case import Case

IMBALANCED_SHARE = 0.1
RARE_ROWS = 10
WITHOUT_SHARE = 0.05
CAPPED_SHARE, CAPPED_TIMES = 0.01, 10
COMMON_SHARE = 0.2
FAR_WIDTHS = 20
SEALED_ROWS = 100


def check(case: Case, _: frozenset[str]) -> list[Finding]:
    """Return findings on the target and on how many rows judge it."""
    found = _without(case) + _few_sealed(case)
    if case.task.is_classification:
        return found + _unequal(case) + _rare(case)
    target = np.asarray(case.target, dtype=np.float64)
    return found + _capped(case, target) + _common(case, target) + _far(case, target)


def _without(case: Case) -> list[Finding]:
    n = case.n_without_target
    if not n:
        return []
    share = n / (n + case.n_rows)
    return [
        Finding(
            "F032",
            Severity.WARNING if share >= WITHOUT_SHARE else Severity.INFO,
            f"{counted(n, 'row')} ({share:.1%}) {'has' if n == 1 else 'have'} no target",
            (case.task.target,),
            {"n_without": n, "share": round(share, 6)},
            "left out",
            "fill in the target; if its absence means something, give it a label of its own",
        )
    ]


def _few_sealed(case: Case) -> list[Finding]:
    n = len(case.split.test)
    if n >= SEALED_ROWS:
        return []
    return [
        Finding(
            "F036",
            Severity.INFO,
            f"only {counted(n, 'row')} judge{'s' if n == 1 else ''} the model, so its scores have wide intervals",
            (),
            {"n_sealed": n},
            "none",
            "give more rows, or seal a larger share with --test 0.4",
        )
    ]


def _unequal(case: Case) -> list[Finding]:
    counts = np.bincount(np.asarray(case.target, dtype=np.int64), minlength=len(case.task.labels))
    least, share = int(counts.argmin()), float(counts.min()) / case.n_rows
    if share >= IMBALANCED_SHARE / (len(counts) - 1) or not counts[least]:
        return []
    return [
        Finding(
            "F030",
            Severity.INFO,
            f"{case.task.labels[least]} is the target in {share:.2%} of rows",
            (case.task.target,),
            {"label": case.task.labels[least], "n_rows": int(counts[least]), "share": round(share, 6)},
            f"rows were kept as they are; {case.task.metric} judges",
            "choose another measure with --metric; accuracy says little here",
        )
    ]


def _rare(case: Case) -> list[Finding]:
    target = np.asarray(case.target, dtype=np.int64)
    n_labels = len(case.task.labels)
    train = np.bincount(target[case.split.train], minlength=n_labels)
    test = np.bincount(target[case.split.test], minlength=n_labels)
    rare = [label for label, n in zip(case.task.labels, train, strict=True) if n < RARE_ROWS]
    unseen = [label for label, n in zip(case.task.labels, train, strict=True) if not n]
    unjudged = [label for label, n in zip(case.task.labels, test, strict=True) if not n]
    if not rare and not unjudged:
        return []
    title = f"{counted(len(rare), 'class')} with fewer than {RARE_ROWS} rows to learn from: {listed(rare)}"
    if not rare:
        title = f"no sealed row judges {listed(unjudged)}"
    return [
        Finding(
            "F031",
            Severity.WARNING,
            title.replace("classs", "classes"),
            (case.task.target,),
            {"rare": rare[:20], "never_learnt": unseen[:20], "never_judged": unjudged[:20], "n_rare": len(rare)},
            "kept; a model can hardly learn them",
            "give more rows of them, or merge them into one label in the source",
        )
    ]


def _capped(case: Case, target: Floats) -> list[Finding]:
    values, counts = np.unique(target, return_counts=True)
    if len(values) < 20:
        return []
    found = []
    for end, near, word in ((-1, counts[-6:-1], "largest"), (0, counts[1:6], "smallest")):
        n, value, usual = int(counts[end]), float(values[end]), float(np.median(near))
        # Zero is where amounts and counts begin, no cap.
        if n < max(CAPPED_SHARE * len(target), CAPPED_TIMES * usual, RARE_ROWS) or (end == 0 and value == 0):
            continue
        found.append(
            Finding(
                "F033",
                Severity.WARNING,
                f"{n:,} rows ({n / len(target):.1%}) share the {word} target, {value:g}: it looks capped",
                (case.task.target,),
                {"value": value, "n_rows": n, "share": round(n / len(target), 6), "usual": usual},
                "kept; a model cannot predict beyond the cap, and errors there are understated",
                "leave the capped rows out of the source if predictions beyond the cap matter",
            )
        )
    return found


def _common(case: Case, target: Floats) -> list[Finding]:
    values, counts = np.unique(target, return_counts=True)
    most = int(counts.argmax())
    share = float(counts[most]) / len(target)
    if len(values) < 10 or share < COMMON_SHARE:
        return []
    return [
        Finding(
            "F034",
            Severity.INFO,
            f"{share:.0%} of rows have the target {values[most]:g}",
            (case.task.target,),
            {"value": float(values[most]), "share": round(share, 6), "n_distinct": len(values)},
            "none",
            "consider two models: whether it is this value, and how much if not",
        )
    ]


def _far(case: Case, target: Floats) -> list[Finding]:
    low, middle, high = (float(np.quantile(target, q, method="inverted_cdf")) for q in (0.25, 0.5, 0.75))
    # In parts of 64, so that twenty times the width of huge values stays finite.
    away, width = np.abs(target / 64 - middle / 64), high / 64 - low / 64
    n = int(np.sum(away > FAR_WIDTHS * width)) if high > low else 0
    if not n:
        return []
    return [
        Finding(
            "F035",
            Severity.INFO,
            f"{counted(n, 'row')} {'has' if n == 1 else 'have'} a target over {FAR_WIDTHS} times the middle half's "
            "width from the median",
            (case.task.target,),
            {"n_rows": n, "median": middle, "quartiles": [low, high], "farthest": float(target[away.argmax()])},
            "kept; measures that square errors are ruled by such rows",
            "correct them in the source if they are errors, or choose --metric mae",
        )
    ]
