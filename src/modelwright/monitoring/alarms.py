"""Alarms and advice: a pure function of the windows, so whoever computes it again finds the same alarms."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.fingerprint import fingerprint
from modelwright.core.signal import OF_QUALITY, Action, Advice, Alarm, Aspect, Signal
from modelwright.monitoring import effects
from modelwright.monitoring.budget import CLEARLY, QUIET_WINDOWS, Stream, detectable, openings, simulate
from modelwright.monitoring.scanning import scan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.core.arrays import Bools, Floats, Ints
    from modelwright.monitoring.baseline import Baseline, Window
    from modelwright.monitoring.panel import Panel
    from modelwright.monitoring.scanning import Scan

NOTABLE_SHARE = 0.05
"""An estimated rise of the mean loss by this part is worth a new model."""
BROKEN_SHARE = 0.1
"""So many more rows that are missing or unheard of speak of broken data rather than of a changed world."""
SIGNALS_MOST = 12


@dataclass(frozen=True, slots=True)
class Plan:
    """At which strength alarms are raised, and what that can find.

    Attributes:
        budget: Accepted false alarms a month, over the whole model.
        threshold: Strength of an alarm.
        windows_a_month: How many windows a month has.
        rows: Of a typical window: inputs, outcomes.
    """

    budget: float
    threshold: float
    windows_a_month: float
    rows: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as plain data."""
        return {**asdict(self), "rows": list(self.rows)}

    @classmethod
    def of_dict(cls, data: Mapping[str, Any]) -> Plan:
        """Return the rule that was told as plain data."""
        return cls(data["budget"], data["threshold"], data["windows_a_month"], (data["rows"][0], data["rows"][1]))


def plan(
    baseline: Baseline, *, budget: float, windows_a_month: float, rows: float, labelled: float, seed: int = 0
) -> Plan:
    """Return the threshold that keeps the budget.

    Args:
        baseline: What is watched.
        budget: Accepted false alarms a month, above zero.
        windows_a_month: How many windows a month has.
        rows: Of a typical window.
        labelled: Outcomes that become known in one; 0 when none ever do.
        seed: Of the simulation.
    """
    streams = [Stream(baseline.inputs, rows)] + ([Stream(baseline.outcomes, labelled)] if labelled >= 1 else [])
    threshold = simulate(streams, windows_a_month, seed=seed).threshold(budget)
    return Plan(budget, threshold, windows_a_month, (rows, labelled))


@dataclass(frozen=True, slots=True)
class Course:
    """All windows since the baseline, scanned.

    Attributes:
        strength: Of inputs' and outcomes' monitors side by side, shape (n_windows, n_monitors).
        horizon: Over how many windows each is strongest.
        causes: Which cause each monitor speaks of.
        n_inputs: How many of the monitors are of inputs.
    """

    strength: Floats
    horizon: Ints
    causes: Ints
    n_inputs: int

    def over(self, threshold: float) -> Bools:
        """Return where causes are over the threshold, shape (n_windows, n_causes)."""
        n_causes = int(self.causes.max()) + 1 if len(self.causes) else 0
        found = np.zeros((len(self.strength), n_causes), dtype=bool)
        strong = np.abs(self.strength) >= threshold
        for monitor in np.flatnonzero(strong.any(axis=0)):
            found[:, self.causes[monitor]] |= strong[:, monitor]
        return found


def course(baseline: Baseline, windows: Sequence[Window]) -> Course:
    """Scan the windows since the baseline, in order of time."""
    inputs = _scan(baseline.inputs, [w.inputs for w in windows])
    blank = tuple(np.zeros(t.n_bins, dtype=np.int64) for t in baseline.outcomes.traits)
    outcomes = _scan(baseline.outcomes, [w.outcomes or blank for w in windows])
    offset = int(baseline.inputs.causes.max()) + 1 if len(baseline.inputs.causes) else 0
    return Course(
        np.hstack([inputs.strength, outcomes.strength]),
        np.hstack([inputs.horizon, outcomes.horizon]),
        np.concatenate([baseline.inputs.causes, baseline.outcomes.causes + offset]),
        len(baseline.inputs.monitors),
    )


def _scan(panel: Panel, counts: Sequence[Sequence[Ints]]) -> Scan:
    return scan(panel, np.array([panel.sums(c) for c in counts]), np.array([panel.sizes(c) for c in counts]))


