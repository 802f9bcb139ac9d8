"""Measures of order: ROC AUC and average precision of one label against the rest, and each row's influence.

The influence of a row is the derivative of the measure with respect to the row's weight, on the scale of a mean
over rows. For ROC AUC these are DeLong's placement values: DeLong, DeLong and Clarke-Pearson (Biometrics 1988);
in O(n log n) after Sun and Xu (IEEE Signal Processing Letters 2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from modelwright.core.arrays import Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class Order:
    """Rows by rising score, equal scores in one group.

    Attributes:
        order: Row numbers by rising score.
        start: First position of each group in ``order``.
        positive: Weight of positive rows in each group.
        negative: Weight of the others.
    """

    order: Ints
    start: Ints
    positive: Floats
    negative: Floats

    def spread(self, per_group: Floats) -> Floats:
        """Return one value per row from one per group."""
        sizes = np.diff(np.append(self.start, len(self.order)))
        per_row = np.empty(len(self.order))
        per_row[self.order] = np.repeat(per_group, sizes)
        return per_row


def arrange(positive: Bools, score: Floats, weight: Floats) -> Order:
    """Sort rows by score and add up the weights of equal scores."""
    order = np.argsort(score)  # not stable, thus twice as fast: equal scores are added up anyway
    ranked = score[order]
    start = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
    of_positive = np.add.reduceat((weight * positive)[order], start)
    of_negative = np.add.reduceat((weight * ~positive)[order], start)
    return Order(order, start, of_positive, of_negative)


def _upto(per_group: Floats) -> Floats:
    """Return the weight below each group plus half of its own."""
    return np.asarray(np.cumsum(per_group) - per_group / 2)


def roc_auc(positive: Bools, score: Floats, weight: Floats) -> float:
    """Return the chance that a positive row scores above another one, ties counting half."""
    ranked = arrange(positive, score, weight)
    pairs = ranked.positive.sum() * ranked.negative.sum()
    return min(float(ranked.positive @ _upto(ranked.negative) / pairs), 1.0) if pairs > 0 else float("nan")


def roc_auc_influence(positive: Bools, score: Floats, weight: Floats) -> Floats:
    """Return each row's influence on ROC AUC."""
    ranked = arrange(positive, score, weight)
    n_positive, n_negative = ranked.positive.sum(), ranked.negative.sum()
    below = ranked.spread(_upto(ranked.negative)) / n_negative
    above = 1 - ranked.spread(_upto(ranked.positive)) / n_positive
    value = float(ranked.positive @ _upto(ranked.negative) / (n_positive * n_negative))
    total = n_positive + n_negative
    return np.asarray(np.where(positive, (below - value) / n_positive, (above - value) / n_negative) * total)


def average_precision(positive: Bools, score: Floats, weight: Floats) -> float:
    """Return precision averaged over the positive rows, each taken as the threshold."""
    ranked = arrange(positive, score, weight)
    share, precision, _ = _precisions(ranked)
    return min(float(share @ precision), 1.0)


def average_precision_influence(positive: Bools, score: Floats, weight: Floats) -> Floats:
    """Return each row's influence on average precision."""
    ranked = arrange(positive, score, weight)
    share, precision, answered = _precisions(ranked)
    value, n_positive = share @ precision, ranked.positive.sum()
    # A row counts in the denominator at its own threshold and all lower ones, so sums run from the bottom up.
    loss_below = np.cumsum(np.divide(share * precision, answered, out=np.zeros_like(share), where=answered > 0))
    gain_below = np.cumsum(np.divide(share, answered, out=np.zeros_like(share), where=answered > 0))
    of_positive = (precision - value) / n_positive + gain_below - loss_below
    total = n_positive + ranked.negative.sum()
    return np.asarray(np.where(positive, ranked.spread(of_positive), ranked.spread(-loss_below)) * total)


def _precisions(ranked: Order) -> tuple[Floats, Floats, Floats]:
    """Return, by group: its share of the positives, precision at its threshold, weight answered positive."""
    hits = np.cumsum(ranked.positive[::-1])[::-1]
    answered = hits + np.cumsum(ranked.negative[::-1])[::-1]
    precision = np.divide(hits, answered, out=np.zeros_like(hits), where=answered > 0)
    return ranked.positive / ranked.positive.sum(), precision, answered
