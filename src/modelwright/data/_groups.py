"""Groups on both sides of the split: rows of one customer, patient or crash that know each other."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.contract import Kind, Role
from modelwright.core.finding import Finding, Severity
from modelwright.data._association import Judge, sample_rows, signals

if TYPE_CHECKING:
    import polars as pl

    from modelwright.core.contract import Column
    from modelwright.data._case import Case

GROUPS_LEAST = 20
ROWS_A_GROUP_LEAST = 1.2
"""Fewer rows a value: it names rows, not groups. A few ids that occur twice are F001's or the source's matter."""

NAMED_SHARE, CODED_SHARE = 0.01, 0.05
"""Distinct values per row from which a column named like an id, or written like a code, can hold groups."""

SPAN_SHARE = 0.05
ALIKE_CHANCE = 1e-3
OWNERS = (
    "account|animal|case|claim|client|crash|customer|device|driver|employee|event|family|household|item|loan|machine|"
    "member|order|owner|participant|patient|person|player|policy|product|session|sensor|store|student|subject|user"
)
NAME = re.compile(rf"(^|[\W_])(uu|gu)?id$|^({OWNERS})[\W_]?(id|no|nr|num|number|key|code)$", re.IGNORECASE)
CAMEL = re.compile(r"[a-z](ID|Id)$")
CODE = re.compile(r"^(?=\S*\d)[A-Za-z0-9:_./#-]+$")


def check(case: Case, _: frozenset[str]) -> list[Finding]:
    """Return a finding for each id-like column whose values stand on both sides."""
    found = []
    for column in case.columns:
        if column.role in (Role.TARGET, Role.WEIGHT):
            continue
        word = _id_like(column, case.frame[column.name])
        if word:
            found += _spanning(case, column.name, word)
    return found


def _id_like(column: Column, values: pl.Series) -> str:
    """Return why a column may hold groups, empty when it does not look so."""
    is_count = column.kind is Kind.NUMBER and column.is_integer
    if column.kind not in (Kind.IDENTIFIER, Kind.CATEGORY, Kind.TEXT) and not is_count:
        return ""
    # The contract counts when it can, so that wide tables need no second count.
    n_distinct, n = column.n_distinct or values.n_unique(), len(values)
    if n_distinct < GROUPS_LEAST or n < ROWS_A_GROUP_LEAST * n_distinct:
        return ""
    if _is_named(column.name) and n_distinct >= NAMED_SHARE * n:
        return "its name"
    if column.kind is Kind.IDENTIFIER:
        return "its values"
    if column.kind is Kind.NUMBER or n_distinct < CODED_SHARE * n:
        return ""
    seen = values.drop_nulls().head(200).to_list()
    return "its values" if sum(bool(CODE.match(str(v))) for v in seen) >= 0.95 * max(len(seen), 1) else ""


def _is_named(name: str) -> bool:
    return bool(NAME.search(name) or CAMEL.search(name))


def _spanning(case: Case, name: str, word: str) -> list[Finding]:
    train, test = case.frame[name][case.split.train], case.frame[name][case.split.test]
    known = test.drop_nulls()
    share = float(known.is_in(train.drop_nulls().unique().implode()).sum()) / max(len(test), 1)
    if share < SPAN_SHARE:
        return []
    n_groups = case.frame[name].n_unique()
    is_grave = word == "its name" or case.contract.column(name).kind is Kind.IDENTIFIER
    if not is_grave and not _is_alike(case, name):
        return []
    return [
        Finding(
            "F020",
            Severity.WARNING if is_grave else Severity.INFO,
            f"{name} looks like a group by {word}, and {share:.0%} of the sealed rows belong to groups that are also "
            "learnt from",
            (name,),
            {
                "n_groups": n_groups,
                "rows_a_group": round(case.n_rows / np.maximum(n_groups, 1), 3),
                "share_of_sealed": round(share, 6),
            },
            f"rows were split {case.split.how.value}; scores hold for groups seen before, not for new ones",
            f"keep groups whole with --group {name}",
        )
    ]


def _is_alike(case: Case, name: str) -> bool:
    """Return whether rows with the same value have like targets; where not, nothing is learnt from their meeting."""
    rows = sample_rows(case.split.train, seed=case.seed)
    judge = Judge(case.task, case.target[rows], seed=case.seed)
    told = next(signals(case.frame.select(name)[rows], [name]))
    return judge.judge(told).log_chance < math.log(ALIKE_CHANCE / len(case.columns))
