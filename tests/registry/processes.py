"""What the tests of the registry share: entries, and processes that register at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from modelwright.registry.home import Home
from modelwright.registry.registry import Entry

REGISTER = """
import sys, json
from pathlib import Path
from modelwright.registry.home import Home
from modelwright.registry.registry import Entry, Registry
asked = json.loads(sys.argv[1])
registry = Registry(Home(Path(asked["folder"]), asked["address"]))
for i in range(asked["n"]):
    name = f"{asked['who']}-{i}"
    entry = Entry(Path(asked["package"]), name, {"seed": str(i)}, {"roc_auc": 0.5}, {"modelwright.author": name})
    registry.register(asked["model"], entry)
"""


def register_at_once(home: Home, package, n_processes: int, n: int, model: str = "churn") -> None:
    """Register from many processes, all starting together."""
    asked = {"folder": str(home.folder), "address": home.address, "package": str(package), "n": n, "model": model}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", REGISTER, json.dumps({**asked, "who": f"p{i}"})], stderr=subprocess.PIPE
        )
        for i in range(n_processes)
    ]
    said = [p.communicate()[1].decode() for p in running]
    assert [p.returncode for p in running] == [0] * n_processes, "\n".join(said)


def entry(folder: Path, fingerprint: str = "f" * 32, **tags: str) -> Entry:
    params, measures = {"target": "churn", "seed": "0"}, {"roc_auc": 0.8, "roc_auc_low": 0.7}
    return Entry(folder, fingerprint, params, measures, {"modelwright.author": "ada", **tags})
