"""Measures: sklearn is the oracle, and what must hold for every measure is tried on many tables."""

import warnings

import numpy as np
import pytest
import sklearn.metrics as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.core.errors import InvalidEvidence, UnknownName
from modelwright.core.metrics import MEASURES
from modelwright.core.task import TaskKind
from modelwright.evaluation.metrics import compute, loss

CLASSES = [m.name for m in MEASURES.values() if TaskKind.MULTICLASS in m.kinds]
VALUES = [m.name for m in MEASURES.values() if TaskKind.REGRESSION in m.kinds]
SETTINGS = settings(max_examples=15, deadline=None)


def classified(seed, n, k):
    """Truths, probabilities with many ties, choices and whole weights; every label is in the truth."""
    rng = np.random.default_rng(seed)
    target = np.concatenate([np.arange(k), rng.integers(0, k, n)])
    raw = rng.integers(1, 6, (n + k, k)) + 2.0 * (rng.random((n + k, 1)) < 0.7) * np.eye(k)[target]
    scores = raw / raw.sum(axis=1, keepdims=True)
    return target, scores, scores.argmax(axis=1), rng.integers(1, 4, n + k).astype(float)


def valued(seed, n):
    rng = np.random.default_rng(seed)
    target = rng.integers(-3, 4, n).astype(float)
    return target, target + rng.normal(size=n).round(1), rng.integers(1, 4, n).astype(float)


rows = st.tuples(st.integers(0, 10_000), st.integers(3, 60), st.integers(2, 5))


def expected(name, target, scores, choices, weight):  # noqa: PLR0911 - one line per measure
    k = scores.shape[1]
    present = np.unique(target)
    one = {"sample_weight": weight, "zero_division": 0}
    average = {"average": "binary"} if k == 2 else {"average": "macro", "labels": present}
    hot = np.eye(k)[target]
    match name:
        case "accuracy":
            return oracle.accuracy_score(target, choices, sample_weight=weight)
        case "balanced_accuracy":
            return oracle.balanced_accuracy_score(target, choices, sample_weight=weight)
        case "precision":
            return oracle.precision_score(target, choices, **average, **one)
        case "recall":
            return oracle.recall_score(target, choices, **average, **one)
        case "f1":
            return oracle.f1_score(target, choices, **average, **one)
        case "f1_macro":
            return oracle.f1_score(target, choices, average="macro", labels=present, **one)
        case "roc_auc":
            curves = [1] if k == 2 else present
            return np.mean([oracle.roc_auc_score(hot[:, i], scores[:, i], sample_weight=weight) for i in curves])
        case "average_precision":
            curves = [1] if k == 2 else present
            return np.mean(
                [oracle.average_precision_score(hot[:, i], scores[:, i], sample_weight=weight) for i in curves]
            )
        case "log_loss":
            return oracle.log_loss(target, scores, sample_weight=weight, labels=np.arange(k))
        case "brier":
            each = (scores[:, 1] - target) ** 2 if k == 2 else ((scores - hot) ** 2).sum(axis=1)
            return np.average(each, weights=weight)
    raise AssertionError(name)


@pytest.mark.parametrize("name", [n for n in CLASSES if n != "calibration_error"])
@SETTINGS
@given(drawn=rows, is_weighted=st.booleans())
def test_classification_agrees_with_sklearn(name, drawn, is_weighted):
    target, scores, choices, weight = classified(*drawn)
    weight = weight if is_weighted else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known = expected(name, target, scores, choices, weight)
    assert compute(name, target, scores, choices, weight=weight) == pytest.approx(known, abs=1e-12)


@SETTINGS
@given(seed=st.integers(0, 10_000), n=st.integers(8, 60), is_weighted=st.booleans())
def test_regression_agrees_with_sklearn(seed, n, is_weighted):
    target, scores, weight = valued(seed, n)
    weight = weight if is_weighted else None
    kept = target != 0
    some = None if weight is None else weight[kept]
    known = {
        "mae": oracle.mean_absolute_error(target, scores, sample_weight=weight),
        "mse": oracle.mean_squared_error(target, scores, sample_weight=weight),
        "rmse": oracle.root_mean_squared_error(target, scores, sample_weight=weight),
        "mape": 100 * oracle.mean_absolute_percentage_error(target[kept], scores[kept], sample_weight=some),
    }
    if np.ptp(target):
        known["r2"] = oracle.r2_score(target, scores, sample_weight=weight)
    assert {k: compute(k, target, scores, weight=weight) for k in known} == pytest.approx(known)


