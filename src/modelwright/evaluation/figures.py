"""The data behind the charts: confusion, curves, calibration, residuals, distribution; at most 200 points each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.evaluation import _calibration, _classes
from modelwright.evaluation._ends import wilson
from modelwright.evaluation._judged import judged

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Bools, Floats, Ints
    from modelwright.core.task import Task
    from modelwright.evaluation._judged import Judged

POINTS_MOST = 200
CURVES_MOST = 10
LABELS_MOST = 50
BINS, BIN_ROWS_LEAST = 12, 10
SAMPLE = 500


def figures(
    task: Task, target: Array, scores: Floats, choices: Array | None, *, weight: Floats | None = None
) -> dict[str, Any]:
    """Return the data of every chart that applies, as plain data.

    Args:
        task: Kind and labels.
        target: Encoded, shape (n_rows,).
        scores: Values (n_rows,) or probabilities (n_rows, n_classes).
        choices: Positions of the labels answered, None for the most probable; not read for regression.
        weight: Row weights, or None.

    Returns:
        For classification ``confusion`` (``labels``, ``counts``: a row per truth; beyond 50 labels the rarest are
        taken together), ``roc`` and ``precision_recall`` (a list of curves with ``label``; the positive label, or
        the ten most frequent against the rest), ``calibration`` (``predicted``, ``observed``, ``low``, ``high``,
        ``count`` by bins of equal mass, Wilson intervals), ``distribution`` (``edges`` and ``counts`` of the
        positive label's probability by truth; of the most probable label's, right and wrong).
        For regression ``residuals`` (``predicted`` and ``truth`` of at most 500 rows, ``bins``: quantiles of
        truth less prediction along the predictions) and ``distribution`` (of target and prediction).
    """
    rows = judged(target, scores, choices, weight=weight, values=not task.is_classification)
    if not task.is_classification:
        return {"residuals": _residuals(rows), "distribution": _values(rows)}
    frequent = np.argsort(-np.bincount(rows.target, rows.weight, len(task.labels)), kind="stable")
    shown = [int(i) for i in frequent if i in rows.curves][:CURVES_MOST]
    curves = [_curves(task.labels[i], *rows.against_rest(i), rows.weight) for i in shown]
    return {
        "confusion": _confusion(task, rows, frequent),
        "roc": [roc for roc, _ in curves],
        "precision_recall": [recalled for _, recalled in curves],
        "calibration": _calibrated(rows),
        "distribution": _probabilities(task, rows),
    }


def _confusion(task: Task, rows: Judged, frequent: Ints) -> dict[str, Any]:
    cells = _classes.confusion(rows)
    labels = list(task.labels)
    if len(labels) > LABELS_MOST:
        kept, rest = np.sort(frequent[: LABELS_MOST - 1]), np.sort(frequent[LABELS_MOST - 1 :])
        merged = np.zeros((len(labels), LABELS_MOST))
        merged[kept, np.arange(len(kept))] = 1
        merged[rest, -1] = 1
        cells = merged.T @ cells @ merged
        labels = [labels[i] for i in kept] + [f"{len(rest)} other labels"]
    counts = cells if rows.is_weighted else cells.round().astype(np.int64)
    return {"labels": labels, "counts": counts.tolist()}


def _curves(label: str, positive: Bools, score: Floats, weight: Floats) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the ROC and the precision–recall curve of one label against the rest."""
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.append(np.diff(score[order]) < 0, True))
    hits = np.cumsum((weight * positive)[order])[last]
    alarms = np.cumsum((weight * ~positive)[order])[last]
    recall, false_rate = hits / hits[-1], alarms / alarms[-1]
    precision = hits / np.maximum(hits + alarms, np.finfo(float).tiny)
    seen = _spaced(recall + false_rate, 1)
    roc = {
        "false_positive_rate": [0.0, *_rounded(false_rate[seen])],
        "true_positive_rate": [0.0, *_rounded(recall[seen])],
    }
    kept = _spaced(recall + np.cumsum(np.abs(np.diff(precision, prepend=precision[0]))), 0)
    recalled = {"recall": _rounded(recall[kept]), "precision": _rounded(precision[kept])}
    return {"label": label, **roc}, {"label": label, **recalled}


