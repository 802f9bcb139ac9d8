"""Labels: outcomes that are handed in over HTTP, as JSON or CSV."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import msgspec

from modelwright.core.prediction import Cell, Outcome
from modelwright.service import bodies
from modelwright.service.refusals import too_large, unprocessable

if TYPE_CHECKING:
    from modelwright.service.limits import Limits
    from modelwright.service.scorer import Scorer

_ID = re.compile(r"[0-9a-f]{32}\Z")


class Label(msgspec.Struct, forbid_unknown_fields=True):
    """One outcome; without a time it became known now."""

    prediction_id: str
    value: Cell
    time: float | None = None


class LabelsRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of ``POST /labels``."""

    labels: list[Label]


decoder = msgspec.json.Decoder(LabelsRequest)


def outcomes_of(kind: str, body: bytes, scorer: Scorer, limits: Limits) -> list[Outcome]:
    """Return the outcomes of a body, each checked, or raise Refused."""
    if kind == bodies.JSON:
        labels = bodies.decode(decoder, body).labels
    else:
        rows = bodies.rows_of(kind, body, limits)
        labels = [_label(row, i) for i, row in enumerate(rows)]
    if len(labels) > limits.rows:
        raise too_large("labels", limits.rows)
    now, known = time.time(), set(scorer.names)
    outcomes = []
    for i, label in enumerate(labels):
        if not _ID.match(label.prediction_id):
            raise unprocessable("a label names a prediction by its id", where=f"labels, {i}", fix="32 hex digits")
        value = _checked(label.value, scorer, known, i)
        outcomes.append(Outcome(label.prediction_id, value, now if label.time is None else label.time))
    return outcomes


def _label(row: dict[str, Cell], i: int) -> Label:
    if not {"prediction_id", "value"} <= row.keys():
        raise unprocessable("a table of labels has the columns prediction_id and value", where="header")
    try:
        moment = row.get("time")
        return Label(str(row["prediction_id"]), row["value"], None if moment is None else float(moment))
    except ValueError:
        raise unprocessable("the time of a label is in seconds since 1970", where=f"labels, {i}") from None


def _checked(value: Cell, scorer: Scorer, known: set[str], i: int) -> Cell:
    """Return the value in the target's own type."""
    from modelwright.core.values import canonical_level

    if known:
        text = canonical_level(value).lower() if isinstance(value, bool) else canonical_level(value)
        by_text = {str(name).lower() if isinstance(value, bool) else name: name for name in known}
        if value is None or text not in by_text:
            raise unprocessable("a label is one of the model's", where=f"labels, {i}", fix="see /openapi.json")
        answer: Cell = scorer.task.answer(by_text[text])
        return answer
    try:
        return float(value)  # type: ignore[arg-type]  # None is refused like text that is no number
    except (TypeError, ValueError):
        raise unprocessable("an outcome of a regression is a number", where=f"labels, {i}") from None
