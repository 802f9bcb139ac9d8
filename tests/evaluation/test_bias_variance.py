"""Bias and variance: the parts add up exactly and agree with the closed form of ridge regression."""

import numpy as np
import pytest

from modelwright.core.errors import InvalidEvidence
from modelwright.core.task import Task, TaskKind
from modelwright.evaluation.bias_variance import decompose

VALUE = Task(TaskKind.REGRESSION, "y", "rmse")
THREE = Task(TaskKind.MULTICLASS, "y", "log_loss", ("a", "b", "c"))
NOISE = 0.5


def truth(x):
    return np.sin(3 * x)


def ridge_operator(x, degree, penalty):
    """Return the matrix that turns targets at ``x`` into coefficients."""
    basis = np.vander(x, degree + 1)
    return np.linalg.solve(basis.T @ basis + penalty * np.eye(degree + 1), basis.T)


@pytest.mark.parametrize(("degree", "penalty", "n"), [(1, 0.1, 40), (3, 0.5, 30), (9, 0.01, 25)])
def test_it_agrees_with_the_closed_form_of_ridge_within_a_tenth(degree, penalty, n):
    rng = np.random.default_rng(0)
    fitted_at, judged_at = np.linspace(-1, 1, n), rng.uniform(-1, 1, 4000)
    operator = np.vander(judged_at, degree + 1) @ ridge_operator(fitted_at, degree, penalty)
    bias = np.mean((operator @ truth(fitted_at) - truth(judged_at)) ** 2) + NOISE**2
    variance = NOISE**2 * np.mean((operator**2).sum(axis=1))
    models = [operator @ (truth(fitted_at) + NOISE * rng.normal(size=n)) for _ in range(200)]
    found = decompose(models, truth(judged_at) + NOISE * rng.normal(size=4000), VALUE)
    assert found["bias"] == pytest.approx(bias, rel=0.1)
    assert found["variance"] == pytest.approx(variance, rel=0.1)


def test_few_models_are_corrected_for():
    rng = np.random.default_rng(0)
    target = np.zeros(2000)
    found = [decompose(list(rng.normal(size=(2, 2000))), target, VALUE) for _ in range(20)]
    assert np.mean([f["variance"] for f in found]) == pytest.approx(1, rel=0.05)
    assert abs(np.mean([f["bias"] for f in found])) < 0.05


@pytest.mark.parametrize("n_models", [2, 3, 10])
def test_the_parts_add_up_to_the_mean_loss(n_models):
    rng = np.random.default_rng(n_models)
    target = rng.integers(0, 3, 300)
    models = list(rng.dirichlet([2, 2, 2], (n_models, 300)))
    found = decompose(models, target, THREE)
    each = [-np.log(p[np.arange(300), target]).mean() for p in models]
    assert found["loss"] == pytest.approx(np.mean(each))
    assert found["bias"] + found["variance"] == pytest.approx(found["loss"])
    assert found["variance_low"] <= found["variance"] <= found["variance_high"]
    assert found["noise_included"] is True
    assert (found["n_resamples"], found["n_rows"]) == (n_models, 300)


def test_the_variance_of_probabilities_is_their_mean_divergence_from_the_geometric_mean():
    models = [np.array([[0.8, 0.1, 0.1]]), np.array([[0.3, 0.3, 0.4]])]
    centre = np.sqrt(models[0] * models[1])
    centre /= centre.sum()
    divergence = np.mean([(centre * np.log(centre / p)).sum() for p in models])
    found = decompose(models * 50, np.array([0]), THREE)
    assert found["variance"] == pytest.approx(divergence * 100 / 99)


def test_models_that_agree_have_no_variance_and_the_sentence_says_what_helps():
    same = decompose([np.zeros(50)] * 3, np.ones(50), VALUE)
    assert same["variance"] == 0
    assert "more rows would change little" in same["sentence"]
    rng = np.random.default_rng(0)
    spread = decompose(list(rng.normal(size=(8, 500))), np.zeros(500), VALUE)
    assert "more rows, a simpler model" in spread["sentence"]
    assert decompose([np.ones(3), np.ones(3)], np.ones(3), VALUE)["loss"] == 0


def test_certain_and_opposite_models_stay_finite():
    sure = np.eye(3)[[0, 1, 2]]
    found = decompose([sure, sure[::-1]], np.array([0, 1, 2]), THREE)
    assert np.isfinite([found["loss"], found["bias"], found["variance"], found["variance_high"]]).all()


def test_one_model_cannot_be_split():
    with pytest.raises(InvalidEvidence, match="two models or more"):
        decompose([np.zeros(3)], np.zeros(3), VALUE)
