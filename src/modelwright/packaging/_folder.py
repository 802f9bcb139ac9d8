"""A package as a folder: its names, and its files read one by one under names that the code knows."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from modelwright.packaging._json import damaged
from modelwright.packaging._layout import FILES_MAX, TOLERATED

# Waiting for a pipe and following a link are what a hostile folder would have us do; not every system has the flags.
FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Folder:
    """A folder that may hold anything."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.sizes = self._listed()

    def _listed(self) -> dict[str, int]:
        """Return sizes by name; a link, folder, pipe or device among the files is refused."""
        sizes: dict[str, int] = {}
        with os.scandir(self._path) as entries:
            for entry in entries:
                if entry.name in TOLERATED:
                    continue
                found = entry.stat(follow_symlinks=False)
                if not stat.S_ISREG(found.st_mode):
                    raise damaged("a package holds plain files only", where=shown(entry.name), got="something else")
                sizes[entry.name] = found.st_size
                if len(sizes) > FILES_MAX:
                    raise damaged("a package has a bounded number of files", where=str(self._path), got=len(sizes))
        return sizes

    def read(self, name: str) -> bytes:
        """Return the content of a file whose name the code knows, never more than was listed."""
        descriptor = os.open(self._path / name, FLAGS)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise damaged("a package holds plain files only", where=name, got="something else")
            content = file.read(self.sizes[name] + 1)
        if len(content) != self.sizes[name]:
            raise damaged("a package does not change while it is read", where=name, got=f"{len(content)} bytes")
        return content

    def close(self) -> None:
        """Nothing is kept open."""


def shown(name: str) -> str:
    """Return a foreign name as it may stand in a message: short, and without bytes that are no text."""
    return name[:100].encode("utf-8", "replace").decode()
