"""Importance: how much worse a model becomes when one column tells it nothing.

Breiman: Random forests (Machine Learning 2001); Fisher, Rudin and Dominici: All models are wrong, but many are
useful (JMLR 2019).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.matrix import Matrix
from modelwright.evaluation import _ends
from modelwright.evaluation.metrics import loss

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.core.arrays import Array, Floats, Ints
    from modelwright.core.task import Task

REPEATS = 5
"""Shuffles of each column, when time allows."""
SHUFFLES_MOST = 4_000
"""Of all columns together: thousands of columns are shuffled once each, and their intervals say what that costs."""
ROWS_LEAST = 50
BLOCK = 16
"""Of many columns, this many are shuffled at once; where no prediction moves, the model uses none of them."""
STACK_BYTES = 16e6
"""Shuffled copies are predicted together up to this size: calling a model costs more than a few rows do."""
NOTE = "Columns that say the same share their importance: shuffling one leaves the other to the model."


def importance(
    predict: Callable[[Matrix], Floats],
    matrix: Matrix,
    target: Array,
    task: Task,
    *,
    seed: int,
    seconds: float = float("inf"),
    weight: Floats | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[dict[str, Any], ...]:
    """Return the rise of the loss when all that was made from a column is shuffled, most important first.

    The value is the mean rise of the log loss, or of the root mean squared error in the target's unit, over up to
    five shuffles, fewer where there are hundreds of columns. Its 95 % interval covers the rows that are asked, the rows
    whose values they are given, and the shuffles (Hájek projection of a two-sample U statistic). See ``NOTE`` on
    columns that say the same.

    Args:
        predict: From a matrix to scores.
        matrix: Rows the model has not seen.
        target: Their targets, encoded.
        task: Names the loss.
        seed: Of the shuffles; the result depends on nothing else unless time runs out.
        seconds: About how long it may take. First the repeats are cut, then the rows, down to 50. Only if that
            is still too slow are columns left out, those last in the table.
        weight: Row weights, or None.
        clock: Seconds that only rise.

    Returns:
        One dict per column: ``column``, ``value``, ``low``, ``high``, ``unit``, ``n_rows``, ``n_repeats``.
    """
    groups = _groups(matrix)
    ends = clock() + seconds
    some = np.arange(min(matrix.n_rows, ROWS_LEAST))
    predict(matrix.take(some))  # the first call of a model also pays for its set-up
    begun = clock()
    predict(matrix)
    a_pass = max(clock() - begun, 1e-9) * len(groups)
    share = (ends - clock()) / (1.2 * a_pass) if len(groups) else 1.0
    if share < 1:
        n_rows = min(max(int(matrix.n_rows * share), ROWS_LEAST), matrix.n_rows)
        kept = np.sort(np.random.default_rng(seed).choice(matrix.n_rows, n_rows, replace=False))
        matrix, target, weight = matrix.take(kept), target[kept], None if weight is None else weight[kept]
    base = loss(task.kind, target, predict(matrix))
    trial = _Trial(predict, matrix, target, task, seed)
    used = _used(trial, groups) if len(groups) > 4 * BLOCK else list(groups)
    tallies = {source: _Tally.empty(matrix.n_rows) for source in groups}
    left_out = _shuffle(trial, {s: groups[s] for s in used}, tallies, base, lambda: clock() > ends)
    counts = np.ones(matrix.n_rows) if weight is None else np.asarray(weight, dtype=np.float64)
    measured = [
        {"column": s, **_rise(tallies[s], base, counts, is_root=not task.is_classification)}
        for s in groups
        if s not in left_out
    ]
    return tuple(sorted(measured, key=lambda e: (-e["value"], e["column"])))


@dataclass(frozen=True, slots=True)
class _Trial:
    """The model and the rows it is tried on."""

    predict: Callable[[Matrix], Floats]
    matrix: Matrix
    target: Array
    task: Task
    seed: int

    def order(self, number: int, repeat: int) -> Ints:
        """Return which row gives its values to which, the same whenever it is asked."""
        return np.random.default_rng([self.seed, number, repeat]).permutation(self.matrix.n_rows)

    def stacks(self, n: int) -> list[range]:
        """Return numbers up to ``n`` in runs whose shuffled copies are predicted together."""
        many = max(int(STACK_BYTES / max(self.matrix.values.nbytes, 1)), 1)
        return [range(i, min(i + many, n)) for i in range(0, n, many)]

    def predictions(self, columns: Sequence[list[int]], orders: Sequence[Ints]) -> list[Floats]:
        """Return what is predicted when each group of columns is shuffled by its order."""
        values = np.tile(self.matrix.values, (len(columns), 1))
        n = self.matrix.n_rows
        for i, (of_group, order) in enumerate(zip(columns, orders, strict=True)):
            values[i * n : (i + 1) * n, of_group] = self.matrix.values[order][:, of_group]
        return np.split(self.predict(Matrix(values, self.matrix.features)), len(columns))


@dataclass(slots=True)
class _Tally:
    """What the shuffles did, added up: rise of the loss by the row that was asked and by the row that gave its values.

    Rises, not losses: most of what a row loses it loses unshuffled, and that says nothing about who gave.
    """

    asked: Floats
    gave: Floats
    n_repeats: int = 0

    @classmethod
    def empty(cls, n_rows: int) -> _Tally:
        """Return a tally of nothing."""
        return cls(np.zeros(n_rows), np.zeros(n_rows))

    def add(self, rises: Floats, order: Ints) -> None:
        """Add one shuffle."""
        self.asked += rises
        self.gave[order] += rises
        self.n_repeats += 1


def _groups(matrix: Matrix) -> dict[str, list[int]]:
    """Return the positions of all that was made from each column, in the table's order."""
    groups: dict[str, list[int]] = {}
    for position, feature in enumerate(matrix.features):
        for source in dict.fromkeys((feature.source, feature.other or feature.source)):
            groups.setdefault(source, []).append(position)
    return groups


