"""The ensemble: greedy selection over out-of-fold predictions.

Caruana, Niculescu-Mizil, Crew, Ksikes: Ensemble selection from libraries of models (ICML 2004).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.metrics import MEASURES
from modelwright.evaluation.metrics import compute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.arrays import Array, Bools, Floats

STEPS = 25
"""Beyond this many steps the public studies saw no measurable gain."""
ROWS_MOST = 20_000
"""Rows that decide; more would cost time and change nothing."""
ROWS_FEW, SAMPLES = 5_000, 6
"""Up to so many rows the selection is repeated on so many bootstrap samples."""
EQUALS_MOST, NEAR = 5, 1.1
"""So many of the best share half of the weight, unless their loss is this many times the best."""
SHRUNK_ROWS_MOST = 10_000
"""With more rows the choice is sure enough, and further members would only cost latency."""
DEAR = 0.02
"""A candidate that costs more than all may together is taken only where those within lose this share more."""
WEIGHT_LEAST = 0.06
"""A member with less weight costs latency and brings nothing that can be measured."""


@dataclass(frozen=True, slots=True)
class _Room:
    """What candidates cost, what members may cost together, and each of them."""

    costs: Sequence[float]
    most: float = np.inf
    each: float = np.inf

    def taken(self, counts: Floats | Bools) -> float:
        return sum(cost for cost, n in zip(self.costs, counts, strict=True) if n)

    def has(self, counts: Floats | Bools, candidate: int) -> bool:
        """Whether a candidate may join: it is in already, is the first, or is affordable beside the others."""
        if counts[candidate]:
            return True
        cost = self.costs[candidate]
        return cost <= self.each and (not counts.any() or self.taken(counts) + cost <= self.most)


def loss_of(metric: str, target: Array, scores: Floats, weight: Floats | None) -> float:
    """Return the metric turned so that smaller is better."""
    value = compute(metric, target, scores, weight=weight)
    return -value if MEASURES[metric].greater_is_better else value


def shortfall(loss: float, metric: str) -> float:
    """Return how far a loss is from the least there can be."""
    return 1.0 + loss if MEASURES[metric].greater_is_better else loss


def blended(predictions: Sequence[Floats], weights: Floats) -> Floats:
    """Return the weighted mean of candidates' predictions, weights adding up to one."""
    return np.asarray(sum(w * p for w, p in zip(weights, predictions, strict=True) if w > 0))


def choose(
    predictions: Sequence[Floats],
    target: Array,
    *,
    metric: str,
    costs: Sequence[float] | None = None,
    cost_most: float = np.inf,
    weight: Floats | None = None,
    seed: int = 0,
) -> Floats:
    """Return the weight of each candidate in the blend; they add up to one.

    On few rows the selection is repeated on bootstrap samples and its weights averaged, for one selection alone
    follows the luck of those rows.

    Args:
        predictions: Out-of-fold predictions, one array per candidate, all of one shape.
        target: Encoded targets of the same rows.
        metric: A measure that reads scores.
        costs: What each candidate costs, in any unit; None where all are free.
        cost_most: What members may cost together; a candidate alone may cost more where it is far better.
        weight: Row weights, or None.
        seed: Chooses the rows that decide when there are more than 20,000, and the bootstrap samples.
    """
    if len(predictions) == 1:
        return np.ones(1)
    rng = np.random.default_rng(seed)
    if len(target) > ROWS_MOST:
        rows = np.sort(rng.choice(len(target), ROWS_MOST, replace=False))
        predictions, target = [p[rows] for p in predictions], target[rows]
        weight = None if weight is None else weight[rows]
    room = _Room(costs or [0.0] * len(predictions), cost_most)
    whole = _within(predictions, target, metric, weight, room)
    # Members come from the selection on all rows, so that they are still affordable; samples settle the weights.
    members = [int(i) for i in np.flatnonzero(whole)]
    told = [predictions[i] for i in members]
    shares = [whole[members] / whole.sum()]
    if len(target) <= ROWS_FEW:
        drawn = [_on_sample(rng, told, target, metric, weight) for _ in range(SAMPLES)]
        shares.insert(0, np.mean([*shares, *drawn], axis=0))
    weights = np.zeros(len(predictions))
    weights[members] = _no_worse_than_a_member([_pruned(share) for share in shares], told, target, metric, weight)
    return weights


def _pruned(weights: Floats) -> Floats:
    """Return weights without those that are too small to matter, adding up to one."""
    kept = np.where(weights < WEIGHT_LEAST, 0.0, weights)
    return np.asarray(kept / kept.sum())


