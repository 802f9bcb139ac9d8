"""Weakness: where a model is weak, whom it treats otherwise, and what throws it off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from modelwright.core.contract import Kind, NullPolicy
from modelwright.core.errors import UnknownColumn, closest
from modelwright.evaluation import conformal, fairness, slices
from modelwright.evaluation.figures import figures
from modelwright.evaluation.intervals import measure
from modelwright.evaluation.metrics import loss
from modelwright.evaluation.pairs import paired
from modelwright.flows._known_rows import columns_of
from modelwright.flows._what_if import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.arrays import Array, Floats
    from modelwright.core.model import Model
    from modelwright.flows._known_rows import Judged, Rows
    from modelwright.packaging.package import Package

NOISE = 0.1
"""Spread of the noise, as a share of a column's own."""
SLIPS = ((10.0, "ten times too large"), (0.001, "a thousandth of what it is"))
COLUMNS_TRIED = 5


def weak_slices(judged: Judged, model: Model, leading: Sequence[str], *, seed: int) -> dict[str, Any]:
    """Return the slices where the loss is higher than elsewhere."""
    columns = columns_of(judged.rows.frame)
    for name in list(columns):
        if model.contract.column(name).kind is Kind.TEXT:
            del columns[name]
    losses = loss(model.task.kind, judged.target, judged.scores)
    expected = _expected(judged.scores) if model.task.is_classification else None
    cut = slices.candidates(columns, leading=leading, shown=_moments(model))
    found = slices.weak(losses, cut, seed=seed, expected=expected)
    found["loss"] = "log loss" if model.task.is_classification else "squared error"
    found["on"] = judged.on
    return found


def _moments(model: Model) -> dict[str, slices.Show]:
    """Return how the moments of the columns that hold some are written."""
    times = [c for c in model.contract.inputs if c.kind is Kind.DATETIME]
    return {c.name: lambda value, c=c: str(readable(c, float(value))) for c in times}  # type: ignore[misc]


def _expected(scores: Floats) -> Floats:
    """Return the log loss each row has in the mean if its probabilities are right: their entropy."""
    inside = np.clip(scores, 1e-12, 1.0)
    return np.asarray(-(inside * np.log(inside)).sum(axis=1))


def by_groups(judged: Judged, model: Model, names: Sequence[str]) -> dict[str, Any]:
    """Return the fairness of each named column of the table, whether the model reads it or not.

    Raises:
        UnknownColumn: The table has no such column.
    """
    found = {}
    raw = judged.rows.raw
    for name in names:
        if name not in raw.columns:
            raise UnknownColumn(
                "groups are told by a column of the table",
                where="--group-by",
                got=name,
                fix=closest(name, raw.columns),
            )
        group = _groups(judged.rows, model, name)
        choices = model.choices(judged.scores)
        found[name] = {**fairness.by_group(group, model.task, judged.target, judged.scores, choices), "on": judged.on}
    return found


def _groups(rows: Rows, model: Model, name: str) -> Array:
    """Return a column's groups: its levels, or quarters of a number."""
    if name in rows.frame.columns and model.contract.column(name).kind in (Kind.NUMBER, Kind.DATETIME):
        values = rows.frame[name].to_numpy()
        quarters = slices.candidates({name: np.asarray(values, dtype=np.float64)}, shown=_moments(model))
        told = np.full(len(values), None, dtype=object)
        for one in quarters:
            told[one.rows] = one.terms[0][1]
        return told
    series = rows.frame[name] if name in rows.frame.columns else rows.raw[name]
    return np.array(series.cast(pl.String, strict=False).to_list(), dtype=object)


