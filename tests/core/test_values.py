"""The one definition of meaning: what a cell says, written or typed."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from modelwright.core.contract import Column, Kind
from modelwright.core.errors import InvalidContract
from modelwright.core.values import (
    BLANKS,
    LIMIT,
    canonical_level,
    is_missing,
    is_null_token,
    parse_boolean,
    parse_datetime,
    parse_number,
    read_value,
    reader,
)

BRISK = settings(max_examples=60, deadline=None)
NUMBER = Column("n", Kind.NUMBER)
NEW_YEAR = datetime(2011, 1, 31, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("12", 12.0),
        (" 12 ", 12.0),
        ("\u00a012\u202f", 12.0),
        ("\ufeff12", 12.0),
        ("+3", 3.0),
        ("−3", -3.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e5", 1e5),
        ("1E-2", 0.01),
        ("12 %", 12.0),
        ("12%", 12.0),
        ("$3", 3.0),
        ("-$3", -3.0),
        ("$-3", -3.0),
        ("3.50 €", 3.5),
        ("(3.5)", -3.5),
        ("($3.5)", -3.5),
        ("007", 7.0),
        ("1_000", None),
        ("inf", None),
        ("-Infinity", None),
        ("nan", None),
        ("1e301", None),
        ("9" * 5000, None),
        ("1,5", None),
        ("1 2", None),
        ("", None),
        (".", None),
        ("-", None),
        ("%", None),
        ("(3", None),
        ("3)", None),
        ("(-3)", None),
        ("+-3", None),
        ("0x1F", None),
        ("١٢", None),
        ("12kg", None),
        ("1e", None),
        ("e5", None),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, wanted: float | None) -> None:
    assert parse_number(text) == wanted
    assert read_value(NUMBER, text) == wanted


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "wanted"),
    [
        ("1,234.5", ".", ",", 1234.5),
        ("1,234,567", ".", ",", 1234567.0),
        ("12,34,567.5", ".", ",", 1234567.5),
        ("1234.5", ".", ",", 1234.5),
        ("1,23", ".", ",", None),
        ("0,123", ".", ",", None),
        ("1.234,5", ",", ".", 1234.5),
        ("€ 3,50", ",", "", 3.5),
        ("3.50", ",", "", None),
        ("1 234,5", ",", " ", 1234.5),
        ("1\u202f234", ".", " ", 1234.0),
        ("1'234.5", ".", "'", 1234.5),
        ("1.234", ",", ".", 1234.0),
    ],
)
def test_marks_decide_what_a_comma_means(text: str, decimal: str, thousands: str, wanted: float | None) -> None:
    assert parse_number(text, decimal=decimal, thousands=thousands) == wanted
    column = Column("n", Kind.NUMBER, decimal=decimal, thousands=thousands)
    assert read_value(column, text) == wanted


@BRISK
@given(st.floats(-LIMIT, LIMIT), st.sampled_from([".", ","]), st.sampled_from(["", " ", "\t", "\u00a0"]))
def test_every_number_comes_back_from_its_text(number: float, decimal: str, blank: str) -> None:
    column = Column("n", Kind.NUMBER, decimal=decimal)
    assert read_value(column, blank + repr(number).replace(".", decimal) + blank) == number
    assert read_value(column, number) == number


@BRISK
@given(st.integers(-(10**15), 10**15), st.sampled_from([(",", "."), (".", ","), (" ", "."), ("'", ",")]))
def test_grouped_digits_come_back(number: int, marks: tuple[str, str]) -> None:
    thousands, decimal = marks
    text = f"{number:,}".replace(",", thousands)
    assert parse_number(text, decimal=decimal, thousands=thousands) == number


@BRISK
@given(st.text(alphabet="0123456789+-−.,eE_ %$€()naif\u00a0", max_size=12))
def test_what_is_read_is_finite_and_the_quick_path_agrees_with_the_grammar(text: str) -> None:
    read = read_value(NUMBER, text)
    assert read == parse_number(text)
    assert read is None or math.isfinite(read)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (True, 1.0),
        (3, 3.0),
        (10**400, None),
        (2.5, 2.5),
        (math.nan, None),
        (math.inf, None),
        (Decimal("2.50"), 2.5),
        (Decimal("NaN"), None),
        (Decimal("sNaN"), None),
        (np.float32(0.5), 0.5),
        (np.int8(-3), -3.0),
        (np.bool_(True), 1.0),
        (np.float64("nan"), None),
        (np.str_("1.5"), 1.5),
        (np.array(4), 4.0),
        (timedelta(minutes=1), 60.0),
        (np.timedelta64(1, "m"), 60.0),
        (pd.NA, None),
        (pd.NaT, None),
        (None, None),
        (b"12", 12.0),
        (date(2011, 1, 1), None),
        ([1], None),
    ],
)
def test_typed_numbers_mean_themselves(value: object, wanted: float | None) -> None:
    assert read_value(NUMBER, value) == wanted


def test_null_tokens_that_are_numbers_are_compared_as_numbers() -> None:
    column = Column("n", Kind.NUMBER, null_tokens=("-999", "NA"))
    assert [read_value(column, v) for v in ("-999", "-999.0", -999, -999.0, "NA", "-998")] == [None] * 5 + [-998.0]


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("2011-01-31", "iso"),
        ("2011-1-31", "iso"),
        ("2011-01-31T00:00:00Z", "iso"),
        ("2011-01-31 00:00:00", "iso"),
        ("2011-01-31 00:00:00.000", "iso"),
        ("2011-01-31T02:00:00+02:00", "iso"),
        ("2011-01-31 02:00 +0200", "iso"),
        ("2011-01-30T19:00-05", "iso"),
        ("2011-01-31 12:00 AM", "iso"),
        ("2011-01-31 00:00:00 UTC", "iso"),
        ("20110131", "iso"),
        ("20110131", "%Y%m%d"),
        ("01/31/2011", "%m/%d/%Y"),
        ("1/31/2011 0:00", "%m/%d/%Y"),
        ("31.01.2011", "%d.%m.%Y"),
        ("31.01.2011, 00:00", "%d.%m.%Y"),
        ("31/01/11", "%d/%m/%y"),
        ("31 Jan 2011", "%d %b %Y"),
        ("31  january 2011", "%d %b %Y"),
        ("January 31, 2011", "%B %d, %Y"),
        ("Mon, 31 Jan. 2011 00:00:00 GMT", "%a, %d %b %Y"),
        ("31-01-2011 00h00", "%d-%m-%Y %Hh%M"),
        (" 31.01.2011 ", "%d.%m.%Y"),
        (str(int(NEW_YEAR)), "unix"),
    ],
)
def test_one_day_in_many_spellings(text: str, pattern: str) -> None:
    assert parse_datetime(text, pattern) == NEW_YEAR
    assert read_value(Column("d", Kind.DATETIME, datetime_format=pattern), text) == NEW_YEAR


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("31/02/2011", "%d/%m/%Y"),
        ("31/01/2011", "%m/%d/%Y"),
        ("2011-13-01", "iso"),
        ("2011-01-31 25:00", "iso"),
        ("2011-01-31 13:00 PM", "iso"),
        ("2011-01-31 EST", "iso"),
        ("2011131", "%Y%m%d"),
        ("31 Foo 2011", "%d %b %Y"),
        ("31 Janx 2011", "%d %b %Y"),
        ("", "iso"),
        ("soon", "iso"),
    ],
)
def test_what_is_no_date_is_missing(text: str, pattern: str) -> None:
    assert parse_datetime(text, pattern) is None


def test_months_and_short_years() -> None:
    assert parse_datetime("Jan-2018", "%b-%Y") == datetime(2018, 1, 1, tzinfo=UTC).timestamp()
    assert parse_datetime("Sept 1999", "%b %Y") == datetime(1999, 9, 1, tzinfo=UTC).timestamp()
    assert parse_datetime("1/2/68", "%d/%m/%y") == datetime(2068, 2, 1, tzinfo=UTC).timestamp()
    assert parse_datetime("1/2/69", "%d/%m/%y") == datetime(1969, 2, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("pattern", ["%d.%m", "%Y-%Q", "%Y %Y", "%Y%", "yyyy-mm-dd"])
def test_a_format_that_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidContract, match="date-time format"):
        reader(Column("d", Kind.DATETIME, datetime_format=pattern))


ZONES = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
MOMENTS = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.none() | ZONES)  # noqa: DTZ001


@BRISK
@given(MOMENTS)
def test_a_moment_means_the_same_typed_and_written(moment: datetime) -> None:
    column = Column("d", Kind.DATETIME, datetime_format="iso")
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    wanted = (aware - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)
    assert read_value(column, moment) == pytest.approx(wanted, abs=1e-4)
    assert read_value(column, moment.isoformat()) == read_value(column, moment)
    if moment.utcoffset() in (None, timedelta(0)):
        text = moment.strftime(f"%d/%m/{moment.year:04} %I:%M:%S.%f %p")
        assert parse_datetime(text, "%d/%m/%Y") == read_value(column, moment)


def test_other_typed_dates() -> None:
    column = Column("d", Kind.DATETIME)
    typed = [date(2011, 1, 31), np.datetime64("2011-01-31"), pd.Timestamp("2011-01-31"), 20110131]
    assert [read_value(column, v) for v in typed] == [NEW_YEAR] * 4
    assert read_value(column, np.datetime64("NaT")) is None
    assert read_value(Column("d", Kind.DATETIME, datetime_format="unix"), int(NEW_YEAR)) == NEW_YEAR


@pytest.mark.parametrize("text", ["true", "TRUE", " Yes", "y", "T", "on", "1", "1.0", "ja", "Oui"])
def test_spellings_of_true(text: str) -> None:
    assert parse_boolean(text) is True
    assert read_value(Column("b", Kind.BOOLEAN), text) == 1.0


@pytest.mark.parametrize("text", ["false", "No", "n", "F", "OFF", "0", "0.0", "nein"])
def test_spellings_of_false(text: str) -> None:
    assert parse_boolean(text) is False
    assert read_value(Column("b", Kind.BOOLEAN), text) == 0.0


def test_a_columns_own_spellings_of_truth_come_first() -> None:
    column = Column("b", Kind.BOOLEAN, true_spellings=("f", "Gone"), false_spellings=("m",), null_tokens=("no",))
    values = ["F", "gone", "M", "yes", "no", "maybe", None, True, 0, 1.0, math.nan, np.bool_(False), "f "]
    wanted = [1.0, 1.0, 0.0, 1.0, None, None, None, 1.0, 0.0, 1.0, None, 0.0, 1.0]
    assert [read_value(column, v) for v in values] == wanted


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (" red ", "red"),
        ("6.0", "6"),
        ("-0.0", "0"),
        (6.0, "6"),
        (6, "6"),
        (np.float32(6), "6"),
        (6.5, "6.5"),
        ("6.50", "6.50"),
        ("06.0", "06.0"),
        ("1.2.0", "1.2.0"),
        (True, "True"),
        (Decimal("6.0"), "6"),
        (Decimal("1E+2"), "100"),
        (date(2011, 1, 31), "2011-01-31"),
        (datetime(2011, 1, 31, 2, tzinfo=UTC), "2011-01-31 02:00:00+00:00"),
        (b"red", "red"),
        ("🦊", "🦊"),
        ("שלום ", "שלום"),
    ],
)
def test_a_level_has_one_spelling(value: object, wanted: str) -> None:
    assert canonical_level(value) == wanted
    assert read_value(Column("c", Kind.CATEGORY), value) == wanted
    assert canonical_level(wanted) == wanted


def test_null_tokens_of_a_category_are_those_of_the_contract() -> None:
    column = Column("c", Kind.CATEGORY, null_tokens=("?", "NA", "-1"))
    values = ["?", " na ", "-1.0", -1, "", "  ", None, math.nan, math.inf, pd.NA, Decimal("sNaN"), Decimal("-inf")]
    assert [read_value(column, v) for v in values] == [None] * len(values)
    assert [read_value(column, v) for v in ("None", "unknown", "nan")] == ["None", "unknown", "nan"]


@pytest.mark.parametrize("text", ["", " ", "?", "NA", "n/a", "NaN", "NULL", "None", "-", "--", "Unknown", ".", "#N/A"])
def test_known_null_tokens(text: str) -> None:
    assert is_null_token(text)
    assert is_missing(text)


@pytest.mark.parametrize("value", [None, math.nan, pd.NaT, np.datetime64("NaT"), Decimal("NaN"), Decimal("sNaN")])
def test_typed_gaps_are_missing(value: object) -> None:
    assert is_missing(value)


@pytest.mark.parametrize("value", ["0", "no", "NO", "x", 0, False, math.inf])
def test_values_are_not_missing(value: object) -> None:
    assert not is_missing(value)


@BRISK
@given(st.text(max_size=8), st.sampled_from(Kind))
def test_blanks_around_a_value_mean_nothing(text: str, kind: Kind) -> None:
    assume(text.strip(BLANKS))
    read = reader(Column("c", kind, null_tokens=("x",)))
    assert read(text) == read(f"\t{text}\u00a0 ")


@BRISK
@given(
    st.sampled_from(Kind),
    st.none()
    | st.text(max_size=6)
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.decimals()
    | MOMENTS
    | st.dates(),
)
def test_every_value_has_a_meaning_of_the_kinds_type(kind: Kind, value: object) -> None:
    column = Column("c", kind)
    read = read_value(column, value)
    if read is not None:
        assert isinstance(read, float if column.is_numeric else str)
        assert read if isinstance(read, str) else math.isfinite(read)
