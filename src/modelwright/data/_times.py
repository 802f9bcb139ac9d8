"""Time in a table: whether its rows stand in order, what was done about it, and whether the target drifts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.finding import Finding, Severity
from modelwright.core.split import How
from modelwright.data._case import listed
from modelwright.data._ordering import DISTINCT_TIMES, find_order, running_numbers

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats, Ints
    from modelwright.data._case import Case
    from modelwright.data._ordering import Clock, Order

DRIFT = 0.2
"""Difference of means in standard deviations that Cohen (1988) calls small; below it a split by time changes little."""

DRIFT_Z = 4.0


def check(case: Case, _: frozenset[str]) -> list[Finding]:
    """Return findings on time, whichever way the rows were split."""
    order = find_order(case.clocks)
    found = []
    if case.split.how is How.TIME:
        found += _split_in_time(case, order)
        found += _drifting(case, case.split.train, case.split.test, "", listed([c.named for c in case.clocks][:1]))
    elif order is not None:
        found.append(_ordered_but_mixed(case, order))
    else:
        found += _mixed(case)
    if order is None and case.task.time is None:
        found += _running(case)
    return found


def _split_in_time(case: Case, order: Order | None) -> list[Finding]:
    if case.task.time is not None or order is None:
        return []
    return [
        Finding(
            "F021",
            Severity.WARNING,
            f"the rows stand in the order of time, by {order.clock.named}",
            order.clock.columns,
            {"share_sorted": round(order.share, 6), "n_moments": order.n_distinct, "newest_first": not order.is_rising},
            "the newest rows were sealed, and folds learn from the past only",
            "shuffle the rows before training if the order means nothing, or give rows of the same days by --test FILE",
        )
    ]


def _ordered_but_mixed(case: Case, order: Order) -> Finding:
    return Finding(
        "F021",
        Severity.WARNING,
        f"the rows stand in the order of time, by {order.clock.named}, and were split {case.split.how.value}",
        order.clock.columns,
        {"share_sorted": round(order.share, 6), "n_moments": order.n_distinct, "newest_first": not order.is_rising},
        f"split {case.split.how.value}, as asked: rows learnt from lie beside sealed ones in time, which flatters",
        f"seal the newest rows: {_by_time(order.clock)}",
    )


def _mixed(case: Case) -> list[Finding]:
    """Return a finding for each clock that tells many moments and that the rows do not follow."""
    found = []
    for clock in case.clocks:
        known = ~np.isnan(clock.key)
        if known.mean() < 0.5 or len(np.unique(clock.key[known])) < DISTINCT_TIMES:
            continue
        older, newer = _halves(clock)
        drift = _drifting(case, older, newer, _by_time(clock), clock.named)
        action = f"split {case.split.how.value}; right for judging rows of the same days, too kind for days to come"
        found.append(
            Finding(
                "F022",
                Severity.WARNING if drift else Severity.INFO,
                f"{clock.named} tells the time, and the rows do not stand in its order",
                clock.columns,
                {"n_moments": len(np.unique(clock.key[known]))},
                action,
                f"if the model is to predict what comes next: {_by_time(clock)}",
            )
        )
        found += drift
    return found


def _by_time(clock: Clock) -> str:
    """Return how to ask for a split by this clock."""
    if len(clock.columns) == 1:
        return f"--time {clock.named}"
    return f"join {clock.named} into one date column, and name it with --time"


def _halves(clock: Clock) -> tuple[Ints, Ints]:
    """Return the older four fifths of the rows and the newest fifth."""
    known = np.flatnonzero(~np.isnan(clock.key))
    known = known[np.argsort(clock.key[known], kind="stable")]
    cut = len(known) * 4 // 5
    return known[:cut], known[cut:]


def _drifting(case: Case, older: Ints, newer: Ints, way: str, name: str) -> list[Finding]:
    """Return a finding when the newest rows have another target than the older ones."""
    best, what = 0.0, {}
    for label, values in _indicators(case):
        old, new = values[older], values[newer]
        spread = float(old.std())
        if len(old) < 20 or len(new) < 20 or not spread:
            continue
        difference = float(new.mean() - old.mean()) / spread
        z = abs(difference) / np.sqrt(1 / len(old) + 1 / len(new))
        if abs(difference) >= max(DRIFT, abs(best)) and z >= DRIFT_Z:
            best, what = difference, {"label": label, "older": float(old.mean()), "newer": float(new.mean())}
    if not what:
        return []
    subject = f"the share of {what['label']}" if what["label"] else "the mean target"
    return [
        Finding(
            "F024",
            Severity.INFO,
            f"{subject} moves with time, from {what['older']:.3g} to {what['newer']:.3g} in the newest rows",
            (),
            {**what, "standard_deviations": round(best, 4), "clock": name},
            "none; scores on the newest rows are the honest ones",
            way or "retrain often, and watch the target once the model is in use",
        )
    ]


def _indicators(case: Case) -> list[tuple[str, Floats]]:
    if not case.task.is_classification:
        # Huge values are halved twice so that their sum of squares has a chance; ranks would hide the drift.
        return [("", _scaled(np.asarray(case.target, dtype=np.float64)))]
    common = np.argsort(-np.bincount(np.asarray(case.target, dtype=np.int64)), kind="stable")[:20]
    return [(case.task.labels[int(c)], (case.target == c).astype(np.float64)) for c in common]


def _scaled(values: Floats) -> Floats:
    most = float(np.abs(values).max(initial=0.0))
    return values / most * 1e100 if most > 1e100 else values


def _running(case: Case) -> list[Finding]:
    names = running_numbers(case.frame, case.contract)
    if not names:
        return []
    return [
        Finding(
            "F023",
            Severity.INFO,
            f"{listed(names)} count{'s' if len(names) == 1 else ''} up or down the rows",
            names,
            {},
            "none: a running number alone does not prove that rows stand in the order of time",
            f"if they do, seal the newest with --time {names[0]}",
        )
    ]
