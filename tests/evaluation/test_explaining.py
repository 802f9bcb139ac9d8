"""Planted truths are found: shapes, weak slices, unfair groups, wrong labels; and nothing where there is nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from modelwright.core.errors import InvalidEvidence
from modelwright.core.score import Score
from modelwright.core.task import Task, TaskKind
from modelwright.evaluation import (
    attribution,
    bias_variance,
    conformal,
    counterfactuals,
    effects,
    fairness,
    fitting,
    label_noise,
    learning_curve,
    level_order,
    similar,
    slices,
)

BINARY = Task(TaskKind.BINARY, "y", "roc_auc", ("no", "yes"))
VALUE = Task(TaskKind.REGRESSION, "y", "rmse")


def share_covered(hits: list[bool]) -> float:
    return float(np.mean(hits))


def test_the_effect_of_a_line_is_the_line():
    x = np.random.default_rng(0).uniform(0, 10, 400)
    found = effects.of_number(x, lambda v: 3 * v)
    edges = np.array(found["at"])
    assert np.allclose(np.diff(found["effect"]), 3 * np.diff(edges))
    assert found["direction"] == "rises"
    assert found["strength"] == pytest.approx(3 * x.std(), rel=0.02)


def test_effects_leave_out_what_other_columns_do():
    rng = np.random.default_rng(1)
    x = rng.normal(size=600)
    z = x + 0.1 * rng.normal(size=600)  # nearly the same: a partial dependence would ask rows that cannot be
    found = effects.of_number(x, lambda v: v * z - z**2)
    at = np.array(found["at"])
    inside = np.abs(at) < 1.5
    expected = at**2 / 2 - (x**2 / 2).mean()
    assert np.abs(np.array(found["effect"]) - expected)[inside].max() < 0.15


def test_intervals_of_effects_cover():
    hits = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        x, z = rng.uniform(0, 1, 300), rng.normal(1.0, 1.0, 300)
        found = effects.of_number(x, lambda v, z=z: v * z, n_bins=10)
        at, low, high = (np.array(found[k]) for k in ("at", "low", "high"))
        # On average over z the answer is v itself, less its mean of one half.
        k = len(at) - 2
        hits.append(bool(low[k] <= at[k] - 0.5 <= high[k]))
    assert 0.92 <= share_covered(hits) <= 0.985


def test_a_constant_or_missing_column_has_no_effect():
    for values in (np.full(20, 2.0), np.full(20, np.nan)):
        assert effects.of_number(values, lambda v: v)["direction"] == "flat"


def cities(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Return a level and a number by row: cities 0, 3, 1, 2 lie along a line, the farther the warmer."""
    rng = np.random.default_rng(seed)
    place = rng.choice(4, n, p=[0.4, 0.3, 0.2, 0.1])
    return place, np.array([0.0, 2.0, 3.0, 1.0])[place] + rng.uniform(-1.5, 1.5, n)


def test_levels_stand_in_the_order_in_which_they_are_alike():
    place, warmth = cities(0)
    assert level_order.order(place, 4, {"warmth": warmth}).tolist() in ([0, 3, 1, 2], [2, 1, 3, 0])
    kind = np.array(["x", "y", "z", "x"], dtype=object)[place]
    kind[np.flatnonzero(place == 3)[::2]] = None
    found = level_order.order(place, 4, {"kind": kind}).tolist()
    assert abs(found.index(0) - found.index(3)) == 1


def test_the_effect_of_levels_is_what_they_add():
    place, warmth = cities(0)
    adds = np.array([0.0, 5.0, -1.0, 2.0])
    found = effects.of_levels(list("abcd"), place, lambda at: adds[at] + warmth, {"warmth": warmth})
    assert np.allclose(found["effect"], adds - adds[place].mean())
    assert found["direction"] == "differs"
    assert effects.of_levels(["a"], place * 0, lambda at: adds[at], {})["at"] == []


