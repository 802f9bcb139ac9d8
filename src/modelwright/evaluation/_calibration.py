"""Calibration: how far probabilities are from frequencies, by bins of equal mass, and how sure that is.

Naeini, Cooper and Hauskrecht: Obtaining well calibrated probabilities using Bayesian binning (AAAI 2015), with
equal-mass bins as in Nguyen and O'Connor (EMNLP 2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from modelwright.core.arrays import Bools, Floats, Ints
    from modelwright.evaluation._judged import Judged

N_BINS = 15
SCALES = np.append(np.linspace(0, 2, 201), np.geomspace(2.02, 200, 60))
"""Multiples of the gaps seen that are tried as the true gaps."""


@dataclass(frozen=True, slots=True)
class Bins:
    """Rows in bins of rising probability; only bins that hold weight.

    Attributes:
        share: Share of the weight in each bin.
        predicted: Mean probability in each bin.
        observed: Share of the rows that came true in each bin.
        n_effective: Rows of equal weight that say as much, by bin.
        n_rows: Rows in each bin.
        bin_of_row: The bin of each row.
    """

    share: Floats
    predicted: Floats
    observed: Floats
    n_effective: Floats
    n_rows: Ints
    bin_of_row: Ints

    @property
    def error(self) -> float:
        """Expected calibration error: the mean distance of probability and frequency."""
        return float(self.share @ np.abs(self.observed - self.predicted))


def outcomes(rows: Judged) -> tuple[Bools, Floats]:
    """Return what is predicted and came true, and its probability: the positive label, or the most probable."""
    if rows.is_binary:
        return rows.against_rest(1)
    return rows.scores.argmax(axis=1) == rows.target, rows.scores.max(axis=1)


def bins(came_true: Bools, probability: Floats, weight: Floats, n_bins: int = N_BINS) -> Bins:
    """Sort outcomes into bins of about equal weight; equal probabilities always share a bin."""
    weight = np.maximum(weight, np.finfo(float).tiny)
    levels, level_of_row = np.unique(probability, return_inverse=True)
    mass = np.bincount(level_of_row, weight, len(levels))
    # Half of its own mass puts a level where its middle lies, so the order of equal rows cannot matter.
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    _, bin_of_level = np.unique(np.minimum(np.int64(middle * n_bins), n_bins - 1), return_inverse=True)
    place = bin_of_level[level_of_row]
    in_bin = np.bincount(place, weight)
    return Bins(
        share=in_bin / in_bin.sum(),
        predicted=np.bincount(place, weight * probability) / in_bin,
        observed=np.bincount(place, weight * came_true) / in_bin,
        n_effective=in_bin**2 / np.maximum(np.bincount(place, weight**2), np.finfo(float).tiny),
        n_rows=np.bincount(place),
        bin_of_row=place,
    )


def ends(binned: Bins, quantile: float) -> tuple[float, float]:
    """Return the interval of the true calibration error.

    The measured error is too high on average, since noise adds to it in every bin, so an interval around it
    would miss. Instead the true gaps are taken as a multiple of those seen, and the interval holds the
    multiples under which the measured error is not unusual. Its low end is 0 when true probabilities could
    show such an error by chance. Without any error it ends where Wilson's interval of no miss does.
    """
    error = binned.error
    if error < 1e-12:
        n = float(1 / (binned.share**2 / binned.n_effective).sum())
        return 0.0, quantile**2 / (n + quantile**2)
    mean, folded, unfolded = expected_errors(binned, SCALES)
    # Gaps near zero seem to lose noise by folding; if the truth puts them all on one side, they do not.
    low = SCALES[np.argmax(mean + quantile * folded >= error)] * error
    high = SCALES[np.flatnonzero(mean - quantile * unfolded <= error)[-1:]] * error
    return min(float(low), error), float(min(max([error, *high]), 1.0))


def expected_errors(binned: Bins, scales: Floats) -> tuple[Floats, Floats, Floats]:
    """Return what would be measured if the true gaps were these multiples of those seen.

    The distance in a bin is the absolute value of a nearly normal variable: Leone, Nelson and Nottingham, The
    folded normal distribution (Technometrics 1961).

    Returns:
        Mean of the measured error, its deviation, and its deviation if no gap changed sides by chance.
    """
    from scipy.special import ndtr

    truth = np.clip(binned.predicted + scales[:, None] * (binned.observed - binned.predicted), 0.0, 1.0)
    centre = truth - binned.predicted
    noise = np.sqrt(np.maximum(truth * (1 - truth) / binned.n_effective, 1e-30))
    ratio = np.clip(centre / noise, -40.0, 40.0)
    folded = noise * np.sqrt(2 / np.pi) * np.exp(-(ratio**2) / 2) + centre * (1 - 2 * ndtr(-ratio))
    variance = np.maximum(centre**2 + noise**2 - folded**2, 0.0)
    squares = binned.share**2
    return np.asarray(folded @ binned.share), np.sqrt(variance @ squares), np.sqrt(noise**2 @ squares)
