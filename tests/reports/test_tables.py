"""Tables hold every measure and stay short."""

from __future__ import annotations

from dataclasses import replace

from modelwright.core.contract import Column, Contract, Kind
from modelwright.core.evidence import Evidence
from modelwright.reports import tables
from modelwright.reports.names import as_plain


def test_every_measure_stands_in_one_of_two_tables(any_view):
    rows = [*tables.quality(any_view), *tables.costs(any_view)]
    assert len(rows) == len(any_view.evidence.kpis)


def test_the_yardsticks_stand_beside_the_measure(views):
    rows = {r.title: r for r in tables.quality(views["binary"])}
    assert tables.yardstick_names(views["binary"]) == ["Default LightGBM", "Always the same answer"]
    assert rows["ROC AUC"].yardsticks == ("0.831", "0.500")
    assert rows["F1"].yardsticks == ("–", "–")


def test_measures_of_the_other_task_are_named(views):
    assert tables.absent(views["regression"]) == "Accuracy, Precision, Recall and F1 do not exist for a regression."
    assert "R² do not exist for a classification" in tables.absent(views["binary"])


def test_errors_are_in_units_of_the_target(views):
    titles = [as_plain(r.title) for r in tables.quality(views["regression"])]
    assert "Mean absolute error (in cnt)" in titles
    assert "Mean squared error (in cnt²)" in titles


def test_ties_are_marked(views):
    assert [row[4] for row in tables.candidates(views["binary"])[:3]] == ["best", "tied with the best", "behind"]


def test_a_wide_contract_is_cut(views):
    assert len(tables.contract(views["wide"])) == tables.COLUMNS_SHOWN
    assert as_plain(tables.finding_columns(views["wide"].findings[0])).endswith("and 4,994 more")
    assert len(tables.finding_evidence(views["wide"].findings[0])) < 400


def test_odd_evidence_is_shown_without_failing(views):
    odd = Evidence(
        {}, leaderboard=({"name": "x"},), convergence=({"name": "x", "rounds": None},), bias_variance={"loss": None}
    )
    view = replace(views["binary"], evidence=odd, contract=Contract((Column("x", Kind.NUMBER),)))
    assert tables.candidates(view)[0][2:4] == ("–", "–")
    assert tables.bias_variance(view) == []
    assert tables.convergences(view)[0][1] == "0"


def test_provenance_shows_no_password(views):
    view = views["binary"]
    data = {**view.manifest.data, "source": "postgresql://ann:secret@host/db"}
    told = dict(tables.provenance(replace(view, manifest=replace(view.manifest, data=data))))
    assert told["Source"] == "postgresql://…@host/db"
