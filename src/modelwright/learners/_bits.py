"""Trees by bits: many rows at a time, tree by tree, without a step from node to node.

After QuickScorer (Lucchese et al., SIGIR 2015), turned about for array speed. Each leaf of a tree is a bit. A split
that is answered with "right" rules out the leaves on its left, and what all splits on one column rule out depends on
that column's value alone: a small table per tree and column says it for every stretch between two bounds. Of the
leaves that are left when all columns have spoken, the first is the one that the row reaches. Trees that ask one
question a level, as CatBoost's do, need no tables: the answers are the leaf's number, bit by bit.

Sums are taken tree by tree in doubles, as LightGBM's library does, so that a row alone and a row among many answer the
same to the last bit.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from modelwright.core.errors import NotExportable
from modelwright.learners.tree_nodes import nodes_of

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Floats, Ints, Singles
    from modelwright.learners.tree_nodes import TreeNodes
    from modelwright.learners.trees import Trees

Sets = npt.NDArray[np.uint64]
"""Sets of leaves, a bit each."""

LEAVES_MOST = 128
DEPTH_MOST = 8
"""Of a tree that asks one question a level: its answers then fit into a byte."""
ROWS_AT_ONCE = 8_192
WORD = 64
ZERO = np.float32(1e-35)
"""The library takes numbers as small as this for zero."""
_ALL = np.uint64(2**64 - 1)
# Multiplied by this, a power of two shows which one it is in its highest bits (Leiserson, Prokop and Randall 1998).
_DEBRUIJN, _SHIFT = np.uint64(0x03F79D71B4CB0A89), np.uint64(58)
_PLACE = ((np.uint64(1) << np.arange(WORD, dtype=np.uint64)) * _DEBRUIJN >> _SHIFT).astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Axis:
    """One column's stretches: between bounds, or one per code; the last is for what is missing."""

    column: int
    bounds: Floats
    n_codes: int

    @property
    def n_stretches(self) -> int:
        return self.n_codes + 1 if self.n_codes else len(self.bounds) + 2

    def find(self, values: Singles) -> Ints:
        """Return the stretch of each value."""
        column = values[:, self.column]
        is_missing = column != column  # noqa: PLR0124 - NaN
        if self.n_codes:
            known = ~is_missing & (column >= 0) & (column < self.n_codes)
            return np.where(known, column, self.n_codes).astype(np.intp)
        column = np.where(np.abs(column) <= ZERO, np.float32(0.0), column)
        places = np.searchsorted(self.bounds, column.astype(np.float64), side="left")
        places[is_missing] = len(self.bounds) + 1
        return places


@dataclass(frozen=True, slots=True)
class _Tree:
    """One tree: the axes it asks, what each stretch of them leaves over (a table per word), its leaves' values."""

    output: int
    axes: tuple[int, ...]
    tables: tuple[tuple[Array, ...], ...]
    values: tuple[Floats, ...]


@dataclass(frozen=True, slots=True)
class _Levels:
    """A tree that asks one question a level: axes, the stretch after which the answer is yes, its leaves' values."""

    output: int
    axes: tuple[int, ...]
    after: tuple[int, ...]
    values: Floats


