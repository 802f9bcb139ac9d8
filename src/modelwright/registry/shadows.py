"""Shadows: what a service recorded of a model that answered beside the champion without being heard."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.core.errors import LedgerUnavailable, RegistryUnavailable
from modelwright.core.fingerprint import canonical_json
from modelwright.registry.ledger import may_be_there, open_ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from modelwright.core.prediction import Answered

LEDGER = "ledger.db"
ROWS_MOST = 100_000
"""The newest answers of a shadow that are looked at."""
SLACK_SECONDS = 60.0
"""The champion answers first; its answer to the shadow's first row may be this much older."""


def shadowed(address: str | Path, model: str, *, shadow: str, champion: str) -> list[tuple[Any, Any]]:
    """Return what the shadow and the champion answered to the same live rows.

    Args:
        address: Of the ledger: a path, or ``postgresql://…``.
        model: The name both were asked under.
        shadow: Fingerprint of the shadow's package.
        champion: Fingerprint of the champion's package.

    Returns:
        Pairs of answers, shadow first: labels or numbers. Empty when there is no ledger or no shadow in it.

    Raises:
        RegistryUnavailable: The ledger cannot be read.
    """
    if not may_be_there(address):
        return []
    try:
        ledger = open_ledger(address)
        try:
            return _paired((a for batch in ledger.read(model) for a in batch), shadow, champion)
        finally:
            ledger.close()
    except LedgerUnavailable as error:
        raise RegistryUnavailable(
            "the record of predictions can be read", where="--ledger", got=str(error.got), fix="check its address"
        ) from error


def _paired(answers: Iterable[Answered], shadow: str, champion: str) -> list[tuple[Any, Any]]:
    """Return the pairs of answers that come by rising time; one pass, and no more in memory than is compared."""
    said: deque[tuple[bytes, Any]] = deque(maxlen=ROWS_MOST)
    heard: dict[bytes, tuple[float, Any]] = {}
    for answer in answers:
        record = answer.record
        if record.role == "shadow" and record.fingerprint == shadow:
            said.append((_key(record.row), record.prediction))
        elif record.role == "champion" and record.fingerprint == champion:
            heard[_key(record.row)] = (record.time, record.prediction)
            if not said:
                _forget(heard, record.time - SLACK_SECONDS)
    return [(answer, heard[row][1]) for row, answer in said if row in heard]


def _forget(heard: dict[bytes, tuple[float, Any]], before: float) -> None:
    """Drop what the champion said too long before any shadow answered."""
    while heard:
        row = next(iter(heard))
        if heard[row][0] >= before:
            return
        del heard[row]


def _key(row: Mapping[str, Any]) -> bytes:
    return canonical_json(dict(row))
