"""The sample: one table as experiments read it, and the questions made from it."""

import numpy as np
import pytest

from modelwright.core.task import TaskKind
from modelwright.handbook.sample import LABELS_MOST, SCALE_NOTE


def test_columns_are_on_one_scale_without_gaps(tables, sample_of_frame):
    s = sample_of_frame(tables["binary"])
    assert np.isfinite(s.fit.x).all()
    assert np.isfinite(s.held.x).all()
    assert "a is missing" in s.names
    assert "c = red" in s.names
    assert np.abs(s.fit.x).max() <= 6


def test_a_number_target_is_standardised_by_the_rows_learnt_from(tables, sample_of_frame):
    s = sample_of_frame(tables["numbers"])
    assert s.fit.y.mean() == pytest.approx(0, abs=1e-9)
    assert s.fit.y.std() == pytest.approx(1)
    assert SCALE_NOTE in s.notes


@pytest.mark.parametrize("kind", ["binary", "labels", "numbers", "texts"])
def test_every_table_can_be_asked_yes_or_no_and_how_much(kind, tables, sample_of_frame):
    s = sample_of_frame(tables[kind])
    asked = s.binary(share=0.25)
    assert asked.task.kind is TaskKind.BINARY
    assert set(np.unique(asked.fit.y)) == {0, 1}
    if kind == "numbers":
        assert asked.fit.y.mean() == pytest.approx(0.25, abs=0.02)
        assert SCALE_NOTE not in asked.notes
    number = s.numeric()
    assert number.n_classes == 0
    assert number.fit.y.std() == pytest.approx(1, abs=1e-6)


def test_of_many_labels_the_frequent_ones_stay(sample_of_frame):
    import polars as pl

    rng = np.random.default_rng(0)
    y = rng.choice(list("abcdefghijkl"), 900, p=np.array([12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) / 78)
    s = sample_of_frame(pl.DataFrame({"x": rng.normal(size=900), "z": rng.normal(size=900), "y": y}))
    assert s.labels == tuple("abcdefgh")
    assert len(s.labels) == LABELS_MOST
    assert s.fit.n + s.held.n == np.isin(y, list("abcdefgh")).sum()
    assert any("Of 12 labels" in note for note in s.notes)


def test_a_column_that_is_constant_among_the_few_is_left_out(sample_of_frame):
    import polars as pl

    rng = np.random.default_rng(0)
    rare = np.where(np.arange(2000) % 400 == 7, 1.0, 0.0)
    s = sample_of_frame(pl.DataFrame({"x": rng.normal(size=2000), "rare": rare, "y": rng.normal(size=2000)}))
    few = next(f for seed in range(20) if (f := s.few(20, seed=seed)).names == ("x",))
    assert few.fit.x.shape[1] == few.held.raw.shape[1] == 1


def test_drawing_a_few_rows_is_repeatable(tables, sample_of_frame):
    s = sample_of_frame(tables["binary"])
    first, again = s.few(50, 20, seed=3), s.few(50, 20, seed=3)
    assert (first.fit.n, first.held.n) == (50, 20)
    assert np.array_equal(first.fit.x, again.fit.x)
