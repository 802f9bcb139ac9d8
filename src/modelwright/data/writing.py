"""Writing: a frame becomes a file, all of it or none of it."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.core.errors import UnwritableOutput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import polars as pl


def write(frame: pl.DataFrame, path: str | Path) -> None:
    """Write the rows as Parquet, CSV or JSON Lines, by the ending; a file that is there already is replaced.

    The file appears under its name only once it is whole. CSV cells are data and are written as they are, also those
    a spreadsheet would take for a formula (beginning with ``=``, ``+``, ``-`` or ``@``).

    Args:
        frame: Plain columns.
        path: Ends in ``.parquet``, ``.csv``, ``.jsonl`` or ``.ndjson``.

    Raises:
        UnwritableOutput: The ending is unknown, or the place cannot be written to.
    """
    target = check_writable(path)
    save = _FORMATS[target.suffix.lower()]
    with _unfinished(target) as draft, draft.open("xb") as file:
        save(frame, file)
        file.flush()
        os.fsync(file.fileno())


def check_writable(path: str | Path) -> Path:
    """Return the file a later ``write`` will make, links followed; to be called before any work is done.

    Raises:
        UnwritableOutput: The ending is unknown, the folder is missing, or nothing can be written there.
    """
    target = Path(path).expanduser()
    if target.suffix.lower() not in _FORMATS:
        raise UnwritableOutput(
            "the ending of an output says its format",
            where=str(path),
            got=target.suffix or "no ending",
            fix=f"use one of {', '.join(_FORMATS)}",
        )
    if not target.parent.is_dir():
        raise UnwritableOutput(
            "the folder of an output exists",
            where=str(path),
            got=f"no folder {str(target.parent)!r}",
            fix=f"make it first: mkdir -p {str(target.parent)!r}",
        )
    if target.is_dir():
        raise UnwritableOutput("an output is a file", where=str(path), got="a folder", fix="give another name")
    target = target.resolve()
    # Only trying tells: permissions, read-only disks and quotas all have their own ways of saying no.
    with _unfinished(target, keep=False) as draft:
        draft.touch(exist_ok=False)
    return target


@contextmanager
def _unfinished(target: Path, *, keep: bool = True) -> Iterator[Path]:
    """Give a name beside the target to write to; it takes the target's name if all goes well, and is gone if not."""
    draft = target.with_name(f".{secrets.token_hex(6)}.unfinished")
    try:
        yield draft
        if keep:
            draft.replace(target)
    except Exception as error:
        raise UnwritableOutput(
            "an output can be written where it is asked for",
            where=str(target),
            got=_said(error),
            fix="choose another place, or make room and check the permissions",
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _said(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


_FORMATS: dict[str, Callable[[pl.DataFrame, Any], None]] = {
    ".parquet": lambda frame, file: frame.write_parquet(file),
    ".csv": lambda frame, file: frame.write_csv(file),
    ".jsonl": lambda frame, file: frame.write_ndjson(file),
    ".ndjson": lambda frame, file: frame.write_ndjson(file),
}
