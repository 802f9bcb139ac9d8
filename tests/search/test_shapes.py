"""Which shapes of a target are tried: only those that help."""

import numpy as np
import polars as pl
import pytest

from modelwright.core.contract import Column, Contract, Kind
from modelwright.core.run import Run
from modelwright.core.task import Task, TaskKind
from modelwright.flows.builtin import catalogue
from modelwright.search.portfolio import portfolio
from modelwright.search.problem import Material, Problem
from modelwright.search.shapes import shapes_that_help

N = 2_000


def material(target: np.ndarray, x: np.ndarray) -> Material:
    contract = Contract(tuple(Column(name, Kind.NUMBER) for name in "ab"))
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1]})
    return Material.prepare(Problem(frame, target, None, contract, Task(TaskKind.REGRESSION, "y", "rmse")))


def kept(target: np.ndarray, x: np.ndarray, effort: int | None = 3) -> tuple[str, ...]:
    run = Run(catalogue(), lambda: 0.0, 0.0, None if effort else 1.0, effort)
    return shapes_that_help(material(target, x), run, round_seconds=0.01, search_seconds=1.0)


@pytest.mark.slow
def test_counts_are_learnt_by_their_likelihood_and_plain_sums_are_not():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 2))
    counts = rng.poisson(np.exp(0.7 + 0.9 * x[:, 0] + 0.6 * x[:, 1])).astype(np.float64)
    assert "poisson" in kept(counts, x)
    squares = 20 + 3 * x[:, 0] + 2 * x[:, 1] + rng.exponential(3.0, N)
    assert kept(squares, x) == ()


def test_negative_targets_labels_and_short_runs_are_left_as_they_are():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 2))
    amounts = np.exp(x[:, 0])
    assert kept(amounts - 1.0, x) == ()
    assert kept(amounts, x, effort=None) == ()


def test_a_shape_brings_two_candidates_early():
    asked = {"n_rows": 5_000, "n_classes": 0, "n_features": 9, "available": ["lightgbm", "catboost", "linear"]}
    plain, shaped = portfolio(**asked), portfolio(**asked, shapes=("poisson", "root"))
    new = [c for c in shaped if c not in plain]
    assert [c.params["shape"] for c in new] == ["poisson", "root", "root"]
    assert shaped.index(new[0]) == 1
    assert len({c.name for c in shaped}) == len(shaped)
