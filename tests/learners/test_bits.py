"""Trees by bits answer as LightGBM's library does, to the last bit, whatever the trees and the rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.core.matrix import Feature, Matrix
from modelwright.core.ports import Lesson
from modelwright.learners import trees as module
from modelwright.learners._bits import Bits
from modelwright.learners.catboost import CatBoost
from modelwright.learners.forest import Forest
from modelwright.learners.lightgbm import LightGBM
from modelwright.learners.xgboost import XGBoost

FEATURES = (*(Feature(f"n{i}", f"n{i}") for i in range(4)), Feature("c", "c", n_levels=12))


def rows(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 5)).astype(np.float32)
    values[:, 1] = np.round(values[:, 1])
    values[:, 4] = rng.integers(0, 12, n)
    values[rng.random((n, 5)) < 0.1] = np.nan
    return values


def lesson(n_classes: int, seed: int = 0, n: int = 500) -> Lesson:
    values = rows(n, seed)
    told = np.nan_to_num(values[:, 0]) + np.isnan(values[:, 2]) + (np.nan_to_num(values[:, 4]) % 3)
    target = told.astype(np.float64) if not n_classes else np.digitize(told, [0.5, 1.5, 2.5][: n_classes - 1])
    return Lesson(Matrix(values, FEATURES), target, n_classes)


LEARNERS = (
    pytest.param(lambda: LightGBM(rounds=20), id="lightgbm"),
    pytest.param(lambda: LightGBM(rounds=5, leaves=100, min_leaf=1), id="two words"),
    pytest.param(lambda: CatBoost(rounds=15, depth=4), id="catboost"),
    pytest.param(lambda: XGBoost(rounds=15), id="xgboost"),
)


@pytest.mark.parametrize("make", LEARNERS)
@pytest.mark.parametrize("n_classes", [0, 2])
def test_the_answers_are_the_library_s(make, n_classes):
    fitted = make().fit(lesson(n_classes))[0]
    bits = Bits.of(fitted)
    assert bits is not None
    values = rows(3_000, 1)
    values[:5] = np.array([[np.nan], [3.4e38], [-3.4e38], [0.0], [1e-45]])
    values[5, 4], values[6, 4] = 400, 11
    assert np.array_equal(bits.margins(values, 1), fitted._engine.answer(values))


def test_several_outputs_and_threads():
    fitted = LightGBM(rounds=10).fit(lesson(3))[0]
    bits = Bits.of(fitted)
    values = rows(20_000, 2)
    assert np.array_equal(bits.margins(values, 2), fitted._engine.answer(values))


def test_bounds_are_compared_as_the_library_does():
    fitted = XGBoost(rounds=10).fit(lesson(0))[0]
    bits = Bits.of(fitted)
    bounds = np.concatenate([axis.bounds for axis in bits._axes if not axis.n_codes]).astype(np.float32)
    bounds = bounds[np.isfinite(bounds)]  # as matrices are
    near = np.concatenate([bounds, np.nextafter(bounds, np.float32(9)), np.nextafter(bounds, np.float32(-9))])
    values = np.repeat(near[:, None], 5, axis=1)
    assert np.array_equal(bits.margins(values, 1), fitted._engine.answer(values))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 70), st.sampled_from([0, 2, 3]))
def test_any_trees(seed, leaves, n_classes):
    fitted = LightGBM(rounds=3, leaves=leaves, min_leaf=1).fit(lesson(n_classes, seed, 120))[0]
    bits = Bits.of(fitted)
    values = rows(400, seed + 1)
    assert np.array_equal(bits.margins(values, 1), fitted._engine.answer(values))


def test_trees_of_too_many_leaves_are_left_to_the_library():
    assert Bits.of(Forest(trees=3, min_leaf=1).fit(lesson(0, n=2_000))[0]) is None


def test_many_rows_take_the_way_of_bits_and_answer_the_same(monkeypatch):
    fitted = LightGBM(rounds=5).fit(lesson(2))[0]
    matrix = Matrix(rows(2_000, 3), FEATURES)
    few = fitted.predict(matrix)
    monkeypatch.setattr(module, "MANY_ROWS", 1_000)
    assert np.array_equal(fitted.predict(matrix), few)
    assert "_many_rows" in vars(fitted)
