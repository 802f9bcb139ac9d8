"""Conforming a frame means reading each of its cells, and saying what broke the contract."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modelwright.core.contract import Column, Contract, Kind, Level, NullPolicy, Role
from modelwright.core.errors import ContractBroken
from modelwright.core.values import BLANKS, LIMIT, read_value
from modelwright.data._cells import _SMALL
from modelwright.data.conforming import conform

TEXTS = st.one_of(
    st.text(alphabet="0123456789+-.,eE_ %$€()\u00a0", max_size=8),
    st.floats(-1e12, 1e12).map(repr),
    st.integers(-9999, 9999).map(lambda i: f" {i:,} "),
    st.sampled_from(["", " ", "NA", "?", "None", "yes", "No ", "TRUE", "0", "1.0", "inf", "nan", "6.0", "١", "İ", "K"]),
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(str),  # noqa: DTZ001
    st.text(max_size=5),
    st.text(alphabet="ab0.", min_size=4, max_size=7),
)
COLUMNS = st.builds(
    Column,
    name=st.just("c"),
    kind=st.sampled_from(Kind),
    null_tokens=st.lists(st.sampled_from(["NA", "?", "k", "-999", "1", "6.0", "ab"]), max_size=3).map(tuple),
    decimal=st.sampled_from([".", ","]),
    thousands=st.sampled_from(["", " ", "'"]),
    datetime_format=st.sampled_from(["iso", "%d.%m.%Y", "%Y%m%d", "unix"]),
    true_spellings=st.sampled_from([(), ("yes",), ("k",)]),
    false_spellings=st.sampled_from([(), ("no",), ("?",)]),
)
TYPED: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (pl.Int64, st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3)),
    (pl.UInt64, st.integers(0, 2**64 - 1)),
    (pl.Float64, st.floats() | st.sampled_from([6.0, -0.0, 1e300, 2e300, -999.0])),
    (pl.Float32, st.floats(width=32)),
    (pl.Boolean, st.booleans()),
    (pl.Date, st.dates(date(1800, 1, 1), date(2200, 1, 1))),
    (pl.Datetime("us"), st.datetimes(datetime(1, 1, 2), datetime(9998, 1, 1))),  # noqa: DTZ001
    (pl.Datetime("ms", "Asia/Tokyo"), st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))),  # noqa: DTZ001
    (pl.Datetime("ns", "UTC"), st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1))),  # noqa: DTZ001
    (pl.Duration("us"), st.timedeltas(timedelta(-99), timedelta(99))),
    (pl.Time, st.times()),
    (pl.Decimal(12, 3), st.decimals(-99999, 99999, places=3)),
    (pl.Binary, st.binary(max_size=3)),
    (pl.Categorical, st.sampled_from(["a", "6.0", "NA"])),
    (pl.List(pl.Int64), st.lists(st.integers(0, 9), max_size=2)),
    (pl.Null, st.none()),
]


def assert_read_cell_by_cell(series: pl.Series, column: Column) -> None:
    """The column, as it is and repeated until polars' quick paths are taken, reads as its cells do."""
    wanted = [read_value(column, v) for v in series.to_list()]
    n_copies = -(-(_SMALL + 1) // max(1, series.len()))
    for copies in (1, n_copies):
        frame = pl.DataFrame([pl.concat([series] * copies)])
        conformed = conform(frame, Contract((column,))).frame
        assert conformed.schema == {"c": pl.Float64 if column.is_numeric else pl.String}
        assert conformed["c"].to_list() == wanted * copies


@settings(max_examples=60, deadline=None)
@given(st.lists(st.none() | TEXTS, min_size=1, max_size=12), COLUMNS)
@example(["1_000", "1e400", "-1e301", " 3", "5.", "\ufeff1", "0x10"], Column("c", Kind.NUMBER))
@example(["-999", "-999.0", "-998", "1.0"], Column("c", Kind.NUMBER, null_tokens=("-999", "1")))
@example(["6.0", " a", "ab  ", "longer than any token 1.0", "longer than any token 10"], Column("c", Kind.TEXT))
def test_text_means_what_its_cells_mean(values: list[str | None], column: Column) -> None:
    assert_read_cell_by_cell(pl.Series("c", values, dtype=pl.String), column)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(TYPED), COLUMNS)
def test_typed_values_mean_what_their_cells_mean(data: st.DataObject, typed: Any, column: Column) -> None:
    dtype, values = typed
    cells = data.draw(st.lists(st.none() | values, min_size=1, max_size=8))
    series = pl.Series("c", cells, dtype=dtype, strict=False)
    assert_read_cell_by_cell(series, column)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-LIMIT, LIMIT).map(repr), min_size=1, max_size=20))
def test_polars_and_python_read_the_same_float_from_text(texts: list[str]) -> None:
    assert_read_cell_by_cell(pl.Series("c", texts), Column("c", Kind.NUMBER))
    assert read_value(Column("c", Kind.NUMBER), texts[0]) == float(texts[0])


