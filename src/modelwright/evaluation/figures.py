"""The data behind the charts: confusion, curves, calibration, residuals; at most 200 points each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.evaluation._ends import wilson

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Floats
    from modelwright.core.task import Task

POINTS_MOST = 200
CLASSES_MOST = 10
BINS = 12
SAMPLE = 500


def figures(
    task: Task, target: Array, scores: Floats, choices: Array, *, weight: Floats | None = None
) -> dict[str, Any]:
    """Return the data of every chart that applies, as plain numbers.

    Args:
        task: Kind and labels.
        target: Encoded, shape (n_rows,).
        scores: Values (n_rows,) or probabilities (n_rows, n_classes).
        choices: Positions of the labels answered; ignored for regression.
        weight: Row weights, or None.
    """
    w = np.ones(len(target)) if weight is None else np.asarray(weight, dtype=np.float64)
    if not task.is_classification:
        return {"residuals": _residuals(target, scores), "distribution": _values(target, scores)}
    truth, answered = np.asarray(target, dtype=np.int64), np.asarray(choices, dtype=np.int64)
    k = len(task.labels)
    counts = np.bincount(truth * k + answered, weights=w, minlength=k * k).reshape(k, k)
    shown = (
        [1] if k == 2 else [int(i) for i in np.argsort(-np.bincount(truth, minlength=k), kind="stable")[:CLASSES_MOST]]
    )
    shown = [i for i in shown if 0 < (truth == i).sum() < len(truth)]
    curves = [_curves(task.labels[i], truth == i, scores[:, i], w) for i in shown]
    hit, top = (truth == 1, scores[:, 1]) if k == 2 else (answered == truth, scores.max(axis=1))
    return {
        "confusion": {"labels": list(task.labels), "counts": counts.tolist()},
        "roc": [roc for roc, _ in curves],
        "precision_recall": [recalled for _, recalled in curves],
        "calibration": _calibration(hit, top, w),
        "distribution": _histograms(hit, top, ("right", "wrong") if k != 2 else (task.labels[1], task.labels[0])),
    }


def _curves(label: str, positive: Array, score: Floats, weight: Floats) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the ROC and the precision–recall curve of one label against the rest."""
    order = np.argsort(-score, kind="stable")
    hit, w = positive[order].astype(np.float64) * weight[order], weight[order]
    last = np.flatnonzero(np.append(score[order][1:] < score[order][:-1], True))
    hits, all_ = np.cumsum(hit)[last], np.cumsum(w)[last]
    recall, false_rate = hits / hits[-1], (all_ - hits) / max(all_[-1] - hits[-1], 1e-12)
    roc = {
        "label": label,
        "false_positive_rate": [0.0, *_thin(false_rate)],
        "true_positive_rate": [0.0, *_thin(recall)],
    }
    return roc, {"label": label, "recall": _thin(recall), "precision": _thin(hits / np.maximum(all_, 1e-12))}


def _thin(values: Floats) -> list[float]:
    picked = np.unique(np.linspace(0, len(values) - 1, min(len(values), POINTS_MOST - 1)).round().astype(int))
    return [float(v) for v in np.round(values[picked], 6)]


def _calibration(hit: Array, probability: Floats, weight: Floats) -> dict[str, list[float]]:
    """Return bins of about equal count: mean probability, share that came true with interval, and count."""
    order = np.argsort(probability, kind="stable")
    bins: dict[str, list[float]] = {name: [] for name in ("predicted", "observed", "low", "high", "count")}
    for rows in np.array_split(order, min(BINS, max(len(order) // 10, 1))):
        w = weight[rows]
        if not w.sum() > 0:
            continue
        share = float(np.average(hit[rows], weights=w))
        low, high = wilson(share, float(w.sum() ** 2 / (w @ w)))
        mean = float(np.average(probability[rows], weights=w))
        for name, value in zip(bins, (mean, share, low, high, len(rows)), strict=True):
            bins[name].append(value)
    return bins


def _histograms(hit: Array, probability: Floats, names: tuple[str, str]) -> dict[str, Any]:
    edges = np.linspace(0, 1, 21)
    groups = {names[0]: np.histogram(probability[hit], edges)[0], names[1]: np.histogram(probability[~hit], edges)[0]}
    return {"edges": [round(float(e), 6) for e in edges], "counts": {k: v.tolist() for k, v in groups.items()}}


def _residuals(target: Array, scores: Floats) -> dict[str, Any]:
    """Return a sample of predictions and residuals, and quantiles of the residuals along the predictions."""
    residual = np.asarray(target, dtype=np.float64) - scores
    rows = np.arange(len(scores))
    if len(rows) > SAMPLE:
        rows = np.sort(np.random.default_rng(0).choice(len(rows), SAMPLE, replace=False))
    order = np.argsort(scores, kind="stable")
    bins = [
        {
            "predicted": float(scores[part].mean()),
            **{f"q{q}": float(np.quantile(residual[part], q / 100)) for q in (5, 25, 50, 75, 95)},
        }
        for part in np.array_split(order, min(BINS, max(len(order) // 10, 1)))
    ]
    return {"predicted": scores[rows].tolist(), "truth": np.asarray(target)[rows].tolist(), "bins": bins}


def _values(target: Array, scores: Floats) -> dict[str, Any]:
    low, high = float(min(target.min(), scores.min())), float(max(target.max(), scores.max()))
    edges = np.linspace(low, high if high > low else low + 1.0, 31)
    counts = {"target": np.histogram(target, edges)[0].tolist(), "prediction": np.histogram(scores, edges)[0].tolist()}
    return {"edges": edges.tolist(), "counts": counts}
