"""From the ledger to windows: answers by when they were given, outcomes by when they became known."""

from __future__ import annotations

import io
import json
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from types import NoneType
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from modelwright.core.contract import Role
from modelwright.core.machine import one_thread, uncollected
from modelwright.core.table import Table
from modelwright.data.conforming import conform
from modelwright.data.tasks import encode
from modelwright.monitoring.quality import quality
from modelwright.monitoring.tally import Tally, joined, together
from modelwright.monitoring.traits import Form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from modelwright.core.arrays import Array, Bools, Floats
    from modelwright.core.model import Model
    from modelwright.core.ports import Ledger
    from modelwright.core.prediction import Columns
    from modelwright.monitoring.baseline import Baseline, Window
    from modelwright.monitoring.quality import Quality
    from modelwright.monitoring.state import WatchState

ROWS_LOOKED_AT = 20
CELLS_AT_ONCE = 5_000_000
ROWS_LEAST, ROWS_MOST = 1_000, 100_000
"""Rows that are read at once hold so many cells, within these bounds: each column costs a little for every batch."""
COUNTED_BY = 1
"""Raised whenever windows are counted in another way, so that none that was kept is mixed with new ones."""


@dataclass(slots=True)
class Seen:
    """What a pass read.

    Attributes:
        windows: Every window from the first answer to the latest that has ended, empty ones included.
        quality: Of the answers of each window that has any, by its start.
        breaks: Rows that broke the contract, by what the service noted.
        others: Answers of other versions of the model, which are not counted.
        n_read: Records that were read; the others were counted by an earlier pass.
    """

    windows: list[Window] = field(default_factory=list)
    quality: dict[float, Quality] = field(default_factory=dict)
    breaks: dict[str, int] = field(default_factory=dict)
    others: int = 0
    n_read: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """How the ledger is read.

    Attributes:
        ledger: Where answers and outcomes are.
        baseline: Says what is counted.
        model: What answered.
        fingerprint: Of its package; answers of others are left out.
        seconds: Length of a window; windows begin at multiples of it.
    """

    ledger: Ledger
    baseline: Baseline
    model: Model
    fingerprint: str
    seconds: float

    @property
    def key(self) -> str:
        """Names all that the counts depend on."""
        return f"{COUNTED_BY} {self.baseline.fingerprint} {self.fingerprint} {self.seconds!r}"


def read_windows(reading: Reading, *, until: float, state: WatchState, tick: Callable[[], None] = lambda: None) -> Seen:
    """Read what moved in the ledger since the last pass, and return every window; memory holds a part of one.

    Args:
        reading: What is read and how.
        until: Only windows that end by then are made.
        state: Keeps what was counted, so that a window is read again only after something came to it.
        tick: Called after each part.
    """
    seconds, name = reading.seconds, reading.baseline.model
    last = float(np.floor(until / seconds) * seconds)
    kept, mark = state.tallies(reading.key)
    stirred = reading.ledger.stirred(name, seconds, mark if kept else None)
    counts = {start: n for start, n in stirred.counts.items() if start < last}
    known = {s for s, n in counts.items() if s in kept and kept[s][0] == n and s not in stirred.touched}
    tallies = [Tally.of_bytes(kept[start][1], reading.baseline) for start in sorted(known)]
    seen = Seen()
    with one_thread(), uncollected():
        for begin, end in _stretches(sorted(counts.keys() - known), seconds):
            for tally in _tallied(reading, begin, end, tick):
                start = tally.window.start
                seen.n_read += tally.window.rows
                state.keep_tally(reading.key, start, counts.get(start, 0), tally.to_bytes())
                tallies.append(tally)
    state.mark(reading.key, stirred.mark, [start for start in kept if start not in counts])
    counted = [t for t in tallies if t.window.rows]
    seen.windows = joined(reading.baseline, counted, seconds=seconds, until=last)
    for tally in tallies:
        if tally.quality is not None:
            seen.quality[tally.window.start] = tally.quality
        seen.others += tally.others
        for flag, n in tally.breaks.items():
            seen.breaks[flag] = seen.breaks.get(flag, 0) + n
    return seen


def _stretches(starts: Sequence[float], seconds: float) -> Iterator[tuple[float, float]]:
    """Give begin and end of windows that follow each other, so that each stretch is one query."""
    begin: float | None = None
    end = 0.0
    for start in starts:
        if begin is not None and start != end:
            yield begin, end
            begin = None
        begin, end = start if begin is None else begin, start + seconds
    if begin is not None:
        yield begin, end