class Bits:
    """The trees of a model, ready for many rows. Safe to use from several threads.

    Args:
        axes: Of all columns that are asked.
        trees: In the order in which they are added up.
        n_outputs: Margins per row.
    """

    def __init__(self, axes: list[_Axis], trees: list[_Tree | _Levels], n_outputs: int, missing: list[bool]) -> None:
        self._axes, self._trees, self.n_outputs = axes, trees, n_outputs
        self._missing_left = missing
        self._is_narrow = all(isinstance(tree, _Levels) for tree in trees)

    @classmethod
    def of(cls, trees: Trees) -> Bits | None:
        """Return the trees by bits, or None where a tree has too many leaves."""
        if trees.vectors is not None:
            return None
        try:
            nodes = nodes_of(trees)
        except NotExportable:
            return None
        return _built(nodes, trees.n_outputs)

    def margins(self, values: Singles, n_threads: int) -> Floats:
        """Return the sums of the trees, shape (n_rows, n_outputs)."""
        out = np.zeros((len(values), self.n_outputs))
        parts = [slice(i, i + ROWS_AT_ONCE) for i in range(0, len(values), ROWS_AT_ONCE)]
        if n_threads == 1 or len(parts) == 1:
            for part in parts:
                self._add(values[part], out[part])
            return out
        with ThreadPoolExecutor(n_threads) as pool:
            list(pool.map(lambda part: self._add(values[part], out[part]), parts))
        return out

    def _add(self, values: Singles, out: Floats) -> None:
        """Add up the trees for a few thousand rows: what they need then stays in the processor's memory."""
        n = len(values)
        found = [axis.find(values) for axis in self._axes]
        narrow = self._narrowed(found)
        total = np.zeros((self.n_outputs, n))
        left, other = np.empty(n, dtype=np.uint64), np.empty(n, dtype=np.uint64)
        answer = np.empty(n)
        number, said, place = np.empty(n, np.uint8), np.empty(n, np.bool_), np.empty(n, np.intp)
        for tree in self._trees:
            if isinstance(tree, _Levels):
                _descend(tree, narrow, number, said)
                place[:] = number
                tree.values.take(place, out=answer, mode="clip")
            elif len(tree.values) == 1:
                _rule_out(tree, found, 0, left, other)
                _first(left, other)
                tree.values[0].take(left.view(np.int64), out=answer, mode="clip")
            else:
                answer = self._of_words(tree, found, left, other)
            total[tree.output] += answer
        out[:] = total.T

    def _narrowed(self, found: list[Ints]) -> list[Array]:
        """Return the stretches for trees by level: bytes where they fit, missing values at the end they go to."""
        if not any(isinstance(tree, _Levels) for tree in self._trees):
            return []
        made = []
        for axis, places, goes_left in zip(self._axes, found, self._missing_left, strict=True):
            last = len(axis.bounds) + 1
            kind = np.uint8 if last < 256 else np.uint16 if last < 65_536 else np.int64
            made.append(np.where(places == last, 0, places).astype(kind) if goes_left else places.astype(kind))
        return made

    def _of_words(self, tree: _Tree, found: list[Ints], left: Array, other: Array) -> Floats:
        """Return the answers of a tree of more than one word of leaves: the first word that has one left has it."""
        answer: Floats | None = None
        for word in range(len(tree.values) - 1, -1, -1):
            _rule_out(tree, found, word, left, other)
            is_here = left != 0
            _first(left, other)
            told = tree.values[word].take(left.view(np.int64), mode="clip")
            answer = told if answer is None else np.where(is_here, told, answer)
        assert answer is not None
        return answer


def _rule_out(tree: _Tree, found: list[Ints], word: int, left: Array, other: Array) -> None:
    """Write the leaves of one word that no column rules out."""
    if not tree.axes:
        left[:] = 1
        return
    tree.tables[0][word].take(found[tree.axes[0]], out=left, mode="clip")
    for axis, tables in zip(tree.axes[1:], tree.tables[1:], strict=True):
        tables[word].take(found[axis], out=other, mode="clip")
        np.bitwise_and(left, other, out=left)


def _first(left: Array, other: Array) -> None:
    """Replace sets of leaves by the place that stands for the first of each."""
    np.negative(left.view(np.int64), out=other.view(np.int64))
    np.bitwise_and(left, other, out=left)
    np.multiply(left, _DEBRUIJN, out=left)
    np.right_shift(left, _SHIFT, out=left)


def _descend(tree: _Levels, narrow: list[Array], number: Array, said: Array) -> None:
    """Write the number of the leaf that each row reaches."""
    number[:] = 0
    for axis, after in zip(tree.axes, tree.after, strict=True):
        np.greater(narrow[axis], after, out=said)
        np.add(number, number, out=number)
        np.bitwise_or(number, said.view(np.uint8), out=number)


def _built(nodes: TreeNodes, n_outputs: int) -> Bits | None:
    axes = _axes(nodes)
    if axes is None:
        return None
    at = {axis.column: i for i, axis in enumerate(axes)}
    stretch = [
        0 if place in nodes.members else int(np.searchsorted(axes[at[column]].bounds, bound, side="left"))
        for place, (column, bound) in enumerate(zip(nodes.feature.tolist(), nodes.threshold.tolist(), strict=True))
    ]
    missing = _missing(nodes, axes)
    made: list[_Tree | _Levels] = []
    for root, output in zip(nodes.root.tolist(), nodes.output.tolist(), strict=True):
        by_level = _levels(nodes, root, output, stretch, at) if missing is not None and not nodes.members else None
        tree = by_level or _tree(nodes, root, output, stretch, axes, at)
        if tree is None:
            return None
        made.append(tree)
    return Bits(axes, made, n_outputs, missing or [False] * len(axes))


