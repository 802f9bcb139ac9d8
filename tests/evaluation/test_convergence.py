"""Convergence: each verdict on a curve of its shape, and what the evidence keeps of a curve."""

import numpy as np
import pytest

from modelwright.core.ports import Curve
from modelwright.evaluation.convergence import describe, verdict

ROUNDS = tuple(range(1, 301))
X = np.arange(300)
FALLING = 0.7 - 0.001 * X
FLAT = 0.3 + 0.4 * np.exp(-X / 20)
OVERFIT = FLAT + np.maximum(X - 150, 0) * 5e-4
NOISE = 0.002 * np.random.default_rng(0).normal(size=300)


def curve(losses, ended, **more):
    losses = tuple(float(v) for v in losses)
    best = int(np.nanargmin(losses)) + 1 if losses else 0
    return Curve("log_loss", ROUNDS[: len(losses)], (), losses, best, ended, **more)


@pytest.mark.parametrize(
    ("losses", "ended", "known"),
    [
        (FALLING, "time", "still improving"),
        (FALLING, "rounds", "still improving"),
        (FALLING + NOISE, "rounds", "still improving"),
        (FLAT, "rounds", "converged"),
        (FLAT + NOISE, "patience", "converged"),
        (FLAT + NOISE, "time", "converged"),
        (OVERFIT, "patience", "stopped early"),
        (OVERFIT + NOISE, "rounds", "stopped early"),
        (np.full(300, 0.4), "rounds", "converged"),
        (FLAT[:1], "time", "still improving"),
        (FLAT[:2], "patience", "converged"),
        ((), "", "converged"),
    ],
)
def test_each_shape_has_its_verdict(losses, ended, known):
    assert verdict(curve(losses, ended)) == known


def test_the_lesson_is_judged_where_there_is_no_exam():
    falling = Curve("rmse", ROUNDS, tuple(FALLING), (), 300, "rounds")
    assert verdict(falling) == "still improving"


def test_values_that_are_not_numbers_are_passed_over():
    losses = FLAT.copy()
    losses[5] = np.nan
    losses[7] = np.inf
    assert verdict(curve(losses, "patience")) == "converged"


def test_long_curves_are_thinned_and_keep_ends_and_best():
    n = 5000
    losses = tuple((np.arange(n) - 1234.0) ** 2)
    found = describe("lgb", Curve("mse", tuple(range(n)), losses, losses, 1234, "patience"))
    assert found["verdict"] == "stopped early"
    assert len(found["rounds"]) == len(found["valid"]) == len(found["fit"]) <= 200
    assert {0, 1234, n - 1} <= set(found["rounds"])


def test_a_short_curve_is_kept_whole():
    found = describe("lgb", Curve("mse", (1, 2), (), (3.0, 2.0), 2, "rounds"))
    assert found == {
        "name": "lgb",
        "verdict": "still improving",
        "rounds": [1, 2],
        "metric": "mse",
        "fit": [],
        "valid": [3.0, 2.0],
        "best_round": 2,
        "ended": "rounds",
    }
