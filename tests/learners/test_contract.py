"""All seven learners keep the promises of the port."""

from __future__ import annotations

import numpy as np
import pytest

from modelwright.core.errors import InvalidPackage
from modelwright.core.ports import Curve
from modelwright.learners.catboost import CatBoost
from modelwright.learners.constant import Constant, ConstantModel
from modelwright.learners.contract import checks
from modelwright.learners.forest import Forest
from modelwright.learners.lightgbm import LightGBM
from modelwright.learners.linear import Linear
from modelwright.learners.neighbours import Neighbours
from modelwright.learners.xgboost import XGBoost

MAKERS = {
    "constant": Constant,
    "linear": Linear,
    "neighbours": Neighbours,
    "extra_trees": lambda: Forest(trees=20),
    "random_forest": lambda: Forest(extra=False, trees=20),
    "lightgbm": lambda: LightGBM(rounds=30),
    "catboost": lambda: CatBoost(rounds=30),
    "xgboost": lambda: XGBoost(rounds=30),
}
QUICK = ("constant", "linear", "neighbours")


def is_quick(name: str, promise: str) -> bool:
    """Whether a case runs in every fast run: all of the light learners, a part of those with libraries."""
    return name in QUICK or promise.endswith("_binary" if name == "lightgbm" else "_sound_binary")


CASES = [
    pytest.param(
        check,
        id=f"{name}-{check.__name__}",
        marks=() if is_quick(name, check.__name__) else pytest.mark.slow,
    )
    for name, make in MAKERS.items()
    for check in checks(make)
]


@pytest.mark.parametrize("check", CASES)
def test_a_learner_keeps_the_promises(check):
    check()


class Forgetful(Constant):
    """Breaks promises on purpose: a check that cannot fail proves nothing."""

    def fit(self, lesson):
        values = lesson.matrix.values
        if values.flags.writeable and values.size:
            values[0] = 0.0
        answer = np.random.default_rng().normal(size=lesson.n_classes or ())
        return ConstantModel(np.asarray(answer)), Curve(rounds=tuple(range(300)))


def test_checks_fail_on_a_learner_that_breaks_its_promises():
    broken = {}
    for check in checks(Forgetful):
        try:
            check()
        except (AssertionError, InvalidPackage) as error:
            broken[check.__name__] = str(error)
    for promise in ("answers_are_sound_binary", "the_same_lesson_gives_the_same_model_regression", "it_learns_binary"):
        assert promise in broken
