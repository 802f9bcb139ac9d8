"""The shape of a target: counts and skewed amounts, and the way back to their unit."""

from dataclasses import replace

import numpy as np
import pytest

from modelwright.core.errors import InvalidPackage
from modelwright.core.matrix import Feature, Matrix
from modelwright.core.ports import Exam, Lesson
from modelwright.core.state import State
from modelwright.learners.blend import Blend
from modelwright.learners.catboost import CatBoost
from modelwright.learners.lightgbm import LightGBM
from modelwright.learners.restoring import restore
from modelwright.learners.shaped import SHAPES, Shaped

ROUNDS = {"rounds": 60, "learning_rate": 0.1, "min_leaf": 20}


def lesson(kind: str, n: int = 1_500, seed: int = 0) -> tuple[Lesson, np.ndarray]:
    """Return rows whose mean target is known: ``amounts`` are log-normal, ``counts`` Poisson."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 3)).astype(np.float32)
    margin = 0.8 * values[:, 0] + 0.5 * values[:, 1] * (values[:, 2] > 0)
    if kind == "counts":
        mean = np.exp(0.2 + margin)
        target = rng.poisson(mean).astype(np.float64)
    else:
        mean = 50_000 * np.exp(margin + 0.8**2 / 2)
        target = 50_000 * np.exp(margin + 0.8 * rng.normal(size=n))
    features = tuple(Feature(name, name) for name in "abc")
    return Lesson(Matrix(values, features), target, 0), mean


@pytest.mark.parametrize("shape", SHAPES[1:])
@pytest.mark.parametrize("kind", ["amounts", "counts"])
def test_answers_are_means_in_the_targets_own_unit(kind, shape):
    told, mean = lesson(kind)
    fitted, curve = LightGBM(**ROUNDS, shape=shape).fit(told)
    answer = fitted.predict(told.matrix)
    assert isinstance(fitted, Shaped)
    assert answer.mean() == pytest.approx(told.target.mean(), rel=0.12)
    assert np.corrcoef(answer, mean)[0, 1] > 0.8
    assert curve.best_round == 60


def test_the_likelihood_of_the_data_beats_the_squared_error():
    """On new rows the known mean is met better by the shape the rows were made with."""
    for kind, shape in (("amounts", "poisson"), ("counts", "poisson")):
        told, _ = lesson(kind)
        fresh, truth = lesson(kind, seed=1)
        errors = {}
        for tried in ("plain", shape):
            fitted, _ = LightGBM(**ROUNDS, shape=tried).fit(told)
            errors[tried] = float(np.mean((fitted.predict(fresh.matrix) - truth) ** 2))
        assert errors[shape] < 0.9 * errors["plain"], kind


@pytest.mark.parametrize("make", [LightGBM, CatBoost])
def test_targets_below_zero_are_learnt_as_they_are(make):
    told, _ = lesson("amounts", 300)
    below = replace(told, target=told.target - told.target.mean())
    quick = {"rounds": 5}
    plain, shaped = (make(**quick, shape=s).fit(below)[0].predict(below.matrix) for s in ("plain", "log"))
    assert np.array_equal(plain, shaped)


@pytest.mark.parametrize("shape", ["root", "log"])
def test_catboost_learns_shapes_and_stops_by_the_exam(shape):
    told, _ = lesson("amounts", 600)
    fresh, _ = lesson("amounts", 200, seed=2)
    exam = Exam(fresh.matrix, fresh.target)
    fitted, curve = CatBoost(rounds=60, patience=10, shape=shape).fit(replace(told, exam=exam))
    assert curve.loss == f"mse_of_{shape}"
    assert len(curve.valid) > 0
    assert np.corrcoef(fitted.predict(fresh.matrix), fresh.target)[0, 1] > 0.3


@pytest.mark.parametrize("shape", SHAPES[1:])
def test_one_row_answers_as_many_do_also_from_a_state(shape):
    told, _ = lesson("counts", 300)
    plain = LightGBM(rounds=10).fit(told)[0]
    fitted = LightGBM(rounds=10, shape=shape).fit(told)[0]
    blend = Blend([plain, fitted], np.array([1.0, 3.0]))
    again = restore(State(**{n: getattr(blend.state(), n) for n in ("kind", "meta", "arrays", "blobs", "parts")}))
    many = blend.predict(told.matrix)
    for row in range(3):
        one = told.matrix.take(np.array([row]))
        assert again.predict(one)[0] == pytest.approx(many[row], rel=1e-12)


@pytest.mark.parametrize("change", [{"unit": 0.0}, {"low": -1.0}, {"shape": "cube"}, {"lift": float("nan")}])
def test_a_state_that_is_not_sound_is_refused(change):
    told, _ = lesson("counts", 200)
    state = LightGBM(rounds=3, shape="log").fit(told)[0].state()
    with pytest.raises(InvalidPackage):
        Shaped.restore(replace(state, meta={**state.meta, **change}))
