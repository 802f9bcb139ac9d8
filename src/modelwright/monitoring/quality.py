"""Quality: what the measures are on outcomes that are known, beside what is expected, and what is still awaited."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.score import Score
from modelwright.evaluation.intervals import measure
from modelwright.monitoring import estimates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.core.arrays import Array, Bools, Floats, Ints
    from modelwright.core.model import Model
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

    @classmethod
    def of_dict(cls, data: Mapping[str, Any]) -> Quality:
        """Return the quality that was told as plain data."""
        groups = ("estimated", "realised", "expected_of_labelled")
        scores: dict[str, Any] = {g: {name: _score(name, s) for name, s in data[g].items()} for g in groups}
        rest = {key: data[key] for key in ("labelled", "awaited", "bias")}
        return cls(**scores, **rest, slices=tuple(data["slices"]))

    def to_dict(self) -> dict[str, Any]:
        """Return the quality as plain data."""
        groups = ("estimated", "realised", "expected_of_labelled")
        scores = {g: {k: s.to_dict() for k, s in getattr(self, g).items()} for g in groups}
        rest = {"labelled": self.labelled, "awaited": self.awaited, "bias": self.bias, "slices": list(self.slices)}
        return {**scores, **rest}


def _score(name: str, data: Mapping[str, Any]) -> Score:
    ends = {k: math.nan if data[k] is None else float(data[k]) for k in ("value", "low", "high")}
    return Score(**{**data, **ends, "metric": name})


def quality(
    baseline: Baseline,
    model: Model,
    scores: Floats,
    expected: Floats,
    target: Array,
    labelled: Bools,
    *,
    levels: Mapping[int, Array] | None = None,
    only: Sequence[str] | None = None,
) -> Quality:
    """Return what is known of the quality of some answers.

    Args:
        baseline: Of the model.
        model: What answered.
        scores: Its answers, of all rows.
        expected: What the baseline expects of these rows.
        target: Encoded; anything where the outcome is awaited.
        labelled: Which outcomes are known.
        levels: By position of a trait of levels: the bin of each row, for slices.
        only: Measures that are wanted; all when None.
    """
    choices = model.choices(scores)
    rows = np.flatnonzero(labelled)
    estimator = baseline.estimator
    names = [n for n in estimator.measures() if only is None or n in only]
    estimated = {n: estimator.estimate(n, expected, scores, choices) for n in names} if len(scores) else {}
    realised: Mapping[str, Score] = {}
    of_labelled: Mapping[str, Score] = {}
    slices: tuple[Mapping[str, Any], ...] = ()
    if len(rows):
        known, said, chosen = target[rows], scores[rows], choices[rows]
        realised = measure(model.task, known, said, chosen, only=only)
        # Where every outcome is known both are of the same rows.
        is_whole = len(rows) == len(scores)
        of_labelled = estimated if is_whole else {n: estimator.estimate(n, expected[rows], said, chosen) for n in names}
        if levels:
            slices = _slices(baseline, levels, rows, estimates.losses(model.task, known, said))
    loss = estimator.expected_losses(expected, scores, estimates.loss_of(model.task))
    bias = float(loss[~labelled].mean() / loss[labelled].mean()) if 0 < len(rows) < len(scores) else None
    return Quality(estimated, realised, of_labelled, len(rows), len(scores) - len(rows), bias, slices)


def _slices(baseline: Baseline, levels: Mapping[int, Array], rows: Ints, losses: Floats) -> tuple[dict[str, Any], ...]:
    """Return mean losses of the parts that levels make, the worst first."""
    found = []
    squares = losses**2
    for position, bins in levels.items():
        trait, codes = baseline.inputs.traits[position], bins[rows]
        counts = np.bincount(codes, minlength=trait.n_bins)
        sums = np.bincount(codes, weights=losses, minlength=trait.n_bins)
        sums_of_squares = np.bincount(codes, weights=squares, minlength=trait.n_bins)
        for i, level in enumerate(trait.levels):
            n = int(counts[i])
            if n >= SLICE_ROWS_LEAST:
                mean = float(sums[i]) / n
                variance = max(float(sums_of_squares[i]) / n - mean**2, 0.0) * n / (n - 1)
                half = 1.96 * math.sqrt(variance / n)
                where = f"{trait.name} = {level}"
                found.append({"where": where, "rows": n, "loss": mean, "low": mean - half, "high": mean + half})
    found.sort(key=lambda s: -float(s["low"]))  # type: ignore[arg-type]
    return tuple(found[:SLICES_MOST])


def is_trusted(agreements: Sequence[bool | None]) -> bool:
    """Return whether the recent estimates held, as far as outcomes are known."""
    known = [a for a in agreements if a is not None]
    return known[-RECENT:].count(False) < MISSES
