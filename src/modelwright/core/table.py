"""The table: rows and named columns, read once at the door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was read, before the contract gives its values a meaning.

    CSV cells are text here, exactly as written (blank cells are missing); typed sources keep their types.

    Attributes:
        frame: The rows.
        source: Where they came from, for messages and the manifest.
        fingerprint: Names the content: column names, types and values, in order.
    """

    frame: pl.DataFrame
    source: str
    fingerprint: str

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return self.frame.height

    @property
    def columns(self) -> list[str]:
        """The column names, in order."""
        return self.frame.columns