def test_both_strip_the_same_blanks() -> None:
    column = Column("c", Kind.CATEGORY)
    texts = [f"{blank}level {i}{blank}" for i, blank in enumerate(BLANKS)]
    assert_read_cell_by_cell(pl.Series("c", texts), column)
    assert read_value(column, texts[3]) == "level 3"


def test_a_zone_is_taken_into_account() -> None:
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    frame = pl.DataFrame({"c": [moment]}).with_columns(pl.col("c").dt.convert_time_zone("America/New_York"))
    assert conform(frame, Contract((Column("c", Kind.DATETIME),))).frame["c"].to_list() == [moment.timestamp()]


CONTRACT = Contract(
    (
        Column("id", Kind.IDENTIFIER),
        Column("n", Kind.NUMBER, low=0.0, high=9.0),
        Column("c", Kind.CATEGORY, levels=(Level("a", 2), Level("b", 1)), n_distinct=2),
        Column("y", Kind.BOOLEAN, role=Role.TARGET),
    )
)


def test_each_way_of_breaking_the_contract_is_said() -> None:
    frame = pl.DataFrame(
        {"extra": [1, 2, 3, 4], "c": ["a", "z", "z", None], "n": ["10", "twelve", "NA", "3"], "id": list("wxyz")}
    )
    found = conform(frame, CONTRACT, only_inputs=True)
    assert found.frame.columns == ["n", "c"]
    assert found.frame["n"].to_list() == [10.0, None, None, 3.0]
    said = {(b.column, b.rule, b.n_rows, b.action, b.example) for b in found.breaks}
    assert said == {
        ("n", "unreadable value", 1, "read as missing", "twelve"),
        ("n", "out of range", 1, "kept and flagged", "10.0"),
        ("c", "unknown level", 2, "kept and flagged", "z"),
        ("extra", "extra column", 4, "ignored", ""),
    }


def test_the_same_breaks_are_counted_in_a_large_frame() -> None:
    n = 1000
    frame = pl.DataFrame({"n": ["10", "twelve", "NA", "3"] * n, "c": ["a", "z", "b", ""] * n})
    said = {(b.rule, b.n_rows) for b in conform(frame, CONTRACT, only_inputs=True).breaks}
    assert said == {("unreadable value", n), ("out of range", n), ("unknown level", n)}


def test_a_missing_column_is_null_and_an_absent_target_is_left_out() -> None:
    found = conform(pl.DataFrame({"n": [1.5, math.nan]}), CONTRACT)
    assert found.frame.columns == ["id", "n", "c"]
    assert found.frame["c"].to_list() == [None, None]
    assert found.frame["n"].to_list() == [1.5, None]
    assert {(b.column, b.rule) for b in found.breaks} == {("id", "missing column"), ("c", "missing column")}


def test_levels_are_unknown_only_when_the_list_is_complete() -> None:
    column = Column("c", Kind.CATEGORY, levels=(Level("a", 2),), n_distinct=5000)
    assert conform(pl.DataFrame({"c": ["z"]}), Contract((column,))).breaks == ()


@pytest.mark.parametrize("values", [["1", ""], ["1", "one"], None])
def test_a_refused_gap_raises(values: list[str] | None) -> None:
    contract = Contract((Column("n", Kind.NUMBER, null_policy=NullPolicy.REFUSE),))
    frame = pl.DataFrame({"n": values} if values else {"other": ["1"]})
    with pytest.raises(ContractBroken, match="null_policy"):
        conform(frame, contract)
    assert conform(pl.DataFrame({"n": ["1", "2"]}), contract).breaks == ()


def test_a_flagged_gap_is_counted() -> None:
    contract = Contract((Column("n", Kind.NUMBER, null_policy=NullPolicy.FLAG),))
    (found,) = conform(pl.DataFrame({"n": ["1", "", "?"]}), contract).breaks
    assert (found.rule, found.n_rows, found.action) == ("missing value", 2, "kept and flagged")


def test_an_empty_table_conforms() -> None:
    found = conform(pl.DataFrame(schema={"n": pl.String, "c": pl.Int64}), CONTRACT, only_inputs=True)
    assert found.frame.schema == {"n": pl.Float64, "c": pl.String}
    assert found.frame.height == 0
    assert found.breaks == ()


def test_retyped_columns_are_read() -> None:
    contract = Contract((Column("c", Kind.CATEGORY), Column("n", Kind.NUMBER), Column("b", Kind.BOOLEAN)))
    frame = pl.DataFrame({"c": [1.0, 2.5], "n": [True, False], "b": [Decimal(1), Decimal(0)]})
    assert conform(frame, contract).frame.rows() == [("1", 1.0, 1.0), ("2.5", 0.0, 0.0)]
