"""Frames of all libraries come in as polars and go back in kind."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from uuid import UUID

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.core.errors import EmptySource, InvalidTable, UnreadableSource
from modelwright.data.frames import back, to_polars

DAY = dt.date(2024, 1, 2)
NOON = dt.datetime(2024, 1, 2, 12)  # noqa: DTZ001 - a time without a zone is what is tested
NOON_UTC = dt.datetime(2024, 1, 2, 12, tzinfo=dt.UTC)


def column(values):
    return to_polars({"a": values})[0]["a"]


# polars


def test_polars_frames_come_in_as_they_are():
    frame = pl.DataFrame({"a": [1, None], "b": ["x", None], "c": [NOON_UTC, None]})
    for given_frame in (frame, frame.lazy()):
        came, kind = to_polars(given_frame)
        assert kind == "polars"
        assert came.equals(frame)
    assert back(frame, "polars") is frame


def test_a_lazy_frame_that_fails_is_unreadable():
    with pytest.raises(UnreadableSource, match="polars frame"):
        to_polars(pl.DataFrame({"a": [1]}).lazy().select("b"))


# pandas


@pytest.fixture
def pd():
    return pytest.importorskip("pandas")


def test_pandas_columns_keep_their_meaning(pd):
    frame = pd.DataFrame(
        {
            "integer": [1, 2],
            "float": [1.5, np.nan],
            "small": np.array([1, 2], dtype="float32"),
            "boolean": [True, False],
            "text": ["é🙂", None],
            "object": pd.Series(["x", 7], dtype=object),
            "category": pd.Categorical(["u", None]),
            "numbers": pd.Categorical([3, 4]),
            "Int64": pd.array([2**62 + 1, None], dtype="Int64"),
            "Boolean": pd.array([True, None], dtype="boolean"),
            "Float32": pd.array([1.5, None], dtype="Float32"),
            "String": pd.array(["s", None], dtype="string"),
            "naive": pd.to_datetime(["2024-01-02 12:00", None]),
            "zone": pd.to_datetime(["2024-01-02 13:00", None]).tz_localize("Europe/Oslo"),
            "wait": pd.to_timedelta(["90s", None]),
            "period": pd.period_range("2024-01", periods=2, freq="M"),
            "nothing": [None, None],
        }
    )
    came, kind = to_polars(frame)
    assert kind == "pandas"
    assert came.row(0) == (
        *(1, 1.5, 1.0, True, "é🙂", "x", "u", 3, 2**62 + 1, True, 1.5, "s"),
        *(NOON, NOON_UTC, 90.0, "2024-01", None),
    )
    assert came.row(1) == (
        *(2, None, 2.0, False, None, "7", None, 4, None, None, None, None),
        *(None, None, None, "2024-02", None),
    )
    assert came["small"].dtype == pl.Float32
    assert came["integer"].dtype == came["Int64"].dtype == came["numbers"].dtype == pl.Int64


def test_pandas_extension_types_come_in(pd):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame(
        {
            "arrow": pd.array([1, None], dtype="int64[pyarrow]"),
            "moment": pd.array([NOON_UTC, None], dtype=pd.ArrowDtype(_arrow().timestamp("us", "UTC"))),
            "sparse": pd.arrays.SparseArray([0.0, 1.5]),
            "complex": [1j, 2j],
        }
    )
    assert to_polars(frame)[0].rows() == [(1, NOON_UTC, 0.0, "1j"), (None, None, 1.5, "2j")]


def _arrow():
    import pyarrow as pa

    return pa


def test_pandas_index_is_kept_only_with_a_name(pd):
    frame = pd.DataFrame({"a": [1, 2]}, index=[7, 8])
    assert to_polars(frame)[0].columns == ["a"]
    assert to_polars(frame.rename_axis("id"))[0].rows() == [(7, 1), (8, 2)]
    with pytest.raises(InvalidTable, match="'a'"):
        to_polars(frame.rename_axis("a"))


def test_pandas_names_are_checked(pd):
    assert to_polars(pd.DataFrame([[1, 2]]))[0].columns == ["0", "1"]
    with pytest.raises(InvalidTable, match="'a'"):
        to_polars(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(InvalidTable, match="'a'"):
        to_polars(pd.DataFrame({"a": [[1], [2]]}))


def test_frames_that_inherit_from_pandas_count_as_pandas(pd):
    class Special(pd.DataFrame):
        pass

    assert to_polars(Special({"a": [1]}))[1] == "pandas"


def test_pandas_comes_back_in_kind(pd):
    frame = pl.DataFrame(
        {"a": [1, 2], "p": [0.5, None], "s": ["x", None], "b": [True, False], "n": [True, None], "t": [NOON, None]}
    )
    came = back(frame, "pandas")
    assert isinstance(came, pd.DataFrame)
    assert to_polars(came)[0].equals(frame)
    assert came["p"].dtype == np.float64
    series = back(frame["a"], "pandas")
    assert series.name == "a"
    assert series.tolist() == [1, 2]
    assert len(back(pl.DataFrame({"a": []}), "pandas")) == 0


# pyarrow


def test_pyarrow_goes_there_and_back():
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"a": [1, None], "c": pa.array(["u", "v"]).dictionary_encode(), "d": [Decimal("1.5"), None]})
    for frame in (table, table.to_batches()[0]):
        came, kind = to_polars(frame)
        assert kind == "pyarrow"
        assert came.rows() == [(1, "u", 1.5), (None, "v", None)]
    again = back(came, "pyarrow")
    assert isinstance(again, pa.Table)
    assert to_polars(again)[0].equals(came)
    assert back(came["a"], "pyarrow").to_pylist() == [1, None]
    with pytest.raises(InvalidTable, match="'x'"):
        to_polars(pa.table([[1], [2]], names=["x", "x"]))


# Python values


def test_records_may_lack_keys():
    frame, kind = to_polars([{"a": 1}, {"b": "x", "a": None}, {}])
    assert kind == "records"
    assert frame.rows() == [(1, None), (None, "x"), (None, None)]
    assert back(frame, "records")[0] == {"a": 1, "b": None}
    assert back(frame["a"], "records") == [1, None, None]


@pytest.mark.parametrize(
    ("values", "expected", "dtype"),
    [
        ([1, None, 2], [1, None, 2], pl.Int64),
        ([1, 2.5, math.nan], [1.0, 2.5, None], pl.Float64),
        ([Decimal("1.5"), 1, Decimal("NaN")], [1.5, 1.0, None], pl.Float64),
        ([math.inf, 1], [math.inf, 1.0], pl.Float64),
        ([True, None], [True, None], pl.Boolean),
        ([True, 1], ["True", "1"], pl.String),
        (["x", 1, 2.0, None], ["x", "1", "2.0", None], pl.String),
        ([2**70, 1], [str(2**70), "1"], pl.String),
        ([None, None], [None, None], pl.String),
        ([DAY, None], [DAY, None], pl.Date),
        ([NOON, None], [NOON, None], pl.Datetime("us")),
        ([NOON_UTC, NOON_UTC.astimezone(dt.timezone(dt.timedelta(hours=2)))], [NOON_UTC] * 2, pl.Datetime("us", "UTC")),
        ([NOON, NOON_UTC], [str(NOON), str(NOON_UTC)], pl.String),
        ([DAY, NOON], [str(DAY), str(NOON)], pl.String),
        ([dt.timedelta(seconds=90), None], [90.0, None], pl.Float64),
        ([dt.time(3), None], ["03:00:00", None], pl.String),
        ([UUID(int=1)], [str(UUID(int=1))], pl.String),
        ([np.int64(3), np.float32(0.5), np.float64("nan")], [3.0, 0.5, None], pl.Float64),
        ([np.bool_(True), np.str_("x")], ["True", "x"], pl.String),
        ([np.datetime64("2024-01-02T12:00", "ns"), np.datetime64("NaT")], [NOON, None], pl.Datetime("us")),
        (np.array([1, 2]), [1, 2], pl.Int64),
        (pl.Series([1, 2]), [1, 2], pl.Int64),
        (range(2), [0, 1], pl.Int64),
    ],
)
def test_values_become_a_column_of_their_type_or_text(values, expected, dtype):
    made = column(values)
    assert made.to_list() == expected
    assert made.dtype == dtype


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3)), min_size=1))
def test_any_mixture_of_plain_values_is_a_column(values):
    made = column(values).to_list()
    present = [v for v in values if v is not None]
    same = len({type(v) for v in present}) <= 1 and not any(type(v) is int and abs(v) >= 2**63 for v in present)
    assert made == (list(values) if same else [None if v is None else str(v) for v in values])


@pytest.mark.parametrize("cell", [[1], {"x": 1}, b"raw", (1,), {1}, np.array([1])])
def test_nested_values_name_their_column(cell):
    with pytest.raises(InvalidTable, match="'bad'"):
        to_polars([{"good": 1, "bad": cell}])


def test_columns_of_unequal_length_are_unreadable():
    for columns in ({"a": [1, 2], "b": [1]}, {"a": 7}):
        with pytest.raises(UnreadableSource, match="one length"):
            to_polars(columns)


def test_nothing_at_all_is_empty():
    for frame in ([], [{}], {}):
        with pytest.raises(EmptySource):
            to_polars(frame)


@pytest.mark.parametrize("frame", [None, 1, np.ones((2, 2)), [1], "x", pl.Series([1])])
def test_anything_else_is_no_frame(frame):
    with pytest.raises(UnreadableSource, match="polars, pandas or pyarrow"):
        to_polars(frame)
