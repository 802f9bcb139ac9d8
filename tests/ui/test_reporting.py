"""`report`, `cluster` and `anomalies` as people and programs meet them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("modelwright")


def call(*words):
    return subprocess.run(
        [COMMAND, *map(str, words)], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


@pytest.mark.slow
def test_documents_are_drawn_checked_and_compared(churn_model, tmp_path):
    words = ("--cost-false-alarm", 5, "--cost-miss", 40, "--unit", "EUR", "--out", tmp_path, "--json")
    drawn = call("report", churn_model.path, "--as", "brief", *words)
    assert drawn.returncode == 0, drawn.stderr
    brief = Path(json.loads(drawn.stdout)["brief"])
    sound = call("report", "check", churn_model.path, "--document", brief, "--json")
    assert json.loads(sound.stdout)["disagreements"] == []
    brief.write_text(brief.read_text().replace("costs 40 ", "costs 41 "))
    broken = call("report", "check", churn_model.path, "--document", brief, "--json")
    assert broken.returncode == 2
    assert json.loads(broken.stdout)["error"]["code"] == "MW711"
    beside = call("report", churn_model.path, churn_model.path, "--json")
    assert json.loads(beside.stdout)["verdict"] == "tied"


def test_two_packages_are_compared_and_not_drawn():
    done = call("report", "a.model", "b.model", "--as", "page")
    assert done.returncode == 2
    assert done.stderr.startswith("MW601 ")


@pytest.mark.slow
def test_order_without_a_target(churn_csv, tmp_path):
    groups = call("cluster", churn_csv, "--clusters", 2, "--ignore", "churn", "--out", tmp_path / "c.csv", "--json")
    assert groups.returncode == 0, groups.stderr
    assert len(json.loads(groups.stdout)["groups"]) == 2
    odd = call("anomalies", churn_csv, "--false-alarms", "0.02", "--json")
    assert json.loads(odd.stdout)["n_flagged"] == 4