def alarms(baseline: Baseline, windows: Sequence[Window], rule: Plan) -> tuple[Alarm, ...]:
    """Return every alarm since the baseline, oldest first.

    Args:
        baseline: What production is compared with.
        windows: All windows since then, in order of time.
        rule: The threshold.
    """
    if not windows:
        return ()
    seen = course(baseline, windows)
    over = seen.over(rule.threshold)
    begins = openings(over, seen.over(rule.threshold + CLEARLY))
    return tuple(
        _alarm(baseline, windows, seen, over, int(window), rule) for window in np.flatnonzero(begins.any(axis=1))
    )


def _alarm(baseline: Baseline, windows: Sequence[Window], seen: Course, over: Bools, window: int, rule: Plan) -> Alarm:
    """Return the alarm that a window raised."""
    strong = np.flatnonzero(np.abs(seen.strength[window]) >= rule.threshold)
    ranked: list[tuple[float, Signal]] = []
    by_column: dict[str, float] = {}
    for position in strong:
        change, signal = _signal(baseline, windows, seen, window, int(position), rule)
        ranked.append((change, signal))
        if signal.column:
            by_column[signal.column] = max(by_column.get(signal.column, -np.inf), change)
    ranked.sort(key=lambda pair: (pair[1].aspect not in OF_QUALITY, -pair[0], -abs(pair[1].strength)))
    signals = tuple(s for _, s in ranked[:SIGNALS_MOST])
    of_quality = any(s.aspect in OF_QUALITY for s in signals)
    effect = _realised(baseline, windows, signals, window) if of_quality else max(c for c, _ in ranked)
    columns = tuple(sorted(by_column, key=lambda c: -by_column[c]))
    scale = baseline.mean_loss
    recent = windows[max(window + 1 - max(s.windows for s in signals), 0) : window + 1]
    causes = {int(seen.causes[p]) for p in strong}
    return Alarm(
        id=fingerprint(baseline.fingerprint, windows[window].start, sorted(causes))[:16],
        model=baseline.model,
        time=windows[window].end,
        title=_title(signals, columns),
        signals=signals,
        columns=columns,
        effect=effect,
        effect_share=effect / scale if scale > 0 else None,
        is_about_quality=of_quality,
        ended=_end(windows, np.asarray(over[:, sorted(causes)].any(axis=1)), window),
        segments=effects.segments(baseline, recent) if of_quality else (),
    )


def _signal(
    baseline: Baseline, windows: Sequence[Window], seen: Course, window: int, position: int, rule: Plan
) -> tuple[float, Signal]:
    """Return what a monitor saw, and the change of the mean loss that its column alone would make."""
    of_inputs = position < seen.n_inputs
    panel = baseline.inputs if of_inputs else baseline.outcomes
    local = position if of_inputs else position - seen.n_inputs
    k = int(seen.horizon[window, position])
    recent = windows[max(window + 1 - k, 0) : window + 1]
    counts = pooled([w.inputs if of_inputs else w.outcomes for w in recent])
    monitor = panel.monitors[local]
    trait = panel.traits[monitor.trait]
    change = effects.loss_change(baseline, monitor.trait, counts[monitor.trait]) if of_inputs else 0.0
    signal = Signal(
        monitor.name,
        trait.column,
        monitor.aspect,
        float(seen.strength[window, position]),
        rule.threshold,
        k,
        recent[0].start,
        effects.text(panel, local, counts),
    )
    return change, signal


def pooled(counts: Sequence[Sequence[Ints]]) -> tuple[Ints, ...]:
    """Return the counts of several windows together."""
    kept = [c for c in counts if c]
    return tuple(np.sum(parts, axis=0) for parts in zip(*kept, strict=True))


def _realised(baseline: Baseline, windows: Sequence[Window], signals: Sequence[Signal], window: int) -> float:
    """Return by how much the mean realised loss lies above the reference's."""
    k = max(s.windows for s in signals if s.aspect in OF_QUALITY)
    recent = [w for w in windows[max(window + 1 - k, 0) : window + 1] if w.losses]
    labelled = sum(w.labelled for w in recent)
    # The answers are never missing, so the bins of any trait that is whole hold every loss.
    sums = max((sum(float(w.losses[t].sum()) for w in recent) for t in range(len(baseline.losses))), default=0.0)
    return sums / labelled - baseline.mean_loss if labelled else 0.0


