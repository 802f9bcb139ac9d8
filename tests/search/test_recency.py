"""Recency: where the world stays the same all rows count alike; where it turned, newer ones count more."""

import time

import numpy as np
import polars as pl
import pytest

from modelwright.core.contract import Column, Contract, Kind, Role
from modelwright.core.run import Run
from modelwright.core.task import Task, TaskKind
from modelwright.flows.builtin import catalogue
from modelwright.search.portfolio import Candidate
from modelwright.search.problem import Problem
from modelwright.search.recency import ALL_ROWS, WAYS, choose_way, rows_of, weights_of

LINEAR = Candidate("linear", "linear")


def world(n: int, *, turns_at: float | None, seed: int):
    """Rows in order of time whose slope changes sign at a share of them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    slope = np.ones(n) if turns_at is None else np.where(np.arange(n) < turns_at * n, 1.0, -1.0)
    contract = Contract((Column("x", Kind.NUMBER), Column("y", Kind.NUMBER, Role.TARGET)))
    task = Task(TaskKind.REGRESSION, "y", "rmse")
    problem = Problem(pl.DataFrame({"x": x}), slope * x + 0.5 * rng.normal(size=n), None, contract, task)
    return problem, np.arange(n, dtype=np.float64)


def chosen(problem, times, judging=0.25):
    run = Run(catalogue(), time.monotonic, time.monotonic(), budget_seconds=None, effort=1)
    return choose_way(problem, times, times >= (1 - judging) * len(times), LINEAR, run)


def test_a_world_that_turned_is_learnt_from_its_newer_rows():
    found = chosen(*world(600, turns_at=0.5, seed=0))
    assert found.way is not ALL_ROWS
    assert len(found.tested) == len(WAYS)
    best = min(found.tested, key=lambda t: t.difference.value)
    assert best.way == found.way
    assert best.difference.high < 0


@pytest.mark.slow
def test_a_world_that_stays_keeps_all_its_rows():
    ways = [chosen(*world(300, turns_at=None, seed=seed)).way for seed in range(20)]
    assert sum(way is not ALL_ROWS for way in ways) <= 2


def test_few_rows_decide_nothing():
    found = chosen(*world(100, turns_at=0.5, seed=0))
    assert found.way is ALL_ROWS
    assert "too few" in found.reason


def test_windows_and_weights_go_by_time_not_by_place():
    times = np.array([3.0, 1.0, 4.0, 2.0])
    half, _, mild, _ = WAYS
    assert rows_of(half, times).tolist() == [0, 2]
    assert rows_of(ALL_ROWS, times).tolist() == [0, 1, 2, 3]
    assert weights_of(half, times) is None
    assert weights_of(mild, times).tolist() == pytest.approx([0.5 ** (2 / 3), 0.25, 1.0, 0.5 ** (4 / 3)])
    assert weights_of(mild, np.zeros(4)) is None
