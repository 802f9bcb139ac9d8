"""Sources: where the champion comes from. A registry's name is another source with the same one question."""

from __future__ import annotations

import re
from pathlib import Path

from modelwright.core.errors import InvalidPackage
from modelwright.core.ports import Pointer, Traffic

_WATCHED = ("manifest.json", "checksums.json")


def name_of(path: str | Path) -> str:
    """Return what the model of a package is called when nobody says: its file's name as far as a name may go.

    >>> name_of("runs/Churn 2024.model")
    'Churn-2024'
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(path).resolve().name.removesuffix(".model")).strip("-._")[:64]
    return name or "model"


class PackageSource:
    """A package at a path, which may be replaced by another while it is served.

    Args:
        path: A package folder or file.
        name: What it is asked under; taken from the path when None.
    """

    def __init__(self, path: str | Path, name: str | None = None) -> None:
        self._path = Path(path)
        self._name = name or name_of(path)

    def current(self) -> Pointer:
        """Return where the package lies; its version is told by its content."""
        watched = [self._path / name for name in _WATCHED] if self._path.is_dir() else [self._path]
        try:
            found = [path.stat() for path in watched]
        except OSError as error:
            fix = "give the path that `modelwright train` printed"
            raise InvalidPackage("there is a package to serve", where=str(self._path), got="none", fix=fix) from error
        stamp = ",".join(f"{s.st_ino}:{s.st_mtime_ns}:{s.st_size}" for s in found)
        return Pointer(self._name, "", "", str(self._path), stamp)

    def traffic(self) -> Traffic:
        """Return nobody: a package stands alone."""
        return Traffic()
