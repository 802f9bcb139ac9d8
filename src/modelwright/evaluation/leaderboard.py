"""The leaderboard: candidates in order, and which of them cannot be told apart from the best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def rank(entries: Sequence[Mapping[str, Any]], *, greater_is_better: bool) -> list[dict[str, Any]]:
    """Return the entries best first, each with ``low``, ``high`` and ``tied``.

    A candidate is tied with the best when the 95 % interval of the mean difference of their losses, row by row on
    the same out-of-fold rows, spans zero. Pairing matters: two models err on the same rows, so their difference is
    known far better than either's own loss.

    Args:
        entries: One per candidate, with ``score`` and ``losses`` (one per row, the same rows for all), and whatever
            else is to be shown.
        greater_is_better: Which way the score is better.

    Returns:
        The entries without ``losses``; ``low`` and ``high`` are the interval of the mean loss behind the best one's
        (positive: worse).
    """
    if not entries:
        return []
    ordered = sorted(entries, key=lambda e: (-e["score"] if greater_is_better else e["score"], e["name"]))
    best = np.asarray(ordered[0]["losses"], dtype=np.float64)
    ranked = []
    for entry in ordered:
        difference = np.asarray(entry["losses"], dtype=np.float64) - best
        mean = float(difference.mean())
        half = 1.96 * float(difference.std(ddof=1) / np.sqrt(len(difference))) if len(difference) > 1 else 0.0
        shown = {k: v for k, v in entry.items() if k != "losses"}
        ranked.append({**shown, "low": mean - half, "high": mean + half, "tied": bool(mean - half <= 0)})
    return ranked
