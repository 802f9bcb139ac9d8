"""Memory: what this process holds, and whether a fit still has room within what the run was given."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition
from typing import TYPE_CHECKING

from modelwright.core.errors import OutOfMemory

if TYPE_CHECKING:
    from modelwright.core.matrix import Matrix

ENOUGH = 0.93
"""From this share of the limit on, fits that are under way end with what they have, and none begins."""
SECONDS_APART = 0.05
"""So often, at most, the system is asked."""
COPIES = {"lightgbm": 1.5, "catboost": 3.0, "xgboost": 2.0, "forest": 2.0, "linear": 2.5, "neighbours": 2.0}
COPIES_OTHERS = 4.0
"""What a learner makes of a matrix, counted in copies of it in float32."""
BINS_BYTES = 255 * 24
"""LightGBM counts gradients by bin, for each column and each leaf that may still be split."""
LEAVES_USUAL = 100
ROUGHLY = 40_000_000
"""What the library itself takes when it is first used."""


class Memory:
    """Watches what the process and its children hold against a limit; without one there is always room.

    Args:
        limit_bytes: What may be held, or None.
    """

    def __init__(self, limit_bytes: int | None) -> None:
        self.limit_bytes = limit_bytes
        self._change = Condition()
        self._reserved = 0
        self._asked_at, self._held = 0.0, 0

    def is_scarce(self) -> bool:
        """Whether hardly anything is left; asked between the rounds of a fit."""
        if self.limit_bytes is None:
            return False
        now = time.monotonic()
        if now - self._asked_at > SECONDS_APART:
            self._asked_at, self._held = now, held_bytes()
        return self._held > ENOUGH * self.limit_bytes

    @contextmanager
    def room_for(self, n_bytes: int, name: str) -> Iterator[None]:
        """Hold room for a fit while it is under way; wait for it while other fits are.

        Raises:
            OutOfMemory: There is not so much room, and no fit is under way that would give some back.
        """
        if self.limit_bytes is None:
            yield
            return
        with self._change:
            while held_bytes() + n_bytes > self.limit_bytes:
                if not self._reserved:
                    raise OutOfMemory(
                        f"a fit is reckoned to stay within {self.limit_bytes / 1e6:,.0f} MB",
                        where=name,
                        got=f"{held_bytes() / 1e6:,.0f} MB held and about {n_bytes / 1e6:,.0f} MB more",
                        fix="give more with --memory",
                    )
                self._change.wait(0.2)
            self._reserved += n_bytes
        try:
            yield
        finally:
            with self._change:
                self._reserved -= n_bytes
                self._change.notify_all()


def fit_bytes(learner: str, matrix: Matrix) -> int:
    """Return about how much a fit takes besides its matrix.

    >>> import numpy as np
    >>> from modelwright.core.matrix import Feature, Matrix
    >>> few = Matrix(np.zeros((100, 1), dtype=np.float32), (Feature("a", "a"),))
    >>> fit_bytes("catboost", few) < 100_000_000
    True
    """
    own = COPIES.get(learner, COPIES_OTHERS) * matrix.values.nbytes
    counted = BINS_BYTES * LEAVES_USUAL * len(matrix.features) if learner == "lightgbm" else 0
    return int(ROUGHLY + own + counted)


def held_bytes() -> int:
    """Return what this process and its children hold in memory, 0 where the system does not say."""
    try:
        pages = _pages("self")
        for task in Path("/proc/self/task").iterdir():
            for child in (task / "children").read_text().split():
                pages += _pages(child)
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _pages(process: str) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except FileNotFoundError:  # a child that has just ended
        return 0


def peak_bytes() -> int | None:
    """Return the most that this process ever held, or None where the system does not say."""
    try:
        # What Linux tells by getrusage counts the process that started this one in, whose memory it was for a moment.
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    except (OSError, ValueError, IndexError):
        pass
    try:
        import resource
        import sys
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most) * (1 if sys.platform == "darwin" else 1024)