def test_the_effect_of_levels_asks_no_rows_that_cannot_be():
    # A cold row in the warmest city would answer a hundred; no such row is, and none is asked.
    place, warmth = cities(1)
    far = np.array([0.0, 2.0, 3.0, 1.0])
    found = effects.of_levels(
        list("abcd"), place, lambda at: np.where(np.abs(far[at] - warmth) > 2.5, 100.0, far[at]), {"warmth": warmth}
    )
    assert np.allclose(found["effect"], far - far[place].mean(), atol=1e-9)


def test_rows_of_other_levels_are_left_out():
    place, warmth = cities(2)
    place[:50] = -1
    found = effects.of_levels(list("abcd"), place, lambda at: at.astype(float), {"warmth": warmth})
    assert found["n_rows"] == 350


def test_intervals_of_levels_cover():
    slope = np.array([0.0, 1.0, -1.0, 2.0])
    hits = []
    for seed in range(400):
        place, warmth = cities(seed, 300)
        found = effects.of_levels(list("abcd"), place, lambda at, w=warmth: slope[at] * w, {"warmth": warmth})
        # Steps along a, d, b, c, by the mean warmth of both cities' rows.
        share, mean = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.0, 2.0, 3.0, 1.0])
        reached = np.zeros(4)
        for one, other in ((0, 3), (3, 1), (1, 2)):
            between = (share[[one, other]] @ mean[[one, other]]) / share[[one, other]].sum()
            reached[other] = reached[one] + (slope[other] - slope[one]) * between
        truth = reached - share @ reached
        hits.append([bool(lo <= t <= hi) for lo, t, hi in zip(found["low"], truth, found["high"], strict=True)])
    assert (np.mean(hits, axis=0) >= 0.925).all()
    assert (np.mean(hits, axis=0) <= 0.98).all()


def test_interaction_of_a_sum_is_none_and_of_a_product_is_all():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=200), rng.normal(size=200)
    assert effects.interaction(x + y, x, y)["h"] == pytest.approx(0, abs=1e-9)
    assert effects.interaction(x * y, np.zeros(200), np.zeros(200))["h"] == pytest.approx(1)


def test_mean_reasons_cover_the_truth():
    truth = {"a": 2 * np.sqrt(2 / np.pi), "b": 0.5 * np.sqrt(2 / np.pi)}
    hits: dict[str, list[bool]] = {"a": [], "b": []}
    for seed in range(500):
        z = np.random.default_rng(seed).normal(size=(200, 2))
        for e in attribution.ranked(["a", "b"], z * np.array([2, 0.5])):
            hits[e["column"]].append(bool(e["low"] <= truth[e["column"]] <= e["high"]))
    assert all(0.93 <= share_covered(h) <= 0.97 for h in hits.values())


def table(seed: int, n: int = 1_500) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    columns = {f"x{i}": rng.normal(size=n) for i in range(5)}
    columns["city"] = rng.choice(np.array(["oslo", "rome", "bonn"], dtype=object), n)
    return columns, rng.exponential(size=n)


def test_a_planted_weak_slice_is_found_and_named():
    columns, losses = table(0)
    planted = (columns["city"] == "rome") & (columns["x1"] > np.quantile(columns["x1"], 0.75))
    losses[planted] += 0.8
    found = slices.weak(losses, slices.candidates(columns), seed=0)
    best = found["slices"][0]
    assert {column for column, _ in best["terms"]} == {"city", "x1"}
    assert best["p"] <= 0.05
    assert best["low"] <= 0.8 <= best["high"]
    assert found["n_looked_at"] > 100


@pytest.mark.slow
def test_without_a_weak_slice_hardly_ever_one_is_named():
    false = [
        bool(slices.weak(losses, slices.candidates(columns), seed=seed, shuffles=150)["slices"])
        for seed in range(60)
        for columns, losses in [table(100 + seed, 400)]
    ]
    assert np.mean(false) <= 0.13  # 5 % wanted: more than seven of sixty would come once in 70


