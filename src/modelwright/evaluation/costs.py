"""Costs: what a model's errors come to in the user's own unit, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.costs import Costs
from modelwright.core.score import Score
from modelwright.core.task import TaskKind
from modelwright.evaluation import _ends
from modelwright.evaluation._judged import judged

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Bools, Floats
    from modelwright.core.cost_matrix import CostMatrix
    from modelwright.core.costs import Prices
    from modelwright.core.task import Task
    from modelwright.evaluation._judged import Judged


def costs(
    task: Task, target: Array, scores: Floats, choices: Array | None, prices: Prices, *, weight: Floats | None = None
) -> Costs:
    """Return what the errors cost per row, beside what simple rules cost on the same rows.

    Args:
        task: Kind of the task.
        target: Encoded, shape (n_rows,).
        scores: Values (n_rows,) or probabilities (n_rows, n_classes).
        choices: Positions of the labels answered, None for the most probable; not read for regression.
        prices: What one error costs.
        weight: Row weights, or None.

    Raises:
        InvalidEvidence: The arrays differ in length or hold no row.
    """
    rows = judged(target, scores, choices, weight=weight, values=not task.is_classification)
    if task.kind is TaskKind.BINARY:
        return _two_ways(rows, prices)
    if task.kind is TaskKind.MULTICLASS:
        wrong = prices.false_alarm + prices.miss
        common = int(np.bincount(rows.target, rows.weight).argmax())
        missed: Floats = np.where(rows.choices != rows.target, wrong, 0.0)
        same: Floats = np.where(common != rows.target, wrong, 0.0)
        return Costs(prices, _per_row("model", missed, rows), _per_row("always the same", same, rows), unit=prices.unit)
    # The cheapest single estimate is a quantile of the truths: the newsvendor's answer.
    share = prices.miss / (prices.miss + prices.false_alarm)
    fixed = float(np.quantile(rows.target, share, method="inverted_cdf"))
    off, steady = _apart(rows.scores - rows.target, prices), _apart(fixed - rows.target, prices)
    return Costs(prices, _per_row("model", off, rows), _per_row("always the same", steady, rows), unit=prices.unit)


def costs_by(matrix: CostMatrix, target: Array, scores: Floats, choices: Array, weight: Floats | None = None) -> Costs:
    """Return what the answers cost per row when each has its own cost, beside simple rules on the same rows.

    Args:
        matrix: What each answer costs.
        target: Positions of the true labels, shape (n_rows,).
        scores: Probabilities, shape (n_rows, n_labels).
        choices: Positions of the labels answered.
        weight: Row weights, or None.

    Raises:
        InvalidEvidence: The arrays differ in length or hold no row.
    """
    rows = judged(target, scores, choices, weight=weight)
    steady = [matrix.paid(rows.target, np.full(rows.n_rows, i)) for i in range(len(matrix.values))]
    model = _per_row("model", matrix.paid(rows.target, rows.choices), rows)
    if len(steady) > 2:
        cheapest = min(steady, key=lambda paid: float(np.average(paid, weights=rows.weight)))
        return Costs(None, model, _per_row("always the same", cheapest, rows), unit=matrix.unit)
    never, always = (_per_row(name, paid, rows) for name, paid in zip(("never", "always"), steady, strict=True))
    best = _per_row("best", matrix.paid(rows.target, matrix.choices(rows.scores)), rows)
    return Costs(None, model, never, always, best, matrix.threshold, matrix.unit)


def _two_ways(rows: Judged, prices: Prices) -> Costs:
    positive = rows.target == 1
    threshold = prices.false_alarm / (prices.false_alarm + prices.miss)

    def cost(answered: Bools) -> Floats:
        paid: Floats = np.where(positive, prices.miss * ~answered, prices.false_alarm * answered)
        return paid

    every = np.ones(rows.n_rows, dtype=bool)
    return Costs(
        prices,
        _per_row("model", cost(rows.choices == 1), rows),
        _per_row("never", cost(~every), rows),
        _per_row("always", cost(every), rows),
        _per_row("best", cost(rows.scores[:, 1] >= threshold), rows),
        threshold,
        prices.unit,
    )


def _apart(error: Floats, prices: Prices) -> Floats:
    paid: Floats = np.where(error > 0, prices.false_alarm * error, -prices.miss * error)
    return paid


def _per_row(name: str, cost: Floats, rows: Judged) -> Score:
    """Return the mean cost of a row with its interval."""
    value = float(np.average(cost, weights=rows.weight))
    low, high = (value, value) if rows.n_rows < 2 else _ends.skewed(value, cost - value, rows.weight)
    return Score(
        name,
        value,
        min(low if cost.min() < 0 else max(low, 0.0), value),
        max(high, value),
        rows.n_rows,
        "",
        "skewness-corrected t",
    )
