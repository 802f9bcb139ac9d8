"""The first trees of a model are a model, and what they cost is reckoned from counts."""

import numpy as np
import pytest

from modelwright.core.matrix import Feature, Matrix
from modelwright.core.ports import Lesson
from modelwright.learners.catboost import CatBoost
from modelwright.learners.costs import Counts, counts_of
from modelwright.learners.forest import Forest
from modelwright.learners.lightgbm import LightGBM
from modelwright.learners.linear import Linear
from modelwright.learners.xgboost import XGBoost


def lesson(n_classes: int) -> Lesson:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(300, 3)).astype(np.float32)
    effect = values[:, 0] + 0.3 * rng.normal(size=300)
    target = np.digitize(effect, [0.0, 1.0][: n_classes - 1]).astype(np.int64) if n_classes else 50 + effect
    return Lesson(Matrix(values, tuple(Feature(f"f{i}", "f") for i in range(3))), target, n_classes)


@pytest.mark.parametrize("learner", [LightGBM, CatBoost, XGBoost])
@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_boosted_trees_that_are_cut_are_those_of_fewer_rounds(learner, n_classes):
    given = lesson(n_classes)
    cut = learner(rounds=20).fit(given)[0].cut(0.25)
    short = learner(rounds=5).fit(given)[0]
    assert np.allclose(cut.predict(given.matrix), short.predict(given.matrix), atol=1e-6)


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_a_forest_that_is_cut_is_a_smaller_forest(n_classes):
    given = lesson(n_classes)
    cut = Forest(trees=20).fit(given)[0].cut(0.5, is_mean=True)
    small = Forest(trees=10).fit(given)[0]
    assert np.allclose(cut.predict(given.matrix), small.predict(given.matrix), atol=1e-6)


def test_a_cut_of_a_cut_and_the_whole():
    given = lesson(2)
    fitted = LightGBM(rounds=16).fit(given)[0]
    assert np.array_equal(fitted.cut(0.5).cut(0.5).predict(given.matrix), fitted.cut(0.25).predict(given.matrix))
    assert fitted.cut(1.0).text == fitted.text


def test_counts_say_what_there_is():
    fitted = LightGBM(rounds=16).fit(lesson(2))[0]
    whole, half = counts_of(fitted), counts_of(fitted.cut(0.5))
    assert (whole.trees, half.trees) == (16, 8)
    assert half.bytes < whole.bytes
    assert half.row_us < whole.row_us
    assert whole.cut(0.5).trees == 8
    other = counts_of(Linear().fit(lesson(2))[0])
    assert (other.kind, other.trees) == ("linear", 0)
    assert other.cut(0.5) == other


def test_a_network_of_more_weights_costs_more():
    small, large = Counts("neural", 0, 0, 300_000), Counts("neural", 0, 0, 2_300_000)
    assert 2 * small.row_us < large.row_us < 4 * small.row_us


def test_a_level_of_a_large_tree_costs_more():
    small, large = Counts("trees", 1_000, 32_000, 1_000_000), Counts("trees", 1_000, 128_000, 1_000_000)
    levels = (7 + 1) / (5 + 1)
    assert large.row_us / small.row_us > 1.2 * levels
    assert Counts("trees", 1_000, 32_000, 8_000_000).row_us > small.row_us
