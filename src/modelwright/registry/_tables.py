"""The shelf in MLflow's own tables, in SQLite or PostgreSQL.

The columns used here are those of MLflow's migrations since aliases came (2.3); tests hold both roads against each
other.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelwright.core.errors import MissingLibrary, RegistryUnavailable
from modelwright.registry.version import FINGERPRINT, Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

BUSY_SECONDS = 60.0
LOCK_NUMBER = 6_507_281_943
"""Names the lock that writers of a PostgreSQL store hold."""
_LAST_TABLE = "registered_model_aliases"
"""Of the tables used here the one that MLflow's migrations make last."""
_VERSIONS = "SELECT name, version, creation_time, run_id, source FROM model_versions"
_TAGS = 'SELECT name, version, "key", value FROM model_version_tags'
_ALIASES = "SELECT name, version, alias FROM registered_model_aliases"


class Tables:
    """Reads and marks through SQL; made by ``sqlite_tables`` or ``postgres_tables``."""

    def __init__(self, connect: Any, place: str, asks: str) -> None:
        self._connect, self._place, self._asks = connect, place, asks

    def are_made(self) -> bool:
        """Return whether MLflow has made its tables in the database yet."""
        with self._open() as run:
            return bool(run(self._asks, (_LAST_TABLE,)))

    def names(self) -> tuple[str, ...]:
        """See ``Shelf``."""
        with self._open() as run:
            return tuple(str(row[0]) for row in run("SELECT name FROM registered_models ORDER BY name"))

    def versions(self, name: str | None = None) -> tuple[Version, ...]:
        """See ``Shelf``."""
        where, values = (" WHERE name = ?", (name,)) if name is not None else ("", ())
        with self._open() as run:
            rows = run(f"{_VERSIONS}{where}", values)
            tags, aliases = run(f"{_TAGS}{where}", values), run(f"{_ALIASES}{where}", values)
        return _versions(rows, tags, aliases)

    def version(self, name: str, which: int | str) -> Version | None:
        """See ``Shelf``."""
        with self._open() as run:
            number = which
            if isinstance(which, str):
                found = run(f"{_ALIASES} WHERE name = ? AND alias = ?", (name, which))
                if not found:
                    return None
                number = int(found[0][1])
            both = " WHERE name = ? AND version = ?"
            rows = run(f"{_VERSIONS}{both}", (name, number))
            tags = run(f"{_TAGS}{both}", (name, number))
            aliases = run(f"{_ALIASES}{both}", (name, number))
        return next(iter(_versions(rows, tags, aliases)), None)

    def model_tags(self, name: str) -> Mapping[str, str]:
        """See ``Shelf``."""
        with self._open() as run:
            rows = run('SELECT "key", value FROM registered_model_tags WHERE name = ?', (name,))
        return {str(key): str(value) for key, value in rows}

    def mark(
        self,
        name: str,
        *,
        aliases: Mapping[str, int | None] | None = None,
        tags: Mapping[str, str] | None = None,
        version_tags: Mapping[int, Mapping[str, str]] | None = None,
    ) -> None:
        """See ``Shelf``; all of it in one transaction."""
        with self._open() as run:
            for alias, number in (aliases or {}).items():
                run("DELETE FROM registered_model_aliases WHERE name = ? AND alias = ?", (name, alias))
                if number is not None:
                    insert = "INSERT INTO registered_model_aliases (alias, version, name) VALUES (?, ?, ?)"
                    run(insert, (alias, number, name))
            for key, value in (tags or {}).items():
                run('DELETE FROM registered_model_tags WHERE name = ? AND "key" = ?', (name, key))
                run('INSERT INTO registered_model_tags ("key", value, name) VALUES (?, ?, ?)', (key, value, name))
            for number, pairs in (version_tags or {}).items():
                for key, value in pairs.items():
                    which = (name, number, key)
                    run('DELETE FROM model_version_tags WHERE name = ? AND version = ? AND "key" = ?', which)
                    insert = 'INSERT INTO model_version_tags (name, version, "key", value) VALUES (?, ?, ?, ?)'
                    run(insert, (*which, value))

    def locked(self) -> Any:
        """Return a connection to PostgreSQL that holds the writers' lock until it is closed."""
        with self._open() as run:
            run("SELECT 1")
        connection = self._connect()
        connection.execute("SELECT pg_advisory_lock(%s)", (LOCK_NUMBER,))
        return connection

    @contextmanager
    def _open(self) -> Iterator[Any]:
        """Yield a function that runs one statement; all of a block is one transaction."""
        try:
            with closing(self._connect()) as connection:
                yield lambda text, values=(): _run(connection, text, values)
                connection.commit()
        except Exception as error:
            if isinstance(error, sqlite3.Error) or type(error).__module__.startswith("psycopg"):
                got = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            else:
                raise
            raise RegistryUnavailable(
                "the registry can be read and written", where=self._place, got=got, fix="check MLFLOW_TRACKING_URI"
            ) from error


def _run(connection: Any, text: str, values: tuple[Any, ...]) -> list[Any]:
    if not isinstance(connection, sqlite3.Connection):
        text = text.replace("?", "%s")
    cursor = connection.execute(text, values)
    return list(cursor.fetchall()) if cursor.description else []


def _versions(rows: list[Any], tags: list[Any], aliases: list[Any]) -> tuple[Version, ...]:
    tagged: dict[tuple[str, int], dict[str, str]] = {}
    named: dict[tuple[str, int], list[str]] = {}
    for name, number, key, value in tags:
        tagged.setdefault((name, int(number)), {})[key] = value
    for name, number, alias in aliases:
        named.setdefault((name, int(number)), []).append(alias)
    made = []
    for name, number, created, run_id, source in sorted(rows, key=lambda r: (r[0], int(r[1]))):
        place = (name, int(number))
        known = tagged.get(place, {})
        when = datetime.fromtimestamp((created or 0) / 1000, UTC).isoformat(timespec="seconds")
        both = tuple(sorted(named.get(place, ())))
        made.append(Version(*place, known.get(FINGERPRINT, ""), when, both, run_id or "", source or "", known))
    return tuple(made)


@contextmanager
def postgres_lock(address: str) -> Iterator[None]:
    """Hold a database's own lock while the block runs: MLflow makes its tables without one.

    Raises:
        RegistryUnavailable: The database cannot be reached.
        MissingLibrary: psycopg is not installed.
    """
    with closing(postgres_tables(address).locked()):
        yield


def sqlite_tables(path: Path) -> Tables:
    """Return the shelf in an SQLite file that MLflow has made."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS)
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    return Tables(connect, path.name, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?")


def postgres_tables(address: str) -> Tables:
    """Return the shelf in a PostgreSQL database that MLflow has made its tables in.

    Raises:
        MissingLibrary: psycopg is not installed.
    """
    try:
        import psycopg
    except ImportError as error:
        raise MissingLibrary(
            "a registry in PostgreSQL needs psycopg", got=str(error), fix="pip install 'modelwright[sql]'"
        ) from error
    plain = "postgresql" + address[address.index("://") :]
    asks = "SELECT 1 WHERE to_regclass(?) IS NOT NULL"
    return Tables(lambda: psycopg.connect(plain, connect_timeout=10), "PostgreSQL", asks)
