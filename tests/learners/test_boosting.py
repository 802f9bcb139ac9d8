"""LightGBM, CatBoost and XGBoost: when they stop, what they say, and what they do not depend on."""

from __future__ import annotations

import subprocess
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest

from modelwright.core.errors import InvalidSetting
from modelwright.core.matrix import Feature, Matrix
from modelwright.core.ports import Exam, Lesson
from modelwright.learners.catboost import CatBoost
from modelwright.learners.lightgbm import LightGBM
from modelwright.learners.xgboost import XGBoost

BOOSTERS = [LightGBM, CatBoost, XGBoost]
N_LEVELS = 30


def lesson_of(n_rows: int = 600, *, n_classes: int = 2, seed: int = 0, n_features: int = 5) -> Lesson:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n_rows, n_features)).astype(np.float32)
    values[:, 3] = rng.integers(0, N_LEVELS, n_rows)
    effect = values[:, 0] + values[:, 1] * values[:, 2] + (values[:, 3] % 3 == 0) + rng.normal(size=n_rows)
    values[rng.random(values.shape) < 0.05] = np.nan
    features = tuple(Feature(f"f{i}", "f", N_LEVELS if i == 3 else 0) for i in range(n_features))
    target = np.digitize(effect, [0.0, 1.0][: n_classes - 1]).astype(np.int64) if n_classes else 7 * effect + 100
    return Lesson(Matrix(values, features), target, n_classes, seed=seed)


def exam_of(lesson: Lesson) -> Exam:
    other = lesson_of(300, n_classes=lesson.n_classes, seed=9)
    return Exam(other.matrix, other.target)


def loss_of(answer: np.ndarray, target: np.ndarray) -> float:
    if answer.ndim == 1:
        return float(np.mean((answer - target) ** 2))
    return -float(np.mean(np.log(answer[np.arange(len(target)), target])))


@pytest.mark.parametrize("learner", BOOSTERS)
@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_the_curve_tells_the_loss_of_the_model_that_is_kept(learner, n_classes):
    lesson = lesson_of(n_classes=n_classes)
    lesson = replace(lesson, exam=exam_of(lesson))
    fitted, curve = learner(rounds=120, learning_rate=0.3, patience=10).fit(lesson)
    assert curve.ended == "patience"
    assert curve.best_round < curve.rounds[-1] <= curve.best_round + 10
    kept = curve.valid[curve.rounds.index(curve.best_round)]
    assert kept == min(curve.valid)
    assert loss_of(fitted.predict(lesson.exam.matrix), lesson.exam.target) == pytest.approx(kept, rel=1e-5)
    assert curve.fit[0] > curve.fit[-1]
    assert curve.loss == ("log_loss" if n_classes else "mse")


@pytest.mark.parametrize("learner", BOOSTERS)
def test_without_an_exam_all_rounds_are_run(learner):
    _, curve = learner(rounds=7).fit(lesson_of(200))
    assert (curve.best_round, curve.ended, len(curve.rounds), curve.valid) == (7, "rounds", 7, ())


@pytest.mark.parametrize("learner", BOOSTERS)
def test_a_deadline_ends_training_between_rounds(learner):
    asked = []

    def seconds_left() -> float:
        asked.append(1)
        return 1.0 if len(asked) < 5 else 0.0

    fitted, curve = learner(rounds=500).fit(replace(lesson_of(200), seconds_left=seconds_left))
    assert (curve.best_round, curve.ended) == (5, "time")
    assert np.isfinite(fitted.predict(lesson_of(20).matrix)).all()


@pytest.mark.parametrize("learner", BOOSTERS)
def test_training_is_silent_and_leaves_warnings_as_they_were(learner, capfd):
    before = list(warnings.filters)
    for n_rows in (3, 200):
        for n_classes in (0, 2, 3):
            lesson = lesson_of(n_rows, n_classes=n_classes)
            learner(rounds=5).fit(replace(lesson, exam=exam_of(lesson)))
    told = capfd.readouterr()
    assert (told.out, told.err) == ("", "")
    assert warnings.filters == before


