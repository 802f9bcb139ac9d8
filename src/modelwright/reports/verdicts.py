"""Verdicts as people and machines read them: terminal text, JUnit XML, SARIF, GitHub annotations."""

from __future__ import annotations

import json
import textwrap
from html import escape
from typing import TYPE_CHECKING

from modelwright.core.verdict import CHECKS, Outcome
from modelwright.reports.names import as_plain

if TYPE_CHECKING:
    from modelwright.core.verdict import Check, Verdict

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
INDENT = 22
"""Where the reasons stand in a terminal: behind the longest name and the longest mark."""
MARKS = {Outcome.PASS: "pass", Outcome.FAIL: "FAIL", Outcome.UNDECIDED: "UNDECIDED", Outcome.NOT_APPLICABLE: "–"}
ASKS = {
    "screen": "It beats the baseline, no leak is unanswered, its contract is valid",
    "validate": "Cross-validated measures meet the thresholds",
    "test": "The sealed rows agree with validation",
    "reproduce": "It replays its golden answers and can be made again",
    "behave": "Noise, missing columns, unit errors, slices and groups stay inside limits",
    "shadow": "It answered like the champion on live traffic",
    "document": "The card is complete and its numbers recompute",
    "compare": "It is better than the champion on the same rows",
    "approve": "The people whom the policy names have approved",
}
"""What each check asks, for those who read only its name."""


def as_text(verdict: Verdict, title: str, end: str, width: int) -> str:
    """Return the checks, one after the other, and how it ended."""
    lines = [f"{title}: {verdict.outcome.value}", ""]
    for check in verdict.checks:
        mark = MARKS[check.outcome] + ("" if check.is_binding or check.outcome is not Outcome.FAIL else " (free)")
        told = f"{check.name:<10} {mark:<9}  {as_plain(check.reason)}"
        lines.append(textwrap.fill(told, max(width, 40), subsequent_indent=" " * INDENT, break_on_hyphens=False))
    return "\n".join([*lines, "", end])


def as_junit(verdict: Verdict, title: str) -> str:
    """Return the verdict as JUnit XML: one test case a check."""
    cases = [_case(check, title) for check in verdict.checks]
    counts = {"tests": len(cases), "failures": sum(c.stops for c in verdict.checks), "errors": 0}
    counts["skipped"] = sum(not c.stops and c.outcome is not Outcome.PASS for c in verdict.checks)
    told = " ".join(f'{k}="{v}"' for k, v in counts.items())
    properties = "".join(
        f'<property name="{k}" value="{_xml(v)}"/>'
        for k, v in (("fingerprint", verdict.fingerprint), ("policy", verdict.policy), ("champion", verdict.champion))
    )
    suite = f'<testsuite name="{_xml(f"modelwright gate, {title}")}" {told}>'
    body = "".join((f"<properties>{properties}</properties>", *cases))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites {told}>{suite}{body}</testsuite></testsuites>\n'


def _case(check: Check, title: str) -> str:
    told = _xml(check.reason)
    inner = ""
    if check.stops:
        inner = f'<failure type="{check.outcome.value}" message="{told}"/>'
    elif check.outcome is not Outcome.PASS:
        inner = f'<skipped message="{told}"/>'
    out = f"<system-out>{_xml(json.dumps(dict(check.evidence), ensure_ascii=False))}</system-out>"
    return f'<testcase name="{check.name}" classname="{_xml(title)}">{inner}{out}</testcase>'


def as_sarif(verdict: Verdict, title: str) -> str:
    """Return the verdict as SARIF 2.1.0: one rule and one result a check."""
    levels = {Outcome.FAIL: "error", Outcome.UNDECIDED: "warning"}
    rules = [
        {"id": f"modelwright/{name}", "name": name.capitalize(), "shortDescription": {"text": ASKS[name]}}
        for name in CHECKS
    ]
    results = [
        {
            "ruleId": f"modelwright/{c.name}",
            "ruleIndex": CHECKS.index(c.name),
            "kind": {Outcome.PASS: "pass", Outcome.NOT_APPLICABLE: "notApplicable"}.get(c.outcome, "fail"),
            "level": (levels.get(c.outcome, "none") if c.is_binding else "note") if c.outcome in levels else "none",
            "message": {"text": f"{title}: {c.reason}"},
            "locations": [{"logicalLocations": [{"name": title, "kind": "resource"}]}],
            "partialFingerprints": {"package/v1": verdict.fingerprint, "check/v1": f"{c.name}:{verdict.fingerprint}"},
            "properties": {"outcome": c.outcome.value, "evidence": dict(c.evidence)},
        }
        for c in verdict.checks
    ]
    driver = {"name": "modelwright", "rules": rules}
    run = {"tool": {"driver": driver}, "results": results, "properties": {"policy": verdict.policy}}
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=1) + "\n"


def as_annotations(verdict: Verdict, title: str) -> str:
    """Return the verdict as workflow commands that GitHub shows as annotations, one line a check that did not pass."""
    lines = []
    for check in verdict.checks:
        if check.outcome in (Outcome.FAIL, Outcome.UNDECIDED):
            level = "error" if check.stops else "warning"
            lines.append(f"::{level} title={_property(f'{title}, {check.name}')}::{_data(check.reason)}")
    lines.append(f"::notice title={_property(title)}::{_data(f'the gate says {verdict.outcome.value}')}")
    return "\n".join(lines) + "\n"


def _xml(text: str) -> str:
    """Return a text as XML 1.0 may hold it: escaped, without control characters."""
    return escape(as_plain(text))


def _data(text: str) -> str:
    return as_plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
