"""Models for experiments: one line to fit, a function that predicts."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.ports import Curve, Exam, Lesson
from modelwright.evaluation.metrics import compute, loss
from modelwright.evaluation.pairs import paired
from modelwright.learners.forest import Forest
from modelwright.learners.lightgbm import LightGBM
from modelwright.learners.linear import Linear
from modelwright.learners.neighbours import Neighbours

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.core.matrix import Matrix
    from modelwright.core.score import Score
    from modelwright.handbook.arrays import Answers
    from modelwright.handbook.sample import Sample

Predict = Callable[["Floats"], "Floats"]
LEAST_SHARE = 1e-6
"""No label is called less probable than this, so that one mistake does not drown all other rows in a log loss."""
HOUSE: dict[str, Any] = {"linear": Linear, "lightgbm": LightGBM, "forest": Forest, "neighbours": Neighbours}


def linear(x: Floats, y: Answers, n_classes: int, *, penalty: float = 1.0, balanced: bool = False) -> Predict:
    """Fit ridge regression, or logistic regression with the same penalty on squared weights.

    Args:
        x: Shape (n, columns), standardised.
        y: Shape (n,).
        n_classes: 0 for regression.
        penalty: Counts as much as so many rows.
        balanced: Give every label the same weight in all.
    """
    from sklearn.linear_model import LogisticRegression, Ridge

    if not n_classes:
        return _values(_quietly(Ridge(alpha=penalty), x, y))
    weight = "balanced" if balanced else None
    if len(np.unique(y)) < 2:
        return _always(y, n_classes)
    made = LogisticRegression(C=1 / penalty, max_iter=300, tol=1e-5, class_weight=weight)
    return _shares(_quietly(made, x, y), n_classes)


def tree(x: Floats, y: Answers, n_classes: int, *, depth: int | None, seed: int, min_leaf: int = 1) -> Predict:
    """Fit one decision tree; the shares in a leaf are smoothed by one row spread over all labels."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeClassifier if n_classes else DecisionTreeRegressor
    model = kind(max_depth=depth, min_samples_leaf=min_leaf, random_state=seed).fit(x, y)
    if not n_classes:
        return _values(model)
    leaves = model.apply(x)
    counts = np.zeros((int(leaves.max()) + 1, n_classes))
    np.add.at(counts, (leaves, y.astype(np.int64)), 1.0)
    counts += 1.0 / n_classes
    shares = counts / counts.sum(axis=1, keepdims=True)
    return lambda rows: shares[model.apply(rows)]


def fitted(model: Any, x: Floats, y: Answers, n_classes: int) -> Predict:
    """Fit a scikit-learn estimator and return how it predicts."""
    model = _quietly(model, x, y)
    return _shares(model, n_classes) if n_classes else _values(model)


def house(
    name: str,
    matrix: Matrix,
    y: Answers,
    n_classes: int,
    *,
    seed: int = 0,
    exam: tuple[Matrix, Answers] | None = None,
    **settings: Any,
) -> tuple[Callable[[Matrix], Floats], Curve]:
    """Fit one of the house's own learners; return how it predicts and how its loss fell."""
    judge = None if exam is None else Exam(exam[0], exam[1])
    lesson = Lesson(matrix, y, n_classes, exam=judge, seed=seed, threads=1)
    model, curve = HOUSE[name](**settings).fit(lesson)
    return model.predict, curve


def loss_of(sample: Sample, scores: Floats, y: Answers | None = None) -> float:
    """Return the mean loss of answers for the rows held back, or for these truths."""
    truth = sample.held.y if y is None else y
    return float(loss(sample.task.kind, truth, scores).mean())


def measured(sample: Sample, metric: str, scores: Floats, choices: Answers | None = None) -> float:
    """Return one of the house's measures on the rows held back."""
    return compute(metric, sample.held.y, scores, choices)


def difference(sample: Sample, a: Floats, b: Floats, metric: str | None = None) -> Score:
    """Return how much greater a measure is for answers ``a`` than for ``b`` on the rows held back."""
    name = metric or ("log_loss" if sample.is_classes else "mse")
    return paired(sample.task, sample.held.y, a, b, metric=name)


def accuracy_of(sample: Sample, scores: Floats) -> float:
    """Return accuracy for labels, R² for numbers, on the rows held back."""
    return measured(sample, "accuracy" if sample.is_classes else "r2", scores)


def accuracy_name(sample: Sample) -> str:
    """Return what ``accuracy_of`` measures."""
    return "accuracy" if sample.is_classes else "R²"


def better(found: Score, *, less: bool = True) -> int:
    """Return 1 when the first of two compared is surely better, -1 when the second is, 0 when they are tied.

    Args:
        found: From ``difference``.
        less: Whether less of the measure is better.
    """
    sign = int(found.low > 0) - int(found.high < 0)
    return -sign if less else sign


def softmax(scores: Floats) -> Floats:
    """Return rows of probabilities."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _quietly(model: Any, x: Floats, y: Answers) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that an iteration ended early is measured here, not warned of
        return model.fit(x, y)


def _values(model: Any) -> Predict:
    return lambda rows: np.asarray(model.predict(rows), dtype=np.float64).ravel()


def _shares(model: Any, n_classes: int) -> Predict:
    """Return probabilities with a column for every label; none is called impossible, seen or not."""
    seen = np.asarray(model.classes_, dtype=np.int64)

    def predict(rows: Floats) -> Floats:
        shares = np.zeros((len(rows), n_classes))
        shares[:, seen] = model.predict_proba(rows)
        shares = np.maximum(shares, LEAST_SHARE)
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))

    return predict


def _always(y: Answers, n_classes: int) -> Predict:
    shares = np.bincount(y.astype(np.int64), minlength=n_classes) + 0.5
    return lambda rows: np.tile(shares / shares.sum(), (len(rows), 1))
