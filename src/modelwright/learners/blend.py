"""Blend: the weighted mean of several fitted parts, calibrated where that helps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.ports import FEW_ROWS, Single
from modelwright.core.state import State
from modelwright.learners import restoring
from modelwright.learners._unfolding import array, refuse
from modelwright.learners.calibration import Calibrator
from modelwright.learners.trees import Trees

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.core.arrays import Floats, Singles
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
        self._asked = [(float(w), m, *_teller(m)) for w, m in zip(self.weights, self.members, strict=True)]

    def predict(self, matrix: Matrix) -> Floats:
        """Return (n_rows,) values, or (n_rows, n_classes) probabilities; always finite."""
        n = len(matrix.values)
        if self._has_many_labels or not 0 < n <= FEW_ROWS:
            return self._many(matrix)
        return self._one(matrix) if n == 1 else self._few(matrix)

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

    # One row and a few are answered in Python's own numbers, step by step as for many: each small array costs
    # microseconds, and so does each list that one row can do without.

    def _one(self, matrix: Matrix) -> Floats:
        row = matrix.values[0]
        told = [(w, m.predict(matrix).tolist()[0] if tell is None else tell(row)) for w, m, tell, _ in self._asked]
        widths = {_width(answer) for _, answer in told}
        weight, answer = told[0]
        if widths == {1}:
            value = weight * answer
            for weight, answer in told[1:]:
                value += weight * answer
            return np.asarray(np.nan_to_num(np.array([value])))
        if widths != {2}:
            self._has_many_labels = True  # arrays are quicker then; the first rows find it out for all
            return self._many(matrix)
        no, yes = weight * answer[0], weight * answer[1]
        for weight, (one_no, one_yes) in told[1:]:
            no += weight * one_no
            yes += weight * one_yes
        if self.calibrator is not None:
            return np.array([self.calibrator.pair(no, yes)])
        total = no + yes
        return np.array([[no / total, yes / total]])

    def _few(self, matrix: Matrix) -> Floats:
        rows = list(matrix.values)
        told = [
            (w, m.predict(matrix).tolist() if tell is None or len(rows) > most else [tell(row) for row in rows])
            for w, m, tell, most in self._asked
        ]
        widths = {_width(answers[0]) for _, answers in told}
        if widths == {1}:
            return np.asarray(np.nan_to_num(np.array(_added(told))))
        if widths != {2}:
            self._has_many_labels = True
            return self._many(matrix)
        no, yes = (_added([(w, [answer[i] for answer in answers]) for w, answers in told]) for i in (0, 1))
        if self.calibrator is not None:
            return np.array([self.calibrator.pair(*both) for both in zip(no, yes, strict=True)])
        return np.array([(a / (a + b), b / (a + b)) for a, b in zip(no, yes, strict=True)])

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


def _teller(member: Fitted) -> tuple[Callable[[Singles], Any] | None, int]:
    """Return what asks a member about a row, a value or its probabilities, and for how many rows it is the quicker way.

    None and 0 where it has no such way.
    """
    if not isinstance(member, Single) or not member.rows_alone:
        return None, 0
    if not isinstance(member, Trees) or member.link == "identity":
        return member.one, member.rows_alone

    def pair(row: Singles) -> tuple[float, float]:
        positive = member.one(row)
        return 1.0 - positive, positive

    return pair, member.rows_alone


def _width(answer: float | Sequence[float]) -> int:
    return 1 if isinstance(answer, float) else len(answer)


def _added(told: Sequence[tuple[float, Sequence[float]]]) -> list[float]:
    """Return the weighted sum of each row's answers."""
    weight, answers = told[0]
    sums = [weight * answer for answer in answers]
    for weight, answers in told[1:]:
        sums = [total + weight * answer for total, answer in zip(sums, answers, strict=True)]
    return sums
