"""Reading: any source becomes one table; this is the only place where foreign tables are let in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import polars as pl

from modelwright.core.errors import EmptySource, InvalidTable, UnreadableSource, closest
from modelwright.core.table import Table
from modelwright.data._addresses import local_files, scheme_of, sheet_of
from modelwright.data._border import border, without_secrets
from modelwright.data._content import name_of
from modelwright.data._databases import is_database, read_query
from modelwright.data._files import read_file
from modelwright.data._stores import is_store, read_objects
from modelwright.data.frames import is_frame, to_polars

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN = 5


def read(source: object, *, query: str | None = None) -> Table:
    """Return the table a source holds.

    Cells of CSV and TSV are text exactly as written (``007``, ``?`` and ``None`` survive), blank ones missing;
    the first line is the header. Other sources keep their types.

    Args:
        source: A path; a glob or a folder of files with the same columns; ``book.xlsx#Sheet``; ``s3://…``;
            ``sqlite:///FILE``, ``duckdb:///FILE`` or ``postgresql://…`` with a query; or a frame of polars,
            pandas or pyarrow, a list of dicts or a dict of columns. Files may be CSV, TSV, Parquet,
            Arrow, JSON Lines or Excel; text files also inside gzip or zstd.
        query: One SQL statement that selects rows, for databases only.

    Raises:
        UnreadableSource: It is not there, not a table, or in an encoding that cannot be told.
        EmptySource: It holds no rows or no columns.
        InvalidTable: Rows are ragged, names blank or repeated, cells nested, or the files of a folder differ.
        MissingLibrary: An optional library is needed.

    >>> read([{"age": 31, "city": "Oslo"}]).columns
    ['age', 'city']
    """
    if is_frame(source):
        frame, kind = to_polars(source)
        return _table(frame, f"{kind} frame" if kind != "records" else kind, query)
    if not isinstance(source, str | os.PathLike) or not str(source).strip():
        raise UnreadableSource(
            "a source is a path, an address or a frame",
            got=repr(source) if isinstance(source, str | os.PathLike) else type(source).__name__,
            fix="give a path, or a frame of polars, pandas or pyarrow, or a list of dicts",
        )
    text = os.fspath(source) if isinstance(source, os.PathLike) else source
    text = text if isinstance(text, str) else os.fsdecode(text)
    if is_database(text):
        return _table(read_query(text, query), without_secrets(text), None)
    parts = read_objects(text) if is_store(text) else _read_local(text)
    return _table(_together(parts, text), text, query)


def _read_local(text: str) -> list[tuple[str, pl.DataFrame]]:
    if scheme_of(text):
        known = ["sqlite", "duckdb", "postgresql", "s3"]
        raise UnreadableSource(
            "an address begins with a scheme that is known",
            where=without_secrets(text),
            got=f"{scheme_of(text)}://",
            fix=f"{closest(scheme_of(text), known)}; or download the file first",
        )
    with border("a source can be looked at", where=text, fix="check the path and the permissions"):
        path, sheet = sheet_of(text)
        return [(str(file), read_file(file, sheet)) for file in local_files(path)]


def _table(frame: pl.DataFrame, source: str, query: str | None) -> Table:
    if query is not None:
        raise UnreadableSource(
            "a query is asked of a database",
            where=source,
            got="a query for something that is not one",
            fix="leave the query out, or give the address of a database such as sqlite:///FILE",
        )
    if not frame.height or not frame.width:
        raise EmptySource(
            "a table has rows and columns",
            where=source,
            got=f"{frame.width:,} columns and no rows" if frame.width else "no columns",
            fix="check that the source was written to its end",
        )
    return Table(frame, source, name_of(frame))


def _together(parts: Sequence[tuple[str, pl.DataFrame]], source: str) -> pl.DataFrame:
    """Return the rows of all files, one after the other, columns in the order of the first."""
    (first_name, first), *others = parts
    if not others:
        return first
    for name, frame in others:
        lacks = [column for column in first.columns if column not in frame.columns]
        adds = [column for column in frame.columns if column not in first.columns]
        if lacks or adds:
            said = [f"{verb} {_listed(names)}" for verb, names in (("lacks", lacks), ("adds", adds)) if names]
            raise InvalidTable(
                "files that are read together have the same columns",
                where=f"{name}, compared with {first_name}",
                got=" and ".join(said),
                fix="leave that file out, or give all files the same header",
            )
    frames = [frame.select(first.columns) for _, frame in parts]
    _check_types(frames, parts)
    with border("files that are read together have the same types", where=source, fix="give them one type"):
        return pl.concat(frames, how="vertical_relaxed")


def _check_types(frames: Sequence[pl.DataFrame], parts: Sequence[tuple[str, pl.DataFrame]]) -> None:
    """Raise InvalidTable when a column is of one family of types here and of another there."""
    first = frames[0].schema
    for frame, (name, _) in zip(frames[1:], parts[1:], strict=True):
        for column, dtype in frame.schema.items():
            if dtype != first[column] and not (dtype.is_numeric() and first[column].is_numeric()):
                raise InvalidTable(
                    "files that are read together have the same types",
                    where=f"{name}, compared with {parts[0][0]}, column {column!r}",
                    got=f"{dtype} and {first[column]}",
                    fix="write the column with one type in all files",
                )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(map(repr, names[:_SHOWN])) + more
