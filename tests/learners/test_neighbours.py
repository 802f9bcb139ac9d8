from __future__ import annotations

import time

import numpy as np
import pytest

from modelwright.core.errors import InvalidPackage
from modelwright.core.matrix import Feature, Matrix
from modelwright.core.ports import Lesson
from modelwright.core.state import State
from modelwright.learners.neighbours import CELLS_MAX, Neighbours


def matrix_of(values: np.ndarray) -> Matrix:
    return Matrix(values.astype(np.float32), tuple(Feature(f"f{i}", "f") for i in range(values.shape[1])))


def test_the_nearest_are_those_that_a_full_search_finds():
    rng = np.random.default_rng(0)
    matrix, target = matrix_of(rng.normal(size=(500, 4))), rng.normal(size=500)
    fitted, _ = Neighbours(neighbours=5).fit(Lesson(matrix, target, 0))
    shown = fitted.design.apply(rng.normal(size=(40, 4)).astype(np.float32)).astype(np.float32)
    at, apart = fitted.nearest(shown, 5)
    full = ((fitted.columns[None].astype(np.float64) - shown[:, None]) ** 2).sum(axis=2)
    assert (at == np.argsort(full, axis=1, kind="stable")[:, :5]).all()
    assert np.allclose(apart, np.sort(full, axis=1)[:, :5])


def test_fine_structure_takes_few_neighbours_and_noise_many():
    rng = np.random.default_rng(0)
    values = rng.uniform(-1, 1, size=(1500, 2))
    fine = ((values * 4).astype(int).sum(axis=1) % 2).astype(np.int64)
    noise = rng.integers(0, 2, 1500)
    few, many = (Neighbours().fit(Lesson(matrix_of(values), y, 2))[0].neighbours for y in (fine, noise))
    assert few < many == 31


def test_no_label_has_a_chance_of_zero():
    matrix = matrix_of(np.arange(60.0)[:, None])
    target = (np.arange(60) >= 30).astype(np.int64)
    told = Neighbours().fit(Lesson(matrix, target, 3))[0].predict(matrix)
    assert told.min() > 0
    assert (told.argmax(axis=1) == target).mean() > 0.95


def test_wide_tables_keep_fewer_rows():
    rng = np.random.default_rng(0)
    matrix = matrix_of(rng.normal(size=(3000, 500)))
    fitted, _ = Neighbours(neighbours=3).fit(Lesson(matrix, rng.normal(size=3000), 0))
    assert fitted.columns.size <= CELLS_MAX


@pytest.mark.slow
def test_one_row_of_many_takes_half_a_millisecond():
    rng = np.random.default_rng(0)
    matrix = matrix_of(rng.normal(size=(40_000, 30)))
    fitted, _ = Neighbours(neighbours=15).fit(Lesson(matrix, rng.integers(0, 2, 40_000), 2))
    assert len(fitted.columns) == 20_000
    row, spent = matrix.take(np.array([0])), []
    for _ in range(1_000):
        start = time.thread_time()
        fitted.predict(row)
        spent.append(time.thread_time() - start)
    assert min(spent) < 1e-3  # what it takes when no other work is in the way


@pytest.mark.parametrize(
    "change",
    [
        {"answer": np.full(50, 7)},
        {"answer": np.zeros(49, dtype=np.int64)},
        {"weight": np.zeros(50)},
        {"prior": np.array([0.9, 0.9])},
        {"columns": np.zeros((50, 9), dtype=np.float32)},
    ],
)
def test_an_altered_state_is_refused(change):
    rng = np.random.default_rng(0)
    lesson = Lesson(matrix_of(rng.normal(size=(50, 2))), rng.integers(0, 2, 50), 2)
    state = Neighbours().fit(lesson)[0].state()
    Neighbours.restore(state)
    with pytest.raises(InvalidPackage):
        Neighbours.restore(State(state.kind, state.meta, {**state.arrays, **change}))
