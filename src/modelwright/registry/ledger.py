"""The ledger by its address: a path for SQLite, a URL for PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.core.errors import InvalidSetting
from modelwright.registry.ledger_privacy import Privacy

if TYPE_CHECKING:
    from modelwright.core.ports import Ledger

_POSTGRES = ("postgresql://", "postgres://")


def is_database(address: str | Path) -> bool:
    """Return whether an address names a database server rather than a file."""
    return str(address).startswith(_POSTGRES)


def may_be_there(address: str | Path) -> bool:
    """Return whether an address names a file that exists, or a database: that is known when it is asked."""
    return is_database(address) or Path(address).exists()


def open_ledger(address: str | Path, privacy: Privacy | None = None) -> Ledger:
    """Return the ledger at an address, made if absent.

    Args:
        address: A path for SQLite, or ``postgresql://user@host/database``.
        privacy: Where its hashes are keyed, so that hashed values can be erased; None when nothing is hashed.

    Raises:
        InvalidSetting: The address is of another kind.
        LedgerUnavailable: It cannot be opened.
        MissingLibrary: PostgreSQL is asked for and psycopg is not installed.
    """
    if is_database(address):
        from modelwright.registry.ledger_postgres import PostgresLedger

        return PostgresLedger(str(address), privacy or Privacy())
    if "://" in str(address):
        raise InvalidSetting(
            "a ledger is a file or a PostgreSQL database",
            where="--ledger",
            got=str(address).partition("://")[0] + "://…",
            fix="give a path, or postgresql://user@host/database",
        )
    from modelwright.registry.ledger_sqlite import SQLiteLedger

    return SQLiteLedger(address, privacy or Privacy())
