"""Promises: of which measures the 95 % intervals hold the truth more or less often than they say, and why.

The shares are those of ``benchmarks/results/coverage.md``; a test holds them against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelwright.reports.view import View

KEPT = (
    "The intervals were tried on 1,000 tables each of 200 and of 2,000 made rows (`python benchmarks/intervals.py`): "
    "they held the truth in 93 to 97 of 100, but for these."
)
CLASSIFICATION = (
    "Calibration error: in 90 to 99.5 of 100; the truth may lie at the very end of its scale, and bins that are right "
    "are judged together with bins that are not.",
    "Where a label has only about ten rows, ROC AUC, average precision, log loss and Brier score: in 97 to 99 of 100; "
    "they are made wide on purpose, for ten rows may lie so well that they do not show how badly the next ten may.",
)
REGRESSION = (
    "Where few errors are very large, mean squared error, its root, R² and, at 200 rows, mean absolute error: in 87 to "
    "93 of 100; such errors are so rare that many samples hold none of them.",
)


def promises(view: View) -> tuple[str, ...]:
    """Return how often the intervals of a model's measures hold the truth: in general, then where it is not so."""
    if not view.evidence.kpis:
        return ()
    return KEPT, *(CLASSIFICATION if view.task.is_classification else REGRESSION)
