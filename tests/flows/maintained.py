"""A project whose champion has met another world since: what the tests of maintaining share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

BEGUN, SPACING = 1_700_006_400.0, 600.0
EASY = (
    "[behave]\nrequired = false\n[screen]\nrequired = false\n[validate]\nrequired = false\n[test]\nrequired = false\n"
)
"""Leaves what counts here: that it reproduces, and how it compares with the champion."""


def turned(rows: list[dict[str, object]], seed: int) -> list[dict[str, object]]:
    """Return the rows with outcomes of a world in which long tenure makes people leave."""
    rng = np.random.default_rng(seed)
    made = []
    for row in rows:
        score = 0.14 * (int(str(row["tenure"])) - 36)
        made.append({**row, "churn": "yes" if rng.random() < 1 / (1 + np.exp(-score)) else "no"})
    return made


def records_of(model, rows, *, begun: float = BEGUN):
    """Return what a service would have recorded of these rows, ten minutes apart, with outcomes a minute later."""
    from modelwright.core.prediction import Outcome, PredictionRecord

    inputs = [{k: v if isinstance(v, int) else str(v) for k, v in r.items() if k != "churn"} for r in rows]
    scores = model.package.model.scores_of(inputs)
    records = [
        PredictionRecord(
            f"{i:032x}",
            begun + i * SPACING,
            "churn",
            "1",
            model.fingerprint,
            row,
            model.labels[int(s[1] >= 0.5)],
            tuple(float(p) for p in s),
        )
        for i, (row, s) in enumerate(zip(inputs, scores, strict=True))
    ]
    outcomes = [Outcome(r.id, str(row["churn"]), r.time + 60) for r, row in zip(records, rows, strict=True)]
    return records, outcomes


KILLED = """
import os, signal, sys, threading
left = int(os.environ["KILL_AT"])
def count(event, args):
    global left
    if threading.current_thread() is not threading.main_thread():
        return  # what a lease's renewal does comes at any moment
    if event in ("sqlite3.connect", "os.rename", "os.remove", "psycopg.connect", "socket.connect") or (
        event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax")
    ):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
def called(frame, event, what):
    if event == "c_call" and type(getattr(what, "__self__", None)).__module__ == "sqlite3":
        count("sqlite3.connect", ())
    elif event == "call" and frame.f_code.co_name in ("execute", "executemany", "commit"):
        if "psycopg" in frame.f_code.co_filename:
            count("psycopg.connect", ())
def arm(*, finely=False):
    sys.addaudithook(count)
    if finely:
        sys.setprofile(called)
"""
"""Counts what a process does to the world outside, and kills it at the given deed: no deed, no loss between.

Deeds are files opened for writing, renames, removals and connections; finely, every call of a database too.
"""


def killed_at(deed: int, code: str, folder: Path, **environ: str) -> tuple[bool, str]:
    """Run Python code that dies with SIGKILL at a deed; return whether it died, and what it printed.

    The code calls ``arm()`` where counting begins.
    """
    environment = {**os.environ, "KILL_AT": str(deed), "MODELWRIGHT_PROJECT": str(folder), **environ}
    done = subprocess.run(
        [sys.executable, "-c", KILLED + code], capture_output=True, text=True, check=False, env=environment, cwd=folder
    )
    assert done.returncode in (0, -9), done.stderr[-3000:]
    return done.returncode == -9, done.stdout


def entries(folder: Path) -> list[dict]:
    """Return the audit log's entries."""
    return [json.loads(line) for line in (folder / ".modelwright" / "audit.jsonl").read_text().splitlines()]
