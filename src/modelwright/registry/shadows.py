"""Shadows: what a service recorded of a model that answered beside the champion without being heard."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from modelwright.core.errors import RegistryUnavailable

if TYPE_CHECKING:
    from pathlib import Path

LEDGER = "ledger.db"
ROWS_MOST = 100_000
"""The newest answers of a shadow that are looked at."""
_SHADOW = "SELECT row, prediction FROM predictions WHERE role = 'shadow' AND fingerprint = ? ORDER BY time DESC LIMIT ?"
_CHAMPION = "SELECT row, prediction FROM predictions WHERE role = 'champion' AND fingerprint = ? AND time >= ?"
_SINCE = "SELECT MIN(time) FROM predictions WHERE role = 'shadow' AND fingerprint = ?"
SLACK_SECONDS = 60.0
"""The champion answers first; its answer to the shadow's first row may be this much older."""


def shadowed(address: str | Path, *, shadow: str, champion: str) -> list[tuple[Any, Any]]:
    """Return what the shadow and the champion answered to the same live rows.

    Args:
        address: Of the ledger: a path, or ``postgresql://…``.
        shadow: Fingerprint of the shadow's package.
        champion: Fingerprint of the champion's package.

    Returns:
        Pairs of answers, shadow first: labels or numbers. Empty when there is no ledger or no shadow in it.

    Raises:
        RegistryUnavailable: The ledger cannot be read.
    """
    try:
        connection = _connect(str(address))
        if connection is None:
            return []
        with closing(connection):
            said = _rows(connection, _SHADOW, (shadow, ROWS_MOST))
            since = _rows(connection, _SINCE, (shadow,))
            if not said or since[0][0] is None:
                return []
            heard = dict(_rows(connection, _CHAMPION, (champion, float(since[0][0]) - SLACK_SECONDS)))
    except Exception as error:
        if "no such table" in str(error) or "UndefinedTable" in type(error).__name__:
            return []
        if not isinstance(error, sqlite3.Error) and not type(error).__module__.startswith("psycopg"):
            raise
        raise RegistryUnavailable(
            "the record of predictions can be read", where="--ledger", got=str(error)[:200], fix="check its address"
        ) from error
    return [(json.loads(answer), json.loads(heard[row])) for row, answer in said if row in heard]


def _connect(address: str) -> Any:
    if address.startswith(("postgresql://", "postgres://")):
        import psycopg

        return psycopg.connect(address, connect_timeout=10)
    from pathlib import Path

    path = Path(address)
    if not path.exists():
        return None
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=30.0)


def _rows(connection: Any, text: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    if not isinstance(connection, sqlite3.Connection):
        # PostgreSQL may keep rows as JSON: as text they can be matched and loaded like SQLite's.
        text = text.replace("?", "%s").replace("SELECT row, prediction", "SELECT row::text, prediction::text")
    return [tuple(r) for r in connection.execute(text, values).fetchall()]
