"""Slices: where a model is weak, with correction for how many places were looked at.

All candidates are fixed before any loss is seen: levels and ranges of every column, and their pairs between the
leading columns. The losses are shuffled among the rows, and a slice counts only if it stands out more than the most
outstanding of all slices does in 95 of 100 shuffles (Westfall and Young: Resampling-based multiple testing, 1993).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import InvalidEvidence
from modelwright.evaluation import _ends

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.core.arrays import Array, Bools, Floats

Show = Callable[[float], str]

SHUFFLES = 400
ROWS_LEAST = 20
SHARE_LEAST, SHARE_MOST = 0.01, 0.6
"""A slice is neither a handful of rows nor nearly all of them."""
N_RANGES, LEVELS_MOST, LEADING = 4, 12, 6
MOST_TOLD = 5
ALIKE = 0.6
"""Slices that share this much of their rows are told once."""
MISSING = "is missing"


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows that have something in common.

    Attributes:
        terms: Column and what is true of it there, such as ("age", "under 30").
        rows: Which rows, shape (n,).
    """

    terms: tuple[tuple[str, str], ...]
    rows: Bools

    @property
    def name(self) -> str:
        """The terms as words."""
        return " and ".join(f"{column} {what}" for column, what in self.terms)


def candidates(
    columns: Mapping[str, Array], *, leading: Sequence[str] = (), shown: Mapping[str, Show] | None = None
) -> list[Slice]:
    """Return every slice that is looked at: levels, ranges between quartiles, missing, and pairs of leading columns.

    Args:
        columns: Values by name: floats with NaN, or text with None.
        leading: Columns between which pairs are made, six at most; the first ones when none are named.
        shown: How the numbers of a column are written, for those that are no plain numbers, such as moments.
    """
    shown = shown or {}
    single = {name: of_column(name, values, show=shown.get(name, plainly)) for name, values in columns.items()}
    paired = [name for name in (leading or list(columns)) if name in single][:LEADING]
    pairs = [
        Slice(a.terms + b.terms, a.rows & b.rows)
        for one, other in combinations(paired, 2)
        for a in single[one]
        for b in single[other]
    ]
    return [s for s in [*(s for found in single.values() for s in found), *pairs] if _is_fit(s.rows)]


def plainly(value: float) -> str:
    """Return a number with four digits and no exponent, as far as that can be read.

    >>> plainly(110250.0), plainly(0.123456), plainly(3.0), plainly(1e-9)
    ('110250', '0.1235', '3', '1e-09')
    """
    if value == 0 or not 1e-4 <= abs(value) < 1e15:
        return f"{value:.4g}"
    text = f"{value:.{max(3 - math.floor(math.log10(abs(value))), 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def of_column(name: str, values: Array, *, most: int = LEVELS_MOST, show: Show = plainly) -> list[Slice]:
    """Return the slices of one column: its most frequent levels, or its quarters, and where it is missing.

    Args:
        name: Of the column.
        values: Floats with NaN, or text with None.
        most: Levels at most.
        show: How its numbers are written.
    """
    if values.dtype.kind == "f":
        return _of_number(name, np.asarray(values, dtype=np.float64), show)
    levels, counts = np.unique([v for v in values.tolist() if v is not None], return_counts=True)
    chosen = levels[np.argsort(-counts, kind="stable")[:most]]
    found = [Slice(((name, f"is {level}"),), np.asarray(values == level, dtype=bool)) for level in chosen.tolist()]
    absent = np.array([v is None for v in values.tolist()])
    return [*found, Slice(((name, MISSING),), absent)]


def _of_number(name: str, values: Floats, show: Show) -> list[Slice]:
    known = values[np.isfinite(values)]
    absent = [Slice(((name, MISSING),), ~np.isfinite(values))]
    if not len(known):
        return absent
    distinct = np.unique(known)
    if len(distinct) <= N_RANGES:
        return [*(Slice(((name, f"is {show(v)}"),), values == v) for v in distinct.tolist()), *absent]
    cuts = np.unique(np.quantile(known, np.linspace(0, 1, N_RANGES + 1)[1:-1]))
    edges = [-np.inf, *cuts.tolist(), np.inf]
    found = []
    for low, high in pairwise(edges):
        what = f"up to {show(high)}" if low == -np.inf else f"over {show(low)}"
        what = f"over {show(low)}, up to {show(high)}" if low > -np.inf and high < np.inf else what
        found.append(Slice(((name, what),), (values > low) & (values <= high)))
    return found + absent


def _is_fit(rows: Bools) -> bool:
    n = int(rows.sum())
    return max(ROWS_LEAST, SHARE_LEAST * len(rows)) <= n <= SHARE_MOST * len(rows)


