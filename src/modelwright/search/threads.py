"""How cores are used: several fits side by side, each with few threads, for that is faster than the reverse.

Boosting joins its threads several times a tree. On small tables the joining costs more than the work, and where
something else uses a core each join waits for it: with two threads on two cores of which one was busy, a fit took
1.1 to 2 times as long as with one thread (docs/decisions/0005). Fits of one thread side by side don't join.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.run import Run

ROWS_ALONE = 50_000
"""Up to here one fit gains nothing from a second thread."""
ROWS_AT_ONCE = 400_000
"""Fits side by side see no more rows than this in all, for each keeps its own copy of them."""
ROWS_REPRODUCIBLE = ROWS_AT_ONCE // 2
"""Up to here work units give the same result with any number of threads."""


def slots(n_rows: int, run: Run) -> int:
    """Return how many fits run side by side."""
    return max(1, min(run.threads, ROWS_AT_ONCE // max(n_rows, 1)))


def threads_of_fits(n_rows: int, run: Run) -> int:
    """Return how many threads each fit of a run uses, the same for all of them (see ``learners.trees.use_threads``).

    Args:
        n_rows: Training rows of the run, also where a fit sees more or fewer.
        run: Threads, and whether the result must not depend on them.
    """
    # A run in work units promises the same result with any number of threads, which CatBoost keeps with one only.
    is_reproducible = run.effort is not None and n_rows <= ROWS_REPRODUCIBLE
    if is_reproducible or n_rows <= ROWS_ALONE:
        return 1
    return max(1, run.threads // slots(n_rows, run))


def wall_seconds(fits: Sequence[float], n_at_once: int) -> float:
    """Return about how long fits of these lengths take when so many run side by side.

    >>> wall_seconds([4.0, 1.0, 1.0], 2)
    4.0
    """
    return max(max(fits, default=0.0), sum(fits) / n_at_once)
