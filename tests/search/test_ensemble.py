"""Greedy selection over out-of-fold predictions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.search.ensemble import WEIGHT_LEAST, blended, choose, cross_fitted, loss_of, shrunk


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
    assert loss_of("rmse", target, blended, None) <= best


def test_the_honest_loss_does_not_fall_for_luck():
    # Thirty candidates of pure noise: some blend of them fits the rows that chose it, and no others.
    rng = np.random.default_rng(4)
    target = rng.normal(size=200)
    noise = [rng.normal(0, 0.3, 200) for _ in range(30)]
    weights = choose(noise, target, metric="rmse")
    dishonest = loss_of("rmse", target, sum(w * p for w, p in zip(weights, noise, strict=True)), None)
    flat = loss_of("rmse", target, np.zeros(200), None)
    assert dishonest < 0.98 * flat
    assert cross_fitted(noise, target, "rmse", None, 0) > 0.99 * flat


def test_where_time_matters_unlike_members_share_the_weight():
    weights = shrunk(np.array([1.0, 0.0, 0.0, 0.0]), [1.0, np.inf, 1.05, 9.0])
    assert weights.tolist() == [0.75, 0.0, 0.25, 0.0]
    assert weights.sum() == pytest.approx(1.0)


def test_on_few_rows_a_choice_alone_follows_their_luck():
    # Twelve candidates that err alike, a third of them worse, judged by 150 rows: the blend that these choose loses
    # more on 4,000 others than when the best share half of its weight.
    gains = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        target = rng.normal(size=4_150)
        common = (target + rng.normal(size=4_150)) / 2
        told = [common + rng.normal(0, 0.3 if i % 3 else 0.6, 4_150) for i in range(12)]
        few, many = [p[:150] for p in told], [p[150:] for p in told]
        chosen = choose(few, target[:150], metric="rmse", seed=seed)
        losses = [loss_of("rmse", target[:150], p, None) for p in few]
        alone = loss_of("rmse", target[150:], blended(many, chosen), None)
        gains.append(1 - loss_of("rmse", target[150:], blended(many, shrunk(chosen, losses)), None) / alone)
    assert np.mean(gains) > 3 * np.std(gains) / np.sqrt(30)


def test_those_that_share_keep_to_what_members_may_cost():
    weights = np.array([1.0, 0.0, 0.0])
    shared = shrunk(weights, [1.0, 1.0, 1.0], [400.0, 200.0, 100.0], 500.0)
    assert shared.tolist() == [0.75, 0.0, 0.25]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(1, 500), min_size=2, max_size=8), st.floats(50, 600), st.integers(0, 1000))
def test_members_keep_to_what_they_may_cost_together(costs, cost_most, seed):
    target = np.random.default_rng(seed).normal(size=200)
    predictions = [noisy(target, 1.0, seed + i) for i in range(len(costs))]
    weights = choose(predictions, target, metric="rmse", costs=costs, cost_most=cost_most, seed=seed)
    members = np.flatnonzero(weights)
    assert len(members) == 1 or sum(costs[i] for i in members) <= cost_most


def test_only_a_far_better_candidate_may_cost_more_than_all_together():
    target = np.random.default_rng(0).normal(size=2000)
    near, far = ([noisy(target, noise, 1), noisy(target, 1.0, 2)] for noise in (0.995, 0.5))
    costs = {"costs": [900.0, 100.0], "cost_most": 450.0}
    assert choose(near, target, metric="rmse", **costs).tolist() == [0.0, 1.0]
    assert choose(far, target, metric="rmse", **costs).tolist() == [1.0, 0.0]


def test_a_dear_candidate_that_leaves_no_room_gives_way_to_several_that_are_better_together():
    target = np.random.default_rng(0).normal(size=2000)
    predictions = [noisy(target, 0.95, 1), *(noisy(target, 1.0, seed) for seed in (2, 3, 4))]
    weights = choose(predictions, target, metric="rmse", costs=[400.0, 120.0, 120.0, 120.0], cost_most=450.0)
    assert weights[0] == 0
    assert (weights[1:] > 0.2).all()
    alone = choose(predictions, target, metric="rmse", costs=[400.0, 300.0, 300.0, 300.0], cost_most=450.0)
    assert alone.tolist() == [1.0, 0.0, 0.0, 0.0]
