"""Which candidates are tried, in which order."""

import pytest

from modelwright.search.portfolio import portfolio

ALL = ["catboost", "constant", "forest", "lightgbm", "linear", "neighbours", "xgboost"]


@pytest.mark.parametrize(("n_rows", "n_classes"), [(60, 2), (10_000, 0), (10_000, 26), (1_000_000, 2)])
def test_names_are_unique_and_strong_learners_come_early(n_rows, n_classes):
    made = portfolio(n_rows=n_rows, n_classes=n_classes, n_features=20, available=ALL)
    names = [c.name for c in made]
    assert len(names) == len(set(names))
    assert any(c.learner == "lightgbm" for c in made[:2])
    assert {c.learner for c in made} >= {"lightgbm", "catboost", "xgboost", "linear"}


def test_absent_libraries_are_left_out_and_plug_ins_join():
    made = portfolio(n_rows=5_000, n_classes=2, n_features=9, available=["lightgbm", "linear", "splines"])
    assert {c.learner for c in made} == {"lightgbm", "linear", "splines"}
