"""Resolve: from how a person names a model to the package on this machine. Light enough for a service."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.core.errors import InvalidPackage, UnknownModel
from modelwright.flows._registry import registry
from modelwright.registry.names import may_be_ref, parse_ref

if TYPE_CHECKING:
    from modelwright.registry.names import Ref
    from modelwright.registry.registry import Registry


@dataclass(frozen=True, slots=True)
class Resolved:
    """A model that was named.

    Attributes:
        path: The package's folder or file.
        name: Of the registered model; empty for a package that was given by its path.
        version: Its number as text; empty likewise.
        fingerprint: What the registry says its package's fingerprint is; empty likewise.
    """

    path: Path
    name: str = ""
    version: str = ""
    fingerprint: str = ""

    @property
    def title(self) -> str:
        """How it is called: ``churn@4``, or the package's name."""
        return f"{self.name}@{self.version}" if self.name else self.path.name


def resolve(model: str | Path, *, within: Registry | None = None) -> Resolved:
    """Return where the package of a model lies.

    A text without dot and slash is a name (``churn`` is ``churn@champion``) if such a model is registered; anything
    else is a path. Write ``./churn`` for a folder that is called like a registered model.

    Args:
        model: ``churn``, ``churn@champion``, ``churn@challenger``, ``churn@4``, or a path.
        within: The registry; this project's when None.

    Raises:
        InvalidName: What stands behind ``@`` is no version and no alias.
        UnknownModel: Nothing of that name is registered, and no package lies there.
        RegistryUnavailable: The registry cannot be read.
    """
    if isinstance(model, Path) or not may_be_ref(model):
        return Resolved(Path(model))
    try:
        return named(parse_ref(model), within or registry())
    except UnknownModel:
        if "@" not in model and Path(model).exists():
            return Resolved(Path(model))
        raise


def named(ref: Ref, within: Registry) -> Resolved:
    """Return where the package of a registered model lies."""
    found = within.find(ref)
    return Resolved(within.fetch(found), found.name, str(found.number), found.fingerprint)


def check_same(resolved: Resolved, fingerprint: str) -> None:
    """Check that a package that was read is the one that was registered.

    Raises:
        InvalidPackage: It is another.
    """
    if resolved.fingerprint and resolved.fingerprint != fingerprint:
        raise InvalidPackage(
            "a registered version's package is the one that was registered",
            where=resolved.title,
            got=f"fingerprint {fingerprint} where {resolved.fingerprint} was registered",
            fix="restore the registry from a backup, or register the package anew",
        )


class Watch:
    """Notices when a name points at another version; made to be asked every second.

    Args:
        model: As for ``resolve``.
    """

    def __init__(self, model: str) -> None:
        self._ref, self._registry = parse_ref(model), registry()
        self._stamp = self._registry.home.stamp()
        self.current = named(self._ref, self._registry)

    def stamp(self) -> object:
        """Return another value whenever the registry was written to; nothing where that cannot be told."""
        return self._registry.home.stamp()

    def poll(self) -> Resolved | None:
        """Return what the name points at now if that has changed, else None.

        On an SQLite file that nobody has written to this is a look at the file's date.
        """
        stamp = self._registry.home.stamp()
        if stamp and stamp == self._stamp:
            return None
        self._stamp = stamp
        version = self._registry.find(self._ref)
        if (str(version.number), version.fingerprint) == (self.current.version, self.current.fingerprint):
            return None
        self.current = named(self._ref, self._registry)
        return self.current
