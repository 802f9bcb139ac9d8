"""Calibration: probabilities that mean what they say, where cross-validation shows that it helps.

Temperature scaling (Guo et al. 2017) and its affine form, which for two labels is Platt scaling (1999).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.state import State
from modelwright.learners._descent import descend
from modelwright.learners._unfolding import array, real, refuse
from modelwright.learners.trees import apply_link

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats, Ints

FLOOR = 1e-6
"""Probabilities below count as this: no row that was seen justifies more certainty."""
ROWS_MIN, N_FOLDS = 200, 5
PENALTY = 1e-4
"""Keeps slope and offsets finite where the labels are parted without error."""


@dataclass(frozen=True, slots=True)
class Calibrator:
    """Softmax of slope times log-probability plus offset.

    Attributes:
        kind: ``temperature`` (all offsets zero) or ``affine``.
        slope: Above zero; below one makes answers less certain.
        offset: Shape (n_classes,).
    """

    kind: str
    slope: float
    offset: Floats

    def apply(self, probabilities: Floats) -> Floats:
        """Return calibrated probabilities of the same shape.

        >>> Calibrator("temperature", 1.0, np.zeros(2)).apply(np.array([[0.25, 0.75]])).round(6).tolist()
        [[0.25, 0.75]]
        """
        return apply_link("softmax", self.slope * _logs(probabilities) + self.offset)

    def pair(self, no: float, yes: float) -> tuple[float, float]:
        """Return what ``apply`` does for one row of two labels, in Python's own numbers: the same to the last bit."""
        low, high = self.offset.tolist()
        slope = self.slope
        no = slope * float(np.log(min(max(no, FLOOR), 1.0))) + low
        yes = slope * float(np.log(min(max(yes, FLOOR), 1.0))) + high
        if no > yes:
            no, yes = 1.0, float(np.exp(yes - no))
        else:
            no, yes = float(np.exp(no - yes)), 1.0
        total = no + yes
        return no / total, yes / total

    def state(self) -> State:
        """Return slope and offsets."""
        return State("calibrator", {"kind": self.kind, "slope": self.slope}, {"offset": self.offset})

    @classmethod
    def restore(cls, state: State) -> Calibrator:
        """Return the calibrator of a state."""
        kind, slope, offset = state.meta.get("kind"), real(state, "slope"), array(state, "offset", (None,))
        if kind not in ("temperature", "affine") or slope <= 0 or len(offset) < 2:
            refuse("calibrator", "a calibrator has a known kind, a slope above zero and offsets", kind)
        return cls(kind, slope, offset.astype(np.float64))


def fit_calibrator(
    probabilities: Floats, target: Ints, *, weight: Floats | None = None, seed: int = 0
) -> Calibrator | None:
    """Return the calibrator that out-of-fold probabilities call for, or None.

    A kind is taken over the one before it (none, temperature, affine) when its log loss, five-fold
    cross-validated over these rows, is lower by more than one standard error of the paired difference.

    Args:
        probabilities: Shape (n_rows, n_classes), of rows that the model has not learnt from.
        target: Positions of the true labels, shape (n_rows,).
        weight: Row weights, or None.
        seed: Divides the rows.

    Returns:
        None under 200 rows, or where nothing helps.
    """
    n_rows = len(target)
    if n_rows < ROWS_MIN:
        return None
    weight = np.ones(n_rows) if weight is None else weight / weight.mean()
    logs, target = _logs(probabilities), target.astype(np.int64)
    fold = np.random.default_rng(seed).permutation(n_rows) % N_FOLDS
    chosen, losses = "", _losses(logs, target)
    for kind in ("temperature", "affine"):
        rivals = np.empty(n_rows)
        for k in range(N_FOLDS):
            fit, judge = fold != k, fold == k
            slope, offset = _fit(kind, logs[fit], target[fit], weight[fit])
            rivals[judge] = _losses(slope * logs[judge] + offset, target[judge])
        gain = weight * (losses - rivals)
        if gain.mean() > gain.std(ddof=1) / np.sqrt(n_rows):
            chosen, losses = kind, rivals
    return Calibrator(chosen, *_fit(chosen, logs, target, weight)) if chosen else None


def calibrated_by(kind: str, probabilities: Floats, target: Ints) -> Calibrator:
    """Return the calibrator of one kind that these rows call for, whether or not it helps others."""
    return Calibrator(kind, *_fit(kind, _logs(probabilities), target, np.ones(len(target))))


def _logs(probabilities: Floats) -> Floats:
    return np.asarray(np.log(np.clip(probabilities, FLOOR, 1.0)))


def _losses(margins: Floats, target: Ints) -> Floats:
    top = margins.max(axis=1)
    total = top + np.log(np.exp(margins - top[:, None]).sum(axis=1))
    return np.asarray(total - margins[np.arange(len(target)), target])


def _fit(kind: str, logs: Floats, target: Ints, weight: Floats) -> tuple[float, Floats]:
    """Return slope and offsets of least log loss; the slope is sought by its logarithm, so it stays above zero."""
    n_classes, rows = logs.shape[1], np.arange(len(target))
    share = weight / weight.sum()

    def objective(flat: Floats) -> tuple[float, Floats]:
        slope, offset = np.exp(flat[0]), flat[1:] if kind == "affine" else np.zeros(n_classes)
        margins = slope * logs + offset
        loss = float(share @ _losses(margins, target)) + PENALTY / 2 * float(flat @ flat)
        away = apply_link("softmax", margins)
        away[rows, target] -= 1.0
        away *= share[:, None]
        along = np.concatenate([[slope * float((away * logs).sum())], away.sum(axis=0)])
        return loss, along[: len(flat)] + PENALTY * flat

    found = descend(objective, np.zeros(1 + n_classes if kind == "affine" else 1), steps=100)
    return float(np.exp(found[0])), found[1:] if kind == "affine" else np.zeros(n_classes)
