"""What the machine allows."""

from __future__ import annotations

import gc
import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TURN_SECONDS = 5e-5
"""Python's own are 5 ms, longer than a step of a small network, which gives its turn up many times in each."""


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Run linear algebra on one thread, for the whole process.

    With more, the last bits of a sum depend on their number; and having multiplied small matrices, they go on turning
    for a while and take the cores that something else could use.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(1, user_api="blas"):
        yield


@contextmanager
def uncollected() -> Iterator[None]:
    """Let no garbage be looked for, for the whole process.

    Where millions of tuples come and go that do not refer to each other, looking through them finds nothing and takes a
    thirtieth of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class ShortTurns:
    """Lets threads take turns a hundred times as often as Python would, for the whole process, while any asks for it.

    A thread that computes in many short calls gives up its turn at each of them, and gets it back when another thread's
    is over. Beside one that never pauses, learning a network took 96 times as long as alone with Python's turns of
    5 ms, and 3.4 times as long with these (``python benchmarks/turns.py``).
    """

    _lock = threading.Lock()
    _n_asking = 0
    _before = 0.0

    def __enter__(self) -> None:
        with self._lock:
            if not ShortTurns._n_asking:
                ShortTurns._before = sys.getswitchinterval()
                sys.setswitchinterval(min(TURN_SECONDS, ShortTurns._before))
            ShortTurns._n_asking += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            ShortTurns._n_asking -= 1
            if not ShortTurns._n_asking:
                sys.setswitchinterval(ShortTurns._before)
