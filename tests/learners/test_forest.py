from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from modelwright.core.errors import InvalidPackage
from modelwright.core.matrix import Feature, Matrix
from modelwright.core.ports import Lesson
from modelwright.core.state import State
from modelwright.learners.forest import STATE_BYTES_MAX, Forest
from modelwright.learners.trees import Trees


def lesson_of(n_rows: int, n_classes: int, noise: float = 0.3) -> Lesson:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(n_rows, 4)).astype(np.float32)
    effect = values[:, 0] + values[:, 1] * values[:, 2] + noise * rng.normal(size=n_rows)
    values[rng.random(values.shape) < 0.1] = np.nan
    target = np.digitize(effect, np.linspace(-1, 1, n_classes - 1)).astype(np.int64) if n_classes else effect
    return Lesson(Matrix(values, tuple(Feature(f"f{i}", "f") for i in range(4))), target, n_classes)


def test_a_forest_of_one_output_is_told_as_trees():
    assert isinstance(Forest(trees=5).fit(lesson_of(80, 2))[0], Trees)
    assert isinstance(Forest(trees=5).fit(lesson_of(80, 0))[0], Trees)


def test_the_deadline_leaves_the_trees_there_are():
    lesson = replace(lesson_of(200, 3), seconds_left=lambda: -1.0)
    fitted, _ = Forest(trees=100).fit(lesson)
    assert len(fitted.table.n_splits) == 10


def test_batches_do_not_change_the_trees():
    lesson = lesson_of(150, 3)
    fitted, _ = Forest(trees=25).fit(lesson)
    model = Forest(trees=25)._model(lesson, 150).fit(lesson.matrix.values, lesson.target)
    prior = (np.bincount(lesson.target, minlength=3) + 0.5) / (150 + 1.5)
    told = (25 * model.predict_proba(lesson.matrix.values) + prior) / 26
    assert np.allclose(fitted.predict(lesson.matrix), told, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("n_classes", [0, 2, 8])
def test_the_stored_forest_stays_small(n_classes):
    lesson = lesson_of(12_000, n_classes, noise=3.0)
    state = Forest(trees=100, min_leaf=1, max_features=0.3).fit(lesson)[0].state()
    size = sum(a.nbytes for a in state.arrays.values()) + sum(map(len, state.blobs.values()))
    assert size < STATE_BYTES_MAX * 1.3


STATE = Forest(trees=3).fit(lesson_of(60, 3))[0].state()


@pytest.mark.parametrize(
    "change",
    [
        {"left": np.zeros_like(STATE.arrays["left"])},
        {"right": STATE.arrays["right"] + 1000},
        {"feature": np.full_like(STATE.arrays["feature"], 4)},
        {"n_splits": STATE.arrays["n_splits"][:-1]},
        {"n_splits": np.array([], dtype=np.int32), "shares": STATE.arrays["shares"][:0]},
        {"shares": STATE.arrays["shares"] * 0},
        {"bound": np.full_like(STATE.arrays["bound"], np.nan)},
        {"missing_left": np.ones(3)},
    ],
)
def test_an_altered_state_is_refused(change):
    Forest.restore(STATE)
    with pytest.raises(InvalidPackage):
        Forest.restore(State(STATE.kind, STATE.meta, {**STATE.arrays, **change}))