def _title(signals: Sequence[Signal], columns: Sequence[str]) -> str:
    first = signals[0]
    rest = [c for c in columns if c != first.column]
    behind = f"; with it {_listed(rest)} changed" if rest else ""
    return f"{first.text[0].upper()}{first.text[1:]}{behind}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def _end(windows: Sequence[Window], over: Bools, begun: int) -> float | None:
    """Return when a cause had been quiet long enough, or None."""
    quiet = 0
    for window in range(begun, len(windows)):
        quiet = 0 if over[window] else quiet + 1
        if quiet > QUIET_WINDOWS:
            return windows[window].end
    return None


def advise(baseline: Baseline, windows: Sequence[Window], found: Sequence[Alarm]) -> Advice:
    """Return what to do about the alarms that last."""
    lasting = [a for a in found if a.ended is None]
    if not lasting:
        return Advice(Action.NOTHING, "nothing that was raised lasts")
    ids = tuple(a.id for a in lasting)
    broken = [s for a in lasting for s in a.signals if _is_broken(baseline, windows, s)]
    if broken:
        return Advice(Action.REPAIR, f"{broken[0].text}: this looks like broken data, which no new model repairs", ids)
    bad = [a for a in lasting if a.is_about_quality]
    if bad:
        return Advice(Action.RETRAIN, f"outcomes say that the model is no longer as good: {bad[-1].title}", ids)
    costly = [a for a in lasting if (a.effect_share or 0.0) >= NOTABLE_SHARE]
    if costly:
        share = max(a.effect_share or 0.0 for a in costly)
        return Advice(Action.RETRAIN, f"the mean loss is estimated to be {100 * share:.0f} % higher", ids)
    return Advice(Action.LOOK, "inputs changed; the measure that matters is hardly touched as far as is known", ids)


def _is_broken(baseline: Baseline, windows: Sequence[Window], signal: Signal) -> bool:
    if signal.aspect is not Aspect.MISSING:
        return False
    monitor = next(m for m in baseline.inputs.monitors if m.name == signal.monitor)
    new, old = effects.share(baseline.inputs, monitor, pooled([w.inputs for w in windows[-signal.windows :]]))
    return new - old >= BROKEN_SHARE


def finds(baseline: Baseline, rule: Plan, *, days: Sequence[float] = (1, 7, 30)) -> list[dict[str, Any]]:
    """Return the smallest change that one monitor of each kind finds in four of five cases, by days.

    Returns:
        ``monitor``, ``days``, ``windows``, ``change`` (of its share, or in standard deviations
        of its score) and ``text``.
    """
    found = []
    of_panels = ((baseline.inputs, rule.rows[0]), (baseline.outcomes, rule.rows[1]))
    for panel, rows in of_panels:
        said: dict[tuple[float, ...], list[tuple[int, float]]] = {}
        if rows < 1:
            continue
        for position, monitor in enumerate(panel.monitors):
            spread = tuple(round(float(s[position]), 6) for s in panel.spread.values())
            # Two digits of the hits tell the change as exactly as it is said.
            hits, rows_known = panel.known(position)
            hits = -1.0 if monitor.share is None else float(f"{hits:.2g}")
            key = (rows_known, hits, *spread)
            if key not in said:
                said[key] = _by_days(panel, rows, rule, days, position)
            for n_windows, change in said[key]:
                found.append(
                    {
                        "monitor": monitor.name,
                        "windows": n_windows,
                        "days": round(n_windows * 30.44 / rule.windows_a_month, 1),
                        "change": change,
                        "text": _change_text(monitor, change),
                    }
                )
    return found


def _by_days(panel: Panel, rows: float, rule: Plan, days: Sequence[float], position: int) -> list[tuple[int, float]]:
    windows = sorted({max(round(d * rule.windows_a_month / 30.44), 1) for d in days})
    return [(w, detectable(panel, rows, rule.threshold, w, monitor=position)) for w in windows]


def _change_text(monitor: Any, change: float) -> str:
    if monitor.share is not None:
        return f"a rise of its share by {100 * change:.2g} points"
    if monitor.aspect in (Aspect.SPREAD, Aspect.SHAPE):
        return f"a change by {change:.2g} standard deviations of its score"
    # A shift by d standard deviations of normal values moves the standardised rank by d·√(3/π).
    return f"a shift by {change / np.sqrt(3 / np.pi):.2g} standard deviations"
