"""Tasks: what a table is asked, worked out from its target column and checked against the options.

A target is *regression* when it holds numbers that are not labels: numbers with a fraction (three or more
distinct), or more than 20 distinct numbers, or more than 10 of which one has a single row, or so many that they
have less than two rows each. It is *binary* with two labels and *multiclass* with more. Each label needs two
rows, or it cannot be both learnt and judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.contract import Column, Contract, Kind, Role
from modelwright.core.errors import InvalidTarget, InvalidTask, UnknownColumn, closest
from modelwright.core.metrics import DEFAULTS, measure
from modelwright.core.task import LabelType, Task, TaskKind
from modelwright.data._cells import Cells, read_cells
from modelwright.data._labels import Labels, as_number, choose_positive, in_order, key_of, read_labels
from modelwright.data._task_checks import (
    SHARE_OF_NUMBERS,
    check_columns,
    check_counts,
    check_regression,
    check_values,
    given_kind,
    target_column,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.arrays import Bools, Floats, Ints
    from modelwright.core.table import Table

_MANY_LABELS, _MOST_LABELS = 10, 20


def infer_task(  # noqa: PLR0913 - the options of the command, one each
    table: Table,
    contract: Contract,
    *,
    target: str,
    kind: TaskKind | str | None = None,
    metric: str | None = None,
    positive: str | None = None,
    time: str | None = None,
    group: str | None = None,
    weight: str | None = None,
) -> Task:
    """Return what is asked of a table; what is not given is worked out, with the reason.

    Args:
        table: The rows.
        contract: What its columns mean.
        target: The column to predict.
        kind: ``binary``, ``multiclass`` or ``regression``.
        metric: A measure that exists for the task.
        positive: The label that counts as positive, of a binary task.
        time: The column that orders the rows, a date-time or a number.
        group: The column whose values must stay on one side of a split.
        weight: The column of row weights, numbers of 0 or more.

    Raises:
        InvalidTarget: The target is not in the table, or cannot be learnt: no value, one value, labels of one row.
        InvalidTask: The options contradict the target or each other.
        UnknownColumn: The time, group or weight column is not in the table.
    """
    column = target_column(table, contract, target)
    check_columns(contract, target, time=time, group=group, weight=weight)
    cells = read_cells(table.frame.get_column(target), as_number(column))
    chosen, reason = given_kind(kind) or _regression(column, cells) or (None, "")
    labels = None
    if chosen is not TaskKind.REGRESSION:
        labels = read_labels(table.frame.get_column(target), column)
        check_values([count for _, count in labels.spellings.values()], target)
        if chosen is None:
            chosen, reason = _classification(column, labels)
    if metric is not None:
        measure(metric, chosen)
    asked = {"metric": metric or DEFAULTS[chosen], "time": time, "group": group, "weight": weight}
    if labels is None:
        check_regression(cells, target, positive)
        return Task(chosen, target, reason=reason, **asked)  # type: ignore[arg-type]
    ordered, why = _class_labels(labels, target, chosen, positive)
    return Task(chosen, target, labels=ordered, label_type=labels.label_type, reason=reason + why, **asked)  # type: ignore[arg-type]


def apply_roles(contract: Contract, task: Task, ignore: Sequence[str] = ()) -> Contract:
    """Return the contract with the task's target, time, group and weight marked, and ignored columns as such.

    A column whose role needs numbers (weight, a running number as time, a regression target) is read as numbers.

    Raises:
        UnknownColumn: A column is not in the contract.
        InvalidTask: A column the task needs is to be ignored.
    """
    needed = [task.target, task.time, task.group, task.weight]
    for name in ignore:
        if name in needed:
            raise InvalidTask(
                "a column that the task needs is not ignored",
                where="--ignore",
                got=name,
                fix="drop it from --ignore, or give the task another column",
            )
    given = {"ignored": tuple(ignore), "group": task.group, "weight": task.weight, "time": task.time}
    roles = {k: (v,) if isinstance(v, str) else v for k, v in given.items() if v}
    marked = contract.with_roles(**roles, target=(task.target,))
    numeric = {Role.WEIGHT, Role.TIME} | ({Role.TARGET} if not task.is_classification else set())
    return Contract(tuple(as_number(c) if c.role in numeric else c for c in marked.columns))


def encode(table: Table, task: Task, contract: Contract) -> tuple[Floats | Ints, Bools]:
    """Return the encoded target, and which rows have a target that is known.

    Args:
        table: Rows with the target column, not necessarily those the task was inferred from.
        task: What is asked.
        contract: What the target's values mean.

    Returns:
        Shape (n_rows,): float64 values, NaN where unknown, or int64 positions in ``task.labels``, -1 where
        unknown; and (n_rows,) truths. A missing target, and a label the task does not have, are unknown.

    Raises:
        UnknownColumn: The table lacks the target.
    """
    if task.target not in table.columns:
        raise UnknownColumn(
            "rows to learn from or to judge by hold the target",
            where=table.source,
            got=f"no column {task.target!r}",
            fix=closest(task.target, table.columns),
        )
    column = contract.column(task.target)
    if not task.is_classification:
        cells = read_cells(table.frame.get_column(task.target), as_number(column))
        values: Floats = cells.series.to_numpy(writable=True)
        return values, ~np.isnan(values)
    keys = read_labels(table.frame.get_column(task.target), column).keys
    places = {key_of(label): position for position, label in enumerate(task.labels)}
    if task.label_type is LabelType.BOOLEAN:
        places = {key.lower(): position for key, position in places.items()}
        keys = keys.str.to_lowercase()
    positions = np.fromiter((places.get(k, -1) for k in keys.to_list()), dtype=np.int64, count=keys.len())
    return positions, positions >= 0


def _regression(column: Column, cells: Cells) -> tuple[TaskKind, str] | None:
    """Return regression and why, or None where the target does not hold numbers, or numbers that are labels."""
    present = cells.series.drop_nulls()
    # A column that was taken for codes holds labels, even if they are spelt in digits.
    is_numeric = column.kind in (Kind.NUMBER, Kind.IDENTIFIER)
    if not is_numeric or present.len() < SHARE_OF_NUMBERS * (present.len() + cells.n_unreadable):
        return None
    n_distinct = present.n_unique()
    if n_distinct <= 2:
        return None
    has_fraction = bool((present != present.floor()).any())
    has_single = n_distinct > _MANY_LABELS and bool(present.is_unique().any())
    if has_fraction or has_single or n_distinct > _MOST_LABELS or 2 * n_distinct > present.len():
        return TaskKind.REGRESSION, f"regression: {n_distinct:,} distinct numbers"
    return None


def _classification(column: Column, labels: Labels) -> tuple[TaskKind, str]:
    n_labels = len(labels.spellings)
    if column.kind is Kind.DATETIME:
        raise InvalidTarget(
            "a target is numbers or labels",
            where=column.name,
            got="date-times",
            fix="give the time until then as a number, such as days, or another kind in --contract",
        )
    if n_labels == 2:
        return TaskKind.BINARY, "binary: two labels"
    if all(count == 1 for _, count in labels.spellings.values()):
        raise InvalidTarget(
            "labels come back in several rows",
            where=column.name,
            got=f"{n_labels:,} rows and as many different texts",
            fix="choose another --target: this one names the rows",
        )
    return TaskKind.MULTICLASS, f"multiclass: {n_labels:,} labels"


def _class_labels(labels: Labels, target: str, kind: TaskKind, positive: str | None) -> tuple[tuple[str, ...], str]:
    """Return the labels in their order, and what to add to the reason."""
    counts = dict(labels.spellings.values())
    check_counts(counts, target, kind)
    ordered = in_order(list(counts), labels.label_type)
    if kind is TaskKind.MULTICLASS:
        if positive is not None:
            raise InvalidTask(
                "a positive label belongs to a binary task",
                where="--positive",
                got=f"{positive!r} for {len(ordered)} labels",
                fix="leave --positive out",
            )
        return ordered, ""
    if positive is None:
        chosen, why = choose_positive(counts)
    else:
        found = {key_of(label): label for label in counts}.get(key_of(positive), positive)
        if found not in counts:
            raise InvalidTask(
                "the positive label is a label of the target",
                where="--positive",
                got=positive,
                fix=closest(positive, ordered),
            )
        chosen, why = found, "as asked"
    (negative,) = set(ordered) - {chosen}
    return (negative, chosen), f"; {chosen!r} is positive ({why})"
