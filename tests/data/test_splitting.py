"""Splits and folds: nothing leaks across, every class is where it can be, and time runs forward."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.core.contract import Column, Contract, Kind
from modelwright.core.errors import InvalidSetting, InvalidTarget, InvalidTask, UnknownColumn
from modelwright.core.split import How
from modelwright.core.table import Table
from modelwright.core.task import Task, TaskKind
from modelwright.data.conforming import conform
from modelwright.data.inference import infer
from modelwright.data.splitting import fold, split, split_given
from modelwright.data.tasks import apply_roles, encode, infer_task

BINARY = Task(TaskKind.BINARY, "y", "roc_auc", ("no", "yes"))
NUMBER = Task(TaskKind.REGRESSION, "y", "rmse")
DAY = 86_400.0


def classes(n: int) -> Task:
    return BINARY if n == 2 else Task(TaskKind.MULTICLASS, "y", "log_loss", tuple(f"c{i}" for i in range(n)))


def frame_of(n: int, **columns: object) -> pl.DataFrame:
    return pl.DataFrame({"x": np.random.default_rng(0).normal(size=n), **columns})


def contract_of(frame: pl.DataFrame, **kinds: Kind) -> Contract:
    return Contract(tuple(Column(name, kinds.get(name, Kind.NUMBER), is_integer=True) for name in frame.columns))


def cut(frame, task, target, *, fraction=None, seed=0, how=None, **kinds):
    parts = split(
        frame, task, np.asarray(target), fraction=fraction, seed=seed, contract=contract_of(frame, **kinds), how=how
    )
    both = np.concatenate([parts.train, parts.test])
    assert sorted(both.tolist()) == list(range(frame.height))
    assert np.all(np.diff(parts.train) > 0)
    return parts


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(2, 30), min_size=2, max_size=8), st.integers(0, 1000))
def test_every_class_of_two_rows_stands_on_both_sides_with_its_share(counts, seed):
    target = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    parts = cut(frame_of(len(target)), classes(len(counts)), target, seed=seed)
    assert parts.how is How.STRATIFIED
    sealed = np.bincount(target[parts.test], minlength=len(counts))
    share = len(parts.test) / len(target)
    for n, k in zip(counts, sealed, strict=True):
        assert 1 <= k <= n - 1
    if len(target) >= 100 and min(counts) >= 10:
        assert np.abs(sealed / np.array(counts) - share).max() <= 1.01 / min(counts) + 0.05


def test_a_class_of_one_row_is_learnt_from_and_a_class_of_two_rows_stands_on_both_sides():
    target = np.array([0] * 20 + [1] * 20 + [2] * 2 + [3])
    parts = cut(frame_of(43), classes(4), target)
    assert np.bincount(target[parts.train], minlength=4)[2:].tolist() == [1, 1]
    assert np.bincount(target[parts.test], minlength=4)[2:].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("n", "sealed"), [(2, 1), (3, 1), (12, 6), (30, 10), (99, 20), (1_000, 200), (100_000, 20_000), (150_000, 20_000)]
)
def test_how_many_rows_are_sealed_follows_the_rule(n, sealed):
    parts = cut(frame_of(n), NUMBER, np.random.default_rng(1).normal(size=n))
    assert len(parts.test) == sealed
    assert f"{sealed:,} of {n:,} rows" in parts.reason


def test_a_fraction_is_kept_to_and_must_be_one():
    assert len(cut(frame_of(1000), NUMBER, np.arange(1000.0)[::-1], fraction=0.35).test) == 350
    for wrong in (0.0, 1.0, -1.0, 7.0):
        with pytest.raises(InvalidSetting, match="above 0 and below 1"):
            cut(frame_of(10), NUMBER, np.arange(10.0), fraction=wrong)


def test_the_seed_draws_the_rows():
    target = np.random.default_rng(0).integers(0, 2, 500)
    one, same, other = (cut(frame_of(500), BINARY, target, seed=s).test.tolist() for s in (1, 1, 2))
    assert one == same
    assert one != other


def test_small_regression_tables_keep_low_and_high_targets_on_both_sides():
    target = np.random.default_rng(0).exponential(size=200)
    parts = cut(frame_of(200), NUMBER, target)
    assert parts.how is How.STRATIFIED
    places = np.argsort(np.argsort(target))[parts.test] // 20
    assert np.bincount(places, minlength=10).tolist() == [4] * 10
    assert cut(frame_of(2000), NUMBER, np.resize(target, 2000)).how is How.RANDOM


def test_tables_that_cannot_be_split_say_why():
    with pytest.raises(InvalidTask, match="two rows"):
        cut(frame_of(1), NUMBER, [1.0])
    with pytest.raises(InvalidTask, match="two rows"):
        cut(frame_of(0), NUMBER, np.zeros(0))
    with pytest.raises(InvalidTarget, match="some class has two rows"):
        cut(frame_of(2), BINARY, [0, 1])
    with pytest.raises(InvalidTarget, match="at least two classes"):
        cut(frame_of(10), BINARY, [0] * 10)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 60), st.integers(0, 100))
def test_groups_are_never_cut(n_groups, seed):
    rng = np.random.default_rng(seed)
    group = np.concatenate([np.arange(n_groups), rng.integers(0, n_groups, 200)])
    target = np.concatenate([np.resize([0, 1], n_groups), rng.integers(0, 2, 200)])
    frame = frame_of(len(group), g=[f"g{i}" for i in group])
    task = Task(TaskKind.BINARY, "y", "roc_auc", ("no", "yes"), group="g")
    parts = cut(frame, task, target, seed=seed, g=Kind.CATEGORY)
    assert parts.how is How.GROUPED
    assert not set(group[parts.train]) & set(group[parts.test])
    if n_groups >= 30:
        assert abs(len(parts.test) / len(group) - 0.2) < 0.03
        assert abs(target[parts.test].mean() - target.mean()) < 0.1
    folds = fold(frame, task, target, parts.train, n_folds=3, seed=seed, how=parts.how) if n_groups > 5 else None
    for f in folds.folds if folds else ():
        assert not set(group[parts.train[f.fit]]) & set(group[parts.train[f.valid]])


def test_many_groups_fold_fast_and_rows_without_a_group_stand_alone():
    n = 6_000
    group = [None if i % 2 else f"g{i // 4}" for i in range(n)]
    frame, target = frame_of(n, g=group), np.arange(n) % 2
    task = Task(TaskKind.BINARY, "y", "roc_auc", ("no", "yes"), group="g")
    parts = cut(frame, task, target, g=Kind.CATEGORY)
    folds = fold(frame, task, target, parts.train, n_folds=4, n_repeats=2, seed=0, how=How.GROUPED)
    assert len(folds.folds) == 8
    for f in folds.folds:
        kept = {group[parts.train[i]] for i in f.fit} & {group[parts.train[i]] for i in f.valid}
        assert kept <= {None}


def test_a_single_group_or_an_unnamed_one_is_an_error():
    task = Task(TaskKind.BINARY, "y", "roc_auc", ("no", "yes"), group="g")
    with pytest.raises(InvalidTask, match="two groups"):
        cut(frame_of(20, g=["a"] * 20), task, np.arange(20) % 2, g=Kind.CATEGORY)
    with pytest.raises(UnknownColumn, match="must exist"):
        cut(frame_of(20), task, np.arange(20) % 2)
    with pytest.raises(InvalidTask, match="group column"):
        cut(frame_of(20), BINARY, np.arange(20) % 2, how=How.GROUPED)


def test_a_named_time_seals_the_newest_rows_and_keeps_moments_together():
    rng = np.random.default_rng(3)
    when = rng.integers(0, 40, 500) * DAY
    task = Task(TaskKind.REGRESSION, "y", "rmse", time="when")
    parts = cut(frame_of(500, when=when), task, rng.normal(size=500), when=Kind.DATETIME)
    assert parts.how is How.TIME
    assert when[parts.train].max() < when[parts.test].min()
    assert np.all(np.diff(when[parts.test]) >= 0)
    assert abs(len(parts.test) - 100) < 15
    assert "when was named as time" in parts.reason


def test_rows_of_unknown_time_are_learnt_from_only():
    when = [None, *(np.arange(99) * DAY)]
    task = Task(TaskKind.REGRESSION, "y", "rmse", time="when")
    parts = cut(frame_of(100, when=when), task, np.arange(100.0), when=Kind.DATETIME)
    assert 0 in parts.train
    with pytest.raises(InvalidTask, match="two moments"):
        cut(frame_of(100, when=[DAY] * 100), task, np.arange(100.0), when=Kind.DATETIME)


def test_text_orders_time_by_the_alphabet():
    quarter = np.random.default_rng(0).permutation(np.repeat([f"2020-Q{i}" for i in range(1, 5)], 25))
    task = Task(TaskKind.REGRESSION, "y", "rmse", time="q")
    parts = cut(frame_of(100, q=quarter), task, np.arange(100.0), q=Kind.CATEGORY)
    assert set(quarter[parts.test]) == {"2020-Q4"}


def test_time_and_group_together_seal_the_groups_that_begin_last():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 50, 1000)
    when = group * 5 * DAY + rng.integers(0, 100, 1000) * DAY
    frame = frame_of(1000, when=when, g=[f"g{i}" for i in group])
    task = Task(TaskKind.REGRESSION, "y", "rmse", time="when", group="g")
    parts = cut(frame, task, rng.normal(size=1000), when=Kind.DATETIME, g=Kind.CATEGORY)
    assert parts.how is How.TIME
    assert not set(group[parts.train]) & set(group[parts.test])
    first = {g: when[group == g].min() for g in set(group.tolist())}
    assert max(first[g] for g in group[parts.train]) <= min(first[g] for g in group[parts.test])
    folds = fold(frame, task, rng.normal(size=1000), parts.train, n_folds=4, seed=0, how=parts.how)
    for f in folds.folds:
        assert not set(group[parts.train[f.fit]]) & set(group[parts.train[f.valid]])


@pytest.mark.parametrize("newest_first", [False, True])
def test_rows_in_time_order_are_noticed_either_way_round(newest_first):
    when = np.repeat(np.arange(100) * DAY, 3)[:: -1 if newest_first else 1].copy()
    frame = frame_of(300, when=when)
    target = np.random.default_rng(0).integers(0, 2, 300)
    parts = cut(frame, BINARY, target, when=Kind.DATETIME)
    assert parts.how is How.TIME
    assert "when" in parts.reason
    assert ("newest first" in parts.reason) is newest_first
    assert when[parts.train].max() < when[parts.test].min()
    contract = contract_of(frame, when=Kind.DATETIME)
    part, own = frame[parts.train], target[parts.train]
    folds = fold(
        part, BINARY, own, np.arange(len(own)), n_folds=4, n_repeats=3, seed=0, how=How.TIME, contract=contract
    )
    assert len(folds.folds) == 4
    for f in folds.folds:
        assert when[parts.train][f.fit].max() < when[parts.train][f.valid].min()


def test_date_parts_in_order_are_time_and_a_late_row_does_not_hide_it():
    days = np.arange(240)
    columns = {"Year": ["2011"] * 240, "Month": days // 20 + 1.0, "DayofMonth": days % 20 + 1.0}
    kinds = {"Year": Kind.CONSTANT}
    parts = cut(frame_of(240, **columns), NUMBER, np.zeros(240), **kinds)
    assert parts.how is How.TIME
    assert "Year, Month, DayofMonth" in parts.reason
    columns["DayofMonth"][17] = 1.0
    assert cut(frame_of(240, **columns), NUMBER, np.zeros(240), **kinds).how is How.TIME


def test_what_is_no_time_order_is_not_taken_for_one():
    rng = np.random.default_rng(0)
    n, target = 1000, rng.normal(size=1000)
    frames = {
        "shuffled": frame_of(n, when=rng.permutation(n) * DAY),
        "panel": frame_of(n, when=np.tile(np.arange(250) * DAY, 4)),
        "few dates": frame_of(n, when=np.repeat(np.arange(5) * DAY, 200)),
        "mostly blank": frame_of(n, when=[i * DAY if i < 500 else None for i in range(n)]),
        "rare spikes": frame_of(n, when=np.where(np.arange(n) % 101 == 100, np.arange(n) * DAY, 0.0)),
    }
    for name, frame in frames.items():
        assert cut(frame, NUMBER, target, when=Kind.DATETIME).how is How.RANDOM, name
    assert cut(frame_of(n, instant=np.arange(n) + 1.0), NUMBER, target).how is How.RANDOM
    assert cut(frame_of(n, Month=np.arange(n) // 100 + 1.0), NUMBER, target).how is How.RANDOM
    weekdays = frame_of(n, DayOfWeek=np.arange(n) // 150 + 1.0, Month=np.arange(n) // 100 + 1.0)
    assert cut(weekdays, NUMBER, target).how is How.RANDOM


def test_an_order_nobody_named_gives_way_to_the_classes():
    when, target = np.arange(100) * DAY, np.array([0] * 85 + [1] * 15)
    parts = cut(frame_of(100, when=when), BINARY, target, when=Kind.DATETIME)
    assert parts.how is How.STRATIFIED
    task = Task(TaskKind.BINARY, "y", "roc_auc", ("no", "yes"), time="when")
    with pytest.raises(InvalidTarget, match="at least two classes"):
        cut(frame_of(100, when=when), task, target, when=Kind.DATETIME)


def test_given_rows_that_came_next_make_a_split_in_time():
    rng = np.random.default_rng(0)
    learnt, later = np.arange(200) * DAY, (200 + rng.permutation(50)) * DAY

    def parts(task, before, after):
        frame = frame_of(len(before) + len(after), when=np.concatenate([before, after]), who=np.ones(250))
        return split_given(frame, task, contract_of(frame, when=Kind.DATETIME), len(before))

    found = parts(BINARY, learnt, later)
    assert found.how is How.TIME
    assert "when" in found.reason
    assert np.all(np.diff(later[found.test - 200]) > 0)
    assert sorted(found.test.tolist()) == list(range(200, 250))
    unknown = later.copy()
    unknown[3] = np.nan
    others = {
        "one given row lies among those learnt from": (BINARY, learnt, later - 60 * DAY),
        "one given row has no time": (BINARY, learnt, unknown),
        "the rows to learn from are shuffled": (BINARY, rng.permutation(learnt), later),
        "newest first, and what is given is older": (BINARY, later[np.argsort(-later)], np.arange(200.0)),
        "a group is named": (replace(BINARY, group="who"), learnt, later),
        "a time is named": (replace(BINARY, time="when"), learnt, later),
    }
    for why, case in others.items():
        found = parts(*case)
        assert found.how is How.GIVEN, why
        assert np.array_equal(np.concatenate([found.train, found.test]), np.arange(250)), why


def test_a_way_can_be_insisted_on():
    frame, target = frame_of(300, when=np.arange(300) * DAY), np.arange(300) % 2
    assert cut(frame, BINARY, target, how=How.STRATIFIED, when=Kind.DATETIME).how is How.STRATIFIED
    assert cut(frame, BINARY, target, how=How.RANDOM, when=Kind.DATETIME).how is How.RANDOM
    with pytest.raises(InvalidTask, match="time column"):
        cut(frame_of(300), BINARY, target, how=How.TIME)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(1, 20), min_size=2, max_size=6),
    st.integers(2, 6),
    st.integers(1, 3),
    st.sampled_from([How.RANDOM, How.STRATIFIED]),
)
def test_folds_deal_each_row_once_a_repeat_and_leave_every_class_to_learn_from(counts, n_folds, n_repeats, how):
    target = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    n, task = len(target), classes(len(counts))
    folds = fold(frame_of(n), task, target, np.arange(n), n_folds=n_folds, n_repeats=n_repeats, seed=4, how=how)
    n_folds = min(n_folds, n)
    assert len(folds.folds) == n_folds * n_repeats
    for r in range(n_repeats):
        repeat = folds.folds[r * n_folds : (r + 1) * n_folds]
        assert sorted(np.concatenate([f.valid for f in repeat]).tolist()) == list(range(n))
        sizes = [len(f.valid) for f in repeat]
        assert max(sizes) - min(sizes) <= 1
    for f in folds.folds:
        assert sorted([*f.fit.tolist(), *f.valid.tolist()]) == list(range(n))
        if how is How.STRATIFIED:
            assert {c for c, k in enumerate(counts) if k >= 2} <= set(target[f.fit].tolist())
    if n_repeats > 1 and n >= 20:
        assert folds.folds[0].valid.tolist() != folds.folds[n_folds].valid.tolist()


def test_folds_are_positions_into_the_rows_not_row_numbers():
    target = np.array([0, 1] * 50)
    rows = np.arange(40, 100)
    folds = fold(frame_of(100), BINARY, target, rows, n_folds=3, seed=0, how=How.STRATIFIED)
    assert max(int(f.valid.max()) for f in folds.folds) == 59
    for f in folds.folds:
        assert target[rows][f.valid].mean() == 0.5


@pytest.mark.parametrize("how", [How.RANDOM, How.STRATIFIED, How.GROUPED, How.TIME, How.GIVEN])
def test_a_holdout_is_one_fold_of_about_the_wanted_size(how):
    rng = np.random.default_rng(0)
    target = rng.integers(0, 2, 400)
    frame = frame_of(400, g=[f"g{i}" for i in rng.integers(0, 80, 400)])
    task = Task(TaskKind.BINARY, "y", "roc_auc", ("no", "yes"), group="g")
    folds = fold(frame, task, target, np.arange(400), n_folds=2, holdout=0.2, seed=0, how=how)
    assert folds.is_holdout
    assert abs(len(folds.folds[0].valid) - 80) <= 6
    assert "holdout" in folds.reason


def test_forward_chaining_learns_from_the_past_and_grows():
    folds = fold(frame_of(100), NUMBER, np.arange(100.0), np.arange(100), n_folds=4, seed=0, how=How.TIME)
    assert [(int(f.fit.min()), int(f.fit.max()), int(f.valid.min()), int(f.valid.max())) for f in folds.folds] == [
        (0, 19, 20, 39),
        (0, 39, 40, 59),
        (0, 59, 60, 79),
        (0, 79, 80, 99),
    ]


def test_forward_chaining_waits_for_every_class_and_bears_a_single_moment():
    target = np.array([0] * 50 + [1, 0] * 25)
    folds = fold(frame_of(100), BINARY, target, np.arange(100), n_folds=4, seed=0, how=How.TIME)
    assert all(len(np.unique(target[f.fit])) == 2 for f in folds.folds)
    task = Task(TaskKind.REGRESSION, "y", "rmse", time="when")
    frame = frame_of(60, when=[DAY] * 60)
    assert len(fold(frame, task, np.arange(60.0), np.arange(60), n_folds=3, seed=0, how=How.TIME).folds) == 3


def test_two_rows_fold_and_one_row_does_not():
    for how in (How.RANDOM, How.STRATIFIED, How.TIME):
        folds = fold(frame_of(2), BINARY, np.array([0, 1]), np.arange(2), n_folds=5, seed=0, how=how)
        assert all(len(f.fit) == len(f.valid) == 1 for f in folds.folds)
        held = fold(frame_of(2), BINARY, np.array([0, 1]), np.arange(2), n_folds=5, holdout=0.1, seed=0, how=how)
        assert len(held.folds[0].fit) == len(held.folds[0].valid) == 1
    with pytest.raises(InvalidTask, match="can be divided"):
        fold(frame_of(2), BINARY, np.array([0, 1]), np.arange(1), n_folds=2, seed=0, how=How.RANDOM)
    task = Task(TaskKind.BINARY, "y", "roc_auc", ("no", "yes"), group="x")
    with pytest.raises(InvalidTask, match="two groups"):
        fold(frame_of(4)[[0, 0, 0, 0]], task, np.array([0, 1, 0, 1]), np.arange(4), n_folds=2, seed=0, how=How.GROUPED)


@pytest.mark.slow
@pytest.mark.tables
@pytest.mark.parametrize(
    ("name", "how"),
    [("bike_sharing", How.TIME), ("hflights_arr_delay", How.TIME), ("telco_churn", How.STRATIFIED)],
)
def test_real_tables_are_split_as_their_rows_stand(real_tables, name, how):
    meta = json.loads((real_tables / name / "meta.json").read_text())
    table = Table(pl.read_csv(real_tables / name / "train.csv", infer_schema=False), name, "")
    contract = infer(table)
    task = infer_task(table, contract, target=meta["target"])
    contract = apply_roles(contract, task, ())
    target, _ = encode(table, task, contract)
    frame = conform(table.frame, contract).frame
    assert split(frame, task, target, fraction=None, seed=0, contract=contract).how is how