def _axes(nodes: TreeNodes) -> list[_Axis] | None:
    """Return the axes of all columns, or None where one is asked for numbers here and for codes there."""
    is_code = np.zeros(len(nodes.feature), dtype=bool)
    is_code[list(nodes.members)] = True
    axes = []
    for column in np.unique(nodes.feature).tolist():
        own = nodes.feature == column
        if is_code[own].all():
            codes = [code for place in np.flatnonzero(own).tolist() for code in nodes.members[place]]
            axes.append(_Axis(column, np.empty(0), max(codes, default=0) + 1))
        elif is_code[own].any():
            return None
        else:
            axes.append(_Axis(column, np.unique(nodes.threshold[own]), 0))
    return axes


def _missing(nodes: TreeNodes, axes: list[_Axis]) -> list[bool] | None:
    """Return whether missing values go left, by axis, or None where an axis sends them both ways."""
    told = []
    for axis in axes:
        ways = nodes.missing_left[nodes.feature == axis.column]
        if ways.any() != ways.all():
            return None
        told.append(bool(ways.all()))
    return told


def _levels(nodes: TreeNodes, root: int, output: int, stretch: list[int], at: dict[int, int]) -> _Levels | None:
    """Return a tree that asks one question a level, or None where it doesn't."""
    axes: list[int] = []
    after: list[int] = []
    level = [root]
    while level[0] >= 0:
        asked = {(int(nodes.feature[p]), stretch[p]) if p >= 0 else None for p in level}
        if len(asked) > 1 or len(axes) == DEPTH_MOST:
            return None
        column, place = next(iter(asked)) or (0, 0)
        axes.append(at[column])
        after.append(place)
        level = [int(child) for p in level for child in (nodes.left[p], nodes.right[p])]
    if not axes or any(p >= 0 for p in level):
        return None
    return _Levels(output, tuple(axes), tuple(after), np.asarray(nodes.leaf[[~p for p in level]], dtype=np.float64))


def _tree(
    nodes: TreeNodes, root: int, output: int, stretch: list[int], axes: list[_Axis], at: dict[int, int]
) -> _Tree | None:
    """Return a tree by its tables, or None where it has too many leaves."""
    order: list[int] = []
    lefts: dict[int, tuple[int, int]] = {}
    waiting: list[tuple[int, bool]] = [(root, False)]
    begun: dict[int, int] = {}
    while waiting:
        place, is_left_done = waiting.pop()
        if place < 0:
            order.append(~place)
            if len(order) > LEAVES_MOST:
                return None
        elif is_left_done:
            lefts[place] = (begun[place], len(order))
            waiting.append((int(nodes.right[place]), False))
        else:
            begun[place] = len(order)
            waiting += [(place, True), (int(nodes.left[place]), False)]
    n_words = -(-len(order) // WORD)
    tables: dict[int, list[Sets]] = {}
    for place, (low, high) in lefts.items():
        axis = at[int(nodes.feature[place])]
        words = tables.setdefault(axis, [np.full(axes[axis].n_stretches, _ALL) for _ in range(n_words)])
        kept = ~(((1 << (high - low)) - 1) << low)
        for word, table in enumerate(words):
            _forbid(table, np.uint64(kept >> (WORD * word) & (2**64 - 1)), nodes, place, stretch[place])
    leaves = nodes.leaf[order]
    values = []
    for word in range(n_words):
        own = leaves[WORD * word : WORD * (word + 1)]
        spread = np.zeros(WORD)
        spread[_PLACE[: len(own)]] = own
        values.append(spread)
    if n_words > 1 and len(order) % WORD:  # bits beyond the last leaf are no leaves
        beyond = np.uint64((1 << len(order) % WORD) - 1)
        for words in tables.values():
            words[-1] &= beyond
    chosen = tuple(tables)
    return _Tree(output, chosen, tuple(tuple(tables[axis]) for axis in chosen), tuple(values))


def _forbid(table: Sets, kept: np.uint64, nodes: TreeNodes, place: int, stretch: int) -> None:
    """Rule out the leaves left of a split in all stretches that go right."""
    if place in nodes.members:
        goes_right = np.ones(len(table), dtype=bool)
        goes_right[list(nodes.members[place])] = False
        table[goes_right] &= kept
        return
    table[stretch + 1 : -1] &= kept
    if not nodes.missing_left[place]:
        table[-1] &= kept
