"""A measured number together with its doubt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from modelwright.core.errors import InvalidEvidence
from modelwright.core.fingerprint import plain


@dataclass(frozen=True, slots=True)
class Score:
    """One measured number; there is no score without an interval and a count.

    Attributes:
        metric: Name of the measure.
        value: What was measured, NaN where the measure does not exist on these rows.
        low: Lower end of the interval.
        high: Upper end of the interval.
        n_rows: Rows (or repeats, for times) it was measured on.
        unit: ``""`` for a plain number, ``target`` for the target's unit, ``target²``, ``%``, ``s``, ``ms``,
            ``rows/s``, ``MB``.
        method: How the interval was made, such as ``DeLong`` or ``bootstrap (1,000)``.
        note: What a reader must know, such as rows left out.
    """

    metric: str
    value: float
    low: float
    high: float
    n_rows: int
    unit: str = ""
    method: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if math.isnan(self.value):
            return
        if not self.low <= self.value <= self.high:
            raise InvalidEvidence(
                "low <= value <= high must hold for a score",
                where=self.metric,
                got=(self.low, self.value, self.high),
                fix="recompute the interval on the same rows as the value",
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the score as plain data, without its name."""
        data: dict[str, Any] = plain(self)
        del data["metric"]
        return data
