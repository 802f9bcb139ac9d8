"""Kills promoting and retraining at every deed, one process each, and checks what is left.

    python benchmarks/killed.py [--deeds 200]

A deed is a file opened for writing, a rename, a removal, a connection, or a call of a database. After each kill the
same command runs to its end; then every version and audit entry has to be there exactly once.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "flows")]

from maintained import EASY, entries, killed_at, records_of, turned  # noqa: E402

import modelwright  # noqa: E402
from conftest import churn_rows, write_csv  # noqa: E402
from modelwright.registry.ledger import open_ledger  # noqa: E402

NEVER = 10**9
COUNT = "print(int(os.environ['KILL_AT']) - left)"
PROMOTE = f"""
import modelwright
arm(finely=True)
modelwright.promote("churn", 2, policy="easy.toml", reason="why not")
{COUNT}
"""
RETRAIN = f"""
import time
from modelwright.core.errors import NothingToLearn
from modelwright.flows.retrain import Retraining, retrain
asked = Retraining(ledger=os.environ["LEDGER"], why="schedule", effort=1, budget=None, threads=1, policy="easy.toml",
                   lease=0.5)
time.sleep(0.5)
arm()
try:
    retrain("churn", asked)
except NothingToLearn:  # what was killed had done everything
    pass
{COUNT}
"""
EXPECTED = {
    "promote": [("register", 1), ("promote", 1), ("register", 2), ("promote", 2)],
    "retrain": [("register", 1), ("promote", 1), ("register", 2), ("promote", 2)],
}


def project(folder: Path, ledger: str, *, versions: int) -> None:
    """Make a project with a champion, perhaps a challenger, and labelled answers of a world that has turned."""
    os.environ["MODELWRIGHT_PROJECT"] = str(folder)
    table = write_csv(folder / "churn.csv", churn_rows())
    out = str(folder / "churn.model")
    modelwright.train(table, target="churn", effort=1, threads=1, out=out)
    free = "" if versions == 1 else "[compare]\nrequired = false\n"
    (folder / "easy.toml").write_text(EASY + free)
    modelwright.register(out, "churn")
    modelwright.promote("churn", 1, policy=folder / "easy.toml")
    for _ in range(versions - 1):
        modelwright.register(out, "churn")
    opened = open_ledger(ledger)
    records, outcomes = records_of(modelwright.load(out), turned(churn_rows(400, seed=70), 1))
    opened.append(records)
    opened.add_outcomes(outcomes)
    opened.close()


def is_whole(folder: Path, what: str) -> bool:
    """Whether all that should have happened happened once."""
    os.environ["MODELWRIGHT_PROJECT"] = str(folder)
    acts = [(e["action"], e["version"]) for e in entries(folder) if e["action"] != "judge"]
    left = list((folder / ".modelwright" / "acts").glob("*.json"))
    champion = modelwright.load("churn@champion").fingerprint
    return acts == EXPECTED[what] and not left and champion == modelwright.load("churn@2").fingerprint


def study(what: str, code: str, most: int) -> dict[str, object]:
    """Kill one kind of work at up to so many deeds, on SQLite."""
    base = Path(tempfile.mkdtemp(prefix="mw-killed-"))
    begun = time.monotonic()
    try:
        project(base, str(base / ".modelwright" / "ledger.db"), versions=2 if what == "promote" else 1)
        total, bad, kills = deeds(base, code), [], 0
        step = max(total // most, 1)
        for deed in range(1, total + 1, step):
            folder = base.with_name(f"{base.name}-{deed}")
            shutil.copytree(base, folder)
            environ = {"LEDGER": str(folder / ".modelwright" / "ledger.db")}
            kills += killed_at(deed, code, folder, **environ)[0]
            killed_at(NEVER, code, folder, **environ)
            if not is_whole(folder, what):
                bad.append(deed)
            shutil.rmtree(folder)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    return {"what": what, "deeds": total, "kills": kills, "not_whole": bad, "seconds": round(time.monotonic() - begun)}


def deeds(base: Path, code: str) -> int:
    """Return how many deeds the work has."""
    folder = base.with_name(f"{base.name}-count")
    shutil.copytree(base, folder)
    environ = {"LEDGER": str(folder / ".modelwright" / "ledger.db")}
    total = int(killed_at(NEVER, code, folder, **environ)[1].strip())
    shutil.rmtree(folder)
    return total


def main() -> None:
    """Run the studies and print one JSON line each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--deeds", type=int, default=1_000)
    parser.add_argument("--only", choices=("promote", "retrain"))
    asked = parser.parse_args()
    for what, code in (("promote", PROMOTE), ("retrain", RETRAIN)):
        if asked.only in (None, what):
            print(json.dumps(study(what, code, asked.deeds)), flush=True)


if __name__ == "__main__":
    main()
