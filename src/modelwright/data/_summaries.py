"""Summaries of columns by kind; numbers of all columns are worked out together, which keeps wide tables quick."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs

from modelwright.core.contract import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.contract import Column

TOP_LEVELS = 10
QUARTILES = (("q25", 0.25), ("median", 0.5), ("q75", 0.75))
SECONDS_A_DAY = 86_400.0


def summaries(frame: pl.DataFrame, columns: Sequence[Column]) -> dict[str, dict[str, Any]]:
    """Return what each column of a conformed frame holds, by name, in words that suit its kind."""
    names = [c.name for c in columns]
    if not names:
        return {}
    missing = dict(zip(names, frame.select(pl.col(names).null_count()).row(0), strict=True))
    distinct = dict(zip(names, frame.select(pl.col(names).drop_nulls().n_unique()).row(0), strict=True))
    numbers = _numbers(frame.select(names).select(cs.float()))
    lengths = _lengths(frame.select(names).select(cs.string()))
    described: dict[str, dict[str, Any]] = {}
    for column in columns:
        name = column.name
        found: dict[str, Any] = {}
        if name in numbers:
            found = {"dates": _dates(numbers[name])} if column.kind is Kind.DATETIME else {"numbers": numbers[name]}
        elif column.kind in (Kind.TEXT, Kind.IDENTIFIER):
            found = {"text": lengths[name]}
        elif missing[name] < frame.height:
            found = {"levels": _levels(frame[name])}
        described[name] = {
            "n_missing": missing[name],
            "missing_share": missing[name] / max(frame.height, 1),
            "n_distinct": distinct[name],
            **found,
        }
    return described


def _numbers(frame: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return range, quartiles, mean and standard deviation; None where there is none, or it is past all floats."""
    if not frame.width:
        return {}
    c = pl.all()
    asked = {"low": c.min(), "high": c.max(), "mean": c.mean(), "standard_deviation": c.std()}
    asked |= {name: c.quantile(share) for name, share in QUARTILES}
    rows = {name: frame.select(expression).row(0) for name, expression in asked.items()}
    return {column: {name: row[i] for name, row in rows.items()} for i, column in enumerate(frame.columns)}


def _lengths(frame: pl.DataFrame) -> dict[str, dict[str, Any]]:
    if not frame.width:
        return {}
    characters = pl.all().str.len_chars()
    words = pl.all().str.count_matches(r"\S+")
    asked = {
        "characters_least": characters.min(),
        "characters_mean": characters.mean(),
        "characters_most": characters.max(),
        "words_mean": words.mean(),
    }
    rows = {name: frame.select(expression).row(0) for name, expression in asked.items()}
    return {column: {name: row[i] for name, row in rows.items()} for i, column in enumerate(frame.columns)}


def _levels(values: pl.Series) -> list[dict[str, Any]]:
    counts = values.drop_nulls().rename("value").value_counts()
    top = counts.sort(["count", "value"], descending=[True, False]).head(TOP_LEVELS)
    return [{"value": value, "count": n, "share": n / len(values)} for value, n in top.iter_rows()]


def _dates(numbers: dict[str, Any]) -> dict[str, Any]:
    low, high = numbers["low"], numbers["high"]
    if low is None:
        return {"first": None, "last": None, "days": None}
    return {"first": _date(low), "last": _date(high), "days": (high - low) / SECONDS_A_DAY}


def _date(seconds: float) -> str | None:
    """Return a moment in ISO 8601, None where it lies outside the years 1 to 9999."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (OverflowError, ValueError, OSError):
        return None
