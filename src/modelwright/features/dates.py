"""Dates: calendar parts, their cyclic form, days since the first one, and days between two of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Self

import numpy as np

from modelwright.core.matrix import Feature
from modelwright.core.state import State
from modelwright.features._craft import singles, sound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

    from modelwright.core.arrays import Floats, Singles
    from modelwright.features._craft import Cell, Value

_DAY = 86_400
_EPOCH = date(1970, 1, 1).toordinal()
_FIRST = (date.min.toordinal() - _EPOCH) * _DAY
_LAST = (date.max.toordinal() - _EPOCH + 1) * _DAY


def _circle(n_steps: int, wave: Callable[[float], float]) -> tuple[float, ...]:
    # Rounded, so that every machine's sine gives the same table.
    return tuple(round(wave(2 * math.pi * step / n_steps), 12) for step in range(n_steps))


_CYCLES = {  # the table of year days is one step longer, since they are counted from 1 to 366
    "hour_sin": ("hour", _circle(24, math.sin)),
    "hour_cos": ("hour", _circle(24, math.cos)),
    "weekday_sin": ("weekday", _circle(7, math.sin)),
    "weekday_cos": ("weekday", _circle(7, math.cos)),
    "year_day_sin": ("year_day", _circle(367, math.sin)),
    "year_day_cos": ("year_day", _circle(367, math.cos)),
}
_PARTS = ("year", "month", "day", "hour", "minute", "weekday", "year_day", "week", "is_weekend", *_CYCLES)


def _parts_of(seconds: Floats) -> dict[str, Floats]:
    """Return every calendar part (UTC) of seconds since 1970; NaN outside the years 1 to 9999."""
    valid = (seconds >= _FIRST) & (seconds < _LAST)
    whole = np.floor(np.where(valid, seconds, 0.0)).astype(np.int64)
    days = whole // _DAY
    day = days.astype("datetime64[D]")
    month, year = day.astype("datetime64[M]"), day.astype("datetime64[Y]")
    weekday = (days + 3) % 7
    # The ISO week is that of the week's Thursday.
    thursday = (days - weekday + 3).astype("datetime64[D]")
    into_year = (thursday - thursday.astype("datetime64[Y]")).astype(np.int64)
    parts = {
        "year": year.astype(np.int64) + 1970,
        "month": month.astype(np.int64) % 12 + 1,
        "day": (day - month).astype(np.int64) + 1,
        "hour": whole % _DAY // 3600,
        "minute": whole % 3600 // 60,
        "weekday": weekday,
        "year_day": (day - year).astype(np.int64) + 1,
        "week": into_year // 7 + 1,
        "is_weekend": (weekday >= 5).astype(np.int64),
    }
    cyclic = {name: np.array(circle)[parts[part]] for name, (part, circle) in _CYCLES.items()}
    return {name: np.where(valid, values, np.nan) for name, values in (parts | cyclic).items()}


def _parts_of_one(seconds: float) -> tuple[float, ...]:
    """Return the same as ``_parts_of`` for one moment, in the order of ``_PARTS``."""
    if not _FIRST <= seconds < _LAST:
        return (math.nan,) * len(_PARTS)
    days, second = divmod(math.floor(seconds), _DAY)
    ordinal = days + _EPOCH
    moment = date.fromordinal(ordinal)
    year, weekday, hour = moment.year, moment.weekday(), second // 3600
    year_day = ordinal - date(year, 1, 1).toordinal() + 1
    week = moment.isocalendar()[1]
    plain = (year, moment.month, moment.day, hour, second % 3600 // 60, weekday, year_day, week, int(weekday >= 5))
    steps = {"hour": hour, "weekday": weekday, "year_day": year_day}
    return (*plain, *(circle[steps[part]] for part, circle in _CYCLES.values()))


def _days_between(later: Floats, earlier: Floats | float) -> Singles:
    with np.errstate(over="ignore"):  # moments beyond all calendars; held within float32 below
        return singles((later - earlier) / _DAY)


@dataclass(frozen=True)
class Calendar:
    """The calendar parts of one column that varied in training, and days since its first moment.

    Attributes:
        column: The column of seconds since 1970-01-01 UTC.
        parts: Names out of year, month, day, hour, minute, weekday, year_day, week (ISO 8601), is_weekend, and
            sine and cosine of hour, weekday and year_day.
        origin: The first moment in training, in seconds; days are counted from it.
    """

    column: str
    parts: tuple[str, ...]
    origin: float

    @property
    def features(self) -> tuple[Feature, ...]:
        """Days first, then the parts."""
        return tuple(Feature(f"{self.column}.{part}", self.column) for part in ("days", *self.parts))

    def fill(self, frame: pl.DataFrame, out: Singles) -> None:
        """Write days and parts."""
        seconds = frame[self.column].to_numpy()
        out[:, 0] = _days_between(seconds, self.origin)
        parts = _parts_of(seconds)
        for place, name in enumerate(self.parts, start=1):
            out[:, place] = parts[name]

    def cell(self, places: Mapping[str, int]) -> Cell:
        """Return the function that takes apart the moment of a record."""
        place, origin = places[self.column], self.origin
        missing = (math.nan,) * (1 + len(self.parts))
        chosen = [_PARTS.index(name) for name in self.parts]

        def take_apart(values: Sequence[Value]) -> Sequence[Value]:
            seconds = values[place]
            if not isinstance(seconds, float):
                return missing
            parts = _parts_of_one(seconds)
            return ((seconds - origin) / _DAY, *[parts[i] for i in chosen])

        return take_apart

    def state(self) -> State:
        """Return the names of the parts and the origin."""
        return State("calendar", {"column": self.column, "parts": list(self.parts), "origin": self.origin})

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return the craft a state describes."""
        with sound(state.kind):
            parts, origin = tuple(map(str, state.meta["parts"])), float(state.meta["origin"])
            if not set(parts) <= set(_PARTS) or not math.isfinite(origin):
                raise ValueError("a calendar has known parts and a finite origin")
            return cls(str(state.meta["column"]), parts, origin)


