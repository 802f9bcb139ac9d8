"""What errors cost: the prices a person puts on them, and what they came to on the sealed rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.core.errors import InvalidSetting

if TYPE_CHECKING:
    from modelwright.core.score import Score


@dataclass(frozen=True, slots=True)
class Prices:
    """What one error costs, in a unit of the user's own.

    Attributes:
        false_alarm: Binary: the positive label was answered and is wrong. Regression: one unit of the target
            estimated too high. Multiclass: counts, with ``miss``, for every wrong answer.
        miss: Binary: the positive label was the truth and was not answered. Regression: one unit too low.
        unit: What is counted, such as ``EUR`` or ``hours``.
    """

    false_alarm: float
    miss: float
    unit: str = ""

    def __post_init__(self) -> None:
        for where, price in (("--cost-false-alarm", self.false_alarm), ("--cost-miss", self.miss)):
            if not (math.isfinite(price) and price >= 0):
                raise InvalidSetting(
                    "what an error costs is zero or more", where=where, got=price, fix="give 0 or more"
                )
        if not self.false_alarm + self.miss > 0:
            raise InvalidSetting(
                "at least one kind of error costs something", where="--cost-miss", got=0.0, fix="give a cost above zero"
            )


@dataclass(frozen=True, slots=True)
class Costs:
    """What errors came to on the sealed rows, per row.

    Attributes:
        prices: What one error costs; None where each answer has its own cost.
        model: Cost of the model's answers.
        never: Binary: cost of never answering the positive label. Otherwise of always answering the same.
        always: Binary: cost of always answering it; None otherwise.
        best: Binary: cost when the positive label is answered from ``threshold`` on; None otherwise.
        threshold: The probability from which on answering it is the cheaper choice, if probabilities mean what
            they say: false alarm / (false alarm + miss).
        unit: What is counted.
    """

    prices: Prices | None
    model: Score
    never: Score
    always: Score | None = None
    best: Score | None = None
    threshold: float | None = None
    unit: str = ""
