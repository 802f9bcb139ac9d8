"""Streaming: Parquet files of any size, here or in an object store, some rows at a time."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from modelwright.core.errors import MissingLibrary, UnreadableSource
from modelwright.data._addresses import local_files
from modelwright.data._objects import Objects, is_object

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a source.

    Attributes:
        name: Of the file, without its folder.
        address: Its path, or bucket and key.
        n_rows: How many it says it has.
        stamp: Size in bytes and time of change in nanoseconds: equal ones mean the same content.
    """

    name: str
    address: str
    n_rows: int
    stamp: tuple[int, int]
    objects: Objects | None = field(default=None, compare=False, repr=False)

    @property
    def path(self) -> Path | None:
        """Where it lies on this machine; None in a store."""
        return Path(self.address) if self.objects is None else None


def parts_of(source: str) -> list[Part]:
    """Return the Parquet files of a path, folder or glob, here or behind ``s3://``, in the order of their names.

    Raises:
        UnreadableSource: There is none, one is no Parquet file, or the store does not answer.
        MissingLibrary: pyarrow is not installed.
    """
    with _arrow() as parquet:
        found = _in_store(parquet, source) if is_object(source) else _here(parquet, source)
    if not found:
        fix = "give a file, a folder or a quoted glob; other formats go through `modelwright predict` into a file"
        raise UnreadableSource("a batch is read from Parquet files", where=source, got="none", fix=fix)
    return found


def _here(parquet: Any, source: str) -> list[Part]:
    found = []
    for path in sorted(local_files(source)):
        if path.suffix == ".parquet":
            stat = path.stat()
            n_rows = _n_rows(parquet, str(path), str(path))
            found.append(Part(path.name, str(path), n_rows, (stat.st_size, stat.st_mtime_ns)))
    return found


def _in_store(parquet: Any, source: str) -> list[Part]:
    objects = Objects(source)
    found = []
    for entry in objects.found():
        with objects.explained(entry.path):
            file = objects.open(entry.path)
        n_rows = _n_rows(parquet, file, entry.path)
        found.append(Part(entry.base_name, entry.path, n_rows, (entry.size, entry.mtime_ns), objects))
    return found


def _n_rows(parquet: Any, file: Any, where: str) -> int:
    try:
        return int(parquet.read_metadata(file).num_rows)
    except Exception as error:
        rule = "a Parquet file can be read"
        raise UnreadableSource(rule, where=where, got=type(error).__name__, fix="write it anew") from error


def chunks(part: Part, *, rows_at_once: int) -> Iterator[pl.DataFrame]:
    """Give the rows of a Parquet file in their order, at most so many at a time."""
    with _arrow() as parquet:
        given = part.address if part.objects is None else part.objects.open(part.address)
        file = parquet.ParquetFile(given, pre_buffer=False)  # a buffer would keep all that was read
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
