"""Addresses: what a source's text points to, and the local files it names."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path

from modelwright.core.errors import UnreadableSource, closest

_TEXT_ENDINGS = (".csv", ".tsv", ".tab", ".psv", ".txt", ".jsonl", ".ndjson", ".json")
_COLUMN_ENDINGS = (".parquet", ".pq", ".arrow", ".arrows", ".feather", ".ipc")
_BOOK_ENDINGS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
TABLE_ENDINGS = _TEXT_ENDINGS + _COLUMN_ENDINGS + _BOOK_ENDINGS
"""Endings of the files that are taken from a folder, also with ``.gz`` or ``.zst`` after them."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_SHEET = re.compile(r"(.+\.(?:xlsx|xlsm|xls|xlsb|ods))#(.+)", re.IGNORECASE)


def scheme_of(source: str) -> str:
    """Return the part before ``://`` in lower case, or empty for a path.

    >>> scheme_of("s3://bucket/rows.csv"), scheme_of("rows.csv")
    ('s3', '')
    """
    found = _SCHEME.match(source)
    return found.group(1).lower() if found else ""


def sheet_of(source: str) -> tuple[str, str | None]:
    """Return the path and the sheet of ``book.xlsx#Sheet``, the sheet None where none is named."""
    found = None if Path(source).exists() else _SHEET.fullmatch(source)
    return (found.group(1), found.group(2)) if found else (source, None)


def local_files(source: str) -> list[Path]:
    """Return the files a path, glob or folder names, sorted by name.

    Raises:
        UnreadableSource: There is no such file, nothing matches, or the folder holds no tables.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        return _tables_in(path)
    if path.exists():
        return [path]
    if re.search(r"[*?\[]", source):
        matches = sorted(Path(name) for name in glob.glob(str(path), recursive=True))  # noqa: PTH207 - takes absolute patterns too
        files = [match for match in matches if match.is_file()]
        if not files:
            raise UnreadableSource(
                "a pattern matches at least one file",
                where=source,
                got="no match",
                fix="check the folder, and put the pattern in quotes so that the shell leaves it alone",
            )
        return files
    raise missing(path)


def missing(path: Path) -> UnreadableSource:
    """Return the error for a file that is not there, with the nearest names in its folder."""
    folder = path.parent
    if not folder.is_dir():
        return UnreadableSource(
            "a file that is read must exist",
            where=str(path),
            got=f"the folder {str(folder)!r} does not exist",
            fix=f"paths are seen from {os.getcwd()!r}",  # noqa: PTH109 - the person sees this one, links unresolved
        )
    names = _names_in(folder)
    tables = [name for name in names if _is_table(name)]
    fix = closest(path.name, tables or names) if names else f"the folder {str(folder)!r} is empty"
    return UnreadableSource("a file that is read must exist", where=str(path), got="no such file", fix=fix)


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []


def _tables_in(folder: Path) -> list[Path]:
    tables = [folder / name for name in _names_in(folder) if _is_table(name) and (folder / name).is_file()]
    if not tables:
        raise UnreadableSource(
            "a folder holds files with the ending of a table",
            where=str(folder),
            got=f"{len(_names_in(folder))} entries, none of them a table",
            fix=f"known endings are {', '.join(TABLE_ENDINGS)}, each also with .gz or .zst",
        )
    return tables


def _is_table(name: str) -> bool:
    """Whether a file name ends like a table; hidden and marker files (``.x``, ``_SUCCESS``) do not count."""
    stem = name.lower().removesuffix(".gz").removesuffix(".zst").removesuffix(".zstd")
    return not name.startswith((".", "_")) and stem.endswith(TABLE_ENDINGS)
