"""Influence: the derivative of each measure in each row's weight, checked by moving the weight a little."""

import numpy as np
import pytest

from modelwright.core.metrics import MEASURES
from modelwright.core.task import TaskKind
from modelwright.evaluation import _ends, _ranks
from modelwright.evaluation._influence import influence
from modelwright.evaluation._judged import judged
from modelwright.evaluation.metrics import of

STEP = 1e-5


def drawn(kind, seed):
    rng = np.random.default_rng(seed)
    n = 40
    if kind is TaskKind.REGRESSION:
        target = rng.normal(size=n) * 3
        target[0] = 0.0
        return target, target + rng.normal(size=n)
    k = 2 if kind is TaskKind.BINARY else 4
    target = np.concatenate([np.arange(k), rng.integers(0, k, n - k)])
    raw = rng.integers(1, 9, (n, k)) + 3.0 * np.eye(k)[target]
    return target, raw / raw.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("kind", list(TaskKind))
@pytest.mark.parametrize("name", list(MEASURES))
def test_influence_is_the_derivative_in_the_weight(name, kind):
    if kind not in MEASURES[name].kinds:
        return
    target, scores = drawn(kind, 7)
    weight = np.random.default_rng(1).integers(1, 4, len(target)).astype(float)
    values = kind is TaskKind.REGRESSION
    rows = judged(target, scores, weight=weight, values=values)
    found = influence(name, rows)
    assert weight @ found == pytest.approx(0, abs=1e-6)
    if name == "calibration_error":
        return  # a row's weight also moves the edges of the bins, which influence holds fixed
    for i in range(0, len(target), 5):
        moved = []
        for side in (1, -1):
            nudged = weight.copy()
            nudged[i] += side * STEP
            moved.append(of(name, judged(target, scores, weight=nudged, values=values)))
        assert found[i] / weight.sum() == pytest.approx((moved[0] - moved[1]) / (2 * STEP), abs=1e-6)


def test_the_standard_error_of_roc_auc_is_delongs():
    target, scores = drawn(TaskKind.BINARY, 2)
    positive, score = target == 1, scores[:, 1]
    wins = (score[positive][:, None] > score[~positive]) + 0.5 * (score[positive][:, None] == score[~positive])
    known = wins.mean(1).var(ddof=1) / positive.sum() + wins.mean(0).var(ddof=1) / (~positive).sum()
    moved = _ranks.roc_auc_influence(positive, score, np.ones(len(target)))
    error, _ = _ends.standard_error_by_group(moved, np.ones(len(target)), target)
    assert error**2 == pytest.approx(known)
    assert _ranks.roc_auc(positive, score, np.ones(len(target))) == pytest.approx(wins.mean())


def test_the_standard_error_of_a_mean_is_the_textbook_one():
    target, scores = drawn(TaskKind.REGRESSION, 3)
    rows = judged(target, scores, values=True)
    losses = np.abs(target - scores)
    error = _ends.standard_error(influence("mae", rows), rows.weight)
    assert error == pytest.approx(losses.std(ddof=1) / np.sqrt(len(losses)))
