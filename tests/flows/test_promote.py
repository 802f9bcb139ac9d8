"""From package to champion and back, by the commands and from Python; what is altered on the way is noticed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

import modelwright
from modelwright.core.errors import (
    BrokenAudit,
    InvalidName,
    InvalidPackage,
    NotAllowed,
    UnknownModel,
)
from modelwright.core.policy import Policy
from modelwright.core.verdict import CHECKS, Outcome
from modelwright.flows.audit import verify
from modelwright.flows.resolve import Watch, resolve
from modelwright.registry.names import parse_ref

pytestmark = pytest.mark.slow

EASY = Policy.of({"compare": {"required": False}, "behave": {"required": False}})
"""Lets pass what two small models of the same table cannot decide."""


@pytest.fixture(scope="session")
def kept(churn_model, churn_csv, tmp_path_factory) -> Path:
    """A project with two versions of ``churn``, the second trained by ``--name``."""
    folder = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODELWRIGHT_PROJECT", str(folder))
        patch.setenv("MODELWRIGHT_USER", "ada")
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        modelwright.register(churn_model.path, "churn")
        out = str(folder / "second.model")
        trained = modelwright.train(churn_csv, target="churn", effort=1, out=out, threads=1, name="churn")
        assert trained.registered == "churn@2"
    return folder


@pytest.fixture
def project(kept, tmp_path, monkeypatch) -> Path:
    """A copy of that project, in which everything here happens."""
    import shutil

    shutil.copytree(kept / ".modelwright", tmp_path / ".modelwright")
    monkeypatch.setenv("MODELWRIGHT_PROJECT", str(tmp_path))
    monkeypatch.setenv("MODELWRIGHT_USER", "ada")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def modelwright_says(*words: str) -> tuple[int, str]:
    """Run a command as a user would."""
    command = [sys.executable, "-c", "from modelwright.ui.cli import main; main()", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    return done.returncode, done.stdout + done.stderr


def test_a_first_champion_and_what_it_is_good_for(project, churn_model, later_csv):
    done = modelwright.promote("churn", 1, reason="the first")
    assert done.is_champion
    assert [c.name for c in done.verdict.checks] == list(CHECKS)
    assert done.verdict.check("compare").outcome is Outcome.NOT_APPLICABLE
    assert done.verdict.check("document").evidence["recomputed"] > 100
    by_name, by_path = (modelwright.predict(m, later_csv).frame for m in ("churn", churn_model.path))
    assert by_name.equals(by_path)
    assert modelwright.load("churn@champion").fingerprint == churn_model.package.fingerprint
    assert modelwright.evaluate("churn@1", later_csv).n_rows == 80
    assert resolve("churn").title == "churn@1"
    assert resolve("./churn").path == Path("churn")
    with pytest.raises(UnknownModel):
        resolve("nothing")
    told = modelwright.models("churn").to_dict()["versions"]
    assert [v["version"] for v in told] == [1, 2]
    assert all(not {"source", "path", "run_id"} & v.keys() for v in told)


def test_mlflow_loads_what_is_registered(project, later_csv):
    code = (
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        "import mlflow, pandas\n"
        "mlflow.set_tracking_uri(sys.argv[1])\n"
        "rows = pandas.read_csv(sys.argv[2], thousands=',')\n"
        "print(len(mlflow.pyfunc.load_model('models:/churn@challenger').predict(rows)))"
    )
    store = f"sqlite:///{project}/.modelwright/registry.db"
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = [sys.executable, "-c", code, store, str(later_csv)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.stdout.strip() == "80", done.stderr


def test_a_name_that_cannot_be_is_told_before_training(project, churn_csv):
    with pytest.raises(InvalidName):
        modelwright.train(churn_csv, target="churn", effort=1, name="../churn")


def test_a_candidate_that_is_no_better_is_not_promoted(project, churn_csv):
    modelwright.promote("churn", 1)
    done = modelwright.promote("churn", 2, data=churn_csv)
    assert not done.is_champion
    compared = done.verdict.check("compare")
    assert compared.outcome in (Outcome.UNDECIDED, Outcome.FAIL)
    reproduced = done.verdict.check("reproduce")
    assert reproduced.outcome is Outcome.PASS
    assert "same fingerprint" in reproduced.reason
    assert resolve("churn").version == "1"
    refused = verify().entries[-1]
    assert (refused.action, refused.version) == ("refuse", 2)
    assert refused.detail["verdict"]["checks"][7]["name"] == "compare"


def test_a_way_back_is_quick_and_proves_itself(project):
    modelwright.promote("churn", 1, policy=EASY)
    modelwright.promote("churn", 2, policy=EASY)
    watch = Watch("churn")
    assert watch.current.version == "2"
    assert watch.poll() is None
    begun = time.perf_counter()
    code, said = modelwright_says("rollback", "churn", "--reason", "complaints")
    seconds = time.perf_counter() - begun
    assert (code, "churn@1 is the champion again; it replayed 20 golden rows" in said) == (0, True), said
    assert seconds < 2 * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert watch.poll().version == "1"
    assert watch.poll() is None
    with pytest.raises(NotAllowed, match="another champion before"):
        modelwright.rollback("churn")


def test_a_way_back_to_an_altered_package_is_refused(project):
    modelwright.promote("churn", 1, policy=EASY)
    modelwright.promote("churn", 2, policy=EASY)
    card = resolve("churn@1").path / "card.md"
    card.write_text(card.read_text().replace("Evaluation", "Valuation"))
    with pytest.raises(InvalidPackage, match="altered"):
        modelwright.rollback("churn")
    assert resolve("churn").version == "2"


def test_a_sound_package_in_the_place_of_another_is_noticed(project):
    import shutil

    one, other = (resolve(f"churn@{n}").path for n in (1, 2))
    shutil.rmtree(one)
    shutil.copytree(other, one)
    with pytest.raises(InvalidPackage, match="is the one that was registered"):
        modelwright.load("churn@1")
    with pytest.raises(InvalidPackage, match="is the one that was registered"):
        modelwright.promote("churn", 1)


def test_people_approve(project, monkeypatch):
    (project / "modelwright-policy.toml").write_text('[approve]\npeople = ["ada", "bob"]\n[behave]\nrequired = false\n')
    waiting = modelwright.promote("churn", 1)
    assert waiting.verdict.outcome is Outcome.UNDECIDED
    with pytest.raises(NotAllowed, match="somebody other than the author"):
        modelwright.approve("churn", 1, reason="mine")
    monkeypatch.setenv("MODELWRIGHT_USER", "eve")
    with pytest.raises(NotAllowed, match="whom the policy names"):
        modelwright.approve("churn", 1, reason="why not")
    monkeypatch.setenv("MODELWRIGHT_USER", "bob")
    with pytest.raises(NotAllowed, match="has a reason"):
        modelwright.approve("churn", 1, reason=" ")
    modelwright.approve("churn", 1, reason="looked at the slices")
    done = modelwright.promote("churn", 1)
    assert done.is_champion
    assert done.verdict.check("approve").evidence["approved"] == {"bob": "looked at the slices"}
    assert modelwright.promote("churn", 2).verdict.check("approve").outcome is Outcome.UNDECIDED


def test_an_approval_that_nobody_gave_does_not_count(project):
    """Whoever can write to the store can write a tag; the audit log does not know it."""
    from modelwright.flows._registry import registry

    version = registry().find(parse_ref("churn@1"))
    forged = {"who": "bob", "reason": "yes", "fingerprint": version.fingerprint, "entry": "0" * 64}
    registry().tag("churn", {"modelwright.approval.x": json.dumps(forged)}, number=1)
    rules = Policy.of({"approve": {"people": ["bob"]}, "behave": {"required": False}})
    assert modelwright.promote("churn", 1, policy=rules).verdict.check("approve").outcome is Outcome.UNDECIDED


def test_the_gate_for_machines(project):
    junit, sarif = project / "gate.xml", project / "gate.sarif"
    files = ("--junit", str(junit), "--sarif", str(sarif))
    code, said = modelwright_says("promote", "churn", "1", "--dry-run", "--github", *files)
    assert (code, said.splitlines()[-1]) == (0, "::notice title=churn@1::the gate says pass")
    assert len(list(ElementTree.fromstring(junit.read_bytes()).iter("testcase"))) == 9
    assert len(json.loads(sarif.read_text())["runs"][0]["results"]) == 9
    (project / "strict.toml").write_text("[validate]\nthresholds = { roc_auc = 0.999 }\n")
    code, said = modelwright_says("promote", "churn", "1", "--policy", "strict.toml", "--json")
    assert code == 3
    assert json.loads(said)["verdict"]["outcome"] == "fail"
    (project / "wrong.toml").write_text("[validate]\nthreshold = 1\n")
    code, said = modelwright_says("promote", "churn", "1", "--policy", "wrong.toml")
    assert (code, "did you mean 'thresholds'" in said) == (2, True)
    assert modelwright_says("models", "show", "churn")[0] == 0
    assert "churn" in modelwright_says("models")[1]


def test_groups_and_slices_of_a_labelled_table(project, later_csv):
    rules = Policy.of({"behave": {"groups": ["contract"], "slice_rows_min": 10, "group_gap_max": 0.01}})
    check = modelwright.promote("churn", 1, policy=rules, data=later_csv).verdict.check("behave")
    assert check.outcome in (Outcome.FAIL, Outcome.UNDECIDED)
    assert {g["measure"] for g in check.evidence["groups"]} == {"selection rate", "recall", "false positive rate"}
    assert check.evidence["slices"]


def test_compare_by_names(project, later_csv):
    found = modelwright.compare("churn@1", "churn@2", later_csv)
    assert (found.first, found.second, found.n_rows) == ("churn@1", "churn@2", 80)
    assert found.answer in ("better", "worse", "undecided")
    assert modelwright.compare("churn@1", "churn@1", later_csv).answer == "undecided"


def test_a_log_that_was_touched_is_found_out(project):
    modelwright.promote("churn", 1, policy=EASY)
    log = project / ".modelwright" / "audit.jsonl"
    content = log.read_text()
    assert modelwright_says("audit", "verify")[1].startswith("3 entries, none altered")
    log.write_text(content.replace('"who":"ada"', '"who":"eve"', 1))
    code, said = modelwright_says("audit", "verify")
    assert (code, "audit.jsonl, line 1" in said) == (2, True)
    log.write_text("\n".join(content.splitlines()[:1]) + "\n")
    with pytest.raises(BrokenAudit, match="head kept with churn"):
        verify()
