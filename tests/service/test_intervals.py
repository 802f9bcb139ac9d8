"""The intervals that the service gives for numbers hold the truth as often as it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

import modelwright
from modelwright.evaluation.conformal import COVERAGE
from modelwright.packaging.package import Sealed
from modelwright.service.policy import Policy
from modelwright.service.scorer import Scorer
from modelwright.service.sources import PackageSource

N_SEALED, N_DRAWS = 59, 300


def houses(rng, n):
    """Return rows like those of ``house_csv``, and their prices."""
    size, age = rng.normal(120, 30, n).clip(30), rng.integers(0, 80, n)
    street = rng.choice(["oak", "elm", "ash"], n)
    price = 2000 * size - 900 * age + 20_000 * (street == "elm") + rng.normal(0, 8000, n)
    return [
        {"size": f"{s:.1f}", "age": int(a), "street": str(t)} for s, a, t in zip(size, age, street, strict=True)
    ], price


def scorer_of(path, sealed=None):
    package = modelwright.load(path).package
    package = package if sealed is None else replace(package, sealed=sealed)
    return Scorer(package, PackageSource(path).current(), Policy())


def test_they_cover_in_the_mean_over_sealed_rows(house_model):
    rows, price = houses(np.random.default_rng(11), 40_000)
    scorer = scorer_of(house_model.path)
    told = np.array(scorer.answer(rows).predictions)
    rng, shares = np.random.default_rng(12), []
    for _ in range(N_DRAWS):
        chosen = rng.choice(len(rows), N_SEALED + 2000, replace=False)
        seen, new = chosen[:N_SEALED], chosen[N_SEALED:]
        sealed = Sealed(tuple(f"{i:032x}" for i in seen), price[seen], told[seen])
        asked = replace_sealed(scorer, sealed)
        bounds = np.array([asked.interval(value) for value in told[new]])
        shares.append(np.mean((bounds[:, 0] <= price[new]) & (price[new] <= bounds[:, 1])))
    # With n sealed rows the expected share lies between the coverage and the coverage + 1 / (n + 1).
    spread = 4 * np.std(shares) / np.sqrt(N_DRAWS)
    assert COVERAGE - spread < np.mean(shares) < COVERAGE + 1 / (N_SEALED + 1) + spread
    assert spread < 0.01  # narrow enough that 85 % or 95 % would be seen


def replace_sealed(scorer, sealed):
    package = replace(scorer.package, sealed=sealed)
    return Scorer(package, scorer.pointer, Policy())


def test_the_service_gives_them(make_desk, house_model):
    desk = make_desk(package=house_model.path)
    rows, price = houses(np.random.default_rng(13), 2000)
    answer = desk.ask("POST", "/predict", {"records": rows})[2]
    bounds = np.array(answer["intervals"])
    assert np.all(bounds[:, 0] <= answer["predictions"])
    assert np.allclose(bounds.mean(axis=1), answer["predictions"])
    held = np.mean((bounds[:, 0] <= price) & (price <= bounds[:, 1]))
    n = len(desk.package.sealed.target)
    rank = np.ceil((n + 1) * COVERAGE)
    # Of one set of n sealed rows the share is Beta(rank, n + 1 - rank); the model that answers learnt from all rows.
    low, high = np.quantile(np.random.default_rng(0).beta(rank, n + 1 - rank, 100_000), [0.0005, 0.9995])
    assert low - 0.03 < held < min(high + 0.03, 1.0)
    assert Path(house_model.path).exists()
