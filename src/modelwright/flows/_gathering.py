"""Gathering: the rows a model learnt from and the labelled ones it has answered since, as one table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from modelwright.core.contract import Kind, Role
from modelwright.core.errors import ModelwrightError, NothingToLearn, UnknownColumn, closest
from modelwright.core.fingerprint import fingerprint
from modelwright.core.table import Table
from modelwright.data.conforming import conform
from modelwright.data.reading import read
from modelwright.data.tasks import encode
from modelwright.registry.ledger_privacy import MASK

if TYPE_CHECKING:
    from modelwright.core.arrays import Bools, Floats
    from modelwright.core.ports import Ledger
    from modelwright.core.prediction import Answered
    from modelwright.packaging.package import Package

WEIGHT = "recency_weight"
"""The column of weights by age that a retrained model may have learnt with; made anew each time."""
IDS = "ids.json"
"""Beside the table of a retrained model: the predictions whose outcomes it learnt from."""
REPEATS_USUAL = 0.01
"""Where more of the old rows repeat each other than this, a new row that equals an old one is no copy of it."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Rows to learn from.

    Attributes:
        frame: As in the source: the old rows first, then the new ones by the time they were asked.
        times: When each happened, seconds since 1970-01-01 UTC; old rows of no known time when the champion was made.
        is_new: The rows that the champion has not learnt from.
        ids: Of the predictions behind the new rows, in their order.
        known_ids: Of those behind old rows.
        has_times: Whether the old rows have times of their own.
        counts: ``old``, ``new``, ``repeated`` (left out as copies of old rows), ``known`` (learnt from already).
        fingerprint: Of the new rows: ids and outcomes.
    """

    frame: pl.DataFrame
    times: Floats
    is_new: Bools
    ids: tuple[str, ...]
    known_ids: tuple[str, ...]
    has_times: bool
    counts: dict[str, int]
    fingerprint: str


def gather(name: str, package: Package, ledger: Ledger, *, data: str | None) -> Gathered:
    """Return what a model's successor may learn from.

    Args:
        name: What the model is asked under.
        package: The champion's.
        ledger: Where answers and outcomes are.
        data: The table the champion was trained on; None for where its manifest says it was.

    Raises:
        NothingToLearn: That table is not at hand, or the ledger does not keep what the model reads.
        UnknownColumn: The table lacks a column.
        LedgerUnavailable: The ledger cannot be read.
    """
    old = _old(package, data)
    known = _known_ids(package)
    answered, n_known = _labelled(ledger, name, known)
    _check_kept(package, answered)
    columns = {c: [_cell(a, c, package) for a in answered] for c in old.columns}
    old, new = _alike(old, columns)
    times = np.array([a.record.time for a in answered])
    kept = ~_copies(old, new, package)
    new, times = new.filter(kept), times[kept]
    taken = [a for a, keep in zip(answered, kept.tolist(), strict=True) if keep]
    of_old, has_times = _times_of(old, package)
    if not has_times and len(times):
        of_old = np.minimum(of_old, times.min() - 1.0)  # what it learnt from is older than what it was asked
    counts = {"old": old.height, "new": new.height, "repeated": int((~kept).sum()), "known": n_known}
    told = fingerprint([[a.record.id, None if a.outcome is None else a.outcome.value] for a in taken])
    return Gathered(
        pl.concat([old, new]),
        np.concatenate([of_old, times]),
        np.concatenate([np.zeros(old.height, dtype=bool), np.ones(new.height, dtype=bool)]),
        tuple(a.record.id for a in taken),
        tuple(sorted(known)),
        has_times,
        counts,
        told,
    )


def _old(package: Package, data: str | None) -> pl.DataFrame:
    """Return the rows a package was made from."""
    manifest = package.manifest
    source = data or str(manifest.data["source"])
    try:
        frame = read(source, query=manifest.options.get("query") if data is None else None).frame
        test = manifest.options.get("test")
        if data is None and isinstance(test, str) and Path(test).is_file():
            frame = pl.concat([frame, read(test).frame.select(frame.columns)], how="vertical_relaxed")
    except UnknownColumn:
        raise
    except ModelwrightError as error:
        raise NothingToLearn(
            "the rows a model learnt from are at hand when it is retrained",
            where=source,
            got=f"{error.rule}: {error.got}",
            fix="name its table with --data",
        ) from error
    task, contract = package.model.task, package.model.contract
    for name in (task.target, *(c.name for c in contract.inputs)):
        if name not in frame.columns:
            raise UnknownColumn(
                "the table has the columns that the model reads",
                where=source,
                got=name,
                fix=closest(name, frame.columns),
            )
    return frame.drop(WEIGHT, strict=False)


def _known_ids(package: Package) -> frozenset[str]:
    """Return the predictions whose outcomes a model has learnt from; none for one that was not retrained here."""
    path = Path(str(package.manifest.data["source"])).with_name(IDS)
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return frozenset()
    return frozenset(str(i) for i in found) if isinstance(found, list) else frozenset()


def _labelled(ledger: Ledger, name: str, known: frozenset[str]) -> tuple[list[Answered], int]:
    """Return the answers whose outcome is known, by time, and how many of them the champion has learnt from."""
    found, n_known = [], 0
    for batch in ledger.read(name):
        for one in batch:
            # A shadow answers the rows that the champion answers: they would count twice.
            if one.outcome is None or one.outcome.value is None or one.record.role == "shadow":
                continue
            if one.record.id in known:
                n_known += 1
            else:
                found.append(one)
    return found, n_known


def _check_kept(package: Package, answered: list[Answered]) -> None:
    """Check that the ledger keeps the columns that the model reads: without them its rows teach nothing."""
    for column in package.model.contract.inputs if answered else ():
        cells = [a.record.row.get(column.name) for a in answered]
        if all(_is_hidden(c) or c is None for c in cells) and (
            any(_is_hidden(c) for c in cells) or all(column.name not in a.record.row for a in answered)
        ):
            raise NothingToLearn(
                "the ledger keeps the columns that the model reads, or its rows cannot be learnt from",
                where=column.name,
                got="masked, hashed or dropped in every row",
                fix="serve with this column kept, or retrain on a table of your own: modelwright train",
            )


def _is_hidden(cell: object) -> bool:
    return isinstance(cell, str) and (cell == MASK or cell.startswith("hmac:"))


def _cell(answered: Answered, column: str, package: Package) -> Any:
    """Return what a new row holds in a column, spelt as the old rows spell it."""
    assert answered.outcome is not None
    is_target = column == package.model.task.target
    cell: Any = answered.outcome.value if is_target else answered.record.row.get(column)
    if _is_hidden(cell) or cell == "":
        return None
    contract = package.model.contract
    if isinstance(cell, float) and column in contract and contract.column(column).decimal == ",":
        return f"{cell!r}".replace(".", ",")
    return cell


def _alike(old: pl.DataFrame, columns: dict[str, list[Any]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return old and new rows with the same types: the old ones' where the new cells fit, else text."""
    kept, made = [], []
    for name, cells in columns.items():
        series = old[name]
        new = _fitting(name, cells, series.dtype)
        if new is None:
            series = series.cast(pl.String)
            new = pl.Series(name, [_text(c) for c in cells], dtype=pl.String)
        kept.append(series)
        made.append(new)
    return pl.DataFrame(kept), pl.DataFrame(made)


