"""Retraining: what a successor learns from, that it goes through the gate, and that nothing is done twice or lost."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

import modelwright
from modelwright.core.errors import NothingToLearn
from modelwright.flows.audit import verify
from modelwright.flows.resolve import resolve
from modelwright.monitoring.state import WatchState
from modelwright.registry.ledger import open_ledger
from modelwright.ui.cli import main

sys.path.insert(0, str(Path(__file__).parent))

from maintained import EASY, SPACING, entries, killed_at, records_of, turned

pytestmark = pytest.mark.slow
N_ROWS = 400


@pytest.fixture(scope="module")
def kept(churn_model, make_churn_rows, tmp_path_factory) -> Path:
    """A project whose champion is the small model, with 400 labelled answers of a world that has turned."""
    folder = tmp_path_factory.mktemp("maintained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODELWRIGHT_PROJECT", str(folder))
        patch.setenv("MODELWRIGHT_USER", "ada")
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        (folder / "easy.toml").write_text(EASY)
        modelwright.register(churn_model.path, "churn")
        assert modelwright.promote("churn", 1, policy=folder / "easy.toml").is_champion
    ledger = open_ledger(folder / ".modelwright" / "ledger.db")
    model = modelwright.load(churn_model.path)
    rows = turned(make_churn_rows(N_ROWS, seed=70), 1)
    records, outcomes = records_of(model, rows, begun=time.time() - (N_ROWS + 1) * SPACING)
    ledger.append(records)
    ledger.add_outcomes(outcomes)
    ledger.close()
    return folder


@pytest.fixture
def project(kept, tmp_path, monkeypatch) -> Path:
    """A copy of that project, in which everything here happens."""
    shutil.copytree(kept, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("MODELWRIGHT_PROJECT", str(tmp_path))
    monkeypatch.setenv("MODELWRIGHT_USER", "ada")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


OPTIONS = {"effort": 1, "threads": 1, "policy": "easy.toml"}


def advise(folder: Path, fingerprint: str, action: str = "retrain") -> None:
    """Leave behind what a look would have advised."""
    state = WatchState(folder / ".modelwright" / "watch.db")
    advice = {"action": action, "reason": "outcomes say so", "alarms": ["a1", "a2"]}
    state.record("churn", [], [], {"fingerprint": fingerprint, "advice": advice})
    state.close()


def test_advice_becomes_a_champion_with_its_parents_on_record(project, churn_model):
    with pytest.raises(NothingToLearn, match="advice comes from watching"):
        modelwright.retrain("churn", **OPTIONS)
    advise(project, churn_model.package.fingerprint, "look")
    idle = modelwright.retrain("churn", **OPTIONS)
    assert (idle.outcome, idle.acted) == ("nothing to do", False)
    advise(project, churn_model.package.fingerprint)
    done = modelwright.retrain("churn", **OPTIONS)
    assert (done.outcome, done.acted, resolve("churn").version) == ("promoted", True, "2")
    assert done.facts["rows"] == {"old": 240, "new": 400, "learnt": done.facts["rows"]["learnt"], "judging": 200}
    assert {t["way"] for t in done.facts["tested"]} >= {"the newest half", "the newest quarter"}
    last = entries(project)[-1]
    assert (last["action"], last["version"], last["reason"]) == ("promote", 2, "retrained: outcomes say so")
    assert last["detail"]["advice"] == ["a1", "a2"]
    assert last["detail"]["champion_fingerprint"] == churn_model.package.fingerprint
    assert last["detail"]["ledger_rows"] == 400
    assert len(verify().entries) == len(entries(project))
    assert "churn@2 promoted" in done.summary(80)
    # The new champion knows these outcomes, and where its own rows are.
    with pytest.raises(NothingToLearn, match="100 outcomes or more"):
        modelwright.retrain("churn", why="schedule", **OPTIONS)
    seen = modelwright.watch("churn", ledger=".modelwright/ledger.db", state="w.db")
    assert seen.told["reference_rows"] == 200
    assert seen.told["fingerprint"] == resolve("churn").fingerprint


def test_a_challenger_that_is_no_better_is_rejected_once_and_then_it_rests(project, churn_model):
    (project / "strict.toml").write_text(EASY + "[compare]\nrows_min = 100000\n")
    asked = {**OPTIONS, "policy": "strict.toml"}
    advise(project, churn_model.package.fingerprint)
    done = modelwright.retrain("churn", **asked)
    assert (done.outcome, done.facts["version"], resolve("churn").version) == ("rejected", 2, "1")
    before = len(entries(project))
    again = modelwright.retrain("churn", **asked)
    assert (again.outcome, again.acted, again.facts["version"]) == ("rejected", False, 2)
    other = modelwright.retrain("churn", **{**asked, "seed": 5})
    assert other.outcome == "nothing to do"
    assert "500 outcomes" in other.reason
    assert len(entries(project)) == before
    said = CliRunner().invoke(main, ["retrain", "churn", "--effort", "1", "--policy", "strict.toml", "--json"])
    assert (said.exit_code, json.loads(said.output)["acted"]) == (3, False)


def test_people_are_waited_for(project):
    (project / "people.toml").write_text(EASY + '[approve]\npeople = ["bob"]\n')
    done = modelwright.retrain("churn", why="bob wants it", **{**OPTIONS, "policy": "people.toml"})
    assert (done.outcome, resolve("churn").version) == ("waits for approval", "1")


NEVER = 10**9
RETRAIN = """
import time
from modelwright.flows.retrain import Retraining, retrain
time.sleep(1.0)  # until the lease of the one before has run out
asked = Retraining(ledger=".modelwright/ledger.db", why="schedule", effort=1, budget=None, threads=1,
                   policy="easy.toml", lease=1.0)
