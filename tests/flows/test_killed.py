"""SIGKILL in the middle of labelling, watching and promoting, on SQLite and PostgreSQL: nothing is lost or repeated.

A handful of moments here; `benchmarks/killed.py` goes through all of them.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
from pathlib import Path

import pytest

import modelwright
from modelwright.flows._watched import state_of
from modelwright.flows.audit import verify
from modelwright.flows.resolve import resolve
from modelwright.monitoring.state import WatchState
from modelwright.registry.ledger import open_ledger

sys.path.insert(0, str(Path(__file__).parent))

from maintained import BEGUN, EASY, entries, killed_at, records_of, turned

N_LABELLED = 60
NEVER = 10**9

LABEL = """
from modelwright.flows import label as flow
flow.ROWS_AT_ONCE = 20
arm(finely=True)
done = flow.label("churn", "outcomes.csv", ledger=os.environ["LEDGER"])
print(done.received.added, done.received.repeated, done.received.corrected)
"""


def labelled(address: str, folder: Path, churn_model, make_churn_rows, deeds: tuple[int, ...]) -> None:
    """Label a ledger in processes that are killed, and check that every outcome is there once."""
    ledger = open_ledger(address)
    records, outcomes = records_of(modelwright.load(churn_model.path), make_churn_rows(N_LABELLED, seed=3))
    ledger.append(records)
    lines = [f"{o.prediction_id},{o.value},{o.time}" for o in outcomes]
    (folder / "outcomes.csv").write_text("\n".join(["prediction_id,value,time", *lines, ""]))
    died = [killed_at(deed, LABEL, folder, LEDGER=address)[0] for deed in deeds]
    assert all(died)
    alive, said = killed_at(NEVER, LABEL, folder, LEDGER=address)
    added, repeated, corrected = map(int, said.split())
    assert (alive, added + repeated, corrected) == (False, N_LABELLED, 0)
    answered = [a for batch in ledger.read("churn") for a in batch]
    assert [a.outcome.value for a in answered] == [o.value for o in outcomes]
    ledger.close()


@pytest.mark.slow
def test_labelling_on_sqlite(churn_model, make_churn_rows, tmp_path):
    address = str(tmp_path / "ledger.db")
    labelled(address, tmp_path, churn_model, make_churn_rows, (3, 17, 22))
    with sqlite3.connect(address) as db:
        assert db.execute("SELECT count(*) FROM outcomes").fetchone() == (N_LABELLED,)
    db.close()


@pytest.mark.slow
@pytest.mark.server
def test_labelling_on_postgres(churn_model, make_churn_rows, tmp_path, empty_database):
    import psycopg

    labelled(empty_database, tmp_path, churn_model, make_churn_rows, (8, 17, 22))
    with psycopg.connect(empty_database) as db:
        assert db.execute("SELECT count(*) FROM modelwright_outcomes").fetchone() == (N_LABELLED,)


PROMOTE = """
import modelwright
arm(finely=True)
done = modelwright.promote("churn", 2, policy="easy.toml", reason="why not")
print(done.is_champion, int(os.environ["KILL_AT"]) - left)
"""


def promoted(folder: Path, deeds: tuple[int, ...], **environ: str) -> None:
    """Promote in processes that are killed, and check that it happened once and is on record once."""
    died = [killed_at(deed, PROMOTE, folder, **environ)[0] for deed in deeds]
    assert any(died)
    alive, said = killed_at(NEVER, PROMOTE, folder, **environ)
    assert (alive, said.split()[0]) == (False, "True")
    acts = [(e["action"], e["version"], e["reason"]) for e in entries(folder) if e["action"] == "promote"]
    assert acts == [("promote", 1, ""), ("promote", 2, "why not")]
    left = folder / ".modelwright" / "acts"
    assert not list(left.glob("*.json"))


def two_versions(folder: Path, package: str) -> None:
    (folder / "easy.toml").write_text(EASY + "[compare]\nrequired = false\n")
    modelwright.register(package, "churn")
    modelwright.promote("churn", 1, policy=folder / "easy.toml")
    modelwright.register(package, "churn")


@pytest.fixture(scope="module")
def kept(churn_model, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODELWRIGHT_PROJECT", str(folder))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        two_versions(folder, churn_model.path)
    return folder


@pytest.fixture(scope="module")
def n_deeds(kept, tmp_path_factory) -> int:
    """How many deeds a promotion has."""
    folder = tmp_path_factory.mktemp("counted")
    shutil.copytree(kept, folder, dirs_exist_ok=True)
    return int(killed_at(NEVER, PROMOTE, folder)[1].split()[1])


@pytest.mark.slow
@pytest.mark.parametrize("before_the_end", [(3, 0), (12, 8, 5)])
def test_promoting_on_sqlite(kept, n_deeds, tmp_path, monkeypatch, before_the_end):
    shutil.copytree(kept, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("MODELWRIGHT_PROJECT", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    promoted(tmp_path, tuple(n_deeds - n for n in before_the_end))
    assert resolve("churn").version == "2"
    verify()


@pytest.mark.slow
@pytest.mark.server
def test_promoting_on_postgres(churn_model, tmp_path, monkeypatch, empty_database):
    monkeypatch.setenv("MODELWRIGHT_PROJECT", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", empty_database)
    two_versions(tmp_path, churn_model.path)
    promoted(tmp_path, (20, 30))
    assert resolve("churn").version == "2"
    verify()


WATCH = """
from modelwright.flows.monitoring_api import watching_of
from modelwright.flows.watch import watch
watching = watching_of(ledger=os.environ["LEDGER"], name="churn", reference=os.environ["TABLE"], log=True)
now = float(os.environ["NOW"])
arm(finely=True)
watch(os.environ["PACKAGE"], watching, clock=lambda: now)
"""


def watched(address: str, folder: Path, churn_model, churn_csv, make_churn_rows, deeds: tuple[int, ...]) -> None:
    """Watch in processes that are killed; then check that each alarm is there once and its message was delivered."""
    ledger = open_ledger(address)
    records, outcomes = records_of(modelwright.load(churn_model.path), turned(make_churn_rows(900, seed=9), 2))
    ledger.append(records)
    ledger.add_outcomes(outcomes)
    ledger.close()
    environ = {"TABLE": str(churn_csv), "PACKAGE": churn_model.path, "LEDGER": address}
    begun = BEGUN + 8 * 86_400.0
    died = [killed_at(d, WATCH, folder, **environ, NOW=str(begun + 400.0 * n))[0] for n, d in enumerate(deeds)]
    assert any(died)
    alive, _ = killed_at(NEVER, WATCH, folder, **environ, NOW=str(begun + 2_000.0))
    assert not alive
    state = WatchState(state_of(None, address))
    lasting = [a["id"] for a in state.alarms() if a["ended"] is None]
    assert lasting
    assert len(set(lasting)) == len(lasting)
    messages = state._tables.rows("SELECT count(*), count(delivered) FROM modelwright_outbox")
    assert messages == [(len(lasting), len(lasting))]
    state.close()


@pytest.mark.slow
def test_watching_on_sqlite(churn_model, churn_csv, make_churn_rows, tmp_path):
    watched(str(tmp_path / "ledger.db"), tmp_path, churn_model, churn_csv, make_churn_rows, (51, 54, 58))


@pytest.mark.slow
@pytest.mark.server
def test_watching_on_postgres(churn_model, churn_csv, make_churn_rows, tmp_path, empty_database):
    watched(empty_database, tmp_path, churn_model, churn_csv, make_churn_rows, (51, 54, 58))
    assert not list(tmp_path.rglob("watch.db"))
