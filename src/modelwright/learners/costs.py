"""Costs: what one answer of a fitted part costs, reckoned from counts and never from a clock.

A choice that depends on measured times differs from run to run. Counts of trees and leaves do not, and they say
nearly as much: the times that the figures below stand for were measured on one core of a server of 2024.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.learners import _text
from modelwright.learners.shaped import Shaped
from modelwright.learners.trees import Trees

if TYPE_CHECKING:
    from modelwright.core.ports import Fitted
    from modelwright.core.state import State

PART_US = 4.0
"""Microseconds to call a part at all."""
TREE_US, LEVEL_US = 0.02, 0.016
"""Per tree, and per level of it that a row goes down."""
NEAR, FAR_LEAVES, FAR_BYTES, FAR_BYTES_MOST = 0.75, 100, 20_000_000, 8_000_000
"""A level costs more in a large tree, whose nodes lie far apart: the share of a small one's, and once more for each so
many leaves of a tree; and once more for so many bytes of all trees, of which so many at most count."""
VECTOR_US = 0.4
"""Per tree whose leaves answer for all labels at once."""
MATRIX_US = (16.0, 0.0008)
"""Per part of numbers that are multiplied, and per thousand bytes of them."""
KINDS_US = {"neural": (60.0, 0.09), "neighbours": (150.0, 0.0008), "foundation": (20_000.0, 0.0008)}
"""The same of parts that take longer."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a fitted part is made of.

    Attributes:
        kind: Of its state.
        trees: How many, 0 for other parts.
        leaves: Of all of them.
        bytes: Its arrays and blobs.
        is_wide: Leaves answer for all labels at once.
    """

    kind: str
    trees: int
    leaves: int
    bytes: int
    is_wide: bool = False

    def cut(self, share: float) -> Counts:
        """Return the counts after a share of the trees was kept, or more of them were grown."""
        if not self.trees:
            return self
        trees, leaves = max(round(self.trees * share), 1), max(round(self.leaves * share), 1)
        return Counts(self.kind, trees, leaves, round(self.bytes * share), self.is_wide)

    @property
    def row_us(self) -> float:
        """About how many microseconds one row takes."""
        if self.trees:
            leaves = max(self.leaves / self.trees, 1.0)
            levels = math.log2(leaves) + 1
            far = NEAR + leaves / FAR_LEAVES + min(self.bytes, FAR_BYTES_MOST) / FAR_BYTES
            each = TREE_US + LEVEL_US * far * levels + (VECTOR_US if self.is_wide else 0.0)
            return PART_US + each * self.trees
        itself, each = KINDS_US.get(self.kind, MATRIX_US)
        return PART_US + itself + each * self.bytes / 1000

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


def counts_of(fitted: Fitted) -> Counts:
    """Return what a fitted part is made of."""
    if isinstance(fitted, Shaped):
        fitted = fitted.inner
    if isinstance(fitted, Trees):
        leaves = _text.leaves_of(fitted.text)
        more = 0 if fitted.vectors is None else fitted.vectors.nbytes
        return Counts("trees", len(leaves), int(leaves.sum()), len(fitted.text) + more, fitted.vectors is not None)
    state = fitted.state()
    return Counts(state.kind, 0, 0, _bytes(state))


def _bytes(state: State) -> int:
    own = sum(a.nbytes for a in state.arrays.values()) + sum(len(b) for b in state.blobs.values())
    return own + sum(_bytes(part) for part in state.parts.values())
