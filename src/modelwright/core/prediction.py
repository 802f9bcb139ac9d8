"""Predictions that were given and what became of them: the words that service, ledger and monitoring share."""

from __future__ import annotations

from collections.abc import Mapping  # at run time too: the ledger's decoder reads the annotations
from dataclasses import dataclass

Cell = str | int | float | bool | None
"""A value as it came over a wire: text, a number, a truth, or nothing."""


@dataclass(frozen=True, slots=True)
class PredictionRecord:
    """One answer that was given for one row.

    Attributes:
        id: Names the answer, 32 characters of ``[0-9a-f]``; ids of one worker rise with time.
        time: When it was given, seconds since 1970-01-01 UTC.
        model: The name it was asked under.
        version: Of the model, as the registry or the package says.
        fingerprint: Names the package that answered.
        row: The columns that were kept, by name, as they came; private ones masked or hashed.
        prediction: A label, a number, or None where the model abstained.
        scores: (value,) for regression, or one probability per label in the order of the task.
        flags: How the row departed from the contract (``tenure: out of range``), and why the model abstained.
        latency_ms: From the whole request read to the answer computed, milliseconds.
        role: ``champion``, ``canary``, or ``shadow`` for answers that were computed and not given.
    """

    id: str
    time: float
    model: str
    version: str
    fingerprint: str
    row: Mapping[str, Cell]
    prediction: Cell
    scores: tuple[float, ...] = ()
    flags: tuple[str, ...] = ()
    latency_ms: float = 0.0
    role: str = "champion"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What turned out to be true for a row that was predicted.

    Attributes:
        prediction_id: Of the record; it may arrive before or after the outcome does.
        value: The label or the number, as it came.
        time: When it became known, seconds since 1970-01-01 UTC; of two for one prediction the later one counts.
    """

    prediction_id: str
    value: Cell
    time: float


@dataclass(frozen=True, slots=True)
class Answered:
    """A record, and the outcome that counts for it, or None while it is awaited."""

    record: PredictionRecord
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """Records of one name with the outcomes that count, by rising time, in columns of equal length.

    Attributes:
        times: When each was given, seconds since 1970-01-01 UTC.
        fingerprints: Of the packages that answered.
        roles: ``champion``, ``canary`` or ``shadow``.
        rows: The columns that were kept, each row a JSON object in UTF-8.
        scores: As in ``PredictionRecord``.
        flags: Likewise, by position; those without any are left out.
        outcomes: Values, None while awaited.
        known_at: When the outcomes became known, None while awaited.
    """

    times: tuple[float, ...]
    fingerprints: tuple[str, ...]
    roles: tuple[str, ...]
    rows: tuple[bytes, ...]
    scores: tuple[tuple[float, ...], ...]
    flags: Mapping[int, tuple[str, ...]]
    outcomes: tuple[Cell, ...]
    known_at: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Stirred:
    """What moved in a ledger, by stretches of equal length that begin at multiples of it.

    Attributes:
        counts: How many records each stretch holds, by its start.
        touched: Starts of the stretches to whose records outcomes came after the mark that was given.
        mark: Of the latest outcome; to be given the next time.
    """

    counts: Mapping[float, int]
    touched: frozenset[float]
    mark: int


@dataclass(frozen=True, slots=True)
class Received:
    """What became of outcomes that were handed in; the four add up to how many there were.

    Attributes:
        added: The first for their prediction.
        corrected: Took the place of an earlier one with another value.
        repeated: Said what was known already.
        late: Known to be older than the one that counts; kept, and without effect.
        unmatched: How many of all these name a prediction that is not (or not yet) in the ledger.
    """

    added: int = 0
    corrected: int = 0
    repeated: int = 0
    late: int = 0
    unmatched: int = 0
