"""The ports: what a part must do to take its place, whoever wrote it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import polars as pl

    from modelwright.core.arrays import Array, Floats, Singles
    from modelwright.core.matrix import Feature, Matrix
    from modelwright.core.prediction import Answered, Cell, Columns, Outcome, PredictionRecord, Received, Stirred
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
class Joinable(Protocol):
    """A fitted part that errs less in the mean of several, learnt from other starts: a network."""

    def joined(self, other: Any) -> Fitted:
        """Return the mean of this and of another that was learnt on the same rows."""
        ...


@runtime_checkable
class Cuttable(Fitted, Protocol):
    """A part whose first trees are a model by themselves."""

    def cut(self, share: float, *, is_mean: bool = False) -> Fitted:
        """Return the model of the first trees, a share of all; ``is_mean`` where trees are averaged, as in a forest."""
        ...


FEW_ROWS = 8
"""Beyond so many rows the libraries' ways for many are quicker, whatever the part."""


@runtime_checkable
class Single(Fitted, Protocol):
    """A part with a short way for one row, of some of its shapes at least."""

    @property
    def rows_alone(self) -> int:
        """Up to how many rows are answered quicker one after the other than together; 0 where ``one`` has no answer."""
        ...

    def one(self, row: Singles) -> float | Sequence[float]:
        """Return what ``predict`` does for one row, shape (n_features,): a value or its probabilities.

        Trees of two labels say the positive one's probability only.
        """
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


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which package stands behind a name now.

    Attributes:
        model: The name it is asked under.
        version: As the registry or the package says.
        fingerprint: Names the package's content, or empty where it is known only after reading.
        path: Where the package lies.
        stamp: Another text whenever what lies there may have changed.
    """

    model: str
    version: str
    fingerprint: str
    path: str
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Who answers beside the champion.

    Attributes:
        canary: Answers a part of the requests in its place, or None.
        percent: Which part, 0 to 100.
        shadow: Is asked everything and answers nobody, or None.
    """

    canary: Pointer | None = None
    percent: float = 0.0
    shadow: Pointer | None = None


class ChampionSource(Protocol):
    """Says which package answers under a name; asked about once a second, so it must be quick."""

    def current(self) -> Pointer:
        """Return where the name points now; equal pointers mean that nothing changed.

        Raises:
            ModelwrightError: There is nothing to serve (yet); a service that runs keeps what it has.
        """
        ...

    def traffic(self) -> Traffic:
        """Return who answers beside it; nobody where the source knows of none."""
        ...


class Ledger(Protocol):
    """The record of answers given and of what became of them. One writer and several readers at a time."""

    def append(self, records: Sequence[PredictionRecord]) -> int:
        """Store records durably and return how many were new; a record whose id is known is left as it is."""
        ...

    def append_spelled(self, values: Iterable[tuple[object, ...]]) -> int:
        """Store records given by their fields in order, ``row``, ``prediction``, ``scores`` and ``flags`` as JSON."""
        ...

    def add_outcomes(self, outcomes: Sequence[Outcome]) -> Received:
        """Store outcomes, in any order and however often; the latest known per prediction counts."""
        ...

    def read(
        self, model: str, *, start: float | None = None, end: float | None = None, rows_at_once: int = 10_000
    ) -> Iterator[tuple[Answered, ...]]:
        """Give the records of a model with their outcomes, by rising time, in batches of plain values.

        Args:
            model: The name that was asked.
            start: Seconds since 1970-01-01 UTC, included; None for the first.
            end: Likewise, not included; None for the last.
            rows_at_once: Most records in a batch.
        """
        ...

    def columns(
        self, model: str, *, start: float | None = None, end: float | None = None, rows_at_once: int = 20_000
    ) -> Iterator[Columns]:
        """Give what ``read`` gives in columns, cells as JSON: quicker where there are many."""
        ...

    def stirred(self, model: str, seconds: float, since: int | None) -> Stirred:
        """Return how many records each stretch of time holds, and which got outcomes lately.

        Args:
            model: The name that was asked.
            seconds: Length of a stretch; stretches begin at multiples of it.
            since: The mark of an earlier answer; 0 for all outcomes; None where it is all the same which.
        """
        ...

    def erase(self, column: str, value: Cell) -> int:
        """Remove every record whose row holds this value, with its outcomes; return how many records."""
        ...

    def retain(self, since: float) -> int:
        """Remove the records of before ``since``, seconds since 1970-01-01 UTC, with outcomes; return how many."""
        ...

    def count(self, model: str | None = None) -> int:
        """Return how many records there are, of one model or of all."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...