def _used(trial: _Trial, groups: dict[str, list[int]]) -> list[str]:
    """Return the columns of the blocks that move a prediction when shuffled."""
    sources = list(groups)
    blocks = [sources[i : i + BLOCK] for i in range(0, len(sources), BLOCK)]
    before = trial.predict(trial.matrix)
    used: list[str] = []
    for run in trial.stacks(len(blocks)):
        columns = [[c for s in blocks[i] for c in groups[s]] for i in run]
        # Numbers beyond the columns' own, so that no shuffle is used twice.
        said = trial.predictions(columns, [trial.order(len(sources) + i, 0) for i in run])
        used += [s for i, after in zip(run, said, strict=True) if not np.array_equal(before, after) for s in blocks[i]]
    return used


def _shuffle(
    trial: _Trial,
    groups: dict[str, list[int]],
    tallies: dict[str, _Tally],
    base: Floats,
    is_late: Callable[[], bool],
) -> set[str]:
    """Shuffle every column, all of them once before any of them again; return those never reached."""
    sources = list(groups)
    numbers = {s: i for i, s in enumerate(tallies)}
    for repeat in range(min(REPEATS, max(SHUFFLES_MOST // max(len(sources), 1), 1))):
        for run in trial.stacks(len(sources)):
            if is_late() and (repeat or run.start):
                return set(sources[run.start :]) if repeat == 0 else set()
            chosen = [sources[i] for i in run]
            orders = [trial.order(numbers[s], repeat) for s in chosen]
            said = trial.predictions([groups[s] for s in chosen], orders)
            for source, order, scores in zip(chosen, orders, said, strict=True):
                tallies[source].add(loss(trial.task.kind, trial.target, scores) - base, order)
    return set()


def _rise(tally: _Tally, base: Floats, weight: Floats, *, is_root: bool) -> dict[str, Any]:
    """Return the rise of the mean loss, or of its root, with its interval."""
    share, n = weight / weight.sum(), len(base)
    known = {"unit": "target" if is_root else "", "n_rows": n, "n_repeats": tally.n_repeats}
    if not tally.n_repeats:
        return {"value": 0.0, "low": 0.0, "high": 0.0, **known}
    asked, gave = tally.asked / tally.n_repeats, tally.gave / tally.n_repeats
    before, value = float(share @ base), float(share @ asked)
    after = max(before + value, 0.0)
    moved = n * share * (asked - value) + gave - gave.mean()
    if is_root:
        # The slope of the root turns an influence on the mean square into one on its root.
        of_base = n * share * (base - before)
        slopes = [0.5 / max(np.sqrt(v), 1e-150) for v in (after, before)]
        moved, value = (of_base + moved) * slopes[0] - of_base * slopes[1], float(np.sqrt(after) - np.sqrt(before))
    low, high = _ends.skewed(value, moved, np.ones(n))
    return {"value": value, "low": low, "high": high, **known}
