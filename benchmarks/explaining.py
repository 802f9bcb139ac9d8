"""How long the reasons of 10,000 rows take beside the reference library, and how far the two differ.

    python benchmarks/explaining.py > benchmarks/results/explaining.md

Needs shap. Boosters of several shapes on made rows; both explain the same rows, in turns, on one thread. Shapley values
are compared one by one, and their sums with the margin that LightGBM itself predicts.
"""

from __future__ import annotations

import platform
import time
import warnings
from typing import Any

import lightgbm
import numpy as np
import shap

from modelwright.learners import _text
from modelwright.learners._tree_shap import Grove

ROWS_LEARNT, ROWS, TURNS = 20_000, 10_000, 5
SHAPES: dict[str, dict[str, Any]] = {
    "binary, 10 columns, 100 trees of 15 leaves": {"columns": 10, "rounds": 100, "num_leaves": 15},
    "binary, 20 columns, 200 trees of 31 leaves": {"columns": 20, "rounds": 200, "num_leaves": 31},
    "regression, 40 columns, 200 trees of 31 leaves": {
        "columns": 40,
        "rounds": 200,
        "num_leaves": 31,
        "objective": "regression",
    },
    "regression, 20 columns, 100 trees of 127 leaves": {
        "columns": 20,
        "rounds": 100,
        "num_leaves": 127,
        "objective": "regression",
    },
    "five labels, 20 columns, 60 rounds of 31 leaves": {
        "columns": 20,
        "rounds": 60,
        "num_leaves": 31,
        "objective": "multiclass",
        "num_class": 5,
    },
}


def table_of(columns: int, n_rows: int, seed: int) -> tuple[Any, Any]:
    """Return made rows with gaps, and a value that depends on some of their columns."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n_rows, columns)).astype(np.float32)
    effect = values[:, 0] + values[:, 1] * values[:, 2] + np.sin(3 * values[:, 3]) + 0.5 * rng.normal(size=n_rows)
    values[rng.random(values.shape) < 0.05] = np.nan
    return values, effect


def main() -> None:
    """Measure every shape and print a table."""
    print("# Reasons of 10,000 rows beside shap\n")
    print(f"`python benchmarks/explaining.py`: shap {shap.__version__}, LightGBM {lightgbm.__version__}, ", end="")
    print(f"Python {platform.python_version()}, one thread, median of {TURNS} turns; ratios are of turns in pairs.\n")
    print("| booster | ours, s | shap, s | shap / ours | largest difference | sums off by |")
    print("|---|--:|--:|--:|--:|--:|")
    for name, given in SHAPES.items():
        shape = dict(given)
        columns, rounds = shape.pop("columns"), shape.pop("rounds")
        settings = {"objective": "binary", "verbose": -1, "num_threads": 1, "learning_rate": 0.05, **shape}
        values, effect = table_of(columns, ROWS_LEARNT, 0)
        many, _ = table_of(columns, ROWS, 1)
        n_outputs = settings.get("num_class", 1)
        ends = np.quantile(effect, np.linspace(0, 1, max(n_outputs, 2) + 1)[1:-1])
        target = effect if settings["objective"] == "regression" else np.digitize(effect, ends)
        booster = lightgbm.train(settings, lightgbm.Dataset(values, target), rounds)
        text = _text.condense(booster.model_to_string(), n_features=columns, n_outputs=n_outputs)
        ours, theirs, told = [], [], None
        for _ in range(TURNS):
            begun = time.perf_counter()
            grove = Grove.of(text, None, n_outputs, values)
            found = grove.attribute(many)
            ours.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                told = np.asarray(shap.TreeExplainer(booster).shap_values(many))
            theirs.append(time.perf_counter() - begun)
        told = told[..., None] if told.ndim == 2 else told
        margins = booster.predict(many, raw_score=True).reshape(len(many), -1)
        apart, off = np.abs(found - told).max(), np.abs(grove.start + found.sum(axis=1) - margins).max()
        ratio = np.median(np.array(theirs) / np.array(ours))
        print(
            f"| {name} | {np.median(ours):.2f} | {np.median(theirs):.2f} | {ratio:.1f} | {apart:.0e} | {off:.0e} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
