from __future__ import annotations

from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints

import numpy as np
import pytest

from modelwright.core.errors import InvalidPackage
from modelwright.core.matrix import Feature, Matrix
from modelwright.core.ports import FEW_ROWS, Fitted, Lesson, Single
from modelwright.core.state import State
from modelwright.learners import restoring
from modelwright.learners.blend import Blend
from modelwright.learners.calibration import Calibrator
from modelwright.learners.constant import Constant
from modelwright.learners.forest import Forest
from modelwright.learners.lightgbm import LightGBM
from modelwright.learners.linear import Linear
from modelwright.learners.neighbours import Neighbours
from modelwright.learners.neural import Neural

FEATURES = tuple(Feature(f"f{i}", "f") for i in range(3))


def lesson_of(n_classes: int) -> Lesson:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(150, 3)).astype(np.float32)
    effect = values[:, 0] + 0.3 * rng.normal(size=150)
    target = np.digitize(effect, [0.0, 1.0][: n_classes - 1]).astype(np.int64) if n_classes else effect
    return Lesson(Matrix(values, FEATURES), target, n_classes)


def members_of(lesson: Lesson) -> tuple[Fitted, ...]:
    learners = (Constant(), Linear(), Neighbours(), Forest(trees=10), LightGBM(rounds=5))
    return tuple(learner.fit(lesson)[0] for learner in learners)


@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize("is_calibrated", [False, True])
def test_a_blend_averages_and_travels(n_classes, is_calibrated):
    lesson = lesson_of(n_classes)
    members, weights = members_of(lesson), np.array([1.0, 2.0, 0.0, 3.0, 4.0])
    calibrator = Calibrator("affine", 0.7, np.linspace(0, 1, n_classes)) if is_calibrated and n_classes else None
    blend = Blend(members, weights, calibrator)
    assert isinstance(blend, Fitted)
    assert len(blend.members) == 4
    mean = sum(w / 10 * m.predict(lesson.matrix) for w, m in zip(weights, members, strict=True))
    expected = mean if calibrator is None else calibrator.apply(mean)
    told = blend.predict(lesson.matrix)
    assert np.allclose(told, expected, atol=1e-12)
    if n_classes:
        assert np.allclose(told.sum(axis=1), 1)
    again = restoring.restore(blend.state())
    assert np.array_equal(again.predict(lesson.matrix), told)
    assert again.state().fingerprint == blend.state().fingerprint
    one = blend.predict(lesson.matrix.take(np.array([7])))
    assert np.allclose(one[0], told[7], atol=1e-9)
    trees = Blend(members[-1:], np.ones(1), calibrator)  # sums of trees are the same alone and among many
    alone = np.array([trees.predict(lesson.matrix.take(np.array([i])))[0] for i in range(FEW_ROWS + 2)])
    for n in range(2, FEW_ROWS + 3):
        assert np.array_equal(trees.predict(lesson.matrix.take(np.arange(n))), alone[:n])


@pytest.mark.parametrize("n_classes", [0, 2])
def test_one_row_a_few_and_many_are_answered_alike_whoever_the_members_are(n_classes):
    lesson = lesson_of(n_classes)
    network, _ = Neural(rounds=2).fit(lesson)
    assert isinstance(network, Single)
    assert 0 < network.rows_alone < FEW_ROWS  # some few rows go one way, some the other
    blend = Blend((*members_of(lesson), network), np.array([1.0, 1.0, 1.0, 1.0, 1.0, 3.0]))
    many = blend.predict(lesson.matrix)
    for n in range(1, FEW_ROWS + 1):
        assert np.allclose(blend.predict(lesson.matrix.take(np.arange(n))), many[:n], atol=1e-9)


class Wild:
    """A member that goes astray."""

    def __init__(self, answer: np.ndarray) -> None:
        self.answer = answer

    def predict(self, matrix: Matrix) -> np.ndarray:
        return self.answer

    def state(self) -> State:
        return State("wild")


def test_values_are_finite_whatever_a_member_says():
    matrix = lesson_of(0).matrix.take(np.arange(3))
    told = Blend((Wild(np.array([np.nan, np.inf, 1.0])),), np.ones(1)).predict(matrix)
    assert np.isfinite(told).all()


def test_members_of_different_tasks_are_refused():
    matrix = lesson_of(0).matrix.take(np.arange(2))
    blend = Blend((Wild(np.ones(2)), Wild(np.full((2, 2), 0.5))), np.ones(2))
    with pytest.raises(InvalidPackage, match="same question"):
        blend.predict(matrix)


CONSTANT = Constant().fit(lesson_of(2))[0].state()


@pytest.mark.parametrize(
    "state",
    [
        State("blend"),
        State("blend", arrays={"weights": np.ones(2)}, parts={"member_0": CONSTANT}),
        State("blend", arrays={"weights": -np.ones(1)}, parts={"member_0": CONSTANT}),
        State("blend", arrays={"weights": np.ones(1)}, parts={"other": CONSTANT}),
        State("blend", arrays={"weights": np.ones(1)}, parts={"member_0": CONSTANT, "calibrator": CONSTANT}),
        State("blend", arrays={"weights": np.ones(1)}, parts={"member_0": State("os")}),
        State("blend", arrays={"weights": np.ones(1)}, parts={"member_0": State("calibrator")}),
        State("constant", {"is_value": False}, {"answer": np.array([0.9, 0.9])}),
        State("constant", {"is_value": True}, {"answer": np.array(["a"], dtype=object)}),
    ],
)
def test_an_altered_state_is_refused(state):
    with pytest.raises(InvalidPackage):
        restoring.restore(state)


class Plugin:
    """What an installed plug-in offers."""

    @classmethod
    def restore(cls, state: State) -> Wild:
        return Wild(np.zeros(1))


def test_installed_plug_ins_bring_back_their_own_kinds(monkeypatch):
    point = EntryPoint("wild", f"{__name__}:Plugin", restoring.PLUGIN_GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda self: Plugin)
    monkeypatch.setattr(restoring, "entry_points", lambda group: EntryPoints([point]))
    assert isinstance(restoring.restore(State("wild")), Wild)


def test_a_constant_is_the_weighted_mean_or_share():
    lesson = lesson_of(0)
    weight = np.linspace(0, 1, 150) + 0.1
    told = Constant().fit(replace(lesson, weight=weight))[0].predict(lesson.matrix)
    assert told == pytest.approx(np.average(lesson.target, weights=weight))
    labels = replace(lesson_of(2), n_classes=3)
    shares = Constant(smoothing=1.0).fit(labels)[0].predict(labels.matrix)[0]
    assert shares[2] == pytest.approx(1 / 153)
