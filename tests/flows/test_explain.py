"""Explaining real packages: reasons add up, what is proposed works and keeps the contract, sealed rows are found."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

import modelwright
from modelwright import ModelwrightError


@pytest.fixture(scope="module")
def churn(churn_model, churn_csv):
    return modelwright.explain(churn_model.path, data=churn_csv, group_by=["contract"], row=[1, 5])


@pytest.fixture(scope="module")
def house(house_model, house_csv, tmp_path_factory):
    page = tmp_path_factory.mktemp("pages") / "house.html"
    return modelwright.explain(house_model.path, house_csv, want="300000", immutable=["age"], page_out=page), page


def test_reasons_add_up_to_what_the_package_predicts(churn, churn_model, churn_csv):
    table = churn.reasons
    rows = [c for c in table.columns if c.startswith("reason_")]
    total = table["start"].to_numpy() + table.select(rows).to_numpy().sum(axis=1)
    probabilities = churn_model.model.predict_proba(pl.read_csv(churn_csv))["yes"].to_numpy()
    assert np.abs(total - probabilities).max() < 1e-9
    story = churn.facts["rows"][1]
    assert story["row"] == 5
    assert story["start"] + sum(r["adds"] for r in story["reasons"]) == pytest.approx(story["answer"], abs=1e-9)
    assert story["about"] == "yes"


def test_the_sealed_rows_are_found_in_the_table_they_came_from(churn, churn_model):
    assert churn.facts["judged_on"].endswith("with the scores of the model that never saw them")
    assert churn.facts["slices"]["n_rows"] == len(churn_model.package.sealed.target)


@pytest.mark.slow
def test_new_labelled_rows_are_judged_as_such(churn_model, later_csv):
    found = modelwright.explain(churn_model.path, later_csv)
    assert found.facts["judged_on"] == "80 labelled rows, taken as not learnt from"
    assert found.facts["importance"]["permutation_on"] == found.facts["judged_on"]
    assert {"error", "curve"} <= set(found.facts["calibration"])


def test_everything_asked_for_is_there_and_is_json(churn):
    facts = json.loads(json.dumps(churn.to_dict(), allow_nan=False))
    assert [s["column"] for s in facts["shapes"]]
    assert facts["importance"]["moves"][0]["share"] > 0
    assert facts["interactions"]
    assert {"noise", "missing", "unit"} <= {t["kind"] for t in facts["robustness"]}
    assert {g["group"] for g in facts["fairness"]["contract"]["groups"]} <= {
        "month",
        "year",
        "two years",
        "all other groups",
    }
    assert facts["rows"][0]["similar"][0]["likeness"] <= 1
    assert facts["uncertainty"]["coverage"] == 0.9


@pytest.mark.slow
def test_counterfactuals_work_and_keep_the_contract(house, house_model):
    facts = house[0].facts
    contract = house_model.package.model.contract
    tried = 0
    for story in facts["rows"]:
        if story["changes"] is None:
            continue
        row = {r["column"]: r["value"] for r in story["reasons"]}
        for way in story["changes"]["found"]:
            changed = {**row, **{c["column"]: c["after"] for c in way["changes"]}}
            assert "age" not in {c["column"] for c in way["changes"]}
            for c in way["changes"]:
                column = contract.column(c["column"])
                if column.low is not None:
                    assert column.low <= c["after"] <= column.high
                else:
                    assert c["after"] in {level.value for level in column.levels}
            answer = house_model.model.predict([changed])[0]
            assert answer >= 300_000 if story["answer"] < 300_000 else answer <= 300_000
            tried += 1
    assert tried


@pytest.mark.slow
def test_regression_is_explained_in_the_targets_unit(house):
    facts = house[0].facts
    assert facts["space"] == "value"
    assert facts["importance"]["moves"][0]["column"] == "size"
    assert next(s for s in facts["shapes"] if s["column"] == "size")["direction"] == "rises"
    low, high = facts["rows"][0]["range"]
    assert low < facts["rows"][0]["answer"] < high


@pytest.mark.slow
def test_the_page_stands_alone(house):
    text = house[1].read_text()
    assert "<script" not in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert len(text) < 1_000_000
    assert "Why it answers as it does" in text


@pytest.mark.parametrize("width", [20, 40, 80])
def test_the_summary_fits_the_terminal(churn, width):
    lines = churn.summary(width).splitlines()
    assert max(len(line) for line in lines) <= width + (10 if width == 20 else 0)
    assert any("Row 1" in line for line in lines)


@pytest.mark.slow
def test_without_any_table_the_golden_sample_serves(churn_model):
    found = modelwright.explain(churn_model.path)
    assert found.facts["n_known"] == 20
    assert found.facts["slices"] is None
    assert any("--data" in note for note in found.facts["notes"])


@pytest.mark.slow
def test_reasons_of_all_rows_are_written(churn_model, later_csv, tmp_path):
    out = tmp_path / "why.parquet"
    modelwright.explain(churn_model.path, later_csv, space="log-odds", out=out)
    assert pl.read_parquet(out).height == 80


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"immutable": ["tenur"]}, "--immutable"),
        ({"want": "maybe"}, "--want"),
        ({"label": "maybe"}, "--label"),
        ({"row": [999]}, "--row"),
        ({"space": "points"}, "--space"),
        ({"group_by": ["contrat"]}, "--group-by"),
        ({"page_out": "/no/such/folder/x.html"}, "/no/such/folder/x.html"),
    ],
)
def test_wrong_options_are_explained(churn_model, later_csv, options, where):
    with pytest.raises(ModelwrightError) as caught:
        modelwright.explain(churn_model.path, later_csv, **options)
    assert caught.value.where == where
    assert caught.value.fix


@pytest.fixture(scope="module")
def lopsided(tmp_path_factory):
    """A table on which any model must be weak for old rows of the north, whose answers are chance, and unfair to b."""
    rng = np.random.default_rng(3)
    n = 2_400
    age, score = rng.uniform(18, 80, n), rng.normal(size=n)
    region = rng.choice(["north", "south", "east"], n)
    club = rng.choice(["a", "b"], n)
    chance = (region == "north") & (age > 60)
    truth = np.where(chance, rng.random(n) < 0.5, score > np.where(club == "b", 0.8, -0.2))
    folder = tmp_path_factory.mktemp("lopsided")
    columns = {"age": age.round(1), "score": score.round(3), "region": region, "club": club}
    pl.DataFrame({**columns, "good": np.where(truth, "yes", "no")}).write_csv(folder / "t.csv")
    model = modelwright.train(folder / "t.csv", target="good", effort=1, out=str(folder / "t.model"), threads=1)
    return model, folder / "t.csv"


@pytest.mark.slow
def test_a_planted_weak_slice_and_an_unfair_group_are_named(lopsided):
    model, table = lopsided
    found = modelwright.explain(model.path, data=table, group_by=["club"]).facts
    assert dict(found["slices"]["slices"][0]["terms"])["region"] == "is north"
    assert {column for s in found["slices"]["slices"] for column, _ in s["terms"]} >= {"region", "age"}
    unfair = found["fairness"]["club"]["unfair"]
    assert "chosen" in {e["measure"] for e in unfair}
    assert found["fairness"]["club"]["sentence"]
    # The package carries it too, measured in training.
    carried = model.package.evidence.explanation
    assert dict(carried["slices"]["slices"][0]["terms"])["region"] == "is north"


@pytest.mark.slow
def test_what_a_package_carries_adds_up_and_holds_no_single_row(lopsided):
    carried = lopsided[0].package.evidence.explanation
    assert carried["focus"] == "yes"
    for case in carried["cases"]:
        total = case["start"] + sum(r["adds"] for r in case["reasons"]) + case["rest"]
        assert total == pytest.approx(case["answer"], abs=1e-9)
        assert case["n_rows"] >= 20
    high, low = carried["cases"]
    assert high["answer"] > low["answer"]
    assert high["reasons"][0]["column"] == "score"
    assert {t["kind"] for t in carried["robustness"]} == {"noise", "missing", "unit"}
    assert next(s for s in carried["shapes"] if s["column"] == "score")["direction"] == "rises"
