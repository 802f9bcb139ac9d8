"""Shapley values of trees, exact, for many rows at once.

The value of a leaf to a set of features is a product over the features on its path: of 1 or 0, whether the row
passes all the path's splits on the feature, for those in the set, and of the share of rows that pass them for the
others (Lundberg, Erion and Lee: Consistent individualized feature attribution for tree ensembles, 2018). The
Shapley value of a product is an integral of a polynomial,

    φᵢ = v (oᵢ − zᵢ) ∫₀¹ Πⱼ≠ᵢ (zⱼ (1 − t) + oⱼ t) dt,

which half as many Gauss–Legendre points as features give exactly, all terms positive, so nothing cancels. Where
paths are short, each leaf becomes a table with a line for each pattern of passed features, and a row costs one look
at it. Where they are long, products are carried down the tree and sums up, one visit of each split. A few rows are
worth neither: see ``_leaf_shap``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from modelwright.learners._branches import columns_of, goes_left, trees_of
from modelwright.learners._leaf_shap import Paths, points

if TYPE_CHECKING:
    from modelwright.core.arrays import Bools, Floats, Singles
    from modelwright.learners._branches import Tree

SPARE_ROW = 1e-6
"""Added to the count on either side of a split, so that a side that no background row takes keeps a share."""
TABLE_FEATURES = 12
"""A tree whose paths hold more features than this is walked."""
ROWS_AT_ONCE, ROWS_AT_A_WALK = 16_384, 512
FEW_ROWS = 16
"""Up to so many rows all leaves are taken at once."""


@dataclass(frozen=True)
class Grove:
    """Trees with the share of background rows that takes each side of each split.

    Attributes:
        trees: All trees.
        shares: Shape (n_splits, 2) each, left and right; they add up to 1.
        n_outputs: Margins per row. Trees with one number a leaf take turns, others answer for all.
        start: The mean margins of the background rows, shape (n_outputs,).
    """

    trees: tuple[Tree, ...]
    shares: tuple[Floats, ...]
    n_outputs: int
    start: Floats

    @classmethod
    def of(cls, text: bytes, vectors: Singles | None, n_outputs: int, background: Singles) -> Grove:
        """Read the trees of a model text and pass the background rows through them.

        Args:
            text: Model text.
            vectors: Leaf vectors, or None.
            n_outputs: Margins per row.
            background: Shape (n_rows, n_features), at least one row.
        """
        trees, columns = trees_of(text, vectors), columns_of(background)
        shares = tuple(_shares(tree, goes_left(tree, columns)) for tree in trees)
        start = np.zeros(n_outputs)
        for i, (tree, share) in enumerate(zip(trees, shares, strict=True)):
            start[_outputs(i, tree, n_outputs)] += _expected(tree, share)
        return cls(tuple(trees), shares, n_outputs, start)

    def attribute(self, values: Singles) -> Floats:
        """Return the Shapley value of each feature, shape (n_rows, n_features, n_outputs).

        Added up over the features they are the row's margins less ``start``.
        """
        n, n_features = values.shape
        out = np.zeros((self.n_outputs, n_features, n))
        if n <= FEW_ROWS:
            columns = columns_of(values)
            for outputs, paths in self._paths:
                paths.add(columns, out[outputs])
            return np.ascontiguousarray(out.transpose(2, 1, 0))
        for first in range(0, n, ROWS_AT_ONCE):
            rows = slice(first, first + ROWS_AT_ONCE)
            columns = columns_of(values[rows])
            for i, (tree, share) in enumerate(zip(self.trees, self.shares, strict=True)):
                if tree.n_splits:
                    _add(tree, share, goes_left(tree, columns), out[_outputs(i, tree, self.n_outputs), :, rows])
        return np.ascontiguousarray(out.transpose(2, 1, 0))

    @cached_property
    def _paths(self) -> list[tuple[slice, Paths]]:
        """The paths of the trees that answer for the same outputs."""
        together: dict[tuple[int, int], list[int]] = {}
        for i, tree in enumerate(self.trees):
            outputs = _outputs(i, tree, self.n_outputs)
            if tree.n_splits:
                together.setdefault((outputs.start, outputs.stop), []).append(i)
        return [
            (slice(*outputs), Paths.of([self.trees[i] for i in same], [self.shares[i] for i in same]))
            for outputs, same in together.items()
        ]


def _outputs(number: int, tree: Tree, n_outputs: int) -> slice:
    """Return the outputs a tree answers for."""
    if tree.leaf.shape[1] > 1:
        return slice(0, n_outputs)
    at = number % n_outputs
    return slice(at, at + 1)


def _shares(tree: Tree, left: Bools) -> Floats:
    """Return the share of the rows at each split that goes left and right."""
    counts = np.full((tree.n_splits, 2), SPARE_ROW)
    rows = np.arange(left.shape[1] if tree.n_splits else 0)
    at = np.zeros(len(rows), dtype=np.int64)
    while len(rows):  # all rows one split further at a time
        goes = left[at, rows]
        counts += np.bincount(2 * at + ~goes, minlength=counts.size).reshape(counts.shape)
        child = np.where(goes, tree.left[at], tree.right[at])
        rows, at = rows[child >= 0], child[child >= 0]
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _expected(tree: Tree, share: Floats) -> Floats:
    """Return the mean leaf, shape (width,)."""
    if not tree.n_splits:
        return np.asarray(tree.leaf[0])
    reach, of_leaf = np.ones(tree.n_splits), np.zeros(len(tree.leaf))
    level = np.zeros(1, dtype=np.int64)
    while len(level):
        onward = []
        for side, children in enumerate((tree.left[level], tree.right[level])):
            arrives, is_split = reach[level] * share[level, side], children >= 0
            reach[children[is_split]] = arrives[is_split]
            of_leaf[~children[~is_split]] = arrives[~is_split]
            onward.append(children[is_split])
        level = np.concatenate(onward)
    return np.asarray(of_leaf @ tree.leaf)


def _add(tree: Tree, share: Floats, left: Bools, out: Floats) -> None:
    """Add a tree's Shapley values to ``out``, shape (width, n_features, n_rows)."""
    longest = _longest_path(tree)
    if longest <= TABLE_FEATURES:
        _add_by_tables(tree, share, left, out)
        return
    for first in range(0, left.shape[1], ROWS_AT_A_WALK):
        rows = slice(first, first + ROWS_AT_A_WALK)
        _Walk(tree, share, left[:, rows], longest, out[:, :, rows]).go()


