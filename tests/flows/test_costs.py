"""A cost matrix decides: from the command's file to the packaged model's answers."""

import json

import numpy as np
import polars as pl
import pytest

import modelwright
from modelwright.core.errors import InvalidSetting
from modelwright.flows.report import report

N = 300
TWO = '[cost."no"]\nyes = 1\n[cost."yes"]\nno = 9\n'


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 2))
    noise = x[:, 0] + 0.8 * rng.normal(size=N)
    grade = np.select([noise < -0.5, noise < 0.6], ["low", "mid"], "high")
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "bought": np.where(noise > 0.4, "yes", "no"), "grade": grade})


@pytest.mark.slow
def test_two_labels_are_parted_where_it_costs_least(table, tmp_path):
    costs = tmp_path / "costs.toml"
    costs.write_text('unit = "EUR"\n' + TWO)
    trained = modelwright.train(
        table, "bought", ignore=["grade"], costs=str(costs), effort=1, out=str(tmp_path / "two.model")
    )
    package = trained.package
    assert package.model.threshold == pytest.approx(0.1)
    cost = package.evidence.kpis["cost_per_row"]
    assert cost.low <= cost.value <= cost.high
    assert cost.unit == "EUR"
    again = modelwright.load(tmp_path / "two.model")
    rows = table.select("a", "b").to_dicts()[:50]
    told = [row["yes"] for row in again.predict_proba(rows)]
    assert again.predict(rows) == ["yes" if p >= 0.1 else "no" for p in told]
    assert b"EUR" in package.documents["report.html"]
    made = report(tmp_path / "two.model", kind="brief", out=tmp_path / "brief")
    brief = (tmp_path / "brief" / "brief.html").read_text()
    assert made.files
    assert "You gave a cost for each answer." in brief
    assert "from 10%" in brief or "from 10 %" in brief


@pytest.mark.slow
def test_three_labels_answer_what_is_expected_to_cost_least(table, tmp_path):
    costs = tmp_path / "costs.json"
    costs.write_text(json.dumps({"wrong": 1, "cost": {"high": {"low": 40, "mid": 20}}}))
    trained = modelwright.train(
        table, "grade", ignore=["bought"], costs=str(costs), effort=1, out=str(tmp_path / "three.model")
    )
    again = modelwright.load(tmp_path / "three.model")
    frame = table.select("a", "b")
    told = again.predict_proba(frame).to_numpy()
    matrix = again.package.model.task.costs
    answers = again.predict(frame)
    assert answers.to_list() == [again.labels[i] for i in (told @ matrix.array).argmin(axis=1)]
    assert answers.to_list() != [again.labels[i] for i in told.argmax(axis=1)]
    assert "cost_per_row" in trained.package.evidence.kpis


def test_costs_of_numbers_or_of_unknown_labels_are_refused(table, tmp_path):
    costs = tmp_path / "costs.toml"
    costs.write_text(TWO)
    for target in ("a", "grade"):
        with pytest.raises(InvalidSetting):
            modelwright.train(table, target, costs=str(costs), effort=1, out=str(tmp_path / "x.model"))