arm()
done = retrain("churn", asked)
print(done.outcome, done.acted, int(os.environ["KILL_AT"]) - left)
"""


def test_a_retraining_that_is_killed_again_and_again_ends_as_if_it_had_not_been(project, kept, tmp_path_factory):
    counted = tmp_path_factory.mktemp("counted")
    shutil.copytree(kept, counted, dirs_exist_ok=True)
    total = int(killed_at(NEVER, RETRAIN, counted)[1].split()[-1])
    # Each goes on where the one before was killed, so that later ones have less to do.
    for deed in (total // 8, total // 3, total // 5, 4):
        killed_at(deed, RETRAIN, project)
    died, said = killed_at(NEVER, RETRAIN, project)
    assert not died
    assert said.split()[0] == "promoted"
    _is_whole(project)


def _is_whole(project: Path) -> None:
    told = modelwright.models("churn").to_dict()["versions"]
    assert [v["version"] for v in told] == [1, 2]
    assert resolve("churn").version == "2"
    acts = [(e["action"], e["version"]) for e in entries(project)]
    assert acts == [("register", 1), ("promote", 1), ("register", 2), ("promote", 2)]
    verify()
    assert not list((project / ".modelwright" / "acts").glob("*.json"))


def test_a_watcher_acts_on_what_it_sees_and_follows_the_new_champion(project):
    from modelwright.flows.monitoring_api import watching_of
    from modelwright.flows.watch import watch_every

    def complain(error):
        raise error

    def act(look):
        if look.told["advice"]["action"] == "retrain":
            done.append(modelwright.retrain("churn", state="w.db", **OPTIONS))

    seen, done, lasted = [], [], []
    watching = watching_of(ledger=".modelwright/ledger.db", state="w.db")
    looks = watch_every("churn", watching, every=0.2, is_stopped=lambda: len(seen) == 2, complain=complain, act=act)
    for look in looks:
        seen.append(look.told)
        lasted.append(look.is_alarmed)
    assert seen[0]["advice"]["action"] == "retrain"
    assert (len(done), done[0].outcome) == (1, "promoted")
    assert done[0].facts["advice"] == seen[0]["advice"]["alarms"]
    assert seen[1]["fingerprint"] == resolve("churn").fingerprint
    assert lasted == [True, False]


def test_two_at_once_do_it_once(project):
    import subprocess

    code = "import os; left = 0\n" + RETRAIN.replace("arm()", "").replace("lease=1.0", "lease=60.0")
    environment = {**os.environ, "MODELWRIGHT_PROJECT": str(project), "KILL_AT": "0"}
    running = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment, cwd=project)
        for _ in range(2)
    ]
    said = sorted(p.communicate()[0].strip() for p in running)
    assert said in (["another is at work False 0", "promoted True 0"], ["promoted False 0", "promoted True 0"])
    _is_whole(project)
