"""The tally of one window: all that is counted of its answers, and of their outcomes by when they became known.

It takes the place of the rows: a window whose answers and outcomes did not change since it was tallied is not read
again.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.fingerprint import plain
from modelwright.monitoring.baseline import Window
from modelwright.monitoring.quality import Quality

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from modelwright.core.arrays import Array
    from modelwright.monitoring.baseline import Baseline


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted of the answers of one window.

    Attributes:
        window: Its answers.
        outcomes: Of outcomes of these answers, one window for each in which some became known.
        quality: Of the answers, or None where there are none.
        breaks: Rows that broke the contract, by what the service noted.
        others: Answers of other versions of the model, which are not counted.
    """

    window: Window
    outcomes: tuple[Window, ...] = ()
    quality: Quality | None = None
    breaks: Mapping[str, int] = field(default_factory=dict)
    others: int = 0

    def to_bytes(self) -> bytes:
        """Return the tally, packed."""
        data = {
            "window": _window_data(self.window),
            "outcomes": [_window_data(w) for w in self.outcomes],
            "quality": None if self.quality is None else plain(self.quality.to_dict()),
            "breaks": dict(self.breaks),
            "others": self.others,
        }
        return zlib.compress(json.dumps(data, separators=(",", ":")).encode(), 1)

    @classmethod
    def of_bytes(cls, packed: bytes, baseline: Baseline) -> Tally:
        """Return a tally that was packed; the baseline says how its counts divide."""
        data = json.loads(zlib.decompress(packed))
        inputs = np.cumsum([t.n_bins for t in baseline.inputs.traits])[:-1]
        outcomes = np.cumsum([t.n_bins for t in baseline.outcomes.traits])[:-1]
        return cls(
            _window_of(data["window"], inputs, outcomes),
            tuple(_window_of(w, inputs, outcomes) for w in data["outcomes"]),
            None if data["quality"] is None else Quality.of_dict(data["quality"]),
            data["breaks"],
            data["others"],
        )


def _window_data(w: Window) -> dict[str, Any]:
    parts = {"inputs": w.inputs, "outcomes": w.outcomes, "losses": w.losses, "losers": w.losers}
    counts = {name: np.concatenate(p).tolist() if p else [] for name, p in parts.items()}
    return {"start": w.start, "end": w.end, "rows": w.rows, "labelled": w.labelled, **counts}


def _window_of(data: Mapping[str, Any], inputs: Array, outcomes: Array) -> Window:
    def parts(name: str, at: Array) -> tuple[Any, ...]:
        kept = np.array(data[name], dtype=np.float64 if name == "losses" else np.int64)
        return tuple(np.split(kept, at)) if len(kept) else ()

    return Window(
        data["start"],
        data["end"],
        data["rows"],
        parts("inputs", inputs),
        parts("outcomes", outcomes),
        data["labelled"],
        parts("losses", inputs),
        parts("losers", inputs),
    )


def joined(baseline: Baseline, tallies: Sequence[Tally], *, seconds: float, until: float) -> list[Window]:
    """Return every window from the first answer on, with the outcomes that became known in it.

    Args:
        baseline: Says what is counted.
        tallies: In any order.
        seconds: Length of a window.
        until: Only windows that end by then are made; outcomes of later are left out.
    """
    if not tallies:
        return []
    by_start = {t.window.start: t.window for t in tallies}
    outcomes: dict[float, list[Window]] = {}
    for tally in tallies:
        for part in tally.outcomes:
            outcomes.setdefault(part.start, []).append(part)
    blank = tuple(np.zeros(t.n_bins, dtype=np.int64) for t in baseline.inputs.traits)
    windows = []
    for start in np.arange(min(by_start), until, seconds):
        begin = float(start)
        window = by_start.get(begin) or Window(begin, begin + seconds, 0, blank)
        windows.append(with_outcomes(window, outcomes.get(begin, [])))
    return windows


def with_outcomes(window: Window, parts: Sequence[Window]) -> Window:
    """Return a window of answers with outcomes that became known in it."""
    if not parts:
        return window
    return replace(
        window,
        outcomes=added(p.outcomes for p in parts),
        labelled=sum(p.labelled for p in parts),
        losses=added(p.losses for p in parts),
        losers=added(p.losers for p in parts),
    )


def together(parts: Sequence[Window]) -> Window:
    """Return several parts of one window as one."""
    whole = replace(parts[0], rows=sum(p.rows for p in parts), inputs=added(p.inputs for p in parts))
    return with_outcomes(whole, [p for p in parts if p.labelled])


def added(parts: Iterable[Sequence[Any]]) -> tuple[Any, ...]:
    """Return the sums of arrays at the same place."""
    return tuple(np.sum(same, axis=0) for same in zip(*parts, strict=True))
