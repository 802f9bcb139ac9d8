"""What the ledgers of both databases share: the tables, and rows to values and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from modelwright.core.prediction import Answered, Columns, Outcome, PredictionRecord, Received, Stirred

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.core.prediction import Cell

RECORD_COLUMNS = (
    *("id", "time", "model", "version", "fingerprint", "row", "prediction"),
    *("scores", "flags", "latency_ms", "role"),
)
COLUMNS = "p.id, p.time, p.fingerprint, p.role, {}, p.scores, p.flags"
"""What ``in_columns`` reads, besides value and time of the outcome; the place is for the row as JSON in bytes."""
OUTCOME_COLUMNS = ("prediction_id", "time", "value")


def record_values(r: PredictionRecord) -> tuple[object, ...]:
    """Return a record in the order of ``RECORD_COLUMNS``."""
    encode = msgspec.json.encode
    return (
        *(r.id, r.time, r.model, r.version, r.fingerprint, encode(dict(r.row)).decode()),
        *(encode(r.prediction).decode(), encode(r.scores).decode(), encode(r.flags).decode(), r.latency_ms, r.role),
    )


def answered(values: Sequence[Any]) -> Answered:
    """Return the record and its outcome of a row of the join."""
    named = dict(zip(RECORD_COLUMNS, values, strict=False))
    record = PredictionRecord(
        **{
            **named,
            "row": _loaded(named["row"]),
            "prediction": json.loads(named["prediction"]),
            "scores": tuple(json.loads(named["scores"])),
            "flags": tuple(json.loads(named["flags"])),
        }
    )
    value, known_at = values[len(RECORD_COLUMNS) :]
    return Answered(record, None if known_at is None else Outcome(record.id, json.loads(value), known_at))


def in_columns(rows: Sequence[tuple[Any, ...]]) -> Columns:
    """Return rows of ``COLUMNS`` as columns."""
    _, times, prints, roles, cells, scores, flags, values, known_at = zip(*rows, strict=True)
    said = msgspec.json.decode(f"[{','.join(scores)}]", type=list[tuple[float, ...]])
    noted = {i: tuple(json.loads(f)) for i, f in enumerate(flags) if f != "[]"}
    outcomes = msgspec.json.decode(f"[{','.join('null' if v is None else v for v in values)}]")
    return Columns(times, prints, roles, cells, tuple(said), noted, tuple(outcomes), known_at)


def stirred(counts: Sequence[tuple[Any, int]], touched: Sequence[tuple[Any]], mark: int, seconds: float) -> Stirred:
    """Return what a ledger says of its stretches, from numbers of stretches."""
    held = {float(number) * seconds: n for number, n in counts}
    return Stirred(held, frozenset(float(number) * seconds for (number,) in touched), mark)


def _loaded(row: Any) -> Mapping[str, Cell]:
    loaded: Mapping[str, Cell] = json.loads(row) if isinstance(row, str | bytes) else row
    return loaded


def sorted_out(
    outcomes: Sequence[Outcome], known: Mapping[str, tuple[float, str]], recorded: frozenset[str]
) -> tuple[list[tuple[str, float, str]], Received]:
    """Return which outcomes are to be stored, and what became of all of them.

    Args:
        outcomes: As they arrived; of several for one prediction each is held against the ones before it.
        known: Time and JSON value of what counts now, by prediction.
        recorded: Ids that are in the ledger.
    """
    counts = {"added": 0, "corrected": 0, "repeated": 0, "late": 0}
    counted, rows = dict(known), []
    for outcome in outcomes:
        value = msgspec.json.encode(outcome.value).decode()
        before = counted.get(outcome.prediction_id)
        if before is None:
            what = "added"
        elif value == before[1]:
            what = "repeated"
        else:
            what = "corrected" if outcome.time >= before[0] else "late"
        counts[what] += 1
        if what != "repeated":
            rows.append((outcome.prediction_id, outcome.time, value))
        if what in ("added", "corrected"):
            counted[outcome.prediction_id] = (outcome.time, value)
    unmatched = sum(o.prediction_id not in recorded for o in outcomes)
    return rows, Received(**counts, unmatched=unmatched)
