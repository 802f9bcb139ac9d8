"""What if: for one row, what would have to change, and which known rows are like it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.contract import Kind
from modelwright.core.errors import InvalidSetting, UnknownColumn, closest
from modelwright.evaluation import counterfactuals, similar
from modelwright.flows._known_rows import columns_of
from modelwright.flows._probing import changed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from modelwright.core.arrays import Floats
    from modelwright.core.contract import Column
    from modelwright.core.model import Model
    from modelwright.flows._known_rows import Rows

GRID, LEVELS_TRIED = 12, 30
BEYOND = 0.05
"""A value asked for is reached from this share of the way beyond the present one."""


class Wanted:
    """The answer that is asked for instead of the present one.

    Args:
        model: Answers.
        said: A label, a number, or None: the other label, or the second most probable one.

    Raises:
        InvalidSetting: It is no label of the task, or no number; a regression needs one.
    """

    def __init__(self, model: Model, said: str | None) -> None:
        self._model, self.label, self.value = model, -1, 0.0
        task = model.task
        self.is_possible = task.is_classification or said is not None
        if said is None:
            return
        if task.is_classification:
            if said not in task.labels:
                raise InvalidSetting(
                    "a wanted answer is a label", where="--want", got=said, fix=closest(said, task.labels)
                )
            self.label = task.labels.index(said)
            return
        try:
            self.value = float(said)
        except ValueError as error:
            fix = "give the estimate you want"
            raise InvalidSetting("a wanted answer is a number", where="--want", got=said, fix=fix) from error

    def of(self, scores: Floats) -> Any:
        """Return what is wanted of a row with these scores, shape (1,) or (1, n_classes): a label's number, a value."""
        if not self._model.task.is_classification:
            return self.value
        if self.label >= 0:
            return self.label
        now = int(self._model.choices(scores)[0])
        others = np.where(np.arange(scores.shape[1]) == now, -1.0, scores[0])
        return int(others.argmax())

    def margin(self, wanted: Any, scores: Floats, *, now: float) -> Floats:
        """Return how far beyond the wanted answer each row is."""
        if not self._model.task.is_classification:
            return np.asarray(scores - wanted if wanted > now else wanted - scores)
        if scores.shape[1] == 2:
            positive = scores[:, 1] - self._model.threshold
            return np.asarray(positive if wanted == 1 else -positive - 1e-12)
        others = np.delete(scores, wanted, axis=1).max(axis=1)
        return np.asarray(scores[:, wanted] - others - 1e-12)


def what_would_change(
    model: Model, row: Rows, known: Rows, wanted: Wanted, immutable: Sequence[str]
) -> dict[str, Any] | None:
    """Return the wanted answer and the changes that lead to it; None where nothing is wanted or it is so already."""
    if not wanted.is_possible:
        return None
    scores = model.scores(row.frame)
    target = wanted.of(scores)
    now = float(scores[0]) if scores.ndim == 1 else 0.0
    if float(wanted.margin(target, scores, now=now)[0]) >= 0:
        return None
    columns = [c for c in model.contract.inputs if c.name not in immutable and c.kind is not Kind.TEXT]
    choices = {c.name: choice for c in columns if (choice := _choice(c, known.frame)).values}

    def reached(rows: Sequence[Mapping[str, Any]]) -> Floats:
        return wanted.margin(target, model.scores(changed(row.frame, model.contract, rows)), now=now)

    found = counterfactuals.search(row.frame.to_dicts()[0], choices, reached)
    answer = model.task.labels[target] if model.task.is_classification else target
    for way in found:
        way["changes"] = [
            {**c, **{k: readable(model.contract.column(c["column"]), c[k]) for k in ("before", "after")}}
            for c in way["changes"]
        ]
    return {"wanted": answer, "n_columns": len(choices), "found": found}


def check_columns(model: Model, names: Sequence[str]) -> None:
    """Refuse names that are no columns of the contract."""
    for name in names:
        if name not in model.contract:
            known = [c.name for c in model.contract.columns]
            raise UnknownColumn(
                "a column that is named must exist", where="--immutable", got=name, fix=closest(name, known)
            )


def _choice(column: Column, known: pl.DataFrame) -> counterfactuals.Choice:
    """Return what a column may be changed to: values that the contract knows, and that rows have had."""
    if column.kind is Kind.BOOLEAN:
        return counterfactuals.Choice((0.0, 1.0))
    if not column.is_numeric:
        return counterfactuals.Choice(tuple(level.value for level in column.levels[:LEVELS_TRIED]))
    seen = known[column.name].drop_nulls().to_numpy()
    low, high = (v if v is not None else float("nan") for v in (column.low, column.high))
    seen = seen[(seen >= low) & (seen <= high)] if column.low is not None else seen
    if len(seen) >= GRID:
        values = np.unique(np.quantile(seen, np.linspace(0.02, 0.98, GRID), method="inverted_cdf"))
        scale = float(np.subtract(*np.percentile(seen, [75, 25]))) or float(np.ptp(seen))
    elif column.low is not None and column.high is not None:
        values, scale = np.linspace(column.low, column.high, GRID), (column.high - column.low) / 4
        values = np.unique(np.round(values)) if column.is_integer else values
    else:
        values, scale = np.unique(seen), float(np.ptp(seen)) if len(seen) else 0.0
    return counterfactuals.Choice(tuple(values.tolist()), max(scale, 1e-12), column.is_integer)


def rows_like_it(
    row: Rows, known: Rows, weights: Mapping[str, float], model: Model, *, count: int
) -> list[dict[str, Any]]:
    """Return the known rows that are most like one, with what they are and, where it is known, what came of them."""
    entries = similar.nearest(columns_of(row.frame), columns_of(known.frame), weights, count=count + 1)
    itself = row.frame.to_dicts()[0]
    ordered = sorted(weights.items(), key=lambda pair: -pair[1])
    leading = [n for n, w in ordered if w > 0 and n in known.frame.columns][:5]
    told = []
    for entry in entries:
        at = entry["row"]
        if entry["likeness"] <= 0:
            continue
        values = known.frame.row(at, named=True)
        if values == itself and entry["likeness"] > 1 - 1e-12 and row.source == known.source:
            continue
        told.append(
            {
                "row": at + 1,
                "likeness": entry["likeness"],
                "values": {n: readable(model.contract.column(n), values[n]) for n in leading},
                "truth": _truth(known, at, model),
            }
        )
    return told[:count]


def readable(column: Column, value: Any) -> Any:
    """Return a conformed value as it is written in the table: truths by their spelling, moments by the calendar."""
    if not isinstance(value, float):
        return value
    if column.kind is Kind.BOOLEAN:
        spellings = column.true_spellings if value == 1.0 else column.false_spellings
        return spellings[0] if spellings else str(value == 1.0).lower()
    if column.kind is Kind.DATETIME:
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S").removesuffix(" 00:00:00")
    return value


def _truth(known: Rows, at: int, model: Model) -> Any:
    if known.target is None or not known.is_labelled[at]:
        return None
    value = known.target[at]
    return model.task.labels[int(value)] if model.task.is_classification else float(value)