def _no_worse_than_a_member(
    shares: Sequence[Floats], members: Sequence[Floats], target: Array, metric: str, weight: Floats | None
) -> Floats:
    """Return the first weights whose blend errs no more than the best member does; else that member alone.

    On a handful of rows the weights of bootstrap samples, and those left when the small ones go, may err more.
    """
    losses = [loss_of(metric, target, member, weight) for member in members]
    best = int(np.argmin(losses))
    for share in shares:
        if loss_of(metric, target, blended(members, share), weight) <= losses[best]:
            return share
    return np.asarray(np.eye(len(members))[best])


def _on_sample(
    rng: np.random.Generator, predictions: Sequence[Floats], target: Array, metric: str, weight: Floats | None
) -> Floats:
    """Return the weights that a bootstrap sample of the rows chooses."""
    rows = rng.integers(0, len(target), len(target))
    learnt = None if weight is None else weight[rows]
    counts, _ = _greedy([p[rows] for p in predictions], target[rows], metric, learnt, _Room([0.0] * len(predictions)))
    return np.asarray(counts / counts.sum())


def shrunk(
    weights: Floats, losses: Sequence[float], costs: Sequence[float] | None = None, cost_most: float = np.inf
) -> Floats:
    """Return weights half as chosen and half equal for the best few candidates.

    On few rows a choice follows their luck, and takes members that err oddly rather than little. Where rows come in
    time all judged rows lie before those that the model is for, too: the choice is right about the past, and a blend of
    unlike members errs less where the future differs.

    Args:
        weights: As chosen.
        losses: Of each candidate, smaller is better, at least 0; infinite for one that may not share.
        costs: What each candidate costs; None where all are free.
        cost_most: What members may cost together.
    """
    order = sorted(range(len(losses)), key=lambda i: losses[i])[:EQUALS_MOST]
    room = _Room(costs or [0.0] * len(weights), cost_most)
    members = weights > 0
    equal = np.zeros(len(weights))
    for i in order:
        if losses[i] <= NEAR * losses[order[0]] and room.has(members, i):
            members[i], equal[i] = True, 1.0
    return np.asarray((weights + equal / equal.sum()) / 2) if equal.any() else weights


def cross_fitted(predictions: Sequence[Floats], target: Array, metric: str, weight: Floats | None, seed: int) -> float:
    """Return the blend's loss on rows that did not choose it: each half is judged by the other half's weights."""
    order = np.random.default_rng(seed).permutation(len(target))[: 2 * ROWS_MOST]
    halves = np.sort(order[::2]), np.sort(order[1::2])
    losses = []
    for chosen_on, judged_on in (halves, halves[::-1]):
        learnt = None if weight is None else weight[chosen_on]
        weights = choose(
            [p[chosen_on] for p in predictions], target[chosen_on], metric=metric, weight=learnt, seed=seed
        )
        blend = blended([p[judged_on] for p in predictions], weights)
        losses.append(loss_of(metric, target[judged_on], blend, None if weight is None else weight[judged_on]))
    return float(np.mean(losses))


def _within(predictions: Sequence[Floats], target: Array, metric: str, weight: Floats | None, room: _Room) -> Floats:
    """Return how often each candidate is taken by the best of up to three selections within a room.

    A selection that begins with the best candidate may find the room used up by it, or too small for it alone. Where
    others found none, it is made again without those that take all of it, and without those that take more than half.
    """
    counts, loss = _greedy(predictions, target, metric, weight, room)
    for each in (room.most, room.most / 2):
        left_out = [i for i, cost in enumerate(room.costs) if cost <= each and not room.has(counts, i)]
        if not left_out or max(room.costs) <= each:
            continue
        others, other_loss = _greedy(predictions, target, metric, weight, replace(room, each=each))
        given = DEAR * shortfall(loss, metric) if room.taken(counts) > room.most else 0.0
        if other_loss < loss + given:
            counts, loss = others, other_loss
    return counts


def _greedy(
    predictions: Sequence[Floats], target: Array, metric: str, weight: Floats | None, room: _Room
) -> tuple[Floats, float]:
    """Return how often each candidate was taken, at the best prefix of the steps, and the loss there."""
    total = np.zeros_like(predictions[0])
    counts = np.zeros(len(predictions))
    best_loss, best_counts = np.inf, counts
    for step in range(1, STEPS + 1):
        losses = [
            loss_of(metric, target, (total + p) / step, weight) if room.has(counts, i) else np.inf
            for i, p in enumerate(predictions)
        ]
        taken = int(np.argmin(losses))
        total = total + predictions[taken]
        counts = counts.copy()
        counts[taken] += 1
        if losses[taken] < best_loss - 1e-12:
            best_loss, best_counts = losses[taken], counts
    return best_counts, best_loss
