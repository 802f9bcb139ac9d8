"""Findings: what is wrong or remarkable about a table, said before any score is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.core.finding import Severity
from modelwright.data import _column_checks, _groups, _leaks, _repeats, _rows, _targets, _times
from modelwright.data._case import Case

if TYPE_CHECKING:
    import polars as pl

    from modelwright.core.arrays import Floats, Ints
    from modelwright.core.contract import Contract
    from modelwright.core.finding import Finding
    from modelwright.core.split import Split
    from modelwright.core.table import Table
    from modelwright.core.task import Task

CODES = {
    "F001": "repeated rows",
    "F002": "rows on both sides of the split",
    "F003": "conflicting labels",
    "F010": "a column that predicts nearly perfectly",
    "F011": "a value that gives the target away",
    "F012": "missingness that gives the target away",
    "F013": "a column that repeats the target",
    "F014": "two columns that make up the target",
    "F015": "columns that repeat each other",
    "F020": "groups on both sides of the split",
    "F021": "rows in time order",
    "F022": "time present, rows not in its order",
    "F023": "a running number",
    "F024": "the target drifts in time",
    "F030": "unequal classes",
    "F031": "rare classes",
    "F032": "rows without a target",
    "F033": "a capped target",
    "F034": "a target with one common value",
    "F035": "a target with far outliers",
    "F036": "few sealed rows",
    "F040": "constant columns",
    "F041": "identifiers",
    "F042": "columns that are mostly missing",
    "F043": "unreadable values",
    "F044": "uncertain column kinds",
    "F045": "columns with very many levels",
    "F046": "few rows for the columns",
    "F047": "infinite values",
    "F048": "huge values",
}
"""Every code and its heading in ``docs/findings.md``: 0 rows and leaks, 2 groups and time, 3 target, 4 columns."""

LEAKS = frozenset({"F010", "F011", "F012", "F013", "F014"})
"""Codes of suspected leaks: columns that may not be known when a prediction is wanted."""

_CHECKS = (_repeats.check, _leaks.check, _rows.check, _groups.check, _times.check, _targets.check, _column_checks.check)
_WEIGHT = {Severity.SEVERE: 0, Severity.WARNING: 1, Severity.INFO: 2}


def inspect(
    table: Table,
    frame: pl.DataFrame,
    contract: Contract,
    task: Task,
    target: Floats | Ints,
    split: Split,
    *,
    n_without_target: int = 0,
    seed: int = 0,
) -> tuple[Finding, ...]:
    """Return what is wrong or remarkable about the rows, gravest first; nothing is changed.

    What columns tell of the target is measured on the rows to learn from only; sealed rows are looked at for
    repeats and groups, never for how well anything predicts them.

    Args:
        table: The rows as read, those without a target left out.
        frame: The same rows, conformed.
        contract: What the columns mean.
        task: What is asked.
        target: Encoded target, shape (n_rows,).
        split: Rows to learn from and sealed rows.
        n_without_target: Rows that were left out because their target is unknown.
        seed: Draws the sample of 20,000 rows that columns are held against the target on.
    """
    case = Case(table, frame, contract, task, target, split, n_without_target, seed)
    found: list[Finding] = []
    for check in _CHECKS:
        # A column that was named for a graver reason is not named again for a lesser one of the same sort.
        found += check(case, frozenset(c for f in found if f.code in LEAKS for c in f.columns))
    return tuple(sorted(found, key=lambda f: (_WEIGHT[f.severity], f.code)))
