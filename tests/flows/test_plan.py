"""A run leaves its executed plan, and is repeated from it without a search: the same model to the last bit."""

import json

import pytest

import modelwright
from modelwright.core.errors import InvalidPlan


def model_of(trained):
    return trained.package.manifest.parents["model"]


@pytest.mark.slow
def test_a_run_against_the_clock_is_repeated(churn_csv, tmp_path):
    first = modelwright.train(churn_csv, "churn", budget="12s", out=str(tmp_path / "a.model"), threads=2)
    again = modelwright.train(churn_csv, plan=str(tmp_path / "a.model"), out=str(tmp_path / "b.model"), threads=1)
    assert model_of(again) == model_of(first)
    assert again.package.record["candidates"] == first.package.record["candidates"]


def test_work_units_are_repeated_from_the_file(churn_csv, churn_model, tmp_path):
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(dict(churn_model.package.plan)))
    again = modelwright.train(churn_csv, plan=str(plan), out=str(tmp_path / "b.model"))
    assert model_of(again) == model_of(churn_model)
    assert again.package.evidence.leaderboard[0]["score"] == churn_model.package.evidence.leaderboard[0]["score"]
    options = again.package.manifest.options
    assert options == churn_model.package.manifest.options


def test_what_is_no_plan_is_refused(churn_csv, tmp_path):
    for text in ("[]", "no json", '{"settings": {"target": "churn"}, "format": 99}'):
        path = tmp_path / "plan.json"
        path.write_text(text)
        with pytest.raises(InvalidPlan):
            modelwright.train(churn_csv, plan=str(path), out=str(tmp_path / "m.model"))
    path.write_text('{"settings": {"target": "churn"}, "format": 1, "threads": 1, "recipe": {}}')
    with pytest.raises(InvalidPlan):
        modelwright.train(churn_csv, plan=str(path), out=str(tmp_path / "m.model"))
