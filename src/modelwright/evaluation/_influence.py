"""The influence of each row on each measure: its derivative in the row's weight, on the scale of a mean over rows.

From it follow standard errors of single measures and of differences between models on the same rows, without
resampling: Efron, Nonparametric estimates of standard error: the jackknife, the bootstrap and other methods
(Biometrika 1981), the infinitesimal jackknife.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.evaluation import _calibration, _classes, _ranks
from modelwright.evaluation.metrics import of, row_losses

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.evaluation._judged import Judged


def influence(name: str, rows: Judged) -> Floats:
    """Return the influence of every row on a measure, shape (n,); its weighted sum is zero."""
    if name in _classes.MEASURES:
        return _of_choices(name, rows)
    if name in ("roc_auc", "average_precision"):
        of_rank = _ranks.roc_auc_influence if name == "roc_auc" else _ranks.average_precision_influence
        parts = [of_rank(*rows.against_rest(label), rows.weight) for label in rows.curves]
        return np.asarray(np.mean(parts, axis=0))
    if name == "calibration_error":
        return _of_calibration(rows)
    if name == "rmse":
        root = of("rmse", rows)
        return influence("mse", rows) / (2 * root) if root > 0 else np.zeros(rows.n_rows)
    if name == "r2":
        return _of_r2(rows)
    losses = row_losses(name, rows)
    if name == "mape":
        counted = rows.target != 0
        scale = rows.weight.sum() / rows.weight[counted].sum()
        return np.where(counted, (losses - of(name, rows)) * scale, 0.0)
    return losses - of(name, rows)


def _of_choices(name: str, rows: Judged) -> Floats:
    parts = _classes.proportions(name, rows)
    slopes = [2 / (1 + part.value) ** 2 if _classes.is_f1(name) else 1.0 for part in parts]
    return np.asarray(np.mean([slope * part.influence for slope, part in zip(slopes, parts, strict=True)], axis=0))


def _of_calibration(rows: Judged) -> Floats:
    """Return the influence on the calibration error with the bins and the sides of the gaps held fixed."""
    came_true, probability = _calibration.outcomes(rows)
    binned = _calibration.bins(came_true, probability, rows.weight)
    side = np.sign(binned.observed - binned.predicted)[binned.bin_of_row]
    return np.asarray(side * (came_true - probability) - binned.error)


def _of_r2(rows: Judged) -> Floats:
    weight = rows.weight / rows.weight.sum()
    squared = (rows.target - rows.scores) ** 2
    centred = (rows.target - weight @ rows.target) ** 2
    spread = weight @ centred
    return np.asarray(((weight @ squared) / spread * centred - squared) / spread)
