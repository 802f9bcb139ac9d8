"""Shapley values of trees, exact, for a few rows: all leaves of all trees at once, however deep they are.

The same integral as in ``_tree_shap``, whose way is quicker for many rows. Of each leaf the features on its path are
read once, with the share of rows that passes all the path's splits on each. A row then says which it passes, and what
is left are products along one axis of an array.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from modelwright.learners._branches import IS_CATEGORY, Tree, goes_left

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.arrays import Array, Bools, Floats, Ints

LEAVES_AT_ONCE = 4_096
"""Their products then stay near the processor."""


@cache
def points(n_features: int) -> tuple[Floats, Floats]:
    """Return points and weights in (0, 1) that integrate products of ``n_features − 1`` lines exactly."""
    at, weight = np.polynomial.legendre.leggauss((n_features + 1) // 2)
    return np.asarray((at + 1) / 2), np.asarray(weight / 2)


@dataclass(frozen=True, slots=True)
class Paths:
    """The ways from the root to the leaves of some trees, the leaves in the order of how many features theirs hold.

    Attributes:
        tree: All the trees as one; its splits are numbered through.
        split: Shape (n_leaves, longest): the splits on the way, -1 where there are no more.
        is_left: Likewise: whether the way goes left there.
        slot: Likewise: which of the leaf's features the split is on.
        feature: Shape (n_leaves, most features): the features, 0 where there are no more.
        passing: Likewise: the share of rows that passes all the path's splits on the feature, 1 where there is none.
        n_features: Of each leaf, falling.
        leaf: Shape (n_leaves, width).
    """

    tree: Tree
    split: Ints
    is_left: Bools
    slot: Array
    feature: Array
    passing: Floats
    n_features: Ints
    leaf: Floats

    @classmethod
    def of(cls, trees: Sequence[Tree], shares: Sequence[Floats]) -> Paths:
        """Read the paths of trees that have splits, with the share of rows on either side of each."""
        tree, share = _as_one(trees), np.concatenate(shares)
        split, is_left = _ways(tree)
        n_leaves, longest = split.shape
        slot = np.zeros(split.shape, dtype=np.int16)
        feature = np.full(split.shape, -1, dtype=np.int32)
        passing = np.ones(split.shape)
        n_features = np.zeros(n_leaves, dtype=np.int64)
        everyone = np.arange(n_leaves)
        for at in range(longest):
            rows = everyone[split[:, at] >= 0]
            here = tree.feature[split[rows, at]].astype(np.int32)
            same = feature[rows, : at + 1] == here[:, None]
            place = same.argmax(axis=1)
            is_new = ~same[np.arange(len(rows)), place]
            place[is_new] = n_features[rows[is_new]]
            n_features[rows[is_new]] += 1
            slot[rows, at], feature[rows, place] = place, here
            passing[rows, place] *= share[split[rows, at], np.where(is_left[rows, at], 0, 1)]
        order = np.argsort(-n_features, kind="stable")
        most = int(n_features.max())
        return cls(
            tree,
            split[order],
            is_left[order],
            slot[order],
            np.maximum(feature[order, :most], 0),
            passing[order, :most],
            n_features[order],
            tree.leaf[order],
        )

    def add(self, columns: Floats, out: Floats) -> None:
        """Add the Shapley values of rows to ``out``.

        Args:
            columns: Shape (n_features, n_rows).
            out: Shape (width, n_features, n_rows).
        """
        goes = goes_left(self.tree, columns)
        for row in range(columns.shape[1]):
            agrees = (goes[self.split, row] == self.is_left) | (self.split < 0)
            for first in range(0, len(self.leaf), LEAVES_AT_ONCE):
                self._add(slice(first, first + LEAVES_AT_ONCE), agrees, out[:, :, row])

    def _add(self, leaves: slice, agrees: Bools, out: Floats) -> None:
        slot, agrees = self.slot[leaves], agrees[leaves]
        n, most = len(slot), int(self.n_features[leaves][0])
        passes, everyone = np.ones((n, most + 1), dtype=bool), np.arange(n)
        for step in range(slot.shape[1]):
            passes[everyone, np.minimum(slot[:, step], most)] &= agrees[:, step]
        at, weight = points(most)
        at, passing = at[:, None], self.passing[leaves, :most].T
        passed = passes[:, :most].T.astype(np.float64)
        product = np.ones((len(weight), n))
        for share, own in zip(passing, passed, strict=True):
            product *= share * (1 - at) + own * at
        worth = np.empty((most, n))
        for i, (share, own) in enumerate(zip(passing, passed, strict=True)):
            worth[i] = (own - share) * (weight @ (product / (share * (1 - at) + own * at)))
        features = self.feature[leaves, :most].T.ravel()
        for k, value in enumerate(self.leaf[leaves].T):
            out[k] += np.bincount(features, (worth * value).ravel(), minlength=len(out[k]))


def _as_one(trees: Sequence[Tree]) -> Tree:
    """Return trees that have splits as one: children of one stand behind those of the one before."""
    splits = np.cumsum([0, *(t.n_splits for t in trees)])
    leaves = np.cumsum([0, *(len(t.leaf) for t in trees)])
    sets = np.cumsum([0, *(len(t.sets) for t in trees)])

    def moved(children: Ints, i: int) -> Ints:
        return np.asarray(np.where(children >= 0, children + splits[i], children - leaves[i]))

    return Tree(
        feature=np.concatenate([t.feature for t in trees]),
        threshold=np.concatenate(
            [t.threshold + np.where(t.decision & IS_CATEGORY, sets[i], 0) for i, t in enumerate(trees)]
        ),
        decision=np.concatenate([t.decision for t in trees]),
        left=np.concatenate([moved(t.left, i) for i, t in enumerate(trees)]),
        right=np.concatenate([moved(t.right, i) for i, t in enumerate(trees)]),
        leaf=np.concatenate([t.leaf for t in trees]),
        sets=tuple(s for t in trees for s in t.sets),
    )


def _ways(tree: Tree) -> tuple[Ints, Bools]:
    """Return the splits on the way to each leaf, the last one first, and whether it goes left at each."""
    parent = np.full(tree.n_splits, -1)
    parent_of_leaf = np.full(len(tree.leaf), -1)
    is_left = np.zeros(tree.n_splits, dtype=bool)
    is_left_of_leaf = np.zeros(len(tree.leaf), dtype=bool)
    everyone = np.arange(tree.n_splits)
    for children, side in ((tree.left, True), (tree.right, False)):
        is_split = children >= 0
        parent[children[is_split]], is_left[children[is_split]] = everyone[is_split], side
        parent_of_leaf[~children[~is_split]], is_left_of_leaf[~children[~is_split]] = everyone[~is_split], side
    ways, sides = [parent_of_leaf], [is_left_of_leaf]
    while True:
        above = np.where(ways[-1] >= 0, parent[ways[-1]], -1)
        if (above < 0).all():
            return np.stack(ways, axis=1), np.stack(sides, axis=1)
        sides.append(is_left[ways[-1]])
        ways.append(above)
