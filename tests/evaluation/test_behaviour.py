"""Behaviour, slices and groups: each misbehaviour that is planted is found, and a sound model is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from modelwright.core.policy import Policy
from modelwright.core.task import Task, TaskKind
from modelwright.evaluation.behaviour import Subject, behave
from modelwright.evaluation.gate import Answers
from modelwright.evaluation.parts import groups, slices

N = 400
TASK = Task(TaskKind.BINARY, "y", "roc_auc", ("no", "yes"))


def columns(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    city = np.array(["oslo", "rome"], dtype=object)[rng.integers(0, 2, N)]
    return {"age": rng.normal(40, 10, N), "income": rng.normal(3, 1, N), "city": city}


def subject(score, *, notices=lambda _: True) -> Subject:
    """A model that gives ``score(columns)`` as the positive label's probability; absent columns read as zeros."""

    def ask(given):
        zeros = {"age": np.zeros(N), "income": np.zeros(N), "city": np.array(["oslo"] * N, dtype=object)}
        p = np.asarray(score({**zeros, **given}), dtype=float)
        return np.column_stack([1 - p, p])

    return Subject(ask, lambda s: (s[:, 1] >= 0.5).astype(int), notices, columns(), ("age", "income"), True)


def smooth(c):
    return 1 / (1 + np.exp(-(c["age"] - 40) / 10))


def test_a_smooth_model_behaves():
    failed, doubtful, known = behave(subject(smooth), Policy())
    assert (failed, doubtful) == ([], [])
    assert known["noise"][0]["changes"] < 0.03
    assert {m["column"] for m in known["missing_columns"]} == {"age", "income", "city"}


def test_a_model_that_noise_turns_over_fails():
    failed, _, _ = behave(subject(lambda c: np.floor(c["age"] * 50) % 2), Policy())
    assert any("noise" in f for f in failed)


def test_a_model_that_breaks_without_a_column_fails():
    failed, _, _ = behave(subject(lambda c: np.where(c["age"] == 0, np.nan, 0.7)), Policy())
    assert any("without column 'age'" in f for f in failed)


def test_a_thousandfold_that_nobody_notices_fails():
    failed, _, known = behave(subject(smooth, notices=lambda _: False), Policy())
    assert any("thousandfold 'age'" in f for f in failed)
    assert not any("income" in f for f in failed)  # the model does not read it
    assert [u["noticed"] for u in known["unit_errors"]] == [False, False]


def test_a_column_that_should_not_matter_is_found_out():
    policy = Policy.of({"behave": {"invariant": ["city", "postcode"]}})
    unfair = subject(lambda c: np.where(c["city"] == "rome", 0.9, 0.1))
    assert any("'city'" in f for f in behave(unfair, policy)[0])
    failed, _, known = behave(subject(smooth), policy)
    assert failed == []
    assert known["invariance"][1]["note"] == "the model does not read it"


@pytest.mark.parametrize(("way", "fails"), [("up", False), ("down", True)])
def test_direction(way, fails):
    failed, doubtful, _ = behave(subject(smooth), Policy.of({"behave": {"direction": {"age": way}}}))
    assert bool(failed) is fails
    assert doubtful == []


def test_a_direction_of_no_number_is_doubtful():
    _, doubtful, _ = behave(subject(smooth), Policy.of({"behave": {"direction": {"city": "up"}}}))
    assert "no number column 'city'" in doubtful[0]


def answers(p: np.ndarray, seed: int = 1) -> Answers:
    target = (np.random.default_rng(seed).random(len(p)) < 0.5).astype(np.int64)
    return Answers(target, np.column_stack([1 - p, p]), (p >= 0.5).astype(np.int64))


def test_a_slice_that_is_surely_worse_is_named():
    given = columns()
    base = answers(np.full(N, 0.5))
    truth = base.target.astype(float)
    good = 0.1 + 0.8 * truth
    bad = given["city"] == "rome"
    p = np.where(bad, 1 - good, good)
    told = Answers(base.target, np.column_stack([1 - p, p]), (p >= 0.5).astype(np.int64))
    failed, worst = slices(TASK, told, given, Policy.of({"behave": {"slice_ratio_max": 1.5}}))
    assert any("city is rome" in f for f in failed)
    assert worst[0]["slice"] == "is rome"
    assert slices(TASK, answers(np.full(N, 0.5)), given, Policy())[0] == []


def test_groups_that_are_treated_alike_pass_and_others_do_not():
    rng = np.random.default_rng(3)
    n = 4000
    sex = np.array(["f", "m"])[rng.integers(0, 2, n)]
    policy = Policy.of({"behave": {"groups": ["sex"]}})
    alike = answers(rng.random(n))
    failed, doubtful, found = groups(TASK, alike, {"sex": list(sex)}, policy)
    assert (failed, doubtful) == ([], [])
    assert {f["measure"] for f in found} == {"selection rate", "recall", "false positive rate"}
    apart = answers(np.where(sex == "m", 0.8, 0.8 * rng.random(n)))
    assert len(groups(TASK, apart, {"sex": list(sex)}, policy)[0]) == 3


def test_few_rows_leave_groups_undecided():
    rng = np.random.default_rng(3)
    policy = Policy.of({"behave": {"groups": ["sex"]}})
    failed, doubtful, _ = groups(TASK, answers(rng.random(120)), {"sex": ["f", "m"] * 60}, policy)
    assert failed == []
    assert doubtful
    assert "fewer than two groups" in groups(TASK, answers(rng.random(60)), {"sex": ["f", "m"] * 30}, policy)[1][0]


@pytest.mark.slow
def test_equal_groups_fail_seldom():
    """All pairs, all measures: of tables where groups are treated alike at most 5 % may fail when no gap is allowed."""
    policy, trials, failures = Policy.of({"behave": {"group_gap_max": 0.0}}), 600, 0
    for trial in range(trials):
        rng = np.random.default_rng([5, trial])
        named = np.array(list("abc"))[rng.integers(0, 3, 600)]
        failures += bool(groups(TASK, answers(rng.random(600), 99_000 + trial), {"g": list(named)}, policy)[0])
    assert 0 < failures / trials <= 0.05
