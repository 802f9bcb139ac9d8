"""How often a learning curve is right about whether twice the rows help, on real tables with rows held back.

    python benchmarks/learning_curves.py FOLDER [TABLE …] > benchmarks/results/learning_curves.jsonl

FOLDER holds one folder per table with ``train.csv`` and ``meta.json`` (``target``, ``task``). From up to 12,000 rows of
each table 3,000 judge. A trial takes n of the others, draws their learning curve as ``modelwright diagnose`` does, and
is told by it what 2n rows would bring; then n more rows are drawn four times, and what is measured with them is
compared. It is right when it said that a gain of 2 % of what the model has over the constant answer is more likely than
not, and so it came in the mean of the four, or the reverse; its interval covers when it holds what was measured, each
of the four for itself. ``PARTS`` times each table is divided anew.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from modelwright.core.metrics import MEASURES
from modelwright.core.settings import Settings
from modelwright.core.table import Table
from modelwright.data.reading import read
from modelwright.evaluation.metrics import compute
from modelwright.flows._preparing import prepare
from modelwright.flows._refitting import Bench
from modelwright.flows.api import run_of
from modelwright.flows.diagnose import curve_of
from modelwright.search.problem import Material, Problem

SIZES = (300, 600, 1_200, 2_400)
ROWS, HELD = 12_000, 3_000
PARTS, DRAWS = 1, 4
TOLD = (
    *("metric", "now", "then", "low", "high", "gain", "worthwhile", "helps", "is_gain_likely", "constant"),
    *("sizes", "repeats"),
)
PARAMS = {"rounds": 60, "learning_rate": 0.1, "leaves": 15}


def bench_of(folder: Path, part: int) -> Bench:
    """Return a table on the bench, all but the held rows to learn from, divided in one of several ways."""
    meta = json.loads((folder / "meta.json").read_text())
    table = read(folder / "train.csv")
    rows = np.random.default_rng(0).permutation(table.n_rows)[:ROWS]
    table = Table(table.frame[rows], table.source, folder.name)
    settings = Settings.of({"target": meta["target"], "effort": 1, "threads": 1})
    run = run_of(settings)
    known = prepare(table, None, settings, run)
    problem = Problem(known.frame, known.target, known.weight, known.contract, known.task, 0)
    order = np.random.default_rng(1 + part).permutation(problem.n_rows)
    n_held = min(HELD, problem.n_rows // 3)
    material = Material.prepare(problem)
    place = np.arange(problem.n_rows)
    return Bench(material, order[n_held:], order[:n_held], "lightgbm", "lightgbm", PARAMS, place, "", run)


def trials(folder: Path, part: int) -> list[dict[str, Any]]:
    """Return the trials of one table."""
    bench, found = bench_of(folder, part), []
    pool = bench.learn
    for n in SIZES:
        if 2 * n > len(pool):
            break
        bench.learn = pool[:n]
        told = curve_of(bench)
        if told is None:
            continue
        name, target = told["metric"], bench.problem.target[bench.held]
        sign = 1 if MEASURES[name].greater_is_better else -1
        rng = np.random.default_rng(n + part)
        then = []
        for _ in range(DRAWS):
            rows = rng.permutation(np.concatenate([pool[:n], rng.permutation(pool[n:])[:n]]))
            then.append(float(compute(name, target, bench.fit(rows, with_exam=True).held)))
        gain = (float(np.mean(then)) - told["now"]) * sign
        came = gain > told["worthwhile"]
        found.append(
            {
                "table": folder.name,
                "part": part,
                "n": n,
                **{k: told[k] for k in TOLD},
                "then_measured": then,
                "covers": float(np.mean([told["low"] <= v <= told["high"] for v in then])),
                "gain_measured": gain,
                "is_right": bool(told["is_gain_likely"] == came),
            }
        )
        print(json.dumps(found[-1]), flush=True)
    return found


def main() -> None:
    """Run all tables, or those that are named."""
    folder = Path(sys.argv[1])
    names = sys.argv[2:] or sorted(p.name for p in folder.iterdir() if (p / "meta.json").exists())
    found = [trial for name in names for part in range(PARTS) for trial in trials(folder / name, part)]
    right, covers = (float(np.mean([t[k] for t in found])) for k in ("is_right", "covers"))
    print(json.dumps({"trials": len(found), "right": round(right, 3), "covered": round(covers, 3)}))


if __name__ == "__main__":
    main()
