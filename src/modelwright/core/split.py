"""Splits and folds: which rows a model may see, which judge it, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from modelwright.core.errors import InvalidTask

if TYPE_CHECKING:
    from modelwright.core.arrays import Ints


class How(StrEnum):
    """How rows are divided."""

    RANDOM = "random"
    STRATIFIED = "stratified"
    GROUPED = "grouped"
    TIME = "time"
    GIVEN = "given"


@dataclass(frozen=True, slots=True)
class Split:
    """The rows to learn from and the sealed rows, as row numbers of one table.

    Attributes:
        train: Row numbers, shape (n_train,), rising.
        test: Row numbers of the sealed rows, shape (n_test,), rising; in time order for ``TIME``.
        how: How they were chosen.
        reason: Why so, in one sentence.
    """

    train: Ints
    test: Ints
    how: How
    reason: str

    def __post_init__(self) -> None:
        if not len(self.train) or not len(self.test):
            raise InvalidTask(
                "a split leaves rows on both sides",
                where="split",
                got=f"{len(self.train)} to learn from, {len(self.test)} sealed",
                fix="give more rows, or another --test",
            )


@dataclass(frozen=True, slots=True)
class Fold:
    """One division of the training rows: positions into ``Split.train``'s rows."""

    fit: Ints
    valid: Ints


@dataclass(frozen=True, slots=True)
class Folds:
    """How candidates are compared: several folds, or one (a holdout).

    ``how`` and ``reason`` say how the rows were divided and why.
    """

    folds: tuple[Fold, ...]
    how: How
    reason: str

    @property
    def is_holdout(self) -> bool:
        """Whether there is a single division."""
        return len(self.folds) == 1
