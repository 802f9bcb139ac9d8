"""What a task refuses: targets that cannot be learnt, columns that cannot play their role, options that clash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.core.contract import Column, Contract, Kind
from modelwright.core.errors import InvalidTarget, InvalidTask, UnknownColumn, closest
from modelwright.core.task import TaskKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.table import Table
    from modelwright.data._cells import Cells

SHARE_OF_NUMBERS = 0.95
"""A target is numbers when at least so many of its present values read as such."""


def target_column(table: Table, contract: Contract, target: str) -> Column:
    """Return the target's column, or raise InvalidTarget."""
    if target not in table.columns or target not in contract:
        raise InvalidTarget(
            "the target is a column of the table",
            where=table.source,
            got=f"no column {target!r}",
            fix=closest(target, table.columns),
        )
    return contract.column(target)


def check_columns(contract: Contract, target: str, **roles: str | None) -> None:
    """Refuse columns that cannot play the role they are given."""
    taken = {target: "target"}
    for role, name in roles.items():
        if name is None:
            continue
        if name not in contract:
            names = [c.name for c in contract.columns]
            raise UnknownColumn(
                "a column that is named must exist", where=f"--{role}", got=name, fix=closest(name, names)
            )
        if name in taken:
            raise InvalidTask(
                "a column has one role",
                where=f"--{role}",
                got=f"{name!r} is the {taken[name]} already",
                fix=f"choose another {role} column",
            )
        taken[name] = role
    if roles.get("time"):
        _check_time(contract.column(str(roles["time"])))
    if roles.get("weight"):
        _check_weight(contract.column(str(roles["weight"])))


def _check_time(column: Column) -> None:
    # A running number is an identifier by kind, but has a range as numbers do.
    if column.kind not in (Kind.DATETIME, Kind.NUMBER) and column.low is None:
        raise InvalidTask(
            "the time column orders rows: it holds date-times or numbers",
            where=f"--time {column.name}",
            got=f"a column of kind {column.kind}",
            fix="choose another column, or give its datetime_format in a contract with --contract",
        )


def _check_weight(column: Column) -> None:
    is_numeric = column.low is not None and column.kind is not Kind.DATETIME
    if not is_numeric or (column.low or 0.0) < 0 or not (column.high or 0.0) > 0:
        got = f"numbers from {column.low:g} to {column.high:g}" if is_numeric else f"a column of kind {column.kind}"
        raise InvalidTask(
            "row weights are numbers of 0 or more, not all 0",
            where=f"--weight {column.name}",
            got=got,
            fix="choose another column, or leave --weight out",
        )
    if column.n_missing:
        raise InvalidTask(
            "each row has a weight",
            where=f"--weight {column.name}",
            got=f"{column.n_missing:,} rows without a readable one",
            fix="fill them, 1 for an ordinary row, or remove these rows",
        )


def check_values(counts: Sequence[int], target: str) -> None:
    """Refuse a target without values to tell apart; ``counts`` are the rows of each distinct value."""
    if not counts:
        raise InvalidTarget(
            "a target has values to learn from",
            where=target,
            got="no value in any row",
            fix="choose another --target, or correct the null tokens of the contract",
        )
    if len(counts) == 1:
        raise InvalidTarget(
            "a target has at least two distinct values",
            where=target,
            got=f"one value in all {counts[0]:,} rows that have any",
            fix="choose another --target, or add rows with other outcomes",
        )


def given_kind(kind: TaskKind | str | None) -> tuple[TaskKind, str] | None:
    """Return the kind that was asked for and its reason, or None."""
    if kind is None:
        return None
    kinds = [k.value for k in TaskKind]
    if kind not in kinds:
        raise InvalidTask(
            "a task is binary, multiclass or regression", where="--task", got=str(kind), fix=closest(str(kind), kinds)
        )
    return TaskKind(kind), f"{kind}, as asked"


def check_regression(cells: Cells, target: str, positive: str | None) -> None:
    """Refuse a regression of labels, and options that belong to other tasks."""
    numbers = cells.series.drop_nulls()
    n_rows = numbers.len() + cells.n_unreadable
    if numbers.len() < SHARE_OF_NUMBERS * n_rows:
        raise InvalidTask(
            "a regression target holds numbers",
            where=target,
            got=f"{cells.n_unreadable:,} of {n_rows:,} values are no numbers",
            fix="choose --task multiclass, or give decimal and thousands marks in --contract",
        )
    if numbers.n_unique() < 2:
        check_values([numbers.len()] if numbers.len() else [], target)
    if positive is not None:
        raise InvalidTask(
            "a positive label belongs to a binary task",
            where="--positive",
            got=f"{positive!r} for regression",
            fix="leave --positive out, or choose --task binary",
        )


def check_counts(counts: dict[str, int], target: str, kind: TaskKind) -> None:
    """Refuse labels that do not fit the task, or that are too rare to be learnt and judged."""
    n_labels = len(counts)
    if (kind is TaskKind.BINARY) != (n_labels == 2):
        raise InvalidTask(
            "binary has two labels, multiclass more",
            where=f"--task {kind}",
            got=f"{n_labels:,} labels in {target!r}",
            fix="choose --task binary" if n_labels == 2 else "choose --task multiclass, or leave --task out",
        )
    single = [label for label, count in counts.items() if count < 2]
    if single:
        shown = ", ".join(map(repr, single[:5])) + (f" and {len(single) - 5:,} more" if len(single) > 5 else "")
        raise InvalidTarget(
            "each label has at least two rows, one to learn from and one to judge by",
            where=target,
            got=f"a single row for {shown}",
            fix="merge these labels with others, add rows, or drop these rows",
        )
