"""A package as one file: a ZIP archive, read with its own claims checked first, written one way only."""

from __future__ import annotations

import stat
import struct
import zlib
from typing import TYPE_CHECKING, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, LargeZipFile, ZipFile, ZipInfo

from modelwright.core.errors import UnwritableOutput
from modelwright.packaging._folder import shown
from modelwright.packaging._json import damaged
from modelwright.packaging._layout import FILES_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

END = struct.Struct("<4s4H2LH")
"""The record that ends an archive: signature, disks (2), entries (2), directory size and place, comment length."""

LARGE_LOCATOR = b"PK\x06\x07"
LARGE_LOCATOR_BYTES = 20
ENTRY_BYTES_MAX = 1_000
"""More than a directory entry of ours takes; a longer directory is refused before it is read."""

RATIO_MAX = 200
"""DEFLATE shrinks up to 1,032-fold, but not text and numbers that say something; more is a bomb."""
RATIO_FREE_BYTES = 4 * 2**20
ENCRYPTED = 0x1
FIRST_DAY = (1980, 1, 1, 0, 0, 0)
FAULTS = (
    *(BadZipFile, zlib.error, struct.error),
    *(NotImplementedError, RuntimeError, EOFError, ValueError, OverflowError, IndexError),
)
"""What zipfile raises on archives that are not as they should be."""


class Archive:
    """A file that says it is a ZIP archive."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._where = str(path)
        try:
            _check_end(self._file, self._where)
            self._zip = ZipFile(self._file)
            self._entries = _entries(self._zip)
        except FAULTS as error:
            self._file.close()
            raise damaged("a package file is a sound ZIP archive", where=self._where, got=str(error)[:200]) from error
        except BaseException:
            self._file.close()
            raise
        self.sizes = {name: entry.file_size for name, entry in self._entries.items()}

    def read(self, name: str) -> bytes:
        """Return the content of a member, never more than it claims to hold."""
        size = self.sizes[name]
        try:
            with self._zip.open(self._entries[name]) as member:
                content = member.read(size + 1)
        except FAULTS as error:
            raise damaged("a package file is a sound ZIP archive", where=name, got=str(error)[:200]) from error
        if len(content) != size:
            raise damaged("a member of an archive is as long as it says", where=name, got=f"{len(content)} bytes")
        return content

    def close(self) -> None:
        """Close the file."""
        self._zip.close()
        self._file.close()


def write_archive(file: BinaryIO, files: Mapping[str, bytes]) -> None:
    """Write files as an archive whose bytes depend on nothing but names and contents.

    Nothing is compressed: another build of zlib would give other bytes, and reading is faster.

    Raises:
        UnwritableOutput: The archive would exceed 2 GiB.
    """
    try:
        with ZipFile(file, "w", ZIP_STORED, allowZip64=False) as archive:
            for name in sorted(files):
                entry = ZipInfo(name, FIRST_DAY)
                entry.create_system = 3
                entry.external_attr = (stat.S_IFREG | 0o644) << 16
                archive.writestr(entry, files[name])
    except LargeZipFile as error:
        raise UnwritableOutput(
            "a package in one file holds at most 2 GiB",
            where="the package",
            got=f"{sum(map(len, files.values()))} bytes",
            fix="write a folder: leave .zip out of the path",
        ) from error


def _check_end(file: BinaryIO, where: str) -> None:
    """Check the archive's last record, so that no directory is read that is larger than an honest one."""
    size = file.seek(0, 2)
    tail_bytes = min(size, END.size + LARGE_LOCATOR_BYTES)
    file.seek(size - tail_bytes)
    tail = file.read(tail_bytes)
    file.seek(0)
    if len(tail) < END.size or not tail[-END.size :].startswith(b"PK\x05\x06"):
        raise damaged("a package file is a ZIP archive, whole to its end", where=where, got=f"{size} other bytes")
    _, _, _, _, n_entries, directory, place, comment = END.unpack(tail[-END.size :])
    honest = n_entries <= FILES_MAX and directory <= n_entries * ENTRY_BYTES_MAX and not comment
    if not honest or place + directory + END.size != size or tail.startswith(LARGE_LOCATOR):
        raise damaged("a package's archive has nothing before, between or after its parts", where=where)


def _entries(archive: ZipFile) -> dict[str, ZipInfo]:
    entries: dict[str, ZipInfo] = {}
    for entry in archive.infolist():
        where = shown(entry.filename)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if entry.is_dir() or kind not in (0, stat.S_IFREG):
            raise damaged("a package holds plain files only", where=where, got="something else")
        if entry.filename in entries:
            raise damaged("a file stands in an archive once", where=where, got="the same name again")
        if entry.flag_bits & ENCRYPTED or entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise damaged("an archive is stored or deflated, without a password", where=where, got="another way")
        if entry.file_size > RATIO_FREE_BYTES + RATIO_MAX * entry.compress_size:
            claim = f"{entry.compress_size} bytes that claim to hold {entry.file_size}"
            raise damaged("a member of an archive holds what its size allows", where=where, got=claim)
        entries[entry.filename] = entry
    return entries
