"""Moments: when each row of a table happened, in seconds, from a date column or from date parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from modelwright.core.contract import Contract, Kind
from modelwright.core.errors import InvalidSetting
from modelwright.data.conforming import conform
from modelwright.data.inference import infer

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.core.table import Table

PARTS = ("year", "month", "day", "hour", "minute")
DAY = 86_400.0
STEPS = (3600.0, DAY, 7 * DAY, 14 * DAY, 30 * DAY, 91 * DAY, 365 * DAY)
"""Windows that people think in, seconds."""
WINDOWS_MOST, ROWS_WANTED = 120, 50


def moments(table: Table, time: str) -> Floats:
    """Return when each row happened, seconds since 1970-01-01 UTC, shape (n_rows,).

    Args:
        table: The rows.
        time: A date-time column; or the columns of year, month, day (and hour, minute), in this order, with commas.

    Raises:
        UnknownColumn: A column is not in the table.
        InvalidSetting: The column holds no dates, or some row has none.
    """
    names = [name.strip() for name in time.split(",")]
    whole = infer(table)
    contract = Contract(tuple(whole.column(name) for name in names))
    frame = conform(table.frame.select(names), contract).frame
    if len(names) == 1 and contract.columns[0].kind is not Kind.DATETIME:
        raise InvalidSetting(
            "time is told by a date-time column, or by columns of year, month and day",
            where="--time",
            got=f"{time}, a {contract.columns[0].kind.value}",
            fix="name a date column, or parts: --time Year,Month,Day",
        )
    found = frame[names[0]] if len(names) == 1 else _of_parts(frame, names)
    if found.null_count():
        raise InvalidSetting(
            "every row has a time",
            where="--time",
            got=f"{found.null_count():,} rows without one",
            fix="remove these rows",
        )
    return np.asarray(found.to_numpy(), dtype=np.float64)


def _of_parts(frame: pl.DataFrame, names: list[str]) -> pl.Series:
    if len(names) > len(PARTS):
        raise InvalidSetting("date parts are at most year, month, day, hour, minute", where="--time", got=names, fix="")
    parts = [frame[name].cast(pl.Float64, strict=False).cast(pl.Int32, strict=False) for name in names]
    given = dict(zip(PARTS, parts, strict=False))
    year, month = given["year"], given["month"]
    rest = [given.get(p, pl.Series([1 if p == "day" else 0]).new_from_index(0, len(year))) for p in PARTS[2:]]
    built = pl.DataFrame([year.alias("y"), month.alias("m"), *(s.alias(n) for s, n in zip(rest, "dhi", strict=True))])
    try:
        dates = built.select(pl.datetime("y", "m", "d", "h", "i").alias("t"))["t"]
    except pl.exceptions.PolarsError as error:
        fix = "name them in the order year, month, day, hour, minute"
        raise InvalidSetting("date parts make dates", where="--time", got=str(error)[:100], fix=fix) from error
    return dates.dt.epoch("us").cast(pl.Float64) / 1e6


def window_seconds(times: Floats) -> float:
    """Return a window that people think in: the shortest with enough rows that makes no more than 120 of them."""
    span = float(times.max() - times.min()) + 1.0
    for step in STEPS:
        if span / step <= WINDOWS_MOST and len(times) * step / span >= ROWS_WANTED:
            return step
    return span / 12
