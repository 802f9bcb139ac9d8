"""Quality: what the measures are on outcomes that are known, beside what is expected, and what is still awaited."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.evaluation.intervals import measure
from modelwright.monitoring import estimates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from modelwright.core.arrays import Array, Bools, Floats
    from modelwright.core.matrix import Matrix
    from modelwright.core.model import Model
    from modelwright.core.score import Score
    from modelwright.monitoring.baseline import Baseline

SLICES_MOST = 8
SLICE_ROWS_LEAST = 30
RECENT, MISSES = 6, 2
"""A band of 95 % misses twice in six windows by chance in one case of thirty; then it is not to be trusted."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What is known of the quality of the answers of one window.

    Attributes:
        estimated: Measures expected without labels, of all its answers.
        realised: Measures on the outcomes that are known, empty where there are none.
        expected_of_labelled: Measures expected for the labelled rows only: what ``realised`` is to be compared with.
        labelled: Answers whose outcome is known.
        awaited: Answers whose outcome is not.
        bias: Expected mean loss of the awaited rows as a multiple of that of the labelled ones; above 1 the
            realised measures look better than they will be. None where either kind is absent.
        slices: Mean loss by part: ``where``, ``rows``, ``loss``, ``low``, ``high``.
    """

    estimated: Mapping[str, Score]
    realised: Mapping[str, Score]
    expected_of_labelled: Mapping[str, Score]
    labelled: int
    awaited: int
    bias: float | None
    slices: tuple[Mapping[str, Any], ...] = ()

    def agrees(self, metric: str) -> bool | None:
        """Return whether the realised measure lies in the band that was estimated for the same rows."""
        expected, realised = self.expected_of_labelled.get(metric), self.realised.get(metric)
        if expected is None or realised is None or math.isnan(expected.value) or math.isnan(realised.value):
            return None
        return expected.low <= realised.value <= expected.high

    def to_dict(self) -> dict[str, Any]:
        """Return the quality as plain data."""
        groups = ("estimated", "realised", "expected_of_labelled")
        scores = {g: {k: s.to_dict() for k, s in getattr(self, g).items()} for g in groups}
        rest = {"labelled": self.labelled, "awaited": self.awaited, "bias": self.bias, "slices": list(self.slices)}
        return {**scores, **rest}


def quality(
    baseline: Baseline,
    model: Model,
    scores: Floats,
    matrix: Matrix | None,
    target: Array,
    labelled: Bools,
    *,
    frame: pl.DataFrame | None = None,
) -> Quality:
    """Return what is known of the quality of some answers.

    Args:
        baseline: Of the model.
        model: What answered.
        scores: Its answers, of all rows.
        matrix: The rows as the model sees them.
        target: Encoded; anything where the outcome is awaited.
        labelled: Which outcomes are known.
        frame: The conformed rows, for slices.
    """
    choices = model.choices(scores)
    rows = np.flatnonzero(labelled)
    some = None if matrix is None else matrix.take(rows)
    names = baseline.estimator.measures()
    estimator = baseline.estimator
    estimated = {n: estimator.estimate(n, scores, choices, matrix) for n in names} if len(scores) else {}
    realised: Mapping[str, Score] = {}
    expected: dict[str, Score] = {}
    slices: tuple[Mapping[str, Any], ...] = ()
    if len(rows):
        realised = measure(model.task, target[rows], scores[rows], choices[rows])
        expected = {n: estimator.estimate(n, scores[rows], choices[rows], some) for n in names}
        if frame is not None:
            slices = _slices(baseline, frame[rows], estimates.losses(model.task, target[rows], scores[rows]))
    loss = estimator.expected_losses(scores, matrix, estimates.loss_of(model.task)) if len(scores) else np.zeros(0)
    bias = float(loss[~labelled].mean() / loss[labelled].mean()) if 0 < len(rows) < len(scores) else None
    return Quality(estimated, realised, expected, len(rows), len(scores) - len(rows), bias, slices)


def _slices(baseline: Baseline, frame: pl.DataFrame, losses: Floats) -> tuple[dict[str, Any], ...]:
    """Return mean losses of the parts that levels make, the worst first."""
    found = []
    values = baseline.watched.values(frame)
    for trait in baseline.inputs.traits:
        if not trait.levels or (trait.name, trait.column) not in values:
            continue
        codes = trait.codes(values[trait.name, trait.column])
        for i, level in enumerate(trait.levels):
            part = losses[codes == i]
            if len(part) >= SLICE_ROWS_LEAST:
                mean, half = float(part.mean()), 1.96 * float(part.std(ddof=1)) / math.sqrt(len(part))
                where = f"{trait.name} = {level}"
                found.append({"where": where, "rows": len(part), "loss": mean, "low": mean - half, "high": mean + half})
    found.sort(key=lambda s: -float(s["low"]))  # type: ignore[arg-type]
    return tuple(found[:SLICES_MOST])


def is_trusted(agreements: Sequence[bool | None]) -> bool:
    """Return whether the recent estimates held, as far as outcomes are known."""
    known = [a for a in agreements if a is not None]
    return known[-RECENT:].count(False) < MISSES
