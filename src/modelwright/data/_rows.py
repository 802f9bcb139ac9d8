"""Rows that stand in the table more than once: within it, across the split, and with other labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from modelwright.core.finding import Finding, Severity
from modelwright.data._case import counted

if TYPE_CHECKING:
    from modelwright.core.arrays import Array
    from modelwright.data._case import Case

NOTABLE_SHARE = 0.01
SEVERE_SHARE = 0.25
"""Coarse tables repeat up to a tenth of their rows in all honesty; a quarter of detailed rows is a copied file."""

CHANCE_SHARE = 0.01
"""Share of sealed rows that may have a twin by chance before twins mean anything."""


def check(case: Case, _: frozenset[str]) -> list[Finding]:
    """Return findings on repeated rows; counts are of all rows, never of a sample."""
    found = _within(case)
    if case.feature_names:
        # 64 bits a row: at ten million rows the chance of any false twin is one in 400,000.
        same = case.frame.select(case.feature_names).hash_rows(seed=1).to_numpy()
        found += _across(case, same)
        if case.task.is_classification:
            found += _conflicts(case, same)
    return found


def _within(case: Case) -> list[Finding]:
    frame = case.table.frame
    n_repeated = frame.height - frame.hash_rows(seed=1).n_unique()
    if not n_repeated:
        return []
    share = n_repeated / frame.height
    return [
        Finding(
            "F001",
            Severity.WARNING if share >= NOTABLE_SHARE else Severity.INFO,
            f"{counted(n_repeated, 'row')} ({share:.1%}) repeat{'s' if n_repeated == 1 else ''} an earlier row "
            "in every column",
            (),
            {"n_repeated": n_repeated, "n_rows": frame.height, "share": round(share, 6)},
            "kept; each counts as a row of its own",
            "remove them from the source if a row is one event, and cannot happen twice",
        )
    ]


def _across(case: Case, same: Array) -> list[Finding]:
    target = np.asarray(case.target, dtype=np.float64)
    whole = pl.DataFrame({"same": same, "target": target}).hash_rows(seed=2).to_numpy()
    shared = np.isin(whole[case.split.test], whole[case.split.train])
    n_shared, share = int(shared.sum()), float(shared.mean())
    if not n_shared:
        return []
    by_chance = _chance_of_twin(case)
    severity = Severity.WARNING if share >= NOTABLE_SHARE else Severity.INFO
    if share >= SEVERE_SHARE and by_chance < CHANCE_SHARE:
        severity = Severity.SEVERE
    return [
        Finding(
            "F002",
            severity,
            f"{counted(n_shared, 'sealed row')} ({share:.1%}) stand{'s' if n_shared == 1 else ''} among the rows to "
            "learn from too, with the same target",
            (),
            {
                "n_shared": n_shared,
                "n_sealed": len(shared),
                "share": round(share, 6),
                "share_by_chance": round(by_chance, 6),
            },
            "kept on both sides; a model that remembers rows looks better on them than it is",
            "remove repeats from the source, or keep them on one side with --group COLUMN",
        )
    ]


def _chance_of_twin(case: Case) -> float:
    """Return the share of sealed rows with a twin if columns were independent: few coarse columns repeat by nature."""
    share = float(len(case.split.train))
    for column in case.frame.select(case.feature_names):
        counts = column.rename("value").value_counts()["count"].to_numpy().astype(np.float64)
        share *= float(np.sum((counts / case.n_rows) ** 2))
        if share < 1e-9:
            break
    return min(share, 1.0)


def _conflicts(case: Case, same: Array) -> list[Finding]:
    rows = pl.DataFrame({"same": same, "target": np.asarray(case.target, dtype=np.int64)})
    groups = rows.group_by("same", "target").len().group_by("same").agg(pl.col("len").sum(), most=pl.col("len").max())
    split = groups.filter(pl.col("most") < pl.col("len"))
    n_conflicting, n_lost = int(split["len"].sum()), int((split["len"] - split["most"]).sum())
    if not n_conflicting:
        return []
    share, best = n_conflicting / case.n_rows, 1 - n_lost / case.n_rows
    return [
        Finding(
            "F003",
            Severity.WARNING if share >= NOTABLE_SHARE else Severity.INFO,
            f"{counted(n_conflicting, 'row')} ({share:.1%}) have the same features as another row and another label, "
            f"so no model of these columns can be right in more than {best:.2%} of rows",
            (),
            {"n_conflicting": n_conflicting, "share": round(share, 6), "accuracy_most": round(best, 6)},
            "kept; models learn the shares of the labels",
            "add the column that tells such rows apart, or correct the labels in the source",
        )
    ]
