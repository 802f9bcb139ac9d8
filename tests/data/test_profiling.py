"""Profiles: right numbers, plain data, and no table that makes them fail."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.core.contract import Column, Contract, Kind
from modelwright.core.finding import Finding, Severity
from modelwright.core.table import Table
from modelwright.core.task import Task, TaskKind
from modelwright.data.conforming import conform
from modelwright.data.inference import infer
from modelwright.data.profiling import profile

BINARY = Task(TaskKind.BINARY, "y", "roc_auc", ("no", "yes"))
NUMBER = Task(TaskKind.REGRESSION, "y", "rmse")


def describe(frame: pl.DataFrame, kinds: dict[str, Kind], **given):
    contract = Contract(tuple(Column(name, kinds.get(name, Kind.NUMBER)) for name in frame.columns))
    told = profile(Table(frame, "here", "f00"), frame, contract, **given)
    json.dumps(told, allow_nan=False)
    return told, {c["name"]: c for c in told["columns"]}


def test_each_kind_is_told_in_its_own_words():
    frame = pl.DataFrame(
        {
            "n": [1.0, 2.0, 3.0, 4.0, None],
            "c": ["b", "a", "b", None, "a"],
            "d": [0.0, 86_400.0, 3 * 86_400.0, None, None],
            "t": ["one two", "three", None, "", "one"],
            "k": ["k1", "k2", "k3", "k4", "k5"],
            "o": ["same"] * 5,
        }
    )
    kinds = {"c": Kind.CATEGORY, "d": Kind.DATETIME, "t": Kind.TEXT, "k": Kind.IDENTIFIER, "o": Kind.CONSTANT}
    told, columns = describe(frame, kinds)
    assert (told["n_rows"], told["n_columns"], told["source"]) == (5, 6, "here")
    assert told["memory_bytes"] > 0
    assert (columns["n"]["n_missing"], columns["n"]["missing_share"], columns["n"]["n_distinct"]) == (1, 0.2, 4)
    assert columns["n"]["numbers"]["low"] == 1
    assert columns["n"]["numbers"]["mean"] == 2.5
    assert columns["n"]["numbers"]["standard_deviation"] == pytest.approx(np.std([1, 2, 3, 4], ddof=1))
    assert columns["c"]["levels"] == [
        {"value": "a", "count": 2, "share": 0.4},
        {"value": "b", "count": 2, "share": 0.4},
    ]
    assert columns["d"]["dates"] == {
        "first": "1970-01-01T00:00:00+00:00",
        "last": "1970-01-04T00:00:00+00:00",
        "days": 3.0,
    }
    assert columns["t"]["text"] == {
        "characters_least": 0,
        "characters_mean": 3.75,
        "characters_most": 7,
        "words_mean": 1.0,
    }
    assert columns["o"]["levels"] == [{"value": "same", "count": 5, "share": 1.0}]
    assert told["target"] is None


def test_text_and_identifiers_are_never_quoted():
    frame = pl.DataFrame({"t": ["Ada Lovelace wrote", "to Charles Babbage"], "k": ["ada@x.org", "cb@x.org"]})
    told, _ = describe(frame, {"t": Kind.TEXT, "k": Kind.IDENTIFIER})
    assert "Ada" not in json.dumps(told)
    assert "x.org" not in json.dumps(told)


def test_the_target_and_what_columns_tell_of_it():
    rng = np.random.default_rng(0)
    target = rng.integers(0, 2, 1000)
    frame = pl.DataFrame({"all": target * 1.0, "nothing": rng.normal(size=1000)})
    told, columns = describe(frame, {}, task=BINARY, target=target)
    assert columns["all"]["association"]["strength"] == pytest.approx(1.0)
    assert columns["nothing"]["association"]["strength"] < 0.15
    assert [x["value"] for x in told["target"]["labels"]] == ["no", "yes"]
    assert sum(x["count"] for x in told["target"]["labels"]) == 1000

    number = rng.normal(size=1000)
    told, columns = describe(frame.with_columns(line=-pl.Series(number)), {}, task=NUMBER, target=number)
    assert columns["line"]["association"]["strength"] == pytest.approx(1.0)
    histogram = told["target"]["histogram"]
    assert sum(histogram["counts"]) == 1000
    counts, _ = np.histogram(number, bins=np.array(histogram["edges"]))
    assert np.abs(counts - histogram["counts"]).sum() <= 2


def test_findings_are_carried_as_plain_data():
    found = Finding("F040", Severity.INFO, "x holds one value or none", ("x",), {"n": np.int64(3)})
    told, _ = describe(pl.DataFrame({"x": [1.0]}), {}, findings=[found])
    assert told["findings"][0]["severity"] == "info"
    assert told["findings"][0]["evidence"] == {"n": 3}


@pytest.mark.parametrize("height", [0, 1, 2])
def test_tables_of_nothing_or_one_row_are_borne(height):
    rows = {"a": [None, None], "b": ["x", None], "c": [1.0, None], "d": [1e18, -1e18]}
    schema = {"a": pl.Float64, "b": pl.String, "c": pl.Float64, "d": pl.Float64}
    frame = pl.DataFrame(rows, schema=schema)[:height]
    kinds = {"a": Kind.CONSTANT, "b": Kind.CATEGORY, "d": Kind.DATETIME}
    describe(frame, kinds)
    describe(frame, kinds, task=NUMBER, target=np.arange(height) * 1.0)
    describe(frame, kinds, task=BINARY, target=np.arange(height) % 2)
    assert describe(pl.DataFrame(), {})[0]["columns"] == []


def test_dates_past_all_calendars_are_unknown():
    _, columns = describe(pl.DataFrame({"d": [-1e300, 1e300]}), {"d": Kind.DATETIME})
    assert columns["d"]["dates"]["first"] is None


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
            st.one_of(st.none(), st.text(max_size=8)),
            st.floats(allow_nan=False, allow_infinity=False),
        ),
        min_size=2,
        max_size=40,
    )
)
def test_any_conformed_table_has_a_profile(rows):
    frame = pl.DataFrame(rows, schema={"x": pl.Float64, "value": pl.String, "count": pl.Float64}, orient="row")
    target = frame["count"].to_numpy()
    _, columns = describe(frame, {"value": Kind.CATEGORY}, task=NUMBER, target=target)
    for column in columns.values():
        assert 0 <= column["association"]["strength"] <= 1
        assert 0 <= column["missing_share"] <= 1


@pytest.mark.slow
@pytest.mark.tables
@pytest.mark.parametrize("name", ["telco_churn", "lending_rate", "sms_spam", "bike_sharing"])
def test_real_tables_have_profiles(real_tables, name):
    table = Table(pl.read_csv(real_tables / name / "train.csv", infer_schema=False), name, "")
    contract = infer(table)
    told = profile(table, conform(table.frame, contract).frame, contract)
    assert len(told["columns"]) == table.frame.width
    assert len(json.dumps(told, allow_nan=False)) < 200_000
