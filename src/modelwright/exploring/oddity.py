"""Oddity: which rows are like no others, how many false alarms to expect, and why each row is odd."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.contract import Kind
from modelwright.core.exploration import Oddities, OddRow, Reason
from modelwright.evaluation.rarity import among_others, p_values
from modelwright.exploring.points import Points
from modelwright.learners.isolation import Isolation

if TYPE_CHECKING:
    import polars as pl

    from modelwright.core.arrays import Floats, Ints
    from modelwright.core.contract import Column, Contract
    from modelwright.core.run import Run

FOLDS = 5
FITTED = 50_000
MOST_ROWS = 200
"""Odd rows that are explained, oddest first."""
MOST_REASONS = 3
BINS = 30
FAR = 10.0
"""Spreads beyond which a value is just far: here far values are what is sought."""


def oddities(
    frame: pl.DataFrame,
    contract: Contract,
    run: Run,
    *,
    reference: pl.DataFrame | None = None,
    false_alarms: float = 0.01,
) -> Oddities:
    """Return the odd rows of a table.

    Each row is scored by forests that never saw it. With a reference of ordinary rows the p-values are
    conformal: of ordinary rows, at most the share ``false_alarms`` is flagged, whatever the data are like.
    Without one, a row is compared with the others of its table: its p-value is its rank.

    Args:
        frame: Conformed rows, at least 20.
        contract: What each column means, learnt from the reference where there is one.
        run: Seed.
        reference: Conformed rows known to be ordinary, or None.
        false_alarms: The share of ordinary rows that may be flagged, above 0 and below 1.

    Raises:
        InvalidTask: There are too few rows, or no column tells them apart.
    """
    run.say("prepare", "features")
    known = frame if reference is None else reference
    made = Points.of(known, contract, seed=run.seed, far=FAR)
    run.say("search", "odd rows")
    if reference is None:
        forest, usual = _out_of_fold(made, run.seed)
        points, scores = made.values, usual
        p = among_others(scores)
    else:
        points = made.more(frame)
        forest, usual = _split(made, run.seed)
        scores = forest.oddness(points)
        p = p_values(scores, usual)
    flagged = p <= false_alarms
    n_flagged, expected = int(flagged.sum()), false_alarms * frame.height
    share = min(expected / n_flagged, 1.0) if n_flagged else 0.0
    run.say("evaluate", "why")
    first = np.flatnonzero(flagged)[np.argsort(-scores[flagged], kind="stable")][:MOST_ROWS]
    why = _reasons(first, points, made, forest, frame, known, contract)
    edges = np.linspace(min(usual.min(), scores.min()), max(usual.max(), scores.max()) + 1e-9, BINS + 1)
    return Oddities(
        rows=tuple(OddRow(int(i), float(scores[i]), float(p[i]), found) for i, found in zip(first, why, strict=True)),
        n_rows=frame.height,
        n_reference=len(usual),
        has_reference=reference is not None,
        false_alarms=false_alarms,
        n_expected=expected,
        n_flagged=n_flagged,
        false_share=share,
        sentence=_sentence(n_flagged, frame.height, expected, share, has_reference=reference is not None),
        columns=made.space.sources,
        oddness=scores,
        p_values=p,
        flagged=flagged,
        usual=_histogram(usual, edges),
        found=_histogram(scores, edges),
    )


def _out_of_fold(made: Points, seed: int) -> tuple[Isolation, Floats]:
    """Return a forest of all rows, and each row's oddness by a forest that never saw it."""
    rng, points, source_at = np.random.default_rng(seed), made.values, made.space.source_at
    fold = rng.permutation(len(points)) % FOLDS
    scores = np.empty(len(points))
    for k in range(FOLDS):
        others = np.flatnonzero(fold != k)
        forest = Isolation.fit(points[others[:FITTED]], source_at, seed=seed)
        scores[fold == k] = forest.oddness(points[fold == k])
    return Isolation.fit(points[:FITTED], source_at, seed=seed), scores


