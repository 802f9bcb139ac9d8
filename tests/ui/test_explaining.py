"""The commands that say why: one JSON document, summaries that fit, errors of four parts."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from modelwright.ui.cli import main


def run(*words: object):
    return CliRunner().invoke(main, [str(w) for w in words])


@pytest.mark.slow
def test_explain_prints_one_document(churn_model, later_csv, tmp_path):
    page = tmp_path / "why.html"
    done = run("explain", churn_model.path, later_csv, "--json", "--row", 2, "--page", page, "--immutable", "tenure")
    facts = json.loads(done.stdout)
    assert done.exit_code == 0
    assert [r["row"] for r in facts["rows"]] == [2]
    assert page.exists()


@pytest.mark.slow
def test_explain_speaks_to_people(churn_model, later_csv):
    done = run("explain", churn_model.path, later_csv)
    assert "moves it by" in done.stdout
    assert "Row 3" in done.stdout


@pytest.mark.parametrize("command", ["explain", "diagnose"])
def test_what_is_wrong_is_explained(command, churn_model):
    done = run(command, churn_model.path, "nowhere.csv", "--json")
    assert done.exit_code == 2
    assert json.loads(done.stdout)["error"]["code"] == "MW101"


def test_a_wrong_column_is_named(churn_model, later_csv):
    done = run("explain", churn_model.path, later_csv, "--immutable", "tenur")
    assert done.exit_code == 2
    assert "did you mean 'tenure'?" in done.stderr
