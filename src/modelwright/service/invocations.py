"""Invocations: the bodies that MLflow's clients send, and the answer that they read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from modelwright.core.prediction import Cell
from modelwright.service.refusals import too_large, unprocessable

if TYPE_CHECKING:
    from modelwright.service.door import Row
    from modelwright.service.limits import Limits
    from modelwright.service.scorer import Answers, Scorer


class Split(msgspec.Struct):
    """A frame as pandas writes it with ``orient="split"``."""

    columns: list[str]
    data: list[list[Cell]]
    index: list[Cell] | None = None


class InvocationsRequest(msgspec.Struct):
    """One of the four forms; ``params`` has no effect."""

    dataframe_split: Split | None = None
    dataframe_records: list[dict[str, Cell]] | None = None
    instances: list[dict[str, Cell]] | None = None
    inputs: list[dict[str, Cell]] | dict[str, list[Cell]] | None = None
    params: dict[str, Any] | None = None


decoder = msgspec.json.Decoder(InvocationsRequest)


def rows_of(request: InvocationsRequest, limits: Limits) -> list[Row]:
    """Return the rows of a request, or raise Refused."""
    forms = (request.dataframe_split, request.dataframe_records, request.instances, request.inputs)
    given = [form for form in forms if form is not None]
    if len(given) != 1:
        rule = "a body holds one of dataframe_split, dataframe_records, instances and inputs"
        raise unprocessable(rule, got=f"{len(given)} of them")
    form = given[0]
    rows = (
        _rows_of_split(form) if isinstance(form, Split) else _rows_of_columns(form) if isinstance(form, dict) else form
    )
    if len(rows) > limits.rows:
        raise too_large("rows", limits.rows)
    return rows


def _rows_of_split(split: Split) -> list[Row]:
    width = len(split.columns)
    if len(set(split.columns)) != width or any(len(row) != width for row in split.data):
        raise unprocessable("each row of a frame has one value a column", where="dataframe_split")
    return [dict(zip(split.columns, row, strict=True)) for row in split.data]


def _rows_of_columns(columns: dict[str, list[Cell]]) -> list[Row]:
    if len({len(cells) for cells in columns.values()}) > 1:
        raise unprocessable("all columns have as many values", where="inputs")
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def answer(scorer: Scorer, answers: Answers, ids: list[str]) -> dict[str, Any]:
    """Return the body of the response: the columns that the package's own MLflow door gives, and the ids."""
    predictions = []
    for prediction, scores in zip(answers.predictions, answers.scores, strict=True):
        row: dict[str, Any] = {"prediction": prediction}
        if scorer.names:
            row |= {f"probability_{name}": p for name, p in zip(scorer.names, scores, strict=True)}
        predictions.append(row)
    return {"predictions": predictions, "prediction_ids": ids}
