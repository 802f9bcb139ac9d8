"""Findings: planted faults are named, clean and random tables raise no alarm, odd tables are borne."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.core.contract import Column, Contract, Kind, Role
from modelwright.core.finding import Severity
from modelwright.core.fingerprint import plain
from modelwright.core.split import How, Split
from modelwright.core.table import Table
from modelwright.core.task import Task, TaskKind
from modelwright.data._association import Judge, average_rank, bins, log_chance_of, signals
from modelwright.data.conforming import conform
from modelwright.data.findings import CODES, LEAKS, inspect
from modelwright.data.inference import infer
from modelwright.data.splitting import split
from modelwright.data.tasks import apply_roles, encode, infer_task

DOCS = Path(__file__).parents[2] / "docs" / "findings.md"
DAY = 86_400.0


def task_of(target) -> Task:
    target = np.asarray(target)
    if target.dtype.kind == "f":
        return Task(TaskKind.REGRESSION, "y", "rmse")
    n = int(target.max()) + 1
    kind = TaskKind.BINARY if n == 2 else TaskKind.MULTICLASS
    return Task(kind, "y", "roc_auc", tuple(f"c{i}" for i in range(n)))


def column_of(values: pl.Series, **known) -> Column:
    present = values.drop_nulls()
    kind = Kind.NUMBER if values.dtype == pl.Float64 else Kind.CATEGORY
    facts = {
        "kind": Kind.CONSTANT if present.n_unique() < 2 else kind,
        "n_rows": len(values),
        "n_missing": values.null_count(),
        "n_distinct": present.n_unique(),
        "is_integer": kind is Kind.NUMBER and bool((present == present.round()).all()),
    }
    return Column(values.name, **{**facts, **known})


def look(columns, target, *, raw=None, parts=None, task=None, n_without_target=0, **known):
    """Inspect columns given as lists; ``known`` overrides facts of a column by its name."""
    series = [pl.Series(n, v) for n, v in columns.items()]
    series = [s.cast(pl.Float64) if s.dtype.is_numeric() or s.dtype == pl.Null else s for s in series]
    frame = pl.DataFrame([*series, pl.Series("y", [f"c{v}" for v in np.asarray(target).tolist()])])
    contract = Contract(tuple(column_of(s, **known.get(s.name, {})) for s in frame))
    contract = contract.with_roles(target=("y",))
    task = task or task_of(target)
    target = np.asarray(target)
    if parts is None:
        parts = split(frame, task, target, fraction=None, seed=0, contract=contract)
    table = Table(frame if raw is None else raw, "test", "")
    return inspect(table, frame, contract, task, target, parts, n_without_target=n_without_target)


def codes(findings) -> set[str]:
    return {f.code for f in findings}


def only(findings, code):
    (found,) = [f for f in findings if f.code == code]
    return found


def noise(n, *, seed=77, n_columns=3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {f"x{i}": rng.normal(size=n) for i in range(n_columns)}


def coin(n, *, seed=1, share=0.5):
    return (np.random.default_rng(seed).random(n) < share).astype(np.int64)


# Leaks


def test_a_column_that_orders_the_classes_is_named_and_kept():
    target = coin(600)
    leak = target * 3 + np.random.default_rng(2).normal(size=600) * 0.5
    found = only(look({**noise(600), "leak": leak}, target), "F010")
    assert (found.severity, found.columns) == (Severity.SEVERE, ("leak",))
    assert found.evidence["value"] > 0.98
    assert "--ignore leak" in found.overrule
    assert "nothing was dropped" in found.action


def test_an_honest_strong_column_is_no_leak():
    target = coin(600)
    strong = target * 2 + np.random.default_rng(2).normal(size=600)
    assert not codes(look({**noise(600), "strong": strong}, target)) & LEAKS


def test_a_category_is_judged_out_of_fold_so_that_fine_noise_looks_like_noise():
    target = coin(2000)
    fine = [f"v{i}" for i in np.random.default_rng(2).integers(0, 900, 2000)]
    coded = np.random.default_rng(3).integers(0, 40, 2000)
    leak = [f"v{i * 2 + t}" for i, t in zip(coded, target, strict=True)]
    found = look({"fine": fine, "leak": leak}, target)
    assert only(found, "F010").columns == ("leak",)


def test_numbers_and_several_classes_are_judged_too():
    rng = np.random.default_rng(0)
    target = np.exp(rng.normal(size=500) * 2)
    found = look({**noise(500), "leak": np.log(target) * -2 + rng.normal(size=500) * 0.01}, target)
    assert only(found, "F010").evidence["measure"] == "r2"
    folded = look({**noise(500), "leak": np.sin(target), "bent": (np.log(target) - 9) ** 2}, target)
    assert only(folded, "F010").columns == ("bent",)
    many = rng.integers(0, 8, 1000)
    found = look({**noise(1000), "leak": [f"v{t * 3 + i % 3}" for i, t in enumerate(many)]}, many)
    assert only(found, "F010").evidence["measure"] == "lambda"


def test_one_value_that_settles_the_rare_class_is_named():
    rng, target = np.random.default_rng(0), coin(3000, share=0.1)
    word = np.where((target == 1) & (rng.random(3000) < 0.3), "refunded", rng.choice(["a", "b", "c"], 3000))
    found = only(look({**noise(3000), "status": word}, target), "F011")
    assert found.severity is Severity.SEVERE
    assert found.evidence["value"] == "refunded"
    assert found.evidence["label"] == "c1"
    assert 0.2 < found.evidence["coverage"] < 0.4


def test_a_written_mark_among_numbers_is_named_but_a_steady_climb_is_not():
    rng, target = np.random.default_rng(0), coin(3000, share=0.2)
    amount = rng.normal(100, 20, 3000).round(1)
    marked = np.where((target == 1) & (rng.random(3000) < 0.4), 99.95, amount)
    assert only(look({"amount": marked, **noise(3000)}, target), "F011").evidence["value"] == "99.95"
    grade = np.clip(np.round(target * 5 + rng.normal(3, 2, 3000)), 1, 10)
    assert not codes(look({"grade": grade, **noise(3000)}, target)) & LEAKS


@pytest.mark.parametrize("when", ["missing", "present"])
def test_missingness_that_gives_a_class_away_is_named(when):
    rng, target = np.random.default_rng(0), coin(2000, share=0.15)
    marked = (target == 1) & (rng.random(2000) < 0.3)
    blank = marked if when == "missing" else ~marked
    tail = [None if b else f"N{i % 40}" for i, b in enumerate(blank)]
    found = only(look({"tail": tail, **noise(2000)}, target), "F012")
    assert (found.columns, found.evidence["when"]) == (("tail",), when)
    assert found.severity is Severity.SEVERE


def test_missingness_that_settles_a_number_is_named():
    rng = np.random.default_rng(0)
    blank = rng.random(800) < 0.5
    target = np.where(blank, 0.0, 100.0) + rng.normal(size=800) * 0.001 + blank * rng.random(800) * 0.001
    column = [None if b else float(v) for b, v in zip(blank, rng.normal(size=800), strict=True)]
    tied = np.where(blank, 0.0, 100.0)
    assert codes(look({"x": column, **noise(800)}, tied)) & {"F010", "F012"}
    assert "x" not in {c for f in look({"x": column, **noise(800)}, rng.permutation(target)) for c in f.columns}


def test_a_recoded_target_and_a_rescaled_one_are_named_once():
    target = coin(300)
    found = look({**noise(300), "again": ["n" if t else "p" for t in target]}, target)
    assert only(found, "F013").columns == ("again",)
    assert "F010" not in codes(found)
    number = np.random.default_rng(0).normal(size=300) * 1e6
    found = look({**noise(300), "cents": number * -100 + 7}, number)
    assert only(found, "F013").columns == ("cents",)


@pytest.mark.parametrize("sign", [1, -1])
def test_two_columns_that_make_up_the_target_are_named(sign):
    rng = np.random.default_rng(0)
    casual, registered = rng.integers(0, 300, 500).astype(float), rng.integers(0, 900, 500).astype(float)
    target = casual + sign * registered
    found = look({**noise(500), "casual": casual, "registered": registered, "n": rng.integers(0, 9, 500)}, target)
    assert set(only(found, "F014").columns) == {"casual", "registered"}


def test_a_sum_is_found_where_some_parts_are_missing_or_huge():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=400) * 1e307, rng.normal(size=400) * 1e307
    gaps = [None if i % 5 == 0 else float(v) for i, v in enumerate(a)]
    assert set(only(look({"a": gaps, "b": b, **noise(400)}, a + b), "F014").columns) == {"a", "b"}


def test_columns_that_repeat_each_other_are_told_and_independent_ones_are_not():
    rng = np.random.default_rng(0)
    k = rng.integers(0, 5, 400)
    columns = {"level": [f"l{i}" for i in k], "code": (k * 7 % 5).astype(float), **noise(400)}
    columns["x0 again"] = columns["x0"]
    found = [f for f in look(columns, coin(400)) if f.code == "F015"]
    assert {frozenset(f.columns) for f in found} == {frozenset({"level", "code"}), frozenset({"x0", "x0 again"})}


def table_without_signal(seed):
    rng = np.random.default_rng(seed)
    n, n_columns = int(np.exp(rng.uniform(np.log(10), np.log(1500)))), int(rng.choice([1, 5, 20, 60]))
    makers = [
        lambda: rng.normal(size=n),
        lambda: rng.integers(0, rng.integers(2, 12), n),
        lambda: [f"l{j}" for j in rng.integers(0, max(2, n // rng.integers(2, 30)), n)],
        lambda: np.where(rng.random(n) < 0.9, 0.0, np.exp(rng.normal(size=n) * 3)),
        lambda: [
            None if b else float(v) for b, v in zip(rng.random(n) < rng.random(), rng.normal(size=n), strict=True)
        ],
        lambda: (rng.random(n) < rng.random() * 0.1).astype(float),
    ]
    columns = {f"x{i}": makers[rng.integers(0, len(makers))]() for i in range(n_columns)}
    k = int(rng.integers(3, 10))
    targets = [
        (rng.random(n) < rng.uniform(0.1, 0.5)).astype(np.int64),
        np.concatenate([np.arange(k), rng.integers(0, k, n - k)]),
        rng.normal(size=n),
        np.where(rng.random(n) < 0.8, 0.0, np.exp(rng.normal(size=n) * 3)),
    ]
    target = targets[rng.integers(0, len(targets))]
    if target.dtype.kind == "i":
        target[:4] = [0, 1, 0, 1]
    return columns, target


@pytest.mark.slow
def test_tables_without_signal_raise_a_leak_alarm_in_fewer_than_one_in_a_hundred():
    n_tables, alarms = 200, []
    for seed in range(n_tables):
        columns, target = table_without_signal(seed)
        alarms += [(seed, f.code) for f in look(columns, target) if f.code in LEAKS or f.severity is Severity.SEVERE]
    assert len({seed for seed, _ in alarms}) < n_tables / 100, alarms


# Rows, groups, time


def test_repeated_rows_are_counted_within_and_across():
    columns = {**noise(400)}
    target = coin(400)
    for values in (*columns.values(), target):
        values[200:] = values[:200]
    found = look(columns, target)
    assert only(found, "F001").evidence == {"n_repeated": 200, "n_rows": 400, "share": 0.5}
    across = only(found, "F002")
    assert across.severity is Severity.SEVERE
    assert across.evidence["share"] > 0.6


def test_twins_are_counted_exactly():
    columns, target = noise(100), coin(100)
    columns = {n: np.append(v, v[:7]) for n, v in columns.items()}
    target = np.append(target, target[:7])
    parts = Split(np.arange(100), np.arange(100, 107), How.GIVEN, "")
    assert only(look(columns, target, parts=parts), "F002").evidence["n_shared"] == 7
    target[100] = 1 - target[100]
    assert only(look(columns, target, parts=parts), "F002").evidence["n_shared"] == 6


def test_coarse_tables_repeat_by_nature_and_are_not_accused():
    rng = np.random.default_rng(0)
    columns = {f"q{i}": rng.integers(0, 3, 1000) for i in range(3)}
    assert only(look(columns, coin(1000)), "F002").severity is Severity.WARNING


def test_conflicting_labels_bound_what_a_model_can_reach():
    columns = {"a": ["u"] * 30 + ["v"] * 30 + ["w"] * 40, "b": [1.0] * 50 + [2.0] * 50}
    target = np.array([0] * 30 + [1] * 15 + [0] * 10 + [1] * 5 + [0] * 40)
    found = only(look(columns, target), "F003")
    # u: 30 alike; v: 15 of 1 and 5 of 0, then 5 and 5; w: 40 alike.
    assert found.evidence["n_conflicting"] == 30
    assert found.evidence["accuracy_most"] == 0.9


def test_groups_on_both_sides_are_told_by_name_and_with_group_they_are_gone():
    ids = [f"43:{i // 3}:1" for i in range(900)]
    found = only(look({"caseid": ids, **noise(900)}, coin(900)), "F020")
    assert found.severity is Severity.WARNING
    assert "--group caseid" in found.overrule
    assert found.evidence["n_groups"] == 300
    task = Task(TaskKind.BINARY, "y", "roc_auc", ("c0", "c1"), group="caseid")
    assert "F020" not in codes(look({"caseid": ids, **noise(900)}, coin(900), task=task))


def test_codes_without_a_telling_name_are_groups_only_when_their_rows_are_alike():
    target = np.repeat(coin(300), 3)
    columns = {"ref": [f"A-{i // 3}" for i in range(900)], **noise(900)}
    assert only(look(columns, target), "F020").severity is Severity.INFO
    assert "F020" not in codes(look(columns, coin(900)))
    assert "F020" not in codes(look({"valid": [f"word {i // 3}" for i in range(900)]}, target))


def test_rows_in_time_order_are_told_with_what_was_done():
    columns = {"when": np.arange(500) * DAY, **noise(500)}
    target = np.linspace(0, 10, 500) + np.random.default_rng(0).normal(size=500)
    found = look(columns, target, when={"kind": Kind.DATETIME})
    assert "newest rows were sealed" in only(found, "F021").action
    assert only(found, "F024").evidence["newer"] > only(found, "F024").evidence["older"]
    parts = Split(np.arange(0, 500, 2), np.arange(1, 500, 2), How.RANDOM, "")
    assert "--time when" in only(look(columns, target, parts=parts, when={"kind": Kind.DATETIME}), "F021").overrule


def test_time_that_the_rows_do_not_follow_is_told_and_graver_when_the_target_drifts():
    when = np.random.default_rng(0).permutation(500) * DAY
    known = {"when": {"kind": Kind.DATETIME}}
    calm = look({"when": when, **noise(500)}, np.random.default_rng(1).normal(size=500), **known)
    assert only(calm, "F022").severity is Severity.INFO
    assert "--time when" in only(calm, "F022").overrule
    assert "F024" not in codes(calm)
    moving = look(
        {"when": when, **noise(500)}, (when > 350 * DAY) * 2.0 + np.random.default_rng(1).random(500), **known
    )
    assert only(moving, "F022").severity is Severity.WARNING
    assert "F024" in codes(moving)


def test_a_running_number_is_weak_evidence():
    found = look({"instant": np.arange(1, 301) * 1.0, **noise(300)}, coin(300))
    assert only(found, "F023").columns == ("instant",)
    assert "F021" not in codes(found)


# The target and the columns


def test_findings_on_classes():
    rare = only(look(noise(500), np.r_[np.zeros(250), np.ones(245), [2] * 5].astype(int)), "F031")
    assert rare.evidence["rare"] == ["c2"]
    assert only(look(noise(500), coin(500, share=0.03)), "F030").evidence["label"] == "c1"
    assert not codes(look(noise(500), coin(500))) & {"F030", "F031"}


def test_findings_on_numbers_as_target():
    rng = np.random.default_rng(0)
    target = np.minimum(rng.normal(10, 3, 1000), 13.5)
    found = only(look(noise(1000), target), "F033")
    assert found.evidence["value"] == 13.5
    assert "largest" in found.title
    counts = rng.poisson(2, 1000) + 1.0
    assert "F033" not in codes(look(noise(1000), counts))
    assert "F034" in codes(look(noise(1000), np.where(rng.random(1000) < 0.5, 0.0, rng.random(1000))))
    far = rng.normal(size=1000)
    far[3] = 1e300
    assert only(look(noise(1000), far), "F035").evidence["n_rows"] == 1
    assert not codes(look(noise(1000), rng.normal(size=1000)))


def test_rows_without_target_and_few_sealed_rows_are_counted():
    found = look(noise(60), coin(60), n_without_target=20)
    assert only(found, "F032").evidence == {"n_without": 20, "share": 0.25}
    assert only(found, "F032").severity is Severity.WARNING
    assert only(found, "F036").evidence == {"n_sealed": 12}


def test_findings_on_columns():
    n = 300
    columns = {
        **noise(n),
        "same": ["one"] * n,
        "nothing": [None] * n,
        "key": [f"k{i}" for i in range(n)],
        "blank": [None if i > 5 else float(i) for i in range(n)],
        "huge": np.random.default_rng(0).normal(size=n) * 1e200,
        "fine": [f"v{i // 2}" for i in range(n)],
        "guess": np.random.default_rng(1).normal(size=n),
    }
    known = {"key": {"kind": Kind.IDENTIFIER}, "guess": {"confidence": 0.6, "reason": "most cells read"}}
    found = look(columns, coin(n), **known)
    assert set(only(found, "F040").columns) == {"same", "nothing"}
    assert only(found, "F041").columns == ("key",)
    assert only(found, "F042").columns == ("blank",)
    assert only(found, "F045").columns == ("fine",)
    assert only(found, "F048").columns == ("huge",)
    assert only(found, "F044").evidence["guesses"] == {"guess": "number (0.60): most cells read"}


def test_unreadable_and_infinite_cells_are_told_apart_from_missing_ones():
    n = 100
    values = [float(i * i) for i in range(n)]
    raw = pl.DataFrame({"x": [str(v) for v in values], "y": ["c0", "c1"] * (n // 2)})
    raw[3, "x"], raw[4, "x"], raw[5, "x"], raw[6, "x"] = "?", "-Inf", "about 9", None
    gaps = [None if i in (3, 4, 5, 6) else v for i, v in enumerate(values)]
    found = look({"x": gaps}, np.arange(n) % 2, raw=raw, x={"null_tokens": ("?",)})
    assert only(found, "F043").evidence == {"n_cells": {"x": 1}}
    assert only(found, "F047").evidence == {"n_cells": {"x": 1}}


def test_wide_tables_are_told():
    assert "F046" in codes(look(noise(40, n_columns=60), coin(40)))


def test_findings_stand_gravest_first_and_are_plain_data():
    target = coin(300)
    found = look({**noise(300), "again": target * 2.0, "same": ["a"] * 300}, target)
    weight = [Severity.SEVERE, Severity.WARNING, Severity.INFO]
    assert [weight.index(f.severity) for f in found] == sorted(weight.index(f.severity) for f in found)
    json.dumps(plain(list(found)), allow_nan=False)
    for f in found:
        assert f.code in CODES
        assert f.title
        assert f.action
        assert f.overrule


def test_the_same_table_gives_the_same_findings():
    columns, target = table_without_signal(5)
    assert look(columns, target) == look(columns, target)


# Odd tables


def test_names_of_every_kind_are_borne():
    rng, n = np.random.default_rng(0), 200
    names = ["{}", "}{0", "same", "target", "len", "count", "value", "عمود", "🙂", "a b\n", "%s", ""]
    columns = {name: rng.normal(size=n) for name in names}
    target = coin(n)
    columns["{}"] = target * 1.0
    columns["🙂"] = np.where(rng.random(n) < 0.97, np.nan, 1.0)
    columns["🙂"] = [None if np.isnan(v) else v for v in columns["🙂"]]
    found = look(columns, target)
    assert only(found, "F013").columns == ("{}",)


@pytest.mark.parametrize("n", [2, 3, 5, 30])
@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_tiny_tables_are_borne(n, kind):
    target = np.r_[[0, 0, 1, 1], np.zeros(n, int)][:n] if kind == "classes" else np.arange(n) * 1.5
    if kind == "classes" and n < 4:
        target = np.array([0, 1, 1])[:n]
        parts = Split(np.arange(n - 1), np.array([n - 1]), How.RANDOM, "")
    else:
        parts = Split(np.arange(n // 2), np.arange(n // 2, n), How.RANDOM, "")
    task = Task(TaskKind.BINARY, "y", "roc_auc", ("c0", "c1")) if kind == "classes" else None
    columns = {"a": [f"v{i}" for i in range(n)], "b": [None] * n, "c": np.arange(n) * 1.0}
    found = look(columns, target, parts=parts, task=task)
    assert not codes(found) & LEAKS or n == 30
    assert look({}, target, parts=parts, task=task)


def test_huge_values_and_one_column_are_borne():
    top = float(np.finfo(np.float64).max)
    rng = np.random.default_rng(0)
    spread = np.where(rng.random(200) < 0.5, -top, top)
    for target in (coin(200), spread * rng.random(200), np.full(200, top)):
        look({"x": spread}, target)
        look({"x": spread, "z": -spread * rng.random(200)}, target)


@pytest.mark.slow
def test_wide_and_long_tables_are_inspected():
    rng = np.random.default_rng(0)
    wide = {f"x{i}": rng.normal(size=100) for i in range(5_000)}
    assert not codes(look(wide, coin(100))) & LEAKS
    long = {"a": rng.normal(size=170_000), "b": [f"l{i}" for i in rng.integers(0, 100_000, 170_000)]}
    assert not codes(look(long, coin(170_000))) & LEAKS


# Statistics


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)), min_size=1, max_size=200))
def test_bins_keep_the_order_and_give_zero_to_nothing_else_than_missing(values):
    array = np.array([np.nan if v is None else v for v in values])
    coded = bins(array)
    assert np.array_equal(coded == 0, np.isnan(array))
    known = ~np.isnan(array)
    order = np.argsort(array[known], kind="stable")
    assert np.all(np.diff(coded[known][order]) >= 0)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=100))
def test_ranks_agree_with_scipy(values):
    from scipy.stats import rankdata

    array = np.array(values, dtype=np.float64)
    assert np.array_equal(average_rank(array), rankdata(array) - 1)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 300), st.floats(0.01, 0.9), st.data())
def test_the_bound_on_chance_lies_above_the_binomial_tail(n, rate, data):
    from scipy.stats import binom

    hits = data.draw(st.integers(0, n))
    assert float(log_chance_of(hits, n, rate)) >= binom.logsf(hits - 1, n, rate) - 1e-9


def test_association_agrees_with_scikit_learn_where_a_number_speaks_directly():
    from sklearn.metrics import roc_auc_score

    rng, target = np.random.default_rng(0), coin(5000)
    x = rng.normal(size=5000) - target
    (signal,) = signals(pl.DataFrame({"x": x}), ["x"])
    told = Judge(task_of(target), target, seed=0).judge(signal)
    assert told.value >= 1 - roc_auc_score(target, x) - 1e-9
    assert told.value == pytest.approx(1 - roc_auc_score(target, x), abs=0.01)


def test_association_of_noise_is_near_nothing():
    for seed in range(20):
        rng, target = np.random.default_rng(seed), coin(2000, seed=seed)
        frame = pl.DataFrame({"x": rng.normal(size=2000), "c": [f"l{i}" for i in rng.integers(0, 1000, 2000)]})
        for signal in signals(frame, ["x", "c"]):
            assert Judge(task_of(target), target, seed=0).judge(signal).strength < 0.15


# Documents and real tables


def test_every_code_has_its_heading_and_every_heading_its_parts():
    text = DOCS.read_text(encoding="utf-8")
    headings = dict(re.findall(r"^## (F\d{3}) (.+)$", text, re.MULTILINE))
    assert headings == CODES
    for section in re.split(r"^## F", text, flags=re.MULTILINE)[1:]:
        for part in ("**Means.**", "**Matters.**", "**Threshold.**", "**Done.**", "**Overrule.**"):
            assert part in section, f"F{section[:3]} lacks {part}"


EXPECTED = {
    "adult": set(),
    "ames_housing": set(),
    "bike_sharing": set(),
    "california_housing": set(),
    "fatal_crashes": {"injSeverity"},
    "fuel_economy": set(),
    "german_credit": set(),
    "hflights_arr_delay": set(),
    "hflights_cancelled": {"TailNum"},
    "hr_job_change": set(),
    "lending_rate": set(),
    "letter": set(),
    "online_shoppers": set(),
    "sms_spam": set(),
    "telco_churn": set(),
}


@pytest.mark.slow
@pytest.mark.tables
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_real_leaks_are_named_and_clean_tables_are_not_accused(real_tables, name):
    meta = json.loads((real_tables / name / "meta.json").read_text())
    table = Table(pl.read_csv(real_tables / name / "train.csv", infer_schema=False), name, "")
    contract = infer(table)
    task = infer_task(table, contract, target=meta["target"])
    contract = apply_roles(contract, task, ())
    target, known = encode(table, task, contract)
    assert known.all()
    frame = conform(table.frame, contract).frame
    parts = split(frame, task, target, fraction=None, seed=0, contract=contract)
    severe = [f for f in inspect(table, frame, contract, task, target, parts) if f.severity is Severity.SEVERE]
    assert {c for f in severe for c in f.columns} == EXPECTED[name], [f.title for f in severe]


def test_roles_are_respected():
    target = coin(300)
    columns = {"leak": target * 1.0, **noise(300)}
    for role in (Role.IGNORED, Role.WEIGHT, Role.GROUP):
        assert not codes(look(columns, target, leak={"role": role})) & LEAKS