@dataclass(frozen=True)
class Gap:
    """Days from one moment of a row to another."""

    column: str
    since: str

    @property
    def features(self) -> tuple[Feature, ...]:
        """A single one."""
        return (Feature(f"{self.column} − {self.since}", self.column, other=self.since),)

    def fill(self, frame: pl.DataFrame, out: Singles) -> None:
        """Write the days."""
        out[:, 0] = _days_between(frame[self.column].to_numpy(), frame[self.since].to_numpy())

    def cell(self, places: Mapping[str, int]) -> Cell:
        """Return the function that measures the gap of a record."""
        place, since = places[self.column], places[self.since]

        def measure(values: Sequence[Value]) -> Sequence[Value]:
            end, start = values[place], values[since]
            if isinstance(end, float) and isinstance(start, float):
                return ((end - start) / _DAY,)
            return (math.nan,)

        return measure

    def state(self) -> State:
        """Return the names of the two columns."""
        return State("gap", {"column": self.column, "since": self.since})

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return the craft a state describes."""
        with sound(state.kind):
            return cls(str(state.meta["column"]), str(state.meta["since"]))


def fit_calendar(series: pl.Series) -> Calendar:
    """Return the calendar of a column: the parts that vary, and the first moment.

    Args:
        series: Seconds since 1970-01-01 UTC of the training rows, Float64.

    >>> import polars as pl
    >>> fit_calendar(pl.Series("at", [0.0, 3600.0])).parts
    ('hour', 'hour_sin', 'hour_cos')
    """
    seconds = series.drop_nulls().to_numpy()
    if not len(seconds):
        return Calendar(series.name, (), 0.0)
    parts = _parts_of(seconds)

    def varies(part: str) -> bool:
        values = parts[_CYCLES[part][0] if part in _CYCLES else part]
        values = values[~np.isnan(values)]
        return len(values) > 0 and bool(values.min() < values.max())

    return Calendar(series.name, tuple(filter(varies, _PARTS)), float(seconds.min()))
