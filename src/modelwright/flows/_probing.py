"""Probing: what a model answers when a column's values are others than they are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from modelwright.core.contract import Kind
from modelwright.evaluation import effects
from modelwright.flows._known_rows import columns_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.core.arrays import Array, Floats, Ints
    from modelwright.core.contract import Contract
    from modelwright.core.model import Model

SHAPE_ROWS, INTERACTION_ROWS = 500, 40
LEVELS_SHOWN = 8
PAIRED = 4
"""Interactions are looked for between so many leading columns."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A model, rows, and the one number per row that is looked at.

    Attributes:
        model: Answers.
        frame: Conformed rows, the columns the model reads.
        label: Which label's probability is looked at; None for values.
    """

    model: Model
    frame: pl.DataFrame
    label: int | None

    def answers(self, frame: pl.DataFrame | None = None) -> Floats:
        """Return the values, or the probabilities of the label, for these or other rows."""
        scores = self.model.scores(self.frame if frame is None else frame)
        return scores if self.label is None else scores[:, self.label]

    def with_column(self, name: str, values: Array | Sequence[object]) -> Floats:
        """Return the answers with other values in one column."""
        dtype = self.frame.schema[name]
        cells: Any = values.tolist() if isinstance(values, np.ndarray) else values
        return self.answers(self.frame.with_columns(pl.Series(name, cells, dtype=dtype, nan_to_null=True)))


def shapes(probe: Probe, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the effect of each column, in the given order; free texts are left out."""
    found = []
    for name in names:
        column = probe.model.contract.column(name)
        if column.kind is Kind.TEXT:
            continue
        if column.kind in (Kind.NUMBER, Kind.DATETIME):
            values = probe.frame[name].to_numpy().astype(np.float64)
            effect = effects.of_number(values, lambda v, n=name: probe.with_column(n, v))  # type: ignore[misc]
        else:
            effect = _of_levels(probe, name)
        found.append({"column": name, "kind": column.kind.value, **effect})
    return found


def _of_levels(probe: Probe, name: str) -> dict[str, Any]:
    """Return the effect of a column's most frequent levels; rows with others, or with none, are not asked."""
    counted = probe.frame[name].drop_nulls().value_counts(sort=True).head(LEVELS_SHOWN)
    levels: list[Any] = (
        sorted(counted[name].to_list()) if probe.frame[name].dtype.is_numeric() else counted[name].to_list()
    )
    number = {level: i for i, level in enumerate(levels)}
    cells = probe.frame[name].to_list()
    place = np.array([number.get(cell, -1) for cell in cells], dtype=np.int64)
    truth = {0.0: "false", 1.0: "true"}
    told = [level if isinstance(level, str) else truth.get(level, f"{level:g}") for level in levels]
    others = {n: v for n, v in columns_of(probe.frame.drop(name)).items() if _is_comparable(probe, n)}

    def respond(asked: Ints) -> Floats:
        given = [levels[i] if at >= 0 else cell for i, at, cell in zip(asked.tolist(), place, cells, strict=True)]
        return probe.with_column(name, given)

    return effects.of_levels(told, place, respond, others)


def _is_comparable(probe: Probe, name: str) -> bool:
    return probe.model.contract.column(name).kind is not Kind.TEXT


def interactions(probe: Probe, names: Sequence[str], *, is_odds: bool) -> list[dict[str, Any]]:
    """Return how much the leading columns work together, the strongest pair first.

    Probabilities are looked at as log-odds: near 0 and 1 they bend by themselves, which is no interaction.
    """
    chosen = [n for n in names if probe.model.contract.column(n).kind is not Kind.TEXT][:PAIRED]
    frame = probe.frame.head(INTERACTION_ROWS)
    alone = {name: _mean_at(probe, frame, (name,), is_odds=is_odds) for name in chosen}
    found = []
    for one, other in combinations(chosen, 2):
        joint = _mean_at(probe, frame, (one, other), is_odds=is_odds)
        unit = "log-odds" if is_odds else "target"
        found.append({"columns": [one, other], **effects.interaction(joint, alone[one], alone[other]), "unit": unit})
    return sorted(found, key=lambda e: -float(e["h"]))


def _mean_at(probe: Probe, frame: pl.DataFrame, names: tuple[str, ...], *, is_odds: bool) -> Floats:
    """Return, for each row, the mean answer of all rows with that row's values in these columns."""
    n = frame.height
    asked, given = np.tile(np.arange(n), n), np.repeat(np.arange(n), n)
    mixed = frame[asked].with_columns(frame[name][given] for name in names)
    answers = probe.answers(mixed)
    if is_odds:
        inside = np.clip(answers, 1e-6, 1 - 1e-6)
        answers = np.log(inside / (1 - inside))
    return np.asarray(answers.reshape(n, n).mean(axis=1))


def changed(frame: pl.DataFrame, contract: Contract, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """Return one row many times, each time with a few columns changed."""
    base = frame[np.zeros(len(rows), dtype=np.int64)]
    columns = []
    for name in dict.fromkeys(n for row in rows for n in row):
        cells = base[name].to_list()
        for i, row in enumerate(rows):
            if name in row:
                cells[i] = row[name]
        dtype = pl.Float64 if contract.column(name).is_numeric else pl.String
        columns.append(pl.Series(name, cells, dtype=dtype))
    return base.with_columns(columns)
