"""The leaderboard: order, ties by paired intervals, and the luck of the best of many."""

import numpy as np
import pytest

from modelwright.evaluation.leaderboard import rank


def entry(name, losses, **more):
    return {"name": name, "learner": "linear", "score": float(np.nanmean(losses)), "losses": losses, **more}


def test_a_shared_difficulty_of_rows_does_not_hide_a_difference():
    rng = np.random.default_rng(0)
    hard = rng.exponential(10, 300)
    ranked = rank(
        [entry("worse", hard + 0.5 + 0.1 * rng.normal(size=300)), entry("best", hard), entry("equal", hard.copy())],
        greater_is_better=False,
    )
    assert [(e["name"], e["tied"]) for e in ranked] == [("best", True), ("equal", True), ("worse", False)]
    assert ranked[2]["low"] > 0.4
    assert "losses" not in ranked[0]


def test_what_else_is_known_is_kept_and_names_settle_equal_scores():
    ranked = rank([entry("b", np.ones(5), folds=5), entry("a", np.ones(5), folds=3)], greater_is_better=True)
    assert [(e["name"], e["folds"], e["tied"]) for e in ranked] == [("a", 3, True), ("b", 5, True)]


def test_the_order_follows_the_direction_of_the_score():
    entries = [{**entry("x", np.ones(4)), "score": 0.7}, {**entry("y", np.ones(4)), "score": 0.9}]
    assert rank(entries, greater_is_better=True)[0]["name"] == "y"
    assert rank(entries, greater_is_better=False)[0]["name"] == "x"


def test_a_score_that_is_not_a_number_comes_last():
    entries = [{**entry("x", np.ones(4)), "score": float("nan")}, entry("y", np.ones(4))]
    assert [e["name"] for e in rank(entries, greater_is_better=True)] == ["y", "x"]


def test_only_rows_both_were_asked_about_are_compared():
    losses = np.array([1.0, np.nan, 2.0, 3.0])
    ranked = rank([entry("all", np.array([1.0, 9.0, 2.0, 3.0])), entry("some", losses)], greater_is_better=True)
    assert ranked[1]["low"] == ranked[1]["high"] == 0.0


@pytest.mark.parametrize("n", [0, 1])
def test_few_entries_and_few_rows(n):
    assert (
        rank([entry("only", np.ones(1))] * n, greater_is_better=True)
        == [{"name": "only", "learner": "linear", "score": 1.0, "low": 0.0, "high": 0.0, "tied": True}] * n
    )
    pair = rank([entry("a", np.array([1.0])), entry("b", np.array([2.0]))], greater_is_better=False)
    assert pair[1]["tied"]


def test_twelve_equal_candidates_are_seldom_told_apart():
    told_apart = 0
    for seed in range(100):
        losses = np.random.default_rng(seed).normal(1, 1, (12, 150))
        ranked = rank([entry(str(i), each) for i, each in enumerate(losses)], greater_is_better=False)
        told_apart += not all(e["tied"] for e in ranked)
    # Without the correction for many comparisons about a third would be.
    assert told_apart <= 18


def test_weights_count():
    losses = np.array([0.0, 1.0, 0.0, 1.0])
    ranked = rank(
        [{**entry("a", np.zeros(4)), "score": 0.0}, {**entry("b", losses), "score": 1.0}],
        greater_is_better=False,
        weight=np.array([1.0, 3.0, 1.0, 3.0]),
    )
    assert (ranked[1]["low"] + ranked[1]["high"]) / 2 == pytest.approx(0.75)
