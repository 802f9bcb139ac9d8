"""The gate on a real package: whatever is altered in it, or in its documents, is found out by its check."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from modelwright.core.policy import Policy
from modelwright.core.verdict import Outcome
from modelwright.data.reading import read
from modelwright.flows._gate import Case, card_faults, contract_faults, judge, other_question, validation_of
from modelwright.flows._rows import answers, has_seen, in_common, labelled, sealed_answers
from modelwright.flows._shadow import Shadowed
from modelwright.flows.policy import default_text, read_policy, schema
from modelwright.registry.version import Version


@pytest.fixture
def package(churn_model):
    return churn_model.package


@pytest.fixture
def case(churn_model, package) -> Case:
    version = Version("churn", 1, package.fingerprint, "", tags={"modelwright.author": "ada"})
    return Case(version, Path(churn_model.path), package, None, Policy())


def test_a_sound_package_has_no_faults(package):
    assert contract_faults(package) == []
    assert card_faults(package) == []
    assert validation_of(package).keys() >= {"roc_auc", "accuracy", "log_loss"}


def test_a_house_is_judged_too(house_model):
    package = house_model.package
    version = Version("house", 1, package.fingerprint, "")
    verdict = judge(Case(version, Path(house_model.path), package, None, Policy()))
    assert verdict.check("document").outcome is Outcome.PASS
    assert verdict.check("reproduce").outcome is Outcome.PASS
    assert verdict.check("validate").outcome is Outcome.PASS


def test_a_card_that_says_something_else_is_stale(package):
    card = package.documents["card.md"].decode()
    for wrong, told in (
        (card.replace("## Limitations", "## Strengths"), "no section 'Limitations'"),
        (card.replace("| ROC AUC |", "| ROC AUC | 0.99"), "card.md is stale"),
        ("", "no section"),
    ):
        altered = replace(package, documents={**package.documents, "card.md": wrong.encode()})
        assert any(told in fault for fault in card_faults(altered))
    assert card_faults(replace(package, documents={})) == ["the card is missing"]


def test_a_number_of_the_evidence_that_was_improved_fails(case):
    kpis = case.package.evidence.kpis
    better = replace(kpis["roc_auc"], value=kpis["roc_auc"].high)
    evidence = replace(case.package.evidence, kpis={**kpis, "roc_auc": better})
    check = judge(replace(case, package=replace(case.package, evidence=evidence))).check("document")
    assert check.outcome is Outcome.FAIL
    assert check.evidence["stale"] == ["roc_auc"]
    assert "the evidence is not the one the package was made with" in check.evidence["faults"]


def test_the_same_package_is_not_compared_with_itself(case):
    assert judge(replace(case, champion=case.package)).check("compare").outcome is Outcome.NOT_APPLICABLE


def test_another_question_fails(case, house_model):
    check = judge(replace(case, champion=house_model.package)).check("compare")
    assert check.outcome is Outcome.FAIL
    assert "its target is churn, not price" in check.reason
    assert other_question(case.package, case.package) == ""


def test_a_candidate_that_is_better_on_the_sealed_rows_of_both_passes(case):
    sealed = case.package.sealed
    truth = np.eye(2)[sealed.target]
    worse = replace(sealed, scores=0.5 * sealed.scores + 0.5 * np.random.default_rng(0).permutation(sealed.scores))
    rules = Policy.of({"compare": {"rows_min": 10}})
    champion = replace(case.package, sealed=worse, fingerprint="c" * 32)
    better = replace(case.package, sealed=replace(sealed, scores=0.5 * sealed.scores + 0.5 * truth))
    check = judge(replace(case, package=better, champion=champion, policy=rules)).check("compare")
    assert check.outcome is Outcome.PASS
    assert check.evidence["rows"] == "rows that both kept sealed"
    looked = {check.evidence["rows_name"]: frozenset({"a", "b", better.fingerprint})}
    again = judge(replace(case, package=better, champion=champion, policy=rules, looks=looked)).check("compare")
    assert again.evidence["looks"] == 3


def test_only_rows_that_neither_has_seen_are_compared_on(package, churn_csv, later_csv):
    seen, fresh = (labelled(read(path), package) for path in (churn_csv, later_csv))
    assert has_seen(package, seen)
    assert not has_seen(package, fresh)
    said, rows = answers(package, seen)
    assert len(said.target) == len(package.sealed.target) < len(seen.target)
    order = [package.sealed.rows.index(seen.names[i]) for i in rows]
    assert np.array_equal(said.scores, package.sealed.scores[order])
    assert len(answers(package, fresh)[0].target) == 80
    one, other, words, _ = in_common(package, package, seen)
    assert np.array_equal(one.scores, other.scores)
    assert words == "rows of the table that neither has seen"
    # A part of the table is recognised by its sealed rows.
    assert has_seen(package, seen.take(np.arange(0, 240, 2)))


def test_repeated_rows_are_not_matched(package):
    sealed = package.sealed
    doubled = replace(package, sealed=replace(sealed, rows=(sealed.rows[1], *sealed.rows[1:])))
    one, _, _, _ = in_common(package, doubled, None)
    assert len(one.target) == len(sealed.target) - 2


def test_a_package_without_sealed_rows_leaves_things_undecided(case):
    bare = replace(case.package, sealed=None)
    assert sealed_answers(bare) is None
    verdict = judge(replace(case, package=bare, champion=replace(case.package, fingerprint="c" * 32)))
    assert verdict.check("document").outcome is Outcome.UNDECIDED
    assert verdict.check("compare").outcome is Outcome.UNDECIDED


def test_a_shadow_is_looked_at(case):
    said = Shadowed(np.zeros(200), np.zeros(200))
    champion = replace(case.package, fingerprint="c" * 32)
    assert judge(replace(case, shadowed=said, champion=champion)).check("shadow").outcome is Outcome.PASS
    other = Shadowed(np.ones(200), np.zeros(200))
    assert judge(replace(case, shadowed=other, champion=champion)).check("shadow").outcome is Outcome.FAIL


def test_the_printed_policy_is_the_default(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(default_text())
    assert read_policy(path).fingerprint == Policy().fingerprint
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(schema())
    Draft202012Validator(schema()).validate(Policy().to_dict())
