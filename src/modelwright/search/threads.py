"""How threads are used: inside one fit, or for several fits side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.run import Run

ROWS_ALONE = 5_000
"""Up to here a fit gains nothing from a second thread: waiting for each other costs more than the work."""
ROWS_SIDE_BY_SIDE = 100_000
"""Up to here two fits with one thread each finish sooner than one after the other with two threads."""


def fits_at_once(n_rows: int, n_fits: int, run: Run) -> int:
    """Return how many fits run side by side, each with one thread; 1 when they run one after the other."""
    return min(run.threads, n_fits) if n_rows <= ROWS_SIDE_BY_SIDE else 1


def wall_seconds(fits: Sequence[float], n_at_once: int) -> float:
    """Return how long fits of these lengths take when so many run side by side.

    >>> wall_seconds([4.0, 1.0, 1.0], 2)
    4.0
    """
    return max(max(fits, default=0.0), sum(fits) / n_at_once)


def threads_of_fit(n_rows: int, n_at_once: int, run: Run) -> int:
    """Return how many threads one fit uses."""
    # A run in work units promises the same result with any number of threads, which CatBoost keeps with one only.
    is_reproducible = run.effort is not None and n_rows <= ROWS_SIDE_BY_SIDE
    return 1 if n_at_once > 1 or n_rows <= ROWS_ALONE or is_reproducible else run.threads
