"""Upgrade check: packages that answer as they did, one that does not, one that is lost, by name and by path."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

import modelwright
from modelwright.flows.resolve import resolve
from modelwright.flows.upgrade_check import Checked
from modelwright.packaging.reading import read
from modelwright.packaging.writing import write
from modelwright.ui.cli import main


@pytest.fixture(scope="module")
def other(churn_model, tmp_path_factory) -> Path:
    """The small model with other golden answers and older versions on record: what an upgrade may do to one."""
    from dataclasses import replace

    from modelwright.flows.builtin import catalogue

    package = read(churn_model.path, catalogue())
    golden = replace(package.golden, scores=package.golden.scores + 1e-3)
    manifest = replace(package.manifest, versions={**package.manifest.versions, "lightgbm": "3.0.0"})
    out = tmp_path_factory.mktemp("other") / "other.model"
    write(out, replace(package, golden=golden, manifest=manifest))
    return out


@pytest.mark.slow
def test_a_package_that_answers_as_it_did_and_one_that_does_not(churn_model, other, tmp_path):
    junit = tmp_path / "upgrade.xml"
    words = ["upgrade-check", churn_model.path, str(other), str(tmp_path / "none.model"), "--json"]
    done = CliRunner().invoke(main, [*words, "--junit", str(junit)])
    told = json.loads(done.output)
    assert (done.exit_code, [p["verdict"] for p in told["packages"]]) == (3, ["same", "different", "unreadable"])
    same, different, lost = told["packages"]
    assert (same["max_difference"], same["changed"], same["measures"]["is_same"]) == (0.0, [], True)
    assert same["golden"]["rows"] == 20
    assert different["max_difference"] == pytest.approx(1e-3)
    assert [(c["name"], c["then"]) for c in different["changed"]] == [("lightgbm", "3.0.0")]
    assert "MW501" in lost["reason"]
    suite = ElementTree.fromstring(junit.read_bytes())
    assert (suite.get("failures"), suite.get("errors")) == ("1", "1")
    text = Checked(tuple(told["packages"]), "").summary(90)
    assert "1 of 3 give the answers they gave" in text
    assert "lightgbm 3.0.0 → " in text


@pytest.mark.slow
def test_every_version_of_the_registry_is_replayed(churn_model, tmp_path, monkeypatch):
    monkeypatch.setenv("MODELWRIGHT_PROJECT", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for _ in range(2):
        modelwright.register(churn_model.path, "churn")
    shutil.rmtree(resolve("churn@2").path)
    done = modelwright.upgrade_check()
    assert [(p["name"], p["verdict"]) for p in done.packages] == [("churn@1", "same"), ("churn@2", "unreadable")]
    assert not done.is_same
    assert modelwright.upgrade_check("churn@1").is_same


@pytest.mark.slow
def test_sealed_rows_are_answered_again_where_the_model_never_learnt_from_them(churn_csv, churn_model, tmp_path):
    from modelwright.flows._replaying import replayed

    assert replayed(Path(churn_model.path), str(churn_csv))["sealed"] is None
    out = tmp_path / "judged.model"
    trained = modelwright.train(churn_csv, target="churn", effort=1, threads=1, final_fit="train", out=str(out))
    n_sealed = trained.package.manifest.split["test"]
    found = replayed(out, None)["sealed"]
    assert (found["rows"], found["max_difference"], found["is_same"]) == (n_sealed, pytest.approx(0, abs=1e-12), True)
