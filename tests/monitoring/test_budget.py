"""The budget: as many false alarms as accepted, and the promised changes found."""

import numpy as np
import polars as pl
import pytest
from tests_monitoring import panel_and_sums

from modelwright.core.signal import Aspect
from modelwright.monitoring.budget import CLEARLY, DAYS_A_MONTH, Stream, detectable, openings, simulate
from modelwright.monitoring.panel import fit_panel
from modelwright.monitoring.scanning import scan
from modelwright.monitoring.traits import levels_trait, numbers_trait


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


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.004, 0.2])
@pytest.mark.parametrize("windows", [1, 7])
def test_the_stated_rise_of_a_level_is_found_as_often_as_promised(share, windows):
    rows, n = 200, 4_000
    panel, monitor = _of_levels(share, n, np.random.default_rng(0))
    rise = detectable(panel, rows, 3.5, windows, monitor=monitor)
    rng, found = np.random.default_rng(1), 0
    for _ in range(500):
        panel, monitor = _of_levels(share, n, rng)
        sums = np.zeros((windows, len(panel.monitors)))
        sums[:, monitor] = rng.binomial(rows, share + rise, windows)
        found += bool((scan(panel, sums, np.full(sums.shape, float(rows))).strength[:, monitor] >= 3.5).any())
    assert 0.75 <= found / 500 <= 0.85


def _of_levels(share, n, rng):
    values = pl.Series(np.where(rng.random(n) < share, "rare", "other").tolist())
    panel = fit_panel([levels_trait("c", values, "c")], {("c", "c"): values})
    named = {m.level: i for i, m in enumerate(panel.monitors)}
    return panel, named.get("rare", named["(rare levels)"])


@pytest.mark.slow
def test_values_never_seen_are_no_surprise_where_the_reference_has_many_that_were_seen_once():
    """Ends of numbers and a long tail of levels: the null is that of rows of one source, not a share of none."""
    over = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        tail = 1 / np.arange(1, 4_001) ** 1.1
        levels = pl.Series([f"l{i}" for i in rng.choice(4_000, 77_000, p=tail / tail.sum())])
        numbers = rng.standard_normal(77_000)
        traits = [levels_trait("c", levels[:4_000], "c"), numbers_trait("x", numbers[:4_000], "x")]
        panel = fit_panel(traits, {("c", "c"): levels[:4_000], ("x", "x"): numbers[:4_000]})
        new = [i for i, m in enumerate(panel.monitors) if m.aspect is Aspect.NEW_VALUES]
        sums, sizes = [], []
        for day in range(365):
            rows = slice(4_000 + 200 * day, 4_200 + 200 * day)
            counts = [t.count(v[rows]) for t, v in zip(traits, (levels, numbers), strict=True)]
            sums.append(panel.sums(counts))
            sizes.append(panel.sizes(counts))
        over.append((scan(panel, np.array(sums), np.array(sizes)).strength[:, new] >= 3.3).mean(axis=0))
    assert (np.mean(over, axis=0) < 0.01).all(), "one window in a thousand or two, were each as good as normal"
