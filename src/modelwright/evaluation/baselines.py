"""Baselines: is a model worth having here at all?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.metrics import MEASURES
from modelwright.evaluation.metrics import compute
from modelwright.evaluation.pairs import paired

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Floats
    from modelwright.core.score import Score
    from modelwright.core.task import Task


def verdict(
    task: Task,
    target: Array,
    model_scores: Floats,
    constant_scores: Floats,
    lightgbm_scores: Floats,
    *,
    weight: Floats | None = None,
) -> dict[str, Any]:
    """Compare a model with two that nobody had to work for, on the same rows.

    Args:
        task: Names the metric.
        target: Encoded.
        model_scores: Of the model.
        constant_scores: Of always answering the mean, or the class shares.
        lightgbm_scores: Of LightGBM with its default parameters.
        weight: Row weights, or None.

    Returns:
        ``constant`` and ``lightgbm_default`` (measures by name), ``difference_to_constant`` and
        ``difference_to_lightgbm_default`` (paired differences of the metric, positive: the model is better, with
        95 % interval), ``verdict``, one sentence.
    """
    asked = MEASURES[task.metric]
    metric = asked if asked.reads == "scores" else MEASURES["log_loss"]
    sign = 1.0 if metric.greater_is_better else -1.0
    measured = {"constant": constant_scores, "lightgbm_default": lightgbm_scores}
    gains = {
        name: _signed(paired(task, target, model_scores, scores, metric=metric.name, weight=weight), sign)
        for name, scores in measured.items()
    }
    return {
        **{name: _measures(task, target, scores, weight) for name, scores in measured.items()},
        **{f"difference_to_{name}": gain for name, gain in gains.items()},
        "metric": metric.name,
        "verdict": _sentence(gains, metric.title),
    }


def _measures(task: Task, target: Array, scores: Floats, weight: Floats | None) -> dict[str, float]:
    choices = scores.argmax(axis=1) if task.is_classification else None
    return {
        m.name: compute(m.name, target, scores, choices, weight=weight)
        for m in MEASURES.values()
        if task.kind in m.kinds
    }


def _signed(difference: Score, sign: float) -> dict[str, Any]:
    ends = sorted((sign * difference.low, sign * difference.high))
    return {
        "value": sign * difference.value,
        "low": ends[0],
        "high": ends[1],
        "n_rows": difference.n_rows,
        "method": difference.method,
    }


def _sentence(gains: dict[str, dict[str, Any]], title: str) -> str:
    constant, untuned = gains["constant"], gains["lightgbm_default"]
    if not constant["low"] > 0:
        return (
            "No better than always giving the same answer, as far as these rows can tell "
            f"({title}): do not use a model here."
        )
    beats = f"Worth having: {title} is better than a constant's by {_amount(constant)}"
    if untuned["low"] > 0:
        return f"{beats}, and than an untuned LightGBM's by {_amount(untuned)}."
    if untuned["high"] < 0:
        return f"{beats}, but an untuned LightGBM is better still: the difference is {_amount(untuned)}."
    return f"{beats}; an untuned LightGBM is tied with it on these rows."


def _amount(gain: dict[str, Any]) -> str:
    """Return a difference with its interval, rounded by the width of the interval."""
    width = max((gain["high"] - gain["low"]) / 2, 1e-12)
    digits = max(int(np.ceil(-np.log10(width))) + 1, 0)
    return f"{gain['value']:.{digits}f} ({gain['low']:.{digits}f} to {gain['high']:.{digits}f})"
