"""Intervals of ranking measures: ROC AUC and average precision, also as means over labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.evaluation import _ends, _ranks

if TYPE_CHECKING:
    from modelwright.core.arrays import Bools, Floats
    from modelwright.evaluation._ends import Ends
    from modelwright.evaluation._judged import Judged

BORROWED = 10.0
"""How many rows of the rarer label Newcombe's variance counts for beside DeLong's own."""


def ends(name: str, rows: Judged) -> tuple[Ends, str]:
    """Return the interval of a ranking measure and how it was made."""
    of_label = _roc_auc if name == "roc_auc" else _average_precision
    parts = [of_label(*rows.against_rest(label), rows.weight) for label in rows.curves]
    method = "DeLong, score" if name == "roc_auc" else "infinitesimal jackknife, logit"
    if len(parts) == 1:
        return parts[0][1], method
    values = np.array([value for value, _, _ in parts])
    moved = [rows.weight * influence for _, _, influence in parts]
    return _ends.combined(values, [part for _, part, _ in parts], moved), f"{method}, MOVER"


def _roc_auc(positive: Bools, score: Floats, weight: Floats) -> tuple[float, Ends, Floats]:
    """Return ROC AUC of one label, its interval, and each row's influence.

    DeLong's variance (Biometrics 1988) is made from the placements of the rarer label's few rows, and too small
    when they happen to lie well. It is therefore never taken for less than its mean with Newcombe's variance
    (method 5, Statistics in Medicine 2006), counted as ten further rows, and it shrinks and grows with the AUC
    like Newcombe's, so that a perfect ranking, too, has an interval.
    """
    value = _ranks.roc_auc(positive, score, weight)
    influence = _ranks.roc_auc_influence(positive, score, weight)
    error, freedom = _ends.standard_error_by_group(influence, weight, positive.astype(np.int64))
    if error == 0.0 and 0 < value < 1:
        return value, (value, value), influence  # all scores are equal: nothing is ranked, on whichever rows
    n_positive, n_negative = (_ends.n_effective(weight[side]) for side in (positive, ~positive))
    rarer = min(n_positive, n_negative)

    def newcombe(auc: float) -> float:
        reach = max((n_positive + n_negative) / 2 - 1, 0.0)
        inner = 1 + reach * (1 - auc) / (2 - auc) + reach * auc / (1 + auc)
        return auc * (1 - auc) * inner / (n_positive * n_negative)

    ratio = error**2 / newcombe(value) if 0 < value < 1 else 1.0
    ratio = max(ratio, (ratio * rarer + BORROWED) / (rarer + BORROWED))
    quantile = _ends.t_quantile(freedom)
    return value, _ends.scored(value, quantile, lambda auc: ratio * newcombe(auc)), influence


def _average_precision(positive: Bools, score: Floats, weight: Floats) -> tuple[float, Ends, Floats]:
    """Return average precision of one label, its interval, and each row's influence.

    The logit interval is recommended by Boyd, Eng and Page: Area under the precision–recall curve (ECML 2013);
    a perfect ranking gets the Wilson interval of as many trials as there are positive rows.
    """
    value = _ranks.average_precision(positive, score, weight)
    influence = _ranks.average_precision_influence(positive, score, weight)
    error = _ends.standard_error(influence, weight)
    if error == 0.0 or not 0 < value < 1 - 1e-12:
        return value, _ends.wilson(min(value, 1.0), _ends.n_effective(weight[positive])), influence
    _, freedom = _ends.standard_error_by_group(influence, weight, positive.astype(np.int64))
    return value, _ends.logit_t(value, error, freedom), influence
