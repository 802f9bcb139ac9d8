"""What is asked of a table: kind, labels, positive label, roles, encoding, and every refusal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.core.contract import Column, Contract, Kind, Role
from modelwright.core.errors import InvalidTarget, InvalidTask, ModelwrightError, UnknownColumn
from modelwright.core.table import Table
from modelwright.core.task import LabelType, Task, TaskKind
from modelwright.data.inference import infer
from modelwright.data.tasks import apply_roles, encode, infer_task


def table(**columns: Any) -> Table:
    return Table(pl.DataFrame(columns), "test.csv", "")


def task_of(values: Any, **options: Any) -> Task:
    rows = table(y=values)
    return infer_task(rows, infer(rows), target="y", **options)


RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("values", "kind", "labels", "label_type"),
    [
        (["yes", "no"] * 5, TaskKind.BINARY, ("no", "yes"), LabelType.TEXT),
        (["1", "0", "0"] * 5, TaskKind.BINARY, ("0", "1"), LabelType.INTEGER),
        (["1.0", "0.0"] * 5, TaskKind.BINARY, ("0.0", "1.0"), LabelType.TEXT),
        ([1, 0] * 5, TaskKind.BINARY, ("0", "1"), LabelType.INTEGER),
        ([1.0, 0.0] * 5, TaskKind.BINARY, ("0", "1"), LabelType.FLOAT),
        ([True, False] * 5, TaskKind.BINARY, ("False", "True"), LabelType.BOOLEAN),
        (["TRUE", "FALSE"] * 5, TaskKind.BINARY, ("FALSE", "TRUE"), LabelType.TEXT),
        (["a", "b", "c"] * 5, TaskKind.MULTICLASS, ("a", "b", "c"), LabelType.TEXT),
        (["10", "9", "1"] * 5, TaskKind.MULTICLASS, ("1", "9", "10"), LabelType.INTEGER),
        (["01234", "12345", "00001"] * 5, TaskKind.MULTICLASS, ("00001", "01234", "12345"), LabelType.TEXT),
        ([0.5, 1.0, 1.5] * 5, TaskKind.REGRESSION, (), LabelType.TEXT),
        (["1.5", "2", "2.5", ""] * 5, TaskKind.REGRESSION, (), LabelType.TEXT),
        (list(range(21)) * 3, TaskKind.REGRESSION, (), LabelType.TEXT),
        (list(range(20)) * 3, TaskKind.MULTICLASS, tuple(map(str, range(20))), LabelType.INTEGER),
        ([*range(12), *range(11), *range(11)], TaskKind.REGRESSION, (), LabelType.TEXT),
        (list(range(8)), TaskKind.REGRESSION, (), LabelType.TEXT),
        (np.arange(300), TaskKind.REGRESSION, (), LabelType.TEXT),
        (["$1,200.50", "$3", "$17.25", "$9"], TaskKind.REGRESSION, (), LabelType.TEXT),
        (["🦊", "שלום"] * 3, TaskKind.BINARY, ("שלום", "🦊"), LabelType.TEXT),
    ],
)
def test_kind_and_labels(values: Any, kind: TaskKind, labels: tuple[str, ...], label_type: LabelType) -> None:
    task = task_of(values)
    assert (task.kind, task.labels, task.label_type) == (kind, labels, label_type)
    assert task.reason
    assert task.metric == {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}[kind.value]


@pytest.mark.parametrize(
    ("values", "positive"),
    [
        (["yes", "yes", "no"] * 3, "yes"),
        (["none", "yes"] * 3, "yes"),
        (["pos", "neg", "pos"] * 3, "pos"),
        (["1", "1", "0"] * 3, "1"),
        (["1", "1", "-1"] * 3, "1"),
        (["1", "1", "2"] * 3, "2"),
        (["spam", "ham", "ham"] * 3, "spam"),
        (["<=50K", "<=50K", ">50K"] * 3, ">50K"),
        (["a", "b"] * 3, "b"),
    ],
)
def test_the_positive_label_is_so_by_its_word_or_else_the_rarer(values: list[str], positive: str) -> None:
    assert task_of(values).positive == positive


def test_the_positive_label_may_be_chosen() -> None:
    assert task_of(["yes", "no"] * 3, positive="no").labels == ("yes", "no")
    assert task_of([1.0, 0.0] * 3, positive="0.0").positive == "0"
    assert task_of(["very  good", "bad"] * 3, positive=" very good ").positive == "very  good"


def test_labels_that_differ_in_blanks_only_are_the_same() -> None:
    rows = table(y=["good", "good ", " good", "so so", "so  so", "so so", None, " ", "?"])
    contract = infer(rows)
    task = infer_task(rows, contract, target="y")
    assert task.labels == ("good", "so so")
    target, known = encode(rows, task, contract)
    assert target.tolist() == [0, 0, 0, 1, 1, 1, -1, -1, -1]
    assert known.tolist() == [True] * 6 + [False] * 3


@pytest.mark.parametrize(
    ("trained", "later", "wanted"),
    [
        (["1", "0"] * 3, [1.0, 0.0, None, 2.0], [1, 0, -1, -1]),
        ([1, 0] * 3, ["1.0", " 0", "x", ""], [1, 0, -1, -1]),
        ([True, False] * 3, ["true", "FALSE", "1", None], [1, 0, -1, -1]),
        (["True", "False"] * 3, [True, False, None, None], [1, 0, -1, -1]),
        (["yes", "no"] * 3, ["no", "yes", "maybe", "NO"], [0, 1, -1, -1]),
        (["1.0", "0.0"] * 3, ["1", "0", "1.00", "01"], [1, 0, 1, -1]),
    ],
)
def test_labels_are_found_again_however_they_are_typed(trained: Any, later: Any, wanted: list[int]) -> None:
    rows = table(y=trained)
    contract = infer(rows)
    target, known = encode(table(y=later), infer_task(rows, contract, target="y"), contract)
    assert target.tolist() == wanted
    assert target.dtype == np.int64
    assert known.tolist() == [w >= 0 for w in wanted]


def test_a_regression_target_is_encoded_as_numbers() -> None:
    rows = table(y=["1,200.5", "3", "?", "", "7.25", "12 ", "-4"] * 5)
    contract = infer(rows)
    task = infer_task(rows, contract, target="y")
    target, known = encode(rows, task, apply_roles(contract, task))
    assert target[:7] == pytest.approx([1200.5, 3, np.nan, np.nan, 7.25, 12, -4], nan_ok=True)
    assert known[:7].tolist() == [True, True, False, False, True, True, True]
    assert target.flags.writeable


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["a", " b", "c ", "1", "1.0", "", None, "?", "None"]), max_size=30))
def test_encoded_labels_spell_what_stood_there(values: list[str | None]) -> None:
    values = [*values, *values, "x", "x", "y", "y"]
    rows = table(y=values)
    contract = infer(rows)
    task = infer_task(rows, contract, target="y")
    target, known = encode(rows, task, contract)
    for value, position, is_known in zip(values, target, known, strict=True):
        assert is_known == (value not in ("", None, "?"))
        assert not is_known or float_or_text(task.labels[position]) == float_or_text(value)


def float_or_text(text: str | None) -> str:
    return {"1.0": "1"}.get((text or "").strip(), (text or "").strip())


ROWS = table(
    y=["a", "b"] * 4,
    three=["a", "b", "c", "a", "b", "c", "a", "b"],
    price=[1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5],
    empty=[None] * 8,
    one=["a"] * 8,
    same=[3] * 8,
    names=list("abcdefgh"),
    single=["a", "a", "a", "b", "b", "b", "c", "d"],
    day=[f"2020-01-0{i}" for i in range(1, 9)],
    minus=[-1.0, 2, 3, 4, 5, 6, 7, 8],
    gaps=[None, 2, 3, 4, 5, 6, 7, 8],
)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"target": "Prise"}, InvalidTarget, "did you mean 'price'"),
        ({"target": "empty"}, InvalidTarget, "no value in any row"),
        ({"target": "one"}, InvalidTarget, "one value in all 8 rows"),
        ({"target": "empty", "kind": "regression"}, InvalidTarget, "no value in any row"),
        ({"target": "same", "kind": "regression"}, InvalidTarget, "one value in all 8 rows"),
        ({"target": "names"}, InvalidTarget, "names the rows"),
        ({"target": "single"}, InvalidTarget, "a single row for 'c', 'd'"),
        ({"target": "day"}, InvalidTarget, "date-times"),
        ({"target": "y", "kind": "regresion"}, InvalidTask, "did you mean 'regression'"),
        ({"target": "y", "kind": "regression"}, InvalidTask, "8 of 8 values are no numbers"),
        ({"target": "y", "kind": "multiclass"}, InvalidTask, "choose --task binary"),
        ({"target": "three", "kind": "binary"}, InvalidTask, "3 labels"),
        ({"target": "price", "kind": "multiclass"}, InvalidTarget, "a single row for"),
        ({"target": "y", "metric": "rmse"}, InvalidTask, "--metric"),
        ({"target": "price", "metric": "roc_auc"}, InvalidTask, "--metric"),
        ({"target": "y", "positive": "B "}, InvalidTask, "did you mean 'b'"),
        ({"target": "three", "positive": "a"}, InvalidTask, "binary task"),
        ({"target": "price", "positive": "a"}, InvalidTask, "binary task"),
        ({"target": "y", "time": "Day"}, UnknownColumn, "did you mean 'day'"),
        ({"target": "y", "group": "y"}, InvalidTask, "is the target already"),
        ({"target": "y", "group": "day", "time": "day"}, InvalidTask, "one role"),
        ({"target": "y", "time": "three"}, InvalidTask, "date-times or numbers"),
        ({"target": "y", "weight": "three"}, InvalidTask, "a column of kind category"),
        ({"target": "y", "weight": "minus"}, InvalidTask, "numbers from -1 to 8"),
        ({"target": "y", "weight": "gaps"}, InvalidTask, "1 rows without"),
        ({"target": "y", "weight": "day"}, InvalidTask, "kind datetime"),
    ],
)
def test_refusals_have_four_parts(options: dict[str, Any], error: type[ModelwrightError], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        infer_task(ROWS, infer(ROWS), **options)
    assert all(caught.value.to_dict().values()), caught.value.to_dict()


def test_one_row_is_refused() -> None:
    with pytest.raises(InvalidTarget, match="two distinct values"):
        task_of(["a"])


def test_options_are_kept() -> None:
    task = infer_task(
        ROWS, infer(ROWS), target="y", metric="f1", time="day", group="three", weight="price", kind=TaskKind.BINARY
    )
    assert (task.metric, task.time, task.group, task.weight) == ("f1", "day", "three", "price")
    assert "as asked" in task.reason


def test_numbers_may_be_asked_for_as_classes_and_truths_as_regression() -> None:
    assert task_of([1.5, 2.5, 3.5] * 3, kind="multiclass").labels == ("1.5", "2.5", "3.5")
    assert task_of([0, 1] * 3, kind="regression").kind is TaskKind.REGRESSION


def test_roles_are_marked_and_read_as_numbers_where_needed() -> None:
    rows = table(
        y=RANDOM.normal(size=200),
        step=np.arange(200),
        shop=["a", "b"] * 100,
        w=[0, 1] * 100,
        noise=RANDOM.normal(size=200),
    )
    contract = infer(rows)
    assert contract.column("step").kind is Kind.IDENTIFIER
    task = infer_task(rows, contract, target="y", time="step", group="shop", weight="w")
    marked = apply_roles(contract, task, ["noise"])
    assert {c.name: c.role for c in marked.columns} == {
        "y": Role.TARGET,
        "step": Role.TIME,
        "shop": Role.GROUP,
        "w": Role.WEIGHT,
        "noise": Role.IGNORED,
    }
    assert marked.column("step").kind is marked.column("w").kind is Kind.NUMBER
    assert [c.name for c in marked.features] == ["step"]


def test_ignored_columns_must_exist_and_not_be_needed() -> None:
    contract = Contract((Column("y", Kind.NUMBER), Column("x", Kind.NUMBER)))
    task = Task(TaskKind.REGRESSION, "y", "rmse")
    with pytest.raises(UnknownColumn, match="X"):
        apply_roles(contract, task, ["X"])
    with pytest.raises(InvalidTask, match="--ignore"):
        apply_roles(contract, task, ["y"])


def test_a_table_without_the_target_cannot_be_encoded() -> None:
    with pytest.raises(UnknownColumn, match="did you mean 'Y'"):
        encode(table(Y=[1, 2]), Task(TaskKind.REGRESSION, "y", "rmse"), Contract((Column("y", Kind.NUMBER),)))


def test_an_empty_table_is_encoded() -> None:
    rows = table(y=["a", "b"] * 2)
    contract = infer(rows)
    target, known = encode(Table(rows.frame.head(0), "", ""), infer_task(rows, contract, target="y"), contract)
    assert target.shape == known.shape == (0,)


TASKS = (
    *("adult", "ames_housing", "bike_sharing", "california_housing", "fatal_crashes", "fuel_economy", "german_credit"),
    *("hflights_arr_delay", "hflights_cancelled", "hr_job_change", "lending_rate", "letter", "online_shoppers"),
    *("sms_spam", "soybean", "telco_churn"),
)


@pytest.mark.tables
@pytest.mark.parametrize("name", TASKS)
def test_real_tables_are_asked_what_their_notes_say(name: str, real_tables: Path) -> None:
    notes = json.loads((real_tables / name / "meta.json").read_text())
    train, test = (
        Table(pl.read_csv(real_tables / name / f"{part}.csv", infer_schema=False), part, "")
        for part in ("train", "test")
    )
    contract = infer(train)
    task = infer_task(train, contract, target=notes["target"])
    assert (task.kind, task.metric) == (notes["task"], notes["metric"])
    if task.kind is TaskKind.BINARY:
        assert task.positive == str(notes["positive_label"])
    for rows in (train, test):
        _, known = encode(rows, task, apply_roles(contract, task))
        assert known.all()
