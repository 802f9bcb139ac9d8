"""Columns that repeat the target, make it up between them, or repeat each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from modelwright.core.contract import Kind
from modelwright.core.finding import Finding, Severity
from modelwright.data._association import level_codes, log_arrangements, sample_rows
from modelwright.data._case import listed
from modelwright.data._leaks import ACTION, CHANCE, OVERRULE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.core.arrays import Floats, Ints
    from modelwright.data._case import Case

ROWS_LEAST = 20
"""On fewer rows columns repeat each other by accident."""

TOLERANCE = 1e-6
"""Largest difference, in shares of the target's range, at which numbers count as equal: float32 and rounding."""

AGREEMENT = 0.999
PROBED_ROWS = 12


def check(case: Case, named: frozenset[str]) -> list[Finding]:
    """Return columns, or pairs of them, that say the same as the target or as each other."""
    rows = sample_rows(case.split.train, seed=case.seed)
    if len(rows) < ROWS_LEAST or not case.features:
        return []
    frame, target = case.frame.select(case.feature_names)[rows], np.asarray(case.target[rows], dtype=np.float64)
    codes = level_codes(frame)
    found = _recoded(case, codes, target) if case.task.is_classification else _linear(case, frame, target)
    if not case.task.is_classification:
        taken = {c for f in found for c in f.columns}
        found += _sums(case, frame, target, [n for n in _numeric(case) if n not in taken])
    return found + _each_other(case, frame, codes)


def _recoded(case: Case, codes: pl.DataFrame, target: Floats) -> list[Finding]:
    label = target.astype(np.int64)
    if log_arrangements(label) < np.log(2 * len(case.features) / CHANCE):
        return []  # so few rows of another class that some column marks them by chance
    found = []
    for column, coded in zip(case.features, codes, strict=True):
        # Blanks are left to the check of missingness, so nearly all rows must speak.
        if column.kind is Kind.TEXT or column.n_distinct > 2 * len(case.task.labels) + 2:
            continue
        places = coded.to_numpy()
        known = places > 0
        if known.mean() >= AGREEMENT and _is_recoding(places[known].astype(np.int64), label[known]):
            found.append(_repeat(column.name, "is the target in another spelling", int(known.sum())))
    return found


def _linear(case: Case, frame: pl.DataFrame, target: Floats) -> list[Finding]:
    found = []
    for name in _numeric(case):
        values = frame[name].to_numpy().astype(np.float64)
        known = ~np.isnan(values)
        if known.mean() < 0.5 or known.sum() < ROWS_LEAST:
            continue
        x, y = _unit(values[known]), _unit(target[known])
        if np.ptp(x) < TOLERANCE or len(np.unique(y[:200])) < 3:
            continue
        slope = float(np.sum((x - x.mean()) * (y - y.mean())) / np.sum((x - x.mean()) ** 2))
        miss = np.abs(y - y.mean() - slope * (x - x.mean()))
        if slope and np.mean(miss <= TOLERANCE) >= AGREEMENT:
            found.append(_repeat(name, "is the target, rescaled or as it is", int(known.sum())))
    return found


def _repeat(name: str, what: str, n_rows: int) -> Finding:
    title = f"{name} {what}: suspected leak"
    return Finding("F013", Severity.SEVERE, title, (name,), {"n_rows": n_rows}, ACTION, OVERRULE.format(name))


