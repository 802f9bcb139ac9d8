from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from modelwright.core.matrix import Feature, Matrix
from modelwright.core.ports import Lesson
from modelwright.learners._text import leaves_of
from modelwright.learners.forest import STATE_BYTES_MAX, Forest


def lesson_of(n_rows: int, n_classes: int, noise: float = 0.3) -> Lesson:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(n_rows, 4)).astype(np.float32)
    effect = values[:, 0] + values[:, 1] * values[:, 2] + noise * rng.normal(size=n_rows)
    values[rng.random(values.shape) < 0.1] = np.nan
    target = np.digitize(effect, np.linspace(-1, 1, n_classes - 1)).astype(np.int64) if n_classes else effect
    return Lesson(Matrix(values, tuple(Feature(f"f{i}", "f") for i in range(4))), target, n_classes)


def test_the_deadline_leaves_the_trees_there_are():
    lesson = replace(lesson_of(200, 3), seconds_left=lambda: -1.0)
    fitted, _ = Forest(trees=100).fit(lesson)
    assert len(leaves_of(fitted.text)) == 1 + 10  # the first stands for the overall shares


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
