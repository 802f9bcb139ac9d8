"""What it brings that on few rows the best candidates share half of the ensemble's weight.

python benchmarks/sharing.py [--only telco_churn,german_credit] [--tuned 4] [--draws 8] [--rows 10000]
    [--out benchmarks/results/sharing.md]

A search in work units on train.csv (at most so many of its rows) tries the whole portfolio and so many tuned points. A
random half of the judged rows, at most 4,000, then chooses the weights; the blend's loss (the table's own measure: 1 -
ROC AUC, log loss or RMSE) is taken on the other half and on test.csv, for which every candidate is fitted on all
training rows. Told is the loss of the blend with sharing over that of the blend as chosen: mean and standard deviation
over the draws, and how many members each has.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from ablation import DATA, Searched, Table, by_size
from modelwright.search.ensemble import blended, choose, loss_of, shortfall, shrunk

ROWS_THAT_CHOOSE = 4_000


def drawn(one: Searched, metric: str, target: Any, draws: int) -> str:
    """Return the cells of one table."""
    result, p = one.found.result, one.found.material.problem
    told, truth = [t.predictions for t in result.tried], p.target[result.covered]

    def loss(target: Any, answers: Any) -> float:
        return shortfall(loss_of(metric, target, answers, None), metric)

    ratios, members = [], []
    for draw in range(draws):
        order = np.random.default_rng(draw).permutation(len(truth))
        n = min(len(truth) // 2, ROWS_THAT_CHOOSE)
        few, others = order[:n], order[n:]
        chosen = choose([t[few] for t in told], truth[few], metric=metric, seed=draw)
        shared = shrunk(chosen, [loss(truth[few], t[few]) for t in told])
        judged = [(truth[others], [t[others] for t in told]), (target, one.told)]
        ratios.append([loss(y, blended(t, shared)) / loss(y, blended(t, chosen)) for y, t in judged])
        members.append([(chosen > 0).sum(), (shared > 0).sum()])
    mean, spread, (alone, together) = np.mean(ratios, 0), np.std(ratios, 0), np.mean(members, 0)
    cells = [f"{m:.4f} ± {s:.4f}" for m, s in zip(mean, spread, strict=True)]
    return " | ".join([f"{n:,}", *cells, f"{alone:.1f}", f"{together:.1f}"])


def main() -> None:
    """Study the tables that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    parser.add_argument("--tuned", type=int, default=4)
    parser.add_argument("--draws", type=int, default=8)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    names = asked.only.split(",") if asked.only else by_size()
    command = f"python benchmarks/sharing.py --only {','.join(names)} --tuned {asked.tuned} --draws {asked.draws}"
    page = [
        "# The best candidates share half of the weight",
        "",
        f"`{command} --rows {asked.rows}`:",
        "loss with sharing over the loss without, mean and standard deviation over the draws.",
        "",
        "| table | rows that choose | other half | test rows | members without | with |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name in names:
        metric = json.loads((DATA / name / "meta.json").read_text())["metric"]
        table = Table.of(name, asked.tuned, asked.rows, metric=metric)
        page.append(f"| {name} | {drawn(table.searched(), metric, table.sealed.target, asked.draws)} |")
        print(page[-1], flush=True)
        if asked.out:
            asked.out.write_text("\n".join([*page, ""]))


if __name__ == "__main__":
    main()
