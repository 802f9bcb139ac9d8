"""Bias and variance: how much of the error comes back with every sample, and how much changes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import InvalidEvidence
from modelwright.evaluation import _ends
from modelwright.evaluation._judged import judged
from modelwright.evaluation.metrics import SMALLEST_PROBABILITY, row_losses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.arrays import Array, Floats
    from modelwright.core.task import Task

MOSTLY_VARIANCE, HARDLY_VARIANCE = 0.4, 0.1
"""Shares of the error from which, and up to which, the sentence gives advice on variance."""


def decompose(predictions: Sequence[Floats], target: Array, task: Task) -> dict[str, Any]:
    """Split the mean loss of models fitted on resamples into bias and variance, which add up to it exactly.

    Regression splits the squared error: bias is the error of the mean prediction, variance the spread around it
    (Geman, Bienenstock and Doursat, Neural Computation 1992). Classification splits the log loss: bias is the
    loss of the normalised geometric mean of the probabilities, variance the mean Kullback–Leibler divergence
    from it (Heskes, Neural Computation 1998). Both are corrected for the few models: a mean of B models still
    carries a Bth of the variance. Noise in the target is part of the bias; rows seen once cannot tell them apart.

    Args:
        predictions: What each model says of the same rows, (n,) values or (n, n_classes) probabilities.
        target: Shape (n,), encoded.
        task: Says which loss is split.

    Returns:
        ``loss``, ``bias``, ``variance``, ``variance_low`` and ``variance_high`` (95 %), ``noise_included``,
        ``measure``, ``n_resamples``, ``n_rows``, ``sentence``.

    Raises:
        InvalidEvidence: There are fewer than two models.
    """
    _check_several(predictions)
    values = not task.is_classification
    name = "mse" if values else "log_loss"
    said = [judged(target, p, values=values) for p in predictions]
    losses = np.mean([row_losses(name, rows) for rows in said], axis=0)
    spread = _spread([rows.scores for rows in said], is_squared=values)
    few = len(said) / (len(said) - 1)
    variance = np.minimum(spread.mean() * few, losses.mean())
    low, high = _ends.skewed(float(variance), (spread - spread.mean()) * few, np.ones(len(spread)))
    loss = float(losses.mean())
    return {
        "measure": name,
        "loss": loss,
        "bias": loss - float(variance),
        "variance": float(variance),
        "variance_low": max(low, 0.0),
        "variance_high": high,
        "noise_included": True,
        "n_resamples": len(said),
        "n_rows": len(losses),
        "sentence": _sentence(float(variance) / loss if loss > 0 else 0.0, task),
    }


def wrong_answers(choices: Sequence[Array], target: Array) -> dict[str, Any]:
    """Split the mean share of wrong answers of models fitted on resamples (Domingos, ICML 2000).

    The main answer of a row is the most frequent one. Bias is the share of rows whose main answer is wrong. Where the
    main answer is right, answers that differ add to the error (``unstable``); where it is wrong, answers that happen
    to be right take from it (``lucky``): error = bias + unstable − lucky, exactly. Noise is part of the bias.

    Args:
        choices: Labels each model answers for the same rows, shape (n,) each.
        target: Positions of the true labels.

    Returns:
        ``error``, ``bias``, ``unstable``, ``lucky``, ``variance`` (unstable − lucky), ``n_resamples``, ``n_rows``.

    Raises:
        InvalidEvidence: There are fewer than two models.
    """
    _check_several(choices)
    said = np.stack([np.asarray(c, dtype=np.int64) for c in choices])
    truth = np.asarray(target, dtype=np.int64)
    votes = np.stack([(said == k).sum(axis=0) for k in range(int(max(said.max(), truth.max())) + 1)])
    main = votes.argmax(axis=0)
    is_biased = main != truth
    right = (said == truth).mean(axis=0)
    unstable = float(np.where(is_biased, 0.0, 1 - right).mean())
    lucky = float(np.where(is_biased, right, 0.0).mean())
    return {
        "error": float((said != truth).mean()),
        "bias": float(is_biased.mean()),
        "unstable": unstable,
        "lucky": lucky,
        "variance": unstable - lucky,
        "n_resamples": len(said),
        "n_rows": len(truth),
    }


def _check_several(models: Sequence[object]) -> None:
    if len(models) < 2:
        raise InvalidEvidence(
            "bias and variance are told apart by two models or more",
            where="bias–variance",
            got=len(models),
            fix="fit the same learner on at least two resamples",
        )


def _spread(scores: list[Floats], *, is_squared: bool) -> Floats:
    """Return, by row, how far the models' answers lie from their centre."""
    if is_squared:
        return np.asarray(np.var(scores, axis=0))
    clipped = [np.clip(p, SMALLEST_PROBABILITY, 1.0) for p in scores]
    logs = [np.log(p / p.sum(axis=1, keepdims=True)) for p in clipped]
    # The mean divergence from the geometric mean equals minus the log of what normalises it.
    return np.asarray(np.maximum(-np.log(np.exp(np.mean(logs, axis=0)).sum(axis=1)), 0.0))


def _sentence(share: float, task: Task) -> str:
    """Return what the split means for a person, in one sentence."""
    what = "log loss" if task.is_classification else "squared error"
    begin = f"{share:.0%} of the {what} is variance: it changes with the rows the model happened to learn from"
    if share >= MOSTLY_VARIANCE:
        return f"{begin}; more rows, a simpler model or an average over more models would help."
    if share <= HARDLY_VARIANCE:
        return (
            f"{begin}; the rest comes back with every sample, as bias or as noise in the target, so more rows would "
            "change little, while better columns or a more flexible model might."
        )
    return f"{begin}; the rest is bias and noise, so both more rows and better columns can help."
