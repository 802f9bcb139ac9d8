"""Contract files: written, edited, given back, and refused with the line that is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from modelwright.core.contract import Column, Contract, Kind, Level, NullPolicy, Role
from modelwright.core.errors import InvalidContract, ModelwrightError, UnreadableSource, UnwritableOutput
from modelwright.core.table import Table
from modelwright.data.contract_files import load_contract, merge_contract, save_contract
from modelwright.data.inference import complete, infer

TABLE = Table(
    pl.DataFrame(
        {
            "n": ["1,200.5", "3", "?"] * 5,
            "c": ["red", "grün", '🦊 "x"'] * 5,
            "d": ["31.01.2011", "01.02.2011", ""] * 5,
            "b": ["yes", "no", "no"] * 5,
            "zip": [1, 2, 3] * 5,
        }
    ),
    "t",
    "",
)


def test_a_contract_comes_back_from_its_file(tmp_path: Path) -> None:
    contract = infer(TABLE, roles={"b": Role.TARGET})
    path = tmp_path / "contract.json"
    save_contract(contract, path)
    assert load_contract(path) == contract
    assert [p.name for p in tmp_path.iterdir()] == ["contract.json"]


def test_the_file_is_short_and_readable(tmp_path: Path) -> None:
    levels = (Level("a", 2), Level("b", 1))
    save_contract(Contract((Column("c", Kind.CATEGORY, n_rows=3, n_distinct=2, levels=levels),)), tmp_path / "c.json")
    assert (
        (tmp_path / "c.json").read_text()
        == """{
  "format": 1,
  "columns": [
    {
      "name": "c",
      "kind": "category",
      "role": "feature",
      "reason": "",
      "n_rows": 3,
      "n_distinct": 2,
      "levels": [
        {"value": "a", "count": 2},
        {"value": "b", "count": 1}
      ]
    }
  ]
}
"""
    )


def test_an_empty_contract_comes_back(tmp_path: Path) -> None:
    save_contract(Contract(()), tmp_path / "c.json")
    assert load_contract(tmp_path / "c.json") == Contract(())


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnwritableOutput, match="No such file"):
        save_contract(Contract(()), tmp_path / "nowhere" / "c.json")


def test_a_folder_in_the_way_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "c.json").mkdir()
    with pytest.raises(UnwritableOutput):
        save_contract(Contract(()), tmp_path / "c.json")
    assert [p.name for p in tmp_path.iterdir()] == ["c.json"]


def one(text: str) -> str:
    return f'{{"columns": [{{"name": "a", "kind": "number"{text}}}]}}'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{\n  "columns": [\n    {"name": "a"\n     "kind": "number"}\n  ]\n}', "line 4"),
        ("", "line 1"),
        ("[" * 100_000, "nested"),
        ('{"x": ' + "9" * 5000 + "}", "too long"),
        ("[]", "found: list"),
        ('{"format": 2, "columns": []}', "format 1"),
        ('{"columns": [3]}', r"columns\[0\]"),
        (one(', "low": "x"'), r"columns\[0\] \(a\)"),
        (one(', "low": NaN'), "low is written as int or float or nothing"),
        (one(', "low": 1' + "0" * 400), "low is written"),
        (one(', "low": 2, "high": 1'), "low <= high"),
        (one(', "n_rows": true'), "n_rows is written as int"),
        (one(', "is_integer": 1'), "is_integer is written as bool"),
        (one(', "null_tokens": "NA"'), "null_tokens is written as list"),
        (one(', "confidence": null'), "confidence is written"),
        (one(', "decimal": ",", "thousands": ","'), "decimal mark"),
        (one(', "decimal": ";"'), "decimal mark"),
        (one(', "lowest": 1'), "low"),
        ('{"columns": [{"name": "a", "kind": "datetime", "datetime_format": "dd.mm"}]}', r"\(a\), datetime_format"),
        ('{"columns": [{"name": "a", "kind": "text"}, {"name": "a", "kind": "text"}]}', "once"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(text)
    with pytest.raises(InvalidContract, match=says) as caught:
        load_contract(path)
    assert str(path) in caught.value.where
    assert all(caught.value.to_dict().values())


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_what_cannot_be_read_is_said(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "c.json"
    if content:
        path.write_bytes(content)
    with pytest.raises(UnreadableSource) as caught:
        load_contract(path)
    assert isinstance(caught.value, ModelwrightError)
    assert all(caught.value.to_dict().values())


def test_a_given_column_replaces_the_inferred_one() -> None:
    inferred = infer(TABLE)
    given = Contract(
        (Column("zip", Kind.CATEGORY), Column("n", Kind.NUMBER, thousands=",", null_policy=NullPolicy.FLAG))
    )
    merged = merge_contract(inferred, given)
    assert [c.name for c in merged.columns] == [c.name for c in inferred.columns]
    assert merged.column("c") == inferred.column("c")
    assert (merged.column("zip").kind, merged.column("zip").confidence) == (Kind.CATEGORY, 1.0)
    number = complete(TABLE, merged).column("n")
    assert (number.null_policy, number.high, number.n_missing) == (NullPolicy.FLAG, 1200.5, 5)
    assert complete(TABLE, merged).column("zip").levels == (Level("1", 5), Level("2", 5), Level("3", 5))


def test_what_was_learnt_stays_where_the_meaning_does() -> None:
    inferred = infer(TABLE, roles={"c": Role.GROUP})
    merged = merge_contract(inferred, Contract((Column("c", Kind.CATEGORY, null_policy=NullPolicy.REFUSE),)))
    assert replace(merged.column("c"), null_policy=NullPolicy.ALLOW, confidence=0.95, reason="3 levels") == (
        inferred.column("c")
    )
    assert merge_contract(inferred, inferred).fingerprint != ""
    listed = Contract((Column("c", Kind.CATEGORY, levels=(Level("red", 1),)),))
    assert merge_contract(inferred, listed).column("c").n_distinct == 1


def test_a_given_column_the_table_lacks_is_refused() -> None:
    with pytest.raises(InvalidContract, match="did you mean 'zip'"):
        merge_contract(infer(TABLE), Contract((Column("Zip", Kind.CATEGORY),)))
