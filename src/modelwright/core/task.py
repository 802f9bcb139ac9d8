"""The task: what is to be predicted, and how success is measured."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from modelwright.core.cost_matrix import CostMatrix
from modelwright.core.errors import InvalidTask
from modelwright.core.fingerprint import plain


class TaskKind(StrEnum):
    """The three questions a table can be asked."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


class LabelType(StrEnum):
    """How the labels were typed in the table, so that answers come back in kind."""

    TEXT = "text"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked of a table.

    Attributes:
        kind: Binary, multiclass or regression.
        target: The column to predict.
        metric: The measure that models are chosen by, a name from ``evaluation.metrics``.
        labels: Class labels in their own spelling; binary: (negative, positive); multiclass: sorted;
            regression: empty. Targets are encoded as positions in this tuple.
        label_type: How the labels were typed.
        time: The column that orders rows in time, if any.
        group: The column whose values must not be split, if any.
        weight: The column with row weights, if any.
        reason: Why this kind and metric, in one sentence.
        costs: What each answer costs, or None: then the most probable label is answered, or by the threshold.
    """

    kind: TaskKind
    target: str
    metric: str
    labels: tuple[str, ...] = ()
    label_type: LabelType = LabelType.TEXT
    time: str | None = None
    group: str | None = None
    weight: str | None = None
    reason: str = ""
    costs: CostMatrix | None = None

    def __post_init__(self) -> None:
        n = len(self.labels)
        fits = {TaskKind.REGRESSION: n == 0, TaskKind.BINARY: n == 2, TaskKind.MULTICLASS: n > 2}[self.kind]
        if not fits:
            raise InvalidTask(
                "binary has two labels, multiclass more, regression none",
                where=self.target,
                got=f"{self.kind} with {n} labels",
                fix="choose the task that fits with --task",
            )
        if self.costs is not None and len(self.costs.values) != n:
            raise InvalidTask(
                "a cost matrix has a row for each label of the task",
                where=self.target,
                got=f"{len(self.costs.values)} rows for {n} labels",
                fix="write the costs for these labels",
            )

    @property
    def is_classification(self) -> bool:
        """Whether the answer is a label."""
        return self.kind is not TaskKind.REGRESSION

    @property
    def positive(self) -> str | None:
        """The label that counts as positive, for binary tasks."""
        return self.labels[1] if self.kind is TaskKind.BINARY else None

    def answer(self, label: str) -> str | int | float | bool:
        """Return a label in the type it had in the table.

        >>> Task(TaskKind.BINARY, "y", "roc_auc", ("0", "1"), LabelType.INTEGER).answer("1")
        1
        """
        match self.label_type:
            case LabelType.INTEGER:
                return int(label)
            case LabelType.FLOAT:
                return float(label)
            case LabelType.BOOLEAN:
                return label.lower() == "true"
            case _:
                return label

    def to_dict(self) -> dict[str, Any]:
        """Return the task as plain data."""
        data: dict[str, Any] = plain({f.name: getattr(self, f.name) for f in fields(self) if f.name != "costs"})
        if self.costs is not None:
            data["costs"] = self.costs.to_dict()
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Task:
        """Return the task that ``to_dict`` wrote."""
        return cls(
            **{
                **data,
                "kind": TaskKind(data["kind"]),
                "labels": tuple(data["labels"]),
                "label_type": LabelType(data["label_type"]),
                "costs": CostMatrix.from_dict(data["costs"]) if data.get("costs") else None,
            }
        )
