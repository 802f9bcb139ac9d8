"""Known rows: tables brought beside a package, read by its contract, with the truths they hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from modelwright.core.fingerprint import fingerprint
from modelwright.core.table import Table
from modelwright.data.conforming import conform
from modelwright.data.reading import read
from modelwright.data.tasks import encode

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Bools, Floats, Ints, Target
    from modelwright.core.contract import Break, Contract
    from modelwright.core.task import Task
    from modelwright.packaging.package import Package

FOUND_LEAST = 0.9
"""So much of the sealed rows must be found in a table before it is taken for the one they came from."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as a package reads them.

    Attributes:
        raw: As in the source.
        frame: Conformed, the columns the model reads.
        breaks: How they departed from the contract.
        target: Encoded, or None where the table has no target; meaningless where ``is_labelled`` is false.
        is_labelled: Which rows have a target the model knows.
        source: Where they came from.
    """

    raw: pl.DataFrame
    frame: pl.DataFrame
    breaks: tuple[Break, ...]
    target: Target | None
    is_labelled: Bools
    source: str

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return self.raw.height

    def take(self, rows: Ints) -> Rows:
        """Return the rows at these positions."""
        target = None if self.target is None else self.target[rows]
        return Rows(self.raw[rows], self.frame[rows], self.breaks, target, self.is_labelled[rows], self.source)


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows with truths and honest scores.

    Attributes:
        rows: The rows.
        target: Encoded.
        scores: Of a model that has not learnt from them, as far as is known.
        on: What these rows are, in a few words.
        is_sealed: Whether they are the package's own sealed rows with the scores of the judged model.
    """

    rows: Rows
    target: Array
    scores: Floats
    on: str
    is_sealed: bool


def known_rows(source: object, package: Package, *, query: str | None = None) -> Rows:
    """Read a table by a package's contract."""
    return rows_of(read(source, query=query), package.model.contract, package.model.task)


def rows_of(table: Table, contract: Contract, task: Task) -> Rows:
    """Return a table's rows as a contract reads them."""
    conformed = conform(table.frame, contract, only_inputs=True)
    target, known = None, np.zeros(table.n_rows, dtype=bool)
    if task.target in table.columns:
        target, known = encode(table, task, contract)
    return Rows(table.frame, conformed.frame, conformed.breaks, target, known, table.source)


def golden_rows(package: Package) -> Rows:
    """Return the few rows that travel in a package."""
    model = package.model
    frame = pl.DataFrame(list(package.golden.records), infer_schema_length=None)
    return rows_of(Table(frame, "the package's golden sample", ""), model.contract, model.task)


def judged_rows(package: Package, tables: list[Rows]) -> Judged | None:
    """Return the rows a model can be judged on: its sealed rows where a table holds them, else labelled ones."""
    labelled = [t for t in tables if t.is_labelled.any()]
    for rows in labelled:
        found = _sealed(package, rows)
        if found is not None:
            return found
    if not labelled:
        return None
    rows = labelled[0].take(np.flatnonzero(labelled[0].is_labelled))
    assert rows.target is not None
    scores = package.model.scores(rows.frame)
    return Judged(rows, rows.target, scores, f"{rows.n_rows:,} labelled rows, taken as not learnt from", False)


def _sealed(package: Package, rows: Rows) -> Judged | None:
    """Return the sealed rows of a package that a table holds, with the scores they had when they were judged."""
    sealed = package.sealed
    if sealed is None:
        return None
    at = {name: i for i, name in enumerate(sealed.rows)}
    names = (fingerprint(list(r)) for r in rows.raw.rows())
    pairs: dict[int, int] = {}
    for row, name in enumerate(names):
        if name in at and rows.is_labelled[row]:
            pairs.setdefault(at[name], row)
    if len(pairs) < FOUND_LEAST * len(set(sealed.rows)):
        return None
    place = np.array(sorted(pairs), dtype=np.int64)
    found = rows.take(np.array([pairs[i] for i in place.tolist()], dtype=np.int64))
    on = f"{len(place):,} sealed rows, with the scores of the model that never saw them"
    return Judged(found, sealed.target[place], sealed.scores[place], on, True)


def columns_of(frame: pl.DataFrame) -> dict[str, Array]:
    """Return a frame's columns as arrays: floats with NaN, text with None."""
    found: dict[str, Any] = {}
    for series in frame.get_columns():
        if series.dtype.is_numeric() or series.dtype == pl.Boolean:
            found[series.name] = series.cast(pl.Float64).to_numpy()
        else:
            found[series.name] = np.array(series.cast(pl.String, strict=False).to_list(), dtype=object)
    return found


def some(n: int, most: int, seed: int) -> Ints:
    """Return the numbers of at most so many rows, a seeded sample of more."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))
