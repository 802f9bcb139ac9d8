"""Reasons equal brute force and the reference library, add up for every kind of member, and cost less than there."""

from __future__ import annotations

import time
from contextlib import nullcontext
from itertools import combinations
from math import factorial

import numpy as np
import pytest

from modelwright.core.matrix import Feature, Matrix
from modelwright.core.ports import Lesson
from modelwright.learners import _text
from modelwright.learners._branches import columns_of, goes_left, trees_of
from modelwright.learners._leaf_shap import Paths
from modelwright.learners._tree_shap import FEW_ROWS, Grove, _add_by_tables, _longest_path, _Walk
from modelwright.learners.blend import Blend
from modelwright.learners.calibration import Calibrator
from modelwright.learners.catboost import CatBoost
from modelwright.learners.constant import Constant
from modelwright.learners.forest import Forest
from modelwright.learners.lightgbm import LightGBM
from modelwright.learners.linear import Linear
from modelwright.learners.neighbours import Neighbours
from modelwright.learners.reasons import LOG_ODDS, Groves, reasons
from modelwright.learners.trees import Trees
from modelwright.learners.xgboost import XGBoost

N_FEATURES = 6


def matrix_of(n_rows: int, seed: int = 0) -> Matrix:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n_rows, N_FEATURES)).astype(np.float32)
    values[:, 3] = rng.integers(0, 12, n_rows)
    values[rng.random(values.shape) < 0.1] = np.nan
    names = [Feature(f"f{i}", f"c{i}", 12 if i == 3 else 0) for i in range(N_FEATURES)]
    names[5] = Feature("f5", "c0", other="c1")  # made of two columns
    return Matrix(values, tuple(names))


def lesson_of(n_classes: int, n_rows: int = 600) -> Lesson:
    matrix = matrix_of(n_rows)
    z = np.nan_to_num(matrix.values)
    effect = z[:, 0] + z[:, 1] * z[:, 2] + (z[:, 3] % 3 == 0) + 0.5 * np.isnan(matrix.values[:, 4]) + z[:, 5]
    target = effect * 1000 + 5e4 if not n_classes else np.digitize(effect, [0.0, 1.0][: n_classes - 1])
    return Lesson(matrix, target.astype(np.float64 if not n_classes else np.int64), n_classes)


def grown(booster, **settings):
    """A booster of the reference library, and its text as modelwright keeps it."""
    import lightgbm

    matrix = matrix_of(1_500)
    target = lesson_of(settings.get("num_class", 2), 1_500).target
    data = lightgbm.Dataset(matrix.values, target, categorical_feature=[3])
    found = lightgbm.train({"objective": booster, "verbose": -1, "num_threads": 1, **settings}, data, 30)
    n_outputs = settings.get("num_class", 1)
    return matrix, found, _text.condense(found.model_to_string(), n_features=N_FEATURES, n_outputs=n_outputs)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{}, {"num_leaves": 120, "min_data_in_leaf": 2}, {"num_class": 3}])
def test_tree_values_equal_the_reference_library_and_add_up(settings):
    shap = pytest.importorskip("shap")
    matrix, booster, text = grown("multiclass" if "num_class" in settings else "binary", **settings)
    n_outputs = settings.get("num_class", 1)
    grove = Grove.of(text, None, n_outputs, matrix.values)
    found = grove.attribute(matrix.values[:200])
    with pytest.warns(UserWarning, match="LightGBM binary") if n_outputs == 1 else nullcontext():
        theirs = np.asarray(shap.TreeExplainer(booster).shap_values(matrix.values[:200]))
    theirs = theirs[..., None] if theirs.ndim == 2 else theirs
    assert np.abs(found - theirs).max() < 1e-6
    margins = booster.predict(matrix.values[:200], raw_score=True).reshape(200, -1)
    assert np.abs(grove.start + found.sum(axis=1) - margins).max() < 1e-9