def _sums(case: Case, frame: pl.DataFrame, target: Floats, names: list[str]) -> list[Finding]:
    names = [n for n in names if frame[n].null_count() * 2 < frame.height]
    if len(names) < 2 or len(np.unique(target)) < 10:
        return []
    # In quarters, which is exact, so that sums of huge values stay finite.
    matrix = np.column_stack([frame[n].to_numpy().astype(np.float64) for n in names]) / 4
    goal = target / 4
    width = float(np.ptp(goal)) * TOLERANCE
    found = []
    for sign, word in ((1.0, "+"), (-1.0, "−")):
        for i, j in _pairs(matrix, goal, sign, width):
            a, b = matrix[:, i], matrix[:, j]
            known = ~(np.isnan(a) | np.isnan(b))
            share = float(np.mean(np.abs(a + sign * b - goal)[known] <= width)) if known.mean() >= 0.5 else 0.0
            if share >= AGREEMENT and np.ptp(a[known]) and np.ptp(b[known]):
                found.append(
                    _made_up(f"{case.task.target} = {names[i]} {word} {names[j]}", (names[i], names[j]), share)
                )
    return found


def _made_up(equation: str, columns: tuple[str, str], share: float) -> Finding:
    return Finding(
        "F014",
        Severity.SEVERE,
        f"{equation} in {share:.1%} of rows: suspected leak",
        columns,
        {"share": round(share, 6)},
        ACTION,
        OVERRULE.format(" ".join(columns)),
    )


def _pairs(matrix: Floats, goal: Floats, sign: float, width: float) -> Iterator[tuple[int, int]]:
    """Return pairs of columns that make up the target in a dozen rows spread over its range.

    One row rules out nearly all pairs; the following rows are only held against what is left. A missing value
    refutes nothing.
    """
    probes = np.argsort(goal, kind="stable")[np.linspace(len(goal) - 1, 0, PROBED_ROWS).astype(np.int64)]
    n_columns = matrix.shape[1]
    for i in range(n_columns):
        partners = np.arange(i + 1, n_columns) if sign > 0 else np.delete(np.arange(n_columns), i)
        for row in probes:
            if not len(partners):
                break
            partners = partners[~(np.abs(matrix[row, i] + sign * matrix[row, partners] - goal[row]) > width)]
        yield from ((i, int(j)) for j in partners)


def _each_other(case: Case, frame: pl.DataFrame, codes: pl.DataFrame) -> list[Finding]:
    families: dict[bytes, list[str]] = {}
    hashes = frame.select(pl.all().hash(seed=1))
    for hashed, coded in zip(hashes, codes, strict=True):
        places = coded.to_numpy().astype(np.int64)
        # Columns that hardly repeat a value stand one to one without saying the same; they must be equal.
        is_fine = int(places.max()) > len(places) // 2
        says = hashed.to_numpy() if is_fine else _by_appearance(places)
        families.setdefault(says.tobytes(), []).append(coded.name)
    return [
        Finding(
            "F015",
            Severity.INFO,
            f"{listed(names)} say the same in different words",
            tuple(names),
            {"n_rows": frame.height},
            "kept; a model shares their importance out among them",
            f"keep one: --ignore {' '.join(names[1:4])}",
        )
        for names in families.values()
        if len(names) > 1 and _is_same(case.frame, names)
    ]


def _is_same(frame: pl.DataFrame, names: list[str]) -> bool:
    """Return whether columns stand one to one over all rows, not only in the sample."""
    together = frame.select(pl.struct(names).n_unique()).item()
    return all(frame[name].n_unique() == together for name in names)


def _numeric(case: Case) -> list[str]:
    return [c.name for c in case.features if c.kind is Kind.NUMBER]


def _by_appearance(codes: Ints) -> Ints:
    """Return codes renumbered in the order in which they appear, so that recodings look alike."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    place: Ints = np.empty(len(first), dtype=np.int64)
    place[np.argsort(first)] = np.arange(len(first))
    return place[inverse]


def _is_recoding(codes: Ints, label: Ints) -> bool:
    pairs = np.unique(np.column_stack([codes, label]), axis=0)
    return len(pairs) == len(np.unique(codes)) == len(np.unique(label)) > 1


def _unit(values: Floats) -> Floats:
    """Return values in shares of their range; halved first, so that the range of huge values is finite."""
    halves = values / 2
    low, high = float(halves.min()), float(halves.max())
    return (halves - low) / (high - low) if high > low else np.zeros(len(values))
