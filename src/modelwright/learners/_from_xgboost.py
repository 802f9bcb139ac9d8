"""From XGBoost's JSON to the table of trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.learners._table import TreeTable, from_nodes

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats


def table_of(model: dict[str, Any]) -> TreeTable:
    """Return the trees of a model saved as JSON; the outputs take turns, as they do in XGBoost."""
    trees = model["learner"]["gradient_booster"]["model"]["trees"]

    def joined(key: str, kind: type) -> Any:
        return np.concatenate([np.asarray(tree[key], dtype=kind) for tree in trees])

    left, conditions = joined("left_children", np.int64), joined("split_conditions", np.float32)
    # XGBoost goes left below the bound, a table at or below it: the greatest float32 under the bound.
    bound = np.nextafter(conditions, np.float32(-np.inf))
    return from_nodes(
        np.array([len(tree["left_children"]) for tree in trees]),
        left,
        joined("right_children", np.int64),
        (joined("split_indices", np.int64), bound, joined("default_left", np.int64)),
        conditions.astype(np.float64)[:, None],
    )


def bias_of(model: dict[str, Any], n_outputs: int) -> Floats:
    """Return what XGBoost adds to each margin; its base score stands in units of the answer."""
    learner = model["learner"]
    written = learner["learner_model_param"]["base_score"].strip("[]").split(",")
    base = np.array([float(score) for score in written])
    if learner["objective"]["name"] == "binary:logistic":
        base = np.log(base / (1.0 - base))
    return np.broadcast_to(base, (n_outputs,)).astype(np.float64)
