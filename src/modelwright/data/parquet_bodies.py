"""Parquet bodies: a few rows of a stranger's Parquet file as plain values, capped before they are unfolded."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import polars as pl

from modelwright.core.errors import UnreadableSource

if TYPE_CHECKING:
    from datetime import date, datetime


def read_rows(content: bytes, *, rows_max: int, columns_max: int, bytes_max: int) -> list[dict[str, Any]] | None:
    """Return the rows of a Parquet file by column name: text, numbers, truths, None; dates as ISO text.

    Args:
        content: The file.
        rows_max: Most rows; what the file says of itself is checked before anything is unfolded.
        columns_max: Most columns.
        bytes_max: Most bytes of all values together.

    Returns:
        None when the file holds more than that.

    Raises:
        UnreadableSource: It is no Parquet file, or has columns of other types.
    """
    try:
        lazy = pl.scan_parquet(io.BytesIO(content), glob=False)
        schema = lazy.collect_schema()
        n_rows = int(lazy.select(pl.len()).collect().item())
        if n_rows > rows_max or len(schema) > columns_max or n_rows * len(schema) * 8 > bytes_max:
            return None
        frame = lazy.collect()
    except Exception as error:
        rule = "a Parquet body is a Parquet file"
        raise UnreadableSource(rule, got=type(error).__name__, fix="write it with any Parquet library") from error
    texts = [name for name, dtype in schema.items() if dtype in (pl.String, pl.Categorical, pl.Enum, pl.Null)]
    others = [name for name in schema if name not in texts]
    for name in others:
        if not (schema[name].is_numeric() or schema[name] in (pl.Boolean, pl.Date, pl.Datetime)):
            rule = "a Parquet body has columns of text, numbers, truths and dates"
            raise UnreadableSource(rule, where=name, got=str(schema[name])[:80], fix="cast the column")
    frame = frame.with_columns(pl.col(texts).cast(pl.String)) if texts else frame
    # A dictionary makes many long texts out of few bytes; they are counted before they are made.
    length = frame.select(pl.sum_horizontal(pl.col(texts).str.len_bytes().sum())).item() if texts and n_rows else 0
    if (length or 0) > bytes_max:
        return None
    return [{name: _plain(value) for name, value in row.items()} for row in frame.to_dicts()]


def _plain(value: Any) -> Any:
    moment: date | datetime | None = value if hasattr(value, "isoformat") else None
    if moment is not None:
        return moment.isoformat()
    if value is None or isinstance(value, str | bool | int):
        return value
    number = float(value)
    return number if number - number == 0 else None
