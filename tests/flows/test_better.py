"""A candidate that is better on a real table gets into office, and one that is not does not."""

from __future__ import annotations

import csv

import pytest

import modelwright
from modelwright.core.policy import Policy
from modelwright.core.verdict import Outcome
from modelwright.flows._registry import registry
from modelwright.registry.names import Ref

pytest.importorskip("mlflow")
pytestmark = [pytest.mark.tables, pytest.mark.slow]
POLICY = Policy.of({"behave": {"required": False}})


def some_rows(source, target, n):
    with source.open(newline="") as file, target.open("w", newline="") as out:
        reader = csv.DictReader(file)
        writer = csv.DictWriter(out, reader.fieldnames)
        writer.writeheader()
        for i, row in enumerate(reader):
            if i < n:
                writer.writerow(row)
    return target


def check(promoted, name):
    return next(c for c in promoted.verdict.checks if c.name == name)


def test_better_by_a_paired_interval_on_later_rows(real_tables, tmp_path, monkeypatch):
    folder = real_tables / "telco_churn"
    monkeypatch.setenv("MODELWRIGHT_PROJECT", str(tmp_path))
    monkeypatch.setenv("MODELWRIGHT_USER", "ada")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    few = some_rows(folder / "train.csv", tmp_path / "few.csv", 250)
    later = str(folder / "test.csv")
    options = {"target": "Churn", "threads": 1, "name": "churn"}
    modelwright.train(str(few), effort=1, out=str(tmp_path / "a.model"), **options)
    modelwright.train(str(folder / "train.csv"), effort=2, out=str(tmp_path / "b.model"), **options)
    first = modelwright.promote("churn", 1, policy=POLICY, data=later, reason="the first")
    assert first.verdict.passes, first.summary(100)

    second = modelwright.promote("churn", 2, policy=POLICY, data=later, reason="more rows")
    compared = check(second, "compare")
    assert compared.outcome is Outcome.PASS, second.summary(100)
    assert compared.reason.startswith("Better than the champion")
    assert second.verdict.passes, second.summary(100)
    assert registry().find(Ref("churn")).number == 2

    back = modelwright.promote("churn", 1, policy=POLICY, data=later, reason="a try")
    assert check(back, "compare").outcome is Outcome.FAIL, back.summary(100)
    assert not back.verdict.passes
    assert registry().find(Ref("churn")).number == 2