def robustness(rows: Rows, model: Model, leading: Sequence[str], *, seed: int) -> list[dict[str, Any]]:
    """Return what noise, missing columns and slips of units do to the answers, and whether the contract notices.

    The measure before and after is of the delivered model on these rows; their difference is paired. Where the rows
    have no target, only the answers that change are counted.
    """
    frame = rows.frame
    rng = np.random.default_rng(seed)
    numbers = [c.name for c in model.contract.inputs if c.kind is Kind.NUMBER]
    trials: list[tuple[str, str, pl.DataFrame]] = []
    if numbers:
        trials.append(("noise", f"noise of {100 * NOISE:g} % of each number's spread", _noisy(frame, numbers, rng)))
    for name in leading[:COLUMNS_TRIED]:
        gone = pl.Series(name, [None] * frame.height, dtype=frame.schema[name])
        trials.append(("missing", f"{name} is missing", frame.with_columns(gone)))
    for name in [n for n in leading if n in numbers][:2]:
        trials += [("unit", f"{name} is {what}", frame.with_columns(frame[name] * by)) for by, what in SLIPS]
    before = model.scores(frame)
    return [_trial(kind, what, after, before, rows, model) for kind, what, after in trials]


def _noisy(frame: pl.DataFrame, numbers: Sequence[str], rng: np.random.Generator) -> pl.DataFrame:
    spread = {n: float(frame[n].std() or 0.0) for n in numbers}  # type: ignore[arg-type]
    return frame.with_columns(frame[n] + pl.Series(rng.normal(0, NOISE * spread[n], frame.height)) for n in numbers)


def _trial(kind: str, what: str, frame: pl.DataFrame, before: Floats, rows: Rows, model: Model) -> dict[str, Any]:
    after = model.scores(frame)
    task = model.task
    entry: dict[str, Any] = {"kind": kind, "what": what, "flagged": _flagged(frame, model)}
    if task.is_classification:
        entry["changed"] = float((model.choices(before) != model.choices(after)).mean())
        entry["moved"] = float(np.abs(after - before).max(axis=1).mean())
    else:
        entry["moved"] = float(np.abs(after - before).mean())
    known = np.flatnonzero(rows.is_labelled)
    if rows.target is not None and len(known) > 1:
        both = (model.choices(after[known]), model.choices(before[known])) if task.is_classification else (None, None)
        metric = task.metric
        gap = paired(task, rows.target[known], after[known], before[known], metric=metric, choices=both)
        entry["difference"] = {"metric": metric, **gap.to_dict()}
    return entry


def _flagged(frame: pl.DataFrame, model: Model) -> float:
    """Return the share of rows that the contract flags: outside a column's range, or missing where that is flagged."""
    flagged = np.zeros(frame.height, dtype=bool)
    for column in model.contract.inputs:
        if column.null_policy is not NullPolicy.ALLOW:
            flagged |= frame[column.name].is_null().to_numpy()
        if column.is_numeric and column.low is not None and column.high is not None:
            values = frame[column.name].to_numpy()
            flagged |= (values < column.low) | (values > column.high)
    return float(flagged.mean()) if len(flagged) else 0.0


def calibration(judged: Judged, model: Model) -> dict[str, Any]:
    """Return whether answers mean what they say, on the judged rows."""
    task, choices = model.task, model.choices(judged.scores)
    kpis = measure(task, judged.target, judged.scores, choices)
    if task.is_classification:
        curve = figures(task, judged.target, judged.scores, choices).get("calibration")
        return {"error": kpis["calibration_error"].to_dict(), "curve": curve, "on": judged.on}
    away = judged.scores - np.asarray(judged.target, dtype=np.float64)
    error = float(away.std(ddof=1) / np.sqrt(len(away))) if len(away) > 1 else 0.0
    mean = float(away.mean())
    return {"bias": {"value": mean, "low": mean - 1.96 * error, "high": mean + 1.96 * error}, "on": judged.on}


def uncertainty(package: Package, judged: Judged | None) -> dict[str, Any] | None:
    """Return how far an answer must reach to hold the truth nine times of ten, from rows the model had not seen."""
    if package.sealed is not None and len(package.sealed.target):
        return {**conformal.describe(package.sealed.target, package.sealed.scores), "on": "the sealed rows"}
    if judged is not None:
        return {**conformal.describe(judged.target, judged.scores), "on": judged.on}
    return None
