"""Splits: which rows are sealed before anything is learnt, and how the others are folded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.errors import InvalidSetting, InvalidTarget, InvalidTask
from modelwright.core.split import How, Split
from modelwright.data._chance import stream
from modelwright.data._drawing import by_class, by_group, by_time, clock_of_groups, group_codes, strata_of
from modelwright.data._folding import fold
from modelwright.data._ordering import Clock, Order, clock_of, clocks, find_order, order_of

if TYPE_CHECKING:
    import polars as pl

    from modelwright.core.arrays import Floats, Ints
    from modelwright.core.contract import Contract
    from modelwright.core.task import Task

__all__ = ["fold", "split", "split_given"]

SEALED_SHARE = 0.2
SEALED_ROWS_MOST = 20_000
"""At 20,000 sealed rows the interval of an accuracy is ±0.7 % at its widest; more rows teach more than they judge."""

TINY_ROWS = 100
TINY_SEALED_ROWS = 10


@dataclass(frozen=True, slots=True)
class _Choice:
    how: How
    reason: str
    clock: Clock | None = None


def split(
    frame: pl.DataFrame,
    task: Task,
    target: Floats | Ints,
    *,
    fraction: float | None,
    seed: int,
    contract: Contract,
    how: How | None = None,
) -> Split:
    """Return which rows to learn from and which to seal, with the reason in plain words.

    Groups named by the task are kept whole; a time column named by the task, or found to be in order down the
    rows, seals the newest rows (with a group as well: the groups that begin last); else classes keep their shares,
    as do the target's ranges in small regression tables.

    Args:
        frame: Conformed rows, all with a known target.
        task: What is asked.
        target: Encoded target, shape (n_rows,).
        fraction: Share of rows to seal, above 0 and below 1; None for 20 %, at most 20,000 rows.
        seed: Draws the rows.
        contract: What the columns mean.
        how: A way to insist on, in place of the one that would be chosen.

    Returns:
        Row numbers of both sides.

    Raises:
        InvalidSetting: The fraction is not between 0 and 1.
        InvalidTask: There are fewer than two rows, groups or moments.
        InvalidTarget: No class has two rows, or the rows to learn from would hold one class only.
    """
    n_sealed = _sealed_rows(frame.height, fraction)
    choice = _chosen(frame, task, contract, how)
    parts = _drawn(choice, frame, task, target, n_sealed, seed)
    was_found = choice.how is How.TIME and how is None and task.time is None
    if was_found and task.is_classification and len(np.unique(target[parts.train])) < 2:
        # An order nobody asked for must not make the task unlearnable.
        parts = _drawn(_mixed(task, frame.height), frame, task, target, n_sealed, seed)
    _check_classes(task, target, parts)
    return parts


def split_given(frame: pl.DataFrame, task: Task, contract: Contract, n_learnt: int) -> Split:
    """Return the split whose sealed rows were given and stand last in the frame.

    Where the rows to learn from stand oldest first and every given row comes after them, it is one in time, as it
    would be had the rows been one table: folds then learn from the past. A time or a group that is named decides
    about the folds by itself.

    Args:
        frame: Conformed rows: those to learn from, then those given.
        task: What is asked.
        contract: What the columns mean.
        n_learnt: How many rows come before the given ones.
    """
    rows, reason = np.arange(frame.height), "the sealed rows were given by --test"
    train, test = rows[:n_learnt], rows[n_learnt:]
    if task.time is None and task.group is None:
        for clock in clocks(frame, contract):
            before, after = clock.key[train], clock.key[test]
            order = order_of(Clock(clock.columns, before))
            if order and order.is_rising and len(after) and np.nanmax(before) <= after.min():
                came_next = f"{reason} and come after those to learn from ({clock.named})"
                return Split(train, test[np.argsort(after, kind="stable")], How.TIME, came_next)
    return Split(train, test, How.GIVEN, reason)


def _sealed_rows(n_rows: int, fraction: float | None) -> int:
    if n_rows < 2:
        raise InvalidTask(
            "a table has at least two rows with a known target: one to learn from, one to judge by",
            where="rows",
            got=f"{n_rows} row{'s' if n_rows != 1 else ''}",
            fix="give more rows",
        )
    if fraction is not None and not 0 < fraction < 1:
        raise InvalidSetting(
            "the share of rows to seal is above 0 and below 1", where="--test", got=fraction, fix="try 0.2"
        )
    if fraction is not None:
        return min(max(round(fraction * n_rows), 1), n_rows - 1)
    if n_rows < TINY_ROWS:
        return min(max(TINY_SEALED_ROWS, round(SEALED_SHARE * n_rows)), n_rows // 2)
    return min(round(SEALED_SHARE * n_rows), SEALED_ROWS_MOST)


def _chosen(frame: pl.DataFrame, task: Task, contract: Contract, how: How | None) -> _Choice:
    order = find_order(clocks(frame, contract)) if task.time is None else None
    if how is None:
        how = How.TIME if task.time else How.GROUPED if task.group else How.TIME if order else None
    if how is How.TIME:
        return _in_time(frame, task, contract, order)
    if how is How.GROUPED:
        if task.group is None:
            raise InvalidTask("rows are kept together by a group column", where="--group", fix="name it with --group")
        contract.column(task.group)
        return _Choice(How.GROUPED, f"Rows with the same {task.group} must not stand on both sides")
    if how is How.RANDOM:
        return _Choice(How.RANDOM, "Rows are drawn at random")
    return _mixed(task, frame.height)


def _mixed(task: Task, n_rows: int) -> _Choice:
    if task.is_classification:
        return _Choice(How.STRATIFIED, "Nothing orders or groups the rows, so each class keeps its share on both sides")
    if strata_of(task, np.arange(n_rows)).any():
        return _Choice(How.STRATIFIED, "The table is small, so low and high targets keep their shares on both sides")
    return _Choice(How.RANDOM, "Nothing orders or groups the rows, so they are drawn at random")


def _in_time(frame: pl.DataFrame, task: Task, contract: Contract, order: Order | None) -> _Choice:
    if task.time is not None:
        contract.column(task.time)
        clock = clock_of(frame, (task.time,))
        reason = f"The column {task.time} was named as time"
    elif order is not None:
        clock = order.clock
        way = "oldest" if order.is_rising else "newest"
        reason = f"The rows stand in the order of time, {way} first ({clock.named}: {order.share:.1%} of steps agree)"
    else:
        raise InvalidTask("rows are split in time by a time column", where="--time", fix="name it with --time")
    if task.group is None:
        return _Choice(How.TIME, f"{reason}, so the newest rows are sealed: a model is used on rows yet to come", clock)
    return _Choice(
        How.TIME,
        f"{reason}, and {task.group} as group, so the groups that begin last are sealed whole",
        clock_of_groups(frame, clock, task.group),
    )


def _drawn(choice: _Choice, frame: pl.DataFrame, task: Task, target: Floats | Ints, n_sealed: int, seed: int) -> Split:
    n_rows, rng = frame.height, stream(seed, "split")
    if choice.how is How.TIME and choice.clock is not None:
        test = by_time(choice.clock.key, n_sealed, where=choice.clock.named)
    elif choice.how is How.GROUPED:
        groups = group_codes(frame, str(task.group))
        test = by_group(groups, strata_of(task, target), n_sealed, rng, where=str(task.group))
    elif choice.how is How.RANDOM:
        test = by_class(np.zeros(n_rows, dtype=np.int64), n_sealed, rng)
    else:
        test = by_class(strata_of(task, target), n_sealed, rng)
    if not len(test):
        raise InvalidTarget(
            "some class has two rows: one to learn from, one to judge by",
            where=task.target,
            got=f"{len(np.unique(target))} classes in {n_rows} rows",
            fix="give more rows, or predict the column as a number with --task regression",
        )
    train = np.setdiff1d(np.arange(n_rows), test)
    share = f"{len(test):,} of {n_rows:,} rows ({len(test) / n_rows:.1%}) are sealed"
    return Split(train, test, choice.how, f"{choice.reason}; {share}.")


def _check_classes(task: Task, target: Floats | Ints, parts: Split) -> None:
    if task.is_classification and len(np.unique(target[parts.train])) < 2:
        raise InvalidTarget(
            "the rows to learn from hold at least two classes",
            where=task.target,
            got=f"one class in {len(parts.train):,} rows, split {parts.how.value}",
            fix="give more rows of the other class, or leave out --time or --group",
        )
