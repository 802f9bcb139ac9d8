"""Forest: extra trees (Geurts et al. 2006) and random forests (Breiman 2001)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from modelwright.core.ports import Curve, Fitted, Lesson
from modelwright.core.state import State
from modelwright.learners import _text
from modelwright.learners._rounds import Yard, normalised
from modelwright.learners._settings import read, setting
from modelwright.learners._table import TreeTable, floor_single, from_nodes, starts
from modelwright.learners._text_check import check_children
from modelwright.learners._unfolding import array, positions, refuse, whole, width
from modelwright.learners.constant import Constant, nothing_to_learn
from modelwright.learners.trees import Trees

if TYPE_CHECKING:
    from modelwright.core.arrays import Bools, Floats, Ints, Singles
    from modelwright.core.matrix import Matrix

QUICK_ROWS = 20_000
"""Under these the clock is read every ten trees, else after as many as grow at once."""
STATE_BYTES_MAX, SPLIT_BYTES = 20_000_000, 36
"""Size of a stored forest at most, and of one split in it; a label more in a leaf takes four bytes."""
ROUTES_MAX = 500_000
"""Rows times trees that are walked at once."""


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


@dataclass(frozen=True, slots=True)
class ForestModel:
    """Trees whose leaves hold the shares of several labels, walked a level at a time."""

    table: TreeTable
    shares: Singles
    n_features: int

    def predict(self, matrix: Matrix) -> Floats:
        """Return (n_rows, n_classes) probabilities: the mean of the trees' shares."""
        width(State("forest"), matrix.values.shape[1], self.n_features)
        out = np.empty((matrix.n_rows, self.shares.shape[1]))
        n_trees = len(self.table.n_splits)
        step = max(1, ROUTES_MAX // n_trees)
        for start in range(0, matrix.n_rows, step):
            leaves = self._leaves(matrix.values[start : start + step])
            total = np.zeros((len(leaves), self.shares.shape[1]))
            for column in leaves.T:
                total += self.shares[column]
            out[start : start + step] = total / total.sum(axis=1, keepdims=True)
        return out

    def _leaves(self, values: Singles) -> Ints:
        """Return the leaf that each row reaches in each tree, shape (n_rows, n_trees), numbered over all trees."""
        table, n_trees = self.table, len(self.table.n_splits)
        first_split, first_leaf = starts(table.n_splits), starts(table.n_splits + 1)
        place = np.tile(np.where(table.n_splits > 0, 0, -1), len(values))
        tree = np.tile(np.arange(n_trees), len(values))
        active = np.flatnonzero(place >= 0)
        while len(active):
            at = first_split[tree[active]] + place[active]
            value = values[active // n_trees, table.feature[at]]
            goes_left = np.where(np.isnan(value), table.missing_left[at], value <= table.bound[at])
            place[active] = np.where(goes_left, table.left[at], table.right[at])
            active = active[place[active] >= 0]
        return np.asarray(first_leaf[tree] + ~place).reshape(len(values), n_trees)

    def state(self) -> State:
        """Return the splits and shares of all trees."""
        t = self.table
        arrays = {
            "n_splits": t.n_splits.astype(np.int32),
            "feature": t.feature.astype(np.int32),
            "bound": t.bound,
            "missing_left": t.missing_left,
            "left": t.left.astype(np.int32),
            "right": t.right.astype(np.int32),
            "shares": self.shares,
        }
        return State("forest", {"n_features": self.n_features, "n_outputs": self.shares.shape[1]}, arrays)


class Forest:
    """Learns a forest by scikit-learn; of one output it predicts through ``Trees``, of several by itself."""

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
        usual = (0.75 if is_class else 1.0) if s.extra else ("sqrt" if is_class else 0.5)
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
    def restore(cls, state: State) -> ForestModel:
        """Return the forest of a state."""
        n_features, n_outputs = whole(state, "n_features", 1), whole(state, "n_outputs", 2)
        n_splits = positions(state, "n_splits", None, 2**31).astype(np.int64)
        total = int(n_splits.sum())
        shares = array(state, "shares", (total + len(n_splits), n_outputs))
        table = TreeTable(
            n_splits=n_splits,
            feature=positions(state, "feature", total, n_features).astype(np.int64),
            bound=array(state, "bound", (total,)).astype(np.float32),
            missing_left=array(state, "missing_left", (total,), kinds="b").astype(np.bool_),
            left=array(state, "left", (total,), kinds="i").astype(np.int64),
            right=array(state, "right", (total,), kinds="i").astype(np.int64),
            leaf=np.empty((0, n_outputs)),
        )
        if not len(n_splits) or (shares <= 0).any():
            refuse("forest.shares", "leaves hold shares above zero", "zero or less")
        check_children("forest", table.left, table.right, n_splits)
        return ForestModel(table, shares.astype(np.float32), n_features)


def _translated(model: Any, lesson: Lesson, yard: Yard) -> Fitted:
    """Return a fitted forest in our own form.

    Labels: one tree's worth of the overall shares is mixed in, so that no label has a chance of zero.
    """
    n_features, n_classes, n_trees = len(lesson.matrix.features), lesson.n_classes, len(model.estimators_)
    table = _table_of(model, n_classes)
    if not n_classes:
        bias = np.array([yard.mean])
        text = _text.write(table, n_features=n_features, bias=bias, scale=yard.spread / n_trees)
        return Trees(text, "identity", n_features=n_features)
    prior = Constant().fit(lesson)[0].answer
    if n_classes == 2:
        positive = TreeTable(
            **{n: getattr(table, n) for n in TreeTable.__slots__ if n != "leaf"}, leaf=table.leaf[:, 1:]
        )
        text = _text.write(positive, n_features=n_features, bias=prior[1:] / (n_trees + 1), scale=1 / (n_trees + 1))
        return Trees(text, "share", n_features=n_features)
    shares = (table.leaf * n_trees + prior) / (n_trees + 1)
    return ForestModel(table, shares.astype(np.float32), n_features)


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
