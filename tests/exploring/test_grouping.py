"""Planted groups are found with their number and traits, and none are found in one cloud."""

import numpy as np
import polars as pl
import pytest

import modelwright
from modelwright.core.errors import InvalidTask
from modelwright.evaluation.partitions import adjusted_rand


def blobs(seed: int, n: int = 240, apart: float = 5.0) -> tuple[pl.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    centre = apart * np.array([[0, 0], [1, 0], [0.5, 0.9]])[truth]
    x, y = (centre + rng.normal(size=(n, 2))).T
    return pl.DataFrame({"x": x, "y": y, "colour": np.array(["red", "green", "blue"])[truth]}), truth


@pytest.mark.slow
def test_planted_groups_are_found():
    frame, truth = blobs(0)
    done = modelwright.cluster(frame)
    found = done.found
    assert len(found.groups) == 3
    assert found.is_clear
    assert found.p_value <= 0.05
    assert adjusted_rand(truth, found.assigned - 1) > 0.95
    assert sum(g.n_rows for g in found.groups) == frame.height
    assert {g.traits[0].column for g in found.groups} <= {"x", "y", "colour"}
    assert all(g.stability > 0.8 for g in found.groups)
    taken = next(c for c in found.counts if c.n == 3)
    assert taken.chosen > 0.8
    assert "found again" in found.sentence


@pytest.mark.slow
def test_one_cloud_is_called_one():
    clear = 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        frame = pl.DataFrame(rng.normal(size=(120, 3)), schema=["a", "b", "c"])
        clear += modelwright.cluster(frame).found.is_clear
    assert clear <= 1


@pytest.mark.slow
def test_the_same_seed_gives_the_same_groups():
    frame, _ = blobs(1, n=90)
    first, second = (modelwright.cluster(frame, n=3).found for _ in range(2))
    assert (first.assigned == second.assigned).all()
    assert first.counts == second.counts


def test_too_few_rows_or_nothing_to_look_at_is_explained():
    with pytest.raises(InvalidTask, match="20 rows"):
        modelwright.cluster(pl.DataFrame({"x": [1.0, 2.0]}))
    with pytest.raises(InvalidTask, match="tells rows apart"):
        modelwright.cluster(pl.DataFrame({"x": [1] * 30}))
