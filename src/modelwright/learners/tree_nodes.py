"""Tree nodes: the trees of a model as plain arrays, for formats that describe trees by their nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.errors import NotExportable
from modelwright.learners import _text
from modelwright.learners._table import starts

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Floats, Ints
    from modelwright.learners.trees import Trees

_CATEGORY, _DEFAULT_LEFT, _MISSING_ZERO, _MISSING_NAN = 1, 2, 4, 8


@dataclass(frozen=True, slots=True)
class TreeNodes:
    """All trees of a model, one after the other.

    Attributes:
        root: Where each tree begins: a node, or ``~leaf`` for a tree of one leaf.
        output: Which output each tree adds to.
        feature: The column a node looks at.
        threshold: Numbers up to it go left; NaN at nodes that look for members.
        members: The codes that go left, by node, at nodes on categories.
        missing_left: Whether NaN goes left.
        left: The next node, or ``~leaf``.
        right: Likewise.
        leaf: Values.
    """

    root: Array
    output: Array
    feature: Array
    threshold: Array
    members: dict[int, tuple[int, ...]]
    missing_left: Array
    left: Array
    right: Array
    leaf: Array


def nodes_of(trees: Trees) -> TreeNodes:
    """Return the nodes of trees whose leaves are numbers.

    Raises:
        NotExportable: Leaves answer for all outputs at once.
    """
    if trees.vectors is not None:
        raise NotExportable(
            "trees are told by nodes where each leaf is one number",
            where="trees",
            got=f"leaves of {trees.n_outputs} numbers",
            fix="use the package itself",
        )
    bodies = [
        dict(line.split("=", 1) for line in body.split("\n") if "=" in line) for body in _text.bodies_of(trees.text)
    ]
    n_splits = np.array([int(body["num_leaves"]) - 1 for body in bodies])
    node_at, leaf_at = starts(n_splits), starts(n_splits + 1)
    parts: dict[str, list[Array]] = {k: [] for k in ("feature", "threshold", "missing_left", "left", "right", "leaf")}
    members: dict[int, tuple[int, ...]] = {}
    for body, node, leaf, n in zip(bodies, node_at, leaf_at, n_splits, strict=True):
        parts["leaf"].append(_real(body, "leaf_value"))
        if n == 0:
            continue
        kind, bound = _whole(body, "decision_type"), _real(body, "threshold")
        parts["feature"].append(_whole(body, "split_feature"))
        for key in ("left", "right"):
            child = _whole(body, f"{key}_child")
            parts[key].append(np.where(child >= 0, child + node, ~(~child + leaf)))
        is_category = (kind & _CATEGORY) > 0
        if ((kind & _MISSING_ZERO) > 0).any():
            raise NotExportable("zero is a number like others", where="trees", fix="use the package itself")
        # Where NaN was never seen in training it is read as zero.
        to_left = np.where((kind & _MISSING_NAN) > 0, (kind & _DEFAULT_LEFT) > 0, bound >= 0.0)
        parts["missing_left"].append(~is_category & to_left)
        parts["threshold"].append(np.where(is_category, np.nan, bound))
        for place in np.flatnonzero(is_category):
            members[int(node + place)] = _members(body, int(bound[place]))
    joined = {k: np.concatenate(v) if v else np.zeros(0, dtype=np.int64) for k, v in parts.items()}
    root = np.where(n_splits > 0, node_at, ~leaf_at)
    return TreeNodes(root, np.arange(len(bodies)) % trees.n_outputs, members=members, **joined)


def _whole(body: dict[str, str], key: str) -> Ints:
    return np.array([int(word) for word in body[key].split()], dtype=np.int64)


def _real(body: dict[str, str], key: str) -> Floats:
    return np.array([float(word) for word in body[key].split()], dtype=np.float64)


def _members(body: dict[str, str], place: int) -> tuple[int, ...]:
    """Return the codes of one set, told as bits of 32-bit words."""
    bounds = _whole(body, "cat_boundaries")
    words = _whole(body, "cat_threshold")[bounds[place] : bounds[place + 1]]
    return tuple(32 * i + bit for i, word in enumerate(words.tolist()) for bit in range(32) if word >> bit & 1)
