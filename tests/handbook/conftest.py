"""Samples of small tables, and each entry's experiment on its own table, run once."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest
from threadpoolctl import threadpool_limits

from modelwright.core.settings import Settings
from modelwright.flows.api import run_of
from modelwright.flows.handbook import Studied, opened, study


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Let the libraries that check us work in one thread too: beside other work waiting threads cost minutes."""
    with threadpool_limits(1):
        yield


@cache
def _studied(name: str) -> Studied:
    settings = Settings.of({"target": "unused"})
    return study(name, None, None, run_of(settings))


@pytest.fixture(scope="session")
def studied():
    """Return an entry's experiment on the table that comes with it."""
    return _studied


@pytest.fixture(scope="session")
def sample_of_frame():
    """Return the sample of a frame."""

    def made(frame: pl.DataFrame, target: str = "y", **about: object):
        settings = Settings.of({"target": target, **about})
        return opened(frame, settings, run_of(settings), "wine")[0]

    return made


@pytest.fixture(scope="session")
def tables() -> dict[str, pl.DataFrame]:
    """Small tables of every kind: binary with gaps and categories, many labels, numbers, texts and dates."""
    rng = np.random.default_rng(0)
    n = 260
    a, b, c = rng.normal(size=n), rng.exponential(3, n) * 100, rng.choice(["red", "green", "blue", "grey"], n)
    yes = a + (c == "red") - 0.004 * b + 0.5 * rng.normal(size=n) > 0
    mixed = pl.DataFrame({"a": a, "b": b, "c": c, "y": np.where(yes, "yes", "no")})
    gappy = mixed.with_columns(pl.when(pl.col("a") > 0.9).then(None).otherwise(pl.col("a")).alias("a"))
    words = ["good", "fine", "bad", "awful", "late", "broken", "quick", "kind", "the", "a", "parcel", "shop"]
    texts = [" ".join(rng.choice(words, 7)) for _ in range(n)]
    days = [f"20{10 + i % 9}-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(n)]
    mood = [t.count("bad") + t.count("awful") + t.count("broken") > 1 for t in texts]
    return {
        "binary": gappy,
        "labels": mixed.drop("y").with_columns(
            pl.Series("y", [f"k{int(v)}" for v in np.digitize(a, [-0.9, -0.2, 0.3, 1])])
        ),
        "numbers": mixed.drop("y").with_columns(
            pl.Series("y", 3 * a - 0.01 * b + (c == "red") * 2 + rng.normal(size=n))
        ),
        "texts": pl.DataFrame({"text": texts, "day": days, "y": ["bad" if m else "good" for m in mood]}),
        "one_column": mixed.select("a", "y"),
    }
