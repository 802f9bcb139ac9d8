"""Tables of our own by their address: in a SQLite file, or in a PostgreSQL database that machines share.

Both are spoken to in what SQLite and PostgreSQL understand alike, with ``?`` for values.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from modelwright.registry.ledger import is_database
from modelwright.registry.sqlite_file import SQLiteFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from modelwright.core.errors import ModelwrightError
    from modelwright.registry.postgres_database import PostgresDatabase


class Writing(Protocol):
    """What is open inside a transaction: a connection of either kind."""

    def execute(self, query: str, values: Sequence[object] = ..., /) -> Any:
        """Run one statement and return its cursor."""

    def executemany(self, query: str, values: Iterable[Sequence[object]], /) -> Any:
        """Run one statement for each of several values."""


class Tables(Protocol):
    """The tables. Safe to use from several threads and processes; writers wait for each other."""

    def writing(self) -> AbstractContextManager[Writing]:
        """Give a connection inside a transaction: all of it is written, or nothing."""

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""

    def close(self) -> None:
        """Close the connection."""


def open_tables(address: str | Path, schema: Sequence[str], explain: Callable[[str, str], ModelwrightError]) -> Tables:
    """Return the tables at an address, made if absent; what was written outlasts the machine's loss of power too.

    Args:
        address: A path for SQLite, or ``postgresql://user@host/database``.
        schema: Statements that make what is absent.
        explain: Makes the error to raise of the address and of what went wrong.
    """
    if is_database(address):
        from modelwright.registry.postgres_database import PostgresDatabase

        told = [statement.replace(" BLOB", " bytea") for statement in schema]
        return _InPostgres(PostgresDatabase(str(address), told, explain))
    pragmas = ("synchronous=FULL",)
    return SQLiteFile(address, ";\n".join(schema), lambda got: explain(str(address), got), pragmas=pragmas)


class _InPostgres:
    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        with self._database.transaction(locked=True) as db:
            yield _Spoken(db)

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._database.transaction() as db:
            return list(_Spoken(db).execute(query, values).fetchall())

    def close(self) -> None:
        self._database.close()


class _Spoken:
    """A psycopg connection that is spoken to as one of sqlite3 is."""

    def __init__(self, db: Any) -> None:
        self._db = db

    def execute(self, query: str, values: Sequence[object] = ()) -> Any:
        return self._db.execute(query.replace("?", "%s"), values)

    def executemany(self, query: str, values: Iterable[Sequence[object]]) -> None:
        with self._db.cursor() as cursor:
            cursor.executemany(query.replace("?", "%s"), values)
