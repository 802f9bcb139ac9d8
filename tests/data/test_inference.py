"""What columns are taken for: each rule, the cases beside it, and the real tables."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.core.contract import Column, Contract, Kind, Level, Role
from modelwright.core.errors import UnknownColumn
from modelwright.core.table import Table
from modelwright.core.values import read_value
from modelwright.data.inference import complete, infer

RANDOM = np.random.default_rng(0)
N = 300


def table(**columns: object) -> Table:
    return Table(pl.DataFrame(columns, strict=False), "test", "")


def column(values: object, name: str = "c") -> Column:
    return infer(table(**{name: values})).column(name)


def texts(values: object) -> list[str]:
    return [str(v) for v in values]  # type: ignore[attr-defined]


WORDS = ["red", "green", "blue", "shop", "late", "order", "please", "thanks", "never", "again", "good", "price"]


def sentences(n: int, n_words: int) -> list[str]:
    return [" ".join(RANDOM.choice(WORDS, n_words)) + f" {i}" for i in range(n)]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([None] * 5, Kind.CONSTANT),
        (["", " ", "?"], Kind.CONSTANT),
        (["a"] * 5, Kind.CONSTANT),
        (["0.0", "", "0"] * 9, Kind.CONSTANT),
        ([7, 7, None], Kind.CONSTANT),
        ([True, True], Kind.CONSTANT),
        (["a", "b"] * 5, Kind.CATEGORY),
        (["yes", "No ", "YES"] * 5, Kind.BOOLEAN),
        (["t", "f"], Kind.BOOLEAN),
        (["yes", "no", "unknown", "?"] * 5, Kind.BOOLEAN),
        (["x", "", ""] * 9, Kind.BOOLEAN),
        (["yes", "none"] * 9, Kind.CATEGORY),
        (["yes", "no", "maybe"] * 9, Kind.CATEGORY),
        (["0", "1", "1.0"] * 9, Kind.BOOLEAN),
        ([0, 1, None, 1], Kind.BOOLEAN),
        ([0.0, 1.0, 0.5], Kind.NUMBER),
        ([True, False, None], Kind.BOOLEAN),
        (["1", "2", "3"] * 9, Kind.NUMBER),
        (["1.5", " ", "2.5"] * 9, Kind.NUMBER),
        (["12 %", "13%", "1.5%"] * 9, Kind.NUMBER),
        (["$1,200.50", "$3", "$17.25"] * 9, Kind.NUMBER),
        (["1", "2", "unknown", "None"] * 9, Kind.NUMBER),
        ([1, 2, 3, float("inf")], Kind.NUMBER),
        ([10**18, -(2**63), 5], Kind.NUMBER),
        (["01234", "94110", "00501"] * 9, Kind.CATEGORY),
        (["01", "02", "11"] * 9, Kind.NUMBER),
        ([date(2020, 1, 1), date(2020, 1, 2)], Kind.DATETIME),
        ([datetime(2020, 1, 1, tzinfo=UTC), None, datetime(2020, 1, 2, tzinfo=UTC)], Kind.DATETIME),
        (["2020-01-01", "2020-01-02T10:00:00Z", ""], Kind.DATETIME),
        (["Jan-2018", "Feb-2018"] * 9, Kind.DATETIME),
        (["10-24", "25-39", "55+"] * 9, Kind.CATEGORY),
        (["1.2.3", "1.2.4", "2.0.0"] * 9, Kind.CATEGORY),
        (["10:30", "11:45", "12:00"] * 9, Kind.CATEGORY),
        (["fully repaid this bank", "all paid back duly", "critical other accounts"] * 30, Kind.CATEGORY),
        (["none", "unknown"] * 9, Kind.CATEGORY),
        ([[1, 2], [3], [1, 2]] * 9, Kind.CATEGORY),
        (["שלום", "🦊", "שלום"] * 9, Kind.CATEGORY),
    ],
)
def test_the_kind_of_small_columns(values: list[object], kind: Kind) -> None:
    found = column(values)
    assert found.kind is kind, found.reason
    assert found.reason
    assert 0 < found.confidence <= 1


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("c", texts(f"C-{i * 7919:06}" for i in range(N)), Kind.IDENTIFIER),
        ("c", texts(f"{i * 7919 % 10007:05}" for i in range(N)), Kind.IDENTIFIER),
        ("customerID", texts(RANDOM.permutation(10**6)[:N]), Kind.IDENTIFIER),
        ("PID", RANDOM.permutation(10**6)[:N], Kind.IDENTIFIER),
        ("amount_paid", RANDOM.permutation(10**6)[:N], Kind.NUMBER),
        ("price", RANDOM.permutation(10**6)[:N], Kind.NUMBER),
        ("instant", np.arange(N), Kind.IDENTIFIER),
        ("Order", RANDOM.permutation(int(N * 1.3))[:N], Kind.IDENTIFIER),
        ("year", np.arange(1700, 1700 + N), Kind.NUMBER),
        ("number", 10**17 + RANDOM.permutation(10**6)[:N] * 1000, Kind.IDENTIFIER),
        ("c", RANDOM.normal(size=N), Kind.NUMBER),
        ("shop_id", RANDOM.integers(0, 50, N), Kind.NUMBER),
        ("caseid", texts(f"{i // 2}:{i % 7}x" for i in RANDOM.integers(0, N, N)), Kind.CATEGORY),
        ("c", sentences(N, 6), Kind.TEXT),
        ("c", sentences(30, 6), Kind.TEXT),
        ("c", texts("你好世界" + chr(0x4E00 + i) + "今天天气很好我们去公园" for i in range(N)), Kind.TEXT),
        ("title", texts(f"{RANDOM.choice(WORDS)} {RANDOM.choice(WORDS)} {i % 150}" for i in range(N)), Kind.TEXT),
        ("model", texts(f"{RANDOM.choice(WORDS)} {i % 40}" for i in range(10 * N)), Kind.CATEGORY),
        ("date", texts(20110101 + (i % 28) for i in range(N)), Kind.DATETIME),
        ("size", texts(20110101 + (i % 28) for i in range(N)), Kind.NUMBER),
        ("timestamp", 1_500_000_000 + RANDOM.integers(0, 10**8, N), Kind.DATETIME),
    ],
)
def test_the_kind_of_longer_columns(name: str, values: object, kind: Kind) -> None:
    found = column(values, name)
    assert found.kind is kind, found.reason


def test_a_short_table_does_not_turn_numbers_into_identifiers() -> None:
    found = infer(table(a=np.arange(60), b=texts(np.arange(60) * 3), c=RANDOM.permutation(60) * 100))
    assert {c.kind for c in found.columns} == {Kind.NUMBER}


@pytest.mark.parametrize(
    ("values", "decimal", "thousands"),
    [
        (["1,234.5", "12", "3.25"], ".", ","),
        (["1.234,5", "12", "3,25"], ",", "."),
        (["3,5", "12,25"], ",", ""),
        (["1 234,5", "7,1"], ",", " "),
        (["1'234.5", "7.1"], ".", "'"),
        (["1.5", "2"], ".", ""),
        (["0,123", "0,456"], ",", ""),
    ],
)
def test_marks_are_found(values: list[str], decimal: str, thousands: str) -> None:
    found = column(values * 9)
    assert (found.kind, found.decimal, found.thousands) == (Kind.NUMBER, decimal, thousands)
    assert found.n_missing == 0


def test_marks_that_stand_in_few_rows_are_found() -> None:
    found = column([*texts(range(100, 3000)), "1,234"] * 2)
    assert (found.thousands, found.n_missing) == (",", 0)
    assert found.high == 2999


def test_a_comma_that_could_be_either_is_said() -> None:
    found = column(["1,234", "2,500", "7"] * 9)
    assert (found.thousands, found.high) == (",", 2500.0)
    assert found.confidence < 0.7
    assert "commas" in found.reason


def days(pattern: str, n: int = 60, step: int = 1) -> list[str]:
    return [(datetime(2011, 1, 1, tzinfo=UTC) + timedelta(days=i * step)).strftime(pattern) for i in range(n)]


@pytest.mark.parametrize(
    "pattern",
    [
        *("%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d", "%m/%d/%y", "%d/%m/%y"),
        *("%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%Y-%m", "%m/%Y", "%b-%Y"),
    ],
)
def test_date_patterns_are_found(pattern: str) -> None:
    found = column(days(pattern))
    assert (found.kind, found.datetime_format) == (Kind.DATETIME, pattern)
    assert found.low == datetime(2011, 1, 1, tzinfo=UTC).timestamp()
    assert found.n_missing == 0


@pytest.mark.parametrize("pattern", ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%MZ", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p"])
def test_times_beside_dates_are_read(pattern: str) -> None:
    found = column(days(pattern))
    assert found.kind is Kind.DATETIME
    assert found.low == datetime(2011, 1, 1, tzinfo=UTC).timestamp()


def test_one_value_of_the_whole_column_decides_whether_the_day_comes_first() -> None:
    early = [f"{d:02}/{m:02}/{y}" for y in range(1980, 2000) for d in range(1, 13) for m in range(1, 13)]
    for odd, pattern in (("13/01/2000", "%d/%m/%Y"), ("01/13/2000", "%m/%d/%Y")):
        found = column([*early, odd])
        assert (found.datetime_format, found.n_missing) == (pattern, 0)
        assert found.confidence > 0.9
    open_case = column(early)
    assert (open_case.datetime_format, open_case.confidence) == ("%m/%d/%Y", 0.5)
    assert "no value decides" in open_case.reason
    assert column([t.replace("/", ".") for t in early]).datetime_format == "%d.%m.%Y"


def test_mixed_columns_are_numbers_with_doubt() -> None:
    numbers = texts(RANDOM.normal(size=200).round(3))
    nearly = column([*numbers, "broken", "broken", "odd"])
    assert (nearly.kind, nearly.confidence, nearly.n_missing) == (Kind.NUMBER, 0.8, 3)
    assert "'broken'" in nearly.reason
    assert "3 unreadable" in nearly.reason
    mostly = column([*numbers, *["over"] * 25])
    assert (mostly.kind, mostly.confidence) == (Kind.NUMBER, 0.5)
    assert column([*numbers, *["over"] * 80]).kind is Kind.CATEGORY
    few = column((["1", "2", "3", "4", "5"] * 4 + ["> 5", "> 5"]) * 9)
    assert few.kind is Kind.CATEGORY
    assert few.n_missing == 0


def test_words_for_missing_are_levels_in_a_category_and_missing_elsewhere() -> None:
    category = column(["None", "Brick", "Stone", "", "?", "NA"] * 9)
    assert category.null_tokens == ("?", "NA")
    assert [level.value for level in category.levels] == ["Brick", "None", "Stone"]
    assert category.n_missing == 27
    assert "'None'" in category.reason
    assert category.confidence < 0.9
    number = column(["1", "2", "None", "-", " "] * 9)
    assert (number.null_tokens, number.n_missing) == (("-", "None"), 27)
    assert number.confidence == 1.0


def test_counts_ranges_and_levels() -> None:
    found = column(["b ", "a", "b", None, " a", "b", "c"])
    assert (found.n_rows, found.n_missing, found.n_distinct) == (7, 1, 3)
    assert found.levels == (Level("b", 3), Level("a", 2), Level("c", 1))
    number = column(["3", "-1", "2.0", ""])
    assert (number.low, number.high, number.is_integer, number.n_distinct) == (-1.0, 3.0, True, 3)
    wide = column([f"level {i % 2500}" for i in range(30_000)])
    assert (wide.kind, wide.n_distinct, len(wide.levels)) == (Kind.CATEGORY, 2500, 1000)


def test_one_number_beside_texts_is_no_constant() -> None:
    found = column(["0"] * 400 + ["a", "b"])
    assert (found.kind, found.n_distinct) == (Kind.CATEGORY, 3)


def test_roles_are_given_by_name() -> None:
    contract = infer(table(a=[1, 2], b=[1, 2]), roles={"b": Role.TARGET})
    assert contract.column("b").role is Role.TARGET
    with pytest.raises(UnknownColumn, match="'b'"):
        infer(table(a=[1], b=[1]), roles={"B": Role.TARGET})


def test_no_row_and_odd_names() -> None:
    contract = infer(Table(pl.DataFrame(schema={"🦊": pl.String, "שם": pl.Int64}), "test", ""))
    assert [c.kind for c in contract.columns] == [Kind.CONSTANT, Kind.CONSTANT]
    assert contract.columns[0].n_rows == 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.none() | st.sampled_from(["1", "2.5", "x", "None", "?", "2020-01-01", "yes", "no", " ", "1,5", "007"]))
)
def test_counts_agree_with_what_the_cells_mean(values: list[str | None]) -> None:
    found = column(pl.Series(values, dtype=pl.String))
    read = [r for r in (read_value(found, v) for v in values) if r is not None]
    assert (found.n_rows, found.n_missing) == (len(values), len(values) - len(read))
    assert found.n_distinct == len(set(read))
    if found.is_numeric and read:
        assert (found.low, found.high) == (min(read), max(read))  # type: ignore[type-var]


def test_a_column_written_by_hand_is_completed_from_the_table() -> None:
    given_by_hand = Contract(
        (Column("zip", Kind.CATEGORY), Column("n", Kind.NUMBER, low=0.0), Column("gone", Kind.TEXT))
    )
    done = complete(table(zip=[1, 2, 2], n=["5", "7", "?"]), given_by_hand)
    assert done.column("zip").levels == (Level("2", 2), Level("1", 1))
    assert (done.column("n").low, done.column("n").high, done.column("n").n_missing) == (0.0, 7.0, 1)
    assert done.column("gone") == Column("gone", Kind.TEXT)
    assert complete(table(zip=["9"]), done) == done
    listed = Contract((Column("zip", Kind.CATEGORY, levels=(Level("1", 1), Level("2", 1))),))
    assert complete(table(zip=["1", "3"]), listed).column("zip").n_distinct == 2


@pytest.mark.slow
def test_wide_and_long_tables_are_quick() -> None:
    """The limits are many times what an idle core needs, so that they fail for an order of magnitude only."""
    wide = pl.DataFrame({f"c{i}": texts(RANDOM.normal(size=100).round(4)) for i in range(2000)})
    began = time.perf_counter()
    assert len(infer(Table(wide, "", "")).columns) == 2000
    assert time.perf_counter() - began < 30
    long = pl.DataFrame({"c": [f"level{i}" for i in RANDOM.integers(0, 100_000, 200_000)]})
    began = time.perf_counter()
    assert infer(Table(long, "", "")).columns[0].kind is Kind.CATEGORY
    assert time.perf_counter() - began < 30


EXPECTED = {
    "adult": {"fnlwgt": "number", "workclass": "category", "income": "category"},
    "ames_housing": {"Order": "identifier", "PID": "identifier", "Mas.Vnr.Type": "category", "Central.Air": "boolean"},
    "bike_sharing": {"date": "datetime", "instant": "identifier", "holiday": "boolean"},
    "fatal_crashes": {"caseid": "category", "weight": "number", "seatbelt": "category"},
    "fuel_economy": {"id": "identifier", "model": "category"},
    "german_credit": {"telephone": "category", "foreign_worker": "boolean"},
    "hflights_arr_delay": {"Year": "constant", "TailNum": "category", "FlightNum": "number"},
    "hr_job_change": {"enrollee_id": "identifier", "city": "category"},
    "lending_rate": {"issue_month": "datetime", "num_accounts_120d_past_due": "constant", "state": "category"},
    "online_shoppers": {"Weekend": "boolean", "Month": "category"},
    "sms_spam": {"text": "text"},
    "soybean": {"hail": "boolean", "date": "number"},
    "telco_churn": {"customerID": "identifier", "TotalCharges": "number", "MultipleLines": "category"},
}


@pytest.mark.tables
@pytest.mark.parametrize("name", EXPECTED)
def test_real_tables(name: str, real_tables: Path) -> None:
    frame = pl.read_csv(real_tables / name / "train.csv", infer_schema=False)
    contract = infer(Table(frame, name, ""))
    kinds = {c.name: c.kind.value for c in contract.columns}
    assert {c: kinds[c] for c in EXPECTED[name]} == EXPECTED[name]
    if name == "adult":
        assert contract.column("workclass").null_tokens == ("?",)
    if name == "ames_housing":
        assert "None" in {level.value for level in contract.column("Mas.Vnr.Type").levels}
    if name == "telco_churn":
        assert contract.column("TotalCharges").n_missing == 9
