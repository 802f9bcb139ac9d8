"""Forest: extra trees (Geurts et al. 2006) and random forests (Breiman 2001)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from modelwright.core.ports import Curve, Fitted, Lesson
from modelwright.learners._rounds import WIDE, Yard, normalised
from modelwright.learners._settings import read, setting
from modelwright.learners._table import TreeTable, floor_single, from_nodes
from modelwright.learners.constant import Constant, nothing_to_learn
from modelwright.learners.trees import Trees

if TYPE_CHECKING:
    from modelwright.core.arrays import Bools
    from modelwright.core.state import State

QUICK_ROWS = 20_000
"""Under these the clock is read every ten trees, else after as many as grow at once."""
STATE_BYTES_MAX, SPLIT_BYTES = 20_000_000, 36
"""Size of a stored forest at most, and of one split in it; a label more in a leaf takes four bytes."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What may be set; None is chosen from the task.

    Attributes:
        extra: Whether thresholds are drawn at random on all rows (extra trees), else best ones on a bootstrap.
        trees: How many.
        max_features: Share of features tried at each split.
        min_leaf: Rows per leaf at least.
        rows: Rows learnt from at most, a seeded sample of more.
    """

    extra: bool = setting(True)
    trees: int = setting(100, 1, 10_000)
    max_features: float | None = setting(None, 0.001, 1.0)
    min_leaf: int | None = setting(None, 1, 1_000_000)
    rows: int = setting(100_000, 2, 10_000_000)


class Forest:
    """Learns a forest by scikit-learn; predicts through ``Trees``."""

    name: ClassVar[str] = "forest"
    has_rounds: ClassVar[bool] = False

    def __init__(self, **settings: object) -> None:
        self.settings = read(self.name, Settings, settings)

    def fit(self, lesson: Lesson) -> tuple[Fitted, Curve]:
        """Grow trees in batches until there are enough or the time ends; batches do not change the trees."""
        if nothing_to_learn(lesson):
            return Constant().fit(lesson)
        rows = np.arange(lesson.matrix.n_rows)
        if len(rows) > self.settings.rows:
            rows = np.sort(np.random.default_rng(lesson.seed).choice(rows, self.settings.rows, replace=False))
        yard = Yard.of(lesson)
        target = np.asarray(yard.standardise(lesson.target))[rows]
        weight = normalised(None if lesson.weight is None else lesson.weight[rows])
        model = self._model(lesson, len(rows))
        values, n_trees = lesson.matrix.values[rows], 0
        batch = 10 if len(rows) <= QUICK_ROWS else max(2, lesson.threads)
        while n_trees < self.settings.trees and (n_trees == 0 or lesson.seconds_left() > 0):
            n_trees = min(self.settings.trees, n_trees + batch)
            model.set_params(n_estimators=n_trees)
            model.fit(values, target, sample_weight=weight)
        return _translated(model, lesson, yard), Curve()

    def _model(self, lesson: Lesson, n_rows: int) -> Any:
        """Return scikit-learn's estimator."""
        from sklearn import ensemble

        s, is_class = self.settings, bool(lesson.n_classes)
        name = ("ExtraTrees" if s.extra else "RandomForest") + ("Classifier" if is_class else "Regressor")
        is_wide = len(lesson.matrix.features) > WIDE
        usual = (0.75 if is_class else 1.0) if s.extra else ("sqrt" if is_class else 0.5)
        usual = "sqrt" if is_wide else usual
        min_leaf = s.min_leaf or (1 if is_class and s.extra else 2)
        width_bytes = SPLIT_BYTES + 4 * (lesson.n_classes if lesson.n_classes > 2 else 1)
        most = max(2, STATE_BYTES_MAX // width_bytes // s.trees)
        return getattr(ensemble, name)(
            n_estimators=s.trees,
            max_features=s.max_features or usual,
            min_samples_leaf=min(min_leaf, max(1, n_rows // 4)),
            max_leaf_nodes=most if n_rows // min_leaf > most else None,
            n_jobs=lesson.threads,
            random_state=lesson.seed % 2**32,
            warm_start=True,
        )

    @classmethod
    def restore(cls, state: State) -> Trees:
        """Return the trees of a state."""
        return Trees.restore(state)


def _translated(model: Any, lesson: Lesson, yard: Yard) -> Trees:
    """Return a fitted forest as trees.

    Labels: one tree's worth of the overall shares is mixed in, so that no label has a chance of zero.
    """
    n_features, n_classes, n_trees = len(lesson.matrix.features), lesson.n_classes, len(model.estimators_)
    table = _table_of(model, n_classes)
    if not n_classes:
        bias = np.array([yard.mean])
        return Trees.of(table, "identity", n_features=n_features, bias=bias, scale=yard.spread / n_trees)
    prior = Constant().fit(lesson)[0].answer / (n_trees + 1)
    if n_classes == 2:
        table, prior = replace(table, leaf=table.leaf[:, 1:]), prior[1:]
    link = "share" if n_classes == 2 else "shares"
    return Trees.of(table, link, n_features=n_features, bias=prior, scale=1 / (n_trees + 1))


def _table_of(model: Any, n_classes: int) -> TreeTable:
    """Return the trees of a scikit-learn forest; labels without rows get a share of zero."""
    trees = [estimator.tree_ for estimator in model.estimators_]

    def joined(name: str) -> Any:
        return np.concatenate([getattr(tree, name) for tree in trees])

    value = joined("value")[:, 0, :]
    if n_classes:
        shares = np.zeros((len(value), n_classes))
        shares[:, model.classes_] = value / value.sum(axis=1, keepdims=True)
        value = shares
    missing_left: Bools = joined("missing_go_to_left").astype(bool)
    split = (joined("feature"), floor_single(joined("threshold")), missing_left)
    counts = np.array([tree.node_count for tree in trees])
    left, right = joined("children_left").astype(np.int64), joined("children_right").astype(np.int64)
    return from_nodes(counts, left, right, split, value)
