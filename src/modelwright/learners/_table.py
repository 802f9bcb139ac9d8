"""Trees as tables: the form every library's trees pass through on their way to model text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Bools, Floats, Ints, Singles


LARGEST = np.finfo(np.float32).max


@dataclass(frozen=True, slots=True)
class TreeTable:
    """Trees whose splits lie one after another in flat arrays, and whose leaves do too.

    A row goes left when its value is at or below the bound. Children are numbered within their tree: a split by
    its position from 0, which is the root, a leaf by ``~position``.

    Attributes:
        n_splits: Splits per tree, shape (n_trees,); a tree has one leaf more.
        feature: Column of each split.
        bound: float32 bound of each split.
        missing_left: Whether a missing value goes left.
        left: Child at or below the bound.
        right: Child above it.
        leaf: Shape (n_leaves of all trees, width): with a width above 1 each tree answers for all outputs.
    """

    n_splits: Ints
    feature: Ints
    bound: Singles
    missing_left: Bools
    left: Ints
    right: Ints
    leaf: Floats


def starts(counts: Ints) -> Ints:
    """Return where each run begins when runs of these lengths lie one after another.

    >>> starts(np.array([3, 1, 2])).tolist()
    [0, 3, 4]
    """
    return np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)


def floor_single(bound: Floats) -> Singles:
    """Return the greatest finite float32 at or below each bound: float32 values compare with both alike."""
    with np.errstate(over="ignore"):
        single = bound.astype(np.float32)
    above = single.astype(np.float64) > bound
    single[above] = np.nextafter(single[above], np.float32(-np.inf))
    return np.clip(single, -LARGEST, LARGEST)


def between(bound: Singles) -> Floats:
    """Return a number halfway between each float32 and the next: ten digits of it then part the two exactly."""
    low = np.clip(bound, -LARGEST, LARGEST).astype(np.float64)
    with np.errstate(over="ignore"):
        high = np.nextafter(low.astype(np.float32), np.float32(np.inf)).astype(np.float64)
    return np.where(np.isfinite(high), low + (high - low) / 2, 1e99)


def from_nodes(n_nodes: Ints, left: Ints, right: Ints, split: tuple[Array, Array, Array], value: Floats) -> TreeTable:
    """Return the table of trees given as nodes, the form of scikit-learn and XGBoost.

    Args:
        n_nodes: Nodes per tree, shape (n_trees,); the root comes first.
        left: Child within the tree of each node of all trees, negative for leaves.
        right: Likewise.
        split: feature, float32 bound and missing-goes-left of each node, meaningless for leaves.
        value: (n_nodes of all trees, width), meaningless for splits.
    """
    base = starts(n_nodes)
    tree = np.repeat(np.arange(len(n_nodes)), n_nodes)
    is_split = left >= 0
    rank = _rank_within(tree, is_split, base), _rank_within(tree, ~is_split, base)
    code = np.where(is_split, rank[0], ~rank[1])
    at = np.flatnonzero(is_split)
    feature, bound, missing_left = (part[at] for part in split)
    # A node that nothing points at was pruned away; the libraries used here leave none, and the check of the
    # text would refuse them.
    return TreeTable(
        n_splits=np.bincount(tree[at], minlength=len(n_nodes)),
        feature=feature.astype(np.int64),
        bound=bound.astype(np.float32),
        missing_left=missing_left.astype(bool),
        left=code[base[tree[at]] + left[at]],
        right=code[base[tree[at]] + right[at]],
        leaf=value[~is_split],
    )


def _rank_within(tree: Ints, chosen: Bools, base: Ints) -> Ints:
    """Return for each node how many chosen nodes come before it in its tree."""
    before: Ints = np.cumsum(chosen) - chosen
    return np.asarray(before - before[base][tree], dtype=np.int64)