def _longest_path(tree: Tree) -> int:
    """Return the most features any path holds."""
    held: list[frozenset[int]] = [frozenset()] * tree.n_splits
    longest = 0
    for at in range(tree.n_splits):
        own = held[at] | {int(tree.feature[at])}
        longest = max(longest, len(own))
        for child in (tree.left[at], tree.right[at]):
            if child >= 0:
                held[child] = own
    return longest


@dataclass(slots=True)
class _Path:
    """The way from the root: its features, the share of rows passing each, and a bit per feature for each row."""

    features: list[int]
    passing: list[float]
    pattern: np.ndarray[tuple[int], np.dtype[np.uint16]]

    def onward(self, feature: int, share: float, goes: Bools) -> _Path:
        """Return the path one split further, for the rows that go there."""
        features, passing = list(self.features), list(self.passing)
        if feature in features:
            at = features.index(feature)
            passing[at] *= share
            stays = np.where(goes, 0xFFFF, 0xFFFF ^ (1 << at)).astype(np.uint16)
            return _Path(features, passing, self.pattern & stays)
        features.append(feature)
        passing.append(share)
        return _Path(features, passing, self.pattern | (goes.astype(np.uint16) << np.uint16(len(features) - 1)))


def _add_by_tables(tree: Tree, share: Floats, left: Bools, out: Floats) -> None:
    n = left.shape[1]
    paths: list[_Path | None] = [None] * tree.n_splits
    paths[0] = _Path([], [], np.zeros(n, dtype=np.uint16))
    leaves: dict[int, list[tuple[int, _Path]]] = {}
    for at in range(tree.n_splits):
        here = paths[at]
        assert here is not None, "children stand behind their parents"
        paths[at] = None
        for side, child in enumerate((int(tree.left[at]), int(tree.right[at]))):
            path = here.onward(int(tree.feature[at]), float(share[at, side]), left[at] if side == 0 else ~left[at])
            if child >= 0:
                paths[child] = path
            else:
                leaves.setdefault(len(path.features), []).append((~child, path))
    for n_features, ended in leaves.items():
        patterns = None if 1 << n_features <= max(n, 64) else _seen(ended)
        tables = _tables(np.array([p.passing for _, p in ended]), n_features, patterns)
        for i, (number, path) in enumerate(ended):
            line = path.pattern.astype(np.intp) if patterns is None else np.searchsorted(patterns, path.pattern)
            for table, feature in zip(tables[i], path.features, strict=True):
                worth = table[line]
                for k, value in enumerate(tree.leaf[number]):
                    out[k, feature] += value * worth