def _spaced(length: Floats, n_taken: int) -> Ints:
    """Return positions of at most 200 points, evenly spaced along a curve, its ends among them."""
    if len(length) <= POINTS_MOST - n_taken:
        return np.arange(len(length))
    marks = np.linspace(length[0], length[-1], POINTS_MOST - n_taken)
    return np.unique(np.minimum(np.searchsorted(length, marks), len(length) - 1))


def _rounded(values: Floats) -> list[float]:
    return [float(v) for v in np.round(values, 6)]


def _calibrated(rows: Judged) -> dict[str, list[float]]:
    """Return the share that came true by level of probability, each with its interval."""
    n_bins = min(BINS, max(rows.n_rows // BIN_ROWS_LEAST, 1))
    binned = _calibration.bins(*_calibration.outcomes(rows), rows.weight, n_bins)
    ends = [wilson(float(p), float(n)) for p, n in zip(binned.observed, binned.n_effective, strict=True)]
    return {
        "predicted": binned.predicted.tolist(),
        "observed": binned.observed.tolist(),
        "low": [low for low, _ in ends],
        "high": [high for _, high in ends],
        "count": binned.n_rows.tolist(),
    }


def _probabilities(task: Task, rows: Judged) -> dict[str, Any]:
    came_true, probability = _calibration.outcomes(rows)
    names = (task.labels[1], task.labels[0]) if rows.is_binary else ("right", "wrong")
    edges = np.linspace(0, 1, 21)
    counts = [_histogram(probability[side], rows.weight[side], edges) for side in (came_true, ~came_true)]
    return {"edges": _rounded(edges), "counts": dict(zip(names, counts, strict=True))}


def _histogram(values: Floats, weight: Floats, edges: Floats) -> list[float]:
    """Return the weight by bin; what lies outside goes to the bins at the ends."""
    return [float(n) for n in np.histogram(np.clip(values, edges[0], edges[-1]), edges, weights=weight)[0]]


def _residuals(rows: Judged) -> dict[str, Any]:
    """Return a sample of predictions and truths, and quantiles of the residuals along the predictions."""
    residual = rows.target - rows.scores
    sample = np.arange(rows.n_rows)
    if rows.n_rows > SAMPLE:
        # One fixed seed: the sample is for the eye, and the same rows should show the same picture.
        sample = np.sort(np.random.default_rng(0).choice(rows.n_rows, SAMPLE, replace=False))
    parts = np.array_split(np.argsort(rows.scores, kind="stable"), min(BINS, max(rows.n_rows // BIN_ROWS_LEAST, 1)))
    bins = [
        {
            "predicted": float(rows.scores[part].mean()),
            **{f"q{q}": float(np.quantile(residual[part], q / 100)) for q in (5, 25, 50, 75, 95)},
            "count": len(part),
        }
        for part in parts
    ]
    return {"predicted": rows.scores[sample].tolist(), "truth": rows.target[sample].tolist(), "bins": bins}


def _values(rows: Judged) -> dict[str, Any]:
    """Return histograms of target and prediction over the middle 99 % of both, so one huge value hides nothing."""
    both = np.concatenate([rows.target, rows.scores])
    low, high = (float(v) for v in np.quantile(both, (0.005, 0.995)))
    if not high > low:
        low, high = low - max(abs(low), 1.0) / 2, low + max(abs(low), 1.0) / 2
    edges = np.linspace(low, high, 31)
    counts = {
        "target": _histogram(rows.target, rows.weight, edges),
        "prediction": _histogram(rows.scores, rows.weight, edges),
    }
    return {"edges": edges.tolist(), "counts": counts}
