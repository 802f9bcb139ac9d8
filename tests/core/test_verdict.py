"""Verdicts and policies: what stops a promotion, and what a policy may say."""

from dataclasses import replace

import pytest

from modelwright.core.errors import InvalidEvidence, InvalidPolicy
from modelwright.core.policy import RULES, Policy
from modelwright.core.verdict import CHECKS, Check, Outcome, Verdict


def verdict(**outcomes: Outcome) -> Verdict:
    checks = tuple(Check(name, outcomes.get(name, Outcome.PASS), "because") for name in CHECKS)
    return Verdict("f" * 32, "p" * 32, checks)


def test_a_verdict_passes_when_nothing_binding_stops_it():
    assert verdict().passes
    assert verdict(shadow=Outcome.NOT_APPLICABLE).passes
    assert verdict(compare=Outcome.UNDECIDED).outcome is Outcome.UNDECIDED
    assert verdict(compare=Outcome.UNDECIDED, test=Outcome.FAIL).outcome is Outcome.FAIL


def test_a_check_that_does_not_bind_stops_nothing():
    checks = tuple(replace(c, is_binding=c.name != "behave") for c in verdict(behave=Outcome.FAIL).checks)
    assert Verdict("f", "p", checks).passes


def test_a_verdict_without_a_check_cannot_be_built():
    with pytest.raises(InvalidEvidence, match="every check once"):
        Verdict("f", "p", verdict().checks[:-1])


def test_the_name_of_a_verdict_names_all_of_it():
    assert verdict().name == verdict().name
    assert verdict().name != verdict(compare=Outcome.UNDECIDED).name


def test_defaults_are_a_policy_and_have_one_name():
    written = Policy.of(Policy().to_dict())
    assert written.fingerprint == Policy().fingerprint
    assert Policy.of({"compare": {"margin": 0.1}}).fingerprint != Policy().fingerprint
    assert {r.check for r in RULES} == set(CHECKS)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"comparee": {}}, "one of the checks"),
        ({"compare": 3}, "one of the checks"),
        ({"compare": {"demnd": "better"}}, "did you mean 'demand'"),
        ({"compare": {"demand": "best"}}, "one of better, not_worse"),
        ({"compare": {"margin": -1}}, "from 0 on"),
        ({"compare": {"margin": True}}, "from 0 on"),
        ({"compare": {"rows_min": 9.5}}, "whole number"),
        ({"behave": {"noise": float("nan")}}, "from 0 to 1"),
        ({"behave": {"direction": {"age": "sideways"}}}, "age = "),
        ({"validate": {"thresholds": {"rocauc": 0.8}}}, "did you mean 'roc_auc'"),
        ({"approve": {"people": "ada"}}, "list of texts"),
        ({"screen": {"required": "yes"}}, "true or false"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(data, told):
    with pytest.raises(InvalidPolicy, match=told):
        Policy.of(data)
