"""Which candidates are tried, in which order."""

import pytest

from modelwright.search.portfolio import portfolio

ALL = ["catboost", "constant", "forest", "lightgbm", "linear", "neighbours", "neural", "xgboost"]


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


@pytest.mark.parametrize(("n_rows", "n_classes"), [(3_000, 2), (10_000, 26), (200_000, 2)])
def test_a_network_is_tried_where_there_is_time_for_it(n_rows, n_classes):
    def names(seconds):
        made = portfolio(n_rows=n_rows, n_classes=n_classes, n_features=20, available=ALL, seconds=seconds)
        return [c.learner for c in made]

    assert "neural" not in names(10.0)
    assert "neural" in names(1_000.0)
    assert "lightgbm" in names(10.0)
    is_last = names(1_000.0)[-1] == "neural"
    assert is_last == (n_classes == 0 or n_rows > 50_000), "where it is not known to gain it goes last"


def test_of_many_classes_a_plain_network_is_tried_early_where_time_is_enough_for_its_rows():
    def third(n_rows, seconds):
        made = portfolio(n_rows=n_rows, n_classes=26, n_features=16, available=ALL, seconds=seconds)
        return made[2].learner

    assert third(12_000, 30.0) == "neural"
    assert third(36_000, 40.0) != "neural", "so few passes say nothing"
    assert third(36_000, 60.0) == "neural"


def test_the_network_comes_last_on_few_rows_and_values_are_left_to_trees():
    few = portfolio(n_rows=600, n_classes=2, n_features=20, available=ALL)
    assert few[-1].learner == "neural"
    values = portfolio(n_rows=10_000, n_classes=0, n_features=20, available=ALL)
    assert "neural" not in {c.learner for c in values}


def test_thousands_of_columns_are_seen_a_few_at_a_time():
    usual, wide = (portfolio(n_rows=600, n_classes=2, n_features=n, available=ALL) for n in (50, 5_000))
    shares = [{c.name: c.params.get("feature_share", 1.0) for c in made} for made in (usual, wide)]
    boosted = [c.name for c in wide if c.learner in ("lightgbm", "catboost", "xgboost")]
    assert all(shares[1][name] < 0.4 * shares[0][name] for name in boosted)


def test_a_model_that_needs_a_file_is_not_tried_unasked():
    made = portfolio(n_rows=5_000, n_classes=2, n_features=9, available=[*ALL, "foundation"])
    assert "foundation" not in {c.learner for c in made}


@pytest.mark.parametrize("n_rows", [600, 5_000, 20_000, 1_000_000])
def test_categories_are_also_taken_as_numbers_where_there_are_any(n_rows):
    def names(n_categories, n_classes=2):
        made = portfolio(
            n_rows=n_rows, n_classes=n_classes, n_features=20, n_categories=n_categories, available=["lightgbm"]
        )
        return [c.name for c in made]

    assert "lightgbm ordered" in names(3)
    assert "lightgbm ordered" not in names(0)
    assert "lightgbm ordered" not in names(3, n_classes=26), "a tree a label makes each candidate dear"
