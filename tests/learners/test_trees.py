"""Translated trees answer as the libraries that grew them; hostile texts never reach C code."""

from __future__ import annotations

import copy
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.core.errors import InvalidPackage
from modelwright.core.matrix import Feature, Matrix
from modelwright.core.ports import Lesson
from modelwright.core.state import State
from modelwright.learners import _from_catboost, _from_xgboost, _text
from modelwright.learners._rounds import Yard, link_of
from modelwright.learners._table import TreeTable, between, floor_single
from modelwright.learners.catboost import CatBoost
from modelwright.learners.forest import Forest
from modelwright.learners.lightgbm import LightGBM
from modelwright.learners.trees import Trees, apply_link, can_merge, merge
from modelwright.learners.xgboost import XGBoost

N_FEATURES, N_LEVELS = 5, 40


def matrix_of(n_rows: int, seed: int = 0) -> Matrix:
    """Rows on a coarse grid, so that many values lie on thresholds, with missing and far values."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n_rows, N_FEATURES)).astype(np.float32).round(1)
    values[:, 3] = rng.integers(0, N_LEVELS, n_rows)
    values[rng.random(values.shape) < 0.15] = np.nan
    values[:3, 0] = (3e38, -3e38, 0.0)
    features = [Feature(f"f{i}", "f", N_LEVELS if i == 3 else 0) for i in range(N_FEATURES)]
    return Matrix(values, tuple(features))


def target_of(matrix: Matrix, n_classes: int) -> np.ndarray:
    z = np.nan_to_num(matrix.values.clip(-5, 5))
    effect = z[:, 0] + (z[:, 3] % 3 == 0) + z[:, 1] * z[:, 2] + 0.5 * np.isnan(matrix.values[:, 4])
    if not n_classes:
        return (effect * 1000 + 5e4).astype(np.float64)
    return np.digitize(effect, [0.0, 1.0][: n_classes - 1]).astype(np.int64)


def lesson_of(n_classes: int, n_rows: int = 800) -> Lesson:
    matrix = matrix_of(n_rows)
    return Lesson(matrix, target_of(matrix, n_classes), n_classes)


def on_thresholds(text: bytes, base: Matrix) -> Matrix:
    """Rows whose values are the float32 numbers at, just under and just over the thresholds of a model."""
    bodies = [dict(line.split("=", 1) for line in b.split("\n")) for b in _text.bodies_of(text)]
    cells = []
    for body in bodies:
        if body["split_feature"] and body["num_cat"] == "0":
            cells += zip(map(int, body["split_feature"].split()), map(float, body["threshold"].split()), strict=True)
    values = np.tile(base.values, (3 * len(cells) // base.n_rows + 1, 1))[: 3 * len(cells)]
    for i, (feature, threshold) in enumerate(cells):
        if abs(threshold) < 1e30:
            at = np.float32(threshold)
            values[3 * i : 3 * i + 3, feature] = (
                at,
                np.nextafter(at, np.float32(-1e38)),
                np.nextafter(at, np.float32(1e38)),
            )
    return Matrix(np.where(np.abs(values) < 1e-30, np.float32(0), values), base.features)


def native_lightgbm(lesson: Lesson, shown: Matrix) -> tuple[Trees, np.ndarray]:
    import lightgbm

    learner = LightGBM(rounds=20)
    parameters = learner._parameters(lesson)
    data = lightgbm.Dataset(lesson.matrix.values, lesson.target, categorical_feature=[3], params=parameters)
    booster = lightgbm.train(parameters, data, 20)
    link, n_outputs = link_of(lesson.n_classes)
    text = _text.condense(booster.model_to_string(), n_features=N_FEATURES, n_outputs=n_outputs)
    return Trees(text, link, n_features=N_FEATURES, n_outputs=n_outputs), booster.predict(shown.values)


def native_xgboost(lesson: Lesson, shown: Matrix) -> tuple[Trees, np.ndarray]:
    import json

    import xgboost

    data = xgboost.DMatrix(lesson.matrix.values, lesson.target)
    booster = xgboost.train(XGBoost()._parameters(lesson), data, 20)
    model = json.loads(booster.save_raw("json"))
    link, n_outputs = link_of(lesson.n_classes)
    table, bias = _from_xgboost.table_of(model), _from_xgboost.bias_of(model, n_outputs)
    return Trees.of(table, link, n_features=N_FEATURES, bias=bias), booster.predict(xgboost.DMatrix(shown.values))


def native_catboost(lesson: Lesson, shown: Matrix, nan_mode: str = "Min") -> tuple[Trees, np.ndarray]:
    import json
    from pathlib import Path
    from tempfile import TemporaryDirectory

    import catboost

    model = catboost.CatBoost({**CatBoost(rounds=20)._parameters(lesson), "nan_mode": nan_mode})
    model.fit(catboost.Pool(lesson.matrix.values, lesson.target))
    with TemporaryDirectory() as folder:
        model.save_model(f"{folder}/m.json", format="json")
        told = json.loads(Path(f"{folder}/m.json").read_bytes())
    table, scale, bias = _from_catboost.table_of(told, N_FEATURES)
    kind = "Probability" if lesson.n_classes else "RawFormulaVal"
    link, _ = link_of(lesson.n_classes)
    trees = Trees.of(table, link, n_features=N_FEATURES, bias=bias, scale=scale)
    return trees, model.predict(shown.values, prediction_type=kind)


@pytest.mark.parametrize("native", [native_lightgbm, native_xgboost, native_catboost])
@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_translated_trees_answer_as_the_library_does(native, n_classes):
    lesson = lesson_of(n_classes)
    trees, _ = native(lesson, lesson.matrix)
    shown = on_thresholds(trees.text, matrix_of(500, seed=1))
    trees, told = native(lesson, shown)
    ours = trees.predict(shown)
    told = np.column_stack([1 - told, told]) if n_classes == 2 and told.ndim == 1 else told
    scale = np.abs(told).max()
    assert np.abs(ours - told).max() <= 1e-6 * max(1.0, scale)
    restored = Trees.restore(trees.state())
    assert np.array_equal(restored.predict(shown), ours)


def test_catboost_may_send_missing_values_right():
    lesson = lesson_of(2)
    shown = matrix_of(300, seed=1)
    trees, told = native_catboost(lesson, shown, nan_mode="Max")
    assert np.abs(trees.predict(shown) - told).max() <= 1e-6


@pytest.mark.parametrize("extra", [True, False])
@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_a_forest_answers_as_scikit_learn_does(extra, n_classes):
    lesson = lesson_of(n_classes, 400)
    learner = Forest(extra=extra, trees=10)
    fitted, _ = learner.fit(lesson)
    model = learner._model(lesson, 400)
    yard = Yard.of(lesson)
    model.fit(lesson.matrix.values, yard.standardise(lesson.target))
    shown = matrix_of(300, seed=1)
    if not n_classes:
        told = model.predict(shown.values) * yard.spread + yard.mean
        assert np.allclose(fitted.predict(shown), told, rtol=1e-6)
        return
    prior = (np.bincount(lesson.target, minlength=n_classes) + 0.5) / (400 + 0.5 * n_classes)
    told = (10 * model.predict_proba(shown.values) + prior) / 11
    assert np.allclose(fitted.predict(shown), told, atol=1e-6)


DOUBLES = st.floats(width=64, allow_nan=False, allow_infinity=False)
SINGLES = st.floats(width=32, allow_nan=False, allow_infinity=False)
FAR = float(np.finfo(np.float32).max)


@given(DOUBLES, SINGLES)
@settings(max_examples=100, deadline=None)
def test_a_float32_bound_parts_values_as_the_double_does(bound, value):
    single = floor_single(np.array([bound]))
    if bound >= -FAR:
        assert (value <= float(single[0])) == (value <= bound)
    assert abs(float(single[0])) <= FAR


@given(SINGLES, st.sampled_from([-1, 0, 1]))
@settings(max_examples=100, deadline=None)
def test_ten_digits_part_float32_values(bound, step):
    """The value itself and its two neighbours fall on their sides of the spelt bound."""
    single = np.array([bound], dtype=np.float32)
    spelt = float(f"{between(single)[0]:.10g}")
    with np.errstate(over="ignore"):
        value = float(np.nextafter(single, np.float32(step * np.inf))[0]) if step else bound
    if np.isfinite(value):
        assert (value <= spelt) == (value <= bound)


WIDE = Forest(trees=4).fit(lesson_of(3, 100))[0].state()


@pytest.mark.parametrize(
    "vectors",
    [
        WIDE.arrays["vectors"][:-1],
        WIDE.arrays["vectors"][:, :2],
        WIDE.arrays["vectors"] * 0,
        -WIDE.arrays["vectors"],
        np.full_like(WIDE.arrays["vectors"], np.nan),
        WIDE.arrays["vectors"].astype(object),
    ],
)
def test_vectors_that_do_not_fit_the_leaves_are_refused(vectors):
    Trees.restore(WIDE)
    with pytest.raises(InvalidPackage):
        Trees.restore(replace(WIDE, arrays={"vectors": vectors}))


def test_float64_rows_answer_as_float32_rows():
    trees, _ = XGBoost(rounds=5).fit(lesson_of(2))
    shown = matrix_of(50, seed=2)
    double = Matrix(shown.values.astype(np.float64), shown.features)
    assert np.array_equal(trees.predict(double), trees.predict(shown))
    turned = Matrix(np.asfortranarray(shown.values), shown.features)
    assert np.array_equal(trees.predict(turned), trees.predict(shown))


@pytest.mark.parametrize("learner", [LightGBM(rounds=5), CatBoost(rounds=5), Forest(trees=4)])
@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_merging_averages_margins(n_classes, learner):
    lesson, shown = lesson_of(n_classes), matrix_of(100, seed=3)
    models = [learner.fit(replace(lesson, seed=s))[0] for s in range(3)]
    assert can_merge(models)
    merged = merge(models, [1.0, 2.0, 1.0])
    margins = sum(w * m.margins(shown) for w, m in zip((0.25, 0.5, 0.25), models, strict=True))
    assert np.allclose(merged.predict(shown), apply_link(models[0].link, margins), rtol=1e-6)
    assert np.array_equal(Trees.restore(merged.state()).predict(shown), merged.predict(shown))


def test_unlike_models_are_not_merged():
    assert not can_merge([LightGBM(rounds=2).fit(lesson_of(k))[0] for k in (2, 3)])
    assert not can_merge([])


def test_a_copy_answers_alike():
    trees, _ = LightGBM(rounds=3).fit(lesson_of(2))
    shown = matrix_of(20)
    assert np.array_equal(copy.deepcopy(trees).predict(shown), trees.predict(shown))


def test_a_matrix_of_another_width_is_refused():
    trees, _ = LightGBM(rounds=3).fit(lesson_of(2))
    with pytest.raises(InvalidPackage, match="features it was fitted on"):
        trees.predict(Matrix(np.zeros((1, 2), dtype=np.float32), ()))


TABLE = TreeTable(
    n_splits=np.array([2, 0, 1]),
    feature=np.array([0, 1, 2]),
    bound=np.array([0.5, -1.0, 3.0], dtype=np.float32),
    missing_left=np.array([True, False, True]),
    left=np.array([1, -1, -1]),
    right=np.array([-3, -2, -2]),
    leaf=np.arange(6.0)[:, None] / 7,
)
GOOD = _text.write(TABLE, n_features=3, bias=np.zeros(1))


def state_of(text: bytes, n_outputs: int = 1, link: str = "identity") -> State:
    meta = {"link": link, "n_outputs": n_outputs, "n_features": 3, "is_wide": False}
    return State("trees", meta, blobs={"model": text})


def resized(text: bytes) -> bytes:
    """Write the header anew: a forger would."""
    blocks = text.decode().partition("\n\nTree=")[2][: -len(_text.END)].split("\n\n\n")[:-1]
    return _text.compose([block.partition("\n")[2] for block in blocks], 3, 1)


def test_a_table_is_written_as_it_reads():
    nan = np.nan
    values = np.array([[0.5, -1, 4], [0.5, 0, 4], [0.6, 0, nan], [nan, nan, 3]], dtype=np.float32)
    told = Trees.restore(state_of(GOOD)).predict(Matrix(values, ()))
    assert np.allclose(told * 7, [0 + 3 + 5, 1 + 3 + 5, 2 + 3 + 4, 1 + 3 + 4])


FORGERIES = {
    "child beyond the tree": (b"left_child=1 -1", b"left_child=7 -1"),
    "leaf beyond the tree": (b"left_child=1 -1", b"left_child=1 -9"),
    "a loop": (b"left_child=1 -1", b"left_child=0 -1"),
    "one leaf twice": (b"right_child=-3 -2", b"right_child=-3 -3"),
    "a feature that is not there": (b"split_feature=0 1", b"split_feature=0 3"),
    "a negative feature": (b"split_feature=0 1", b"split_feature=0 -1"),
    "more leaves than values": (b"num_leaves=3", b"num_leaves=4000000"),
    "no leaves": (b"num_leaves=3", b"num_leaves=0"),
    "two counts": (b"num_leaves=3", b"num_leaves=3 3"),
    "a short array": (b"decision_type=10 8", b"decision_type=10"),
    "a category without sets": (b"decision_type=10 8", b"decision_type=9 8"),
    "an unknown decision": (b"decision_type=10 8", b"decision_type=10 64"),
    "sets that are not there": (b"num_cat=0", b"num_cat=2"),
    "a linear tree": (b"is_linear=0", b"is_linear=1"),
    "another shrinkage": (b"shrinkage=1", b"shrinkage=0.5"),
    "an infinite leaf": (b"leaf_value=0.0\n", b"leaf_value=1e999\n"),
    "a leaf in words": (b"leaf_value=0.0\n", b"leaf_value=nan\n"),
    "an underscore": (b"leaf_value=0.0\n", b"leaf_value=1_0\n"),
    "two spaces": (b"split_feature=0 1", b"split_feature=0  1"),
    "an unknown line": (b"is_linear=0", b"is_linear=0\nleaf_coeff=1"),
    "a line twice": (b"is_linear=0", b"is_linear=0\nis_linear=0"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_text_is_refused(name):
    was, becomes = FORGERIES[name]
    assert GOOD.count(was) >= 1
    forged = resized(GOOD.replace(was, becomes, 1))
    assert resized(GOOD) == GOOD
    with pytest.raises(InvalidPackage):
        Trees.restore(state_of(forged))


@pytest.mark.parametrize(
    "state",
    [
        State("trees"),
        state_of(b""),
        state_of(GOOD[:-40]),
        state_of(GOOD + b"x"),
        state_of(GOOD.replace(b"f0", b"f\xc3")),
        state_of(GOOD.replace(b"tree_sizes=", b"tree_sizes=9")),
        state_of(GOOD, n_outputs=2),
        state_of(GOOD, link="magic"),
        state_of(GOOD, n_outputs=2, link="softmax"),
        replace(state_of(GOOD), meta={**state_of(GOOD).meta, "n_features": 10**9}),
        replace(state_of(GOOD), meta={**state_of(GOOD).meta, "n_outputs": True}),
        replace(state_of(GOOD), meta={**state_of(GOOD).meta, "is_wide": True}),
        replace(state_of(GOOD), meta={**state_of(GOOD).meta, "is_wide": None}),
    ],
)
def test_a_state_that_contradicts_itself_is_refused(state):
    with pytest.raises(InvalidPackage):
        Trees.restore(state)


META = {"link": "sigmoid", "n_outputs": 1, "n_features": N_FEATURES, "is_wide": False}
LEARNT = LightGBM(rounds=3, leaves=6).fit(lesson_of(2, 300))[0].text


@given(st.integers(0, len(LEARNT) - 1), st.binary(min_size=0, max_size=3), st.integers(0, 4))
@settings(max_examples=80, deadline=None)
def test_altered_texts_are_refused_or_harmless(at, replacement, cut):
    altered = LEARNT[:at] + replacement + LEARNT[at + cut :]
    state = State("trees", {**META}, blobs={"model": altered})
    try:
        trees = Trees.restore(state)
    except InvalidPackage:
        return
    answer = trees.predict(matrix_of(10))
    assert answer.shape == (10, 2)
    assert np.isfinite(answer).all()


@given(st.integers(0, 10_000), st.integers(-5, 70), st.data())
@settings(max_examples=80, deadline=None)
def test_altered_numbers_are_refused_or_harmless(place, number, data):
    """Change one whole number within the trees and write an honest header: what a patient forger does."""
    lines = LEARNT.decode().split("\n")
    keys = ("split_feature", "decision_type", "left_child", "right_child", "num_cat", "cat_boundaries", "cat_threshold")
    chosen = [i for i, line in enumerate(lines) if line.startswith(keys) and not line.endswith("=")]
    at = chosen[place % len(chosen)]
    key, _, values = lines[at].partition("=")
    numbers = values.split()
    numbers[data.draw(st.integers(0, len(numbers) - 1))] = str(number)
    lines[at] = f"{key}={' '.join(numbers)}"
    text = "\n".join(lines).encode()
    forged = _text.compose(_text.bodies_of(text), N_FEATURES, 1)
    state = State("trees", {**META}, blobs={"model": forged})
    try:
        trees = Trees.restore(state)
    except InvalidPackage:
        return
    assert np.isfinite(trees.predict(matrix_of(10))).all()


FIT_BESIDE_ASKING = """
import threading, numpy as np
from modelwright.core.matrix import Feature, Matrix
from modelwright.core.ports import Lesson
from modelwright.flows.builtin import catalogue
make = catalogue().find("learner", "lightgbm")
rng = np.random.default_rng(0)
values = np.where(rng.random((4000, 60)) < 0.93, 0, rng.normal(size=(4000, 60))).astype(np.float32)
matrix = Matrix(values, tuple(Feature(f"f{i}", f"f{i}") for i in range(60)))
target = values.sum(axis=1) + rng.normal(size=4000)
lesson = Lesson(matrix, target.astype(float), 0)
model, _ = make(rounds=5).fit(lesson)
over = threading.Event()
def ask():
    while not over.is_set():
        model.predict(matrix)
asking = threading.Thread(target=ask)
asking.start()
for _ in range(120):
    make(rounds=10).fit(lesson)
over.set()
asking.join()
print("sound")
"""


@pytest.mark.slow
def test_fits_and_answers_side_by_side_are_sound():
    # LightGBM keeps one number of threads for a process: a call that changed it during a fit ended the process.
    done = subprocess.run([sys.executable, "-c", FIT_BESIDE_ASKING], capture_output=True, text=True, check=False)
    assert done.stdout == "sound\n", (done.returncode, done.stderr)
