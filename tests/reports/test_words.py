"""What a person reads first says what was measured."""

from __future__ import annotations

from dataclasses import replace

from modelwright.core.evidence import Evidence
from modelwright.core.finding import Finding, Severity
from modelwright.core.score import Score
from modelwright.core.task import Task, TaskKind
from modelwright.reports import words
from modelwright.reports.names import as_plain


def test_a_binary_task_is_told_as_a_question():
    assert (
        as_plain(words.predicts(Task(TaskKind.BINARY, "Churn", "roc_auc", ("No", "Yes")))) == "whether Churn is “Yes”"
    )
    assert as_plain(words.predicts(Task(TaskKind.REGRESSION, "cnt", "rmse"))) == "the number cnt"


def test_precision_and_recall_become_rows_of_a_hundred(views):
    precision, recall, ranking = words.facts(views["binary"])
    assert as_plain(precision.sentence) == "Of 100 rows it calls “Yes”, about 67 really are."
    assert precision.doubt == "95 % interval: 63 to 71 of 100"
    assert as_plain(recall.sentence) == "Of 100 rows that are “Yes”, it finds about 72."
    assert ranking.figure == "84 of 100"


def test_a_regression_is_told_in_units_of_its_target(views):
    error, explained, asked = words.facts(views["regression"])
    assert error.figure == "± 26.3"
    assert as_plain(error.sentence) == "On average its estimate of cnt is off by 26.3."
    assert explained.figure == "94 of 100"
    assert asked.sentence.startswith("Root mean squared error, the measure the model was chosen by (less is better)")


def test_a_model_worse_than_the_average_is_not_said_to_explain(views):
    view = views["regression"]
    kpis = {"r2": Score("r2", -0.2, -0.5, 0.1, 90)}
    (explained,) = words.facts(replace(view, task=replace(view.task, metric="r2"), evidence=Evidence(kpis)))
    assert explained.sentence.startswith("It explains nothing")
    assert explained.share is None


def test_a_single_row_still_says_something(views):
    (fact,) = words.facts(views["tiny"])
    assert fact.sentence == "Of 100 rows, it answers rightly for about 100."
    assert words.headline(views["tiny"]) == "ROC AUC: not measured"


def test_nothing_measured_is_no_fact(views):
    assert words.facts(replace(views["tiny"], evidence=Evidence({}))) == ()


def test_the_headline_names_measure_interval_and_rows(views):
    assert words.headline(views["binary"]) == "ROC AUC 0.843 (95 % interval 0.822 to 0.864), on 1,409 sealed rows"


def test_columns_whose_interval_spans_zero_do_not_drive():
    entries = (
        {"column": "a", "value": 0.2, "low": 0.1, "high": 0.3},
        {"column": "b", "value": 0.1, "low": -0.1, "high": 0.3},
    )
    assert words.drivers(Evidence({}, importance=entries)) == ("a",)


def test_a_finding_that_begins_with_a_column_keeps_its_spelling():
    leak = Finding("F010", Severity.SEVERE, "injSeverity alone predicts the target", ("injSeverity",))
    assert words.finding_sentence(leak) == "injSeverity alone predicts the target"
    assert words.finding_sentence(replace(leak, columns=("x",))) == "InjSeverity alone predicts the target"


def test_the_verdict_is_read_from_the_evidence(views):
    assert words.worth(views["binary"].evidence).startswith("Worth having: better")
    assert words.worth(Evidence({})) == ""
