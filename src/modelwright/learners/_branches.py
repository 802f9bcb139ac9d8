"""Branches: the trees of a model text as arrays, and which way rows go at their splits."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from modelwright.learners._text import bodies_of

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Bools, Floats, Ints, Singles

IS_CATEGORY, DEFAULT_LEFT = 1, 2
ZERO_IS_MISSING, NAN_IS_MISSING = 1, 2
"""LightGBM's bits of a decision, and its codes of what counts as missing."""
ALMOST_ZERO = 1e-35
CELLS_AT_ONCE = 65_536


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree. A child is a split by its number, which is above its parent's, or a leaf by ``~number``.

    Attributes:
        feature: Column of each split, shape (n_splits,).
        threshold: Bound of each split on a number; of one on a category the number of its set.
        decision: LightGBM's decision type.
        left: Child at or below the bound, or in the set.
        right: The other child.
        leaf: Shape (n_leaves, width): one number for one output, or all outputs at once.
        sets: Which codes each category set holds.
    """

    feature: Ints
    threshold: Floats
    decision: Ints
    left: Ints
    right: Ints
    leaf: Floats
    sets: tuple[Bools, ...] = ()

    @property
    def n_splits(self) -> int:
        """How many splits there are; a tree without any is one leaf."""
        return len(self.feature)


def trees_of(text: bytes, vectors: Singles | None = None) -> list[Tree]:
    """Return the trees of a text that ``_text.compose`` wrote, with the leaf vectors that belong to it."""
    found, first = [], 0
    for body in bodies_of(text):
        lines = dict(line.split("=", 1) for line in body.split("\n"))
        leaf = _numbers(lines["leaf_value"])[:, None]
        if vectors is not None:
            leaf = vectors[first : first + len(leaf)].astype(np.float64)
        first += len(leaf)
        found.append(
            Tree(
                feature=_whole(lines["split_feature"]),
                threshold=_numbers(lines["threshold"]),
                decision=_whole(lines["decision_type"]),
                left=_whole(lines["left_child"]),
                right=_whole(lines["right_child"]),
                leaf=leaf,
                sets=_sets(lines) if lines["num_cat"] != "0" else (),
            )
        )
    return found


def goes_left(tree: Tree, columns: Floats) -> Bools:
    """Return which rows go left at each split, shape (n_splits, n_rows), as LightGBM decides it.

    Args:
        tree: One tree.
        columns: Shape (n_features, n_rows), C order, NaN where missing.
    """
    left = np.empty((tree.n_splits, columns.shape[1]), dtype=bool)
    is_category = (tree.decision & IS_CATEGORY) > 0
    for at in np.flatnonzero(is_category):
        left[at] = _in_set(columns[tree.feature[at]], tree.sets[int(tree.threshold[at])])
    on_numbers = np.flatnonzero(~is_category)
    step = max(CELLS_AT_ONCE // max(columns.shape[1], 1), 1)
    for first in range(0, len(on_numbers), step):
        some = on_numbers[first : first + step]
        left[some] = _below(tree, some, columns[tree.feature[some]])
    return left


def _below(tree: Tree, splits: Ints, values: Floats) -> Bools:
    """Return which values go left at some splits on numbers, both of shape (n_splits, n_rows)."""
    bound, kind = tree.threshold[splits], tree.decision[splits]
    missing, is_left = (kind >> 2) & 3, (kind & DEFAULT_LEFT) > 0
    left = np.asarray(values <= bound[:, None])
    # What is missing goes the default way where the split knows of it, else it counts as zero.
    left |= np.isnan(values) & np.where(missing == NAN_IS_MISSING, is_left, bound >= 0)[:, None]
    of_zero = np.flatnonzero(missing == ZERO_IS_MISSING)
    if len(of_zero):
        is_zero = np.isnan(values[of_zero]) | (np.abs(values[of_zero]) <= ALMOST_ZERO)
        left[of_zero] = np.where(is_zero, is_left[of_zero][:, None], left[of_zero])
    return left


def _in_set(values: Floats, members: Bools) -> Bools:
    # What is missing, negative or beyond the set goes right.
    inside = (values > -1) & (values < len(members))
    codes = np.where(inside, values, 0.0).astype(np.int64)
    return np.asarray(inside & members[codes])


def _sets(lines: dict[str, str]) -> tuple[Bools, ...]:
    bounds, words = _whole(lines["cat_boundaries"]), _whole(lines["cat_threshold"]).astype("<u4")
    runs = [words[a:b].view(np.uint8) for a, b in pairwise(bounds.tolist())]
    return tuple(np.unpackbits(run, bitorder="little").astype(bool) for run in runs)


def _numbers(line: str) -> Floats:
    return np.array(line.split(), dtype=np.float64)


def _whole(line: str) -> Ints:
    return np.array(line.split(), dtype=np.int64)


def columns_of(values: Array) -> Floats:
    """Return the columns of a matrix one after another: a split then reads one run of memory."""
    return np.ascontiguousarray(values.T, dtype=np.float64)
