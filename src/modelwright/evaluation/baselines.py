"""Baselines: is a model worth having here at all?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.metrics import MEASURES, Measure
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
    choices: Array | None = None,
    weight: Floats | None = None,
) -> dict[str, Any]:
    """Compare a model with two that nobody had to work for, on the same rows.

    Args:
        task: Names the metric.
        target: Encoded.
        model_scores: Of the model.
        constant_scores: Of always answering the mean, or the class shares.
        lightgbm_scores: Of LightGBM with its default parameters.
        choices: Labels the model answers. Without them a metric of choices gives way to log loss, since a
            threshold that was tuned for it would be lost.
        weight: Row weights, or None.

    Returns:
        ``constant`` and ``lightgbm_default`` (measures by name), ``difference_to_constant`` and
        ``difference_to_lightgbm_default`` (paired differences of the metric, positive: the model is better, with
        95 % interval), ``metric``, ``verdict``, one sentence.
    """
    metric = MEASURES[task.metric]
    if metric.reads == "choices" and choices is None:
        metric = MEASURES["log_loss"]
    yardsticks = {"constant": constant_scores, "lightgbm_default": lightgbm_scores}
    gains = {}
    for name, scores in yardsticks.items():
        found = paired(task, target, model_scores, scores, metric=metric.name, choices=(choices, None), weight=weight)
        gains[name] = _gain(found, metric)
    return {
        **{name: _measures(task, target, scores, weight) for name, scores in yardsticks.items()},
        **{f"difference_to_{name}": gain for name, gain in gains.items()},
        "metric": metric.name,
        "verdict": _sentence(gains, metric, _answer(task, constant_scores)),
    }


def _measures(task: Task, target: Array, scores: Floats, weight: Floats | None) -> dict[str, float]:
    """Return the measures that exist on these rows."""
    names = [m.name for m in MEASURES.values() if task.kind in m.kinds]
    return {name: compute(name, target, scores, weight=weight) for name in names}


def _gain(difference: Score, metric: Measure) -> dict[str, Any]:
    """Return how much better the model is, whichever way the metric counts."""
    sign = 1.0 if metric.greater_is_better else -1.0
    low, high = sorted((sign * difference.low, sign * difference.high))
    return {
        "value": sign * difference.value,
        "low": low,
        "high": high,
        "n_rows": difference.n_rows,
        "unit": metric.unit,
        "method": difference.method,
    }


def _answer(task: Task, constant_scores: Floats) -> str:
    """Return what the constant always answers."""
    if not task.is_classification:
        return f"{float(np.mean(constant_scores)):.4g}"
    return repr(task.labels[int(constant_scores.mean(axis=0).argmax())])


def _sentence(gains: dict[str, dict[str, Any]], metric: Measure, answer: str) -> str:
    constant, untuned = gains["constant"], gains["lightgbm_default"]
    if np.isnan(constant["value"]):
        return f"{metric.title} cannot be measured on these rows, so they cannot tell whether a model is worth having."
    gain = f"the gain in {metric.title} is {_amount(constant)}"
    if constant["high"] < 0:
        return f"Worse than always answering {answer}; {gain}: do not use this model."
    if not constant["low"] > 0:
        return (
            f"No better than always answering {answer}, as far as these rows can tell; {gain}: do not use a model here."
        )
    beats = f"Worth having by {metric.title}: better than always answering {answer} by {_amount(constant)}"
    if untuned["low"] > 0:
        return f"{beats}, and than a default LightGBM by {_amount(untuned)}."
    if untuned["high"] < 0:
        return f"{beats}, but a default LightGBM is better still: the difference is {_amount(untuned)}."
    return f"{beats}, but tied with a default LightGBM on these rows: the difference is {_amount(untuned)}."


def _amount(gain: dict[str, Any]) -> str:
    """Return a difference with its interval, rounded by the width of the interval."""
    width = max((gain["high"] - gain["low"]) / 2, abs(gain["value"]) * 1e-3, 1e-12)
    digits = max(int(np.ceil(-np.log10(width))) + 1, 0)
    value, low, high = (f"{gain[k]:,.{digits}f}" for k in ("value", "low", "high"))
    unit = f" {gain['unit']}" if gain["unit"] == "%" else ""
    return f"{value}{unit} (95 % interval {low} to {high})"