def _split(made: Points, seed: int) -> tuple[Isolation, Floats]:
    """Return a forest of one half of the ordinary rows, and the oddness of the other half by it."""
    points = made.values
    order = np.random.default_rng(seed).permutation(len(points))
    half = len(points) // 2
    forest = Isolation.fit(points[order[:half][:FITTED]], made.space.source_at, seed=seed)
    return forest, forest.oddness(points[order[half:]])


def _histogram(scores: Floats, edges: Floats) -> tuple[tuple[float, float], ...]:
    counts, _ = np.histogram(scores, edges)
    return tuple((float(e), float(c / len(scores))) for e, c in zip(edges[:-1], counts, strict=True))


def _reasons(
    rows: Ints,
    points: Floats,
    made: Points,
    forest: Isolation,
    frame: pl.DataFrame,
    known: pl.DataFrame,
    contract: Contract,
) -> list[tuple[Reason, ...]]:
    """Return for each row the columns whose usual value would make it most ordinary."""
    if not len(rows):
        return []
    odd, usual = points[rows], np.median(made.values, axis=0)
    before = forest.oddness(odd)
    falls = np.zeros((len(rows), len(made.space.sources)))
    for source in range(len(made.space.sources)):
        tried = odd.copy()
        at = np.flatnonzero(made.space.source_at == source)
        tried[:, at] = usual[at]
        falls[:, source] = before - forest.oddness(tried)
    falls = np.maximum(falls, 0.0)
    total = np.maximum(falls.sum(axis=1), 1e-12)
    told = {name: _usual(known[name], contract.column(name)) for name in made.space.sources}
    found = []
    for i, row in enumerate(rows):
        best = [int(s) for s in np.argsort(-falls[i], kind="stable")[:MOST_REASONS] if falls[i, s] > 0]
        names = [made.space.sources[s] for s in best]
        found.append(
            tuple(
                Reason(
                    name,
                    _value(frame[name][int(row)], contract.column(name)),
                    told[name],
                    float(falls[i, s] / total[i]),
                )
                for name, s in zip(names, best, strict=True)
            )
        )
    return found


def _value(value: object, column: Column) -> str:
    if value is None:
        return "missing"
    if isinstance(value, int | float):
        if math.isnan(value):
            return "missing"
        if column.kind is Kind.BOOLEAN:
            return "yes" if value else "no"
        return f"{value:,.6g}" if column.kind is not Kind.DATETIME else _day(float(value))
    return str(value)[:60]


def _usual(values: pl.Series, column: Column) -> str:
    """Return what most rows have: where 95 of 100 lie, or the commonest value."""
    if column.is_numeric and column.kind is not Kind.BOOLEAN:
        numbers = values.cast(float).to_numpy()
        numbers = numbers[np.isfinite(numbers)]
        if not len(numbers):
            return "missing"
        low, high = (float(v) for v in np.quantile(numbers, (0.025, 0.975)))
        show = _day if column.kind is Kind.DATETIME else lambda v: f"{v:,.4g}"
        return f"{show(low)} to {show(high)} in 95 of 100 rows"
    counts = values.drop_nulls().value_counts(sort=True)
    if not counts.height:
        return "missing"
    value, n = counts.row(0)
    share = 100 * n / len(values)
    return f"{_value(value, column)} in {share:.0f} of 100 rows"


def _day(seconds: float) -> str:
    return str(np.datetime64(round(seconds), "s").astype("datetime64[D]"))


def _sentence(n_flagged: int, n_rows: int, expected: float, share: float, *, has_reference: bool) -> str:
    if not has_reference:
        return (
            f"The {n_flagged:,} oddest of {n_rows:,} rows. Without rows known to be ordinary, their number says "
            "nothing: so many are flagged in any table. Their order and the reasons do; give --against for a count."
        )
    flagged = f"{n_flagged:,} of {n_rows:,} rows are flagged, where {expected:,.1f} would be if all were ordinary"
    if n_flagged <= expected + 3 * math.sqrt(max(expected, 1.0)):
        return f"{flagged}: no more than chance."
    return f"{flagged}: about {100 * share:.0f} of 100 flagged rows are false alarms."
