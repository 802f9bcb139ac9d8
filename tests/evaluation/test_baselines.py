"""Baselines: the verdict in each of its forms."""

import numpy as np
import pytest

from modelwright.core.task import Task, TaskKind
from modelwright.evaluation.baselines import verdict
from modelwright.evaluation.metrics import compute

BINARY = Task(TaskKind.BINARY, "y", "roc_auc", ("no", "yes"))
VALUE = Task(TaskKind.REGRESSION, "y", "rmse")


def both(p):
    return np.column_stack([1 - p, p])


@pytest.fixture
def binary():
    rng = np.random.default_rng(0)
    target = (rng.random(600) < 0.3).astype(int)
    x = rng.normal(size=600) + 2 * target

    def model(noise):
        return both(1 / (1 + np.exp(-(2 * (x + noise * rng.normal(size=600)) - 3))))

    return target, model, np.tile([0.7, 0.3], (600, 1))


def test_worth_having_and_better_than_the_default(binary):
    target, model, constant = binary
    untuned = model(3)
    found = verdict(BINARY, target, model(0), constant, untuned)
    assert found["verdict"].startswith("Worth having by ROC AUC: better than always answering 'no' by 0.4")
    assert "and than a default LightGBM by" in found["verdict"]
    assert found["difference_to_constant"]["low"] > 0
    assert found["difference_to_lightgbm_default"]["low"] > 0
    assert found["constant"]["roc_auc"] == 0.5
    assert found["lightgbm_default"]["accuracy"] == compute("accuracy", target, untuned)
    assert found["metric"] == "roc_auc"


def test_tied_with_the_default_and_worse_than_it(binary):
    target, model, constant = binary
    scores, other = model(0), model(0)
    other[::2] = model(0.05)[::2]
    assert "tied with a default LightGBM" in verdict(BINARY, target, scores, constant, other)["verdict"]
    assert "a default LightGBM is better still" in verdict(BINARY, target, model(3), constant, model(0))["verdict"]


def test_no_better_than_the_constant(binary):
    target, _, constant = binary
    guess = both(np.random.default_rng(1).random(600))
    found = verdict(BINARY, target, guess, constant, guess)["verdict"]
    assert found.startswith("No better than always answering 'no'")
    assert found.endswith("do not use a model here.")


def test_lower_is_better_for_errors():
    rng = np.random.default_rng(0)
    target = 10 + rng.normal(size=300)
    found = verdict(VALUE, target, target + 0.1, np.full(300, 10.0), target + 0.5 * rng.normal(size=300))
    assert found["difference_to_constant"]["value"] == pytest.approx(compute("rmse", target, np.full(300, 10.0)) - 0.1)
    assert "always answering 10 by" in found["verdict"]
    worse = verdict(VALUE, target, target + 5, np.full(300, 10.0), target)["verdict"]
    assert worse.startswith("Worse than always answering 10")


def test_a_metric_of_choices_is_used_when_the_choices_are_known(binary):
    target, model, constant = binary
    task = Task(TaskKind.BINARY, "y", "f1", ("no", "yes"))
    scores = model(0)
    assert verdict(task, target, scores, constant, scores)["metric"] == "log_loss"
    choices = (scores[:, 1] > 0.4).astype(int)
    found = verdict(task, target, scores, constant, scores, choices=choices)
    assert found["metric"] == "f1"
    assert found["difference_to_constant"]["value"] == pytest.approx(compute("f1", target, scores, choices))


def test_rows_that_cannot_tell_say_so():
    scores = np.full((4, 2), 0.5)
    found = verdict(BINARY, np.zeros(4, dtype=int), scores, scores, scores)
    assert "cannot be measured on these rows" in found["verdict"]
