"""What each answer costs, and the answer that costs least."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.core.cost_matrix import CostMatrix
from modelwright.core.errors import InvalidSetting, InvalidTask
from modelwright.core.model import Model
from modelwright.core.task import Task, TaskKind

LABELS = ("low", "mid", "high")
FILE = {"unit": "EUR", "wrong": 10, "cost": {"high": {"low": 500, "high": -2}}}


def test_a_file_lists_what_differs_and_the_rest_costs_the_same():
    costs = CostMatrix.of(FILE, LABELS)
    assert costs.unit == "EUR"
    assert costs.array.tolist() == [[0, 10, 10], [10, 0, 10], [500, 10, -2]]
    assert CostMatrix.from_dict(costs.to_dict()) == costs


@given(st.integers(2, 5), st.integers(0, 10_000))
def test_the_answer_has_the_least_expected_cost(n, seed):
    rng = np.random.default_rng(seed)
    values = rng.uniform(1, 100, (n, n)) * (1 - np.eye(n))
    costs = CostMatrix(tuple(map(tuple, values.tolist())))
    probabilities = rng.dirichlet(np.ones(n), 20)
    chosen = costs.choices(probabilities)
    expected = costs.expected(probabilities)
    assert expected[np.arange(20), chosen] == pytest.approx(expected.min(axis=1))


def test_a_dear_miss_lowers_the_threshold_of_a_model():
    costs = CostMatrix.of({"cost": {"no": {"yes": 15}, "yes": {"no": 120}}}, ("no", "yes"))
    assert costs.threshold == pytest.approx(15 / 135)
    three = Task(TaskKind.MULTICLASS, "y", "log_loss", LABELS, costs=CostMatrix.of(FILE, LABELS))
    model = Model(three, None, None, None)
    scores = np.array([[0.9, 0.06, 0.04], [0.999, 0.001, 0.0]])
    assert model.choices(scores).tolist() == [1, 0], "the cheapest answer, not the most probable one"
    assert Task.from_dict(three.to_dict()) == three


def test_truth_known_on_average_no_other_rule_is_cheaper():
    """With probabilities that mean what they say, the rule costs no more than the most probable label does."""
    rng = np.random.default_rng(0)
    costs = CostMatrix.of(FILE, LABELS)
    probabilities = rng.dirichlet([2, 1, 0.5], 20_000)
    truth = np.array([rng.choice(3, p=p) for p in probabilities])
    ours, usual = (costs.paid(truth, c) for c in (costs.choices(probabilities), probabilities.argmax(axis=1)))
    assert ours.mean() + 3 * (ours - usual).std() / np.sqrt(len(truth)) < usual.mean()


@pytest.mark.parametrize(
    "data",
    [
        {"costs": {}},
        {"wrong": 1, "cost": {"hihg": {"low": 1}}},
        {"cost": {"low": {"mid": 1}}},
        {"wrong": 1, "cost": {"low": {"mid": "much"}}},
        {"wrong": 1, "cost": {"low": {"low": 3}}},
        {"wrong": 1, "cost": {"low": 3}},
        {"wrong": float("inf")},
    ],
)
def test_what_makes_no_sense_is_refused_with_a_fix(data):
    with pytest.raises(InvalidSetting) as caught:
        CostMatrix.of(data, LABELS, where="costs.toml")
    assert caught.value.fix


def test_costs_fit_the_labels_of_their_task():
    two = CostMatrix(((0.0, 1.0), (1.0, 0.0)))
    with pytest.raises(InvalidTask):
        Task(TaskKind.MULTICLASS, "y", "log_loss", LABELS, costs=two)
