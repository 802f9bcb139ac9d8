"""Categories are encoded by the target where the means of levels help on other rows, and not where they do not."""

import numpy as np
import polars as pl
import pytest

from modelwright.core.contract import Column, Contract, Kind
from modelwright.core.run import Run
from modelwright.core.split import Fold, How
from modelwright.core.task import Task, TaskKind
from modelwright.flows.builtin import catalogue
from modelwright.learners.trees import use_threads
from modelwright.search.encodings import MEANS_ROWS_MOST, encoded_out_of_fold, with_encodings
from modelwright.search.problem import Material, Problem

N, LEVELS = 4_000, 300


def material_of(target: np.ndarray, columns: dict, *, time: str | None = None, weight=None) -> Material:
    frame = pl.DataFrame(columns)
    kinds = {name: Kind.NUMBER if frame[name].dtype.is_numeric() else Kind.CATEGORY for name in columns}
    contract = Contract(tuple(Column(name, kind, n_distinct=frame[name].n_unique()) for name, kind in kinds.items()))
    task = Task(TaskKind.REGRESSION, "y", "rmse", time=time)
    if set(np.unique(target)) <= {0, 1}:
        task = Task(TaskKind.BINARY, "y", "roc_auc", ("no", "yes"), time=time)
    return Material.prepare(Problem(frame, target, weight, contract, task))


def kept(material: Material, *, how: How = How.RANDOM, budget: float | None = None, seconds: float = 1.0) -> set[str]:
    run = Run(catalogue(), lambda: 0.0, 0.0, budget, None if budget else 3)
    use_threads(1)
    found = with_encodings(material, run, how=how, round_seconds=0.001, search_seconds=seconds)
    assert found.base is material.base
    return {step.column for step in found.recipe.encoded}


def levels(codes: np.ndarray) -> list[str]:
    return [f"level {code}" for code in codes]


@pytest.mark.slow
def test_a_column_whose_levels_tell_is_encoded():
    rng = np.random.default_rng(0)
    shop, noise = rng.integers(0, LEVELS, (2, N))
    target = rng.normal(size=LEVELS)[shop] + rng.normal(size=N)
    columns = {"shop": levels(shop), "noise": levels(noise), "x": rng.normal(size=N)}
    assert {s.column for s in material_of(target, columns).recipe.encoded} == {"shop", "noise"}
    assert "shop" in kept(material_of(target, columns))


@pytest.mark.slow
def test_noise_is_kept_about_as_often_as_one_standard_error_lets_it():
    rng = np.random.default_rng(1)
    n_kept = 0
    for _ in range(20):
        columns = {"noise": levels(rng.integers(0, LEVELS, 1_000)), "x": rng.normal(size=1_000)}
        n_kept += bool(kept(material_of((columns["x"] + rng.normal(size=1_000) > 0).astype(int), columns)))
    assert n_kept <= 8  # of 20 with a chance of 0.16 each, once in a thousand times more than 8


@pytest.mark.slow
def test_rows_in_time_are_judged_by_the_past():
    # A level means something new in each quarter: its mean tells about rows of the same days, not about later ones.
    rng = np.random.default_rng(2)
    n_rows, n_levels = 3 * N, 1_000
    shop, day = rng.integers(0, n_levels, n_rows), np.arange(n_rows, dtype=np.float64)
    target = rng.normal(size=(4, n_levels))[(4 * np.arange(n_rows)) // n_rows, shop] + 0.1 * rng.normal(size=n_rows)
    material = material_of(target, {"shop": levels(shop), "day": day}, time="day")
    assert kept(material, how=How.RANDOM) == {"shop"}
    assert kept(material, how=How.TIME) == set()


@pytest.mark.slow
def test_means_come_from_more_rows_than_the_quick_model_learns_from():
    # Sixty thousand rows see a level twelve times, the quick model's ten thousand see it twice.
    rng = np.random.default_rng(3)
    n_rows, n_levels = 60_000, 5_000
    shop = rng.integers(0, n_levels, n_rows)
    target = rng.normal(size=n_levels)[shop] + 2.0 * rng.normal(size=n_rows)
    material = material_of(target, {"shop": levels(shop), "x": rng.normal(size=n_rows)})
    assert n_rows < MEANS_ROWS_MOST
    assert kept(material) == {"shop"}


def test_short_runs_and_few_rows_keep_what_the_recipe_names():
    rng = np.random.default_rng(4)
    columns = {"noise": levels(rng.integers(0, LEVELS, N)), "x": rng.normal(size=N)}
    target = rng.normal(size=N)
    assert kept(material_of(target, columns), budget=1.0, seconds=1.0) == {"noise"}
    assert kept(material_of(target[:400], {k: v[:400] for k, v in columns.items()})) == {"noise"}


def test_predictions_come_fold_after_fold_and_weights_count():
    rng = np.random.default_rng(5)
    shop = rng.integers(0, 20, 600)
    target = rng.normal(size=20)[shop]
    columns = {"shop": levels(shop), "x": rng.normal(size=600)}
    run = Run(catalogue(), lambda: 0.0, 0.0, None, 3)
    folds = [Fold(np.arange(300), np.arange(599, 299, -1)), Fold(np.arange(300, 600), np.arange(300))]
    told = encoded_out_of_fold(material_of(target, columns), folds, run)
    assert np.corrcoef(told, target[np.concatenate([f.valid for f in folds])])[0, 1] > 0.9
    weight = np.where(np.arange(600) % 2 == 0, 1.0, 1e-3)
    mixed = np.where(np.arange(600) % 2 == 0, 1.0, -1.0) + 0.01 * target
    alike = encoded_out_of_fold(material_of(mixed, columns), folds, run)
    weighted = encoded_out_of_fold(material_of(mixed, columns, weight=weight), folds, run)
    assert weighted.mean() > 0.8
    assert abs(alike.mean()) < 0.3
