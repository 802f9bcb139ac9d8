"""The case: all that an inspection looks at, in one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modelwright.data._ordering import clocks

if TYPE_CHECKING:
    import polars as pl

    from modelwright.core.arrays import Floats, Ints
    from modelwright.core.contract import Column, Contract
    from modelwright.core.split import Split
    from modelwright.core.table import Table
    from modelwright.core.task import Task
    from modelwright.data._ordering import Clock


@dataclass(frozen=True, slots=True)
class Case:
    """All that an inspection looks at.

    Attributes:
        columns: The contract's columns that the frame has.
        features: Those a model may learn from.
        clocks: What tells the time.
    Other fields are those of ``findings.inspect``.
    """

    table: Table
    frame: pl.DataFrame
    contract: Contract
    task: Task
    target: Floats | Ints
    split: Split
    n_without_target: int
    seed: int
    columns: tuple[Column, ...] = field(init=False)
    features: tuple[Column, ...] = field(init=False)
    clocks: tuple[Clock, ...] = field(init=False)

    def __post_init__(self) -> None:
        there = set(self.frame.columns)
        object.__setattr__(self, "columns", tuple(c for c in self.contract.columns if c.name in there))
        object.__setattr__(self, "features", tuple(c for c in self.contract.features if c.name in there))
        object.__setattr__(self, "clocks", clocks(self.frame, self.contract))

    @property
    def feature_names(self) -> list[str]:
        """The names of the features."""
        return [c.name for c in self.features]

    @property
    def n_rows(self) -> int:
        """Rows on both sides."""
        return self.frame.height


def listed(names: list[str] | tuple[str, ...]) -> str:
    """Return names for a sentence, the first three and how many more.

    >>> listed(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    if len(names) <= 3:
        return ", ".join(names)
    return f"{', '.join(names[:3])} and {len(names) - 3:,} more"


def counted(n: int, noun: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "row"), counted(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
