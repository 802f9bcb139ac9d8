"""Chances redrawn by what came true."""

from __future__ import annotations

import numpy as np
import pytest

from modelwright.learners.redrawing import Monotone, redraw


def pair(chances):
    return np.column_stack([1 - chances, chances])


def bent(margins):
    return margins + 0.5 * np.sin(2.5 * margins)


TRUTHS = {"as told": lambda m: m, "overconfident": lambda m: m / 1.5, "shifted": lambda m: m - 0.5, "bent": bent}


def told_and_true(truth, n_rows, rng):
    told = 1 / (1 + np.exp(-1.5 * rng.standard_normal(n_rows)))
    true = 1 / (1 + np.exp(-TRUTHS[truth](np.log(told / (1 - told)))))
    return told, true, (rng.random(n_rows) < true).astype(np.int64)


def test_redrawn_chances_are_the_reference_librarys():
    from sklearn.isotonic import IsotonicRegression

    rng = np.random.default_rng(0)
    chances = rng.random(2_000).round(2)  # with ties
    target = (rng.random(2_000) < chances**1.5).astype(np.int64)
    least = 0.5 / len(chances)
    theirs = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip").fit(chances, target)
    new = np.array([-0.5, *rng.random(500), 1.5])
    ours = Monotone.of(np.column_stack([1 - chances, chances]), target).apply(np.column_stack([1 - new, new]))
    assert ours[:, 1] == pytest.approx(theirs.predict(new), abs=1e-12)
    assert ours.sum(axis=1) == pytest.approx(1)


def test_redrawn_chances_come_true():
    rng = np.random.default_rng(1)
    chances = rng.random(20_000)
    truth = chances**2
    scores = np.column_stack([1 - chances, chances])
    learnt = Monotone.of(scores[:10_000], (rng.random(10_000) < truth[:10_000]).astype(np.int64))
    assert np.abs(learnt.apply(scores[10_000:])[:, 1] - truth[10_000:]).mean() < 0.02
    assert np.abs(scores[10_000:, 1] - truth[10_000:]).mean() > 0.15


def off(truth, n_rows, seed):
    """How far from the truth chances are as they are, redrawn by what rises, and averaged."""
    rng = np.random.default_rng(seed)
    told, _, target = told_and_true(truth, n_rows, rng)
    new, its_truth, _ = told_and_true(truth, 2_000, rng)
    ways = (lambda scores: scores, Monotone.of(pair(told), target).apply, redraw(pair(told), target, seed=seed).apply)
    return [np.abs(way(pair(new))[:, 1] - its_truth).mean() for way in ways]


def test_the_average_is_nearer_the_truth_than_either_way_alone_whatever_the_truth_is():
    as_told, rising, averaged = np.mean([off(t, n, s) for t in TRUTHS for n in (300, 1_500) for s in range(5)], axis=0)
    assert averaged < 0.6 * rising
    assert averaged < 0.6 * as_told


@pytest.mark.parametrize("truth", TRUTHS)
def test_the_average_comes_to_the_truth_with_many_outcomes(truth):
    assert off(truth, 20_000, seed=0)[2] < 0.016


def test_chances_of_many_labels_are_redrawn_too():
    rng = np.random.default_rng(2)
    true = rng.dirichlet([0.5] * 4, 6_000)
    target = (true.cumsum(axis=1) > rng.random((6_000, 1))).argmax(axis=1)
    told = true**3 / (true**3).sum(axis=1, keepdims=True)
    found = redraw(told[:3_000], target[:3_000]).apply(told[3_000:])
    assert found.sum(axis=1) == pytest.approx(1)
    assert np.abs(found - true[3_000:]).mean() < 0.2 * np.abs(told[3_000:] - true[3_000:]).mean()


def test_few_outcomes_redraw_nothing_and_one_label_alone_is_survived():
    chances = np.linspace(0.1, 0.9, 400)
    assert redraw(pair(chances[:199]), np.zeros(199, dtype=np.int64)) is None
    found = redraw(pair(chances), np.zeros(400, dtype=np.int64)).apply(pair(chances))
    assert found[:, 1].max() < 0.1
    assert found.min() >= 0
