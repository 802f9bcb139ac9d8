"""Inference: what each column of a table means, with the reason and how sure it is.

The rules, in this order; a row's missing cells take no part. Shares are of the present rows.

1. CONSTANT: at most one distinct value, or none. One mark of truth beside blank cells (``x``) is BOOLEAN.
2. BOOLEAN: typed truths, only 0 and 1, or only spellings of true and false, both of them.
3. DATETIME: typed dates, or 95 % read by one date pattern. Whether the day or the month comes first is decided
   by all values of the column; where no value decides, ``/`` has the month first, other marks the day, and the
   confidence is low. Numbers such as 20110131 or epoch seconds are dates only under a name that says so.
4. NUMBER: 95 % read as numbers, all with the same marks. From 80 % on it is a number of low confidence if the
   values are many; few values become levels, which loses nothing. Digit strings of one width with leading
   zeros are codes, not numbers. Codes without are left as numbers: trees cope with them.
5. IDENTIFIER: at least 95 % distinct, and either short texts without blanks, or whole numbers with a name
   that says so, or whole numbers that are all distinct and fill at least half of their range (a running number;
   years do not count), or whole numbers too long to be measured. Needs 20 rows where the name or digits say
   so, else 100, since in a short table measurements are distinct too.
6. TEXT: long values (3 words or 25 characters in the mean) of which at least 20 and 10 % of rows are distinct;
   or at least 100 short values of 1.5 words in the mean, 30 % of rows distinct: levels that hardly ever come
   back teach nothing, their words do.
7. CATEGORY: everything else.

Null tokens: ``?``, ``NA``, ``-`` and the like mean missing in every column. Words that can be a level of their
own (``None``, ``unknown``) mean missing only among numbers, truths and dates; in a category they stay levels,
which loses nothing, and the reason says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from modelwright.core.contract import Column, Contract, Kind, Role
from modelwright.core.values import canonical_level
from modelwright.data._guessing import guess_number, guess_text
from modelwright.data._learning import learn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.core.table import Table


def infer(table: Table, *, roles: Mapping[str, Role] | None = None) -> Contract:
    """Return the contract a table suggests, each column with a confidence and a reason.

    Args:
        table: The rows, CSV cells as text or typed.
        roles: What columns are used for, by name; the others are features.

    Raises:
        UnknownColumn: A role is given to a column the table lacks.
    """
    contract = Contract(tuple(map(infer_column, table.frame.get_columns())))
    chosen = {contract.column(name).name: role for name, role in (roles or {}).items()}
    return Contract(tuple(replace(c, role=chosen.get(c.name, c.role)) for c in contract.columns))


def complete(table: Table, contract: Contract) -> Contract:
    """Return the contract with counts, ranges and levels learnt for columns a person wrote without them.

    Args:
        table: Rows that have the contract's columns, or some of them.
        contract: Columns with ``n_rows`` 0 get what the table tells; range and levels that are given stay.
    """
    return Contract(tuple(_completed(table, c) for c in contract.columns))


def _completed(table: Table, column: Column) -> Column:
    if column.n_rows or column.name not in table.columns:
        return column
    learnt, _, _ = learn(table.frame.get_column(column.name), column)
    is_integer = learnt.is_integer if column.low is None and column.high is None else column.is_integer
    return replace(
        learnt,
        low=learnt.low if column.low is None else column.low,
        high=learnt.high if column.high is None else column.high,
        is_integer=is_integer,
        # Levels a person lists are all there may be; the count of distinct ones says that the list is complete.
        levels=column.levels or learnt.levels,
        n_distinct=len(column.levels) or learnt.n_distinct,
    )


def infer_column(raw: pl.Series) -> Column:
    """Return what one column of cells means."""
    dtype = raw.dtype
    if raw.null_count() == raw.len():
        column, _, _ = learn(raw, Column(raw.name, Kind.CONSTANT, reason="no value at all"))
        return column
    if dtype == pl.Boolean or dtype in (pl.Date, pl.Datetime):
        kind = Kind.BOOLEAN if dtype == pl.Boolean else Kind.DATETIME
        form = "" if kind is Kind.BOOLEAN else "iso"
        typed = Column(raw.name, kind, reason=f"typed as {str(dtype).lower()}", datetime_format=form)
        return _constant_or(raw, learn(raw, typed)[0])
    if dtype.is_numeric() or dtype == pl.Duration:
        return _constant_or(raw, guess_number(raw, *learn(raw, Column(raw.name, Kind.NUMBER))))
    if dtype in (pl.Categorical, pl.Enum):
        raw = raw.cast(pl.String)
    elif dtype != pl.String:
        raw = pl.Series(raw.name, [None if v is None else canonical_level(v) for v in raw.to_list()], dtype=pl.String)
    return _constant_or(raw, guess_text(raw))


def _constant_or(raw: pl.Series, column: Column) -> Column:
    """Return the column, or the constant it is when it has one value; its range is kept."""
    is_mark = column.kind is Kind.BOOLEAN and bool(column.true_spellings) and not column.false_spellings
    if column.n_distinct > 1 or is_mark:
        return column
    reason = "one value in every row" if not column.n_missing else "one value wherever there is any"
    if not column.n_distinct:
        reason = "no value at all"
    constant = replace(column, kind=Kind.CONSTANT, confidence=1.0, reason=reason)
    learnt, _, _ = learn(raw, constant)
    if learnt.n_distinct > 1:  # one number, and texts that are none
        return replace(learnt, kind=Kind.CATEGORY, confidence=0.6, reason=f"{learnt.n_distinct:,} levels")
    return learnt
