"""Counterfactuals: what would have to be different about a row for the answer to be another one.

Wachter, Mittelstadt and Russell: Counterfactual explanations without opening the black box (2018): the fewest changes,
and among those the smallest. Only values that were offered are tried, so nothing is proposed that breaks a contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelwright.core.arrays import Floats

Value = float | str | None
MOST_CHANGES, BEAM, MOST_FOUND = 4, 16, 3
BISECTIONS = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """What a column may be changed to.

    Attributes:
        values: The values on offer.
        scale: One usual step of a number, above zero; 0 for levels, where every change counts as one step.
        is_whole: Only whole numbers make sense.
    """

    values: tuple[Value, ...]
    scale: float = 0.0
    is_whole: bool = False


def search(
    row: Mapping[str, Value],
    choices: Mapping[str, Choice],
    reached: Callable[[Sequence[Mapping[str, Value]]], Floats],
    *,
    most_changes: int = MOST_CHANGES,
) -> list[dict[str, Any]]:
    """Return up to three sets of changes that lead to the wanted answer, the fewest and smallest first.

    A beam search: all single changes, then what goes best with the most promising ones. It may miss a set that
    only works together; what it returns was asked of the model and works.

    Args:
        row: The row as it is.
        choices: What may be changed, and to what.
        reached: From changes, each a few columns with new values, to how far beyond the wanted answer the row then
            is: zero and above when it is reached.
        most_changes: Columns changed at once at most.

    Returns:
        Entries with ``changes`` (``column``, ``before``, ``after``), ``steps`` (how far, in usual steps) and
        ``margin``. Empty when nothing was found.
    """
    singles = [{name: v} for name, c in choices.items() for v in c.values if v != row.get(name)]
    found: list[dict[str, Value]] = []
    frontier: list[dict[str, Value]] = [{}]
    for _ in range(most_changes):
        tried = _extended(frontier, singles)
        if not tried:
            break
        margins = reached(tried)
        good = [c for c, m in zip(tried, margins.tolist(), strict=True) if m >= 0]
        if good:
            found = good
            break
        frontier = _promising(tried, margins, row, choices)
    chosen = _different(found, row, choices)
    nearer = [_nearer(c, row, choices, reached) for c in chosen]
    nearer.sort(key=lambda c: _steps(c, row, choices))
    ends = reached(nearer) if nearer else np.empty(0)
    return [
        {
            "changes": [{"column": n, "before": row.get(n), "after": v} for n, v in c.items()],
            "steps": _steps(c, row, choices),
            "margin": float(m),
        }
        for c, m in zip(nearer, ends, strict=True)
    ]


def _extended(frontier: list[dict[str, Value]], singles: list[dict[str, Value]]) -> list[dict[str, Value]]:
    """Return every set of the frontier with one more column changed, each once."""
    made: dict[frozenset[tuple[str, Value]], dict[str, Value]] = {}
    for base in frontier:
        for single in singles:
            (name,) = single
            if name not in base:
                both = {**base, **single}
                made.setdefault(frozenset(both.items()), both)
    return list(made.values())


def _promising(
    tried: list[dict[str, Value]], margins: Floats, row: Mapping[str, Value], choices: Mapping[str, Choice]
) -> list[dict[str, Value]]:
    """Return the sets that came nearest, each set of columns at most twice."""
    kept: list[dict[str, Value]] = []
    seen: dict[frozenset[str], int] = {}
    for i in sorted(range(len(tried)), key=lambda i: (-margins[i], _steps(tried[i], row, choices))):
        columns = frozenset(tried[i])
        if seen.get(columns, 0) < 2:
            seen[columns] = seen.get(columns, 0) + 1
            kept.append(tried[i])
        if len(kept) == BEAM:
            break
    return kept


def _different(
    found: list[dict[str, Value]], row: Mapping[str, Value], choices: Mapping[str, Choice]
) -> list[dict[str, Value]]:
    """Return the smallest change of each set of columns, at most three."""
    best: dict[frozenset[str], dict[str, Value]] = {}
    for changed in sorted(found, key=lambda c: _steps(c, row, choices)):
        best.setdefault(frozenset(changed), changed)
    return list(best.values())[:MOST_FOUND]


def _steps(changed: Mapping[str, Value], row: Mapping[str, Value], choices: Mapping[str, Choice]) -> float:
    """Return how far a set of changes goes, in usual steps."""
    total = 0.0
    for name, value in changed.items():
        before, scale = row.get(name), choices[name].scale
        is_number = scale > 0 and isinstance(before, float) and isinstance(value, float)
        total += abs(value - before) / scale if is_number else 1.0  # type: ignore[operator]
    return total


def _nearer(
    changed: dict[str, Value],
    row: Mapping[str, Value],
    choices: Mapping[str, Choice],
    reached: Callable[[Sequence[Mapping[str, Value]]], Floats],
) -> dict[str, Value]:
    """Return the changes with each number moved back towards what it was, as far as the answer stays reached."""
    for name in list(changed):
        before, after = row.get(name), changed[name]
        if choices[name].scale <= 0 or not isinstance(before, float) or not isinstance(after, float):
            continue
        way = np.linspace(0.0, 1.0, BISECTIONS + 1)[1:]
        steps = [before + share * (after - before) for share in way]
        if choices[name].is_whole:
            steps = [float(np.ceil(s) if after > before else np.floor(s)) for s in steps]
        else:
            steps = [float(f"{s:.4g}") for s in steps[:-1]] + [after]
        margins = reached([{**changed, name: s} for s in steps])
        good = np.flatnonzero(margins >= 0)
        if len(good):
            changed = {**changed, name: steps[int(good[0])]}
    return changed
