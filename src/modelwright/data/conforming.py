"""Conforming: a foreign frame becomes one that keeps the contract, and what broke it is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from modelwright.core.contract import Break, Kind, NullPolicy, Role
from modelwright.core.errors import ContractBroken
from modelwright.data._cells import Cells, read_cells

if TYPE_CHECKING:
    from modelwright.core.contract import Column, Contract

_LONGEST_EXAMPLE = 60


@dataclass(frozen=True, slots=True)
class Conformed:
    """Rows that keep the contract.

    Attributes:
        frame: Every column asked for, in contract order; Float64 for numeric kinds, String for others; null
            where missing; never NaN, never infinite.
        breaks: How the rows departed from the contract, in contract order, extra columns last.
    """

    frame: pl.DataFrame
    breaks: tuple[Break, ...]


def conform(frame: pl.DataFrame, contract: Contract, *, only_inputs: bool = False) -> Conformed:
    """Return a frame as the contract reads it; each cell is what ``core.values.read_value`` says.

    Args:
        frame: Rows as text or typed, columns in any order.
        contract: The promises. Its target column may be absent, and is then left out.
        only_inputs: Ask only for the columns a model reads.

    Raises:
        ContractBroken: A value, or a whole column, is missing where the contract's null policy is ``refuse``.
    """
    asked = contract.inputs if only_inputs else contract.columns
    given = {series.name: series for series in frame.get_columns()}
    columns: list[pl.Series] = []
    breaks: list[Break] = []
    for column in asked:
        if column.name in given:
            cells = read_cells(given[column.name], column)
            breaks += _cell_breaks(cells, column)
        elif column.role is Role.TARGET:
            continue
        else:
            dtype = pl.Float64 if column.is_numeric else pl.String
            cells = Cells(pl.Series(column.name, [None], dtype=dtype).new_from_index(0, frame.height))
            breaks.append(_missing_column(column, frame.height))
        columns.append(cells.series)
    extra = (name for name in given if name not in contract)
    breaks += [Break(name, "extra column", frame.height, "ignored") for name in extra]
    # Without columns a frame has no height of its own.
    return Conformed(pl.DataFrame(columns) if columns else frame.select([]), tuple(breaks))


def _missing_column(column: Column, n_rows: int) -> Break:
    if column.null_policy is NullPolicy.REFUSE:
        raise ContractBroken(
            "a column that may not be missing is in every table to be scored",
            where=column.name,
            got="no such column",
            fix="add the column, or set its null_policy to allow in the contract",
        )
    return Break(column.name, "missing column", n_rows, "read as missing")


def _cell_breaks(cells: Cells, column: Column) -> list[Break]:
    """Return what one column's cells broke."""
    found = []
    n_missing = cells.series.null_count() - cells.n_unreadable
    if column.null_policy is NullPolicy.REFUSE and cells.series.null_count():
        raise ContractBroken(
            "a column whose null policy is refuse has a readable value in every row",
            where=column.name,
            got=f"{n_missing} missing and {cells.n_unreadable} unreadable of {cells.series.len()} values",
            fix="fill the values, or set null_policy to allow in the contract",
        )
    if column.null_policy is NullPolicy.FLAG and n_missing:
        found.append(Break(column.name, "missing value", n_missing, "kept and flagged"))
    if cells.n_unreadable:
        found.append(
            Break(column.name, "unreadable value", cells.n_unreadable, "read as missing", _short(cells.example))
        )
    if column.kind is Kind.CATEGORY:
        is_known = cells.distinct is not None and cells.distinct <= {level.value for level in column.levels}
        found += [] if is_known else _unknown_levels(cells.series, column)
    if column.kind in (Kind.NUMBER, Kind.DATETIME):
        found += _out_of_range(cells.series, column)
    return found


def _unknown_levels(series: pl.Series, column: Column) -> list[Break]:
    """Return a break for levels never seen, when the contract holds all that were seen."""
    if not column.levels or len(column.levels) < column.n_distinct:
        return []
    unknown = series.filter(~series.is_in([level.value for level in column.levels]) & series.is_not_null())
    if unknown.is_empty():
        return []
    return [Break(column.name, "unknown level", unknown.len(), "kept and flagged", _short(str(unknown[0])))]


def _out_of_range(series: pl.Series, column: Column) -> list[Break]:
    low = float("-inf") if column.low is None else column.low
    high = float("inf") if column.high is None else column.high
    least, most = series.min(), series.max()
    if least is None or (low <= least and most <= high):  # type: ignore[operator]
        return []
    outside = series.filter(~series.is_between(low, high))
    return [Break(column.name, "out of range", outside.len(), "kept and flagged", repr(outside[0]))]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_EXAMPLE else text[: _LONGEST_EXAMPLE - 1] + "…"
