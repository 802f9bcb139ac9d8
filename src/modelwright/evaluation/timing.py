"""Timing: how fast a model answers, and times and sizes as scores."""

from __future__ import annotations

import math
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.score import Score
from modelwright.evaluation._ends import t_quantile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.core.arrays import Floats

MOST_CALLS, FEWEST_CALLS = 2_000, 30
MOST_REPEATS, FEWEST_REPEATS = 20, 3


def exact(metric: str, value: float, unit: str, n: int = 1, *, method: str = "measured once") -> Score:
    """Return a number that was counted or measured once as a score whose interval is the number itself.

    >>> exact("size_mb_disk", 1.5, "MB", method="counted").high
    1.5
    """
    return Score(metric, value, value, value, n, unit, method)


def time_inference(
    predict_row: Callable[[Any], object],
    records: Sequence[Any],
    predict_frame: Callable[[], object],
    n_rows: int,
    *,
    clock: Callable[[], float],
    seconds: float = 0.4,
) -> dict[str, Score]:
    """Measure how long one row takes and how many rows a second a batch reaches.

    Args:
        predict_row: Answers for one record; called with each record in turn.
        records: At least one.
        predict_frame: Answers for all rows of a batch.
        n_rows: Rows in that batch.
        clock: Seconds that only rise, such as ``time.perf_counter``.
        seconds: About how long to measure; a slow model is still called a few times.

    Returns:
        ``inference_ms_p50``, ``inference_ms_p99`` and ``rows_per_second`` with intervals from order statistics.
    """
    source = cycle(records)
    row_ms = 1e3 * _durations(lambda: predict_row(next(source)), clock, seconds / 2, (FEWEST_CALLS, MOST_CALLS))
    batch = _durations(predict_frame, clock, seconds / 2, (FEWEST_REPEATS, MOST_REPEATS))
    rates = np.sort(n_rows / np.maximum(batch, 1e-9))
    return {
        "inference_ms_p50": quantile_score("inference_ms_p50", row_ms, 0.5, "ms"),
        "inference_ms_p99": quantile_score("inference_ms_p99", row_ms, 0.99, "ms"),
        "rows_per_second": quantile_score("rows_per_second", rates, 0.5, "rows/s"),
    }


def quantile_score(metric: str, values: Floats, share: float, unit: str) -> Score:
    """Return a quantile with the interval between two order statistics (Hahn and Meeker 1991).

    Where too few values were taken for an order statistic that high, the interval ends at the largest one and
    the note says so.
    """
    ranked = np.sort(values)
    n = len(ranked)
    spread = t_quantile(math.inf) * math.sqrt(n * share * (1 - share))
    low, high = math.floor(n * share - spread), math.ceil(n * share + spread)
    note = "" if low >= 0 and high < n else f"{n} measurements are too few to bound this on both sides"
    value = float(np.quantile(ranked, share, method="inverted_cdf"))
    ends = (float(ranked[max(low, 0)]), float(ranked[min(high, n - 1)]))
    return Score(metric, value, min(ends[0], value), max(ends[1], value), n, unit, "order statistics", note)


def _durations(
    call: Callable[[], object], clock: Callable[[], float], seconds: float, calls: tuple[int, int]
) -> Floats:
    """Return how long each call took, after one that is not counted, until the time or the calls are used up.

    At least ``calls[0]`` calls are made unless they take more than ten times as long as allowed.
    """
    call()
    begun, taken = clock(), list[float]()
    while len(taken) < calls[1]:
        before = clock()
        call()
        after = clock()
        taken.append(after - before)
        spent = after - begun
        if (spent > seconds and len(taken) >= calls[0]) or spent > 10 * seconds:
            break
    return np.array(taken)
