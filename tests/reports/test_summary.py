"""The summary fits any terminal and says the main things."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.reports.summary import summary


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_lines_fit_the_terminal(any_view, width):
    shown = summary(any_view, width)
    assert all(len(line) <= width for line in shown.splitlines())
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf") and c not in "\n\u200d\u200c"]


def test_it_is_short(any_view):
    assert 3 <= len(summary(any_view, 100).splitlines()) <= 14


@settings(max_examples=30, deadline=None)
@given(st.integers(-5, 300))
def test_any_width_will_do(width):
    from modelwright.core.contract import Contract
    from modelwright.core.evidence import Evidence
    from modelwright.core.manifest import Manifest
    from modelwright.core.task import Task, TaskKind
    from modelwright.reports.view import View

    manifest = Manifest("1", {}, 0, {}, "", {}, {}, {})
    view = View(Task(TaskKind.REGRESSION, "y" * 90, "rmse"), Contract(()), Evidence({}), (), manifest, "m")
    assert all(len(line) <= max(width, 20) for line in summary(view, width).splitlines())


def test_the_main_things_are_said(views):
    shown = " ".join(summary(views["binary"], 80).split())
    for part in (
        "Predicts whether Churn is “Yes”.",
        "ROC AUC 0.843 (95 % interval 0.822 to 0.864), on 1,409 sealed rows.",
        "Worth having",
        "Matters most: tenure, Contract and MonthlyCharges.",
        "! F012 Where TotalCharges is missing",
        "Package: churn.model, 1.8 MB",
    ):
        assert part in shown


def test_many_severe_findings_are_counted(views):
    assert "! 11 more in the report." in summary(views["hostile"], 80)
