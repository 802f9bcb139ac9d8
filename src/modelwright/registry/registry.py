"""The registry: versions of packages under a name, and which of them is champion and which challenger."""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from modelwright.core.errors import MissingLibrary, NotAllowed, RegistryUnavailable, UnknownModel, closest
from modelwright.registry._tables import postgres_lock
from modelwright.registry.home import PACKAGE, Home
from modelwright.registry.locking import locked
from modelwright.registry.names import CHALLENGER, CHAMPION, Ref, check_name
from modelwright.registry.version import ACT, FINGERPRINT, HISTORY, Version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from modelwright.registry.shelf import Shelf

HISTORY_MOST = 50
"""Champions that are remembered for the way back."""


def _nothing() -> None:
    """Guard nothing."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is registered.

    Attributes:
        folder: The package, as a folder.
        fingerprint: Of the package.
        params: How it was made, as text by name.
        measures: What was measured, finite numbers by name.
        tags: What else is known: author, metric, fingerprints of the data.
    """

    folder: Path
    fingerprint: str
    params: Mapping[str, str] = field(default_factory=dict)
    measures: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


class Registry:
    """Versions and aliases in an MLflow store; safe with any number of processes at once.

    Args:
        home: Where the store is.
    """

    def __init__(self, home: Home) -> None:
        self.home = home

    def check_ready(self, name: str) -> None:
        """Check that a package could be registered, before hours of training say otherwise.

        Raises:
            InvalidName: The name is none.
            MissingLibrary: MLflow is not installed.
            RegistryUnavailable: The store cannot be read.
        """
        check_name(name)
        if find_spec("mlflow") is None or find_spec("sqlalchemy") is None:
            raise MissingLibrary("registering a model needs MLflow", fix="pip install 'modelwright[mlflow]'")
        if self.home.address:
            self.names()

    def names(self) -> tuple[str, ...]:
        """Return the names of the registered models, sorted."""
        shelf = self.home.shelf()
        return () if shelf is None else shelf.names()

    def versions(self, name: str | None = None) -> tuple[Version, ...]:
        """Return the versions of a model, or of all models, by name and number.

        Raises:
            UnknownModel: No model has this name.
        """
        shelf = self.home.shelf()
        found = () if shelf is None else shelf.versions(name if name is None else check_name(name))
        if name is not None and not found:
            raise self._unknown(name)
        return found

    def find(self, ref: Ref) -> Version:
        """Return the version a name points at.

        Raises:
            UnknownModel: There is no such model, version or alias.
        """
        shelf = self.home.shelf()
        found = None if shelf is None else shelf.version(ref.name, ref.number or ref.alias or CHAMPION)
        if found is not None:
            return found
        if shelf is None or not shelf.versions(ref.name):
            raise self._unknown(ref.name)
        if ref.alias == CHAMPION:
            fix = f"promote a version: modelwright promote {ref.name} NUMBER; or name it: {ref.name}@NUMBER"
        else:
            fix = f"see `modelwright models show {ref.name}`"
        raise UnknownModel("a version or alias that is named exists", where=ref.name, got=f"no {ref}", fix=fix)

    def alias(self, name: str, alias: str) -> Version | None:
        """Return the champion or the challenger of a model, or None."""
        shelf = self.home.shelf()
        return None if shelf is None else shelf.version(check_name(name), alias)

    def history(self, name: str) -> tuple[int, ...]:
        """Return the numbers of all champions, oldest first; the current one is last.

        A champion that another tool put there is added.
        """
        shelf = self._shelf(name)
        try:
            told = json.loads(shelf.model_tags(name).get(HISTORY, "[]"))
        except ValueError:
            told = []
        known = [n for n in told if type(n) is int] if isinstance(told, list) else []
        champion = shelf.version(name, CHAMPION)
        if champion is not None and (not known or known[-1] != champion.number):
            known.append(champion.number)
        return tuple(known)

    def register(self, name: str, entry: Entry, *, guard: Callable[[], None] = _nothing) -> Version:
        """Keep a package as the next version of a model; it becomes the challenger.

        Nothing is lost when many processes register at once: each gets a number of its own.

        Args:
            name: Of the model; made when it is new.
            entry: The package and what is known about it.
            guard: Asked under the lock before the version is made; what it raises stops it.

        Raises:
            InvalidName: The name is none.
            RegistryUnavailable: The store cannot be written.
            MissingLibrary: MLflow is not installed.
        """
        from modelwright.registry import _recording as recording

        check_name(name)
        location = None if self.home.address.startswith("http") else self.home.artifacts.resolve().as_uri()
        tags = {**entry.tags, FINGERPRINT: entry.fingerprint}
        with recording.client_of(self.home, self._lock, self._make_wal) as client:
            with self._lock():
                experiment = recording.ensure(client, name, location)
                run = recording.record(client, experiment, params=entry.params, measures=entry.measures, tags=tags)
            # Copying a large package takes time, and nobody need wait for it.
            source = recording.keep(client, run, entry.folder, PACKAGE)
            with self._lock():
                guard()
                number = recording.add_version(client, name, source, run.info.run_id, tags)
                client.set_terminated(run.info.run_id)
                self._shelf(name).mark(name, aliases={CHALLENGER: number})
        return self.find(Ref(name, None, number))

    def challenge(self, name: str, number: int) -> None:
        """Make a version the challenger."""
        with self._lock():
            self._shelf(name).mark(name, aliases={CHALLENGER: number})

    def crown(
        self, name: str, number: int, *, expected: int | None, act: str = "", guard: Callable[[], None] = _nothing
    ) -> None:
        """Make a version the champion, and remember who was it before.

        Args:
            name: Of the model.
            number: Of the version.
            expected: The champion until now, None for nobody.
            act: Names this act; kept with the model in the same transaction, so that it shows whether it was done.
            guard: Asked under the lock before anything moves; what it raises stops it.

        Raises:
            NotAllowed: The champion is no longer the one that was expected: a verdict against it says nothing.
        """
        with self._lock():
            guard()
            shelf = self._shelf(name)
            self._expect(shelf, name, expected)
            told = list(self.history(name))
            if not told or told[-1] != number:
                told.append(number)
            self._move(shelf, name, number, told, act)

    def go_back(self, name: str, number: int, *, expected: int, act: str = "") -> None:
        """Make an earlier champion the champion again; those after it are no longer the way back.

        Raises:
            NotAllowed: The champion is no longer the one that was expected.
        """
        with self._lock():
            shelf = self._shelf(name)
            self._expect(shelf, name, expected)
            told = list(self.history(name))[:-1]
            while told and told[-1] != number:
                told.pop()
            self._move(shelf, name, number, told or [number], act)

    def _expect(self, shelf: Shelf, name: str, expected: int | None) -> None:
        champion = shelf.version(name, CHAMPION)
        found = None if champion is None else champion.number
        if found != expected:
            raise NotAllowed(
                "the champion stays the same while a promotion is decided",
                where=name,
                got=f"now version {found}, it was {expected}",
                fix="run the command again",
            )

    def _move(self, shelf: Shelf, name: str, number: int, told: list[int], act: str) -> None:
        challenger = shelf.version(name, CHALLENGER)
        aliases: dict[str, int | None] = {CHAMPION: number}
        if challenger is not None and challenger.number == number:
            aliases[CHALLENGER] = None
        shelf.mark(name, aliases=aliases, tags={HISTORY: json.dumps(told[-HISTORY_MOST:]), ACT: act})

    def tag(self, name: str, tags: Mapping[str, str], *, number: int | None = None) -> None:
        """Set tags of a model, or of one of its versions."""
        with self._lock():
            shelf = self._shelf(name)
            if number is None:
                shelf.mark(name, tags=tags)
            else:
                shelf.mark(name, version_tags={number: tags})

    @property
    def has_lock(self) -> bool:
        """Whether readers and writers of the store can keep each other out; over HTTP they cannot."""
        return not self.home.address.startswith("http")

    def change_tag(self, name: str, key: str, change: Callable[[str], str | None]) -> str:
        """Read a tag of a model and write what is made of it, with no other writer in between.

        Args:
            name: Of the model.
            key: Of the tag.
            change: Takes what it holds, empty when there is none, and returns what it is to hold; None for the same.

        Returns:
            What it holds now.
        """
        with self._lock():
            shelf = self._shelf(name)
            before = shelf.model_tags(name).get(key, "")
            after = change(before)
            if after is None or after == before:
                return before
            shelf.mark(name, tags={key: after})
            return after

    def model_tags(self, name: str) -> Mapping[str, str]:
        """Return the tags of a model; empty when there is none."""
        shelf = self.home.shelf()
        return {} if shelf is None else shelf.model_tags(name)

    def fetch(self, version: Version) -> Path:
        """Return the folder of a version's package on this machine, fetched if it lies elsewhere.

        Reading verifies the content; compare its fingerprint with the version's.

        Raises:
            RegistryUnavailable: It cannot be found or fetched.
        """
        near = self._near(version)
        if near is not None:
            return near
        kept = self.home.folder / "packages" / (version.fingerprint or f"{version.name}-{version.number}")
        if not kept.is_dir():
            self._download(version, kept)
        return kept

    def _near(self, version: Version) -> Path | None:
        """Return where a package lies on this machine, also after the project was moved; None when elsewhere."""
        own = self.home.artifacts / version.run_id / "artifacts" / PACKAGE
        if version.run_id and version.run_id.isalnum() and own.is_dir():
            return own
        parts = urlsplit(version.source)
        if parts.scheme in ("", "file") and Path(unquote(parts.path)).is_dir():
            return Path(unquote(parts.path))
        return None

    def _download(self, version: Version, kept: Path) -> None:
        """Fetch a package whole or not at all, in a process of its own: MLflow would stay in this one's memory."""
        import subprocess
        import sys

        part = kept.with_name(f".{kept.name}.{secrets.token_hex(4)}")
        code = "from modelwright.registry._recording import main; main()"
        asked = {"uri": self.home.address, "folder": str(self.home.folder), "source": version.source, "into": str(part)}
        part.mkdir(parents=True)
        try:
            done = subprocess.run(  # noqa: S603 - this very Python, with the request on its standard input
                [sys.executable, "-c", code], input=json.dumps(asked), capture_output=True, text=True, check=False
            )
            found = Path(done.stdout.strip().splitlines()[-1]) if done.returncode == 0 and done.stdout.strip() else None
            if found is None or not found.is_dir():
                raise RegistryUnavailable(
                    "a version's package can be fetched from its store",
                    where=f"{version.name}@{version.number}",
                    got=done.stderr.strip().splitlines()[-1][:300] if done.stderr.strip() else "nothing there",
                    fix="check that the store's artifacts can be reached from here",
                )
            if not kept.exists():
                found.rename(kept)
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _lock(self) -> AbstractContextManager[None]:
        """Hold the project's or the database's lock; a server sorts out its writers itself."""
        if not self.has_lock:
            return nullcontext()
        return postgres_lock(self.home.address) if self.home.database is None else locked(self.home.lock)

    def _make_wal(self) -> None:
        """Let readers read while someone writes; SQLite remembers it in the file."""
        database = self.home.database
        if database is not None:
            database.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(database, timeout=60.0)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")

    def _shelf(self, name: str) -> Shelf:
        shelf = self.home.shelf()
        if shelf is None:
            raise self._unknown(name)
        return shelf

    def _unknown(self, name: str) -> UnknownModel:
        known = self.names()
        fix = closest(name, known) if known else f"register a package: modelwright register PACKAGE --name {name}"
        return UnknownModel("a model that is named is registered", where="registry", got=f"no {name!r}", fix=fix)


def as_text(value: Any) -> str:
    """Return a value as a parameter's text.

    >>> as_text(["a", 1])
    '["a", 1]'
    """
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