def _seen(ended: list[tuple[int, _Path]]) -> np.ndarray[tuple[int], np.dtype[np.uint16]]:
    """Return the patterns that occur, rising: with few rows, fewer than there could be."""
    return np.unique(np.concatenate([path.pattern for _, path in ended]))


def _tables(passing: Floats, n_features: int, patterns: np.ndarray | None) -> Floats:
    """Return what a leaf of value 1 gives each feature by pattern, shape (n_leaves, n_features, n_patterns)."""
    at, weight = points(n_features)
    told = np.arange(1 << n_features) if patterns is None else patterns.astype(np.int64)
    on = ((told >> np.arange(n_features)[:, None]) & 1).astype(np.float64)  # (n_features, n_patterns)
    terms = passing[:, :, None, None] * (1 - at) + on[None, :, :, None] * at
    rest = (terms.prod(axis=1, keepdims=True) / terms) @ weight
    return np.asarray((on - passing[:, :, None]) * rest)


@dataclass(slots=True)
class _State:
    """What is known of a feature on the way down: who passes, the share that does, the term, and its ratio."""

    passes: Bools
    passing: float
    term: Floats
    ratio: Floats


class _Walk:
    """One visit of every split of a tree, for some rows: products go down, sums come up."""

    def __init__(self, tree: Tree, share: Floats, left: Bools, longest: int, out: Floats) -> None:
        self._tree, self._share, self._left, self._out = tree, share, left, out
        at, self._weight = points(longest)
        self._at = at[:, None]

    def go(self) -> None:
        """Add the Shapley values to ``out``."""
        self._below(0, np.ones((len(self._at), self._left.shape[1])), {})

    def _below(self, node: int, product: Floats, states: dict[int, _State]) -> Floats:
        """Return the sum of leaf value times product of the leaves below, shape (width, n_points, n_rows)."""
        if node < 0:
            return np.asarray(self._tree.leaf[~node][:, None, None] * product)
        feature = int(self._tree.feature[node])
        old, total = states.get(feature), None
        for side, child in enumerate((int(self._tree.left[node]), int(self._tree.right[node]))):
            goes = self._left[node] if side == 0 else ~self._left[node]
            new = self._onward(old, goes, float(self._share[node, side]))
            carried = product * new.term if old is None else product * (new.term / old.term)
            below = self._below(child, carried, {**states, feature: new})
            gained = new.ratio if old is None else new.ratio - old.ratio
            # Leaves behind a later split on the same feature take this share back there.
            self._out[:, feature] += np.einsum("q,kqn->kn", self._weight, below * gained)
            total = below if total is None else total + below
        assert total is not None
        return total

    def _onward(self, old: _State | None, goes: Bools, share: float) -> _State:
        passes, passing = (goes, share) if old is None else (old.passes & goes, old.passing * share)
        term = passing * (1 - self._at) + passes * self._at
        return _State(passes, passing, term, (passes - passing) / term)