def weak(
    losses: Floats, found: Sequence[Slice], *, seed: int, expected: Floats | None = None, shuffles: int = SHUFFLES
) -> dict[str, Any]:
    """Return the slices in which the mean loss is higher than elsewhere, beyond what looking at all of them explains.

    Args:
        losses: Shape (n,), of rows the model has not learnt from.
        found: The candidates.
        seed: Of the shuffles.
        expected: The loss the model expects of each row by its own probabilities, or None.
        shuffles: How many.

    Returns:
        ``n_looked_at``, ``n_rows``, ``mean`` (of the loss), ``slices``: at most five that share few rows, the
        clearest first, each with ``terms``, ``name``, ``n_rows``, ``share``, ``loss``, ``elsewhere``, ``excess`` with
        ``low`` and ``high`` (95 % for all slices together), ``p`` (corrected) and, where the model told what to
        expect, ``expected`` and ``surprise`` (loss beyond it) with ``surprise_low`` and ``surprise_high`` (95 %).

    Raises:
        InvalidEvidence: A slice is of other rows than the losses.
    """
    n = len(losses)
    if any(len(s.rows) != n for s in found):
        raise InvalidEvidence("slices are of the rows that are judged", where="slices", got=n, fix="cut the same rows")
    known = {"n_looked_at": len(found), "n_rows": n, "mean": float(losses.mean()) if n else 0.0}
    if not found:
        return {**known, "slices": []}
    inside = np.stack([s.rows for s in found]).astype(np.float32)
    excess, error = _excess(inside, losses[:, None])
    stands_out = (excess / error)[:, 0]
    rng = np.random.default_rng(seed)
    most = np.empty(0)
    for first in range(0, shuffles, 50):
        many = np.stack([rng.permutation(losses) for _ in range(min(50, shuffles - first))], axis=1)
        gaps, errors = _excess(inside, many)
        most = np.append(most, (gaps / errors).max(axis=0))
    corrected = (1 + (most[None, :] >= stands_out[:, None]).sum(axis=1)) / (1 + len(most))
    reach = float(np.quantile(most, 0.95))
    told: list[dict[str, Any]] = []
    kept: list[Slice] = []
    for i in np.argsort(-stands_out):
        if corrected[i] > 0.05 or len(told) == MOST_TOLD:
            break
        if any(_overlap(found[i].rows, s.rows) > ALIKE for s in kept):
            continue
        kept.append(found[i])
        half = reach * float(error[i, 0])
        entry = _entry(found[i], losses, float(excess[i, 0]), half, float(corrected[i]))
        told.append(entry if expected is None else {**entry, **_surprise(found[i], losses, expected)})
    return {**known, "slices": told}


def _excess(inside: Array, losses: Floats) -> tuple[Floats, Floats]:
    """Return, for slices by columns of losses, the mean inside less the mean outside, and its standard error."""
    values = losses - losses.mean(axis=0)
    n, n_in = len(values), np.asarray(inside.sum(axis=1), dtype=np.float64)[:, None]
    n_out = n - n_in
    total, squares = values.sum(axis=0), (values**2).sum(axis=0)
    of_in = np.asarray(inside @ values.astype(np.float32), dtype=np.float64)
    squares_in = np.asarray(inside @ (values**2).astype(np.float32), dtype=np.float64)
    mean_in, mean_out = of_in / n_in, (total - of_in) / n_out
    spread_in = np.maximum(squares_in / n_in - mean_in**2, 0)
    spread_out = np.maximum((squares - squares_in) / n_out - mean_out**2, 0)
    error = np.sqrt(spread_in / np.maximum(n_in - 1, 1) + spread_out / np.maximum(n_out - 1, 1))
    return mean_in - mean_out, np.maximum(error, 1e-12)


def _overlap(a: Bools, b: Bools) -> float:
    """Return the share of the smaller slice's rows that lie in the other."""
    return float((a & b).sum() / max(min(a.sum(), b.sum()), 1))


def _entry(found: Slice, losses: Floats, excess: float, half: float, p: float) -> dict[str, Any]:
    inside, outside = losses[found.rows], losses[~found.rows]
    return {
        "terms": [list(term) for term in found.terms],
        "name": found.name,
        "n_rows": len(inside),
        "share": len(inside) / len(losses),
        "loss": float(inside.mean()),
        "elsewhere": float(outside.mean()),
        "excess": excess,
        "low": excess - half,
        "high": excess + half,
        "p": p,
    }


def _surprise(found: Slice, losses: Floats, expected: Floats) -> dict[str, Any]:
    """Return how the loss in a slice compares with what the model itself expects there."""
    beyond = (losses - expected)[found.rows]
    low, high = _ends.skewed(float(beyond.mean()), beyond - beyond.mean(), np.ones(len(beyond)))
    told = {"surprise": float(beyond.mean()), "surprise_low": low, "surprise_high": high}
    return {"expected": float(expected[found.rows].mean()), **told}