def _tallied(reading: Reading, begin: float, end: float, tick: Callable[[], None]) -> Iterator[Tally]:
    """Give the tallies of a stretch of time, window by window."""
    parts: list[_Part] = []
    at: float | None = None
    for piece, asked in _taken_apart(reading, _pieces(reading, begin, end)):
        if at is not None and piece.start != at:
            yield _tally(reading, at, parts)
            parts = []
        at = piece.start
        parts.append(_part(reading, piece, asked))
        tick()
    if at is not None:
        yield _tally(reading, at, parts)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some answers of one window as the ledger holds them.

    Attributes:
        start: Of the window.
        columns: The batch they are part of.
        counted: Which of its rows are counted: this model's own answers, but not what it said as a shadow.
        others: How many answers of other packages are not.
    """

    start: float
    columns: Columns
    counted: list[int]
    others: int


def _pieces(reading: Reading, begin: float, end: float) -> Iterator[_Piece]:
    """Read a stretch of time."""
    n_columns = len(reading.model.contract.columns)
    rows_at_once = min(max(CELLS_AT_ONCE // n_columns, ROWS_LEAST), ROWS_MOST)
    batches = reading.ledger.columns(reading.baseline.model, start=begin, end=end, rows_at_once=rows_at_once)
    for columns in batches:
        starts = np.floor(np.array(columns.times) / reading.seconds) * reading.seconds
        for start in np.unique(starts):
            rows = np.flatnonzero(starts == start).tolist()
            ours = [i for i in rows if columns.fingerprints[i] == reading.fingerprint]
            counted = [i for i in ours if columns.roles[i] != "shadow" and columns.scores[i]]
            yield _Piece(float(start), columns, counted, len(rows) - len(ours))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked in the counted rows of a piece.

    Attributes:
        frame: As the contract reads it.
        absent: Columns that no row holds.
    """

    frame: pl.DataFrame
    absent: list[str]


def _taken_apart(reading: Reading, pieces: Iterator[_Piece]) -> Iterator[tuple[_Piece, _Asked]]:
    """Give pieces with what was asked in them, which another thread takes apart while the one before is counted.

    Reading the ledger stays with the counting: two threads of Python take turns, and SQLite asks for one every row.
    """
    with ThreadPoolExecutor(1, "cells") as pool:
        before: tuple[_Piece, Future[_Asked]] | None = None
        for piece in pieces:
            coming = pool.submit(_asked, reading, piece)
            if before is not None:
                yield before[0], before[1].result()
            before = piece, coming
        if before is not None:
            yield before[0], before[1].result()


def _asked(reading: Reading, piece: _Piece) -> _Asked:
    if not piece.counted:
        return _Asked(pl.DataFrame(), [])
    contract = reading.model.contract
    names = [c.name for c in contract.columns if c.role is not Role.TARGET]
    cells = _cells(_picked(piece.columns.rows, piece.counted), names)
    absent = [name for name in names if name not in cells.columns]
    return _Asked(conform(cells.with_columns(pl.lit(None, pl.String).alias(n) for n in absent), contract).frame, absent)


@dataclass(slots=True)
class _Part:
    """Some answers of one window: what was counted, and what the window's quality needs of each row."""

    window: Window | None
    outcomes: list[Window]
    scores: Floats
    expected: Floats
    target: Any
    known: Bools
    levels: dict[int, Array]
    breaks: Counter[str]
    others: int


