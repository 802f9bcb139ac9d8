"""Columns of the contract are told in words."""

from __future__ import annotations

import pytest

from modelwright.core.contract import Column, Kind, Level
from modelwright.reports import columns
from modelwright.reports.names import as_plain


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        (Column("x", Kind.NUMBER, low=-3, high=1e20), "-3 to 10²⁰"),
        (Column("x", Kind.DATETIME, low=0, high=86_400 * 365), "1970-01-01 to 1971-01-01"),
        (Column("x", Kind.DATETIME, low=-1e30, high=1e30), "-10³⁰ to 10³⁰"),
        (Column("x", Kind.BOOLEAN, low=0, high=1, n_distinct=2), "2 different"),
        (
            Column("x", Kind.CATEGORY, n_distinct=900, levels=tuple(Level(v, 1) for v in "abcdef")),
            "a, b, c, d and 896 more",
        ),
        (Column("x", Kind.TEXT), ""),
    ],
)
def test_what_was_seen(column, shown):
    assert as_plain(columns.seen(column)).replace("1 × ", "") == shown


def test_missing_and_reason():
    column = Column("x", Kind.NUMBER, n_rows=200, n_missing=3, confidence=0.8, reason="most are numbers")
    assert columns.missing(column) == "1.5 %"
    assert columns.missing(Column("x", Kind.NUMBER)) == "none"
    assert columns.reason(column) == "most are numbers (80 % sure)"
