"""One SQLite file: opened, written in transactions, and its failures told in the house's words."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from modelwright.core.errors import ModelwrightError

WAIT_SECONDS = 30.0
"""So long a writer waits for another."""


class SQLiteFile:
    """The file. Safe to use from several threads and processes; writers wait for each other.

    Args:
        path: Made if absent, with its folder, for its owner's eyes only.
        schema: Statements that make what is absent.
        explain: Makes the error to raise of what SQLite or the disk said.
        pragmas: Besides the log that lets readers and a writer work side by side.
    """

    def __init__(
        self, path: str | Path, schema: str, explain: Callable[[str], ModelwrightError], *, pragmas: Sequence[str] = ()
    ) -> None:
        self.path, self._explain = Path(path), explain
        self._lock = threading.RLock()
        with self._explained():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
            self.path.chmod(0o600)
            # A row of a hundred columns is some 2 kB: in pages of 4 kB most would lie on pages of their own.
            for pragma in ("page_size=8192", "journal_mode=WAL", *pragmas):
                self._db.execute(f"PRAGMA {pragma}")
            self._db.executescript(schema)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise self._explain(str(error)[:200]) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside a transaction: all of it is written, or nothing."""
        with self._explained(), self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self._explained(), self._lock:
            return self._db.execute(query, values).fetchall()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
