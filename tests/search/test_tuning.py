"""What is tried once the portfolio is through."""

import numpy as np
import pytest

from modelwright.search.portfolio import Candidate
from modelwright.search.trial import Tried
from modelwright.search.tuning import (
    COPY_TREES_MOST,
    MIDDLES,
    PATIENCE,
    SLOWER,
    SLOWER_RATE,
    SPACES,
    Tuner,
    candidates_most,
)


def tried(name: str, learner: str, score: float, params: dict, seconds: float = 1.0, *, has_rate: bool = True) -> Tried:
    candidate = Candidate(name, learner, params, has_rate=has_rate)
    return Tried(candidate, np.zeros(3), score, (100,), (), seconds)


def tuner(**changed) -> Tuner:
    return Tuner(**{"n_rows": 50_000, "greater_is_better": False, "seed": 3, "is_reproducible": True, **changed})


def play(t: Tuner, loss_of, n: int) -> list[Tried]:
    """Let the tuner play against a known loss; return everything that was tried."""
    known = [tried("lightgbm", "lightgbm", loss_of({"leaves": 100}), {"leaves": 100})]
    for _ in range(n):
        best = min(k.score for k in known)
        candidate = t.propose(known, np.ones(len(known)), best)
        if candidate is None:
            break
        known.append(tried(candidate.name, candidate.learner, loss_of(candidate.params), dict(candidate.params)))
    return known


def distance(params) -> float:
    return 1.0 + (np.log(params["leaves"] / 12)) ** 2 + (params.get("feature_share", 0.5) - 0.5) ** 2


def test_it_finds_what_is_better_than_where_it_began():
    known = play(tuner(), distance, 30)
    assert known[0].score > 3
    assert min(k.score for k in known) < 1.3


def test_it_ends_when_nothing_is_gained():
    known = play(tuner(), lambda _: 1.0, 100)
    assert len(known) == 1 + PATIENCE


def test_few_rows_bear_few_candidates():
    n_tried = len(play(tuner(n_rows=100), distance, 100))
    assert n_tried == candidates_most(100)
    assert candidates_most(100) < candidates_most(1_000) < candidates_most(100_000)


def test_the_same_answers_bring_the_same_proposals():
    one, two = play(tuner(), distance, 6), play(tuner(), distance, 6)
    assert [k.candidate.params for k in one] == [k.candidate.params for k in two]


def test_only_families_that_lead_are_tuned():
    known = [
        tried("catboost", "catboost", 1.0, {"depth": 7}),
        tried("xgboost", "xgboost", 2.0, {}),
        tried("linear", "linear", 1.5, {}),
    ]
    candidate = tuner().propose(known, np.array([0.7, 0.0, 0.3]), 1.0)
    assert candidate is not None
    assert candidate.learner == "catboost"
    assert tuner().propose(known[2:], np.ones(1), 1.0) is None


@pytest.mark.parametrize("family", SPACES)
def test_every_point_of_a_space_is_a_learner_s_setting(family):
    from modelwright.flows.builtin import catalogue

    learner = catalogue().find("learner", family)
    t, known = tuner(is_reproducible=False), [tried(family, family, 1.0, {})]
    for _ in range(5):
        candidate = t.propose(known, np.ones(len(known)), 1.0)
        learner(**candidate.params)
        known.append(tried(candidate.name, family, 1.0, dict(candidate.params)))
    assert set(MIDDLES[family]) <= set(SPACES[family])


def test_only_families_that_boost_are_given_a_learning_rate():
    network = [tried("neural network", "neural", 1.0, {}, has_rate=False)]
    assert not tuner(is_reproducible=False).propose(network, np.ones(1), 1.0).has_rate
    assert tuner().propose(network, np.ones(1), 1.0) is None, "in work units a network is too dear to be tuned"
    assert tuner().propose([tried("lightgbm", "lightgbm", 1.0, {})], np.ones(1), 1.0).has_rate


