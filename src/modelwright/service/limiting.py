"""Rates: how many requests a token has left."""

from __future__ import annotations

import time


class Rates:
    """A bucket per token that fills evenly and holds ten seconds' worth.

    Args:
        per_second: Of one token; 0 for no limit.
    """

    def __init__(self, per_second: int) -> None:
        self.per_second = per_second
        self._buckets: dict[object, tuple[float, float]] = {}

    def take(self, token: object) -> bool:
        """Return whether a request of this token may go on; it then counts."""
        if not self.per_second:
            return True
        now, most = time.monotonic(), 10.0 * self.per_second
        left, then = self._buckets.get(token, (most, now))
        left = min(most, left + (now - then) * self.per_second)
        self._buckets[token] = (max(left - 1.0, 0.0), now)
        return left >= 1.0
