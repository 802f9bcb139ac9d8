"""Effects: which way, and in what shape, a column moves the answer.

Numbers and moments: accumulated local effects (Apley and Zhu: Visualizing the effects of predictor variables in black
box supervised learning models, JRSS B 2020), which ask of each row only what it would answer a little to its left and
right, so rows that cannot exist are not asked. Levels: the mean answer if every row had the level, less the mean
answer, since levels have no neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.evaluation._ends import t_quantile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.core.arrays import Floats, Ints

N_BINS = 20
NUMBERS, LEVELS = "accumulated local effects", "mean answer with every row at this level"
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


def of_levels(levels: Sequence[str], answers: Sequence[Floats], base: Floats, counts: Sequence[int]) -> dict[str, Any]:
    """Return the effect of levels.

    Args:
        levels: Their names.
        answers: What all rows answer with each level, shape (n,) each.
        base: What they answer as they are.
        counts: How many rows have each level.
    """
    if len(levels) < 2:
        return _empty(LEVELS, len(base))
    moved = np.array([a - base for a in answers])
    # Less the mean over the levels as they occur, so that the levels' effects are centred as a number's are.
    weight = np.asarray(counts, dtype=np.float64)
    weight = weight / weight.sum() if weight.sum() > 0 else np.full(len(levels), 1 / len(levels))
    moved = moved - weight @ moved
    effect = moved.mean(axis=1)
    half = (
        t_quantile(max(len(base) - 1, 1)) * moved.std(axis=1, ddof=1) / np.sqrt(len(base))
        if len(base) > 1
        else effect * 0
    )
    return {
        "method": LEVELS,
        "at": list(levels),
        "effect": effect.tolist(),
        "low": (effect - half).tolist(),
        "high": (effect + half).tolist(),
        "n_rows": len(base),
        "direction": "differs" if np.ptp(effect) > 1e-12 else "flat",
        "strength": float(np.sqrt(weight @ effect**2)),
    }


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
