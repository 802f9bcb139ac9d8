"""Verdicts in the forms that machines read: well formed whatever the reasons hold."""

from __future__ import annotations

import json
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from modelwright.core.verdict import CHECKS, Check, Outcome, Verdict
from modelwright.reports.verdicts import as_annotations, as_junit, as_sarif, as_text


def verdict(reason: str = "because", **outcomes: Outcome) -> Verdict:
    checks = tuple(
        Check(name, outcomes.get(name, Outcome.PASS), reason, {"why": reason, "n": 1.5}, name != "shadow")
        for name in CHECKS
    )
    return Verdict("f" * 32, "p" * 32, checks, "c" * 32)


MIXED = {
    "screen": Outcome.FAIL,
    "compare": Outcome.UNDECIDED,
    "approve": Outcome.NOT_APPLICABLE,
    "shadow": Outcome.FAIL,
}


def test_junit_counts_what_stops():
    root = ElementTree.fromstring(as_junit(verdict(**MIXED), "churn@4"))
    suite = root.find("testsuite")
    assert [c.get("name") for c in suite.iter("testcase")] == list(CHECKS)
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("9", "2", "2")
    assert [f.get("type") for f in suite.iter("failure")] == ["fail", "undecided"]


def test_sarif_has_a_rule_and_a_result_a_check():
    run = json.loads(as_sarif(verdict(**MIXED), "churn@4"))["runs"][0]
    assert [r["id"] for r in run["tool"]["driver"]["rules"]] == [f"modelwright/{c}" for c in CHECKS]
    levels = {r["ruleId"].removeprefix("modelwright/"): r["level"] for r in run["results"]}
    assert levels["screen"] == "error"
    assert levels["compare"] == "warning"
    assert levels["shadow"] == "note"
    assert levels["validate"] == levels["approve"] == "none"
    # The standard: a level other than none belongs to the kind "fail" alone.
    assert all((r["kind"] == "fail") == (r["level"] != "none") for r in run["results"])


def test_annotations_are_one_line_each():
    lines = as_annotations(verdict("100% sure,\nor not: maybe", **MIXED), "churn@4").splitlines()
    assert lines[0].startswith("::error title=churn@4%2C screen::100%25 sure,")
    assert [line.split(" ")[0] for line in lines] == ["::error", "::warning", "::error", "::notice"]


def test_text_names_every_check():
    text = as_text(verdict(**MIXED), "churn@4", "churn@4 is not promoted.", 80)
    assert all(f"\n{name}" in text for name in CHECKS)
    assert "FAIL (free)" in text
    assert max(map(len, text.splitlines())) <= 80


@given(st.text(max_size=80))
def test_no_reason_can_break_a_form(reason):
    found = verdict(reason, compare=Outcome.FAIL)
    ElementTree.fromstring(as_junit(found, "churn@4"))
    json.loads(as_sarif(found, "churn@4"))
    assert len(as_annotations(found, "churn@4").splitlines()) == 2
