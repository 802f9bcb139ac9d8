from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.core.errors import InvalidPackage
from modelwright.core.state import State
from modelwright.learners.calibration import Calibrator, fit_calibrator


def drawn(n_rows: int, n_classes: int, seed: int, spread: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """True probabilities and labels drawn from them."""
    rng = np.random.default_rng(seed)
    margins = spread * rng.normal(size=(n_rows, n_classes))
    shares = np.exp(margins) / np.exp(margins).sum(axis=1, keepdims=True)
    labels = (shares.cumsum(axis=1) > rng.random((n_rows, 1))).argmax(axis=1)
    return shares, labels


def sharpened(shares: np.ndarray, power: float, offset: np.ndarray | float = 0.0) -> np.ndarray:
    told = np.exp(power * np.log(shares) + offset)
    return told / told.sum(axis=1, keepdims=True)


def log_loss(told: np.ndarray, labels: np.ndarray) -> float:
    return -float(np.log(told[np.arange(len(labels)), labels]).mean())


@pytest.mark.parametrize("n_classes", [2, 4])
def test_overconfident_answers_are_cooled(n_classes):
    shares, labels = drawn(3000, n_classes, 0)
    told = sharpened(shares, 3.0)
    found = fit_calibrator(told, labels, seed=0)
    assert found is not None
    assert found.slope == pytest.approx(1 / 3, abs=0.06)
    new_shares, new_labels = drawn(3000, n_classes, 1)
    new = sharpened(new_shares, 3.0)
    assert log_loss(found.apply(new), new_labels) < log_loss(new, new_labels) - 0.05
    assert np.abs(found.apply(new) - new_shares).mean() < 0.03


def test_shifted_answers_are_shifted_back():
    shares, labels = drawn(4000, 3, 0)
    told = sharpened(shares, 1.0, np.array([1.5, 0.0, -1.5]))
    found = fit_calibrator(told, labels, seed=0)
    assert found is not None
    assert found.kind == "affine"
    assert np.abs(found.apply(told) - shares).mean() < 0.03


def test_sound_answers_are_mostly_left_alone():
    """Taken for better than none by chance in about one of six tables a kind: one standard error, one side."""
    taken = sum(fit_calibrator(*drawn(1000, 2, seed), seed=seed) is not None for seed in range(40))
    assert taken <= 14


def test_few_rows_are_not_enough():
    shares, labels = drawn(150, 2, 0)
    assert fit_calibrator(sharpened(shares, 4.0), labels) is None


def test_certain_and_wrong_answers_are_survived():
    labels = np.arange(400) % 2
    told = np.eye(2)[np.where(np.arange(400) < 40, 1 - labels, labels)]
    found = fit_calibrator(told, labels, weight=np.linspace(0.5, 1.5, 400))
    assert found is not None
    assert np.isfinite(found.apply(told)).all()
    assert found.apply(told).min() > 0.02


def test_labels_that_are_told_without_error_are_survived():
    labels = np.arange(400) % 3
    told = 0.6 * np.eye(3)[labels] + 0.4 / 3
    found = fit_calibrator(told, labels)
    assert found is not None
    assert found.slope > 1
    assert np.isfinite(found.apply(told)).all()


def test_same_rows_same_calibrator():
    shares, labels = drawn(800, 3, 0)
    told = sharpened(shares, 2.0)
    first, second = (fit_calibrator(told, labels, seed=5) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.state().fingerprint == second.state().fingerprint
    again = Calibrator.restore(first.state())
    assert (again.apply(told) == first.apply(told)).all()


@given(st.floats(0.05, 20), st.lists(st.floats(0, 1), min_size=2, max_size=6))
@settings(max_examples=50, deadline=None)
def test_calibrated_answers_stay_probabilities_in_order(slope, raw):
    told = (np.array([raw]) + 1e-3) / (np.sum(raw) + 1e-3 * len(raw))
    out = Calibrator("temperature", slope, np.zeros(len(raw))).apply(told)
    assert out.sum() == pytest.approx(1)
    order = np.argsort(told[0], kind="stable")
    assert (np.diff(out[0][order]) >= -1e-12).all()


@pytest.mark.parametrize(
    "state",
    [
        State("calibrator"),
        State("calibrator", {"kind": "magic", "slope": 1.0}, {"offset": np.zeros(2)}),
        State("calibrator", {"kind": "affine", "slope": -1.0}, {"offset": np.zeros(2)}),
        State("calibrator", {"kind": "affine", "slope": 1.0}, {"offset": np.array([np.inf, 0.0])}),
    ],
)
def test_an_altered_state_is_refused(state):
    with pytest.raises(InvalidPackage):
        Calibrator.restore(state)