def test_points_that_cannot_be_fitted_end_it_too():
    t, known = tuner(), [tried("lightgbm", "lightgbm", 1.0, {"leaves": 31})]
    for _ in range(PATIENCE):
        t.failed(t.propose(known, np.ones(1), 1.0))
    assert t.propose(known, np.ones(1), 1.0) is None


def test_a_family_that_finds_no_time_leaves_it_to_another():
    known = [tried("lightgbm", "lightgbm", 1.0, {"leaves": 31}), tried("catboost", "catboost", 0.9, {}, seconds=100.0)]
    t = tuner(is_reproducible=False)
    assert all(t.propose(known, np.ones(2), 1.0, seconds=5.0).learner == "lightgbm" for _ in range(3))
    assert t.propose(known, np.ones(2), 1.0, seconds=0.1) is None
    assert t.is_short_of_time


def test_tuned_points_learn_the_shape_of_the_target_that_leads():
    known = [
        tried("lightgbm", "lightgbm", 1.0, {"leaves": 31}),
        tried("lightgbm, log", "lightgbm", 0.9, {"leaves": 31, "shape": "log"}),
    ]
    assert tuner().propose(known, np.ones(2), 1.0).params["shape"] == "log"


RATED = {"leaves": 31, "learning_rate": 0.05, "rounds": 2_000, "patience": 60}


def copies(t: Tuner, known: list[Tried], weights: list[float], n: int = 20) -> list[Candidate]:
    """Ask until nothing is proposed, tell each time that nothing was gained, and return the copies."""
    made = []
    for _ in range(n):
        candidate = t.propose(known, np.array(weights + [0.0] * (len(known) - len(weights))), 1.0)
        if candidate is None:
            break
        known = [*known, tried(candidate.name, candidate.learner, 1.0, dict(candidate.params), has_rate=False)]
        made += [candidate] if candidate.why == SLOWER else []
    return made


def test_members_are_tried_with_smaller_steps_once_each():
    known = [
        tried("one", "lightgbm", 1.0, RATED),
        tried("two", "catboost", 1.0, RATED),
        tried("without weight", "lightgbm", 1.0, RATED),
        tried("without steps", "linear", 1.0, {}),
    ]
    made = copies(tuner(is_reproducible=False), known, [0.3, 0.5, 0.0, 0.2])
    assert [c.learner for c in made] == ["catboost", "lightgbm"], "the one of most weight first"
    assert made[1].params["learning_rate"] == pytest.approx(SLOWER_RATE * 0.05)
    assert made[1].params["leaves"] == 31
    assert made[1].params["rounds"] > RATED["rounds"]
    assert made[1].params["patience"] > RATED["patience"]


def test_copies_are_made_also_when_tuning_is_through():
    known = [tried("one", "lightgbm", 1.0, RATED)]
    assert len(copies(tuner(is_reproducible=False, n_rows=10), known, [1.0])) == 1


def test_no_copies_by_work_units_nor_of_what_has_many_trees_or_small_steps():
    one = [tried("one", "lightgbm", 1.0, RATED)]
    assert copies(tuner(), one, [1.0]) == []
    n_labels = 1 + int(SLOWER_RATE * COPY_TREES_MOST) // 100
    assert copies(tuner(is_reproducible=False, n_trees_a_round=n_labels), one, [1.0]) == []
    assert copies(tuner(is_reproducible=False), [tried("one", "lightgbm", 1.0, {"learning_rate": 0.02})], [1.0]) == []


def test_a_copy_waits_for_the_time_it_needs():
    one = [tried("one", "lightgbm", 1.0, RATED, seconds=4.0)]
    t = tuner(is_reproducible=False)
    for _ in range(PATIENCE):
        t.failed(t.propose(one, np.ones(1), 1.0, seconds=4.0))
    assert t.propose(one, np.ones(1), 1.0, seconds=4.0) is None
    assert t.is_short_of_time
    assert t.propose(one, np.ones(1), 1.0, seconds=4.0 / SLOWER_RATE).why == SLOWER
