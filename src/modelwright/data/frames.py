"""Frames: tables in memory, of any of the usual libraries, come in as polars and go back in kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from modelwright.core.errors import EmptySource, UnreadableSource
from modelwright.data._border import border
from modelwright.data._tidying import check_names, from_records, from_values, tidy

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBERS = frozenset("biuf")
_FIX = "give a path, or a frame of polars, pandas or pyarrow, or a list of dicts"


def is_frame(source: object) -> bool:
    """Whether the source is a table in memory; no library is imported to find out."""
    return isinstance(source, list | tuple | Mapping) or any(name in _FRAMES for name in _class_names(source))


def to_polars(frame: object) -> tuple[pl.DataFrame, str]:
    """Return the frame as polars with plain types, and the kind it came in.

    An index of pandas without a name is dropped, one with a name becomes a column. Columns of mixed Python types
    become text, with missing values kept.

    Args:
        frame: A polars DataFrame or LazyFrame, a pandas DataFrame, a pyarrow Table or RecordBatch, a list of
            mappings, or a mapping of columns.

    Returns:
        The frame, and ``polars``, ``pandas``, ``pyarrow`` or ``records``.

    Raises:
        UnreadableSource: It is none of these.
        InvalidTable: A name is blank or repeated, or columns hold nested or binary values.
        EmptySource: A list or mapping without anything in it.

    >>> to_polars([{"a": 1}, {"a": 2}])[1]
    'records'
    """
    for name in _class_names(frame):
        if name in _FRAMES:
            kind, convert = _FRAMES[name]
            where = f"{kind} frame"
            with border("a frame can be read", where=where, fix=_FIX):
                return tidy(convert(frame), where), kind
    if isinstance(frame, Mapping):
        return _from_columns(frame), "records"
    if isinstance(frame, list | tuple) and all(isinstance(record, Mapping) for record in frame):
        return tidy(from_records(frame, "records"), "records"), "records"
    raise UnreadableSource("a source is a path, an address or a frame", got=_described(frame), fix=_FIX)


def back(frame: pl.DataFrame | pl.Series, kind: str) -> Any:
    """Return a frame (or one column) in the kind that ``to_polars`` named.

    >>> back(pl.DataFrame({"a": [1, 2]}), "records")
    [{'a': 1}, {'a': 2}]
    """
    is_column = isinstance(frame, pl.Series)
    if kind == "pandas":
        import pandas as pd

        if isinstance(frame, pl.Series):
            return pd.Series(_to_pandas(frame), name=frame.name)
        return pd.DataFrame({column.name: _to_pandas(column) for column in frame}, index=range(frame.height))
    if kind == "pyarrow":
        return frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    if kind == "records":
        return frame.to_list() if is_column else frame.to_dicts()  # type: ignore[union-attr]
    return frame


def _class_names(frame: object) -> Iterator[str]:
    """Yield ``library.Class`` for the frame's class and those it inherits from."""
    for cls in type(frame).__mro__:
        yield f"{cls.__module__.partition('.')[0]}.{cls.__name__}"


def _from_columns(columns: Mapping[Any, Any]) -> pl.DataFrame:
    names = [str(name) for name in columns]
    if not names:
        raise EmptySource("a table has rows and columns", where="columns", got="none", fix="give at least one column")
    check_names(names, "columns")
    with border("columns in a mapping are sequences of one length", where="columns", fix="give lists of one length"):
        values = [column.tolist() if hasattr(column, "tolist") else list(column) for column in columns.values()]
        return pl.DataFrame([from_values(n, v, "columns") for n, v in zip(names, values, strict=True)])


def _from_pandas(frame: Any) -> pl.DataFrame:
    named = [name for name in frame.index.names if name is not None]
    indexes = [(str(name), frame.index.get_level_values(name)) for name in named]
    columns = [(str(name), frame.iloc[:, position]) for position, name in enumerate(frame.columns)]
    check_names([name for name, _ in indexes + columns], "pandas frame")
    return pl.DataFrame([_from_pandas_column(name, values) for name, values in indexes + columns])


def _from_pandas_column(name: str, column: Any) -> pl.Series:
    """Return a column by its numbers where it has them, by its Python values where it has not.

    Going through numpy spares pyarrow, which pandas does not need and many do not have.
    """
    dtype, kind = column.dtype, getattr(column.dtype, "kind", "O")
    is_missing = np.asarray(column.isna(), dtype=bool)
    zone = getattr(dtype, "tz", None)
    if kind == "M" and (isinstance(dtype, np.dtype) or zone is not None):
        # Times with a zone come as their moments in UTC.
        numbers = np.asarray(column.to_numpy(dtype="datetime64[us]")).view(np.int64)
        series = pl.Series(name, numbers).cast(pl.Datetime("us", "UTC" if zone is not None else None))
    elif kind not in _NUMBERS or type(dtype).__name__ == "CategoricalDtype":
        cells = [None if gap else value for value, gap in zip(column, is_missing, strict=True)]
        return from_values(name, cells, "pandas frame")
    elif isinstance(dtype, np.dtype):
        series = pl.Series(name, column.to_numpy())
    else:
        series = pl.Series(name, column.to_numpy(dtype=_numpy_type(dtype, kind), na_value=0))
    return (
        series.zip_with(~pl.Series(is_missing), pl.Series([None], dtype=series.dtype)) if is_missing.any() else series
    )


def _numpy_type(dtype: Any, kind: str) -> Any:
    return bool if kind == "b" else getattr(dtype, "numpy_dtype", f"{kind}8")


def _to_pandas(column: pl.Series) -> Any:
    """Return values that pandas gives its own type: gaps in numbers are NaN, in all else None."""
    if column.dtype.is_numeric() or (column.dtype == pl.Boolean and not column.null_count()):
        return column.to_numpy()
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is None:
        return column.to_numpy()
    return column.to_list()


def _from_arrow(table: Any) -> pl.DataFrame:
    check_names(list(table.schema.names), "pyarrow frame")
    return pl.DataFrame(pl.from_arrow(table))


_FRAMES: dict[str, tuple[str, Any]] = {
    "polars.DataFrame": ("polars", lambda frame: frame),
    "polars.LazyFrame": ("polars", lambda frame: frame.collect()),
    "pandas.DataFrame": ("pandas", _from_pandas),
    "pyarrow.Table": ("pyarrow", _from_arrow),
    "pyarrow.RecordBatch": ("pyarrow", _from_arrow),
}


def _described(frame: object) -> str:
    cls = type(frame)
    inside = ""
    if isinstance(frame, list | tuple):
        inside = f" of {', '.join(sorted({type(item).__name__ for item in frame}))}"
    return f"{cls.__module__}.{cls.__qualname__}{inside}".removeprefix("builtins.")
