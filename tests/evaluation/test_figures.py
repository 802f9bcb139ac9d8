"""Figures: plain data that add up, agree with sklearn, and stay small."""

import json

import numpy as np
import pytest
import sklearn.metrics as oracle

from modelwright.core.fingerprint import plain
from modelwright.core.task import Task, TaskKind
from modelwright.evaluation.figures import figures

BINARY = Task(TaskKind.BINARY, "y", "roc_auc", ("no", "yes"))
VALUE = Task(TaskKind.REGRESSION, "y", "rmse")


def binary(n, seed=0):
    rng = np.random.default_rng(seed)
    target = (rng.random(n) < 0.3).astype(int)
    p = 1 / (1 + np.exp(-(2 * rng.normal(size=n) + 2 * target - 1)))
    return target, np.column_stack([1 - p, p])


def many(k, n, seed=0):
    rng = np.random.default_rng(seed)
    target = np.minimum(rng.geometric(0.2, n) - 1, k - 1)
    scores = rng.random((n, k)) + np.eye(k)[target]
    task = Task(TaskKind.MULTICLASS, "y", "log_loss", tuple(f"label {i}" for i in range(k)))
    return task, target, scores / scores.sum(axis=1, keepdims=True)


def area(x, y):
    return float(np.trapezoid(y, x))


def test_binary_figures():
    target, scores = binary(3000)
    found = figures(BINARY, target, scores, None)
    assert found["confusion"]["labels"] == ["no", "yes"]
    choices = (scores[:, 1] >= 0.5).astype(int)
    assert found["confusion"]["counts"] == oracle.confusion_matrix(target, choices).tolist()
    (roc,), (recalled,) = found["roc"], found["precision_recall"]
    assert roc["label"] == recalled["label"] == "yes"
    assert len(roc["true_positive_rate"]) == len(roc["false_positive_rate"]) <= 200
    assert len(recalled["recall"]) == len(recalled["precision"]) <= 200
    known = oracle.roc_auc_score(target, scores[:, 1])
    assert area(roc["false_positive_rate"], roc["true_positive_rate"]) == pytest.approx(known, abs=2e-3)
    known = oracle.average_precision_score(target, scores[:, 1])
    assert area(recalled["recall"], recalled["precision"]) == pytest.approx(known, abs=1e-2)
    assert roc["true_positive_rate"][-1] == roc["false_positive_rate"][-1] == 1.0


def test_calibration_bins_hold_equal_mass_and_intervals_hold_the_share():
    target, scores = binary(2400)
    found = figures(BINARY, target, scores, None)["calibration"]
    assert found["count"] == [200] * 12
    for share, low, high in zip(found["observed"], found["low"], found["high"], strict=True):
        assert 0 <= low <= share <= high <= 1
    assert np.average(found["observed"], weights=found["count"]) == pytest.approx(target.mean())


def test_the_distribution_counts_every_row_once():
    target, scores = binary(500)
    found = figures(BINARY, target, scores, None)["distribution"]
    assert sum(found["counts"]["yes"]) == target.sum()
    assert sum(found["counts"]["no"]) == (1 - target).sum()
    assert len(found["edges"]) == len(found["counts"]["yes"]) + 1


def test_many_labels_show_the_ten_most_frequent_curves_and_merge_the_rare_in_the_confusion():
    task, target, scores = many(80, 3000)
    found = figures(task, target, scores, None)
    assert [c["label"] for c in found["roc"]] == [f"label {i}" for i in np.argsort(-np.bincount(target))[:10]]
    assert len(found["confusion"]["labels"]) == 50
    assert found["confusion"]["labels"][-1] == "31 other labels"
    assert np.sum(found["confusion"]["counts"]) == 3000
    assert set(found["distribution"]["counts"]) == {"right", "wrong"}


def test_regression_figures():
    rng = np.random.default_rng(0)
    target = rng.normal(size=2000)
    target[0] = 1e12
    scores = target + rng.normal(size=2000)
    found = figures(VALUE, target, scores, None)
    assert len(found["residuals"]["predicted"]) == len(found["residuals"]["truth"]) == 500
    assert len(found["residuals"]["bins"]) == 12
    assert all(b["q5"] <= b["q50"] <= b["q95"] for b in found["residuals"]["bins"])
    assert found["distribution"]["edges"][-1] < 100  # one huge value does not flatten the rest
    assert sum(found["distribution"]["counts"]["target"]) == 2000
    assert figures(VALUE, target, scores, None) == found


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_few_rows_and_one_label_are_drawn_as_far_as_they_go(n):
    target, scores = np.zeros(n, dtype=int), np.full((n, 2), 0.5)
    found = figures(BINARY, target, scores, target)
    assert found["roc"] == []
    assert found["confusion"]["counts"] == [[n, 0], [0, 0]]
    assert sum(found["calibration"]["count"]) == n
    same = figures(VALUE, np.full(n, 3.0), np.full(n, 3.0), None)
    assert sum(same["distribution"]["counts"]["prediction"]) == n


def test_weights_count_and_everything_is_plain():
    target, scores = binary(200)
    weight = np.full(200, 2.5)
    found = figures(BINARY, target, scores, None, weight=weight)
    assert np.sum(found["confusion"]["counts"]) == pytest.approx(500)
    for data in (found, figures(VALUE, target.astype(float), scores[:, 1], None, weight=weight)):
        assert json.loads(json.dumps(data)) == plain(data)
