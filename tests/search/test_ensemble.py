"""Greedy selection over out-of-fold predictions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.search.ensemble import WEIGHT_LEAST, choose, loss_of


def noisy(target: np.ndarray, noise: float, seed: int) -> np.ndarray:
    return target + np.random.default_rng(seed).normal(0, noise, len(target))


def test_independent_errors_are_averaged():
    target = np.random.default_rng(0).normal(size=2000)
    predictions = [noisy(target, 1.0, seed) for seed in (1, 2, 3)]
    weights = choose(predictions, target, metric="rmse")
    blended = sum(w * p for w, p in zip(weights, predictions, strict=True))
    assert loss_of("rmse", target, blended, None) < 0.65
    assert (weights > 0.2).all()


def test_a_useless_candidate_gets_no_weight():
    target = np.random.default_rng(0).normal(size=2000)
    weights = choose([noisy(target, 0.1, 1), noisy(target, 5.0, 2)], target, metric="rmse")
    assert weights.tolist() == [1.0, 0.0]


def test_probabilities_are_chosen_by_auc():
    rng = np.random.default_rng(0)
    target = (rng.random(1000) < 0.3).astype(np.int64)
    good = np.clip(0.3 + 0.3 * (target - 0.3) + rng.normal(0, 0.2, 1000), 0.01, 0.99)
    bad = rng.random(1000)
    weights = choose([np.column_stack([1 - p, p]) for p in (bad, good)], target, metric="roc_auc")
    assert weights[1] > 0.8


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.integers(5, 60), st.integers(0, 1000))
def test_weights_are_a_blend_no_worse_than_the_best(n_candidates, n_rows, seed):
    rng = np.random.default_rng(seed)
    target = rng.normal(size=n_rows)
    predictions = [noisy(target, rng.uniform(0.1, 2), seed + i) for i in range(n_candidates)]
    weights = choose(predictions, target, metric="rmse", seed=seed)
    assert weights.sum() == pytest.approx(1.0)
    assert ((weights == 0) | (weights >= WEIGHT_LEAST)).all()
    best = min(loss_of("rmse", target, p, None) for p in predictions)
    blended = sum(w * p for w, p in zip(weights, predictions, strict=True))
    # Dropping small weights may cost a little of what the greedy steps won, never more than a little.
    assert loss_of("rmse", target, blended, None) <= best * 1.1