def test_a_slice_says_whether_the_model_expected_it():
    columns, _ = table(1)
    rng = np.random.default_rng(1)
    hard = columns["city"] == "oslo"
    expected = np.where(hard, 1.0, 0.3)
    losses = expected * rng.exponential(size=len(expected))
    known = slices.weak(losses, slices.candidates(columns), seed=0, expected=expected)["slices"][0]
    assert known["surprise_low"] <= 0 <= known["surprise_high"]
    blind = slices.weak(losses, slices.candidates(columns), seed=0, expected=np.full(len(losses), 0.3))["slices"][0]
    assert blind["surprise_low"] > 0


def test_slices_of_other_rows_are_refused():
    with pytest.raises(InvalidEvidence):
        slices.weak(np.zeros(5), [slices.Slice((("a", "is b"),), np.ones(4, dtype=bool))], seed=0)


def judged(seed: int, n: int = 1_200, gap: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Groups, truths and probabilities; the model misses positives of group b more often by ``gap``."""
    rng = np.random.default_rng(seed)
    group = rng.choice(np.array(["a", "b", "c"], dtype=object), n)
    target = rng.integers(0, 2, n)
    finds = rng.random(n) < np.where(group == "b", 0.8 - gap, 0.8)
    positive = np.where(target == 1, np.where(finds, 0.8, 0.3), np.where(rng.random(n) < 0.2, 0.7, 0.2))
    return group, target, np.column_stack([1 - positive, positive])


def test_a_planted_unfair_group_is_found_and_named():
    group, target, scores = judged(0, gap=0.25)
    found = fairness.by_group(group, BINARY, target, scores, scores.argmax(axis=1))
    worst = found["unfair"][0]
    assert (worst["group"], worst["measure"]) == ("b", "recall")
    assert worst["gap_low"] <= -0.25 <= worst["gap_high"]
    assert "'b'" in found["sentence"]


@pytest.mark.slow
def test_fair_models_are_hardly_ever_called_unfair():
    unfair = []
    for seed in range(200):
        group, target, scores = judged(seed, 600)
        # The probabilities of this toy are not calibrated, so their gap to the truth is the same for all groups.
        unfair.append(bool(fairness.by_group(group, BINARY, target, scores, scores.argmax(axis=1))["unfair"]))
    assert np.mean(unfair) <= 0.085


def test_a_group_whose_estimates_are_too_high_is_found():
    rng = np.random.default_rng(0)
    group = rng.choice(np.array(["a", "b", None], dtype=object), 900)
    truth = rng.normal(size=900)
    scores = truth + 0.5 * rng.normal(size=900) + 0.4 * (group == "b")
    found = fairness.by_group(group, VALUE, truth, scores, scores)
    assert ("b", "error") in {(e["group"], e["measure"]) for e in found["unfair"]}
    assert {g["group"] for g in found["groups"]} == {"a", "b", "missing"}


def test_small_groups_are_put_together():
    group = np.array(["a"] * 100 + [f"g{i}" for i in range(40)], dtype=object)
    target = np.arange(140) % 2
    scores = np.full((140, 2), 0.5)
    found = fairness.by_group(group, BINARY, target, scores, target)
    assert {g["group"] for g in found["groups"]} == {"a", fairness.SMALL_GROUPS}


@pytest.mark.slow
@pytest.mark.parametrize("values", [True, False])
def test_nine_truths_of_ten_are_held(values):
    held = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        if values:
            scores = rng.normal(size=120)
            truth = scores + rng.standard_t(3, 120)
            reach = conformal.reach(truth[:99], scores[:99])
            held.append(np.mean(np.abs(truth[99:] - scores[99:]) <= reach))
        else:
            scores = rng.dirichlet(np.ones(3), 120)
            truth = np.array([rng.choice(3, p=p) for p in scores])
            kept = conformal.sets(scores[99:], conformal.reach(truth[:99], scores[:99]))
            held.append(np.mean(kept[np.arange(21), truth[99:]]))
    assert 0.885 <= np.mean(held) <= 0.925


def test_too_few_rows_promise_nothing():
    assert conformal.reach(np.zeros(5), np.ones(5)) == np.inf
    assert conformal.describe(np.zeros(5), np.ones(5))["reach"] is None


@pytest.mark.parametrize("rate", [0.0, 0.08, 0.2])
def test_a_planted_rate_of_wrong_labels_is_found(rate):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 3_000)
    given = np.where(rng.random(3_000) < rate, (truth + rng.integers(1, 3, 3_000)) % 3, truth)
    # What a model says that learnt from such labels: sure of the truth, as far as its labels were right.
    scores = np.full((3_000, 3), rate / 2)
    scores[np.arange(3_000), truth] = 1 - rate
    scores = 0.94 * scores + 0.06 * rng.dirichlet(np.ones(3), 3_000)
    found = label_noise.estimate(given, scores, ("a", "b", "c"))
    assert found["low"] - 0.012 <= rate <= found["high"] + 0.012
    suspects = [s["row"] for s in found["suspects"]]
    assert all(given[i] != truth[i] for i in suspects)
    assert len(suspects) == (20 if rate else 0)


def lived(seed: int, bends: float, n: int = 800) -> tuple[dict[str, Any], float, float]:
    """Return what a curve promises, what came with n more rows, and the gain to be expected.

    Rows are drawn and each moves the measure a little, so subsets of the same rows share their luck.
    """
    rng = np.random.default_rng(seed)
    sizes = np.array([0.12, 0.25, 0.5, 1.0]) * n
    rows = rng.normal(size=2 * n)

    def curve(m: float) -> float:
        return 0.9 - 0.9 * (m + bends * n) ** -0.4

    def measured(some: np.ndarray) -> float:
        return float(curve(len(some)) + 0.1 * some.mean() + 0.001 * rng.normal())

    values = np.array([[measured(rng.permutation(rows[:n])[: int(m)]) for _ in range(3)] for m in sizes])
    told = learning_curve.extrapolate(sizes, values, greater_is_better=True, constant=0.5, seed=seed)
    return told, measured(rows), curve(2 * n) - curve(n)


@pytest.mark.slow
@pytest.mark.parametrize("bends", [0.0, 0.1])
def test_the_interval_of_a_learning_curve_holds_what_comes(bends):
    came, right = [], []
    for seed in range(300):
        told, then, gain = lived(seed, bends)
        came.append(told["low"] <= then <= told["high"])
        right.append(told["is_gain_likely"] == (gain > told["worthwhile"]))
    # Wider than the luck alone, for the doubt about the curve's shape; with no doubt it would be 95 %.
    assert 0.94 <= np.mean(came) <= 0.995
    assert np.mean(right) >= 0.85


@pytest.mark.slow
def test_learning_curves_know_where_more_rows_bring_nothing():
    said = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        values = 0.9 + 0.002 * rng.normal(size=(4, 3))
        found = learning_curve.extrapolate(
            np.array([250, 500, 1_000, 2_000]), values, greater_is_better=True, constant=0.5, seed=seed
        )
        said.append(found["is_gain_likely"])
    assert np.mean(said) <= 0.05


def test_learning_curves_of_losses_fall():
    sizes = np.array([100, 200, 400])
    values = (0.3 + 4 / sizes)[:, None] * np.ones((1, 2)) + np.array([[1e-4, -1e-4]])
    found = learning_curve.extrapolate(sizes, values, greater_is_better=False, constant=0.7)
    assert found["then"] < found["now"]
    assert found["gain"] > 0
    assert found["low"] <= found["then"] <= found["high"]


def test_the_verdict_on_fit_follows_what_was_tried():
    def gain(value: float, half: float) -> Score:
        return Score("log_loss", value, value - half, value + half, 100)

    sizes = {"learnt": 0.2, "held": 0.4, "constant": 0.6}
    assert fitting.verdict(gain(0.1, 0.05), gain(-0.1, 0.05), **sizes)["verdict"] == fitting.OVER
    assert fitting.verdict(gain(-0.1, 0.05), gain(0.1, 0.05), **sizes)["verdict"] == fitting.UNDER
    assert fitting.verdict(gain(0.01, 0.05), None, **sizes)["verdict"] == fitting.RIGHT


def test_wrong_answers_split_exactly():
    rng = np.random.default_rng(0)
    target = rng.integers(0, 3, 500)
    said = [np.where(rng.random(500) < 0.7, target, rng.integers(0, 3, 500)) for _ in range(9)]
    found = bias_variance.wrong_answers(said, target)
    assert found["error"] == pytest.approx(found["bias"] + found["unstable"] - found["lucky"])
    same = bias_variance.wrong_answers([said[0]] * 3, target)
    assert same["variance"] == 0
    with pytest.raises(InvalidEvidence):
        bias_variance.wrong_answers(said[:1], target)


def test_bias_and_variance_of_refits_match_the_closed_form():
    # Least squares with k coefficients on n rows: the mean variance of its answers is σ² k / n.
    rng = np.random.default_rng(0)
    n, k = 200, 10
    ratios = []
    for _ in range(30):
        design, shown = rng.normal(size=(n, k)), rng.normal(size=(300, k))
        truth = rng.normal(size=k)
        target = design @ truth + rng.normal(size=n)
        said = []
        for _ in range(25):
            rows = rng.integers(0, n, n)
            said.append(shown @ np.linalg.lstsq(design[rows], target[rows], rcond=None)[0])
        found = bias_variance.decompose(said, shown @ truth + rng.normal(size=300), VALUE)
        ratios.append(found["variance"] / (k / (n - k - 1)))
    assert np.mean(ratios) == pytest.approx(1, abs=0.1)


def reached(row, changes):
    return np.array([c.get("age", row["age"]) / 10 + 3 * (c.get("job", row["job"]) == "boss") - 6.5 for c in changes])


def test_counterfactuals_are_few_small_and_respect_what_is_offered():
    row = {"age": 30.0, "job": "clerk"}
    choices = {
        "age": counterfactuals.Choice(tuple(np.arange(20.0, 80.0, 5)), 10.0, is_whole=True),
        "job": counterfactuals.Choice(("clerk", "boss")),
    }
    found = counterfactuals.search(row, choices, lambda c: reached(row, c))
    assert [c["column"] for c in found[0]["changes"]] == ["age"]
    assert found[0]["changes"][0]["after"] == 65.0
    fixed = counterfactuals.search(row, {"job": choices["job"]}, lambda c: reached(row, c))
    assert fixed == []
    young = {**choices, "age": counterfactuals.Choice((35.0, 40.0), 10.0, is_whole=True)}
    both = counterfactuals.search(row, young, lambda c: reached(row, c))
    assert {c["column"] for c in both[0]["changes"]} == {"age", "job"}
    assert all(w["margin"] >= 0 for w in found + both)


def test_similar_rows_are_near_in_what_counts():
    known = {
        "age": np.array([30.0, 31.0, 60.0, np.nan]),
        "job": np.array(["clerk", "boss", "clerk", None], dtype=object),
        "noise": np.array([0.0, 9.0, 5.0, 1.0]),
    }
    row = {"age": np.array([30.0]), "job": np.array(["boss"], dtype=object), "noise": np.array([5.0])}
    found = similar.nearest(row, known, {"age": 1.0, "job": 1.0, "noise": 0.0}, count=2)
    assert found[0]["row"] == 1
    assert found[0]["likeness"] > found[1]["likeness"]
    assert similar.nearest(row, known, {}, count=2) == []
