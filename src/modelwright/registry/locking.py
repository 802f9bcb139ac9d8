"""A lock between processes, held on a file; it is freed by the system when its holder dies."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from modelwright.core.errors import RegistryUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAIT_SECONDS = 120.0
_PAUSE_SECONDS = 0.005


@contextmanager
def locked(path: Path, *, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold a lock while the block runs; others wait their turn.

    Args:
        path: The lock's file; made when absent, never removed.
        wait_seconds: How long to wait for it.

    Raises:
        RegistryUnavailable: The file cannot be made, or another process kept the lock too long.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            _wait(file.fileno(), path, wait_seconds)
            try:
                yield
            finally:
                _free(file.fileno())
    except OSError as error:
        raise RegistryUnavailable(
            "the registry's folder can be written",
            where=str(path.parent.name),
            got=error.strerror or str(error),
            fix="check who may write there",
        ) from error


@contextmanager
def held_open(path: Path) -> Iterator[bool]:
    """Hold a file's lock while the block runs, if nobody else does; gives whether it is held.

    Args:
        path: A file that exists.
    """
    with path.open("rb") as file:
        took = _took(file.fileno())
        try:
            yield took
        finally:
            if took:
                _free(file.fileno())


def _wait(descriptor: int, path: Path, seconds: float) -> None:
    ends = time.monotonic() + seconds
    while not _took(descriptor):
        if time.monotonic() > ends:
            raise RegistryUnavailable(
                "another process frees the registry in time",
                where=path.name,
                got=f"held for over {seconds:g} s",
                fix="look for a modelwright process that hangs, and end it",
            )
        time.sleep(_PAUSE_SECONDS)


def _took(descriptor: int) -> bool:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _free(descriptor: int) -> None:
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_UN)
