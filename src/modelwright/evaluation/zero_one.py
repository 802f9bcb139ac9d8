"""Bias and variance of wrong answers: which come back with every sample, and which come and go with it.

Domingos: A unified bias–variance decomposition (ICML 2000).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import InvalidEvidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.arrays import Array


def decompose(choices: Sequence[Array], target: Array) -> dict[str, Any]:
    """Split the mean share of wrong answers of models fitted on resamples.

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
    if len(choices) < 2:
        raise InvalidEvidence(
            "bias and variance are told apart by two models or more",
            where="bias–variance",
            got=len(choices),
            fix="fit the same learner on at least two resamples",
        )
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
