"""Costs are the mean of what each row's error costs, and their intervals hold the truth as often as they say."""

import numpy as np
import pytest

from modelwright.core.costs import Prices
from modelwright.core.errors import InvalidSetting
from modelwright.core.task import Task, TaskKind
from modelwright.evaluation.costs import costs

BINARY = Task(TaskKind.BINARY, "y", "roc_auc", ("no", "yes"))


def drawn(n, rng):
    p = rng.beta(1, 3, n)
    return (rng.random(n) < p).astype(int), np.column_stack([1 - p, p])


def test_costs_are_counted_row_by_row():
    target = np.array([0, 0, 1, 1, 1])
    p = np.array([0.1, 0.9, 0.2, 0.8, 0.3])
    found = costs(BINARY, target, np.column_stack([1 - p, p]), (p >= 0.5).astype(int), Prices(2, 10))
    assert found.model.value == pytest.approx((2 + 10 + 10) / 5)
    assert found.never.value == pytest.approx(30 / 5)
    assert found.always.value == pytest.approx(4 / 5)
    assert found.threshold == pytest.approx(1 / 6)
    assert found.best.value == pytest.approx(2 / 5)


def test_the_cheaper_threshold_is_cheaper_where_probabilities_mean_what_they_say():
    target, scores = drawn(20_000, np.random.default_rng(0))
    found = costs(BINARY, target, scores, None, Prices(1, 20, "EUR"))
    assert found.best.high < found.model.low


def test_regression_charges_each_side_its_own_price():
    task = Task(TaskKind.REGRESSION, "y", "rmse")
    found = costs(task, np.array([10.0, 10.0, 10.0]), np.array([12.0, 7.0, 10.0]), None, Prices(1, 5))
    assert found.model.value == pytest.approx((2 + 15) / 3)
    assert found.always is None


def test_with_more_classes_a_wrong_answer_costs_both():
    task = Task(TaskKind.MULTICLASS, "y", "accuracy", ("a", "b", "c"))
    found = costs(task, np.array([0, 1, 2]), np.eye(3)[[0, 2, 2]], None, Prices(1, 2))
    assert found.model.value == pytest.approx(1.0)


def test_intervals_hold_the_truth():
    rng = np.random.default_rng(1)
    prices = Prices(1, 8)
    target, scores = drawn(2_000_000, rng)
    truth = costs(BINARY, target, scores, None, prices).model.value
    held = 0
    for _ in range(400):
        target, scores = drawn(300, rng)
        found = costs(BINARY, target, scores, None, prices).model
        held += found.low <= truth <= found.high
    assert 0.92 <= held / 400 <= 0.98


@pytest.mark.parametrize(("alarm", "miss"), [(-1, 1), (0, 0), (float("nan"), 1), (float("inf"), 1)])
def test_prices_make_sense(alarm, miss):
    with pytest.raises(InvalidSetting):
        Prices(alarm, miss)
