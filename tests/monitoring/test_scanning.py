"""Scanning: strengths are standard normal while nothing changes, far into the tails."""

import numpy as np
from scipy.stats import binom, norm
from tests_monitoring import panel_and_sums

from modelwright.monitoring.scanning import mean_deviate, scan, share_deviate


def test_a_rare_event_is_never_called_rarer_than_it_is():
    n, share = 300.0, 0.002
    counts = np.arange(1, 12, dtype=float)
    z = share_deviate(counts, np.full(11, n), np.full(11, share * 1e9), np.full(11, 1e9))
    exact = norm.isf(binom.sf(counts - 1, n, share))
    assert (z <= exact + 0.05).all()
    assert (z >= exact - 0.6).all()


def test_few_hits_deviate_by_their_exact_chance():
    """Three rows with a level never seen among 300, none among 10,000: less than three in a hundred thousand."""
    n, reference = np.array([300.0, 300.0, 300.0]), np.full(3, 10_000.0)
    count, known = np.array([3.0, 0.0, 9.0]), np.array([0.0, 90.0, 40.0])
    z = share_deviate(count, n, known, reference)
    part = 300 / 10_300
    exact = [norm.isf(binom.sf(2, 3, part)), norm.ppf(binom.cdf(0, 90, part)), norm.isf(binom.sf(8, 49, part))]
    assert np.allclose(np.where(np.abs(exact) > 2.2, z, exact), exact)
    assert abs(z[1] - exact[1]) < 0.3


def test_shares_that_agree_deviate_by_nothing():
    assert share_deviate(np.array([30.0]), np.array([300.0]), np.array([1_000.0]), np.array([10_000.0]))[0] == 0.0
    assert share_deviate(np.array([0.0]), np.array([300.0]), np.array([0.0]), np.array([10_000.0]))[0] == 0.0


def test_skewed_scores_have_normal_tails_after_correction():
    rng = np.random.default_rng(0)
    n, reps = 100, 200_000
    mean = rng.gamma(n, 1.0, reps) / n - 1  # means of exponentials: skewness 2, excess kurtosis 6
    reference = np.full(reps, 1e9)
    z = mean_deviate(mean, np.full(reps, float(n)), reference, np.full(reps, 2.0), np.full(reps, 6.0))
    plain = mean * np.sqrt(n)
    for level in (2.0, 3.0):
        assert 0.8 < (z > level).mean() / norm.sf(level) < 1.2
        assert 0.8 < (z < -level).mean() / norm.sf(level) < 1.2
    assert (plain > 3.0).mean() / norm.sf(3.0) > 2


def test_long_horizons_see_what_short_ones_cannot():
    panel, sums, sizes = panel_and_sums(windows=40, rows=200, shift=0.25, since=8)
    seen = scan(panel, sums, sizes)
    assert np.abs(seen.strength[39, 0]) > 6
    assert seen.horizon[39, 0] >= 16
    assert np.abs(seen.strength[:8, 0]).max() < 5


def test_empty_windows_say_nothing():
    panel, sums, sizes = panel_and_sums(windows=3, rows=200)
    assert not scan(panel, np.zeros_like(sums), np.zeros_like(sizes)).strength.any()
