"""The division of time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.core.catalogue import Catalogue
from modelwright.core.run import Run
from modelwright.search import pace as pacing
from modelwright.search.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def pace(budget: float | None, n_folds: int = 5, **run) -> tuple[Pace, Clock]:
    clock = Clock()
    made = Run(Catalogue({}), clock, started=0.0, budget_seconds=budget, **run)
    return Pace(made, pacing.tail_seconds(budget), n_folds), clock


def test_the_tail_is_kept():
    p, clock = pace(60.0)
    assert p.left() == pytest.approx(60 - p.tail_seconds)
    clock.now = 60 - p.tail_seconds + 1e-9  # the difference is rounded
    assert p.fold_seconds(1.0, 50.0, 0.0) == 0.0


def test_final_fits_are_paid_for_before_a_candidate_starts():
    p, _ = pace(60.0)
    alone, beside = p.fold_seconds(1.0, 50.0, 0.0), p.fold_seconds(1.0, 50.0, 5.0)
    assert beside < alone
    used = beside * (p.n_folds + p.refits) + 5.0 * p.refits
    assert used <= 60 - p.tail_seconds + 1e-9


def test_work_units_do_not_look_at_the_clock():
    p, clock = pace(None)
    clock.now = 1e6
    assert p.left() == float("inf")
    assert not p.is_timed


def test_a_person_who_stops_leaves_no_time():
    p, _ = pace(60.0, is_stopped=lambda: True)
    assert p.left() == 0.0


@given(st.floats(1e-6, 10), st.floats(1e-3, 1e4))
def test_rates_are_useful_and_their_rounds_fit(round_seconds, fit_seconds):
    rate = pacing.learning_rate(round_seconds, fit_seconds)
    assert pacing.RATE_LOWEST <= rate <= pacing.RATE_HIGHEST
    if rate < pacing.RATE_HIGHEST:
        assert pacing.ROUNDS_TIMES_RATE / rate * round_seconds <= fit_seconds * 1.05


@given(st.floats(1, 1e5))
def test_the_tail_is_never_most_of_the_budget(budget):
    assert pacing.tail_seconds(budget) <= 0.4 * budget
