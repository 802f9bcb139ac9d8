"""From the ledger to windows: answers by when they were given, outcomes by when they became known."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from modelwright.core.contract import Role
from modelwright.core.table import Table
from modelwright.data.conforming import conform
from modelwright.data.tasks import encode
from modelwright.monitoring.baseline import Window
from modelwright.monitoring.quality import Quality, quality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from modelwright.core.arrays import Bools, Floats, Ints
    from modelwright.core.model import Model
    from modelwright.core.ports import Ledger
    from modelwright.core.prediction import Answered
    from modelwright.monitoring.baseline import Baseline


@dataclass(slots=True)
class Seen:
    """What a pass read.

    Attributes:
        windows: Every window from the first answer to the latest that has ended, empty ones included.
        quality: Of the answers of each window that has any, by its start.
        breaks: Rows that broke the contract, by what the service noted.
        others: Answers of other versions of the model, which are not counted.
    """

    windows: list[Window] = field(default_factory=list)
    quality: dict[float, Quality] = field(default_factory=dict)
    breaks: dict[str, int] = field(default_factory=dict)
    others: int = 0


def read_windows(
    ledger: Ledger,
    baseline: Baseline,
    model: Model,
    *,
    fingerprint: str,
    window_seconds: float,
    until: float,
    start: float | None = None,
    tick: Callable[[], None] = lambda: None,
) -> Seen:
    """Read the ledger from a moment on, window by window; memory holds the rows of one window.

    Args:
        ledger: Where answers and outcomes are.
        baseline: Says what is counted.
        model: What answered.
        fingerprint: Of its package; answers of others are left out.
        window_seconds: Length of a window; windows begin at multiples of it.
        until: Only windows that end by then are made.
        start: Answers from then on, None for all.
        tick: Called after each window.
    """
    seen = Seen()
    inputs: dict[float, Window] = {}
    outcomes: dict[float, list[Window]] = defaultdict(list)
    last = np.floor(until / window_seconds) * window_seconds
    for begin, answered in _by_window(ledger, baseline.model, seen, fingerprint, window_seconds, start, last):
        frame, scores, known, target = _rows(answered, model)
        matrix = model.plan.matrix(frame)
        values = baseline.values(frame, scores, matrix)
        end = begin + window_seconds
        counts = _without_absent(baseline, baseline.inputs.count(values), answered)
        inputs[begin] = Window(begin, end, len(answered), counts)
        for arrived, rows in _arrivals(answered, known, window_seconds, begin):
            if arrived >= last:
                continue
            some = frame[rows]
            part = None if matrix is None else matrix.take(rows)
            errors = baseline.errors(target[rows], scores[rows], part)
            of_rows = baseline.values(some, scores[rows], part)
            made = baseline.window(
                arrived, arrived + window_seconds, of_rows, n_rows=0, errors=errors, values_of_labelled=of_rows
            )
            outcomes[arrived].append(made)
        seen.quality[begin] = quality(baseline, model, scores, matrix, target, known, frame=frame)
        tick()
    if inputs:
        for begin in np.arange(min(inputs), last, window_seconds):
            seen.windows.append(_joined(baseline, float(begin), window_seconds, inputs, outcomes))
    return seen


def _by_window(
    ledger: Ledger, name: str, seen: Seen, fingerprint: str, seconds: float, start: float | None, last: float
) -> Iterator[tuple[float, list[Answered]]]:
    """Give the answers that count, window by window."""
    begin, kept = None, []
    for batch in ledger.read(name, start=start, end=float(last)):
        for one in batch:
            record = one.record
            if record.fingerprint != fingerprint or record.role == "shadow" or not record.scores:
                seen.others += record.fingerprint != fingerprint
                continue
            for flag in record.flags:
                seen.breaks[flag] = seen.breaks.get(flag, 0) + 1
            window = float(np.floor(record.time / seconds) * seconds)
            if begin is not None and window != begin:
                yield begin, kept
                kept = []
            begin = window
            kept.append(one)
    if begin is not None:
        yield begin, kept


def _rows(answered: list[Answered], model: Model) -> tuple[pl.DataFrame, Floats, Bools, Any]:
    """Return conformed rows, scores, which outcomes are known, and encoded targets."""
    records = [a.record for a in answered]
    names = [c.name for c in model.contract.columns if c.role is not Role.TARGET]
    raw = pl.DataFrame([_series(n, [r.row.get(n) for r in records]) for n in names])
    frame = conform(raw, model.contract).frame
    scores = np.array([r.scores for r in records], dtype=np.float64)
    if not model.task.is_classification:
        scores = scores[:, 0]
    outcome = [None if a.outcome is None else _text(a.outcome.value) for a in answered]
    table = Table(pl.DataFrame({model.task.target: pl.Series(outcome, dtype=pl.String)}), "ledger", "")
    target, known = encode(table, model.task, model.contract)
    return frame, scores, known, target


def _series(name: str, cells: list[Any]) -> pl.Series:
    """Return cells as they came: numbers where all are, else text, which the contract says how to read."""
    if any(c is not None for c in cells) and all(c is None or type(c) in (int, float) for c in cells):
        return pl.Series(name, cells, dtype=pl.Float64, strict=False)
    return pl.Series(name, [_text(c) for c in cells], dtype=pl.String)


def _text(value: object) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _without_absent(baseline: Baseline, counts: tuple[Ints, ...], answered: list[Answered]) -> tuple[Ints, ...]:
    """Return the counts with nothing for columns that no row holds: the ledger leaves private ones out."""
    there: set[str] = set()
    for a in answered:
        there |= a.record.row.keys()
    traits = baseline.inputs.traits
    return tuple(
        c if not t.column or t.column in there else np.zeros_like(c) for t, c in zip(traits, counts, strict=True)
    )


def _arrivals(answered: list[Answered], known: Bools, seconds: float, begin: float) -> Iterator[tuple[float, Ints]]:
    """Give the rows whose outcome became known, by the window in which it did."""
    times = np.array([begin if a.outcome is None else max(a.outcome.time, begin) for a in answered])
    arrived = np.floor(times / seconds) * seconds
    for window in np.unique(arrived[known]):
        yield float(window), np.flatnonzero(known & (arrived == window))


def _joined(
    baseline: Baseline, begin: float, seconds: float, inputs: dict[float, Window], outcomes: dict[float, list[Window]]
) -> Window:
    """Return one window of answers and of the outcomes that became known in it."""
    blank = tuple(np.zeros(t.n_bins, dtype=np.int64) for t in baseline.inputs.traits)
    window = inputs.get(begin, Window(begin, begin + seconds, 0, blank))
    parts = outcomes.get(begin)
    if not parts:
        return window
    return replace(
        window,
        outcomes=_added([p.outcomes for p in parts]),
        labelled=sum(p.labelled for p in parts),
        losses=_added([p.losses for p in parts]),
        losers=_added([p.losers for p in parts]),
    )


def _added(parts: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    return tuple(np.sum(same, axis=0) for same in zip(*parts, strict=True))