def _fitting(name: str, cells: list[Any], dtype: pl.DataType) -> pl.Series | None:
    if dtype == pl.String:
        return pl.Series(name, [_text(c) for c in cells], dtype=pl.String)
    if dtype == pl.Boolean or dtype.is_numeric():
        wanted = bool if dtype == pl.Boolean else (int, float)
        if all(c is None or (isinstance(c, wanted) and (dtype == pl.Boolean) == isinstance(c, bool)) for c in cells):
            if dtype.is_integer() and not all(c is None or float(c).is_integer() for c in cells):
                return None
            return pl.Series(name, [c if c is None or dtype == pl.Boolean else float(c) for c in cells]).cast(dtype)
        return None
    if all(c is None for c in cells):
        return pl.Series(name, cells, dtype=dtype)
    return None


def _text(cell: Any) -> str | None:
    if cell is None:
        return None
    if isinstance(cell, bool):
        return str(cell).lower()
    # A whole number that came as 3.0 is written as tables write it.
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15 else str(cell)


def _copies(old: pl.DataFrame, new: pl.DataFrame, package: Package) -> Bools:
    """Return which new rows are copies of an old or an earlier new one; none where rows repeat by nature."""
    if not new.height:
        return np.zeros(0, dtype=bool)
    before, after = _rows(old, package), _rows(new, package)
    if len(set(before)) < (1 - REPEATS_USUAL) * len(before):
        return np.zeros(new.height, dtype=bool)
    seen, found = set(before), []
    for row in after:
        found.append(row in seen)
        seen.add(row)
    return np.array(found)


def _rows(frame: pl.DataFrame, package: Package) -> list[tuple[Any, ...]]:
    """Return each row as its contract reads it, so that 1 and "1.0" are the same."""
    model = package.model
    read_as = conform(frame, model.contract, only_inputs=True).frame
    target, known = encode(Table(frame, "", ""), model.task, model.contract)
    told = pl.Series("\x00", [t if k else None for t, k in zip(target.tolist(), known.tolist(), strict=True)])
    return read_as.with_columns(told).rows()


def _times_of(old: pl.DataFrame, package: Package) -> tuple[Floats, bool]:
    """Return when the old rows happened: by the column of time, or all when the champion was made."""
    contract = package.model.contract
    made = datetime.fromisoformat(package.manifest.created).timestamp() if package.manifest.created else 0.0
    named = [c for c in contract.columns if c.role is Role.TIME and c.kind is Kind.DATETIME and c.name in old.columns]
    if named:
        frame = conform(old, contract).frame
        if named[0].name in frame.columns and not frame[named[0].name].null_count():
            return np.asarray(frame[named[0].name].to_numpy(), dtype=np.float64), True
    return np.full(old.height, made), False
