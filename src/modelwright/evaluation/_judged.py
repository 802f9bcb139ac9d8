"""Rows to be judged: truth, scores, choices and weights, brought into one shape and checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from modelwright.core.errors import InvalidEvidence

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows with their truth and what a model said about them.

    Attributes:
        target: Shape (n,): positions of labels (int64), or values (float64).
        scores: Shape (n,) values, or (n, n_classes) probabilities.
        choices: Shape (n,): positions of the labels answered; the values themselves for regression.
        weight: Shape (n,), not negative; ones when rows count alike.
        is_weighted: Whether weights were given.
    """

    target: npt.NDArray[Any]
    scores: Floats
    choices: npt.NDArray[Any]
    weight: Floats
    is_weighted: bool

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return len(self.target)

    @property
    def is_binary(self) -> bool:
        """Whether there are two labels."""
        return self.scores.ndim == 2 and self.scores.shape[1] == 2

    @property
    def present(self) -> Ints:
        """Positions of the labels that the target holds."""
        return np.flatnonzero(np.bincount(self.target, self.weight, self.scores.shape[1]) > 0)

    @property
    def curves(self) -> Ints:
        """The labels that ranking measures look at: the positive one, or each present one against the rest.

        Empty when the rows hold fewer than two labels: then there is nothing to rank.
        """
        present = self.present
        if len(present) < 2:
            return present[:0]
        return np.array([1]) if self.is_binary else present

    def against_rest(self, label: int) -> tuple[Bools, Floats]:
        """Return which rows have this label and the probability each row was given for it."""
        return self.target == label, self.scores[:, label]


def judged(
    target: Array, scores: Floats, choices: Array | None = None, *, weight: Floats | None = None, values: bool = False
) -> Judged:
    """Bring rows into one shape.

    Args:
        target: Shape (n,).
        scores: Shape (n,) or (n, n_classes); (n,) means the positive label's probability unless ``values``.
        choices: Positions of labels; by default the most probable label, the positive one from 0.5 on.
        weight: Row weights, not negative, or None.
        values: The scores are values, not probabilities.

    Raises:
        InvalidEvidence: There are no rows, or the parts differ in length, or no row has weight.
    """
    scores = np.asarray(scores, dtype=np.float64)
    n = len(target)
    parts = {"target": n, "scores": len(scores)}
    parts |= {k: len(v) for k, v in (("choices", choices), ("weight", weight)) if v is not None}
    if n == 0 or set(parts.values()) != {n}:
        raise InvalidEvidence(
            "every row that is judged has a truth, a score and, where given, a choice and a weight",
            where="evaluation",
            got=parts,
            fix="give arrays of one length, at least one row",
        )
    counts = np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64)
    if not counts.sum() > 0 or counts.min() < 0:
        raise InvalidEvidence(
            "row weights are not negative and at least one is above zero",
            where="weight",
            got=f"between {counts.min():g} and {counts.max():g}",
            fix="correct the weight column",
        )
    if values:
        return Judged(np.asarray(target, np.float64), scores.reshape(n), scores, counts, weight is not None)
    if scores.ndim == 1:
        scores = np.column_stack([1.0 - scores, scores])
    if choices is None:
        choices = scores[:, 1] >= 0.5 if scores.shape[1] == 2 else scores.argmax(axis=1)
    return Judged(
        np.asarray(target, np.int64), scores, np.asarray(choices).astype(np.int64), counts, weight is not None
    )