def test_tables_walk_and_leaves_equal_the_definition():
    matrix, _, text = grown("binary", num_leaves=12)
    grove = Grove.of(text, None, 1, matrix.values)
    tree, share = grove.trees[0], grove.shares[0]
    left = goes_left(tree, columns_of(matrix.values[:5]))
    by_table, by_walk = np.zeros((1, N_FEATURES, 5)), np.zeros((1, N_FEATURES, 5))
    _add_by_tables(tree, share, left, by_table)
    _Walk(tree, share, left, _longest_path(tree), by_walk).go()
    by_leaves = np.zeros((1, N_FEATURES, 5))
    Paths.of([tree], [share]).add(columns_of(matrix.values[:5]), by_leaves)

    def worth(row: int, known: set[int], node: int = 0) -> float:
        if node < 0:
            return float(tree.leaf[~node, 0])
        sides = int(tree.left[node]), int(tree.right[node])
        if int(tree.feature[node]) in known:
            return worth(row, known, sides[0] if left[node, row] else sides[1])
        return sum(share[node, i] * worth(row, known, sides[i]) for i in (0, 1))

    for row in range(5):
        for feature in range(N_FEATURES):
            others = [f for f in range(N_FEATURES) if f != feature]
            exact = 0.0
            for size in range(N_FEATURES):
                weight = factorial(size) * factorial(N_FEATURES - size - 1) / factorial(N_FEATURES)
                for chosen in combinations(others, size):
                    exact += weight * (worth(row, {*chosen, feature}) - worth(row, set(chosen)))
            assert by_table[0, feature, row] == pytest.approx(exact, abs=1e-12)
            assert by_walk[0, feature, row] == pytest.approx(exact, abs=1e-12)
            assert by_leaves[0, feature, row] == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("settings", [{}, {"num_leaves": 120, "min_data_in_leaf": 2}, {"num_class": 3}])
def test_a_few_rows_have_the_reasons_of_many(settings):
    matrix, _, text = grown("multiclass" if "num_class" in settings else "binary", **settings)
    grove = Grove.of(text, None, settings.get("num_class", 1), matrix.values)
    many, few = matrix.values[: FEW_ROWS + 1], matrix.values[:FEW_ROWS]
    assert np.abs(grove.attribute(many)[:FEW_ROWS] - grove.attribute(few)).max() < 1e-12
    assert np.abs(grove.attribute(many)).max() > 0.1


@pytest.mark.parametrize("n_classes", [0, 3])
def test_deep_trees_have_the_same_reasons_for_few_and_many_rows(n_classes):
    lesson = lesson_of(n_classes)
    fitted, _ = Forest(trees=5).fit(lesson)
    grove = Groves(lesson.matrix, 0).of(fitted)
    shown = matrix_of(FEW_ROWS + 1, seed=1).values
    assert max(map(_longest_path, grove.trees)) >= 4
    many, few = grove.attribute(shown)[:FEW_ROWS], grove.attribute(shown[:FEW_ROWS])
    assert np.abs(many - few).max() < 1e-12 * np.abs(many).max()


def test_rows_go_where_the_library_sends_them():
    matrix, booster, text = grown("binary")
    total = np.zeros(matrix.n_rows)
    for tree in trees_of(text):
        left = goes_left(tree, columns_of(matrix.values))
        node = np.zeros(matrix.n_rows, dtype=np.int64)
        while (node >= 0).any():
            at = np.flatnonzero(node >= 0)
            node[at] = np.where(left[node[at], at], tree.left[node[at]], tree.right[node[at]])
        total += tree.leaf[~node, 0]
    assert np.abs(total - booster.predict(matrix.values, raw_score=True)).max() < 1e-9


MEMBERS = [LightGBM(rounds=15), XGBoost(rounds=15), Forest(trees=10), Linear(), Neighbours(), Constant()]


