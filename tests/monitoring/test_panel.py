"""Panels: scores are standardised on the reference, and windows are pooled by adding."""

import numpy as np
import polars as pl

from modelwright.core.signal import Aspect
from modelwright.monitoring.panel import fit_panel
from modelwright.monitoring.traits import levels_trait, numbers_trait


def panel_of(n=4_000, seed=0, window_of=None, move=None):
    rng = np.random.default_rng(seed)
    x = rng.lognormal(size=n)
    y = 0.95 * np.log(x) + 0.3 * rng.standard_normal(n)
    z = rng.standard_normal(n)
    if move is not None:
        z = z + move
    level = pl.Series(rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]))
    values = {("x", "x"): x, ("y", "y"): y, ("z", "z"): z, ("level", "level"): level}
    traits = [numbers_trait(n, values[n, n], n) for n in "xyz"] + [levels_trait("level", level, "level")]
    return fit_panel(traits, values, window_of=window_of), values


def test_scores_have_mean_zero_and_variance_one_on_the_reference():
    panel, values = panel_of()
    counts = panel.count(values)
    sums, sizes = panel.sums(counts), panel.sizes(counts)
    for position, monitor in enumerate(panel.monitors):
        if monitor.share is None:
            score = panel.scores[monitor.trait][:, position % 5]
            share = counts[monitor.trait] / counts[monitor.trait].sum()
            assert abs(sums[position] / sizes[position]) < 1e-9
            assert abs(share @ score**2 - 1) < 1e-9
        else:
            assert sums[position] / sizes[position] == monitor.share


def test_columns_that_move_together_are_one_cause():
    panel, _ = panel_of()
    cause = {m.name: c for m, c in zip(panel.monitors, panel.causes, strict=True)}
    assert cause["x: location"] == cause["y: location"] == cause["x: spread"]
    assert cause["x: location"] != cause["level = a"]
    assert cause["level = a"] == cause["level = b"]


def test_missing_values_are_a_cause_of_their_own():
    panel, _ = panel_of()
    cause = {m.name: c for m, c in zip(panel.monitors, panel.causes, strict=True)}
    assert cause["x: missing"] != cause["x: location"]
    assert cause["level: missing"] != cause["level = a"]


def test_windows_add_up():
    panel, values = panel_of()
    whole = panel.sums(panel.count(values))
    half = [{k: v[part] for k, v in values.items()} for part in (slice(0, 1_500), slice(1_500, None))]
    assert np.allclose(whole, sum(panel.sums(panel.count(h)) for h in half))


def test_what_windows_of_the_reference_show_is_allowed_for():
    n, window_of = 4_000, np.arange(4_000) // 100
    swing = np.repeat(np.random.default_rng(1).normal(0, 0.5, 40), 100)
    calm, _ = panel_of(n, window_of=window_of)
    restless, _ = panel_of(n, window_of=window_of, move=swing)
    z = [m.name for m in calm.monitors].index("z: location")
    assert calm.spread[1][z] == 1.0
    assert restless.spread[1][z] > 10


def test_one_sided_monitors_are_those_of_harm():
    panel, _ = panel_of()
    assert {m.aspect for m in panel.monitors if m.is_one_sided} == {Aspect.NEW_VALUES}
