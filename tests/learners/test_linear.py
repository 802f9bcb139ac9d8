from __future__ import annotations

import time

import numpy as np
import pytest

from modelwright.core.errors import InvalidPackage
from modelwright.core.matrix import Feature, Matrix
from modelwright.core.ports import Exam, Lesson
from modelwright.core.state import State
from modelwright.learners._descent import descend
from modelwright.learners._design import CLIP, Design
from modelwright.learners.linear import Linear


def matrix_of(values: np.ndarray, levels: dict[int, int] | None = None) -> Matrix:
    features = tuple(Feature(f"f{i}", "f", (levels or {}).get(i, 0)) for i in range(values.shape[1]))
    return Matrix(values.astype(np.float32), features)


def test_a_straight_line_is_found():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(500, 3)) * [1, 1000, 1e-3] + [0, 5e4, 0]
    target = values @ [2.0, 0.003, 500.0] + 7
    fitted, _ = Linear().fit(Lesson(matrix_of(values), target, 0))
    assert np.abs(fitted.predict(matrix_of(values)) - target).max() < 0.05 * target.std()


def test_logistic_regression_agrees_with_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    matrix = matrix_of(rng.normal(size=(400, 4)))
    noise = rng.gumbel(size=(400, 3))
    target = (matrix.values @ rng.normal(size=(4, 3)) + noise).argmax(axis=1)
    fitted, _ = Linear(penalty=0.01, iterations=500).fit(Lesson(matrix, target, 3))
    columns = Design.of(matrix).apply(matrix.values)
    reference = LogisticRegression(C=1 / (0.01 * 400), max_iter=2000, tol=1e-8).fit(columns, target)
    assert np.abs(fitted.predict(matrix) - reference.predict_proba(columns)).max() < 1e-3


def test_more_columns_than_the_exact_solution_takes_agree_with_it(monkeypatch):
    rng = np.random.default_rng(0)
    matrix = matrix_of(rng.normal(size=(300, 20)))
    target = matrix.values @ rng.normal(size=20) + rng.normal(size=300)
    exact = Linear(penalty=0.1).fit(Lesson(matrix, target, 0))[0].predict(matrix)
    monkeypatch.setattr("modelwright.learners.linear.EXACT_COLUMNS_MAX", 0)
    stepped = Linear(penalty=0.1, iterations=500).fit(Lesson(matrix, target, 0))[0].predict(matrix)
    assert np.allclose(exact, stepped, atol=1e-2)


def test_the_exam_chooses_the_penalty():
    """Many columns of noise call for a strong penalty, few of signal for a weak one."""
    rng = np.random.default_rng(0)
    noisy, clear = rng.normal(size=(120, 80)), rng.normal(size=(120, 3))
    for values, target in ((noisy, rng.normal(size=120)), (clear, clear.sum(axis=1))):
        matrix = matrix_of(values)
        exam = Exam(matrix.take(np.arange(60, 120)), target[60:])
        lesson = Lesson(matrix.take(np.arange(60)), target[:60], 0, exam=exam)
        told = Linear().fit(lesson)[0].predict(exam.matrix)
        constant = np.mean((target[60:] - target[:60].mean()) ** 2)
        assert np.mean((told - target[60:]) ** 2) < 1.3 * constant
    assert np.mean((told - target[60:]) ** 2) < 0.01 * constant


def test_far_values_do_not_run_away():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(200, 1))
    fitted, _ = Linear().fit(Lesson(matrix_of(values), 3 * values[:, 0], 0))
    far = fitted.predict(matrix_of(np.array([[1e30], [-1e30]])))
    target = 3 * values[:, 0]
    assert np.abs(far).max() <= np.abs(target).max() + np.ptp(target) / 2
    assert far[0] > far[1]


def test_missing_values_and_levels_have_columns_of_their_own():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(600, 2))
    values[:, 1] = rng.integers(0, 4, 600)
    gone = rng.random(600) < 0.3
    target = 5.0 * gone + np.array([0.0, 3.0, -2.0, 1.0])[values[:, 1].astype(int)]
    values[gone, 0] = np.nan
    matrix = matrix_of(values, {1: 4})
    fitted, _ = Linear().fit(Lesson(matrix, target, 0))
    assert np.abs(fitted.predict(matrix) - target).max() < 0.1
    unseen = matrix_of(np.array([[0.0, np.nan], [0.0, 99.0]]), {1: 4})
    assert np.ptp(fitted.predict(unseen)) < 1e-9


def test_the_design_is_finite_and_bounded_whatever_comes():
    values = np.array([[1, np.nan, 3e38], [2, np.nan, -3e38], [2, np.nan, 0], [2, np.nan, 1]], dtype=np.float32)
    design = Design.of(matrix_of(values))
    shown = design.apply(values)
    assert np.isfinite(shown).all()
    assert np.abs(shown).max() <= CLIP
    assert shown.shape == (4, design.n_columns)


@pytest.mark.slow
def test_many_rows_take_seconds():
    rng = np.random.default_rng(0)
    matrix = matrix_of(rng.normal(size=(150_000, 30)))
    target = (matrix.values[:, 0] + rng.normal(size=150_000) > 0).astype(np.int64)
    start = time.process_time()
    Linear().fit(Lesson(matrix, target, 2))
    assert time.process_time() - start < 20


@pytest.mark.parametrize(
    "change",
    [
        {"coefficients": np.zeros((3, 1))},
        {"coefficients": np.full((2, 1), np.nan)},
        {"number_at": np.array([5])},
        {"spread": np.array([0.0])},
    ],
)
def test_an_altered_state_is_refused(change):
    rng = np.random.default_rng(0)
    matrix = matrix_of(rng.normal(size=(50, 1)))
    state = Linear().fit(Lesson(matrix, matrix.values[:, 0].astype(np.float64), 0))[0].state()
    Linear.restore(state)
    with pytest.raises(InvalidPackage):
        Linear.restore(State(state.kind, state.meta, {**state.arrays, **change}))


def test_descent_finds_the_bottom_of_a_bent_valley():
    """Rosenbrock's function: least at (1, 1)."""

    def valley(x):
        value = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
        along = -2 * (1 - x[0]) - 400 * x[0] * (x[1] - x[0] ** 2)
        return float(value), np.array([along, 200 * (x[1] - x[0] ** 2)])

    assert np.allclose(descend(valley, np.array([-1.2, 1.0]), steps=200), [1, 1], atol=1e-4)
    assert (descend(valley, np.array([-1.2, 1.0]), steps=200, is_over=lambda: True) == [-1.2, 1.0]).all()
