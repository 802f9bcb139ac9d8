"""Effects: how large a change is, in words and numbers that do not depend on how many rows were seen."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.score import Score
from modelwright.core.signal import Aspect
from modelwright.monitoring.traits import Form, coarse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.arrays import Floats, Ints
    from modelwright.monitoring.baseline import Baseline, Window
    from modelwright.monitoring.panel import Monitor, Panel
    from modelwright.monitoring.traits import Trait

Z = 1.96
RANK_SD = 1 / math.sqrt(12)
SEGMENTS = 3
SEGMENT_ROWS = 30


def drift(trait: Trait, counts: Ints, reference: Ints) -> Score:
    """Return how far the shares of a trait's bins lie apart: Cohen's w, without what chance alone adds.

    0.1 is small, 0.3 medium, 0.5 large (Cohen 1988). More rows make the interval narrower, not the value larger.
    """
    new, old = coarse(counts, trait).astype(np.float64), coarse(reference, trait).astype(np.float64)
    n, m = new.sum(), old.sum()
    if n < 2 or m < 2:
        return Score("drift", math.nan, math.nan, math.nan, int(n), method="none", note="too few rows")
    used = (new + old) > 0
    new, old = new[used], old[used]
    freedom = max(len(new) - 1, 1)
    scale = 1 / n + 1 / m
    # Against the plain middle of both: weighed by their rows, the size would depend on how many there are.
    statistic = float((((new / n - old / m) ** 2) / ((new / n + old / m) / 2)).sum() / scale)
    excess = statistic - freedom
    half = Z * math.sqrt(2 * (freedom + 2 * max(excess, 0.0)))
    low, value, high = (math.sqrt(max(x, 0.0) * scale) for x in (excess - half, excess, excess + half))
    return Score("drift", value, low, high, int(n), method="chi-square less its chance part")


def above(panel: Panel, position: int, counts: Sequence[Ints]) -> float:
    """Return in which share of pairs a new value is above an old one, for a location monitor."""
    trait = panel.monitors[position].trait
    new, old = counts[trait][:-1].astype(np.float64), panel.counts[trait][:-1].astype(np.float64)
    if not new.sum() or not old.sum():
        return math.nan
    rank = (np.cumsum(old) - old / 2) / old.sum()
    return float(new @ rank / new.sum())


def share(panel: Panel, monitor: Monitor, counts: Sequence[Ints]) -> tuple[float, float]:
    """Return the share of an indicator in new rows and in the reference."""
    column = [m for m in panel.monitors if m.trait == monitor.trait].index(monitor)
    score = panel.scores[monitor.trait][:, column]
    new = counts[monitor.trait]
    return float(new @ score / max(new.sum(), 1)), monitor.share or 0.0


def text(panel: Panel, position: int, counts: Sequence[Ints]) -> str:
    """Return what a monitor saw, in a few words."""
    monitor = panel.monitors[position]
    name = panel.traits[monitor.trait].name
    if monitor.share is not None:
        new, old = share(panel, monitor, counts)
        what = {
            Aspect.MISSING: f"{name} is missing",
            Aspect.NEW_VALUES: f"{name} has values never seen",
            Aspect.LEVEL: f"{name} is {monitor.level}",
        }[monitor.aspect]
        return f"{what} in {_percent(new)} of rows, before in {_percent(old)}"
    pairs = above(panel, position, counts)
    rises = f"in {_percent(pairs)} of pairs a new value is above an old one"
    return {
        Aspect.LOCATION: f"{name} moved: {rises}",
        Aspect.SPREAD: f"{name} has another spread",
        Aspect.SHAPE: f"{name} has another shape",
        Aspect.RELATIONS: f"columns come together in combinations that were rare: {rises}",
        Aspect.EXPECTED_LOSS: f"rows are of a kind that is harder to predict: {rises}",
        Aspect.LOSS: f"errors are larger: {rises}",
        Aspect.BIAS: f"answers are off to one side: {rises} (truth less answer)",
        Aspect.SURPRISE: f"errors are larger than the answers let expect: {rises}",
    }[monitor.aspect]


def _percent(part: float) -> str:
    percent = 100 * part
    return f"{percent:.0f} %" if percent >= 9.5 or percent == 0 else f"{percent:.2g} %"


def loss_change(baseline: Baseline, trait: int, counts: Ints) -> float:
    """Return how the mean loss would change if only this trait's shares changed and each bin kept its loss.

    Values never seen count as the worst bin that was seen.
    """
    old = baseline.inputs.counts[trait].astype(np.float64)
    losses = baseline.losses[trait].copy()
    seen = old > 0
    if not seen.any() or counts.sum() == 0:
        return 0.0
    losses[~seen] = losses[seen].max()
    return float(losses @ (counts / counts.sum() - old / old.sum()))


def segments(baseline: Baseline, windows: Sequence[Window]) -> tuple[dict[str, Any], ...]:
    """Return where losses rose most beyond their reference: rows, mean loss and reference loss of up to three bins."""
    found: list[tuple[float, dict[str, Any]]] = []
    labelled = [w for w in windows if w.losses]
    if not labelled:
        return ()
    total = sum(w.labelled for w in labelled)
    for position, trait in enumerate(baseline.inputs.traits):
        if not trait.column:
            continue
        sums = coarse_sums(np.sum([w.losses[position] for w in labelled], axis=0), trait)
        rows = coarse(np.sum([w.losers[position] for w in labelled], axis=0), trait)
        expected = coarse_sums(
            baseline.losses[position] * np.sum([w.losers[position] for w in labelled], axis=0), trait
        )
        for b in np.flatnonzero(rows >= SEGMENT_ROWS):
            excess = float(sums[b] - expected[b])
            if rows[b] < total and excess > 0:
                where = f"{trait.name} {bin_name(trait, int(b))}"
                facts = {"where": where, "rows": int(rows[b]), "loss": float(sums[b] / rows[b])}
                found.append((excess / math.sqrt(rows[b]), {**facts, "reference": float(expected[b] / rows[b])}))
    found.sort(key=lambda item: -item[0])
    return tuple(facts for _, facts in found[:SEGMENTS])


def coarse_sums(sums: Floats, trait: Trait, n_groups: int = 10) -> Floats:
    """Return sums by bin in the coarse bins of ``coarse``."""
    return coarse(sums, trait, n_groups)  # type: ignore[arg-type, return-value]


def bin_name(trait: Trait, position: int, n_groups: int = 10) -> str:
    """Return a coarse bin in words."""
    if trait.form is Form.LEVELS:
        names = [*(f"= {level}" for level in trait.levels), "is a rare level", "is a level never seen", "is missing"]
        return names[position]
    assert trait.edges is not None
    edges = trait.edges
    if trait.n_bins <= n_groups + 3:
        groups = [np.array([i]) for i in range(trait.n_bins - 1)]
    else:
        inner = np.array_split(np.arange(1, trait.n_bins - 2), n_groups)
        groups = [np.arange(1), *inner, np.arange(trait.n_bins - 2, trait.n_bins - 1)]
    if position >= len(groups):
        return "is missing"
    first, last = int(groups[position][0]), int(groups[position][-1])
    if first == 0:
        return f"below {edges[0]:.4g}"
    if last >= len(edges):
        return f"above {edges[-1]:.4g}"
    low, high = float(edges[first - 1]), float(edges[last])
    return f"= {low:.4g}" if low == int(low) and high - low < 1e-9 else f"{low:.4g} to {high:.4g}"
