"""The leaderboard: candidates in order, and which of them cannot be told apart from the best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.evaluation import _ends

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.core.arrays import Floats


def rank(
    entries: Sequence[Mapping[str, Any]], *, greater_is_better: bool, weight: Floats | None = None
) -> list[dict[str, Any]]:
    """Return the entries best first, each with ``low``, ``high`` and ``tied``.

    A candidate is tied with the best when the interval of the mean difference of their losses, row by row on the
    same out-of-fold rows, spans zero. Pairing matters: two models err on the same rows, so their difference is
    known far better than either's own loss. The intervals hold for all candidates together at 95 % (Bonferroni):
    the best of many is also the luckiest, and would seem to beat its equals otherwise.

    Args:
        entries: One per candidate, with ``name``, ``score`` and ``losses`` (one per row, the same rows for all;
            NaN where a candidate was not asked), and whatever else is to be shown.
        greater_is_better: Which way the score is better.
        weight: Row weights, or None.

    Returns:
        The entries without ``losses``; ``low`` and ``high`` are the interval of the mean loss behind the best one's
        (positive: worse).
    """

    def place(entry: Mapping[str, Any]) -> tuple[bool, float, str]:
        score = entry["score"]
        return bool(np.isnan(score)), -score if greater_is_better else score, entry["name"]

    ordered = sorted(entries, key=place)
    level = 1 - (1 - _ends.LEVEL) / max(len(ordered) - 1, 1)
    ranked = []
    for entry in ordered:
        behind = np.asarray(entry["losses"], dtype=np.float64) - np.asarray(ordered[0]["losses"], dtype=np.float64)
        low, high = _mean_ends(behind, weight, level)
        shown = {k: v for k, v in entry.items() if k != "losses"}
        ranked.append({**shown, "low": low, "high": high, "tied": low <= 0})
    return ranked


def _mean_ends(behind: Floats, weight: Floats | None, level: float) -> tuple[float, float]:
    """Return the interval of a mean difference over the rows that both were asked about."""
    asked = np.isfinite(behind)
    if not asked.any():
        return float("nan"), float("nan")
    counts = (np.ones(len(behind)) if weight is None else weight)[asked]
    mean = float(np.average(behind[asked], weights=counts))
    if _ends.n_effective(counts) < 2:
        return -abs(mean), abs(mean)
    return _ends.plain_t(mean, behind[asked] - mean, counts, level)
