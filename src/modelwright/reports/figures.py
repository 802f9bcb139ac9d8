"""Figures: the data of the charts, taken out of the evidence in the shape that is drawn.

What is absent or not in this shape is simply not drawn: a report never fails for a missing picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often each class was answered (columns) for each truth (rows)."""

    labels: tuple[str, ...]
    counts: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Bin:
    """One level of probability: what was said, what share came true, the interval of that share."""

    said: float
    true: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Band:
    """Where nine of ten truths lie when the model says about ``estimate``."""

    estimate: float
    low: float
    high: float


def confusion(figures: Mapping[str, Any]) -> Confusion | None:
    """Return the confusion matrix: ``labels`` and ``counts``, a row per truth."""
    found = figures.get("confusion") or {}
    labels, counts = found.get("labels") or (), found.get("counts") or ()
    if len(labels) < 2 or len(counts) != len(labels) or any(len(row) != len(labels) for row in counts):
        return None
    return Confusion(tuple(map(str, labels)), tuple(map(tuple, counts)))


def roc(figures: Mapping[str, Any]) -> tuple[Series, ...]:
    """Return the ROC curves: false positive rate, true positive rate."""
    return _curves(figures.get("roc"), "false_positive_rate", "true_positive_rate")


def precision_recall(figures: Mapping[str, Any]) -> tuple[Series, ...]:
    """Return the precision–recall curves: recall, precision."""
    return _curves(figures.get("precision_recall"), "recall", "precision")


def calibration(figures: Mapping[str, Any]) -> tuple[Bin, ...]:
    """Return the levels of probability that hold rows."""
    found = figures.get("calibration") or {}
    said, true = found.get("predicted") or (), found.get("observed") or ()
    low, high = found.get("low") or true, found.get("high") or true
    bins = zip(said, true, low, high, strict=False)
    return tuple(Bin(*map(float, b)) for b in bins if all(_is_finite(v) for v in b))


def estimates(figures: Mapping[str, Any]) -> tuple[Point, ...]:
    """Return estimate and truth of some sealed rows."""
    found = figures.get("residuals") or {}
    return _points(found.get("predicted"), found.get("truth"))


def bands(figures: Mapping[str, Any]) -> tuple[Band, ...]:
    """Return where nine of ten truths lie, for each level of estimates, lowest first."""
    found = figures.get("residuals") or {}
    parts = [tuple(b.get(k) for k in ("predicted", "q5", "q95")) for b in found.get("bins") or ()]
    return tuple(
        Band(said, said + low, said + high) for said, low, high in parts if all(map(_is_finite, (said, low, high)))
    )


def distribution(figures: Mapping[str, Any]) -> tuple[Series, ...]:
    """Return histograms as step lines, one per group: a point at each bin's left end, and one that closes."""
    found = figures.get("distribution") or {}
    edges = found.get("edges") or ()
    groups = found.get("counts") or {}
    return tuple(
        Series(str(name), _points(edges, [*counts, counts[-1]]))
        for name, counts in groups.items()
        if counts and len(edges) == len(counts) + 1
    )


def _curves(found: Any, x: str, y: str) -> tuple[Series, ...]:
    drawn = found if isinstance(found, list | tuple) else [found] if found else []
    lines = [Series(str(c.get("label", "")), _points(c.get(x), c.get(y))) for c in drawn]
    return tuple(line for line in lines if len(line.points) > 1)


def _points(x: Sequence[Any] | None, y: Sequence[Any] | None) -> tuple[Point, ...]:
    pairs = zip(x or (), y or (), strict=False)
    return tuple((float(a), float(b)) for a, b in pairs if _is_finite(a) and _is_finite(b))


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
