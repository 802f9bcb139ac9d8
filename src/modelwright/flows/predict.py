"""Predict: score a table with a package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.core.fingerprint import plain
from modelwright.data.reading import read
from modelwright.data.writing import check_writable, write
from modelwright.flows.load import load

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from modelwright.core.contract import Break


@dataclass(frozen=True, slots=True)
class Scored:
    """Scored rows.

    Attributes:
        frame: ``prediction`` and ``probability_<label>``, and bounds if asked for; rows in input order.
        breaks: How the rows departed from the contract.
        out: Where they were written, or None.
        fingerprint: Names the package that scored.
    """

    frame: pl.DataFrame
    breaks: tuple[Break, ...]
    out: str | None
    fingerprint: str

    def to_dict(self) -> dict[str, Any]:
        """Return what was done as plain data, without the rows when they were written to a file."""
        data = {
            "out": self.out,
            "rows": self.frame.height,
            "fingerprint": self.fingerprint,
            "breaks": plain(self.breaks),
        }
        return data if self.out else {**data, "predictions": self.frame.to_dicts()}


def predict(
    package: str | Path,
    source: object,
    *,
    out: str | Path | None = None,
    query: str | None = None,
    coverage: float | None = None,
) -> Scored:
    """Score a table.

    Args:
        package: A model package, or a registered name such as ``churn@champion``.
        source: Anything that can be read as a table.
        out: Where to write: ``.parquet``, ``.csv`` or ``.jsonl`` by its ending; None to write nothing.
        query: SQL query, when the source is a database.
        coverage: Adds ``low`` and ``high``, or ``labels``, that hold the truth with this probability.

    Raises:
        ModelwrightError: The package, the table or the output place is not usable; nothing is half written.
    """
    if out is not None:
        check_writable(out)
    model = load(package)
    table = read(source, query=query)
    scores, breaks = model.scores(table.frame)
    frame = model.answers(scores)
    if coverage is not None:
        frame = frame.hstack(model.bounds(scores, coverage))
    if out is not None:
        write(frame, out)
    return Scored(frame, breaks, None if out is None else str(out), model.fingerprint)
