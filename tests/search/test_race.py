"""Candidates over folds: what is kept when time, a person or a library ends a fit."""

import itertools
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from modelwright.core.contract import Column, Contract, Kind
from modelwright.core.run import Run
from modelwright.core.split import Fold, Folds, How
from modelwright.core.task import Task, TaskKind
from modelwright.flows.builtin import catalogue
from modelwright.learners.costs import Counts
from modelwright.search.choosing import weights_of
from modelwright.search.journal import Journal
from modelwright.search.pace import Pace, tail_seconds
from modelwright.search.portfolio import Candidate
from modelwright.search.problem import Material, Problem
from modelwright.search.race import Race
from modelwright.search.trial import Folding, Tried
from modelwright.search.yardstick import fit_yardsticks

N = 300
QUICK = {"rounds": 20, "learning_rate": 0.2, "patience": 5}


def race(
    budget: float | None = None, effort: int | None = 3, *, n_slots=1, noise=1.0, is_stopped=lambda: False
) -> Race:
    rng = np.random.default_rng(0)
    x = rng.normal(size=N)
    target = (x + noise * rng.normal(size=N) > 0).astype(np.int64)
    contract = Contract((Column("x", Kind.NUMBER),))
    task = Task(TaskKind.BINARY, "y", "roc_auc", ("no", "yes"))
    material = Material.prepare(Problem(pl.DataFrame({"x": x}), target, None, contract, task))
    parts = np.array_split(rng.permutation(N), 3)
    everything = np.arange(N)
    folds = Folds(tuple(Fold(np.setdiff1d(everything, p), np.sort(p)) for p in parts), How.RANDOM, "made by hand")
    clock = itertools.count(0.0, 0.001).__next__
    run = Run(catalogue(), clock, 0.0, budget, effort, is_stopped=is_stopped)
    return Race(Folding(material, folds, run, Pace(run, tail_seconds(budget), 3, n_slots)), Journal())


def test_every_row_is_predicted_by_a_model_that_never_saw_it():
    result = race().go([Candidate("a", "lightgbm", QUICK), Candidate("b", "linear")])
    assert [t.candidate.name for t in result.tried] == ["a", "b"]
    assert result.covered.all()
    assert result.weights.sum() == pytest.approx(1.0)
    for tried in result.tried:
        assert tried.predictions.shape == (N, 2)
        assert 0.6 < tried.score < 0.9


def test_work_units_are_counted():
    result = race(effort=1).go([Candidate("a", "linear"), Candidate("b", "lightgbm", QUICK)])
    assert len(result.tried) == 1
    assert "1 work unit" in result.stopped


def test_an_absent_library_uses_no_work_unit(monkeypatch):
    monkeypatch.setitem(sys.modules, "catboost", None)
    result = race(effort=1).go([Candidate("absent", "catboost"), Candidate("b", "linear"), Candidate("c", "constant")])
    assert [t.candidate.name for t in result.tried] == ["b"]
    assert not result.failed
    assert "1 work unit" in result.stopped


def test_a_library_that_fails_costs_one_candidate():
    wrong = Candidate("wrong", "lightgbm", {"leaves": -3})
    result = race().go([wrong, Candidate("b", "linear")])
    assert [t.candidate.name for t in result.tried] == ["b"]
    assert result.failed
    assert result.failed[0].startswith("wrong: InvalidSetting")


def test_an_error_without_a_message_costs_one_candidate_too(monkeypatch):
    from modelwright.learners.linear import Linear

    def fails(self, lesson):
        raise RuntimeError

    monkeypatch.setattr(Linear, "fit", fails)
    result = race().go([Candidate("silent", "linear"), Candidate("b", "lightgbm", QUICK)])
    assert [t.candidate.name for t in result.tried] == ["b"]
    assert result.failed[0].startswith("silent: RuntimeError")


