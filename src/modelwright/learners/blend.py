"""Blend: the weighted mean of several fitted parts, calibrated where that helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.state import State
from modelwright.learners import restoring
from modelwright.learners._unfolding import array, refuse
from modelwright.learners.calibration import Calibrator
from modelwright.learners.linear import LinearModel
from modelwright.learners.shaped import Shaped
from modelwright.learners.trees import Trees

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.core.arrays import Floats
    from modelwright.core.matrix import Matrix
    from modelwright.core.ports import Fitted


class Blend:
    """Members answer, their answers are averaged; members of weight zero are left out.

    Args:
        members: Fitted parts of one task.
        weights: One per member, zero or more, not all zero; need not add up to one.
        calibrator: Applied to the averaged probabilities, or None.
    """

    def __init__(self, members: Sequence[Fitted], weights: Floats, calibrator: Calibrator | None = None) -> None:
        share = np.asarray(weights, dtype=np.float64)
        assert len(share) == len(members), "one weight per member"
        assert (share >= 0).all(), "weights of zero or more"
        assert share.sum() > 0, "a member that counts"
        self.members = tuple(m for m, w in zip(members, share, strict=True) if w > 0)
        self.weights: Floats = share[share > 0] / share.sum()
        self.calibrator = calibrator
        self._has_many_labels = False
        self._tellers = [(float(w), _teller(m)) for w, m in zip(self.weights, self.members, strict=True)]

    def predict(self, matrix: Matrix) -> Floats:
        """Return (n_rows,) values, or (n_rows, n_classes) probabilities; always finite."""
        if len(matrix.values) == 1 and not self._has_many_labels:
            return self._one(matrix)
        return self._many(matrix)

    def _many(self, matrix: Matrix) -> Floats:
        total = self.weights[0] * self.members[0].predict(matrix)
        for weight, member in zip(self.weights[1:], self.members[1:], strict=True):
            answer = member.predict(matrix)
            if answer.shape != total.shape:
                refuse("blend", "the members of a blend answer the same question", [total.shape, answer.shape])
            total += weight * answer
        if total.ndim == 1:
            return np.asarray(np.nan_to_num(total))
        if self.calibrator is not None:
            return self.calibrator.apply(total)
        return np.asarray(total / total.sum(axis=1, keepdims=True))

    def _one(self, matrix: Matrix) -> Floats:
        """Answer for one row in Python's own numbers, step by step as for many: each small array costs microseconds."""
        weight, tell = self._tellers[0]
        first = tell(matrix)
        if not isinstance(first, float) and len(first) != 2:
            self._has_many_labels = True  # arrays are quicker then; the first row finds it out for all
            return self._many(matrix)
        told = [(weight, first), *((weight, tell(matrix)) for weight, tell in self._tellers[1:])]
        if isinstance(first, float):
            value = weight * first
            for weight, answer in told[1:]:
                value += weight * _value(answer)
            return np.asarray(np.nan_to_num(np.array([value])))
        if any(isinstance(answer, float) or len(answer) != 2 for _, answer in told):
            return self._many(matrix)  # which says what is wrong
        no, yes = weight * first[0], weight * first[1]
        for weight, (one_no, one_yes) in told[1:]:  # type: ignore[misc]
            no += weight * one_no
            yes += weight * one_yes
        if self.calibrator is not None:
            return np.array([self.calibrator.pair(no, yes)])
        total = no + yes
        return np.array([[no / total, yes / total]])

    def state(self) -> State:
        """Return weights and, as parts, members and calibrator."""
        parts = {f"member_{i}": member.state() for i, member in enumerate(self.members)}
        if self.calibrator is not None:
            parts["calibrator"] = self.calibrator.state()
        return State("blend", arrays={"weights": self.weights}, parts=parts)

    @classmethod
    def restore(cls, state: State) -> Blend:
        """Return the blend of a state; its parts are found among the kinds that this room can restore."""
        names = [name for name in state.parts if name != "calibrator"]
        weights = array(state, "weights", (len(names),)).astype(np.float64)
        if not names or (weights <= 0).any() or names != [f"member_{i}" for i in range(len(names))]:
            refuse("blend", "a blend has members, each with a weight above zero", names[:5])
        calibrator = state.parts.get("calibrator")
        if calibrator is not None and calibrator.kind != "calibrator":
            refuse("blend.calibrator", "a calibrator is of its own kind", calibrator.kind)
        members = [restoring.restore(state.parts[name]) for name in names]
        return cls(members, weights, None if calibrator is None else Calibrator.restore(calibrator))


def _teller(member: Fitted) -> Callable[[Matrix], float | Sequence[float]]:
    """Return what asks a member about a matrix of one row: a value, or its probabilities."""
    if isinstance(member, Trees) and member.is_single:
        if member.link == "identity":
            return lambda matrix: member.one(matrix.values[0])

        def pair(matrix: Matrix) -> Sequence[float]:
            positive = member.one(matrix.values[0])
            return 1.0 - positive, positive

        return pair
    if isinstance(member, LinearModel) or (isinstance(member, Shaped) and member.is_single):
        return lambda matrix: member.one(matrix.values[0])

    def tell(matrix: Matrix) -> float | Sequence[float]:
        told: float | Sequence[float] = member.predict(matrix).tolist()[0]
        return told

    return tell


def _value(answer: float | Sequence[float]) -> float:
    if not isinstance(answer, float):
        refuse("blend", "the members of a blend answer the same question", "a value and probabilities")
    return answer
