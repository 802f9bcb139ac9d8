"""Quality estimated without labels, against what came true, beside NannyML's CBPE and DLE on the same windows.

    python benchmarks/estimates.py --peers-python ENV/bin/python --tables adult/train.csv:income

Each table is cut in three by chance: a model learns from half, a quarter is the reference, a quarter makes windows of
500 rows. Windows are drawn in two ways: by chance, and so that rows with a large value of one number column are up to
four times as frequent (the inputs change, what they mean does not). Besides, windows with a planted change of what
inputs mean (answers of a third of the rows are swapped, or errors doubled) show how soon the estimates are called
untrustworthy. Counted are the mean distance of the estimate from the realised measure, and how often our band holds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.contract import Kind
from modelwright.core.settings import Settings
from modelwright.core.split import How
from modelwright.data.conforming import conform
from modelwright.data.reading import read
from modelwright.data.tasks import encode
from modelwright.evaluation import metrics
from modelwright.flows._preparing import prepare
from modelwright.flows.api import run_of
from modelwright.monitoring.estimates import fit_estimator
from modelwright.monitoring.quality import is_trusted
from modelwright.search.final import evidence_model
from modelwright.search.journal import Journal
from modelwright.search.problem import Material, Problem
from modelwright.search.workshop import search

if TYPE_CHECKING:
    from modelwright.core.model import Model

ROWS, WINDOWS = 500, 40
SHARED = {"binary": ("roc_auc", "f1", "accuracy", "precision", "recall"), "regression": ("mae", "mse", "rmse")}


def problem_of(path: str, target: str) -> Problem:
    """Return all labelled rows of a table."""
    settings = Settings.of({"target": target, "effort": 1, "seed": 0})
    run = run_of(settings)
    table = read(path)
    known = prepare(table, None, settings, run)
    encoded, labelled = encode(table, known.task, known.contract)
    frame = conform(table.frame, known.contract).frame.filter(labelled)
    return Problem(frame, encoded[labelled], None, known.contract, known.task, 0)


def fitted(p: Problem, rows: np.ndarray) -> Model:
    """Return a small model of some rows."""
    run = run_of(Settings.of({"target": p.task.target, "effort": 1, "seed": 0}))
    found = search(Material.prepare(p.take(rows)), run, how=How.RANDOM, open_journal=lambda _: Journal())
    return evidence_model(found, run)


def draws(p: Problem, pool: np.ndarray, rng: np.random.Generator) -> dict[str, list[np.ndarray]]:
    """Return windows drawn by chance, and windows in which large values of one column become frequent."""
    numbers = [c.name for c in p.contract.features if c.kind is Kind.NUMBER and p.frame[c.name].n_unique() > 20]
    ways: dict[str, list[np.ndarray]] = {"by chance": [], "inputs change": []}
    for i in range(WINDOWS):
        ways["by chance"].append(rng.choice(pool, ROWS))
        x = p.frame[numbers[i % len(numbers)]].to_numpy()[pool]
        rank = np.nan_to_num(x).argsort().argsort() / len(pool)
        weight = np.exp(rng.uniform(0.5, 1.4) * np.sign(rng.standard_normal()) * rank)
        ways["inputs change"].append(rng.choice(pool, ROWS, p=weight / weight.sum()))
    return ways


def of_peer(python: str, kind: str, held: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return NannyML's estimates by measure."""
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(given, **held)
        script = Path(__file__).parent / "_peer_estimates.py"
        subprocess.run([python, str(script), kind, str(given), str(out)], check=True, capture_output=True)
        with np.load(out) as told:
            return {k: told[k] for k in told.files}


def main() -> None:
    """Measure and write one line of JSON for each table, way of drawing and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers-python", required=True)
    parser.add_argument("--tables", nargs="+", required=True, metavar="FILE:TARGET")
    parser.add_argument("--seeds", type=int, default=1, help="how often each table is cut anew")
    parser.add_argument("--out", default=str(Path(__file__).parent / "results" / "estimates.jsonl"))
    options = parser.parse_args()
    for given, seed in [(g, s) for g in options.tables for s in range(options.seeds)]:
        path, _, target = given.rpartition(":")
        p = problem_of(path, target)
        rng = np.random.default_rng(1 + seed)
        order = rng.permutation(p.n_rows)[:24_000]
        learn, reference, pool = np.array_split(order, [len(order) // 2, len(order) * 3 // 4])
        model = fitted(p, learn)
        is_class = p.task.is_classification
        scores = model.scores(p.frame[reference])
        matrix = model.plan.matrix(p.frame[reference])
        estimator, _ = fit_estimator(p.task, p.target[reference], scores, model.choices(scores), matrix)
        kind = "binary" if is_class else "regression"

        def parts(name: str, rows: np.ndarray, model: Model = model, p: Problem = p) -> dict[str, Any]:
            said = model.scores(p.frame[rows])
            flat = said[:, 1] if p.task.is_classification else said
            return {
                f"{name}_features": model.plan.matrix(p.frame[rows]).values,
                f"{name}_scores": flat,
                f"{name}_choices": model.choices(said) if p.task.is_classification else flat,
                f"{name}_target": p.target[rows],
            }

        for way, windows in draws(p, pool, rng).items():
            whole = np.concatenate(windows)
            held = {**parts("reference", reference), **parts("windows", whole), "rows": ROWS}
            theirs = of_peer(options.peers_python, kind, held)
            agreements: dict[str, list[bool]] = {m: [] for m in SHARED[kind]}
            ours: dict[str, list[float]] = {m: [] for m in SHARED[kind]}
            realised: dict[str, list[float]] = {m: [] for m in SHARED[kind]}
            planted: list[bool | None] = []
            for rows in windows:
                said = model.scores(p.frame[rows])
                choices = model.choices(said)
                expected = estimator.expect(said, model.plan.matrix(p.frame[rows]))
                for m in SHARED[kind]:
                    estimate = estimator.estimate(m, expected, said, choices)
                    real = metrics.compute(m, p.target[rows], said, choices)
                    ours[m].append(estimate.value)
                    realised[m].append(real)
                    agreements[m].append(estimate.low <= real <= estimate.high)
                changed = p.target[rows].copy()
                some = rng.random(len(rows)) < 1 / 3
                changed[some] = 1 - changed[some] if is_class else said[some] + 2 * (changed[some] - said[some])
                m = SHARED[kind][0]
                estimate = estimator.estimate(m, expected, said, choices)
                planted.append(estimate.low <= metrics.compute(m, changed, said, choices) <= estimate.high)
            for m in SHARED[kind]:
                real = np.array(realised[m])
                line = {
                    "table": Path(path).parent.name,
                    "seed": seed,
                    "windows": way,
                    "measure": m,
                    "off": round(float(np.abs(np.array(ours[m]) - real).mean()), 5),
                    "off_nannyml": round(float(np.abs(theirs[m] - real).mean()), 5),
                    "realised_mean": round(float(real.mean()), 5),
                    "band_holds": round(float(np.mean(agreements[m])), 3),
                    "trusted_unchanged": is_trusted(list(agreements[m])),
                    "trusted_when_meaning_changed": is_trusted(planted),
                    "n_windows": len(windows),
                }
                print(json.dumps(line), flush=True)
                with Path(options.out).open("a") as file:
                    file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
