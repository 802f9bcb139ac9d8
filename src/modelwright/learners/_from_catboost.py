"""From CatBoost's JSON to the table of trees: one question a level becomes a full binary tree."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.learners._table import TreeTable

if TYPE_CHECKING:
    from modelwright.core.arrays import Bools, Floats


def table_of(model: dict[str, Any], n_features: int) -> tuple[TreeTable, float, Floats]:
    """Return the trees of a model saved as JSON, and what CatBoost multiplies their sums by and adds to them.

    Each tree has a leaf column for every margin. Neighbouring trees of one depth are expanded at once.
    """
    scale, bias = model["scale_and_bias"]
    missing_left = np.ones(n_features, dtype=bool)
    for feature in model["features_info"]["float_features"]:
        missing_left[feature["flat_feature_index"]] = feature["nan_value_treatment"] != "AsTrue"
    runs = groupby(model["oblivious_trees"], key=lambda tree: len(tree.get("splits") or ()))
    parts = [_expanded(list(trees), depth, missing_left, len(bias)) for depth, trees in runs]
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in TreeTable.__slots__}
    return TreeTable(**columns), float(scale), np.asarray(bias, dtype=np.float64)


def _expanded(trees: list[dict[str, Any]], depth: int, missing_left: Bools, n_outputs: int) -> TreeTable:
    """Return the table of trees of one depth.

    CatBoost's leaf number has bit i set where the answer to question i is yes, so the last question stands at
    the root, and the leaves stand in their own order at the bottom.
    """
    n_splits = 2**depth - 1
    questions = [[s["float_feature_index"], s["border"]] for tree in trees for s in tree.get("splits") or ()]
    asked = np.array(questions, dtype=np.float64).reshape(len(trees), depth, 2)
    place = np.arange(n_splits)
    level = np.floor(np.log2(place + 1)).astype(np.int64)
    by_place = asked[:, depth - 1 - level, :].reshape(-1, 2)
    feature = by_place[:, 0].astype(np.int64)
    left = np.where(level == depth - 1, ~(2 * place + 1 - n_splits), 2 * place + 1)
    right = np.where(level == depth - 1, ~(2 * place + 2 - n_splits), 2 * place + 2)
    values = np.array([tree["leaf_values"] for tree in trees], dtype=np.float64)
    return TreeTable(
        n_splits=np.full(len(trees), n_splits),
        feature=feature,
        bound=by_place[:, 1].astype(np.float32),
        missing_left=missing_left[feature],
        left=np.tile(left, len(trees)),
        right=np.tile(right, len(trees)),
        leaf=values.reshape(-1, n_outputs),
    )