def test_a_person_who_stops_at_once_still_gets_a_model():
    stopped = race(budget=60.0, effort=None, is_stopped=lambda: True)
    result = stopped.go([Candidate("a", "linear")])
    assert not result.tried
    assert result.stopped == "stopped by the user"
    (one,) = stopped.go_shortest().tried
    assert min(one.rounds) > 1


def test_no_time_starts_nothing():
    late = race(budget=0.5, effort=None)
    assert late.go([Candidate("a", "linear")]).stopped == "the time was used"


def test_what_finds_no_time_is_passed_over_for_what_does():
    dear = Candidate("dear", "lightgbm", QUICK, least_seconds=1_000.0)
    result = race(budget=60.0, effort=None).go([dear, Candidate("cheap", "linear"), dear])
    assert [t.candidate.name for t in result.tried] == ["cheap"]
    assert result.stopped == "the time was used"


def test_fits_side_by_side_come_to_the_same():
    candidates = [
        Candidate("a", "lightgbm", QUICK),
        Candidate("wrong", "lightgbm", {"leaves": -3}),
        Candidate("b", "linear"),
        Candidate("far behind", "constant"),
    ]
    alone, beside = race(effort=4).go(candidates), race(effort=4, n_slots=3).go(candidates)
    scores = [[(t.candidate.name, t.score, t.rounds) for t in r.tried] for r in (alone, beside)]
    assert scores[0] == scores[1]
    assert [f.split(":")[0] for f in beside.failed] == ["wrong"]


def test_what_is_far_behind_on_two_folds_is_dropped_however_many_run_at_once():
    signal = [Candidate("a", "lightgbm", QUICK), Candidate("flat", "constant")]
    for n_slots in (1, 2, 4):
        one = race(n_slots=n_slots, noise=0.05)
        assert [t.candidate.name for t in one.go(signal).tried] == ["a"]


def test_where_the_machine_makes_it_wait_a_yardstick_says_how_long():
    made = race()
    run, material = made.folding.run, made.folding.material
    told = [0.0]

    def clock() -> float:
        told[0] += 1.0
        return told[0]

    half, whole = (
        replace(run, clock=clock, worked=lambda: told[0] / 2),
        replace(run, clock=clock, worked=lambda: told[0]),
    )
    assert fit_yardsticks(material, half).waiting == pytest.approx(2.0, rel=0.1)
    assert fit_yardsticks(material, whole).waiting == pytest.approx(1.0, rel=0.1)


def test_members_whose_final_fits_find_no_time_leave_by_what_they_bring_for_their_seconds():
    one = race(budget=60.0)
    target = one.folding.material.problem.target
    rng = np.random.default_rng(1)

    def tried(name, seconds, error):
        yes = np.clip(target + error * rng.normal(size=N), 0.01, 0.99)
        return Tried(Candidate(name, "linear"), np.column_stack([1 - yes, yes]), 0.8, (), (), seconds)

    one._tried = [
        tried("good", 6.0, 0.4),
        tried("dear", 7.0, 3.0),
        tried("good too", 5.0, 0.4),
        tried("bad", 99.0, 9.0),
    ]
    one._chosen = (4, np.array([0.4, 0.2, 0.4, 0.0]))
    assert one.folding.pace.refits * 18 > one.folding.pace.left_for_refits() > one.folding.pace.refits * 12
    assert one._affordable_weights() == pytest.approx([0.5, 0.0, 0.5, 0.0])


def test_the_ensemble_answers_within_what_a_row_may_take():
    # Half a millisecond is too little for more than one member of two thousand trees; ten milliseconds are not.
    one = race(effort=9)
    others = Candidate("b", "linear"), Candidate("c", "lightgbm", {**QUICK, "leaves": 4})
    dear = Counts("trees", 2_000, 60_000, 1_500_000)
    tried = [replace(t, counts=dear, rounds=()) for t in one.go([Candidate("a", "lightgbm", QUICK), *others]).tried]

    def weights(row_seconds):
        return weights_of(tried, one.folding, metric=one.metric, row_seconds=row_seconds)

    assert (weights(None) > 0).sum() == 1
    assert (weights(0.01) > 0).sum() > 1