@pytest.mark.parametrize("learner", BOOSTERS)
def test_a_target_far_from_zero_is_learnt_as_one_near_it(learner):
    lesson = lesson_of(400, n_classes=0)
    target = np.asarray(lesson.target, dtype=np.float64)
    near = learner(rounds=20).fit(replace(lesson, target=target))[0].predict(lesson.matrix)
    far = learner(rounds=20).fit(replace(lesson, target=target * 1e-3 + 1e9))[0].predict(lesson.matrix)
    shares = [np.var(target - told) / np.var(target) for told in (near, (far - 1e9) * 1e3)]
    assert shares[0] < 0.6
    assert shares[1] == pytest.approx(shares[0], abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("n_features", [5, 520])
@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_lightgbm_does_not_depend_on_threads(n_classes, n_features):
    lesson = lesson_of(1500, n_classes=n_classes, n_features=n_features)
    lesson = replace(lesson, weight=np.linspace(0.3, 2.0, 1500))
    learner = LightGBM(rounds=5, leaves=12)
    made = [learner.fit(replace(lesson, threads=k))[0].state().fingerprint for k in (1, 2)]
    assert made[0] == made[1]


def test_the_default_preset_is_lightgbm_left_alone():
    import lightgbm

    lesson = lesson_of(300)
    data = lightgbm.Dataset(lesson.matrix.values, lesson.target, categorical_feature=[3])
    alone = lightgbm.train({"objective": "binary", "verbosity": -1, "num_threads": 1}, data)
    fitted, curve = LightGBM(preset="default").fit(lesson)
    assert curve.best_round == 100
    assert np.allclose(fitted.predict(lesson.matrix)[:, 1], alone.predict(lesson.matrix.values), atol=1e-9)


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_lightgbm_tells_what_the_splits_on_each_feature_saved(n_classes):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(900, 4)).astype(np.float32)
    effect = 3 * values[:, 2] + values[:, 0] + 0.1 * rng.normal(size=900)
    target = np.digitize(effect, [0.0, 2.0][: n_classes - 1]) if n_classes else effect
    lesson = Lesson(Matrix(values, tuple(Feature(f"f{i}", "f") for i in range(4))), target, n_classes)
    gains = LightGBM(rounds=20).gains(lesson)
    assert np.argsort(-gains)[:2].tolist() == [2, 0]
    assert gains[0] > 2 * max(gains[1], gains[3])
    assert not LightGBM(rounds=20).gains(replace(lesson, target=np.zeros_like(target))).any()


def test_lightgbm_keeps_categories_apart():
    """Codes without order: a set of categories is one split, which numbers would need many for."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 40, 2000).astype(np.float32)
    chosen = rng.permutation(40)[:20]
    target = np.isin(codes, chosen).astype(np.int64)
    matrix = Matrix(codes[:, None], (Feature("c", "c", 40),))
    settings = {"rounds": 1, "leaves": 2, "learning_rate": 1.0, "row_share": 1.0, "category_smoothing": 0.0}
    told = (
        LightGBM(**settings, category_l2=0.0, category_rows=1).fit(Lesson(matrix, target, 2))[0].predict(matrix)[:, 1]
    )
    assert ((told > 0.5) == target).all()


def test_lightgbm_takes_categories_as_numbers_where_asked_to():
    lesson = lesson_of()
    rng = np.random.default_rng(5)
    values = np.column_stack([lesson.matrix.values[:, :2], rng.integers(0, 9, 600)]).astype(np.float32)
    numbers = lesson.matrix.features[:3]
    coded = (*numbers[:2], Feature("level", "level", 9))
    target = ((values[:, 2] % 2 == 0) ^ (rng.random(600) < 0.1)).astype(np.int64)
    one, other = (replace(lesson, matrix=Matrix(values, f), target=target) for f in (coded, numbers))
    in_order = LightGBM(rounds=30, categories="order")
    answers = in_order.fit(one)[0].predict(one.matrix)
    assert np.array_equal(answers, in_order.fit(other)[0].predict(other.matrix))
    assert not np.array_equal(answers, LightGBM(rounds=30).fit(one)[0].predict(one.matrix))


@pytest.mark.parametrize("learner", BOOSTERS)
@pytest.mark.parametrize(
    "wrong", [{"rounds": 0}, {"rounds": 2.5}, {"rounds": True}, {"learning_rate": "fast"}, {"row_share": 1.5}]
)
def test_settings_outside_their_limits_are_refused(learner, wrong):
    with pytest.raises(InvalidSetting, match="this setting is"):
        learner(**wrong)


def test_a_misspelt_setting_is_answered_with_the_nearest():
    with pytest.raises(InvalidSetting, match="did you mean 'learning_rate'"):
        LightGBM(lerning_rate=0.1)
    with pytest.raises(InvalidSetting, match="one of its choices"):
        LightGBM(preset="best")
    assert LightGBM(leaves=None).settings.leaves is None


def test_prediction_needs_no_heavy_library(tmp_path):
    """A service restores and predicts without the libraries that trained."""
    state = XGBoost(rounds=3).fit(lesson_of(100))[0].state()
    (tmp_path / "model.txt").write_bytes(state.blobs["model"])
    code = f"""
import sys
import numpy as np
from modelwright.core.matrix import Matrix
from modelwright.core.state import State
from modelwright.learners.restoring import restore
import modelwright.learners.blend, modelwright.learners.forest, modelwright.learners.lightgbm
import modelwright.learners.linear, modelwright.learners.neighbours, modelwright.learners.calibration
text = open({str(tmp_path / "model.txt")!r}, "rb").read()
trees = restore(State("trees", {dict(state.meta)!r}, blobs={{"model": text}}))
assert trees.predict(Matrix(np.zeros((2, 5), dtype=np.float32), ())).shape == (2, 2)
heavy = {{"lightgbm", "xgboost", "catboost", "sklearn", "scipy", "pandas", "polars"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True)
