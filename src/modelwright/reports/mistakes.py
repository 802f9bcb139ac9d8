"""What a model gets wrong, in sentences."""

from __future__ import annotations

import math
from heapq import nsmallest
from typing import TYPE_CHECKING

from modelwright.core.task import TaskKind
from modelwright.reports import numbers
from modelwright.reports.figures import bands, confusion
from modelwright.reports.names import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelwright.reports.figures import Band, Confusion
    from modelwright.reports.view import View

FEWEST_ROWS = 5
"""A class is called weak only on at least so many sealed rows."""

FAR_MISSES = 1.6
"""RMSE over MAE is 1.25 for normal errors and 1.41 for Laplace's; above this the tails are heavier still."""


def mistakes(view: View) -> tuple[str, ...]:
    """Return two to four sentences on what the model got wrong on the sealed rows."""
    if view.task.kind is TaskKind.REGRESSION:
        return _misses(view)
    table = confusion(view.evidence.figures)
    if table is None:
        return ()
    return _two_ways(table) if view.task.kind is TaskKind.BINARY else _classes(table)


def weak_classes(table: Confusion, most: int = 3) -> list[tuple[str, float, float]]:
    """Return label, rows found and rows there are of the classes found in less than half of their rows."""
    found = [(label, row[i], sum(row)) for i, (label, row) in enumerate(zip(table.labels, table.counts, strict=True))]
    weak = [(label, hit, n) for label, hit, n in found if n >= FEWEST_ROWS and 2 * hit < n]
    return sorted(weak, key=lambda w: (w[1] / w[2], -w[2], w[0]))[:most]


def confused_pairs(table: Confusion, most: int = 10) -> list[tuple[str, str, float, float]]:
    """Return truth, answer, how often, and rows of that truth, for the most frequent wrong answers."""
    pairs = ((n, i, j) for i, row in enumerate(table.counts) for j, n in enumerate(row) if n > 0 and i != j)
    first = nsmallest(most, pairs, key=lambda p: (-p[0], table.labels[p[1]], table.labels[p[2]]))
    return [(table.labels[i], table.labels[j], n, sum(table.counts[i])) for n, i, j in first]


def _wrong(table: Confusion) -> str:
    total = sum(map(sum, table.counts))
    right = sum(row[i] for i, row in enumerate(table.counts))
    wrong = f"{numbers.count(right)} right and {numbers.count(total - right)} wrong"
    return f"Of {numbers.counted(total, 'sealed row')} it got {wrong}."


def _two_ways(table: Confusion) -> tuple[str, ...]:
    (_, false_alarms), (missed, hits) = table.counts
    yes = quoted(table.labels[1])
    return (
        _wrong(table),
        f"{numbers.counted(false_alarms, 'false alarm')}: it said {yes} and was wrong.",
        f"{numbers.count(missed)} of {numbers.counted(missed + hits, 'row')} that were {yes} it missed.",
    )


def _classes(table: Confusion) -> tuple[str, ...]:
    said = [_wrong(table)]
    pairs = list({pair[0]: pair for pair in reversed(confused_pairs(table))}.values())[::-1][:2]
    said += [
        f"{quoted(truth)} was taken for {quoted(answer)} in {numbers.count(n)} of its {numbers.count(of)} rows."
        for truth, answer, n, of in pairs
    ]
    weak = weak_classes(table, 2)
    said += [f"Of {quoted(label)} it found {numbers.count(hit)} of {numbers.count(n)} rows." for label, hit, n in weak]
    return tuple(said)


def _misses(view: View) -> tuple[str, ...]:
    kpis = view.evidence.kpis
    mae, rmse, mape = (kpis.get(name) for name in ("mae", "rmse", "mape"))
    said = list(_spread(bands(view.evidence.figures)))
    if mape is not None and math.isfinite(mape.value):
        share = numbers.measured(mape.value, mape.low, mape.high)[0]
        said.append(f"Measured against the truth, an estimate is off by {share} % on average.")
    if mae is not None and rmse is not None and rmse.value > FAR_MISSES * mae.value > 0:
        said.append("A few rows are missed by far more than the usual.")
    return tuple(said)


def _spread(found: Sequence[Band]) -> Iterator[str]:
    """Tell where estimates are least and most to be relied on."""
    if not found:
        return
    wide = max(found, key=lambda b: b.high - b.low)
    narrow = min(found, key=lambda b: b.high - b.low)
    yield f"It is least reliable where it says about {_nine_of_ten(wide)}."
    if wide.high - wide.low > 1.5 * (narrow.high - narrow.low):
        yield f"It is most reliable where it says about {_nine_of_ten(narrow)}."


def _nine_of_ten(band: Band) -> str:
    said, low, high = numbers.measured(band.estimate, band.low, band.high)
    return f"{said}: nine of ten truths lie between {low} and {high}"
