"""The contract keeps its promises: unique names, roles, a faithful plain form, errors that say where."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.core.contract import Column, Contract, Kind, Level, NullPolicy, Role
from modelwright.core.errors import InvalidContract, UnknownColumn

COLUMNS = st.builds(
    Column,
    name=st.text(max_size=6),
    kind=st.sampled_from(Kind),
    role=st.sampled_from(Role),
    confidence=st.floats(0, 1),
    reason=st.text(max_size=5),
    null_tokens=st.lists(st.text(max_size=3), max_size=2).map(tuple),
    null_policy=st.sampled_from(NullPolicy),
    n_rows=st.integers(0, 99),
    low=st.none() | st.floats(-9, 9),
    is_integer=st.booleans(),
    levels=st.lists(st.builds(Level, st.text(max_size=3), st.integers(0, 9)), max_size=2).map(tuple),
)


def test_a_column_stands_in_a_contract_once() -> None:
    with pytest.raises(InvalidContract, match="once"):
        Contract((Column("a", Kind.NUMBER), Column("a", Kind.TEXT)))


@settings(max_examples=30, deadline=None)
@given(st.lists(COLUMNS, max_size=4, unique_by=lambda c: c.name).map(tuple))
def test_the_plain_form_brings_the_contract_back(columns: tuple[Column, ...]) -> None:
    contract = Contract(columns)
    again = Contract.from_dict(contract.to_dict())
    assert again == contract
    assert again.fingerprint == contract.fingerprint


def test_features_are_neither_constants_nor_identifiers_nor_of_another_role() -> None:
    columns = [Column(kind.value, kind) for kind in Kind]
    contract = Contract((*columns, Column("y", Kind.NUMBER), Column("skip", Kind.NUMBER), Column("at", Kind.DATETIME)))
    contract = contract.with_roles(target=("y",), ignored=("skip",), time=("at",))
    assert {c.name for c in contract.features} == {"number", "category", "boolean", "datetime", "text", "at"}
    assert contract.column("y").role is Role.TARGET
    assert contract.inputs == contract.features


def test_an_unknown_column_is_answered_with_the_nearest() -> None:
    contract = Contract((Column("Churn", Kind.BOOLEAN),))
    with pytest.raises(UnknownColumn, match="Churn"):
        contract.column("chrun")
    with pytest.raises(UnknownColumn, match="Churn"):
        contract.with_roles(target=("chrun",))


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ([], "list"),
        ({"columns": {}}, "dict"),
        ({"columns": [{"kind": "number"}]}, r"columns\[0\]"),
        ({"columns": [{"name": "a"}]}, r"columns\[0\] \(a\)"),
        ({"columns": [{"name": "a", "kind": "nummer"}]}, "nummer"),
        ({"columns": [{"name": "a", "kind": "number", "lowest": 1}]}, "low"),
        ({"columns": [{"name": "a", "kind": "number", "low": "x"}]}, r"\(a\)"),
        ({"columns": [{"name": "a", "kind": "category", "levels": [{"value": 1}]}]}, "count"),
    ],
)
def test_a_malformed_contract_is_refused_with_its_place(data: object, where: str) -> None:
    with pytest.raises(InvalidContract, match=where):
        Contract.from_dict(data)


def test_levels_may_be_written_as_plain_values() -> None:
    contract = Contract.from_dict({"columns": [{"name": "a", "kind": "category", "levels": ["x", 1]}]})
    assert contract.columns[0].levels == (Level("x", 1), Level("1", 1))