@pytest.mark.parametrize("name", CLASSES)
@SETTINGS
@given(drawn=rows)
def test_weights_are_repetitions_and_order_does_not_matter(name, drawn):
    target, scores, choices, weight = classified(*drawn)
    rng = np.random.default_rng(drawn[0])
    again = rng.permutation(np.repeat(np.arange(len(target)), weight.astype(int)))
    value = compute(name, target, scores, choices, weight=weight)
    assert compute(name, target[again], scores[again], choices[again]) == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("name", VALUES)
@SETTINGS
@given(seed=st.integers(0, 10_000), n=st.integers(8, 60))
def test_weights_are_repetitions_for_values(name, seed, n):
    target, scores, weight = valued(seed, n)
    again = np.repeat(np.arange(n), weight.astype(int))[::-1]
    value = compute(name, target, scores, weight=weight)
    assert compute(name, target[again], scores[again]) == pytest.approx(value, nan_ok=True)


@pytest.mark.parametrize("name", CLASSES)
@SETTINGS
@given(drawn=rows)
def test_measures_stay_in_their_bounds(name, drawn):
    target, scores, choices, _ = classified(*drawn)
    value = compute(name, target, scores, choices)
    most = {"log_loss": np.log(1e16), "brier": 2.0}.get(name, 1.0)
    assert 0 <= value <= most


def test_perfect_probabilities_reach_the_best_value():
    target = np.array([0, 1, 2, 1])
    for name in CLASSES:
        best = 1.0 if MEASURES[name].greater_is_better else 0.0
        assert compute(name, target, np.eye(3)[target]) == pytest.approx(best, abs=1e-9)


def test_labels_absent_from_the_rows_are_left_out_of_means():
    scores = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.2, 0.7, 0.1]])
    target = np.array([0, 0, 1])
    for name in ("recall", "precision", "f1", "roc_auc", "average_precision"):
        assert compute(name, target, scores) == pytest.approx(1.0)


def test_a_measure_that_does_not_exist_is_nan():
    one_label, scores = np.zeros(3, dtype=int), np.array([0.2, 0.6, 0.3])
    for name in ("roc_auc", "average_precision", "recall", "precision", "f1"):
        assert np.isnan(compute(name, one_label, scores))
    assert np.isnan(compute("mape", np.zeros(2), np.ones(2)))
    assert np.isnan(compute("r2", np.ones(2), np.zeros(2)))


def test_precision_without_a_positive_answer_counts_as_zero():
    assert compute("precision", np.array([0, 1]), np.array([0.1, 0.2])) == 0.0


def test_log_loss_of_a_sure_mistake_is_clipped():
    assert compute("log_loss", np.array([1]), np.array([0.0])) == pytest.approx(-np.log(1e-15))


def test_calibration_error_of_one_bin_is_the_distance_of_mean_and_frequency():
    assert compute("calibration_error", np.array([1, 0, 0, 0]), np.full(4, 0.6)) == pytest.approx(0.35)


def test_calibration_error_by_hand_with_equal_mass_bins():
    rng = np.random.default_rng(3)
    probability, target = rng.random(150), rng.integers(0, 2, 150)
    parts = np.array_split(np.argsort(probability), 15)
    known = np.mean([abs(target[p].mean() - probability[p].mean()) for p in parts])
    assert compute("calibration_error", target, probability) == pytest.approx(known)


def test_loss_per_row_averages_to_the_measure():
    target, scores, *_ = classified(1, 30, 3)
    each = loss(TaskKind.MULTICLASS, target, scores)
    assert each.shape == target.shape
    assert each.mean() == pytest.approx(compute("log_loss", target, scores))
    assert loss(TaskKind.REGRESSION, np.array([1.0, 2.0]), np.array([0.0, 4.0])).tolist() == [1.0, 4.0]


def test_unknown_names_offer_the_nearest():
    with pytest.raises(UnknownName, match="roc_auc"):
        compute("roc-auc", np.array([0, 1]), np.array([0.1, 0.2]))


@pytest.mark.parametrize(
    ("target", "weight"), [(np.array([], dtype=int), None), (np.array([0, 1]), np.zeros(2)), (np.zeros(3, int), None)]
)
def test_rows_that_do_not_fit_are_refused(target, weight):
    with pytest.raises(InvalidEvidence):
        compute(
            "accuracy",
            target,
            np.array([0.1, 0.2])[: max(len(target), 0)] if len(target) < 3 else np.ones(2),
            weight=weight,
        )
