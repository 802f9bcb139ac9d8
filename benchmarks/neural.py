"""What the network is worth: alone against LightGBM and CatBoost, and what a blend gains by it.

    python benchmarks/neural.py [--seconds 10] [--only adult,letter] [--seeds 1]

writes ``benchmarks/results/neural.md`` and ``neural.jsonl``, a line per table and seed. Each table of ../shared/data
up to 60,000 rows is prepared as ``modelwright train`` prepares it; of the rows of train.csv one fold of five stops the
training and chooses the blends, the others are learnt from. test.csv judges and is looked at once. Every fit has one
thread. ``--seconds`` are seconds of one core that the network may take a fit, so a busy machine does not shorten them.
Boosting is not limited: the best by the exam of the portfolio's four LightGBM candidates at rate 0.05, and CatBoost at
0.08, all stopped by the exam.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import polars as pl

from modelwright.core.ports import Exam, Lesson
from modelwright.core.run import Run
from modelwright.core.settings import Settings
from modelwright.core.table import Table
from modelwright.data.conforming import conform
from modelwright.data.reading import read
from modelwright.data.splitting import fold
from modelwright.data.tasks import encode
from modelwright.flows._preparing import prepare
from modelwright.flows.builtin import catalogue
from modelwright.search.ensemble import choose, loss_of
from modelwright.search.portfolio import CATBOOST, LIGHTGBM, LIGHTGBM_EXTRA, LIGHTGBM_REGULAR, LIGHTGBM_SHALLOW, NEURAL
from modelwright.search.problem import Material, Problem

if TYPE_CHECKING:
    from modelwright.core.matrix import Matrix

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
RESULTS = ROOT / "benchmarks" / "results"
ROWS_MAX = 60_000
BOOSTED = (LIGHTGBM_EXTRA, LIGHTGBM, LIGHTGBM_REGULAR, LIGHTGBM_SHALLOW)


@dataclass(frozen=True)
class Cut:
    """One table, divided: rows to learn from, rows that stop and choose, rows that judge."""

    name: str
    metric: str
    n_classes: int
    fit: Matrix
    target: Any
    exam: Exam
    judged: Matrix
    truth: Any


@dataclass(frozen=True)
class Line:
    """Losses on the judging rows (smaller is better) and seconds of one core."""

    table: str
    seed: int
    metric: str
    n_rows: int
    n_features: int
    lightgbm: float
    catboost: float
    neural: float
    trees: float
    trees_and_neural: float
    weight: float
    seconds: dict[str, float]
    rounds: int
    ended: str


def cut(name: str, seed: int) -> Cut:
    """Return a table, prepared and divided."""
    meta = json.loads((DATA / name / "meta.json").read_text())
    run = Run(catalogue(), time.monotonic, time.monotonic(), seed=seed)
    table = read(str(DATA / name / "train.csv"))
    prepared = prepare(table, None, Settings(target=meta["target"], metric=meta["metric"]), run)
    p = Problem(prepared.frame, prepared.target, None, prepared.contract, prepared.task, seed)
    material = Material.prepare(p)
    how = prepared.split.how
    folds = fold(
        p.frame, p.task, p.target, np.arange(p.n_rows), n_folds=5, n_repeats=1, seed=seed, how=how, contract=p.contract
    )
    last = folds.folds[-1]  # of rows in time the latest
    fit, exam = material.fold(len(folds.folds) - 1, last)
    asked = read(str(DATA / name / "test.csv"))
    truth, known = encode(asked, p.task, p.contract)
    judged = material.plan_of_fold(last).matrix(conform(_known(asked, known), p.contract).frame)
    stop = Exam(exam, p.target[last.valid])
    return Cut(name, p.task.metric, p.n_classes, fit, p.target[last.fit], stop, judged, truth[known])


def _known(asked: Table, known: Any) -> pl.DataFrame:
    return asked.frame.filter(pl.Series(known))


def fitted(one: Cut, learner: str, params: dict[str, Any], seed: int, seconds: float) -> tuple[Any, Any, Any, float]:
    """Return predictions for the exam and for the judging rows, the curve, and the seconds."""
    begun = time.process_time()
    lesson = Lesson(
        one.fit, one.target, one.n_classes, None, one.exam, seed, 1, lambda: begun + seconds - time.process_time()
    )
    model, curve = catalogue().find("learner", learner)(**params).fit(lesson)
    spent = time.process_time() - begun
    return model.predict(one.exam.matrix), model.predict(one.judged), curve, spent


def measured(one: Cut, seed: int, seconds: float) -> Line:
    """Return what the learners and their blends come to on one table."""
    rates = {"learning_rate": 0.05, "rounds": 2_000, "patience": 60}
    forever = float("inf")
    made = {c.name: fitted(one, "lightgbm", {**c.params, **rates}, seed, forever) for c in BOOSTED}
    made["catboost"] = fitted(one, "catboost", {**CATBOOST.params, **rates, "learning_rate": 0.08}, seed, forever)
    made["neural"] = fitted(one, "neural", dict(NEURAL.params), seed, seconds)
    told = {name: (exam, judged) for name, (exam, judged, _, _) in made.items()}

    def lost(judged: Any) -> float:
        return loss_of(one.metric, one.truth, judged, None)

    def blend(names: list[str]) -> tuple[float, Any]:
        weights = choose([told[n][0] for n in names], one.exam.target, metric=one.metric, seed=seed)
        return lost(sum(w * told[n][1] for w, n in zip(weights, names, strict=True))), weights

    best = min((c.name for c in BOOSTED), key=lambda n: loss_of(one.metric, one.exam.target, told[n][0], None))
    trees = [c.name for c in BOOSTED] + ["catboost"]
    both, weights = blend([*trees, "neural"])
    curve = made["neural"][2]
    return Line(
        one.name, seed, one.metric, one.fit.n_rows, len(one.fit.features),
        lightgbm=lost(told[best][1]), catboost=lost(told["catboost"][1]), neural=lost(told["neural"][1]),
        trees=blend(trees)[0], trees_and_neural=both, weight=float(weights[-1]),
        seconds={name: round(spent, 1) for name, (_, _, _, spent) in made.items()},
        rounds=curve.rounds[-1] if curve.rounds else 0, ended=curve.ended,
    )  # fmt: skip


def shown(value: float, metric: str) -> str:
    """Return a loss as the metric it stands for."""
    return f"{-value:.4f}" if metric == "roc_auc" else f"{value:.4g}"


def gap(mine: float, theirs: float, metric: str) -> float:
    """Return by how much of its loss (1 - AUC for AUC) mine is below theirs, in per cent."""
    base = 1.0 + theirs if metric == "roc_auc" else theirs
    return 100.0 * (theirs - mine) / base


def report(lines: list[Line], seconds: float, seeds: int) -> str:
    """Return the results as a page."""
    rows = [
        f"| {n.table} | {n.n_rows:,} × {n.n_features} | {n.metric} | {shown(n.lightgbm, n.metric)} "
        f"| {shown(n.catboost, n.metric)} | {shown(n.neural, n.metric)} "
        f"| {gap(n.neural, min(n.lightgbm, n.catboost), n.metric):+.1f} % | {shown(n.trees, n.metric)} "
        f"| {shown(n.trees_and_neural, n.metric)} | {gap(n.trees_and_neural, n.trees, n.metric):+.1f} % "
        f"| {n.weight:.2f} | {n.seconds['neural']:.0f} ({n.rounds}, {n.ended}) |"
        for n in lines
    ]
    gains = [gap(n.trees_and_neural, n.trees, n.metric) for n in lines]
    alone = [gap(n.neural, min(n.lightgbm, n.catboost), n.metric) for n in lines]
    return "\n".join(
        [
            "# The network: alone, and in a blend",
            "",
            f"`python benchmarks/neural.py --seconds {seconds:g} --seeds {seeds}`; how is said at its top.",
            "Gains are shares of the loss (of 1 - AUC for AUC) on test.csv. Alone, the network is up against the",
            "better of LightGBM and CatBoost there, which favours them.",
            "",
            f"- The network alone: better than both on {sum(g > 0 for g in alone)} of {len(alone)}, "
            f"median {np.median(alone):+.1f} %.",
            f"- The blend with it against the blend of trees: better on {sum(g > 0 for g in gains)} of {len(gains)}, "
            f"median {np.median(gains):+.1f} %, least {min(gains):+.1f} %, most {max(gains):+.1f} %.",
            "",
            "| table | learnt from | metric | LightGBM | CatBoost | network | gain alone | trees | trees and network "
            "| gain | its weight | seconds (rounds, ended by) |",
            "|---|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
            *rows,
            "",
        ]
    )


def main() -> None:
    """Measure the tables asked for and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    names = asked.only.split(",") if asked.only else sorted(p.name for p in DATA.iterdir() if p.is_dir())
    lines: list[Line] = []
    RESULTS.mkdir(exist_ok=True)
    for name in names:
        if json.loads((DATA / name / "meta.json").read_text()).get("rows", 0) > ROWS_MAX or name.startswith("hflights"):
            continue
        for seed in range(asked.seeds):
            line = measured(cut(name, seed), seed, asked.seconds)
            print(json.dumps(asdict(line)), flush=True)
            lines.append(line)
            text = "\n".join(json.dumps(asdict(n)) for n in lines) + "\n"
            (RESULTS / "neural.jsonl").write_text(text)
            (RESULTS / "neural.md").write_text(report(lines, asked.seconds, asked.seeds))


if __name__ == "__main__":
    main()
