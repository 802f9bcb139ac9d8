"""Folds: how the rows to learn from are divided, again and again, so that candidates can be compared."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.errors import InvalidTask
from modelwright.core.split import Fold, Folds, How
from modelwright.data._chance import deal, stream
from modelwright.data._drawing import by_class, by_group, clock_of_groups, group_codes, strata_of, time_cuts
from modelwright.data._ordering import Clock, clock_of, clocks, find_order

if TYPE_CHECKING:
    import polars as pl

    from modelwright.core.arrays import Floats, Ints
    from modelwright.core.contract import Contract
    from modelwright.core.task import Task

MANY_GROUPS = 2_000
"""With more groups than this chance alone balances the classes, and balancing them one by one takes seconds."""


def fold(  # noqa: PLR0913 - the rows (four) and the manner (six) of one division
    frame: pl.DataFrame,
    task: Task,
    target: Floats | Ints,
    rows: Ints,
    *,
    n_folds: int,
    n_repeats: int = 1,
    holdout: float | None = None,
    seed: int,
    how: How,
    contract: Contract | None = None,
) -> Folds:
    """Return divisions of the rows to learn from, made the way the sealed rows were chosen.

    Unless the rows are in time, the validation parts of one repeat hold each row once, and a class of two rows or
    more is in every fit part. In time each fold learns from the past and is judged on the block after it
    (forward chaining), rows of one moment kept together; the oldest block judges nothing, and repeats add nothing.

    Args:
        frame: Conformed rows.
        task: What is asked.
        target: Encoded target of all rows of the frame.
        rows: Row numbers to divide; results are positions in here.
        n_folds: Folds wanted, 2 or more; fewer are made when rows, groups or moments do not suffice.
        n_repeats: How often the rows are divided anew.
        holdout: Share of rows for a single validation part, in place of folds.
        seed: Deals the rows.
        how: ``Split.how``; ``GIVEN`` stands for the way that suits the task.
        contract: Finds the columns that order the rows in time when the task names none; without it the rows
            are taken to stand oldest first.

    Returns:
        The folds, positions rising.

    Raises:
        InvalidTask: There are fewer than two rows or groups.
    """
    if len(rows) < 2:
        raise InvalidTask(
            "rows to learn from can be divided", where="folds", got=f"{len(rows)} rows", fix="give more rows"
        )
    how = _suited(how, task)
    part, own = frame[rows], target[rows]
    if how is How.TIME:
        folds = _in_time(_clock(part, task, contract), own, task, n_folds, holdout)
    else:
        strata = strata_of(task, own) if how is not How.RANDOM else np.zeros(len(rows), dtype=np.int64)
        groups = _groups(part, task) if how is How.GROUPED else None
        if holdout is not None:
            valid = [_held_out(strata, groups, holdout, seed)]
        else:
            valid = _dealt(strata, groups, min(n_folds, len(rows)), n_repeats, seed)
        folds = tuple(Fold(np.setdiff1d(np.arange(len(rows)), v), v) for v in valid)
    return Folds(folds, how, _reason(how, folds, n_repeats if holdout is None else 1))


def _suited(how: How, task: Task) -> How:
    if how is not How.GIVEN:
        return how
    if task.time is not None:
        return How.TIME
    if task.group is not None:
        return How.GROUPED
    return How.STRATIFIED if task.is_classification else How.RANDOM


def _groups(frame: pl.DataFrame, task: Task) -> Ints:
    if task.group is None:
        raise InvalidTask("rows are kept together by a group column", where="--group", fix="name it with --group")
    groups = group_codes(frame, task.group)
    if groups.max() == 0:
        raise InvalidTask("folds by group need two groups", where=task.group, got="1 group", fix="leave out --group")
    return groups


def _held_out(strata: Ints, groups: Ints | None, holdout: float, seed: int) -> Ints:
    n_drawn, rng = min(max(round(holdout * len(strata)), 1), len(strata) - 1), stream(seed, "holdout")
    if groups is not None:
        return by_group(groups, strata, n_drawn, rng, where="folds")
    drawn = by_class(strata, n_drawn, rng)
    # Where every class has a single row nothing can be drawn by class.
    return drawn if len(drawn) else by_class(np.zeros_like(strata), n_drawn, rng)


def _dealt(strata: Ints, groups: Ints | None, n_folds: int, n_repeats: int, seed: int) -> list[Ints]:
    valid = []
    for repeat in range(n_repeats):
        rng = stream(seed, f"folds {repeat}")
        if groups is None:
            number = deal(strata, n_folds, rng)
        else:
            number = _dealt_by_group(strata, groups, n_folds, seed=int(rng.integers(2**31)))
        valid += [np.flatnonzero(number == i) for i in np.unique(number)]
    return valid


def _dealt_by_group(strata: Ints, groups: Ints, n_folds: int, *, seed: int) -> Ints:
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    n_groups = int(groups.max()) + 1
    n_folds = min(n_folds, n_groups)
    # A stratum smaller than the number of folds cannot be spread over them; it counts with the largest one.
    sizes = np.bincount(strata)
    common = np.where(sizes[strata] < n_folds, int(sizes.argmax()), strata)
    if n_groups > MANY_GROUPS or len(np.unique(common)) < 2:
        splitter = GroupKFold(n_folds, shuffle=True, random_state=seed)
    else:
        splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    number = np.zeros(len(strata), dtype=np.int64)
    for i, (_, valid) in enumerate(splitter.split(groups, common, groups)):
        number[valid] = i
    return number


def _clock(frame: pl.DataFrame, task: Task, contract: Contract | None) -> Floats:
    clock = Clock((), np.arange(frame.height, dtype=np.float64))
    if task.time is not None:
        clock = clock_of(frame, (task.time,))
    elif contract is not None and (order := find_order(clocks(frame, contract))):
        clock = order.clock
    return clock.key if task.group is None else clock_of_groups(frame, clock, task.group).key


def _in_time(key: Floats, target: Floats | Ints, task: Task, n_folds: int, holdout: float | None) -> tuple[Fold, ...]:
    n = len(key)
    order = np.argsort(np.where(np.isnan(key), -np.inf, key), kind="stable")
    cuts = time_cuts(key[order])
    if not len(cuts):
        cuts = np.arange(1, n)  # one moment: the order of the rows is all there is
    shares = np.arange(1, n_folds + 1) / (n_folds + 1) if holdout is None else np.array([1 - holdout])
    edges = [int(cuts[np.argmin(np.abs(cuts - share * n))]) for share in shares]
    edges = [*sorted(set(edges)), n]
    folds = [Fold(np.sort(order[:a]), np.sort(order[a:b])) for a, b in pairwise(edges)]
    if task.is_classification:
        # The first blocks may not have seen every class yet; the last fold stays in any case.
        n_classes = [len(np.unique(target[f.fit])) for f in folds]
        folds = [f for f, seen in zip(folds, n_classes, strict=True) if seen == max(n_classes)]
    return tuple(folds)


def _reason(how: How, folds: tuple[Fold, ...], n_repeats: int) -> str:
    manner = {
        How.RANDOM: "rows dealt at random",
        How.STRATIFIED: "each class, or range of the target, dealt evenly",
        How.GROUPED: "groups kept whole",
        How.TIME: "learnt from the past, judged on what came next",
    }[how]
    if len(folds) == 1:
        return f"One holdout of {len(folds[0].valid):,} rows, {manner}."
    again = f", {n_repeats} times over" if n_repeats > 1 and how is not How.TIME else ""
    return f"{len(folds) // (n_repeats if again else 1)} folds{again}, {manner}."
