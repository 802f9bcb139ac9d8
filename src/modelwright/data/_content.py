"""What a table contains, as one short name: the same values give it on every machine and in every run."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROWS = 1 << 18
_MISSING = 2**32 - 1


def name_of(frame: pl.DataFrame) -> str:
    """Return 32 hexadecimal digits that name the columns, their types and their values, in order.

    Values are hashed in pieces of a fixed number of rows, so it does not matter how the frame lies in memory.

    >>> name_of(pl.DataFrame({"a": ["x"]})) == name_of(pl.DataFrame({"a": ["y"]}))
    False
    """
    digest = hashlib.sha256()
    digest.update(repr((frame.height, [(c.name, _type_name(c.dtype)) for c in frame])).encode())
    for piece in frame.iter_slices(_ROWS):
        for part in _parts(piece):
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
    return digest.hexdigest()[:32]


def _parts(piece: pl.DataFrame) -> Iterator[bytes]:
    """Yield the values as bytes: text as lengths and characters, all else as a mask of gaps and numbers."""
    texts = piece.select(pl.col(pl.String))
    if texts.width:
        lengths = texts.select(pl.all().str.len_bytes().fill_null(_MISSING))
        for column, joined in zip(lengths, texts.select(pl.all().str.join("")).row(0), strict=True):
            yield column.to_numpy().astype("<u4").tobytes()
            yield joined.encode()
    others = piece.select(pl.exclude(pl.String))
    if others.width:
        plain = others.with_columns(pl.col(pl.Boolean).cast(pl.UInt8)).select(pl.all().to_physical().fill_null(0))
        for gaps, column in zip(others.select(pl.all().is_null()), plain, strict=True):
            yield np.packbits(gaps.to_numpy()).tobytes()
            numbers = column.to_numpy()
            yield numbers.astype(numbers.dtype.newbyteorder("<")).tobytes()


def _type_name(dtype: pl.DataType) -> str:
    detail = f"[{dtype.time_unit},{dtype.time_zone}]" if isinstance(dtype, pl.Datetime) else ""
    return type(dtype).__name__ + detail
