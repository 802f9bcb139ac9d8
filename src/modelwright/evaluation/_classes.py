"""Measures of choices: each is a proportion, or the mean over labels of a function of proportions.

Recall of a label is a proportion of its rows, precision of the rows answered with it, and F1 a rising function
of a third proportion, J = hits / (hits + false alarms + misses): F1 = 2J / (1 + J). Hand, Christen and Kirielle:
F*: an interpretable transformation of the F-measure (Machine Learning, 2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats, Ints
    from modelwright.evaluation._judged import Judged

MEASURES = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "f1_macro")


@dataclass(frozen=True, slots=True)
class Proportion:
    """Hits among trials, as weights per row: ``hit`` and ``trial`` are zero or one, shape (n,)."""

    hit: Floats
    trial: Floats
    weight: Floats

    @property
    def value(self) -> float:
        """The weighted share of trials that hit; 0 without a trial."""
        trials = self.weight @ self.trial
        return float(self.weight @ self.hit / trials) if trials > 0 else 0.0

    @property
    def n_effective(self) -> float:
        """The number of equally weighted trials that carry as much information (Kish 1965)."""
        squares = self.weight**2 @ self.trial
        return float((self.weight @ self.trial) ** 2 / squares) if squares > 0 else 0.0

    @property
    def influence(self) -> Floats:
        """How much each row moves the share, on the scale of a mean over rows."""
        trials = self.weight @ self.trial
        if trials <= 0:
            return np.zeros(len(self.weight))
        return np.asarray((self.hit - self.value * self.trial) * self.weight.sum() / trials)


def confusion(rows: Judged) -> Floats:
    """Return the weight of the rows by true label (first axis) and answered label (second axis)."""
    k = rows.scores.shape[1]
    cells = np.bincount(rows.target * k + rows.choices, rows.weight, k * k)
    return np.asarray(cells.reshape(k, k), dtype=np.float64)


def labels_averaged(name: str, rows: Judged) -> Ints:
    """Return the labels a measure averages over: the positive one, or all that the target holds."""
    if rows.is_binary and name in ("precision", "recall", "f1"):
        return np.intersect1d([1], rows.present)
    return rows.present


def compute(name: str, rows: Judged) -> float:
    """Return a measure of choices; NaN where the target lacks the positive label."""
    cells = confusion(rows)
    if name == "accuracy":
        return float(np.trace(cells) / cells.sum())
    labels = labels_averaged(name, rows)
    if not len(labels):
        return float("nan")
    hits, trials = np.diag(cells), _trials(name, cells)
    shares = np.divide(hits, trials, out=np.zeros(len(hits)), where=trials > 0)
    return float(shares[labels].mean())


def _trials(name: str, cells: Floats) -> Floats:
    """Return, by label, what its hits are divided by."""
    answered, true = cells.sum(axis=0), cells.sum(axis=1)
    if name == "precision":
        return np.asarray(answered)
    return np.asarray((answered + true) / 2 if is_f1(name) else true)


def proportions(name: str, rows: Judged) -> list[Proportion]:
    """Return the proportions whose mean (for F1, the mean of 2J / (1 + J)) the measure is."""
    if name == "accuracy":
        return [Proportion((rows.target == rows.choices).astype(float), np.ones(rows.n_rows), rows.weight)]
    found = []
    for label in labels_averaged(name, rows):
        true, answered = rows.target == label, rows.choices == label
        trial = {"precision": answered, "f1": true | answered, "f1_macro": true | answered}.get(name, true)
        found.append(Proportion((true & answered).astype(float), trial.astype(float), rows.weight))
    return found


def is_f1(name: str) -> bool:
    """Whether the measure's proportions are the J of F1."""
    return name in ("f1", "f1_macro")
