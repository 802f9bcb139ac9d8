"""The model: a plan, a blend, and the rule that turns scores into answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.state import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from modelwright.core.arrays import Array, Floats
    from modelwright.core.contract import Contract
    from modelwright.core.ports import Fitted, Plan
    from modelwright.core.task import Task


@dataclass(frozen=True, slots=True)
class Model:
    """Everything needed to answer for a row.

    Attributes:
        task: What is predicted.
        contract: What is promised of the columns.
        plan: From rows to numbers.
        blend: From numbers to scores: (n,) values, or (n, n_classes) probabilities.
        threshold: Binary: the positive label is answered at this probability and above.
    """

    task: Task
    contract: Contract
    plan: Plan
    blend: Fitted
    threshold: float = 0.5

    def scores(self, frame: pl.DataFrame) -> Floats:
        """Return values or probabilities for a conformed frame."""
        return self.blend.predict(self.plan.matrix(frame))

    def scores_of(self, records: Sequence[Mapping[str, object]]) -> Floats:
        """Return values or probabilities for a few records, without building a frame."""
        return self.blend.predict(self.plan.rows(records))

    def choices(self, scores: Floats) -> Array:
        """Return positions in ``task.labels`` for probabilities, or the values themselves for regression."""
        if not self.task.is_classification:
            return scores
        if len(self.task.labels) == 2:
            return (scores[:, 1] >= self.threshold).astype(np.int64)
        if self.task.costs is not None:
            return self.task.costs.choices(scores)
        chosen: Array = scores.argmax(axis=1)
        return chosen

    def state(self) -> State:
        """Return plan and blend as plain data; task, contract and threshold travel beside it."""
        return State(
            "model", {"threshold": self.threshold}, parts={"plan": self.plan.state(), "blend": self.blend.state()}
        )
