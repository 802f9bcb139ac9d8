"""Effects: which way, and in what shape, a column moves the answer.

Accumulated local effects (Apley and Zhu: Visualizing the effects of predictor variables in black box supervised
learning models, JRSS B 2020) ask of each row only what it would answer a little to its left and right, so rows that
cannot exist are not asked. Levels are put in the order in which neighbours are alike in all other columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.evaluation._ends import t_quantile
from modelwright.evaluation.level_order import order

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelwright.core.arrays import Array, Floats, Ints

N_BINS = 20
NUMBERS, LEVELS = "accumulated local effects", "accumulated local effects, from each level to those most like it"
MONOTONE = 0.9
"""An effect whose rises make up this share of all its movement is said to rise."""


def of_number(values: Floats, respond: Callable[[Floats], Floats], *, n_bins: int = N_BINS) -> dict[str, Any]:
    """Return the accumulated local effect of a number.

    The 95 % intervals are for these rows as a sample: for the local differences in every bin and for the centring.
    The model is taken as it is.

    Args:
        values: Shape (n,), NaN where missing; rows without a value are left out.
        respond: From other values of the column, shape (n,), to the answers of the rows with them, shape (n,).
        n_bins: Bins of about equal mass at most.

    Returns:
        ``method``, ``at`` (edges), ``effect``, ``low``, ``high`` (centred, in the answer's unit), ``n_rows``,
        ``direction`` (``rises``, ``falls``, ``rises and falls``, ``flat``), ``strength`` (spread of the effect over
        the rows). Lists are empty where the column has one value.
    """
    known = np.isfinite(values)
    edges = (
        np.unique(np.quantile(values[known], np.linspace(0, 1, n_bins + 1), method="inverted_cdf"))
        if known.any()
        else np.empty(0)
    )
    if len(edges) < 2:
        return _empty(NUMBERS, int(known.sum()))
    place = np.clip(np.searchsorted(edges, values, side="left"), 1, len(edges) - 1)
    filled = np.where(known, values, edges[0])
    place = np.where(known, place, 1)
    upper, lower = (respond(np.where(known, edges[at], filled)) for at in (place, place - 1))
    return _accumulated(edges, place[known] - 1, (upper - lower)[known])


def _accumulated(edges: Floats, bin_of_row: Ints, moved: Floats) -> dict[str, Any]:
    n_bins, n = len(edges) - 1, len(moved)
    counts = np.bincount(bin_of_row, minlength=n_bins).astype(np.float64)
    step = np.bincount(bin_of_row, moved, n_bins) / np.maximum(counts, 1)
    spread = np.bincount(bin_of_row, (moved - step[bin_of_row]) ** 2, n_bins) / np.maximum(counts - 1, 1)
    # A bin of one row shows no spread; it is given that of its neighbours.
    spread = np.where(counts > 1, spread, spread.mean())
    reached = np.concatenate([[0.0], np.cumsum(step)])
    middle = (reached[1:] + reached[:-1]) / 2
    share = counts / n
    centre = float(share @ middle)
    # Each edge's effect is a sum over bins of their steps; the centre takes back what rows beyond the bin receive.
    beyond = np.concatenate([np.cumsum(share[::-1])[::-1][1:], [0.0]])
    weight = np.tril(np.ones((n_bins + 1, n_bins)), -1) - (share / 2 + beyond)
    variance = weight**2 @ (spread / np.maximum(counts, 1)) + share @ (middle - centre) ** 2 / n
    half = t_quantile(max(n - 1, 1)) * np.sqrt(variance)
    effect = reached - centre
    return {
        "method": NUMBERS,
        "at": edges.tolist(),
        "effect": effect.tolist(),
        "low": (effect - half).tolist(),
        "high": (effect + half).tolist(),
        "n_rows": n,
        "direction": direction(step, half.min()),
        "strength": float(np.sqrt(share @ (middle - centre) ** 2)),
    }


def direction(steps: Floats, noise: float = 0.0) -> str:
    """Return which way an effect goes, from its steps.

    >>> direction(np.array([1.0, 0.5, -0.1]))
    'rises'
    """
    rise, fall = float(steps[steps > 0].sum()), -float(steps[steps < 0].sum())
    whole = rise + fall
    if whole <= max(noise, 1e-12):
        return "flat"
    if rise >= MONOTONE * whole:
        return "rises"
    return "falls" if fall >= MONOTONE * whole else "rises and falls"


def of_levels(
    levels: Sequence[str], place: Ints, respond: Callable[[Ints], Floats], columns: Mapping[str, Array]
) -> dict[str, Any]:
    """Return the accumulated local effect of levels.

    Rows with a level are asked what they would answer with the next level on either side, in the order in which
    neighbouring levels are most alike; the mean differences add up along it. The 95 % intervals are for these rows as
    a sample: for the differences and for the centring.

    Args:
        levels: Their names, the most frequent first.
        place: Which of them each row has, shape (n,), −1 where none of them; such rows are left out.
        respond: From other levels for the rows, shape (n,), to their answers, shape (n,).
        columns: The other columns of the rows.

    Returns:
        As ``of_number`` does, ``at`` the levels as they were given.
    """
    known = place >= 0
    own, n = place[known], int(known.sum())
    if len(np.unique(own)) < len(levels) or len(levels) < 2:
        return _empty(LEVELS, n)
    sequence = order(own, len(levels), {name: values[known] for name, values in columns.items()})
    rank = np.empty(len(levels), dtype=np.int64)
    rank[sequence] = np.arange(len(levels))
    at = rank[own]

    def answers(ranks: Ints) -> Floats:
        asked = np.zeros(len(place), dtype=np.int64)
        asked[known] = sequence[ranks]
        return respond(asked)[known]

    here, last = answers(at), len(levels) - 1
    up = np.where(at < last, answers(np.minimum(at + 1, last)) - here, 0.0)
    down = np.where(at > 0, here - answers(np.maximum(at - 1, 0)), 0.0)
    effect, variance, strength = _added_up(at, up, down, len(levels))
    half = t_quantile(max(n - 1, 1)) * np.sqrt(variance)
    shown, reach = effect[rank], half[rank]
    return {
        "method": LEVELS,
        "at": list(levels),
        "effect": shown.tolist(),
        "low": (shown - reach).tolist(),
        "high": (shown + reach).tolist(),
        "n_rows": n,
        "direction": "differs" if np.ptp(effect) > 1e-12 else "flat",
        "strength": strength,
    }


def _added_up(at: Ints, up: Floats, down: Floats, n_levels: int) -> tuple[Floats, Floats, float]:
    """Return effect and variance of levels in their order, and the effect's spread over the rows."""
    n, counts = len(at), np.bincount(at, minlength=n_levels).astype(np.float64)
    asked = counts[:-1] + counts[1:]
    step = (np.bincount(at, up, n_levels)[:-1] + np.bincount(at, down, n_levels)[1:]) / asked
    reached = np.concatenate([[0.0], np.cumsum(step)])
    share = counts / n
    centre = float(share @ reached)
    # What a step moves: all levels beyond it, less what they are in the mean.
    beyond = np.cumsum(share[::-1])[::-1][1:]
    weight = np.tril(np.ones((n_levels, n_levels - 1)), -1) - beyond
    # What each row adds to each level's effect: through the one or two steps it was asked for, and through the centre.
    padded = np.pad(step, 1)
    upward = np.where(at < n_levels - 1, (up - padded[at + 1]) / np.pad(asked, (0, 1), constant_values=1.0)[at], 0.0)
    downward = np.where(at > 0, (down - padded[at]) / np.pad(asked, (1, 0), constant_values=1.0)[at], 0.0)
    wide = np.pad(weight, ((0, 0), (1, 1)))
    moved = wide[:, at + 1] * upward + wide[:, at] * downward - (reached[at] - centre) / n
    few = n / max(n - 1, 1)
    return reached - centre, few * (moved**2).sum(axis=1), float(np.sqrt(share @ (reached - centre) ** 2))


def _empty(method: str, n: int) -> dict[str, Any]:
    lists: dict[str, Any] = {k: [] for k in ("at", "effect", "low", "high")}
    return {"method": method, **lists, "n_rows": n, "direction": "flat", "strength": 0.0}


def interaction(joint: Floats, first: Floats, second: Floats) -> dict[str, float]:
    """Return Friedman's and Popescu's H of two columns (Annals of Applied Statistics 2008).

    Args:
        joint: Mean answer with both columns at each of n points, shape (n,).
        first: Mean answer with the first alone there.
        second: Likewise.

    Returns:
        ``h``: share of the pair's joint effect, 0 to 1, that is not the sum of the two; ``size``: its root mean
        square, in the answer's unit.
    """
    both, one, other = (p - p.mean() for p in (joint, first, second))
    left = both - one - other
    whole = float(both @ both)
    size = float(np.sqrt(left @ left / len(left)))
    # Of an effect that is none, no share can be told.
    h = float(np.sqrt(min(left @ left / whole, 1.0))) if whole > 1e-12 * max(len(both), 1) else 0.0
    return {"h": h, "size": size}
