"""Label: what became of rows that were predicted goes into the ledger; and one person's rows go out of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.core.contract import Column, Kind
from modelwright.core.errors import InvalidOutcome, closest
from modelwright.core.fingerprint import plain
from modelwright.core.prediction import Cell, Outcome, Received
from modelwright.core.values import canonical_level, parse_boolean, reader
from modelwright.flows._watched import folder_of
from modelwright.registry.ledger import open_ledger
from modelwright.registry.ledger_privacy import Privacy, key_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.core.ports import Ledger

ID, TIME = "prediction_id", "time"
ROWS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Labelled:
    """What became of a table of outcomes; see ``core.prediction.Received``."""

    received: Received

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain data."""
        data: dict[str, Any] = plain(self.received)
        return data


def label(model: str, source: object, *, ledger: str) -> Labelled:
    """Hand in outcomes for predictions of a model, in any order and as often as wanted.

    Args:
        model: The name it was asked under.
        source: A table with the columns ``prediction_id`` and ``value`` (or one other column), and if known ``time``:
            when the outcome became known, as ISO 8601 or seconds since 1970. Without it, now.
        ledger: Its address.

    Raises:
        InvalidOutcome: The table has other columns, a value is none of the target's, or nothing was predicted.
        UnreadableSource: The table cannot be read.
        LedgerUnavailable: The ledger cannot.
    """
    from modelwright.data.reading import read

    table = read(source)
    value = _value_column(table.columns)
    opened = ledger_at(ledger)
    try:
        typed = _typing(opened, model)
        outcomes = _outcomes(table.frame.to_dicts(), value, typed)
        total = Received()
        for start in range(0, len(outcomes), ROWS_AT_ONCE):
            some = opened.add_outcomes(outcomes[start : start + ROWS_AT_ONCE])
            total = Received(*(a + b for a, b in zip(_counts(total), _counts(some), strict=True)))
        return Labelled(total)
    finally:
        opened.close()


def erase(column: str, value: str, *, ledger: str) -> int:
    """Remove every prediction whose row holds this value, with its outcomes; return how many.

    Args:
        column: As in the rows that were asked, such as a customer's number; it may be one that is hashed.
        value: What it holds for the person.
        ledger: Its address.
    """
    opened = ledger_at(ledger)
    try:
        return opened.erase(column, value)
    finally:
        opened.close()


def ledger_at(address: str) -> Ledger:
    """Return the ledger at an address, with the key of its hashes."""
    return open_ledger(address, Privacy({}, key_of(folder_of(address))))


def _counts(received: Received) -> tuple[int, ...]:
    return (received.added, received.corrected, received.repeated, received.late, received.unmatched)


def _value_column(columns: list[str]) -> str:
    others = [name for name in columns if name not in (ID, TIME)]
    if ID not in columns or not others or ("value" not in others and len(others) > 1):
        raise InvalidOutcome(
            "a table of outcomes has the columns prediction_id and value, and perhaps time",
            where="header",
            got=columns[:10],
            fix=closest(ID, columns) if ID not in columns else "name the column of outcomes value",
        )
    return "value" if "value" in others else others[0]


def _typing(ledger: Ledger, model: str) -> Callable[[Cell], Cell]:
    """Return the function that gives an outcome the type that the model's predictions have."""
    batch = next((b for b in ledger.read(model, rows_at_once=100)), ())
    known = next((a.record.prediction for a in batch if a.record.prediction is not None), None)
    if known is None:
        fix = "check the name and --ledger; predictions are recorded while a model is served"
        raise InvalidOutcome("outcomes belong to predictions that were recorded", where="MODEL", got=model, fix=fix)
    if isinstance(known, bool):
        return lambda value: parse_boolean(str(value))
    if isinstance(known, int | float):
        read = reader(Column("value", Kind.NUMBER))
        kind = type(known)
        return lambda value: None if (number := read(value)) is None else kind(number)
    return canonical_level


def _outcomes(rows: list[dict[str, Any]], column: str, typed: Callable[[Cell], Cell]) -> list[Outcome]:
    moment, now = reader(Column(TIME, Kind.DATETIME, datetime_format="iso")), time.time()
    outcomes = []
    for i, row in enumerate(rows):
        if row[column] is None:
            continue  # still awaited
        value, known_at = typed(row[column]), row.get(TIME)
        when = now if known_at is None else _seconds(known_at, moment(known_at))
        if value is None or when is None or row[ID] is None:
            where = f"row {i + 1}, {ID if row[ID] is None else column if value is None else TIME}"
            raise InvalidOutcome("an outcome has an id, a value of the target's type and a time", where=where)
        outcomes.append(Outcome(str(row[ID]), value, when))
    return outcomes


def _seconds(given: Any, read: float | str | None) -> float | None:
    """Return a moment in seconds, from a number or from what was read of a text."""
    try:
        return float(given)
    except (TypeError, ValueError):
        return read if isinstance(read, float) else None
