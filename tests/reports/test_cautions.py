"""What not to use a model for follows from findings, rows and contract."""

from __future__ import annotations

from dataclasses import replace

import pytest

from modelwright.core.finding import Finding, Severity
from modelwright.reports.cautions import LEAKS, cautions, suspects
from modelwright.reports.names import as_plain


def told(view):
    return [as_plain(s) for s in cautions(view)]


@pytest.mark.parametrize("code", LEAKS)
def test_a_suspected_leak_comes_first(views, code):
    leak = Finding(code, Severity.SEVERE, "x gives the target away", ("x",))
    view = replace(views["binary"], findings=(*views["binary"].findings, leak))
    assert "x" in told(view)[0]
    assert told(view)[0].startswith("Do not use it before you have checked")
    assert leak in suspects(view)


def test_rows_in_time_order_are_told(views):
    assert any("later times" in s for s in told(views["binary"]))


def test_a_mere_remark_is_no_caution(views):
    remark = Finding("F021", Severity.INFO, "rows stand in time order")
    assert not any("later times" in s for s in told(replace(views["binary"], findings=(remark,))))


def test_the_ranges_of_the_columns_that_matter_are_told(views):
    assert any("tenure 0 to 72" in s for s in told(views["binary"]))


def test_few_rows_are_told(views):
    assert "Its quality is only roughly known: it was judged on 1 row." in told(views["tiny"])
    assert not any("roughly" in s for s in told(views["binary"]))


def test_a_class_it_misses_is_told(views):
    assert "Do not rely on it to find “A”: it misses more than half of them." in told(views["multiclass"])


def test_there_are_at_most_six_and_never_none(any_view):
    assert 1 <= len(cautions(any_view)) <= 6
