"""The gate's rules on evidence, and how often they let through what they should not."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from modelwright.core.evidence import Evidence
from modelwright.core.finding import Finding, Severity
from modelwright.core.policy import Policy
from modelwright.core.score import Score
from modelwright.core.task import Task, TaskKind
from modelwright.core.verdict import Outcome
from modelwright.evaluation import gate
from modelwright.evaluation.figures import figures
from modelwright.evaluation.intervals import measure

TASK = Task(TaskKind.BINARY, "y", "roc_auc", ("no", "yes"))
NUMBER = Task(TaskKind.REGRESSION, "y", "rmse")
LEAK = Finding("F010", Severity.SEVERE, "A column settles the target")


def evidence(low: float = 0.1, value: float = 0.2, **more) -> Evidence:
    gain = {"value": value, "low": low, "high": 0.3, "n_rows": 100}
    return Evidence({}, baselines={"difference_to_constant": gain, "metric": "roc_auc"}, **more)


def score(value: float, half: float, name: str = "roc_auc") -> dict[str, Score]:
    return {name: Score(name, value, value - half, value + half, 100)}


def rows(n: int, seed: int, strength: float = 1.5) -> gate.Answers:
    rng = np.random.default_rng(seed)
    target = (rng.random(n) < 0.4).astype(np.int64)
    p = 1 / (1 + np.exp(-(strength * (target - 0.5) + rng.normal(0, 1, n))))
    return gate.Answers(target, np.column_stack([1 - p, p]), (p >= 0.5).astype(np.int64))


def test_screen():
    assert gate.screen(evidence(), (), (), Policy()).outcome is Outcome.PASS
    assert gate.screen(evidence(low=-0.1), (), (), Policy()).outcome is Outcome.UNDECIDED
    assert gate.screen(evidence(low=-0.3, value=-0.2), (), (), Policy()).outcome is Outcome.FAIL
    assert gate.screen(evidence(), (), ("its contract asks for no column",), Policy()).outcome is Outcome.FAIL
    leaked = gate.screen(evidence(), (LEAK,), (), Policy())
    assert leaked.outcome is Outcome.FAIL
    assert "F010 is unanswered" in leaked.reason
    answered = Policy.of({"screen": {"accept": ["F010"]}})
    assert gate.screen(evidence(), (LEAK,), (), answered).outcome is Outcome.PASS


def test_evidence_that_compares_with_nothing_decides_nothing():
    assert gate.screen(Evidence({}), (), (), Policy()).outcome is Outcome.UNDECIDED


@pytest.mark.parametrize(
    ("rules", "outcome"),
    [
        ({}, Outcome.PASS),
        ({"thresholds": {"roc_auc": 0.8}}, Outcome.PASS),
        ({"thresholds": {"roc_auc": 0.8}, "judged_by": "worse_end"}, Outcome.FAIL),
        ({"thresholds": {"roc_auc": 0.9}}, Outcome.FAIL),
        ({"thresholds": {"rmse": 3}}, Outcome.FAIL),
    ],
)
def test_validate_holds_measures_against_thresholds(rules, outcome):
    assert gate.validate(score(0.82, 0.05), TASK, Policy.of({"validate": rules})).outcome is outcome


def test_validate_knows_which_way_is_better():
    policy = Policy.of({"validate": {"thresholds": {"rmse": 3.0}, "judged_by": "worse_end"}})
    assert gate.validate(score(2.5, 0.2, "rmse"), NUMBER, policy).outcome is Outcome.PASS
    assert gate.validate(score(2.9, 0.2, "rmse"), NUMBER, policy).outcome is Outcome.FAIL
    assert gate.validate({}, NUMBER, policy).outcome is Outcome.UNDECIDED


def test_sealed_rows_that_are_surely_worse_fail():
    assert gate.test(score(0.9, 0.02), score(0.88, 0.03), TASK, Policy()).outcome is Outcome.PASS
    assert gate.test(score(0.9, 0.02), score(0.7, 0.03), TASK, Policy()).outcome is Outcome.FAIL
    assert gate.test(score(0.7, 0.02), score(0.9, 0.03), TASK, Policy()).outcome is Outcome.PASS
    assert gate.test(score(3.0, 0.1, "rmse"), score(4.0, 0.1, "rmse"), NUMBER, Policy()).outcome is Outcome.FAIL
    mild = Policy.of({"test": {"tolerance": 0.3}})
    assert gate.test(score(0.9, 0.02), score(0.7, 0.03), TASK, mild).outcome is Outcome.PASS


def documented(answers: gate.Answers) -> Evidence:
    parts = (TASK, answers.target, answers.scores, answers.choices)
    return Evidence(measure(*parts), figures=figures(*parts))


def test_document_finds_every_number_that_is_not_what_the_rows_give():
    answers = rows(200, 0)
    sound = documented(answers)
    check = gate.document(TASK, sound, answers, (), Policy())
    assert check.outcome is Outcome.PASS
    assert check.evidence["recomputed"] > 100
    for name, known in sound.kpis.items():
        wrong = replace(sound, kpis={**sound.kpis, name: replace(known, value=known.low)})
        assert gate.document(TASK, wrong, answers, (), Policy()).evidence["stale"] == [name]
    drawn = replace(sound, figures={**sound.figures, "confusion": {}})
    assert gate.document(TASK, drawn, answers, (), Policy()).outcome is Outcome.FAIL
    assert gate.document(TASK, sound, rows(200, 1), (), Policy()).outcome is Outcome.FAIL
    assert gate.document(TASK, sound, answers, ("the card is missing",), Policy()).outcome is Outcome.FAIL
    assert gate.document(TASK, sound, None, (), Policy()).outcome is Outcome.UNDECIDED


def with_scores(answers: gate.Answers, p: np.ndarray) -> gate.Answers:
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return replace(answers, scores=np.column_stack([1 - p, p]), choices=(p >= 0.5).astype(np.int64))


def test_compare_says_better_worse_or_undecided():
    champion = rows(600, 1)
    better = with_scores(champion, 0.7 * champion.scores[:, 1] + 0.3 * champion.target)
    policy = Policy()
    assert gate.compare(TASK, better, champion, policy, rows="rows").outcome is Outcome.PASS
    assert gate.compare(TASK, champion, better, policy, rows="rows").outcome is Outcome.FAIL
    assert gate.compare(TASK, champion, champion, policy, rows="rows").outcome is Outcome.UNDECIDED
    few = Policy.of({"compare": {"rows_min": 700}})
    assert gate.compare(TASK, better, champion, few, rows="rows").outcome is Outcome.UNDECIDED
    lenient = Policy.of({"compare": {"demand": "not_worse", "margin": 0.02}})
    assert gate.compare(TASK, champion, champion, lenient, rows="rows").outcome is Outcome.PASS
    assert gate.compare(TASK, champion, better, lenient, rows="rows").outcome is Outcome.FAIL


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["roc_auc", "log_loss", "accuracy", "f1"])
@pytest.mark.parametrize("n", [60, 300])
def test_a_candidate_that_is_no_better_is_promoted_at_most_one_time_in_twenty(metric, n):
    """Two models of equal worth, made independently, on fresh rows each time; 2.5 % is what the interval says.

    The bound leaves a third of a standard deviation for the simulation itself.
    """
    task, trials = replace(TASK, metric=metric), 400
    passed = 0
    for trial in range(trials):
        rng = np.random.default_rng([trial, n])
        target = (rng.random(n) < 0.4).astype(np.int64)
        shared = 1.2 * (target - 0.5) + rng.normal(0, 0.7, n)
        two = [1 / (1 + np.exp(-(shared + rng.normal(0, 0.6, n)))) for _ in range(2)]
        one, other = (with_scores(gate.Answers(target, np.zeros(0), np.zeros(0)), p) for p in two)
        passed += gate.compare(task, one, other, Policy(), rows="rows").outcome is Outcome.PASS
    assert passed / trials <= 0.05 + 0.3 * math.sqrt(0.05 * 0.95 / trials)
    assert passed > 0  # the simulation can see one pass


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["rmse", "mae", "r2"])
def test_a_regression_that_is_no_better_is_promoted_at_most_one_time_in_twenty(metric):
    task, trials, n = replace(NUMBER, metric=metric), 400, 80
    passed = 0
    for trial in range(trials):
        rng = np.random.default_rng(trial)
        target = rng.standard_t(5, n) * 10
        one, other = (target + rng.normal(0, 4, n) for _ in range(2))
        made = [gate.Answers(target, s, s) for s in (one, other)]
        passed += gate.compare(task, *made, Policy(), rows="rows").outcome is Outcome.PASS
    assert 0 < passed / trials <= 0.05 + 0.3 * math.sqrt(0.05 * 0.95 / trials)


def test_shadow():
    n = 200
    same, other = np.zeros(n), np.concatenate([np.ones(60), np.zeros(140)])
    assert gate.shadow(None, None, 0.0, Policy()).outcome is Outcome.NOT_APPLICABLE
    needed = Policy.of({"shadow": {"required": True}})
    assert gate.shadow(None, None, 0.0, needed).outcome is Outcome.UNDECIDED
    assert gate.shadow(gate.Answers(same, same, same), same, 0.0, needed).outcome is Outcome.PASS
    assert gate.shadow(gate.Answers(same, same, other), same, 0.0, needed).outcome is Outcome.FAIL
    assert gate.shadow(gate.Answers(same, same, same[:50]), same[:50], 0.0, needed).outcome is Outcome.UNDECIDED


def said(*people: str) -> list[dict[str, str]]:
    return [{"who": who, "reason": "it is sound"} for who in people]


def test_approve():
    two = Policy.of({"approve": {"people": ["ada", "bob", "cy"], "needed": 2}})
    assert gate.approve((), "ada", Policy()).outcome is Outcome.NOT_APPLICABLE
    assert gate.approve(said("bob"), "ada", two).outcome is Outcome.UNDECIDED
    assert gate.approve(said("bob", "cy"), "ada", two).outcome is Outcome.PASS
    assert gate.approve(said("bob", "eve"), "ada", two).outcome is Outcome.UNDECIDED
    assert gate.approve([{"who": "bob", "reason": " "}, *said("cy")], "ada", two).outcome is Outcome.UNDECIDED


def test_the_author_alone_may_not_approve_unless_the_policy_says_so():
    strict = {"people": ["ada", "bob"]}
    check = gate.approve(said("ada"), "ada", Policy.of({"approve": strict}))
    assert check.outcome is Outcome.FAIL
    assert "own approval does not count" in check.reason
    lenient = Policy.of({"approve": {**strict, "author_may": True}})
    assert gate.approve(said("ada"), "ada", lenient).outcome is Outcome.PASS
