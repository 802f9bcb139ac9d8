"""Whether encoding by the target helps, out of fold as the audition sees it, and on the test rows.

python benchmarks/encodings.py [--only fuel_economy,adult] [--out benchmarks/results/encodings]

Every table of ../shared/data that has categories of many levels. The audition's quick models, which take codes as
categories and as numbers, alone and in the mean, with all such categories encoded and with none: by how many per cent
the loss (log loss; squared error) falls, out of fold and on test.csv after a fit on all training rows, and how many
standard errors that is. Writes .md.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

import numpy as np

from _studies import Floats, Row, add_arguments, brought, heading, run_study
from ablation import Table
from modelwright.core.ports import Lesson
from modelwright.evaluation.metrics import loss
from modelwright.features.recipe import Step
from modelwright.learners.trees import use_threads
from modelwright.search.audition import QUICK
from modelwright.search.encodings import WAYS, _judging, encoded_out_of_fold, with_encodings

ALL_ROWS = 10**9
TOLD = {"codes as categories": WAYS[:1], "as numbers": WAYS[1:], "mean of both": WAYS}


def on_test(table: Table, encoded: list[Step], ways: Any) -> Floats:
    """Return the loss of each test row after a fit on all training rows."""
    plan, matrix = table.material.encoding(encoded).whole()
    p, shown = table.material.problem, plan.matrix(table.sealed.frame)
    lesson = Lesson(matrix, p.target, p.n_classes, seed=0)
    quick = table.run.catalogue.find("learner", "lightgbm")
    told = [quick(**{**QUICK, **way}).fit(lesson)[0].predict(shown) for way in ways]
    return loss(p.task.kind, table.sealed.target, sum(told) / len(told))


def study(name: str) -> Row | None:
    """Return what encoding brings on a table, or None where it has no category of many levels."""
    table = Table.of(name, 0, ALL_ROWS)
    material, run, p = table.material, table.run, table.material.problem
    offered = [s for s in material.recipe.encoded if s.craft == "target_mean"]
    if not offered:
        return None
    folds, learns = _judging(material, run, table.how)
    judged = p.target[np.concatenate([fold.valid for fold in folds])]

    def folded(encoded: list[Any], ways: Any) -> Floats:
        told = encoded_out_of_fold(material.encoding(encoded), folds, run, learns=learns, ways=ways)
        return loss(p.task.kind, judged, told)

    brings = {}
    for told, ways in TOLD.items():
        for where, losses in (("out of fold", folded), ("on test rows", partial(on_test, table))):
            brings[f"{told}, {where}"] = brought(losses([], ways), losses(offered, ways))
    kept = with_encodings(material, run, how=table.how, round_seconds=0.0, search_seconds=1.0).recipe.encoded
    return {
        "table": name,
        "rows": p.n_rows,
        "how": str(table.how),
        "offered": [s.column for s in offered],
        "brings": brings,
        "kept": [s.column for s in kept if s in offered],
    }


def page(rows: list[Row]) -> str:
    """Return the results as a Markdown table."""
    heads = list(rows[0]["brings"])
    said = "By how many per cent the loss falls with all of them encoded, in brackets the standard errors."
    lines = heading("Encoding by the target", "python benchmarks/encodings.py", said)
    lines += [f"| table | rows | folds | offered | {' | '.join(heads)} | kept, each tried alone |"]
    lines += [f"|---|--:|---|---|{'--:|' * len(heads)}---|"]
    for r in rows:
        cells = " | ".join(f"{percent:+.2f} ({errors:+.1f})" for percent, errors in r["brings"].values())
        offered, kept = ", ".join(r["offered"]), ", ".join(r["kept"]) or "none"
        lines.append(f"| {r['table']} | {r['rows']:,} | {r['how']} | {offered} | {cells} | {kept} |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Study the tables that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    use_threads(1)
    run_study(study, page, parser.parse_args())


if __name__ == "__main__":
    main()
