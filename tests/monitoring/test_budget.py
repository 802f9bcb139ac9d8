"""The budget: as many false alarms as accepted, and the promised changes found."""

import numpy as np
import pytest
from tests_monitoring import panel_and_sums

from modelwright.monitoring.budget import CLEARLY, DAYS_A_MONTH, Stream, detectable, openings, simulate
from modelwright.monitoring.scanning import scan


def test_a_cause_raises_one_alarm_until_it_was_quiet():
    over = np.zeros((20, 2), dtype=bool)
    over[3:8, 0] = over[9, 0] = over[15, 0] = True
    assert np.flatnonzero(openings(over, over & False)[:, 0]).tolist() == [3, 15]


def test_causes_that_begin_together_are_one_alarm():
    over = np.zeros((20, 2), dtype=bool)
    over[3:8, 0] = over[5:8, 1] = over[12, 1] = True
    begins = openings(over, over & False)
    assert np.flatnonzero(begins.any(axis=1)).tolist() == [3, 12]


def test_many_streams_are_judged_as_each_alone():
    over = np.random.default_rng(0).random((6, 50, 4)) < 0.1
    clear = over & (np.random.default_rng(1).random(over.shape) < 0.5)
    alone = [openings(one, sure) for one, sure in zip(over, clear, strict=True)]
    assert (openings(over, clear) == np.array(alone)).all()


def test_a_clear_cause_is_not_swallowed_by_an_alarm_just_before():
    over = np.zeros((20, 2), dtype=bool)
    clear = over.copy()
    over[3, 0] = True
    over[4:12, 1] = True
    clear[5:12, 1] = True
    assert np.argwhere(openings(over, clear)).tolist() == [[3, 0], [5, 1]]


@pytest.mark.slow
def test_false_alarms_keep_to_the_budget():
    """120 years of five columns, two of them correlated; benchmarks/false_alarms.py has more of both."""
    panel, _, _ = panel_and_sums(windows=1, rows=200)
    threshold = simulate([Stream(panel, 200)], DAYS_A_MONTH).threshold(1.0)
    n_alarms = 0
    for year in range(120):
        panel, sums, sizes = panel_and_sums(windows=365, rows=200, seed=year + 1)
        strength = np.abs(scan(panel, sums, sizes).strength)
        peaks = np.stack([strength[:, panel.causes == c].max(axis=1) for c in range(panel.causes.max() + 1)], axis=1)
        n_alarms += int(openings(peaks >= threshold, peaks >= threshold + CLEARLY).any(axis=1).sum())
    assert 0.8 < n_alarms / (120 * 12) < 1.2


@pytest.mark.slow
@pytest.mark.parametrize("windows", [1, 7])
def test_the_stated_change_is_found_as_often_as_promised(windows):
    panel, _, _ = panel_and_sums(windows=1, rows=200)
    change = detectable(panel, 200, 3.5, windows, monitor=0)
    shift = change / np.sqrt(3 / np.pi)  # normal values: what moves the standardised rank by so much
    found = 0
    for trial in range(500):
        panel, sums, sizes = panel_and_sums(windows=windows, rows=200, seed=trial, shift=shift, since=0, columns=1)
        found += bool((np.abs(scan(panel, sums, sizes).strength[:, 0]) >= 3.5).any())
    assert 0.75 <= found / 500 <= 0.85
