"""Importance: the closed form of a linear model, columns made of many features, time, and wide tables."""

from itertools import count

import numpy as np
import pytest

from modelwright.core.matrix import Feature, Matrix
from modelwright.core.task import Task, TaskKind
from modelwright.evaluation.importance import importance

VALUE = Task(TaskKind.REGRESSION, "y", "rmse")
BINARY = Task(TaskKind.BINARY, "y", "log_loss", ("0", "1"))


def matrix(values, sources=None):
    names = sources or [f"c{i}" for i in range(values.shape[1])]
    return Matrix(values.astype(np.float32), tuple(Feature(f"{n}.{i}", n) for i, n in enumerate(names)))


def linear(*slopes):
    return lambda m: (m.values @ np.array(slopes, dtype=np.float32)).astype(np.float64)


def problem(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    return matrix(x), 2 * x[:, 0] + 1 * x[:, 1] + rng.normal(size=n)


def test_the_order_and_an_unused_column():
    found = importance(linear(2, 1, 0), *problem(400, 0), VALUE, seed=1)
    assert [e["column"] for e in found] == ["c0", "c1", "c2"]
    known = {"value": 0, "low": 0, "high": 0, "unit": "target", "n_rows": 400, "n_repeats": 5}
    assert found[2] == {"column": "c2", **known}


def test_intervals_hold_the_closed_form_about_as_often_as_they_say():
    # Shuffling a column of slope b and unit variance adds 2b² to the mean squared error of 1.
    truth = {"c0": 3 - 1, "c1": np.sqrt(3) - 1}
    hits = dict.fromkeys(truth, 0)
    for seed in range(100):
        for e in importance(linear(2, 1, 0), *problem(200, seed), VALUE, seed=seed):
            if e["column"] in truth:
                hits[e["column"]] += e["low"] <= truth[e["column"]] <= e["high"]
    assert min(hits.values()) / 100 >= 0.88


def test_all_features_of_a_column_are_shuffled_together():
    x = np.random.default_rng(0).normal(size=(300, 1))
    both = matrix(np.hstack([x, -x, x]), ["a", "a", "b"])
    found = importance(linear(1, 1, 0), both, np.zeros(300), VALUE, seed=0)
    # The two parts of ``a`` cancel as long as they move together.
    assert found[0]["value"] == pytest.approx(0, abs=1e-6)
    assert {e["column"] for e in found} == {"a", "b"}


def test_the_seed_decides_and_nothing_else():
    given = problem(100, 0)
    assert importance(linear(2, 1, 0), *given, VALUE, seed=3) == importance(linear(2, 1, 0), *given, VALUE, seed=3)
    assert importance(linear(2, 1, 0), *given, VALUE, seed=3) != importance(linear(2, 1, 0), *given, VALUE, seed=4)


def test_classification_is_measured_in_log_loss():
    rng = np.random.default_rng(0)
    x = matrix(rng.normal(size=(500, 2)))
    target = (rng.random(500) < 1 / (1 + np.exp(-2 * x.values[:, 0]))).astype(int)

    def predict(m):
        p = 1 / (1 + np.exp(-2.0 * m.values[:, 0]))
        return np.column_stack([1 - p, p])

    found = importance(predict, x, target, BINARY, seed=0)
    assert found[0]["column"] == "c0"
    assert found[0]["low"] > 0.2
    assert found[0]["unit"] == ""


def test_when_time_is_short_every_column_is_still_shuffled_on_fewer_rows():
    ticks = count()
    found = importance(linear(2, 1, 0), *problem(2000, 0), VALUE, seed=0, seconds=4.5, clock=lambda: float(next(ticks)))
    assert {e["column"] for e in found} == {"c0", "c1", "c2"}
    assert all(50 <= e["n_rows"] < 2000 and e["n_repeats"] >= 1 for e in found)


def test_five_thousand_columns_of_which_three_matter():
    rng = np.random.default_rng(0)
    x = matrix(rng.normal(size=(60, 5000)))
    used = [10, 2500, 4999]
    calls = []

    def predict(m):
        calls.append(m.n_rows)
        return m.values[:, used].sum(axis=1).astype(np.float64)

    found = importance(predict, x, x.values[:, used].sum(axis=1).astype(float), VALUE, seed=0)
    assert len(found) == 5000
    assert {e["column"] for e in found[:3]} == {f"c{i}" for i in used}
    assert all(e["value"] == 0 for e in found[3:])
    assert len(calls) < 100


def test_weights_decide_which_rows_count():
    x, target = problem(200, 0)
    weight = np.r_[np.ones(100), np.zeros(100)] + 1e-12
    values = x.values.copy()
    values[:100, 1] = 0
    found = importance(linear(2, 0, 0), Matrix(values, x.features), target, VALUE, seed=0, weight=weight)
    assert found[0]["column"] == "c0"


@pytest.mark.parametrize("n", [1, 2])
def test_a_row_or_two(n):
    for e in importance(linear(2, 1, 0), *problem(n, 0), VALUE, seed=0):
        assert e["low"] <= e["value"] <= e["high"]


def test_no_columns_at_all():
    assert importance(lambda m: np.zeros(m.n_rows), matrix(np.zeros((5, 0))), np.zeros(5), VALUE, seed=0) == ()


@pytest.mark.slow
def test_intervals_hold_the_closed_form_in_93_to_97_of_100():
    truth = {"c0": 3 - 1, "c1": np.sqrt(3) - 1}
    hits = dict.fromkeys(truth, 0)
    for seed in range(500):
        for e in importance(linear(2, 1, 0), *problem(1_000, seed), VALUE, seed=seed):
            if e["column"] in truth:
                hits[e["column"]] += e["low"] <= truth[e["column"]] <= e["high"]
    assert all(0.93 <= n / 500 <= 0.97 for n in hits.values()), hits
