"""The door's verdicts are those of the contract everywhere else."""

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelwright.core.contract import Column, Contract, Kind, Level, NullPolicy
from modelwright.core.errors import ContractBroken
from modelwright.data.conforming import conform
from modelwright.service.door import Door
from modelwright.service.policy import Policy
from modelwright.service.refusals import Refused

CONTRACT = Contract(
    (
        Column("n", Kind.NUMBER, low=0.0, high=10.0, null_tokens=("-9", "void")),
        Column("euro", Kind.NUMBER, low=0.0, high=2000.0, decimal=",", thousands="."),
        Column("flagged", Kind.NUMBER, low=-5.0, high=5.0, null_policy=NullPolicy.FLAG),
        Column("c", Kind.CATEGORY, n_distinct=3, levels=(Level("a", 9), Level("6", 5), Level("none", 1))),
        Column("open", Kind.CATEGORY, n_distinct=5000, levels=(Level("a", 9),)),
        Column("b", Kind.BOOLEAN, true_spellings=("ja",), false_spellings=("nein",)),
        Column("d", Kind.DATETIME, low=0.0, high=2e9, datetime_format="iso"),
        Column("t", Kind.TEXT),
    )
)
WORDS = "|a| a |b|6|6.0|none|NA|?|-9|-9.0|void|0|1|10|11|1e400|nan|1.234,5|1,5|1_0|yes|Ja|NEIN|true|soon|٣|--|5.5"
TEXTS = st.sampled_from([*WORDS.split("|"), " ", "2020-01-01", "1960-01-01", "x" * 90])
CELLS = st.one_of(TEXTS, st.none(), st.integers(-20, 20), st.booleans(), st.floats(-20, 20), st.just(1e308))


def verdicts(rows):
    """What ``conform`` says, by column and rule; columns are text, so that each cell is its own."""
    found = {}
    for i, row in enumerate(rows):
        typed = {name: pl.Series(name, [value]) for name, value in row.items()}
        for b in conform(pl.DataFrame(list(typed.values())), CONTRACT, only_inputs=True).breaks:
            found.setdefault(i, set()).add((b.column, b.rule))
    return found


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.fixed_dictionaries({c.name: CELLS for c in CONTRACT.columns}))
def test_verdicts_are_those_of_batch_scoring(row):
    admitted = Door(CONTRACT, Policy()).admit([row])
    assert {(d.column, d.rule) for d in admitted.departures} == verdicts([row]).get(0, set())


@settings(max_examples=50, deadline=None)
@given(st.lists(st.fixed_dictionaries({}, optional={c.name: CELLS for c in CONTRACT.columns}), min_size=1, max_size=4))
def test_a_key_that_no_row_has_is_a_missing_column(rows):
    admitted = Door(CONTRACT, Policy()).admit(rows)
    missing = {d.column for d in admitted.departures if d.rule == "missing column"}
    assert missing == {c.name for c in CONTRACT.columns if not any(c.name in row for row in rows)}
    assert [d.row for d in admitted.departures] == sorted(d.row for d in admitted.departures)


def test_what_the_contract_refuses_is_refused_at_both_doors():
    contract = Contract((Column("n", Kind.NUMBER, null_policy=NullPolicy.REFUSE),))
    for row in ({"n": None}, {"n": "much"}, {"m": 1}):
        with pytest.raises(Refused) as caught:
            Door(contract, Policy()).admit([row])
        assert caught.value.status == 422
        assert "much" not in str(caught.value)
        with pytest.raises(ContractBroken):
            conform(pl.DataFrame([row]), contract, only_inputs=True)


def test_the_rows_that_came_are_left_as_they_are():
    row = {"n": 99, "c": "z"}
    policy = Policy.of({"policy": {"out_of_range": "clip", "unknown_level": "missing"}})
    admitted = Door(CONTRACT, policy).admit([row])
    assert row == {"n": 99, "c": "z"}
    assert (admitted.rows[0]["n"], admitted.rows[0]["c"]) == (10.0, None)
