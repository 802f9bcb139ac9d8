"""Pairs: models that are alike are called tied, a better one is found, and the difference is as measured."""

import math

import numpy as np
import pytest

from modelwright.core.errors import InvalidTask
from modelwright.core.metrics import MEASURES
from modelwright.core.task import Task, TaskKind
from modelwright.evaluation.metrics import compute
from modelwright.evaluation.pairs import paired

BINARY = Task(TaskKind.BINARY, "y", "roc_auc", ("no", "yes"))
VALUE = Task(TaskKind.REGRESSION, "y", "rmse")


def alike(n, rng, noise=1.0):
    """Two binary models that know the same and err independently."""
    target = (rng.random(n) < 0.3).astype(np.int64)
    x = 1.5 * (rng.normal(size=n) + 1.5 * target) - 2
    return target, *(1 / (1 + np.exp(-(x + noise * rng.normal(size=n)))) for _ in range(2))


def alike_values(n, rng):
    x = rng.normal(size=n)
    return 10 + 3 * x + rng.normal(size=n), 10 + 3 * x + rng.normal(size=n), 10 + 3 * x + rng.normal(size=n)


@pytest.mark.parametrize("metric", [m.name for m in MEASURES.values()])
def test_the_difference_is_of_the_measures_and_turns_with_the_models(metric):
    is_class = BINARY.kind in MEASURES[metric].kinds
    task, draw = (BINARY, alike) if is_class else (VALUE, alike_values)
    target, a, b = draw(150, np.random.default_rng(1))
    found, turned = paired(task, target, a, b, metric=metric), paired(task, target, b, a, metric=metric)
    assert found.value == pytest.approx(compute(metric, target, a) - compute(metric, target, b))
    assert (found.low, found.high) == pytest.approx((-turned.high, -turned.low))


def test_a_model_is_tied_with_itself():
    target, a, _ = alike(50, np.random.default_rng(0))
    for metric in ("roc_auc", "log_loss", "accuracy", "calibration_error"):
        assert (lambda s: (s.low, s.value, s.high))(paired(BINARY, target, a, a, metric=metric)) == (0.0, 0.0, 0.0)


def test_the_paired_roc_auc_interval_uses_delongs_covariance():
    target, a, b = alike(80, np.random.default_rng(4))
    positive = target == 1
    wins = [(s[positive][:, None] > s[~positive]) + 0.5 * (s[positive][:, None] == s[~positive]) for s in (a, b)]
    gap = wins[0] - wins[1]
    error = math.sqrt(gap.mean(1).var(ddof=1) / positive.sum() + gap.mean(0).var(ddof=1) / (~positive).sum())
    found = paired(BINARY, target, a, b, metric="roc_auc")
    assert 1.95 * error < found.high - found.value < 2.1 * error


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss", "accuracy", "f1", "average_precision", "rmse", "r2"])
def test_equal_models_are_seldom_called_different(metric):
    is_class = BINARY.kind in MEASURES[metric].kinds
    task, draw = (BINARY, alike) if is_class else (VALUE, alike_values)
    different = 0
    for seed in range(150):
        found = paired(task, *draw(150, np.random.default_rng(seed)), metric=metric)
        different += not found.low <= 0 <= found.high
    assert different / 150 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 150)


def test_a_clearly_better_model_is_found_with_unpaired_noise_cancelled():
    rng = np.random.default_rng(0)
    target = 100 * rng.normal(size=400)
    a = target + 50 * rng.standard_t(3, size=400)
    b = a + np.sign(a - target) * 2
    assert paired(VALUE, target, a, b, metric="mae").high < 0


def test_a_handful_of_rows_decides_nothing():
    one = paired(VALUE, np.array([1.0]), np.array([1.0]), np.array([3.0]), metric="mae")
    assert one.low <= 0 <= one.high
    five = np.ones(5, dtype=int)
    five[0] = 0
    better = paired(BINARY, five, np.where(five, 0.9, 0.1), np.where(five, 0.1, 0.9), metric="accuracy")
    assert better.value == 1.0
    target = np.array([0, 1] * 5)
    right = np.where(target, 0.9, 0.1)
    wrong_once = right.copy()
    wrong_once[:3] = 1 - right[:3]
    assert paired(BINARY, target, right, wrong_once, metric="accuracy").low <= 0


def test_what_cannot_be_measured_is_nan():
    found = paired(BINARY, np.zeros(4, int), np.full(4, 0.3), np.full(4, 0.4), metric="roc_auc")
    assert math.isnan(found.value)
    assert found.note


def test_choices_and_weights_are_used():
    target, a, b = alike(100, np.random.default_rng(0))
    strict = (a > 0.8).astype(int)
    weight = np.where(target == 1, 3.0, 1.0)
    found = paired(BINARY, target, a, b, metric="f1", choices=(strict, None), weight=weight)
    known = compute("f1", target, a, strict, weight=weight) - compute("f1", target, b, weight=weight)
    assert found.value == pytest.approx(known)


def test_a_measure_of_another_task_is_refused():
    with pytest.raises(InvalidTask):
        paired(BINARY, np.array([0, 1]), np.array([0.1, 0.9]), np.array([0.2, 0.8]), metric="rmse")
