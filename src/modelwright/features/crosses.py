"""Crosses: two categories read as one, for what their levels say only together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from modelwright.core.state import State
from modelwright.features._craft import sound
from modelwright.features.categories import Lookup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from modelwright.core.arrays import Singles
    from modelwright.core.matrix import Feature
    from modelwright.features._craft import Cell, Value

BETWEEN, MISSING = "\x1f", "\x00"
"""What stands between two levels, and for a missing one: characters that no table's levels hold."""


def crossed(frame: pl.DataFrame, left: str, right: str) -> pl.Series:
    r"""Return both levels of each row as one text.

    >>> import polars as pl
    >>> crossed(pl.DataFrame({"a": ["x", None], "b": ["y", "z"]}), "a", "b").to_list()
    ['x\x1fy', '\x00\x1fz']
    """
    import polars as pl

    both = [pl.col(name).fill_null(MISSING) for name in (left, right)]
    return frame.select(pl.concat_str(both, separator=BETWEEN).alias(f"{left} × {right}")).to_series()


@dataclass(frozen=True)
class Cross:
    """A table of numbers by the levels of two categories.

    Attributes:
        left: The first category.
        right: The second.
        table: The numbers; its levels are both levels in one text.
    """

    left: str
    right: str
    table: Lookup

    @property
    def features(self) -> tuple[Feature, ...]:
        """The features it makes."""
        return self.table.features

    def fill(self, frame: pl.DataFrame, out: Singles) -> None:
        """Write the table's row of each pair of levels."""
        both = crossed(frame, self.left, self.right)
        self.table.fill(both.to_frame(self.table.column), out)

    def cell(self, places: Mapping[str, int]) -> Cell:
        """Return the function that looks up the pair of a record."""
        first, second = places[self.left], places[self.right]
        find = self.table.cell({self.table.column: 0})

        def look_up(values: Sequence[Value]) -> Sequence[Value]:
            a, b = values[first], values[second]
            return find([f"{MISSING if a is None else a}{BETWEEN}{MISSING if b is None else b}"])

        return look_up

    def state(self) -> State:
        """Return both columns and the table."""
        return State("cross", {"left": self.left, "right": self.right}, parts={"table": self.table.state()})

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return the craft a state describes."""
        with sound(state.kind):
            return cls(str(state.meta["left"]), str(state.meta["right"]), Lookup.restore(state.parts["table"]))
