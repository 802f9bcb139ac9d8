"""Clocks: what a fit was told of the time, kept so that the fit can be repeated without the clock.

All that a fit knows of the time is what ``seconds_left`` answers. Most learners only ask whether it is over; a network
draws its course by the very seconds, which are therefore told to it in whole milliseconds, and all of them kept.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SIGNED = frozenset({"constant", "linear", "neighbours", "forest", "lightgbm", "catboost", "xgboost"})
"""Learners that only ask whether time is over; of others, plug-ins too, all is kept."""


class Witness:
    """A clock that keeps what it said.

    Args:
        seconds_left: The clock.
        learner: Who asks, by its catalogue name.
    """

    def __init__(self, seconds_left: Callable[[], float], learner: str) -> None:
        self._seconds_left = seconds_left
        self._keeps_all = learner not in SIGNED
        self._told: list[int] = []
        self._n_before, self._is_over = 0, False

    def __call__(self) -> float:
        """Return the seconds that are left."""
        left = self._seconds_left()
        if self._keeps_all and math.isfinite(left):
            self._told.append(round(left * 1000))
            return self._told[-1] / 1000
        if left <= 0:
            self._is_over = True
        elif not self._is_over:
            self._n_before += 1
        return left

    def record(self) -> dict[str, Any]:
        """Return what was said, as plain data: nothing where time never ended the fit."""
        if self._told:
            return {"ms": self._told}
        return {"calls": self._n_before} if self._is_over else {}


def repeating(record: Mapping[str, Any]) -> Callable[[], float]:
    """Return a clock that says the same again.

    >>> clock = repeating({"calls": 1})
    >>> clock(), clock()
    (1.0, 0.0)
    """
    if "ms" in record:
        told = iter(record["ms"])
        return lambda: next(told, 0) / 1000
    if "calls" not in record:
        return lambda: math.inf
    calls = iter(range(int(record["calls"])))
    return lambda: 0.0 if next(calls, None) is None else 1.0
