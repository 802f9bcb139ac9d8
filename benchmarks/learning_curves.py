"""How often a learning curve is right about whether twice the rows help, on real tables with rows held back.

    python benchmarks/learning_curves.py FOLDER [TABLE …] > benchmarks/results/learning_curves.jsonl

FOLDER holds one folder per table with ``train.csv`` and ``meta.json`` (``target``, ``task``). From up to 12,000 rows of
each table 3,000 judge. A trial takes n of the others, draws their learning curve as ``modelwright diagnose`` does, and
is told by it what 2n rows would bring; then 2n rows are fitted, and the gain is measured. It is right when it said that
a gain of 2 % of what the model has over the constant answer is more likely than not, and so it came, or the reverse.
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
from modelwright.flows.diagnose import REPEATS, curve_of
from modelwright.search.problem import Material, Problem

SIZES = (300, 600, 1_200, 2_400)
ROWS, HELD = 12_000, 3_000
PARAMS = {"rounds": 60, "learning_rate": 0.1, "leaves": 15}


def bench_of(folder: Path) -> Bench:
    """Return a table on the bench, all but the held rows to learn from."""
    meta = json.loads((folder / "meta.json").read_text())
    table = read(folder / "train.csv")
    rows = np.random.default_rng(0).permutation(table.n_rows)[:ROWS]
    table = Table(table.frame[rows], table.source, folder.name)
    settings = Settings.of({"target": meta["target"], "effort": 1, "threads": 1})
    run = run_of(settings)
    known = prepare(table, None, settings, run)
    problem = Problem(known.frame, known.target, known.weight, known.contract, known.task, 0)
    order = np.random.default_rng(1).permutation(problem.n_rows)
    n_held = min(HELD, problem.n_rows // 3)
    material = Material.prepare(problem)
    place = np.arange(problem.n_rows)
    return Bench(material, order[n_held:], order[:n_held], "lightgbm", "lightgbm", PARAMS, place, "", run)


def trials(folder: Path) -> list[dict[str, Any]]:
    """Return the trials of one table."""
    bench, found = bench_of(folder), []
    pool = bench.learn
    for n in SIZES:
        if 2 * n > len(pool):
            break
        bench.learn = pool[:n]
        told = curve_of(bench)
        if told is None:
            continue
        name, target = told["metric"], bench.problem.target[bench.held]
        rng = np.random.default_rng(n)
        fits = {
            size: [bench.fit(rng.permutation(pool)[:size], with_exam=True).held for _ in range(REPEATS + 1)]
            for size in (n, 2 * n)
        }
        values = {size: np.mean([compute(name, target, held) for held in held]) for size, held in fits.items()}
        gain = float(values[2 * n] - values[n]) * (1 if MEASURES[name].greater_is_better else -1)
        came = gain > told["worthwhile"]
        found.append(
            {
                "table": folder.name,
                "n": n,
                "metric": name,
                **{k: told[k] for k in ("now", "then", "low", "high", "gain", "gain_low", "gain_high", "worthwhile")},
                "helps": told["helps"],
                "said": told["is_gain_likely"],
                "gain_measured": gain,
                "came": bool(came),
                "is_right": bool(told["is_gain_likely"] == came),
            }
        )
        print(json.dumps(found[-1]), flush=True)
    return found


def main() -> None:
    """Run all tables, or those that are named."""
    folder = Path(sys.argv[1])
    names = sys.argv[2:] or sorted(p.name for p in folder.iterdir() if (p / "meta.json").exists())
    found = [trial for name in names for trial in trials(folder / name)]
    right = np.mean([t["is_right"] for t in found])
    print(json.dumps({"trials": len(found), "right": round(float(right), 3)}))


if __name__ == "__main__":
    main()
