"""The home of a registry: which store, and the folder of the project where its files lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from modelwright.core.errors import RegistryUnavailable
from modelwright.registry._rest import Rest
from modelwright.registry._tables import postgres_tables, sqlite_tables

if TYPE_CHECKING:
    from modelwright.registry.shelf import Shelf

FOLDER = ".modelwright"
DATABASE = "registry.db"
PACKAGE = "package"
"""Folder of a run's artifacts that holds the package."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where a registry is.

    Attributes:
        folder: ``.modelwright`` of the project: the embedded store, the audit log, fetched packages.
        address: Of an MLflow store, as in ``MLFLOW_TRACKING_URI``; empty for the embedded one.
        token: For a tracking server: a bearer token, or ``user:password``.
    """

    folder: Path
    address: str = ""
    token: str = ""

    def __post_init__(self) -> None:
        scheme = self.address.partition("://")[0].partition("+")[0]
        if self.address and scheme not in ("http", "https", "sqlite", "postgresql", "postgres"):
            raise RegistryUnavailable(
                "a registry is an MLflow tracking server, an SQLite file or a PostgreSQL database",
                where="MLFLOW_TRACKING_URI",
                got=scheme[:40],
                fix="unset it for the project's own registry, or give http(s)://, sqlite:/// or postgresql://",
            )

    @property
    def is_embedded(self) -> bool:
        """Whether the store is the project's own."""
        return not self.address

    @property
    def database(self) -> Path | None:
        """The SQLite file of the store, or None for other stores."""
        if self.is_embedded:
            return self.folder / DATABASE
        if not self.address.startswith("sqlite"):
            return None
        # As SQLAlchemy has it: after sqlite:// and a slash comes the path, so an absolute one has two slashes.
        return Path(unquote(urlsplit(self.address).path)[1:])

    @property
    def uri(self) -> str:
        """The store as MLflow's library wants it."""
        if self.is_embedded:
            return f"sqlite:///{(self.folder / DATABASE).resolve()}"
        # SQLAlchemy would look for psycopg2; the driver that is installed is its successor.
        name, _, rest = self.address.partition("://")
        return f"postgresql+psycopg://{rest}" if name in ("postgresql", "postgres") else self.address

    @property
    def artifacts(self) -> Path:
        """The folder of artifacts, for stores that have none of their own."""
        return self.folder / "artifacts"

    @property
    def lock(self) -> Path:
        """The file whose lock every writer holds."""
        return self.folder / "lock"

    def shelf(self) -> Shelf | None:
        """Return what the store holds; None where nothing was registered yet.

        Raises:
            RegistryUnavailable: It cannot be opened.
            MissingLibrary: Its database needs a library that is not installed.
        """
        if self.address.startswith("http"):
            return Rest(self.address, self.token)
        database = self.database
        if database is not None and not database.exists():
            return None
        tables = postgres_tables(self.address) if database is None else sqlite_tables(database)
        return tables if tables.are_made() else None

    def stamp(self) -> str:
        """Return a text that differs after the store was written, or nothing where that cannot be told for free."""
        database = self.database
        if database is None:
            return ""
        parts = []
        for path in (database, database.with_name(f"{database.name}-wal")):
            try:
                known = path.stat()
            except OSError:
                continue
            parts.append(f"{known.st_ino}:{known.st_mtime_ns}:{known.st_size}")
        return ",".join(parts)
