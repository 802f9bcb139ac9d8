"""What learning a target by its root, logarithm, or another likelihood brings, and what the audition makes of it.

python benchmarks/shapes.py [--rows 4000] [--only ames_housing] [--out benchmarks/results/shapes]

Every regression table of ../shared/data whose target is zero or more: at most so many of its training rows, five
folds, LightGBM stopped early on the judged fold, each shape alone and in the mean with the plain model. The plain
model's companion is another plain model, with fewer rows and features a tree. Writes .md.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from typing import Any

import numpy as np

from _studies import DATA, Row, add_arguments, heading, run_study
from modelwright.core.ports import Exam, Lesson
from modelwright.core.settings import Settings
from modelwright.data.reading import read
from modelwright.flows._preparing import prepare
from modelwright.flows.api import run_of
from modelwright.learners.lightgbm import LightGBM
from modelwright.learners.shaped import PLAIN, SHAPES, can_be_shaped
from modelwright.search.problem import Material, Problem
from modelwright.search.shapes import shapes_that_help

USUAL = {"rounds": 800, "learning_rate": 0.07, "patience": 40, "leaves": 31, "min_leaf": 10, "l2": 1.0}
DRAWN, FEWER = {"row_share": 0.9, "feature_share": 0.7}, {"row_share": 0.7, "feature_share": 0.6}


def study(name: str, *, rows_most: int) -> Row | None:
    """Return the errors of each shape on a table, or None where it is not asked for values of zero or more."""
    meta = json.loads((DATA / name / "meta.json").read_text())
    if meta["task"] != "regression":
        return None
    settings = Settings.of({"target": meta["target"], "task": "regression", "effort": 1, "threads": 1})
    run = run_of(settings)
    known = prepare(read(str(DATA / name / "train.csv")), None, settings, run)
    p = Problem(known.frame, known.target, known.weight, known.contract, known.task, 0).take(known.split.train)
    if not can_be_shaped(p.target):
        return None
    p = p.take(np.random.default_rng(0).permutation(p.n_rows)[:rows_most])
    material = Material.prepare(p)
    target = np.asarray(p.target, dtype=np.float64)
    fold = np.arange(p.n_rows) % 5

    def told(**how: object) -> Any:
        made = np.zeros(p.n_rows)
        for held in range(5):
            learnt, judged = np.flatnonzero(fold != held), np.flatnonzero(fold == held)
            exam = Exam(material.base.take(judged), target[judged])
            lesson = Lesson(material.base.take(learnt), target[learnt], 0, exam=exam)
            made[judged] = LightGBM(**{**USUAL, **DRAWN, **how}).fit(lesson)[0].predict(exam.matrix)
        return made

    def error(answers: Any) -> float:
        return float(np.sqrt(np.mean((target - answers) ** 2)))

    plain, other = told(), told(**FEWER)
    shaped = {shape: told(shape=shape) for shape in SHAPES if shape != PLAIN}
    return {
        "table": name,
        "rows": p.n_rows,
        "alone": {PLAIN: error(plain), **{shape: error(answers) for shape, answers in shaped.items()}},
        "beside": {
            PLAIN: error((plain + other) / 2),
            **{shape: error((plain + answers) / 2) for shape, answers in shaped.items()},
        },
        "kept": shapes_that_help(material, run, round_seconds=0.0, search_seconds=1.0),
    }


def page(rows: list[Row], *, rows_most: int) -> str:
    """Return the results as a Markdown table."""
    heads = [f"{shape} | with plain" for shape in SHAPES if shape != PLAIN]
    said = "Root mean squared errors out of fold; `two plain` is the mean of two plain models."
    lines = heading("Shapes of a target", f"python benchmarks/shapes.py --rows {rows_most}", said)
    lines += [f"| table | rows | plain | two plain | {' | '.join(heads)} | the audition keeps |"]
    lines += [f"|---|--:|--:|--:|{'--:|--:|' * len(heads)}---|"]
    for r in rows:
        cells = [f"{r['alone'][s]:.5g} | {r['beside'][s]:.5g}" for s in SHAPES]
        lines.append(f"| {r['table']} | {r['rows']:,} | {' | '.join(cells)} | {', '.join(r['kept']) or 'none'} |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Study the tables that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=4_000)
    add_arguments(parser)
    asked = parser.parse_args()
    run_study(partial(study, rows_most=asked.rows), partial(page, rows_most=asked.rows), asked)


if __name__ == "__main__":
    main()
