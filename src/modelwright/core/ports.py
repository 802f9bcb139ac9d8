"""The ports: what a part must do to take its place, whoever wrote it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

    from modelwright.core.arrays import Array, Floats
    from modelwright.core.matrix import Feature, Matrix
    from modelwright.core.state import State


def _forever() -> float:
    return float("inf")


@dataclass(frozen=True, slots=True)
class Exam:
    """Rows that tell an iterative learner when to stop; never learnt from."""

    matrix: Matrix
    target: Array
    weight: Floats | None = None


@dataclass(frozen=True, slots=True)
class Lesson:
    """All that a learner is given to learn from.

    Attributes:
        matrix: The rows.
        target: Shape (n_rows,): float64 for regression, int64 positions of labels for classification.
        n_classes: How many labels the task has, 0 for regression. A label may have no row here.
        weight: Row weights, positive, or None.
        exam: Rows for early stopping, or None: then all rounds are run.
        seed: All randomness comes from it.
        threads: How many threads may be used.
        seconds_left: Polled between rounds; at zero or less the learner stops and keeps what it has.
    """

    matrix: Matrix
    target: Array
    n_classes: int
    weight: Floats | None = None
    exam: Exam | None = None
    seed: int = 0
    threads: int = 1
    seconds_left: Callable[[], float] = _forever


@dataclass(frozen=True, slots=True)
class Curve:
    """How the loss fell, one value per recorded round; empty tuples for learners without rounds.

    ``rounds`` are the round numbers, ``fit`` and ``valid`` the losses on the lesson and the exam (``fit`` may
    be empty), ``best_round`` the one kept, ``ended`` why training ended: ``patience``, ``rounds``, ``time``
    or ``""`` for learners without rounds.
    """

    loss: str = ""
    rounds: tuple[int, ...] = ()
    fit: tuple[float, ...] = ()
    valid: tuple[float, ...] = ()
    best_round: int = 0
    ended: str = ""


@runtime_checkable
class Fitted(Protocol):
    """A part that predicts: a learner after fitting, or a blend of them. Safe to use from several threads."""

    def predict(self, matrix: Matrix) -> Floats:
        """Return (n_rows,) values for regression, (n_rows, n_classes) probabilities otherwise.

        Rows of probabilities are within [0, 1] and add up to one. One row answers as it does in a batch.
        """
        ...

    def state(self) -> State:
        """Return what is needed to predict the same again, as plain data."""
        ...


@runtime_checkable
class Learner(Protocol):
    """A family of models. Constructed with its parameters as keywords; unknown ones raise InvalidSetting."""

    name: ClassVar[str]
    has_rounds: ClassVar[bool]
    """Whether it learns in rounds and obeys ``seconds_left`` and early stopping."""

    def fit(self, lesson: Lesson) -> tuple[Fitted, Curve]:
        """Learn from a lesson, leaving it untouched; same lesson and parameters, same result."""
        ...

    @classmethod
    def restore(cls, state: State) -> Fitted:
        """Return the fitted part a state describes; a state that is not sound raises InvalidPackage."""
        ...


class Plan(Protocol):
    """A fitted feature plan: from typed rows to a matrix, the same in training, batch and service."""

    @property
    def features(self) -> tuple[Feature, ...]:
        """The columns of every matrix it makes."""
        ...

    def matrix(self, frame: pl.DataFrame) -> Matrix:
        """Return the matrix of a conformed frame (see ``data.conform``)."""
        ...

    def rows(self, records: Sequence[Mapping[str, object]]) -> Matrix:
        """Return the matrix of a few records, raw text or typed values, without building a frame."""
        ...

    def state(self) -> State:
        """Return what is needed to do the same again, as plain data."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """One thing worth telling a waiting person.

    Attributes:
        stage: ``read``, ``inspect``, ``prepare``, ``search``, ``evaluate``, ``finish``, ``package``.
        doing: What is happening, a few words.
        seconds_left: Until the end of the budget, None when it is counted in work units.
        best: Best validation score so far, in the metric's own direction, None before there is one.
        facts: Further plain data.
    """

    stage: str
    doing: str
    seconds_left: float | None = None
    best: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
