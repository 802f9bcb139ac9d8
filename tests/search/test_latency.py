"""What one row costs is reckoned from counts, and the ensemble keeps to it."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from modelwright.core.contract import Column, Contract, Kind
from modelwright.core.split import Fold, Folds, How
from modelwright.core.task import Task, TaskKind
from modelwright.features.recipe import recommend
from modelwright.learners.costs import Counts
from modelwright.search.latency import (
    MANY_LABELS_TIMES,
    MEMBERS_US_LEAST,
    ROW_US_MOST,
    final_counts,
    members_us_most,
    reading_us_of,
    rounds_growth,
    row_us,
)
from modelwright.search.portfolio import Candidate
from modelwright.search.trial import Tried

TREES = Counts("trees", 100, 3_000, 100_000)


def material(n_columns=3, labels=("a", "b"), kind=Kind.NUMBER):
    contract = Contract(tuple(Column(f"c{i}", kind) for i in range(n_columns)))
    recipe = recommend(contract, n_classes=len(labels), n_rows=1_000)
    task = Task(TaskKind.BINARY if len(labels) == 2 else TaskKind.MULTICLASS, "y", "log_loss", labels)
    problem = SimpleNamespace(contract=contract, n_classes=len(labels), task=task)
    return SimpleNamespace(problem=problem, recipe=recipe, base=SimpleNamespace(features=contract.columns))


def tried(counts, rounds=(80, 120)):
    return Tried(Candidate("a", "lightgbm"), np.zeros(3), 0.5, rounds, (), 1.0, counts=counts)


def test_members_have_what_reading_leaves():
    one = material()
    assert members_us_most(one) == pytest.approx(ROW_US_MOST - reading_us_of(one))
    assert members_us_most(material(n_columns=5_000)) == MEMBERS_US_LEAST


def test_texts_take_long_to_read():
    assert reading_us_of(material(kind=Kind.TEXT)) > reading_us_of(material()) + 100


def test_where_labels_are_many_an_answer_may_take_longer():
    many = material(labels=tuple("abcdefghijklm"))
    assert members_us_most(many) == pytest.approx(MANY_LABELS_TIMES * ROW_US_MOST - reading_us_of(many))


def test_who_allows_more_gets_more_and_who_wants_less_is_pruned_later():
    one = material()
    assert members_us_most(one, 0.002) == pytest.approx(2_000 - reading_us_of(one))
    assert members_us_most(one, 0.0001) == members_us_most(one)


def test_the_final_fit_has_more_rounds_than_the_folds():
    rows = np.arange(1_000)
    folds = Folds((Fold(rows[:800], rows[800:]), Fold(rows[200:], rows[:200])), How.RANDOM, "made by hand")
    growth = rounds_growth(1_000, folds)
    assert growth == pytest.approx(1 + 0.5 * (1.25 * 1_000 / 800 - 1))
    assert final_counts(tried(TREES), growth).trees == round(100 * growth)
    assert final_counts(tried(TREES, rounds=()), growth).trees == 100
    assert row_us(tried(TREES), growth) > row_us(tried(TREES), 1.0) > row_us(tried(replace(TREES, trees=50)), 1.0)


def test_what_an_older_journal_knew_without_counts_counts_too():
    assert final_counts(tried(None), 1.0) is None
    assert row_us(tried(None), 1.0) > 0
