import math
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.features.dates import Calendar, Gap, fit_calendar

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EVERY = ("year", "month", "day", "hour", "minute", "weekday", "year_day", "week", "is_weekend", "hour_sin", "hour_cos",
         "weekday_sin", "weekday_cos", "year_day_sin", "year_day_cos")  # fmt: skip
MOMENTS = st.datetimes(timezones=st.just(UTC))


def filled(craft, **columns):
    frame = pl.DataFrame({k: pl.Series(v, dtype=pl.Float64) for k, v in columns.items()})
    out = np.empty((frame.height, len(craft.features)), dtype=np.float32)
    craft.fill(frame, out)
    return out


@settings(max_examples=100, deadline=None)
@given(MOMENTS)
def test_parts_agree_with_the_standard_library(moment):
    seconds = (moment - EPOCH) // timedelta(seconds=1)
    parts = filled(Calendar("t", EVERY, 0.0), t=[seconds])[0, 1:].tolist()
    expected = [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.weekday(),
                moment.timetuple().tm_yday, moment.isocalendar().week, moment.weekday() >= 5]  # fmt: skip
    assert parts[:9] == expected
    assert np.isclose(math.hypot(*parts[9:11]), 1)
    assert np.isclose(math.atan2(*parts[9:11]) % (2 * math.pi), moment.hour / 24 * 2 * math.pi, atol=1e-6)


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.floats(-1e11, 3e11)), st.floats(-1e10, 1e10))
def test_one_moment_is_taken_apart_as_in_a_batch(seconds, origin):
    craft = Calendar("t", EVERY, origin)
    alone = np.array(craft.cell({"t": 0})([seconds])).clip(-3.4e38, 3.4e38).astype(np.float32)
    assert np.array_equal(alone, filled(craft, t=[seconds])[0], equal_nan=True)


def test_only_parts_that_vary_are_kept():
    hourly = fit_calendar(pl.Series("t", [0.0, 3600.0, None]))
    assert hourly.parts == ("hour", "hour_sin", "hour_cos")
    assert [f.name for f in hourly.features][:2] == ["t.days", "t.hour"]
    assert fit_calendar(pl.Series("t", [None], dtype=pl.Float64)).parts == ()
    assert fit_calendar(pl.Series("t", [1e300, 2e300])).parts == ()  # beyond all calendars


def test_days_run_on_from_the_first_moment():
    craft = fit_calendar(pl.Series("t", [86_400.0, 172_800.0]))
    assert filled(craft, t=[86_400.0, 172_800.0 + 43_200, None])[:, 0].tolist()[:2] == [0.0, 1.5]


def test_gaps_are_days_and_missing_where_either_is():
    values = filled(Gap("b", "a"), a=[0.0, 0.0, None, -1e308], b=[86_400.0, None, 1.0, 1.7e308])[:, 0]
    assert values[0] == 1
    assert np.isnan(values[1:3]).all()
    assert np.isfinite(values[3])
    assert Gap("b", "a").cell({"a": 0, "b": 1})([0.0, None])[0] is not None
