"""Streaming: Parquet files of any size, some rows at a time."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from modelwright.core.errors import MissingLibrary, UnreadableSource
from modelwright.data._addresses import local_files

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a source: its path, and how many rows it says it has."""

    path: Path
    n_rows: int


def parts_of(source: str) -> list[Part]:
    """Return the Parquet files of a path, folder or glob, in the order of their names.

    Raises:
        UnreadableSource: There is none, or one is no Parquet file.
    """
    found = [Part(path, _n_rows(path)) for path in sorted(local_files(source)) if path.suffix == ".parquet"]
    if not found:
        fix = "give a file, a folder or a quoted glob; other formats go through `modelwright predict`"
        raise UnreadableSource("a batch is read from Parquet files", where=source, got="none", fix=fix)
    return found


def _n_rows(path: Path) -> int:
    try:
        return int(pl.scan_parquet(path, glob=False).select(pl.len()).collect().item())
    except Exception as error:
        rule = "a Parquet file can be read"
        raise UnreadableSource(rule, where=str(path), got=type(error).__name__, fix="write it anew") from error


def chunks(path: Path, *, rows_at_once: int) -> Iterator[pl.DataFrame]:
    """Give the rows of a Parquet file in their order, at most so many at a time."""
    with _arrow() as parquet:
        file = parquet.ParquetFile(path)
        try:
            for batch in file.iter_batches(batch_size=rows_at_once):
                frame = pl.from_arrow(batch)
                assert isinstance(frame, pl.DataFrame)
                yield frame
        finally:
            file.close()


@contextmanager
def appending(path: Path) -> Iterator[Any]:
    """Give a function that appends frames of one shape to a Parquet file; it has its name only once it is whole."""
    draft = path.with_name(f".{path.name}.unfinished")
    writer: Any = None
    with _arrow() as parquet:

        def append(frame: pl.DataFrame) -> None:
            nonlocal writer
            table = frame.to_arrow()
            if writer is None:
                writer = parquet.ParquetWriter(draft, table.schema, compression="zstd")
            writer.write_table(table)

        try:
            yield append
            if writer is not None:
                writer.close()
                draft.replace(path)
        finally:
            if writer is not None:
                writer.close()
            draft.unlink(missing_ok=True)


@contextmanager
def _arrow() -> Iterator[Any]:
    try:
        from pyarrow import parquet
    except ImportError as error:
        fix = "pip install 'modelwright[frames]'"
        raise MissingLibrary("Parquet is streamed with pyarrow", where="batch", got=str(error), fix=fix) from error
    yield parquet
