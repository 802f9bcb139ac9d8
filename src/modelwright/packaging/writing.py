"""Writing a package: whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.core.errors import UnwritableOutput
from modelwright.packaging._archive import write_archive
from modelwright.packaging._contents import files_of, open_files
from modelwright.packaging.reading import holds_package

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelwright.packaging.package import Package

FIXES = {
    errno.ENOSPC: "free some space, or give another place",
    errno.EDQUOT: "free some of your quota, or give another place",
    errno.ENAMETOOLONG: "give a shorter name",
}


def write(path: str | Path, package: Package, *, single_file: bool = False) -> str:
    """Write a package and return its fingerprint; equal packages are written as equal bytes.

    The files are opened again, in memory, before they reach the disk, then written beside the path, flushed,
    and moved to it: at every moment the path holds the whole old package or the whole new one, or, for the
    instant between two renames, neither.

    Args:
        path: Where to write. A folder, or one file if it ends in ``.zip``. A package already there is replaced.
        package: What to write.
        single_file: Write one file whatever the path ends in.

    Raises:
        UnwritableOutput: The place cannot be written, is full, or holds something that is not a package.
        InvalidPackage: The package holds something that cannot travel.
    """
    path = check_writable(path)
    files, fingerprint = files_of(package)
    open_files(files)
    beside = _beside(path)
    with _clear_errors(path):
        try:
            if single_file or path.suffix == ".zip":
                _write_file(beside, files)
            else:
                _write_folder(beside, files)
            _put(beside, path)
            _flush_folder(path.parent)
        finally:
            _remove(beside)
    return fingerprint


def fingerprint_of(package: Package) -> str:
    """Return the name of a package's whole content but measured times; ``write`` returns the same.

    Raises:
        InvalidPackage: The package holds something that cannot travel.
    """
    return files_of(package)[1]


def check_writable(path: str | Path) -> Path:
    """Return the path with links followed, where a package can be written; to be called before any work is done.

    Raises:
        UnwritableOutput: The folder around it is missing or nothing can be written there, or something that is
            not a package lies at the path.
    """
    with _clear_errors(path):
        target = Path(path).expanduser().resolve()
        if not target.parent.is_dir():
            raise UnwritableOutput(
                "the folder of an output exists",
                where=str(path),
                got=f"no folder {str(target.parent)!r}",
                fix=f"make it first: mkdir -p {str(target.parent)!r}",
            )
        free = not target.exists() or (target.is_dir() and not any(target.iterdir()))
        if not free and not holds_package(target):
            raise UnwritableOutput(
                "a package replaces nothing but a package",
                where=str(path),
                got="something else is there",
                fix="move it away, or give another path",
            )
        # Only trying tells: permissions, read-only disks and quotas all have their own ways of saying no.
        trial = _beside(target)
        trial.mkdir()
        trial.rmdir()
    return target


def _beside(path: Path) -> Path:
    return path.parent / f".modelwright-{secrets.token_hex(8)}.partial"


@contextmanager
def _clear_errors(path: str | Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:  # the latter two: NUL in a path; a ring of links, no home
        known = error if isinstance(error, OSError) else OSError(0, str(error))
        raise UnwritableOutput(
            "a package needs a place that can be written",
            where=str(path),
            got=known.strerror or str(known),
            fix=FIXES.get(known.errno or 0, "check the path and who may write there, or give another"),
        ) from error


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir()
    for name in sorted(files):
        with (folder / name).open("xb") as file:
            file.write(files[name])
            file.flush()
            os.fsync(file.fileno())
    _flush_folder(folder)


def _write_file(path: Path, files: Mapping[str, bytes]) -> None:
    with path.open("xb") as file:
        write_archive(file, files)
        file.flush()
        os.fsync(file.fileno())


def _put(new: Path, path: Path) -> None:
    """Move the new package to its path; the old one comes back if that fails."""
    if not path.exists() or (path.is_file() and new.is_file()):
        new.replace(path)
        return
    old = new.with_suffix(".old")
    path.rename(old)
    try:
        new.rename(path)
    except BaseException:
        old.rename(path)
        raise
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    """Have the folder's names reach the disk, where the system can do that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
