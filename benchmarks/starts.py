"""What it brings to fit the members of an ensemble again with other seeds and average their answers.

    python benchmarks/starts.py [--data DIR] [--only letter,telco_churn] [--budget 40] [--fits 6] [--out FILE.md]

DIR holds folders with train.csv, test.csv and meta.json. A model is searched for within the budget; its members are
then fitted six times on all rows, each time with another seed. Told are the test loss of one such fit (mean and
standard deviation of them all) and by how many per cent it falls when two, three and six are averaged, the first two as
means over the groups that there are.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import modelwright
from modelwright.core.metrics import MEASURES
from modelwright.core.model import Model
from modelwright.core.ports import Lesson
from modelwright.data.conforming import conform
from modelwright.data.reading import read
from modelwright.data.tasks import encode
from modelwright.evaluation import metrics
from modelwright.learners.blend import Blend
from modelwright.search import final
from modelwright.search.problem import Material

DATA = Path(__file__).parents[1] / ".." / "shared" / "data"
GROUPS = (2, 3, 6)


class Watched(final.FinalFit):
    """A final fit that leaves what it was given."""

    given: tuple[Any, Any, Any]

    def __init__(self, found: Any, everything: Any, run: Any, **how: Any) -> None:
        Watched.given = found, everything, run
        super().__init__(found, everything, run, **how)


def studied(folder: Path, budget: float, fits: int) -> str:
    """Return the line of one table."""
    from modelwright.flows import train

    train.FinalFit = Watched  # type: ignore[misc]
    meta = json.loads((folder / "meta.json").read_text())
    with tempfile.TemporaryDirectory() as out:
        settings = {"target": meta["target"], "metric": meta.get("metric"), "budget": budget}
        modelwright.train(folder / "train.csv", out=f"{out}/model", **settings)
    found, everything, run = Watched.given
    material = Material.prepare(everything, found.material.recipe)
    plan, matrix = material.whole()
    p, members = material.problem, final.members_of(found)
    test = read(folder / "test.csv")
    target, is_labelled = encode(test, p.task, p.contract)
    frame = conform(test.frame, p.contract).frame.filter(is_labelled)
    told = []
    for number in range(fits):
        lesson = Lesson(matrix, p.target, p.n_classes, p.weight, None, p.seed + 1_000 * number, run.threads)
        fitting = final._Fitting(run, lesson, p.n_rows / final.rows_fitted(found.folds), lambda: float("inf"))
        fitted = [fitting.fit(member, None).fitted for member in members]
        blend = Blend(fitted, np.array([m.weight for m in members]), found.calibrator)
        told.append(Model(p.task, p.contract, plan, blend, found.threshold).scores(frame))

    def loss(scores: Any) -> float:
        value = metrics.compute(p.task.metric, target[is_labelled], scores)
        return 1 - value if MEASURES[p.task.metric].greater_is_better else value

    alone = [loss(scores) for scores in told]
    falls = []
    for size in GROUPS:
        groups = [np.mean(told[i : i + size], axis=0) for i in range(0, fits - size + 1, size)]
        falls.append(100 * (1 - np.mean([loss(g) for g in groups]) / np.mean(alone)) if groups else np.nan)
    named = ", ".join(f"{m.tried.candidate.name} {m.weight:.2f}" for m in members)
    each = " | ".join(f"{fall:.1f}" for fall in falls)
    return f"| {folder.name} | {p.task.metric} | {np.mean(alone):.4g} ± {np.std(alone):.2g} | {each} | {named} |"


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--only", default="")
    parser.add_argument("--budget", type=float, default=40.0)
    parser.add_argument("--fits", type=int, default=6)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "starts.md")
    asked = parser.parse_args()
    folders = sorted(path.parent for path in asked.data.glob("*/meta.json"))
    wanted = asked.only.split(",") if asked.only else [f.name for f in folders]
    lines = [
        "# Members fitted again with other seeds, and averaged\n",
        f"`python benchmarks/starts.py --budget {asked.budget:g} --fits {asked.fits}{asked.only and ' --only '}"
        f"{asked.only}`: test loss of one\nfit and its standard deviation over {asked.fits} seeds, and by how many per "
        "cent it falls when fits are averaged.\n",
        "| table | metric | loss of one | of two, % | of three, % | of six, % | members and weights |",
        "|---|---|--:|--:|--:|--:|---|",
    ]
    for folder in folders:
        if folder.name in wanted:
            lines.append(studied(folder, asked.budget, asked.fits))
            print(lines[-1], flush=True)
            asked.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
