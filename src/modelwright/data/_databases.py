"""Databases: a query's answer becomes a frame; nothing in the database is ever changed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from modelwright.core.errors import UnreadableSource
from modelwright.data._addresses import missing, scheme_of
from modelwright.data._border import border, needs, secret_of, without_secrets
from modelwright.data._tidying import check_names, from_rows, tidy

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

_CONNECT_SECONDS = 10
# Types of DuckDB that Arrow, or polars behind it, has no word for; their rows come as Python values instead.
_FOREIGN_TYPES = ("INTERVAL", "BIT", "UNION", "VARIANT", "GEOMETRY", "TIME WITH TIME ZONE", "BIGNUM", "VARINT")


def is_database(source: str) -> bool:
    """Whether the source is the address of a database that queries can be sent to."""
    return scheme_of(source) in _READERS


def read_query(url: str, query: str | None) -> pl.DataFrame:
    """Return the answer of a query.

    Args:
        url: ``sqlite:///FILE``, ``duckdb:///FILE`` or ``postgresql://USER@HOST/NAME``; four slashes for a file
            whose path begins with one.
        query: One SQL statement that selects rows. The connection is read-only.

    Raises:
        UnreadableSource: There is no query, no such database, or the database refuses it.
        MissingLibrary: The database's library is not installed.
        InvalidTable: The answer has repeated names or nested values.
    """
    shown = without_secrets(url)
    if not query or not query.strip():
        raise UnreadableSource(
            "the address of a database comes with a query",
            where=shown,
            got="no query",
            fix='say which rows: --query "select * from customers"',
        )
    fix = "try the query in the database's own shell; it must be one statement that selects rows"
    with border("a query is one that the database answers with rows", where=shown, fix=fix, secret=secret_of(url)):
        return tidy(_READERS[scheme_of(url)](url, query), shown)


def _sqlite(url: str, query: str) -> pl.DataFrame:
    import sqlite3

    address = _database_file(url).resolve().as_uri() + "?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        connection.execute("pragma query_only = on")
        cursor = connection.execute(query)
        return _answer(url, cursor.description, cursor)


def _duckdb(url: str, query: str) -> pl.DataFrame:
    with needs("duckdb", "sql", where=url):
        import duckdb
    # No extension is fetched from the network behind the person's back.
    config: dict[str, Any] = {"autoinstall_known_extensions": "false"}
    with closing(duckdb.connect(str(_database_file(url)), read_only=True, config=config)) as connection:
        relation = connection.sql(query)
        if relation is None:
            raise _no_rows(url)
        check_names(relation.columns, url)
        if any(str(kind).startswith(_FOREIGN_TYPES) for kind in relation.types):
            return from_rows(relation.columns, relation.fetchall(), url)
        # polars alone could take the relation over, but then DuckDB complains of leaks when the process ends.
        with needs("pyarrow", "sql", where=url):
            return cast("pl.DataFrame", relation.pl())


def _postgres(url: str, query: str) -> pl.DataFrame:
    with needs("psycopg", "sql", where=without_secrets(url)):
        import psycopg
    # SQLAlchemy's spelling names the driver in the scheme.
    address = "postgresql://" + url.partition("://")[2]
    timeout: dict[str, Any] = {} if "connect_timeout=" in url else {"connect_timeout": _CONNECT_SECONDS}
    with closing(psycopg.connect(address, **timeout)) as connection:
        connection.read_only = True
        cursor = connection.execute(query)
        return _answer(url, cursor.description, cursor)


_READERS: dict[str, Callable[[str, str], pl.DataFrame]] = {
    "sqlite": _sqlite,
    "duckdb": _duckdb,
    "postgresql": _postgres,
    "postgres": _postgres,
    "postgresql+psycopg": _postgres,
}


def _answer(url: str, description: Any, cursor: Any) -> pl.DataFrame:
    if description is None:
        raise _no_rows(url)
    return from_rows([column[0] for column in description], cursor.fetchall(), without_secrets(url))


def _no_rows(url: str) -> UnreadableSource:
    return UnreadableSource(
        "a query selects rows",
        where=without_secrets(url),
        got="a statement that returns none",
        fix="write one select statement",
    )


def _database_file(url: str) -> Path:
    scheme, _, rest = url.partition("://")
    if not rest.startswith("/") or len(rest) == 1:
        raise UnreadableSource(
            "the address of a database file has three slashes before its path",
            where=url,
            got=f"{scheme}://{rest}",
            fix=f"write {scheme}:///{rest.lstrip('/') or 'FILE'}",
        )
    literal = Path(rest[1:]).expanduser()
    path = literal if literal.exists() else Path(unquote(rest[1:].partition("?")[0])).expanduser()
    if not path.exists():
        raise missing(path)
    return path
