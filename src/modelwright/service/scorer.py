"""The scorer: one loaded package with its door; rows in, answers out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from modelwright.evaluation.conformal import COVERAGE, reach
from modelwright.service.door import Door
from modelwright.service.explaining import Explainer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.arrays import Floats
    from modelwright.core.ports import Pointer
    from modelwright.packaging.package import Package
    from modelwright.service.door import Admitted, Departure, Row
    from modelwright.service.policy import Policy


@dataclass(slots=True)
class Answers:
    """What is answered for some rows.

    Attributes:
        predictions: A label in its own type, a number, or None where the model abstained.
        scores: One value, or the probability of each label, per row.
        flags: Per row.
        departures: From the contract, for the counts.
        n_abstained: How many rows got no prediction.
    """

    predictions: list[Any]
    scores: list[Any]
    flags: list[list[str]]
    departures: Sequence[Departure] = ()
    n_abstained: int = 0


class Scorer:
    """A package that answers. Safe to use from several threads.

    Args:
        package: Read and verified.
        pointer: What it is asked under.
        policy: For rows that depart from the contract.
    """

    def __init__(self, package: Package, pointer: Pointer, policy: Policy) -> None:
        self.package, self.pointer = package, pointer
        self.model = package.model
        self.task = package.model.task
        self.contract = package.model.contract
        self.labels: list[Any] = [self.task.answer(label) for label in self.task.labels]
        self.names: tuple[str, ...] = self.task.labels
        self.door = Door(self.contract, policy)
        self.explainer = Explainer(self)
        self.half_width = _half_width(package)
        said = {"model": pointer.model, "version": pointer.version, "fingerprint": package.fingerprint}
        self.heading = msgspec.json.encode(said)[:-1] + b","
        """What every answer of ``POST /predict`` begins with."""
        self.nothing: Floats = np.zeros((0,))
        self._sure_min = policy.guard.sure_min if self.labels else 0.0
        self._threshold = self.model.threshold if len(self.labels) == 2 else None

    @property
    def version(self) -> str:
        """Of the model, as answers name it."""
        return self.pointer.version

    def answer(self, rows: Sequence[Row]) -> Answers:
        """Return the answers for rows, or raise Refused where the policy refuses one."""
        admitted = self.door.admit(rows)
        return self.finish(admitted, self.model.scores_of(admitted.rows) if rows else self.nothing)

    def finish(self, admitted: Admitted, scores: Floats) -> Answers:
        """Return the answers for admitted rows and their scores, shape (n,) or (n, n_classes)."""
        values = scores.tolist()
        n = len(values)
        predictions = self._chosen(values)
        if not admitted.departures and admitted.abstained is None and not self._sure_min:
            return Answers(predictions, values, [[] for _ in range(n)])
        abstained = dict(admitted.abstained or {})
        if self._sure_min:
            for i, row in enumerate(values):
                if max(row) < self._sure_min:
                    abstained.setdefault(i, "the model is unsure")
        for i in abstained:
            predictions[i] = None
        flags = type(admitted)(admitted.rows, admitted.departures, abstained).flags(n)
        return Answers(predictions, values, flags, admitted.departures, len(abstained))

    def _chosen(self, values: list[Any]) -> list[Any]:
        """Return the answers of scores; the rule is that of ``Model.choices``."""
        if not self.labels:
            return list(values)
        if self._threshold is not None:
            no, yes = self.labels
            threshold = self._threshold
            return [yes if row[1] >= threshold else no for row in values]
        if self.task.costs is not None and values:
            return [self.labels[i] for i in self.task.costs.choices(np.asarray(values)).tolist()]
        return [self.labels[row.index(max(row))] for row in values]

    def interval(self, value: float) -> tuple[float, float] | None:
        """Return the interval around a number, or None where there is none."""
        return None if self.half_width is None else (value - self.half_width, value + self.half_width)

    def probabilities(self, row: list[float]) -> dict[str, float]:
        """Return the probability of each label by its spelling."""
        return dict(zip(self.names, row, strict=True))


def _half_width(package: Package) -> float | None:
    """Return the split-conformal half width for regression, from the sealed rows; None where they are too few."""
    sealed = package.sealed
    if package.model.task.is_classification or sealed is None:
        return None
    found = reach(sealed.target, sealed.scores, coverage=COVERAGE)
    return found if math.isfinite(found) else None
