"""The cost matrix: what each answer costs by what is true, and the answer that costs least."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import InvalidSetting, closest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.core.arrays import Floats, Ints

KEYS = ("unit", "wrong", "cost")


@dataclass(frozen=True)
class CostMatrix:
    """What it costs to answer one label when another, or the same, is true.

    Attributes:
        values: Shape (n_labels, n_labels) as tuples: ``values[truth][answer]``, in the order of the task's labels.
        unit: What is counted, such as ``EUR`` or ``hours``; empty when nobody said.

    >>> costs = CostMatrix(((0.0, 15.0), (120.0, 0.0)), "EUR")
    >>> round(costs.threshold, 4)
    0.1111
    >>> costs.choices(np.array([[0.8, 0.2], [0.95, 0.05]])).tolist()
    [1, 0]
    """

    values: tuple[tuple[float, ...], ...]
    unit: str = ""

    def __post_init__(self) -> None:
        n = len(self.values)
        if n < 2 or any(len(row) != n for row in self.values):
            _refuse("a cost matrix has a row and a column for each label", [len(row) for row in self.values], "")
        if not all(math.isfinite(cost) for row in self.values for cost in row):
            _refuse("what an answer costs is a finite number; a gain is below zero", self.values, "")
        for i, row in enumerate(self.values):
            if any(row[i] >= cost for j, cost in enumerate(row) if j != i):
                _refuse(
                    "the right answer costs less than any wrong one",
                    f"label {i + 1}: {row}",
                    "correct this label's costs",
                )

    @cached_property
    def array(self) -> Floats:
        """Shape (n_labels, n_labels): row truth, column answer."""
        return np.array(self.values, dtype=np.float64)

    @property
    def threshold(self) -> float:
        """Two labels: the probability of the second from which on answering it costs no more."""
        (right, alarm), (miss, found) = self.values
        return (alarm - right) / ((alarm - right) + (miss - found))

    def expected(self, probabilities: Floats) -> Floats:
        """Return what each answer is expected to cost, shape (n_rows, n_labels), by calibrated probabilities."""
        return np.asarray(probabilities @ self.array)

    def choices(self, probabilities: Floats) -> Ints:
        """Return the positions of the answers that are expected to cost least; of two labels the second on a tie."""
        if len(self.values) == 2:
            return (probabilities[:, 1] >= self.threshold).astype(np.int64)
        chosen: Ints = self.expected(probabilities).argmin(axis=1)
        return chosen

    def paid(self, target: Ints, choices: Ints) -> Floats:
        """Return what the answers to rows of known truth cost, shape (n_rows,)."""
        return np.asarray(self.array[target, choices])

    def to_dict(self) -> dict[str, Any]:
        """Return the matrix as plain data."""
        return {"values": [list(row) for row in self.values], "unit": self.unit}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CostMatrix:
        """Return the matrix that ``to_dict`` wrote."""
        return cls(tuple(tuple(float(c) for c in row) for row in data["values"]), str(data["unit"]))

    @classmethod
    def of(cls, data: Mapping[str, Any], labels: Sequence[str], *, where: str = "--costs") -> CostMatrix:
        """Return the matrix that a file holds.

        Args:
            data: ``cost`` by truth and then by answer; ``wrong``, the cost of wrong answers that are not listed;
                ``unit``. Right answers that are not listed cost nothing.
            labels: Of the task, in its order.
            where: For messages.

        Raises:
            InvalidSetting: A key or label is unknown, a cost is missing or no number, or a wrong answer costs less
                than the right one.

        >>> CostMatrix.of({"wrong": 1, "cost": {"ill": {"well": 50}}}, ("well", "ill")).values
        ((0.0, 1.0), (50.0, 0.0))
        """
        for key in data:
            if key not in KEYS:
                _refuse("a costs file holds known keys", key, closest(key, KEYS), where)
        table, wrong = data.get("cost", {}), data.get("wrong")
        if not isinstance(table, dict) or not all(isinstance(row, dict) for row in table.values()):
            _refuse(
                "costs are listed by truth and then by answer", table, 'write [cost."truth"] and "answer" = 1', where
            )
        for name in (*table, *(answer for row in table.values() for answer in row)):
            if name not in labels:
                _refuse("costs are given for labels of the target", name, closest(name, labels), where)
        rows = []
        for truth in labels:
            given = table.get(truth, {})
            costs = [given.get(answer, 0.0 if answer == truth else wrong) for answer in labels]
            for answer, cost in zip(labels, costs, strict=True):
                if cost is None:
                    fix = "list it, or write `wrong = 1` for all that are not listed"
                    _refuse("every wrong answer has a cost", f"none for {answer!r} where {truth!r} is true", fix, where)
                if isinstance(cost, bool) or not isinstance(cost, int | float):
                    _refuse("a cost is a number", f"{cost!r} for {answer!r} where {truth!r} is true", "", where)
            rows.append(tuple(float(cost) for cost in costs))
        return cls(tuple(rows), str(data.get("unit", "")))


def _refuse(rule: str, got: object, fix: str, where: str = "--costs") -> None:
    raise InvalidSetting(rule, where=where, got=got, fix=fix or "correct the file of costs")
