"""Arithmetic: sums, differences, products and ratios of two number columns, for trees that only cut one at a time."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from modelwright.core.matrix import Feature
from modelwright.core.state import State
from modelwright.features._craft import singles, sound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

    from modelwright.core.arrays import Array, Singles
    from modelwright.features._craft import Cell, Value

SIGNS = {"sum": "+", "difference": "−", "product": "×", "ratio": "÷"}
"""The operations and how the features' names show them."""

_OF_MANY: Mapping[str, np.ufunc] = {
    "sum": np.add,
    "difference": np.subtract,
    "product": np.multiply,
    "ratio": np.true_divide,
}
_OF_ONE: Mapping[str, Callable[[float, float], float]] = {
    "sum": operator.add,
    "difference": operator.sub,
    "product": operator.mul,
    "ratio": operator.truediv,
}


def combine(operation: str, left: Array, right: Array) -> Singles:
    """Return the operation on two columns, NaN where a value is missing or the divisor is 0.

    >>> combine("ratio", np.array([6.0, 1.0]), np.array([4.0, 0.0])).tolist()
    [1.5, nan]
    """
    with np.errstate(all="ignore"):
        made = np.asarray(_OF_MANY[operation](left, right), dtype=np.float64)
    if operation == "ratio":
        made[right == 0] = np.nan
    return singles(made)


@dataclass(frozen=True)
class Arithmetic:
    """Features that are made of two number columns each.

    Attributes:
        terms: Operation, left column and right column of each feature.
    """

    terms: tuple[tuple[str, str, str], ...]

    @property
    def features(self) -> tuple[Feature, ...]:
        """One per term; both columns are its sources."""
        return tuple(Feature(f"{a} {SIGNS[op]} {b}", a, other=b) for op, a, b in self.terms)

    def fill(self, frame: pl.DataFrame, out: Singles) -> None:
        """Write the terms side by side."""
        for place, (operation, left, right) in enumerate(self.terms):
            out[:, place] = combine(operation, frame[left].to_numpy(), frame[right].to_numpy())

    def cell(self, places: Mapping[str, int]) -> Cell:
        """Return the function that works out the terms of a record."""
        plan = [(_OF_ONE[operation], places[left], places[right]) for operation, left, right in self.terms]

        def work_out(values: Sequence[Value]) -> Sequence[Value]:
            return [_one(act, values[left], values[right]) for act, left, right in plan]

        return work_out

    def state(self) -> State:
        """Return the terms."""
        return State("arithmetic", {"terms": [list(term) for term in self.terms]})

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return the craft a state describes."""
        with sound(state.kind):
            terms = tuple((str(op), str(a), str(b)) for op, a, b in state.meta["terms"])
            if any(operation not in SIGNS for operation, _, _ in terms):
                raise ValueError("an operation is not known")
            return cls(terms)


def _one(act: Callable[[float, float], float], left: Value, right: Value) -> float:
    if not isinstance(left, float) or not isinstance(right, float):
        return math.nan
    try:
        return act(left, right)
    except ZeroDivisionError:
        return math.nan
