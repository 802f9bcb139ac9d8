"""Shapes: whether a target of zero or more is learnt better by its root, its logarithm or another likelihood.

A quick model is cross-validated on a sample for each shape. A shape is kept when the mean of its answers and the plain
model's is surely better than that of two plain models: what matters to an ensemble is what a member adds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.learners.shaped import LOG, ROOT, can_be_shaped
from modelwright.search.audition import ROWS_LEAST, cross_validated, may_spend, quick_seconds

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.core.run import Run
    from modelwright.search.problem import Material

SKEWED = 0.5
"""Targets less skewed than this gain nothing."""
TRIED = ("poisson", ROOT, "tweedie", LOG)
"""The most promising first: the time may end before the last."""
AT_LEAST = 3
"""Two plain models and one shape must find time, or none is tried."""
SURE = 2.5
"""Standard errors by which the loss must fall: four shapes are tried, and each one kept costs two candidates' time."""
LEAST_GAIN = 0.005
"""Share of the loss it must fall by."""
KEPT_MOST = 2
ROWS_MOST = 4_000
DRAWN, PARTNER = {"row_share": 0.8, "feature_share": 0.8}, {"row_share": 0.7, "feature_share": 0.7}
SHARE_MOST = 0.1
"""Of the search time."""


def shapes_that_help(material: Material, run: Run, *, round_seconds: float, search_seconds: float) -> tuple[str, ...]:
    """Return the shapes that help, the best first, none for labels.

    Args:
        material: The training rows.
        run: Seed, threads, catalogue.
        round_seconds: Time of one boosting round on all rows.
        search_seconds: What the search may use.
    """
    p = material.problem
    if (
        p.n_classes
        or p.n_rows < ROWS_LEAST
        or not can_be_shaped(p.target)
        or _skewness(np.asarray(p.target, dtype=np.float64)) < SKEWED
    ):
        return ()
    one = quick_seconds(p.n_rows, run, round_seconds, ROWS_MOST)
    begun, most = run.clock(), may_spend(run, SHARE_MOST * search_seconds)
    if AT_LEAST * one > most:
        return ()
    run.say("search", "an audition of the target's shape")
    rows = np.random.default_rng(run.seed).permutation(p.n_rows)[:ROWS_MOST]
    base, target = material.base.take(rows), np.asarray(p.target[rows], dtype=np.float64)
    weight = np.ones(len(rows)) if p.weight is None else p.weight[rows] / p.weight[rows].mean()
    plain = cross_validated(base, target, rows, material, run, **DRAWN)
    # Any second model makes a mean better; a shape must add more than another plain model does.
    other = cross_validated(base, target, rows, material, run, **PARTNER)
    lost = weight * np.square(target - (plain + other) / 2)
    gains = {}
    for shape in TRIED:
        if run.clock() - begun > most:
            break
        shaped = cross_validated(base, target, rows, material, run, **DRAWN, shape=shape)
        gain = lost - weight * np.square(target - (plain + shaped) / 2)
        sure = gain.mean() > SURE * gain.std() / np.sqrt(len(gain))
        if sure and gain.mean() > LEAST_GAIN * lost.mean():
            gains[shape] = float(gain.mean())
    return tuple(sorted(gains, key=lambda shape: -gains[shape])[:KEPT_MOST])


def _skewness(target: Floats) -> float:
    away = target / float(np.abs(target).max())  # first scaled, so that cubes stay finite
    away = away - away.mean()
    spread = float(away.std())
    return float((away**3).mean()) / spread**3 if spread > 0 else 0.0
