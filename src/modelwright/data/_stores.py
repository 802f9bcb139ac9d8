"""Object stores: files behind ``s3://`` and its kin, read through polars' own client.

Where the store is and who is asking (``AWS_ENDPOINT_URL``, ``AWS_REGION``, keys, profiles) that client finds by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from modelwright.core.errors import ModelwrightError, UnreadableSource
from modelwright.data._addresses import scheme_of
from modelwright.data._border import border
from modelwright.data._files import AS_ONE_CELL, read_bytes
from modelwright.data._tidying import tidy

if TYPE_CHECKING:
    from collections.abc import Callable

_SCHEMES = frozenset({"s3", "s3a", "gs", "gcs", "az", "adl", "abfs", "abfss"})
_OPTIONS = {"max_retries": 2}
_PATH = "__path__"
_COLUMNAR: dict[str, Callable[..., pl.LazyFrame]] = {
    ".parquet": pl.scan_parquet,
    ".pq": pl.scan_parquet,
    ".arrow": pl.scan_ipc,
    ".feather": pl.scan_ipc,
    ".ipc": pl.scan_ipc,
}
_TEXT = (".csv", ".tsv", ".tab", ".psv", ".txt", ".jsonl", ".ndjson", ".json")


def is_store(source: str) -> bool:
    """Whether the source is the address of an object in a store."""
    return scheme_of(source) in _SCHEMES


def read_objects(url: str) -> list[tuple[str, pl.DataFrame]]:
    """Return the addresses and frames of the objects a URL or a glob names, sorted by address.

    Args:
        url: Such as ``s3://bucket/rows.parquet`` or ``s3://bucket/2024/*.csv``; text must be UTF-8.

    Raises:
        UnreadableSource: There is no such object, the store cannot be reached or refuses, or the ending is unknown.
    """
    name = url.lower().removesuffix(".gz").removesuffix(".zst")
    scan = next((scan for ending, scan in _COLUMNAR.items() if name.endswith(ending)), None)
    if scan is None and not name.endswith(_TEXT):
        raise UnreadableSource(
            "the ending of an object says what it is",
            where=url,
            got="an ending that is not read from a store",
            fix=f"use one of {', '.join([*_COLUMNAR, *_TEXT])}, or download the file first",
        )
    fix = (
        "check the address, AWS_REGION, AWS_ENDPOINT_URL and the keys; a folder is written as s3://bucket/folder/*.csv"
    )
    with border("an object that is read exists and may be read", where=url, fix=fix):
        try:
            found = _columnar(url, scan) if scan else _texts(url)
        except pl.exceptions.ComputeError as error:
            if "utf-8" not in str(error) and "utf8" not in str(error):
                raise
            raise UnreadableSource(
                "text in an object store is UTF-8",
                where=url,
                got="another encoding",
                fix="save it as UTF-8, or download the file first",
            ) from error
    if not found:
        raise UnreadableSource("a pattern matches at least one object", where=url, got="no match", fix=fix)
    return sorted(found, key=lambda pair: pair[0])


def _columnar(url: str, scan: Callable[..., pl.LazyFrame]) -> list[tuple[str, pl.DataFrame]]:
    if "*" not in url:
        return [(url, tidy(_collected(scan(url, storage_options=_OPTIONS)), url))]
    # Each object is read alone, so that differing columns are reported as they are for files.
    listing: Any = {"missing_columns": "insert", "extra_columns": "ignore"} if scan is pl.scan_parquet else {}
    scanned = scan(url, storage_options=_OPTIONS, include_file_paths=_PATH, **listing)
    paths = _collected(scanned.select(pl.col(_PATH).unique()))[_PATH]
    return [(path, tidy(_collected(scan(path, storage_options=_OPTIONS)), path)) for path in paths]


def _texts(url: str) -> list[tuple[str, pl.DataFrame]]:
    scanned = pl.scan_csv(url, storage_options=_OPTIONS, include_file_paths=_PATH, **AS_ONE_CELL)
    return [(path, read_bytes((text or "").encode(), path)) for text, path in _collected(scanned).iter_rows()]


def _collected(lazy: pl.LazyFrame) -> pl.DataFrame:
    frame = lazy.collect()
    if not isinstance(frame, pl.DataFrame):  # pragma: no cover - only a query in the background is anything else
        raise ModelwrightError("a scan ends in a frame", got=type(frame).__name__)
    return frame
