"""Memory: how many rows a run may learn from within the memory it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.errors import InvalidSetting

if TYPE_CHECKING:
    from modelwright.core.run import Run
    from modelwright.search.problem import Problem

LIBRARIES_BYTES = 500_000_000
"""What the process holds before it sees a row: polars, LightGBM, CatBoost, the charts."""
COPIES = 14
"""Copies of a row's numbers at the worst moment: the matrix, five folds, the learners' own, and what they grow."""
ROWS_LEAST = 500


def thinned(problem: Problem, run: Run, *, held_bytes: int) -> tuple[Problem, str | None]:
    """Return the problem on as many rows as the memory allows, and a sentence when rows were left out.

    Args:
        problem: The rows to learn from.
        run: ``memory_bytes``; without it nothing is thinned.
        held_bytes: What the tables in memory take already.

    Raises:
        InvalidSetting: Not even 500 rows fit.
    """
    if run.memory_bytes is None:
        return problem, None
    # A date gives a dozen numbers and a text forty, most columns one: twice the columns is a cautious mean.
    row_bytes = COPIES * 4 * 2 * max(len(problem.contract.features), 1) + 8 * 10 * max(problem.n_classes, 1)
    room = int((run.memory_bytes - LIBRARIES_BYTES - held_bytes) / row_bytes)
    if room >= problem.n_rows:
        return problem, None
    if room < ROWS_LEAST:
        needed = LIBRARIES_BYTES + held_bytes + ROWS_LEAST * row_bytes
        raise InvalidSetting(
            f"the memory of a run holds the table and at least {ROWS_LEAST} rows to learn from",
            where="--memory",
            got=f"{run.memory_bytes / 1e6:,.0f} MB",
            fix=f"give at least {needed / 1e6:,.0f} MB, or fewer columns",
        )
    note = f"Learnt from {room:,} of {problem.n_rows:,} rows, drawn at random, to stay within the memory allowed."
    return thinned_to(problem, room, run.seed), note


def thinned_to(problem: Problem, n_rows: int, seed: int) -> Problem:
    """Return the problem on so many of its rows, drawn at random; on all where there are no more."""
    if n_rows >= problem.n_rows:
        return problem
    return problem.take(np.sort(np.random.default_rng(seed).choice(problem.n_rows, n_rows, replace=False)))
