"""One PostgreSQL database: reached again when lost, written in transactions, its failures in the house's words."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from modelwright.core.errors import MissingLibrary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from modelwright.core.errors import ModelwrightError

LOCK = 7_215_031_946
"""Advisory lock under which tables are made and what must not cross is written, by whatever machine."""


class PostgresDatabase:
    """The database. Safe to use from several threads and machines; reconnects after a lost connection.

    Args:
        url: ``postgresql://…``.
        schema: Statements that make what is absent.
        explain: Makes the error to raise of the address, its password hidden, and of what PostgreSQL said.

    Raises:
        MissingLibrary: psycopg is not installed.
    """

    def __init__(self, url: str, schema: Sequence[str], explain: Callable[[str, str], ModelwrightError]) -> None:
        self._url, self._explain = url, explain
        self._lock = threading.RLock()
        self._db: Any = None
        with self.transaction(locked=True) as db:
            for statement in schema:
                db.execute(statement)

    @contextmanager
    def transaction(self, *, locked: bool = False) -> Iterator[Any]:
        """Give the psycopg connection inside a transaction: all of it is written, or nothing.

        Args:
            locked: Wait until no other transaction that asks for this is open on any machine.
        """
        try:
            import psycopg
        except ImportError as error:
            fix = "pip install 'modelwright[sql]'"
            raise MissingLibrary("PostgreSQL is reached by psycopg", where=self._place, fix=fix) from error
        with self._lock:
            try:
                if self._db is None or self._db.closed:
                    self._db = psycopg.connect(self._url)
                with self._db.transaction():
                    if locked:
                        self._db.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
                    yield self._db
            except psycopg.Error as error:
                if isinstance(error, psycopg.OperationalError) and self._db is not None:
                    self._db.close()
                got = str(error).strip().splitlines()
                raise self._explain(self._place, got[0][:200] if got else type(error).__name__) from error

    @property
    def _place(self) -> str:
        return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", self._url)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._db is not None:
                self._db.close()
