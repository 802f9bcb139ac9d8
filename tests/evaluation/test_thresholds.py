"""Thresholds: the sweep is exact, the plateau's middle loses less than the noisy optimum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.core.errors import InvalidTask
from modelwright.evaluation import thresholds
from modelwright.evaluation.metrics import compute
from modelwright.evaluation.thresholds import SWEPT, best_threshold


@pytest.mark.parametrize("metric", SWEPT)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(4, 40), is_weighted=st.booleans())
def test_the_sweep_knows_the_metric_at_every_threshold(metric, seed, n, is_weighted):
    rng = np.random.default_rng(seed)
    target = np.r_[0, 1, rng.integers(0, 2, n)]
    probability = rng.integers(1, 10, n + 2) / 10
    weight = rng.integers(1, 4, n + 2).astype(float) if is_weighted else np.ones(n + 2)
    cuts, values = thresholds.sweep(target == 1, probability, weight, metric)
    for cut, value in zip(cuts, values, strict=True):
        choices = (probability >= cut).astype(int)
        assert value == pytest.approx(compute(metric, target, probability, choices, weight=weight))


@pytest.mark.parametrize("metric", SWEPT)
def test_it_comes_near_the_best_threshold_of_all_rows(metric):
    def draw(n, seed):
        rng = np.random.default_rng(seed)
        target = (rng.random(n) < 0.1).astype(int)
        x = rng.normal(size=n) + 1.5 * target
        return target, 1 / (1 + np.exp(-(1.5 * x - 1.125 + np.log(1 / 9))))

    target, probability = draw(200_000, 1)
    cuts, values = thresholds.sweep(target == 1, probability, np.ones(len(target)), metric)
    lost = []
    for seed in range(20):
        cut = best_threshold(*draw(1000, 100 + seed), metric)
        lost.append(values.max() - values[min(np.searchsorted(cuts, cut), len(cuts) - 1)])
    assert np.mean(lost) < 0.02


def test_a_gap_between_the_labels_is_cut_in_the_middle():
    assert best_threshold(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.6, 0.9]), "f1") == pytest.approx(0.4)
    two = np.array([[0.9, 0.1], [0.4, 0.6]])
    assert best_threshold(np.array([0, 1]), two, "accuracy") == pytest.approx(0.35)


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss", "precision", "recall"])
def test_measures_without_a_best_threshold_keep_the_plain_one(metric):
    assert best_threshold(np.array([0, 1, 1]), np.array([0.1, 0.2, 0.3]), metric) == 0.5


def test_one_label_or_equal_probabilities_are_handled():
    assert best_threshold(np.zeros(3, dtype=int), np.array([0.1, 0.2, 0.3]), "f1") == 0.5
    assert 0 <= best_threshold(np.array([0, 1]), np.array([0.3, 0.3]), "f1") <= 1
    assert 0 < best_threshold(np.array([0, 1, 1]), np.array([0.0, 1.0, 1.0]), "accuracy") <= 1


def test_a_measure_of_another_task_is_refused():
    with pytest.raises(InvalidTask):
        best_threshold(np.array([0, 1]), np.array([0.1, 0.9]), "rmse")
