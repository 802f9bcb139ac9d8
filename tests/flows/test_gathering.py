"""Gathering: old and labelled rows as one table, nothing twice, nothing that cannot be learnt from."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from modelwright.core.errors import NothingToLearn, UnknownColumn
from modelwright.core.prediction import Answered, Outcome, PredictionRecord
from modelwright.data.inference import infer
from modelwright.data.reading import read
from modelwright.data.tasks import apply_roles, infer_task
from modelwright.flows._gathering import IDS, WEIGHT, gather

DECIMAL = [{"size": f"{i},5", "kind": "ab"[i % 2], "y": "yes" if i % 3 else "no"} for i in range(60)]


class Book:
    """A ledger of what it is given."""

    def __init__(self, *answered: Answered) -> None:
        self.answered = answered

    def read(self, model):
        yield self.answered


def said(n: int, row, truth, *, role: str = "champion") -> Answered:
    record = PredictionRecord(f"{n:032x}", 1_000.0 + n, "m", "1", "f", row, "yes", (0.5, 0.5), role=role)
    return Answered(record, None if truth is None else Outcome(record.id, truth, record.time + 1))


@pytest.fixture
def package(tmp_path):
    """What gathering asks of a package: contract, task, and where its table lies."""
    path = tmp_path / "old.csv"
    path.write_text("\n".join(["size;kind;y", *(";".join(r.values()) for r in DECIMAL), ""]))
    table = read(str(path))
    contract = infer(table)
    task = infer_task(table, contract, target="y")
    contract = apply_roles(contract, task, ())
    manifest = SimpleNamespace(data={"source": str(path)}, options={}, created="2026-01-01T00:00:00+00:00")
    return SimpleNamespace(model=SimpleNamespace(contract=contract, task=task), manifest=manifest)


def test_new_rows_come_after_the_old_ones_spelt_as_they_are(package):
    found = gather(
        "m",
        package,
        Book(said(1, {"size": 100.5, "kind": "a"}, "no"), said(2, {"size": "7", "kind": None}, "yes")),
        data=None,
    )
    assert found.frame.tail(2).rows() == [("100,5", "a", "no"), ("7", None, "yes")]
    assert found.is_new.tolist() == [False] * 60 + [True, True]
    assert found.times[-2:].tolist() == [1_001.0, 1_002.0]
    assert found.times[:60].max() < 1_001.0
    assert found.counts == {"old": 60, "new": 2, "repeated": 0, "known": 0}
    assert not found.has_times


def test_what_is_awaited_shadowed_known_or_a_copy_is_left_out(package, tmp_path):
    (tmp_path / IDS).write_text(json.dumps([f"{5:032x}"]))
    rows = (
        said(1, {"size": 100, "kind": "a"}, "no"),
        said(2, {"size": 101, "kind": "a"}, None),
        said(3, {"size": 102, "kind": "a"}, "no", role="shadow"),
        said(4, {"size": 4.5, "kind": "a"}, "yes"),  # the champion's fifth row
        said(5, {"size": 103, "kind": "a"}, "no"),
        said(6, {"size": 100, "kind": "a"}, "no"),  # asked twice
        said(7, {"size": 100, "kind": "a"}, "yes"),  # the same with another outcome is no copy
    )
    found = gather("m", package, Book(*rows), data=None)
    assert [int(i, 16) for i in found.ids] == [1, 7]
    assert found.counts == {"old": 60, "new": 2, "repeated": 2, "known": 1}
    assert found.known_ids == (f"{5:032x}",)


def test_where_rows_repeat_by_nature_equal_rows_are_kept(package, tmp_path):
    twice = tmp_path / "twice.csv"
    twice.write_text("\n".join(["size;kind;y", *(";".join(r.values()) for r in [*DECIMAL, *DECIMAL]), ""]))
    found = gather("m", package, Book(said(4, {"size": 4.5, "kind": "a"}, "yes")), data=str(twice))
    assert found.counts["new"] == 1


def test_the_weights_of_an_earlier_retraining_are_not_learnt_from(package, tmp_path):
    weighed = tmp_path / "weighed.csv"
    weighed.write_text("\n".join([f"size;kind;y;{WEIGHT}", *(";".join([*r.values(), "0,5"]) for r in DECIMAL), ""]))
    assert WEIGHT not in gather("m", package, Book(), data=str(weighed)).frame.columns


@pytest.mark.parametrize("cell", ["***", "hmac:0123"])
def test_a_ledger_that_hides_what_the_model_reads_teaches_nothing(package, cell):
    with pytest.raises(NothingToLearn, match="size"):
        gather("m", package, Book(said(1, {"size": cell, "kind": "a"}, "no")), data=None)
    with pytest.raises(NothingToLearn, match="kind"):
        gather("m", package, Book(said(1, {"size": 1}, "no")), data=None)


def test_a_table_that_is_not_there_or_another_is_explained(package, tmp_path):
    with pytest.raises(NothingToLearn, match="name its table with --data"):
        gather("m", package, Book(), data=str(tmp_path / "none.csv"))
    other = tmp_path / "other.csv"
    other.write_text("size;y\n1;yes\n2;no\n")
    with pytest.raises(UnknownColumn, match="kind"):
        gather("m", package, Book(), data=str(other))


def test_numbers_stay_numbers_where_the_table_has_types(package, tmp_path):
    import polars as pl

    path = tmp_path / "typed.parquet"
    rows = {"size": np.arange(60) + 0.5, "kind": ["a", "b"] * 30, "y": ["yes", "no"] * 30}
    pl.DataFrame(rows).write_parquet(path)
    found = gather("m", package, Book(said(1, {"size": 3, "kind": "a"}, "no")), data=str(path))
    assert found.frame.schema["size"] == pl.Float64
    mixed = gather("m", package, Book(said(1, {"size": "x", "kind": "a"}, "no")), data=str(path))
    assert mixed.frame["size"].to_list()[-2:] == ["59.5", "x"]
