"""Descent: least value of a smooth function, by L-BFGS.

Written out because scipy's calls threaded linear algebra on tiny vectors: beside other work on a few cores each
step then waits milliseconds for its threads, twenty times what the step takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.core.arrays import Floats

MEMORY, TOLERANCE, TRIALS_MAX = 10, 1e-7, 25
DECREASE_MIN = 1e-8
"""A step that lowers the value by a smaller share is the last."""
DECREASE, CURVATURE = 1e-4, 0.9
"""The two constants of the weak Wolfe conditions."""


def descend(
    function: Callable[[Floats], tuple[float, Floats]],
    start: Floats,
    *,
    steps: int,
    is_over: Callable[[], bool] = lambda: False,
) -> Floats:
    """Return where a function is least (Liu and Nocedal 1989; line search of Lewis and Overton 2013).

    Args:
        function: Returns value and gradient at a point, shape (n,).
        start: Where to begin.
        steps: At most.
        is_over: Polled before each step; true ends the descent where it is.

    >>> found = descend(lambda x: (float(x @ x), 2 * x), np.array([3.0, -4.0]), steps=20)
    >>> bool(abs(found).max() < 1e-6)
    True
    """
    point, (value, slope) = start, function(start)
    moves: list[tuple[Floats, Floats]] = []
    for _ in range(steps):
        if is_over() or np.abs(slope).max(initial=0.0) <= TOLERANCE:
            break
        way = _direction(slope, moves)
        length = 1.0 if moves else min(1.0, 1.0 / float(np.linalg.norm(slope)))
        found = _search(function, point, value, slope, way, length)
        if found is None or value - found[1] <= DECREASE_MIN * abs(value):
            return point if found is None else found[0]
        move, turn = found[0] - point, found[2] - slope
        if move @ turn > 1e-12 * float(turn @ turn):
            moves = [*moves[1 - MEMORY :], (move, turn)]
        point, value, slope = found
    return point


def _direction(slope: Floats, moves: list[tuple[Floats, Floats]]) -> Floats:
    """Return the way down that the remembered moves suggest."""
    way, shares = -slope, []
    for move, turn in reversed(moves):
        shares.append(float(move @ way) / float(move @ turn))
        way = way - shares[-1] * turn
    if moves:
        move, turn = moves[-1]
        way = way * (float(move @ turn) / float(turn @ turn))
    for (move, turn), share in zip(moves, reversed(shares), strict=True):
        way = way + (share - float(turn @ way) / float(move @ turn)) * move
    return way


def _search(
    function: Callable[[Floats], tuple[float, Floats]],
    point: Floats,
    value: float,
    slope: Floats,
    way: Floats,
    length: float,
) -> tuple[Floats, float, Floats] | None:
    """Return a lower point along the way with its value and gradient, or None when there is none to be found."""
    fall = float(slope @ way)
    low, high, best = 0.0, np.inf, None
    for _ in range(TRIALS_MAX):
        there = point + length * way
        value_there, slope_there = function(there)
        if not value_there <= value + DECREASE * length * fall:
            high = length
        elif slope_there @ way < CURVATURE * fall:
            low, best = length, (there, value_there, slope_there)
        else:
            return there, value_there, slope_there
        length = (low + high) / 2 if np.isfinite(high) else 2 * low
    return best