@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize("learner", MEMBERS, ids=lambda m: m.name)
def test_every_member_adds_up(learner, n_classes):
    lesson = lesson_of(n_classes)
    fitted, _ = learner.fit(lesson)
    shown = matrix_of(12, seed=1)
    found = reasons(fitted, shown, lesson.matrix)
    size = np.maximum(np.abs(found.answer), 1.0)
    assert (np.abs(found.start + found.values.sum(axis=1) - found.answer) < 1e-9 * size).all()
    said = fitted.predict(shown)
    told = said if not n_classes else said[np.arange(12), found.label]
    assert np.abs(found.answer - told).max() < 1e-9 * size.max()
    assert found.columns == ("c0", "c1", "c2", "c3", "c4")
    assert (found.errors == 0).all() == (learner.name != "neighbours")


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_a_calibrated_blend_adds_up_in_every_space(n_classes):
    lesson = lesson_of(n_classes)
    members = [m.fit(lesson)[0] for m in MEMBERS]
    offsets = np.linspace(0.0, 0.3, n_classes)
    rule = Calibrator("affine", 0.8, offsets) if n_classes else None
    blend = Blend(members, np.array([3.0, 2.0, 1.0, 1.0, 1.0, 0.5]), rule)
    shown = matrix_of(10, seed=2)
    for space in ["", LOG_ODDS] if n_classes == 2 else [""]:
        found = reasons(blend, shown, lesson.matrix, space=space)
        size = np.maximum(np.abs(found.answer), 1.0)
        assert (np.abs(found.start + found.values.sum(axis=1) - found.answer) < 1e-9 * size).all()
        assert found.sampled == pytest.approx(1 / 8.5)
        assert np.isfinite(found.values).all()


def test_a_boosted_model_alone_is_explained_in_log_odds_as_the_trees_are():
    lesson = lesson_of(2)
    fitted, _ = LightGBM(rounds=15).fit(lesson)
    assert isinstance(fitted, Trees)
    found = reasons(fitted, lesson.matrix.take(np.arange(50)), lesson.matrix, space=LOG_ODDS)
    grove = Grove.of(fitted.text, fitted.vectors, 1, lesson.matrix.values)
    exact = grove.attribute(lesson.matrix.values[:50])[:, :, 0]
    assert np.abs(found.values[:, 2] - exact[:, 2]).max() < 1e-9
    # c0 is credited with its own feature and with half of the one it shares with c1.
    assert np.abs(found.values[:, 0] - exact[:, 0] - exact[:, 5] / 2).max() < 1e-9


def test_sampled_values_are_as_near_as_their_errors_say():
    lesson = lesson_of(0)
    linear, _ = Linear().fit(lesson)

    class Stranger:
        """The linear model under another name: sampled, where the truth is known."""

        def predict(self, matrix):
            return linear.predict(matrix)

    background = lesson.matrix.take(np.arange(12))
    shown = matrix_of(40, seed=3)
    exact = reasons(linear, shown, background)
    found = reasons(Stranger(), shown, background)
    away = np.abs(found.values - exact.values)[:, [2, 3, 4]]
    error = found.errors[:, [2, 3, 4]]
    # A linear model's steps depend on the background row alone, and all twelve are used: no error but rounding.
    assert (away <= 1e-6 * np.abs(found.answer).max() + 3 * error).all()


def test_an_unused_column_has_no_reason():
    lesson = lesson_of(2)
    values = lesson.matrix.values.copy()
    values[:, 4] = 1.0
    flat = Matrix(values, lesson.matrix.features)
    fitted, _ = LightGBM(rounds=10).fit(Lesson(flat, lesson.target, 2))
    assert (reasons(fitted, flat, flat).values[:, 4] == 0).all()


def test_catboost_adds_up():
    pytest.importorskip("catboost")
    lesson = lesson_of(2)
    fitted, _ = CatBoost(rounds=10).fit(lesson)
    found = reasons(fitted, lesson.matrix.take(np.arange(20)), lesson.matrix)
    assert np.abs(found.start + found.values.sum(axis=1) - found.answer).max() < 1e-9


@pytest.mark.slow
def test_many_rows_are_explained_faster_than_by_the_reference():
    shap = pytest.importorskip("shap")
    matrix, booster, text = grown("binary")
    many = matrix_of(10_000, seed=5).values
    ratios = []
    for _ in range(3):
        begun = time.perf_counter()
        Grove.of(text, None, 1, matrix.values).attribute(many)
        ours = time.perf_counter() - begun
        begun = time.perf_counter()
        with pytest.warns(UserWarning, match="LightGBM binary"):
            shap.TreeExplainer(booster).shap_values(many)
        ratios.append((time.perf_counter() - begun) / ours)
    assert max(ratios) > 1
