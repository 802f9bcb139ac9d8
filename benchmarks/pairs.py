"""Whether operations on pairs of numbers help, as the audition sees it, and on the test rows.

python benchmarks/pairs.py [--only lending_rate,adult] [--seeds 3] [--out benchmarks/results/pairs]

Every table of ../shared/data that has two numbers or more and no more labels than are auditioned. The up to 30
operations that the audition chooses: by how many per cent the loss (log loss; squared error) of its quick model falls
with them on the rows that folds judge, and of LightGBM as the portfolio has it (regular, a rate of 0.05, stopped
by a fifth of the training rows) on test.csv; in brackets the standard errors. Each seed draws and learns anew. Writes
.md.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial

import numpy as np

from _studies import Floats, Row, add_arguments, brought, heading, run_study
from ablation import Table
from modelwright.core.contract import Kind
from modelwright.core.ports import Exam, Lesson
from modelwright.evaluation.metrics import loss
from modelwright.features.recipe import Step
from modelwright.learners.trees import use_threads
from modelwright.search.audition import can_tell, is_real
from modelwright.search.pairs import NUMBERS_MOST, SIZES, OnFold, Term, folds_of, most_chosen, on_fold
from modelwright.search.portfolio import LIGHTGBM_REGULAR
from modelwright.search.problem import Material
from modelwright.search.validation import FoldShape, folded

ALL_ROWS = 10**9
RATE = {"learning_rate": 0.05, "rounds": 3000, "patience": 100}


def on_test(table: Table, material: Material, terms: list[Term], seed: int) -> Floats:
    """Return the loss of each test row after a fit on four fifths of the training rows, stopped by the others."""
    material = material.with_arithmetic([Step(left, operation, "", other=right) for operation, left, right in terms])
    p = material.problem
    fold = folded(p, FoldShape(2, 1, 0.2), how=table.how).folds[0]
    fit, judged = material.fold(0, fold)
    lesson = Lesson(fit, p.target[fold.fit], p.n_classes, exam=Exam(judged, p.target[fold.valid]), seed=seed)
    learner = table.run.catalogue.find("learner", LIGHTGBM_REGULAR.learner)(**LIGHTGBM_REGULAR.params, **RATE)
    told = learner.fit(lesson)[0].predict(material.plan_of_fold(fold).matrix(table.sealed.frame))
    return loss(p.task.kind, table.sealed.target, told)


def _losses(tried: list[OnFold], n: int) -> tuple[Floats, Floats]:
    """Return what all folds' judged rows lose without terms, and with so many."""
    return np.concatenate([t.plain for t in tried]), np.concatenate([t.wider[n] for t in tried])


def study(name: str, *, seeds: int) -> Row | None:
    """Return what pairs bring on a table, or None where there are none."""
    table = Table.of(name, 0, ALL_ROWS)
    p = table.material.problem
    numbers = [c.name for c in p.contract.features if c.kind is Kind.NUMBER]
    if len(numbers) < 2 or not can_tell(p):
        return None
    use_threads(2 if p.n_rows > 50_000 else 1)
    judged, tested, kept = [], [], []
    for seed in range(seeds):
        material = replace(table.material, problem=replace(p, seed=seed), _folds={})
        run = replace(table.run, seed=seed)
        folds = folds_of(material, run, table.how)
        tried = [on_fold(material, run, numbers, fold, NUMBERS_MOST) for fold in folds]
        gains = {n: brought(*_losses(tried, n)) for n in SIZES}
        best = max(SIZES, key=lambda n: gains[n][0])
        terms = most_chosen([one.terms[:best] for one in tried], best)
        judged.append(gains[best])
        tested.append(brought(on_test(table, material, [], seed), on_test(table, material, terms, seed)))
        kept.append(len(terms) if is_real(np.subtract(*_losses(tried, best)), None) else 0)
    facts = {"table": name, "rows": p.n_rows, "how": str(table.how), "numbers": len(numbers)}
    return {**facts, "judged": judged, "tested": tested, "kept": kept}


def page(rows: list[Row], *, seeds: int) -> str:
    """Return the results as a Markdown table."""
    said = "By how many per cent the loss falls with them, seed by seed, in brackets the standard errors."
    lines = heading("Operations on pairs of numbers", f"python benchmarks/pairs.py --seeds {seeds}", said)
    lines += ["| table | rows | folds | numbers | as the audition sees it | on the test rows | kept |"]
    lines += ["|---|--:|---|--:|---|---|---|"]
    for r in rows:
        told = [", ".join(f"{gain:+.1f} ({errors:+.1f})" for gain, errors in r[key]) for key in ("judged", "tested")]
        kept = ", ".join(map(str, r["kept"]))
        facts = f"{r['table']} | {r['rows']:,} | {r['how']} | {r['numbers']}"
        lines.append(f"| {facts} | {told[0]} | {told[1]} | {kept} |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Study the tables that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    add_arguments(parser)
    asked = parser.parse_args()
    run_study(partial(study, seeds=asked.seeds), partial(page, seeds=asked.seeds), asked)


if __name__ == "__main__":
    main()