def _part(reading: Reading, piece: _Piece, asked: _Asked) -> _Part:
    """Count some answers of one window."""
    baseline, model = reading.baseline, reading.model
    start, columns, counted, others = piece.start, piece.columns, piece.counted, piece.others
    breaks = Counter(flag for i in columns.flags.keys() & counted for flag in columns.flags[i])
    if not counted:
        return _Part(None, [], np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0, dtype=bool), {}, breaks, others)
    scores = np.array(_picked(columns.scores, counted), dtype=np.float64)
    scores = scores if model.task.is_classification else scores[:, 0]
    outcomes = _texts(_picked(columns.outcomes, counted))
    table = Table(pl.DataFrame({model.task.target: pl.Series(outcomes, dtype=pl.String)}), "ledger", "")
    target, known = encode(table, model.task, model.contract)
    expected = baseline.expect(model, asked.frame, scores)
    codes = baseline.codes(asked.frame, scores, expected)
    window = baseline.window(start, start + reading.seconds, codes, n_rows=len(counted))
    window = _without(window, baseline, asked.absent)
    times = np.fmax(np.array(_picked(columns.known_at, counted), dtype=np.float64), start)
    parts = []
    arrived = np.floor(times / reading.seconds) * reading.seconds
    for moment in np.unique(arrived[known]):
        of = np.flatnonzero(known & (arrived == moment))
        errors = baseline.errors(target[of], scores[of], expected[of])
        of_labelled = [(c if len(of) == len(c) else c[of]) if len(c) == len(counted) else c[:0] for c in codes]
        parts.append(
            baseline.window(
                float(moment),
                float(moment) + reading.seconds,
                (),
                n_rows=0,
                errors=errors,
                codes_of_labelled=of_labelled,
            )
        )
    traits = enumerate(baseline.inputs.traits)
    levels: dict[int, Array] = {
        i: codes[i].astype(np.int16) for i, t in traits if t.form is Form.LEVELS and len(codes[i]) == len(counted)
    }
    return _Part(window, parts, scores, expected, target, known, levels, breaks, others)


def _cells(rows: list[bytes], names: Sequence[str]) -> pl.DataFrame:
    """Return the named columns of rows of JSON: numbers where all cells are numbers, else text, as the contract reads.

    What the first rows hold is taken for what all hold, which is twice as quick as looking at every row first.
    """
    first = [json.loads(row) for row in rows[:ROWS_LOOKED_AT]]
    kinds: dict[str, Any] = {}
    for name in names:
        cells = [row[name] for row in first if row.get(name) is not None]
        is_number = bool(cells) and all(type(c) in (int, float) for c in cells)
        kinds[name] = pl.Float64 if is_number else pl.String
    lines = io.BytesIO(b"\n".join(rows))
    try:
        frame = pl.read_ndjson(lines, schema=kinds)
    except pl.exceptions.ComputeError:  # the first rows were not like the others
        lines.seek(0)
        found = pl.read_ndjson(lines, infer_schema_length=None)
        frame = found.select(
            pl.col(n).cast(pl.Float64 if found.schema[n].is_numeric() else pl.String)
            for n in names
            if n in found.columns
        )
    empty = [n for n in frame.columns if frame[n].null_count() == frame.height]
    return frame.drop(n for n in empty if not any(json.dumps(n, ensure_ascii=False).encode() in row for row in rows))


def _picked(values: Sequence[Any], places: Sequence[int]) -> list[Any]:
    return list(map(values.__getitem__, places))


def _texts(values: list[Any]) -> list[str | None]:
    if set(map(type, values)) <= {str, NoneType}:
        return values
    return [None if v is None else str(v).lower() if isinstance(v, bool) else str(v) for v in values]


def _without(window: Window, baseline: Baseline, absent: Sequence[str]) -> Window:
    """Return a window with nothing counted of columns that no row holds: the ledger leaves private ones out."""
    if not absent:
        return window
    traits = baseline.inputs.traits
    counts = (np.zeros_like(c) if t.column in absent else c for c, t in zip(window.inputs, traits, strict=True))
    return replace(window, inputs=tuple(counts))


def _tally(reading: Reading, start: float, parts: Sequence[_Part]) -> Tally:
    """Return all that is counted of a window whose answers were counted in parts."""
    whole = [p for p in parts if p.window is not None]
    breaks = sum((p.breaks for p in parts), Counter[str]())
    others = sum(p.others for p in parts)
    if not whole:
        blank = reading.baseline.window(start, start + reading.seconds, (), n_rows=0)
        return Tally(blank, (), None, breaks, others)
    by_arrival: dict[float, list[Window]] = {}
    for part in whole:
        for outcome in part.outcomes:
            by_arrival.setdefault(outcome.start, []).append(outcome)
    of = quality(
        reading.baseline,
        reading.model,
        np.concatenate([p.scores for p in whole]),
        np.concatenate([p.expected for p in whole]),
        np.concatenate([p.target for p in whole]),
        np.concatenate([p.known for p in whole]),
        levels={i: np.concatenate([p.levels[i] for p in whole]) for i in whole[0].levels},
    )
    window = together([p.window for p in whole if p.window is not None])
    outcomes = tuple(together(same) for same in by_arrival.values())
    return Tally(window, outcomes, of, breaks, others)
