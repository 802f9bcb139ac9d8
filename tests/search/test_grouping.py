"""Groups and crosses are kept where they decide, and not where nothing does."""

import numpy as np
import polars as pl
import pytest

from modelwright.core.contract import Column, Contract, Kind
from modelwright.core.run import Run
from modelwright.core.task import Task, TaskKind
from modelwright.flows.builtin import catalogue
from modelwright.search.grouping import with_groups
from modelwright.search.problem import Material, Problem

N = 3_000


def kept(target: np.ndarray, columns: dict, *, budget: float | None = None) -> set[tuple[str, str, str]]:
    frame = pl.DataFrame(columns)
    kinds = {name: Kind.NUMBER if frame[name].dtype.is_numeric() else Kind.CATEGORY for name in columns}
    contract = Contract(tuple(Column(name, kind, n_distinct=frame[name].n_unique()) for name, kind in kinds.items()))
    binary = Task(TaskKind.BINARY, "y", "roc_auc", ("no", "yes"))
    task = binary if set(np.unique(target)) <= {0, 1} else Task(TaskKind.REGRESSION, "y", "rmse")
    material = Material.prepare(Problem(frame, target, None, contract, task))
    run = Run(catalogue(), lambda: 0.0, 0.0, budget, None if budget else 3)
    recipe = with_groups(material, run, round_seconds=0.01, search_seconds=1.0).recipe
    steps = [*recipe.steps, *recipe.encoded]
    return {(s.column, s.craft, s.other) for s in steps if s.other}


def columns(rng: np.random.Generator) -> dict:
    a, b = (rng.integers(0, 15, N) for _ in range(2))
    return {
        "a": [f"a{v}" for v in a],
        "b": [f"b{v}" for v in b],
        "x": rng.normal(size=N) + 3.0 * rng.normal(size=15)[a],
    }


@pytest.mark.slow
def test_a_cross_that_decides_is_found():
    # With fifteen levels each the quick model crosses them by itself; with forty it cannot.
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 40, (2, 6_000))
    target = (rng.normal(size=(40, 40))[a, b] + 0.3 * rng.normal(size=6_000) > 0).astype(np.int64)
    table = {"a": [f"a{v}" for v in a], "b": [f"b{v}" for v in b], "x": rng.normal(size=6_000)}
    assert ("a", "target_mean", "b") in kept(target, table)


@pytest.mark.slow
def test_a_distance_from_the_group_that_decides_is_found():
    rng = np.random.default_rng(1)
    table = columns(rng)
    levels = np.array(table["a"])
    means = {level: table["x"][levels == level].mean() for level in set(levels)}
    away = table["x"] - np.array([means[level] for level in levels])
    target = np.sign(away) * 2 + 0.5 * rng.normal(size=N)
    assert ("x", "deviation", "a") in kept(target, table)


@pytest.mark.slow
def test_noise_keeps_nothing_and_short_runs_do_not_look():
    rng = np.random.default_rng(2)
    table = columns(rng)
    noise = rng.integers(0, 2, N)
    assert kept(noise, table) == set()
    assert kept(noise, table, budget=1.0) == set()
