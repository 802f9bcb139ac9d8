"""What a model gets wrong is counted from the confusion matrix and the residuals, not made up."""

from __future__ import annotations

from dataclasses import replace

from modelwright.reports.figures import Confusion
from modelwright.reports.mistakes import confused_pairs, mistakes, weak_classes
from modelwright.reports.names import as_plain


def told(view):
    return [as_plain(s) for s in mistakes(view)]


def test_false_alarms_and_misses_are_counted(views):
    view = views["binary"]
    figures = {"confusion": {"labels": ["No", "Yes"], "counts": [[900, 1], [30, 70]]}}
    view = replace(view, evidence=replace(view.evidence, figures=figures))
    assert told(view) == [
        "Of 1,001 sealed rows it got 970 right and 31 wrong.",
        "1 false alarm: it said “Yes” and was wrong.",
        "30 of 100 rows that were “Yes” it missed.",
    ]


def test_the_most_frequent_mix_up_of_many_classes_is_named(views):
    assert "“A” was taken for “B” in 60 of its 78 rows." in told(views["multiclass"])
    assert any(s.startswith("Of “A” it found 10 of 78 rows") for s in told(views["multiclass"]))


def test_pairs_come_by_count_and_right_answers_are_no_mix_up():
    table = Confusion(("a", "b", "c"), ((5, 2, 0), (3, 9, 1), (0, 0, 7)))
    assert confused_pairs(table) == [("b", "a", 3, 13), ("a", "b", 2, 7), ("b", "c", 1, 13)]


def test_a_class_of_few_rows_is_not_called_weak():
    assert weak_classes(Confusion(("a", "b"), ((0, 4), (0, 40)))) == []
    assert weak_classes(Confusion(("a", "b"), ((2, 4), (0, 40)))) == [("a", 2, 6)]


def test_a_regression_tells_where_it_is_least_reliable(views):
    assert "It is least reliable where it says about 600: nine of ten truths lie between 470 and 730." in told(
        views["regression"]
    )
    assert "Measured against the truth, an estimate is off by 31.2 % on average." in told(views["regression"])


def test_no_figures_no_sentence(views):
    assert mistakes(views["tiny"]) == ()
