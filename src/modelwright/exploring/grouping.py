"""Grouping: how many groups of rows there are, which, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.exploration import Count, Group, Grouping
from modelwright.evaluation.partitions import adjusted_rand, jaccard, silhouette
from modelwright.exploring.points import Points
from modelwright.exploring.traits import traits
from modelwright.learners.centres import Centres

if TYPE_CHECKING:
    import polars as pl

    from modelwright.core.arrays import Floats, Ints
    from modelwright.core.contract import Contract
    from modelwright.core.run import Run

JUDGED = 800
"""Rows that stability and silhouette are measured on: all pairs of them are compared."""
FITTED = 20_000
MOST = 8
RESAMPLES = 20
SHUFFLES = 39
"""Tables with unrelated columns: one more than them is the finest p-value, 1 in 40."""
ALPHA = 0.05
STABLE = 0.75
"""Mean adjusted Rand index from which on groups count as found again (Hennig calls 0.75 a valid cluster)."""
MAPPED = 400
FAR = 4.0
"""Spreads beyond which a value is just far: a few huge ones must not make groups of their own."""


def group(frame: pl.DataFrame, contract: Contract, run: Run, *, n: int | None = None) -> Grouping:
    """Return the groups of a table's rows.

    The number is the one with the highest silhouette among those from two to eight whose groups are found again,
    or among all where none are. It is judged three ways: how often
    resamples choose it, how far groups found on two resamples agree, and whether columns that are shuffled on
    their own, so that nothing goes together, look as grouped.

    Args:
        frame: Conformed rows, at least 20.
        contract: What each column means.
        run: Seed.
        n: How many groups; None to choose.

    Raises:
        InvalidTask: There are too few rows, or no column tells them apart.
    """
    run.say("prepare", "features")
    made = Points.of(frame, contract, seed=run.seed, far=FAR)
    rng = np.random.default_rng(run.seed)
    judged = made.values[_some(frame.height, JUDGED, rng)]
    run.say("search", "how many groups")
    sizes = (n,) if n is not None else tuple(range(2, min(MOST, len(judged) // 5) + 1))
    counts, found = _counts(judged, sizes, rng, run.seed)
    best = max([c for c in counts if c.stability >= STABLE] or counts, key=lambda c: c.silhouette)
    run.say("evaluate", "chance")
    p_value = _p_value(judged, made.space.source_at, best, rng, run.seed)
    run.say("finish", "all rows")
    centres = Centres.fit(made.values[_some(frame.height, FITTED, rng)], best.n, seed=run.seed, starts=8)
    assigned, sureness = _assigned(centres, made.values)
    again = _again(judged, centres, found[best.n])
    groups = tuple(
        Group(i + 1, int((assigned == i + 1).sum()), float(again[i]), traits(frame, contract, assigned == i + 1))
        for i in range(best.n)
    )
    is_clear = p_value <= ALPHA and best.stability >= STABLE
    return Grouping(
        groups=groups,
        counts=counts,
        n_rows=frame.height,
        n_judged=len(judged),
        n_resamples=RESAMPLES,
        p_value=p_value,
        is_clear=is_clear,
        sentence=_sentence(best, p_value, chose=n is None),
        columns=made.space.sources,
        assigned=assigned,
        sureness=sureness,
        map=_map(made.values, assigned, rng),
    )


def _some(n: int, most: int, rng: np.random.Generator) -> Ints:
    rows: Ints = np.arange(n) if n <= most else np.sort(rng.choice(n, most, replace=False))
    return rows


def _apart(points: Floats) -> Floats:
    squared = (points**2).sum(axis=1)
    found: Floats = np.sqrt(np.maximum(squared[:, None] + squared - 2 * points @ points.T, 0.0))
    return found


def _counts(
    points: Floats, sizes: tuple[int, ...], rng: np.random.Generator, seed: int
) -> tuple[tuple[Count, ...], dict[int, list[Ints]]]:
    """Return how well each number of groups fits, and the groups that each resample gave to all rows."""
    distances, n_rows = _apart(points), len(points)
    drawn = [rng.integers(0, n_rows, n_rows) for _ in range(RESAMPLES)]
    found: dict[int, list[Ints]] = {}
    heights = np.zeros((RESAMPLES, len(sizes)))
    own = []
    for at, n in enumerate(sizes):
        own.append(silhouette(distances, Centres.fit(points, n, seed=seed).assign(points)))
        found[n] = [Centres.fit(points[rows], n, seed=seed, starts=2).assign(points) for rows in drawn]
        for i, (rows, labels) in enumerate(zip(drawn, found[n], strict=True)):
            seen = np.unique(rows)
            heights[i, at] = silhouette(distances[np.ix_(seen, seen)], labels[seen])
    votes = np.bincount(heights.argmax(axis=1), minlength=len(sizes)) / RESAMPLES
    agreed = {n: [adjusted_rand(a, b) for a, b in zip(found[n][::2], found[n][1::2], strict=True)] for n in sizes}
    counts = tuple(
        Count(n, own[i], float(np.mean(agreed[n])), float(np.quantile(agreed[n], 0.1)), float(votes[i]))
        for i, n in enumerate(sizes)
    )
    return counts, found


def _p_value(points: Floats, source_at: Ints, best: Count, rng: np.random.Generator, seed: int) -> float:
    """Return the chance of a silhouette as high when no column goes with another."""
    n_sources = int(source_at.max()) + 1
    higher = 0
    for _ in range(SHUFFLES):
        if n_sources == 1:
            # One column cannot be shuffled against others: a bell curve is what it looks like without groups.
            shuffled = rng.normal(points.mean(axis=0), points.std(axis=0), points.shape)
        else:
            shuffled = np.empty_like(points)
            for source in range(n_sources):
                at = np.flatnonzero(source_at == source)
                shuffled[:, at] = points[rng.permutation(len(points))][:, at]
        labels = Centres.fit(shuffled, best.n, seed=seed, starts=2).assign(shuffled)
        higher += silhouette(_apart(shuffled), labels) >= best.silhouette
    return (1 + higher) / (1 + SHUFFLES)


def _assigned(centres: Centres, points: Floats) -> tuple[Ints, Floats]:
    """Return each row's group, the largest first and from 1, and how sure that is."""
    distances = centres.distances(points)
    nearest = distances.argmin(axis=1)
    order = np.argsort(-np.bincount(nearest, minlength=len(centres.points)), kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    if distances.shape[1] < 2:
        return rank[nearest] + 1, np.ones(len(points))
    first, second = np.sort(distances, axis=1)[:, :2].T
    return rank[nearest] + 1, 1 - np.divide(first, second, out=np.ones_like(first), where=second > 0)


def _again(points: Floats, centres: Centres, resampled: list[Ints]) -> Floats:
    """Return how often each group is found again, in the order of the groups' numbers."""
    own, _ = _assigned(centres, points)
    labels = own - 1
    n = len(centres.points)
    found = [np.resize(jaccard(np.append(labels, n - 1), np.append(other, other[-1])), n) for other in resampled]
    mean: Floats = np.mean(found, axis=0)
    return mean


def _map(points: Floats, assigned: Ints, rng: np.random.Generator) -> tuple[tuple[float, float, int], ...]:
    """Return a sample of rows on the two directions of most spread."""
    rows = _some(len(points), MAPPED, rng)
    shown = points[rows] - points.mean(axis=0)
    _, _, directions = np.linalg.svd(shown, full_matrices=False)
    flat = shown @ directions[:2].T
    if flat.shape[1] < 2:
        flat = np.column_stack([flat[:, 0], np.zeros(len(flat))])
    return tuple((float(x), float(y), int(g)) for (x, y), g in zip(flat, assigned[rows], strict=True))


def _sentence(best: Count, p_value: float, *, chose: bool) -> str:
    if p_value > ALPHA:
        return (
            f"No clear groups: columns that are shuffled on their own look as grouped (p = {p_value:.3f}). "
            f"The {best.n} groups below are slices of one cloud."
        )
    sure = f"{100 * best.chosen:.0f} % of the resamples choose this number too" if chose else "the number was given"
    agreed = f"groups found on two resamples agree by {best.stability:.2f} (adjusted Rand index, 1 is wholly)"
    if best.stability < STABLE:
        return f"The rows are grouped, but not into {best.n} groups that are found again: {agreed}; {sure}."
    return f"{best.n} groups that are found again: {agreed}; {sure}."
