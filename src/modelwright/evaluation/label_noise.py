"""Label noise: how many labels a confident model disagrees with, and which.

Northcutt, Jiang and Chuang: Confident learning (JAIR 2021). A row counts against its label when the model gives
another label at least the probability which that label's own rows get in the mean. Rows that differ in nothing but
their label look the same, so the rate is of labels that are wrong or that the columns cannot explain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.evaluation._ends import t_quantile

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Bools, Floats, Ints

BLOCKS = 50
MOST_TOLD = 20


def estimate(target: Array, scores: Floats, labels: tuple[str, ...]) -> dict[str, Any]:
    """Return the estimated share of wrong labels, with its interval, and the rows most in doubt.

    Args:
        target: Positions of the given labels, shape (n,).
        scores: Out-of-fold probabilities, shape (n, n_classes).
        labels: Their names.

    Returns:
        ``rate`` with ``low`` and ``high`` (95 %, delete-a-group jackknife), ``n_rows``, ``pairs`` (``given``,
        ``likely``, ``share`` of all rows, the most frequent first), ``suspects`` (``row``, ``given``, ``likely``,
        ``probability`` of the given one; the worst first), ``sentence``.
    """
    given = np.asarray(target, dtype=np.int64)
    n = len(given)
    likely, is_against = _likely(given, scores)
    rate = _rate(given, scores)
    blocks = np.arange(n) % min(BLOCKS, n)
    left = np.array([_rate(given[blocks != b], scores[blocks != b]) for b in range(int(blocks.max()) + 1)])
    error = float(np.sqrt((len(left) - 1) / len(left) * ((left - left.mean()) ** 2).sum()))
    half = t_quantile(len(left) - 1) * error
    own = scores[np.arange(n), given]
    order = [int(i) for i in np.argsort(own - scores.max(axis=1), kind="stable") if is_against[i]]
    pairs = _pairs(given, likely, is_against, labels)
    low, high = max(rate - half, 0.0), min(rate + half, 1.0)
    return {
        "rate": rate,
        "low": low,
        "high": high,
        "n_rows": n,
        "pairs": pairs,
        "suspects": [
            {"row": i, "given": labels[given[i]], "likely": labels[likely[i]], "probability": float(own[i])}
            for i in order[:MOST_TOLD]
        ],
        "sentence": _sentence(rate, low, high, pairs),
    }


def _likely(given: Ints, scores: Floats) -> tuple[Ints, Bools]:
    """Return the label each row confidently belongs to, and whether that is not the given one."""
    k = scores.shape[1]
    counts = np.bincount(given, minlength=k)
    sums = np.bincount(given, scores[np.arange(len(given)), given], k)
    usual = np.where(counts > 0, sums / np.maximum(counts, 1), 2.0)  # a label without rows is never likely
    confident = np.where(scores >= usual - 1e-12, scores, -1.0)
    likely = confident.argmax(axis=1)
    is_known = confident.max(axis=1) >= 0
    return np.where(is_known, likely, given), is_known & (likely != given)


def _rate(given: Ints, scores: Floats) -> float:
    """Return the share of off-diagonal weight in the confident joint, its rows scaled to the labels' counts."""
    k = scores.shape[1]
    counts = np.bincount(given, minlength=k)
    usual = np.bincount(given, scores[np.arange(len(given)), given], k) / np.maximum(counts, 1)
    confident = np.where(scores >= np.where(counts > 0, usual, 2.0) - 1e-12, scores, -1.0)
    is_known = confident.max(axis=1) >= 0
    joint = np.zeros((k, k))
    np.add.at(joint, (given[is_known], confident[is_known].argmax(axis=1)), 1.0)
    seen = joint.sum(axis=1)
    scaled = joint / np.maximum(seen, 1)[:, None] * counts[:, None]
    return float((scaled.sum() - np.trace(scaled)) / max(scaled.sum(), 1.0))


def _pairs(given: Ints, likely: Ints, is_against: Bools, labels: tuple[str, ...]) -> list[dict[str, Any]]:
    codes, counts = np.unique(given[is_against] * len(labels) + likely[is_against], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:5]
    return [
        {
            "given": labels[codes[i] // len(labels)],
            "likely": labels[codes[i] % len(labels)],
            "share": float(counts[i] / len(given)),
        }
        for i in order
    ]


def _sentence(rate: float, low: float, high: float, pairs: list[dict[str, Any]]) -> str:
    about = f"About {100 * rate:.1f} % ({100 * low:.1f} to {100 * high:.1f} %) of the labels are wrong or unexplained"
    if not pairs:
        return f"{about}: no row is confidently another label than its own."
    return f"{about}, most often {pairs[0]['given']!r} where {pairs[0]['likely']!r} is likely; look at the rows listed."
