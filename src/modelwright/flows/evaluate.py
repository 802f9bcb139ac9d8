"""Evaluate: measure a package on labelled rows that came later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import EmptySource, UnknownColumn, closest
from modelwright.core.fingerprint import plain
from modelwright.data.conforming import conform
from modelwright.data.reading import read
from modelwright.data.tasks import encode
from modelwright.evaluation.intervals import measure
from modelwright.flows._evidence import with_cost
from modelwright.flows.load import load
from modelwright.reports.terminal import measures, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from modelwright.core.contract import Break
    from modelwright.core.score import Score
    from modelwright.flows.predictor import Predictor


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Measures of a package on labelled rows.

    Attributes:
        model: The package that was measured.
        kpis: Its measures, each with an interval.
        n_rows: Rows that were measured.
        n_left_out: Rows without a known target, which were not.
        breaks: How the rows departed from the contract.
    """

    model: Predictor
    kpis: Mapping[str, Score]
    n_rows: int
    n_left_out: int
    breaks: tuple[Break, ...]

    def summary(self, width: int) -> str:
        """Return the measures as plain text for a terminal of this width."""
        head = f"{self.n_rows:,} rows measured" + (
            f", {self.n_left_out:,} without a known target" if self.n_left_out else ""
        )
        broken = [f"note: column {b.column!r}: {b.rule} in {b.n_rows:,} rows, {b.action}" for b in self.breaks]
        lines = [measures(self.kpis, self.model.package.model.task.target, width=width)]
        return "\n".join([head, "", *lines, *(wrapped(b, width) for b in broken)])

    def to_dict(self) -> dict[str, Any]:
        """Return what ``evaluate --json`` prints."""
        task = self.model.package.model.task
        return {
            "fingerprint": self.model.fingerprint,
            "task": task.kind.value,
            "target": task.target,
            "metric": task.metric,
            "rows": self.n_rows,
            "rows_left_out": self.n_left_out,
            "kpis": {name: score.to_dict() for name, score in self.kpis.items()},
            "breaks": plain(self.breaks),
        }


def evaluate(package: str | Path, source: object, *, query: str | None = None, seed: int = 0) -> Evaluated:
    """Measure a package on labelled rows.

    Args:
        package: A model package, or a registered name such as ``churn@champion``.
        source: Anything that can be read as a table; it holds the target column.
        query: SQL query, when the source is a database.
        seed: Of the resampling behind some intervals.

    Raises:
        UnknownColumn: The target column is missing.
        EmptySource: No row has a target the model knows.
    """
    model = load(package)
    known = model.package.model
    table = read(source, query=query)
    if known.task.target not in table.columns:
        raise UnknownColumn(
            "rows to evaluate on hold the target",
            where=table.source,
            got=f"no column {known.task.target!r}",
            fix=closest(known.task.target, table.columns),
        )
    target, labelled = encode(table, known.task, known.contract)
    if not labelled.any():
        raise EmptySource(
            "at least one row has a known target",
            where=f"{table.source}, column {known.task.target}",
            got="none",
            fix="give rows whose target is filled in and was seen in training",
        )
    scores, breaks = model.scores(table.frame.filter(labelled))
    weight = None
    if known.task.weight is not None and known.task.weight in table.columns:
        weights = conform(table.frame.filter(labelled).select(known.task.weight), known.contract).frame[
            known.task.weight
        ]
        weight = np.asarray(weights.fill_null(0.0).to_numpy())
    choices = known.choices(scores)
    kpis = with_cost(
        measure(known.task, target[labelled], scores, choices, weight=weight, seed=seed),
        known.task,
        target[labelled],
        scores,
        choices,
        weight,
    )
    return Evaluated(model, kpis, int(labelled.sum()), int((~labelled).sum()), breaks)
