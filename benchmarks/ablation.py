"""What each ingredient of the engine brings: every one left out in turn, on the same rows with the same work.

python benchmarks/ablation.py [--only telco_churn,german_credit] [--tuned 3] [--rows 4000] [--budget 120]
    [--out benchmarks/results/ablation]

A search in work units on train.csv (at most so many of its rows) tries the whole portfolio and so many tuned points;
what comes of it is scored on test.csv. Then, with the same folds and seeds:

- features, groups, shapes: what was auditioned is not; searched anew, where the audition had kept anything;
- target encoding: no level is encoded by the target; searched anew, where any was;
- audition of encodings: all that the recipe names are encoded; searched anew, where the audition had left any out;
- families: the blend is chosen anew without LightGBM, CatBoost, XGBoost, forests, linear, neighbours, the network;
- categories as numbers: without the candidates of LightGBM that take them so;
- tuning: without the tuned points; sharing: the best few do not share half of the weight; blending: the best single
  candidate alone; calibration: without the calibrator;
- the row's limit: as if an answer might take any time (below zero: what the limit costs).

With a budget the search is one against the clock, of so many seconds, which also tries members again with smaller
steps; nothing is then searched anew, and the load decides what was tried.

Reported is by how many per cent the loss on the test rows is higher without the ingredient (log loss; mean squared
error), and how many standard errors of the paired differences of rows that is. Positive: it helps. Writes .jsonl, .md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from _studies import DATA, Floats
from modelwright.core.ports import Lesson
from modelwright.core.run import Run
from modelwright.core.settings import Settings
from modelwright.data.reading import read
from modelwright.evaluation.metrics import loss
from modelwright.flows._preparing import prepare
from modelwright.flows.api import run_of
from modelwright.learners.calibration import fit_calibrator
from modelwright.learners.lightgbm import ORDER
from modelwright.search.choosing import weights_of
from modelwright.search.ensemble import loss_of
from modelwright.search.final import Member, _params, rows_fitted
from modelwright.search.ingredients import ALL, Ingredients
from modelwright.search.journal import Journal
from modelwright.search.portfolio import portfolio
from modelwright.search.problem import Material, Problem
from modelwright.search.trial import Folding, Tried
from modelwright.search.tuning import SLOWER, TUNED
from modelwright.search.workshop import Found, search

FAMILIES = ("lightgbm", "catboost", "xgboost", "forest", "linear", "neighbours", "neural")


@dataclass(frozen=True)
class Searched:
    """One search: its candidates, and what each answers for the test rows after a fit on all training rows."""

    found: Found
    told: list[Floats]
    kind: Any
    metric: str

    def losses(
        self,
        target: Any,
        among: Sequence[int],
        *,
        blends: bool = True,
        shares: bool = True,
        calibrates: bool = True,
        limits: bool = True,
    ) -> Floats:
        """Return the loss of each test row of the best blend of these candidates, or of the best one of them."""
        found, p = self.found, self.found.material.problem
        tried, truth = [found.result.tried[i] for i in among], p.target[found.result.covered]
        if blends:
            folding = Folding(found.material, found.folds, found.pace.run, found.pace)
            row_seconds = None if limits else np.inf
            weights = weights_of(tried, folding, metric=self.metric, row_seconds=row_seconds, shares=shares)
        else:
            worth = [loss_of(self.metric, truth, t.predictions, None) for t in tried]
            weights = (np.arange(len(tried)) == int(np.argmin(worth))).astype(float)
        blended = sum(w * t.predictions for w, t in zip(weights, tried, strict=True))
        answer = sum(w * self.told[i] for w, i in zip(weights, among, strict=True))
        if p.n_classes and calibrates:
            calibrator = fit_calibrator(blended, np.asarray(truth, dtype=np.int64), seed=p.seed)
            answer = answer if calibrator is None else calibrator.apply(answer)
        return loss(self.kind, target, answer)


@dataclass(frozen=True)
class Table:
    """A table that is ready to be searched on: training rows, test rows, and the run that counts the work."""

    material: Material
    sealed: Problem
    run: Run
    how: Any

    @classmethod
    def of(cls, name: str, tuned: int, rows_most: int, *, budget: float = 0.0, metric: str = "") -> Table:
        """Return a table of so many rows at most; the work is the portfolio and so many points, or seconds."""
        meta = json.loads((DATA / name / "meta.json").read_text())
        asked = {"target": meta["target"], "task": meta["task"], "test": str(DATA / name / "test.csv"), "threads": 1}
        asked["metric"] = metric or ("rmse" if meta["task"] == "regression" else "log_loss")
        settings = Settings.of({**asked, "effort": 1})
        run = run_of(settings)
        table = read(str(DATA / name / "train.csv"))
        known = prepare(table, read(settings.test), settings, run)
        # Folds are cut as in a run that is given no test rows: rows that are found to come in time, by time.
        how = prepare(table, None, Settings.of({**asked, "test": None, "effort": 1}), run).split.how
        everything = Problem(known.frame, known.target, known.weight, known.contract, known.task, 0)
        rows = known.split.train
        if len(rows) > rows_most:
            rows = np.sort(np.random.default_rng(0).choice(rows, rows_most, replace=False))
        p, sealed = everything.take(rows), everything.take(known.split.test)
        material = Material.prepare(p)
        shape = {"n_rows": p.n_rows, "n_classes": p.n_classes, "n_features": len(material.base.features)}
        shape["n_categories"] = len(material.base.categories)
        effort = len(portfolio(**shape, available=run.catalogue.names("learner"))) - 1 + tuned
        run = run_of(Settings.of({**asked, **({"budget": budget, "threads": 2} if budget else {"effort": effort})}))
        return cls(material, sealed, run, how)

    def searched(self, material: Material | None = None, ingredients: Ingredients = ALL) -> Searched:
        """Search and fit every candidate that was tried on all training rows."""
        found = search(
            material or self.material,
            self.run,
            how=self.how,
            open_journal=lambda _: Journal(),
            ingredients=ingredients,
        )
        p = found.material.problem
        plan, matrix = found.material.whole()
        shown, growth = plan.matrix(self.sealed.frame), p.n_rows / rows_fitted(found.folds)
        told = []
        for t in found.result.tried:
            learner = self.run.catalogue.find("learner", t.candidate.learner)(**_params(Member(t, 1.0), growth))
            lesson = Lesson(matrix, p.target, p.n_classes, p.weight, None, p.seed, 1)
            told.append(learner.fit(lesson)[0].predict(shown))
        metric = "rmse" if not p.n_classes else "log_loss"
        return Searched(found, told, p.task.kind, metric)


def study(name: str, tuned: int, rows_most: int, budget: float = 0.0) -> list[dict[str, Any]]:
    """Return one entry for each ingredient that plays a part on a table."""
    begun = time.monotonic()
    table = Table.of(name, tuned, rows_most, budget=budget)
    material, sealed, p = table.material, table.sealed, table.material.problem
    again = table.searched
    whole = again()
    tried = whole.found.result.tried
    every = list(range(len(tried)))
    base = whole.losses(sealed.target, every)
    without: dict[str, Callable[[], Floats]] = {}
    kept = material.recipe if budget else whole.found.material.recipe
    if kept.steps != material.recipe.steps and any(
        s.craft != "deviation" for s in set(kept.steps) - set(material.recipe.steps)
    ):
        without["features auditioned"] = lambda: _all(again(ingredients=Ingredients(features=False)), sealed)
    if not budget and (any(s.craft == "deviation" for s in kept.steps) or any(s.other for s in kept.encoded)):
        without["groups and crosses"] = lambda: _all(again(ingredients=Ingredients(groups=False)), sealed)
    if not budget and any("shape" in t.candidate.params for t in tried):
        without["shapes of the target"] = lambda: _all(again(ingredients=Ingredients(shapes=False)), sealed)
    if not budget and any(s.craft == "target_mean" for s in kept.encoded):
        plain = tuple(s for s in material.recipe.encoded if s.craft != "target_mean")
        without["target encoding"] = lambda: _all(again(material.encoding(plain)), sealed)
    if not budget and set(kept.encoded) < set(material.recipe.encoded):
        without["audition of encodings"] = lambda: _all(again(ingredients=Ingredients(encodings=False)), sealed)
    for ingredient, others in _fewer(tried):
        without[ingredient] = lambda others=others: whole.losses(sealed.target, others)
    without["sharing"] = lambda: whole.losses(sealed.target, every, shares=False)
    without["blending"] = lambda: whole.losses(sealed.target, every, blends=False)
    without["the row's limit"] = lambda: whole.losses(sealed.target, every, limits=False)
    if p.n_classes:
        without["calibration"] = lambda: whole.losses(sealed.target, every, calibrates=False)
    entries = []
    for ingredient, lose in without.items():
        gap = lose() - base
        error = float(gap.std() / np.sqrt(len(gap)))
        entries.append(
            {
                "table": name,
                "rows": p.n_rows,
                "test_rows": len(base),
                "candidates": len(every),
                "ingredient": ingredient,
                "loss": float(base.mean()),
                "worse_percent": 100 * float(gap.mean() / base.mean()),
                "standard_errors": float(gap.mean()) / error if error > 0 else 0.0,
                "seconds": round(time.monotonic() - begun),
            }
        )
    return entries


def _fewer(tried: Sequence[Tried]) -> list[tuple[str, list[int]]]:
    """Return the ingredients that are candidates of one kind, each with the places of all others."""
    owns = {family: [t.candidate.learner == family for t in tried] for family in FAMILIES}
    owns["tuning"] = [t.candidate.why == TUNED or f" {TUNED} " in t.candidate.name for t in tried]
    owns["categories as numbers"] = [t.candidate.params.get("categories") == ORDER for t in tried]
    owns["smaller steps"] = [t.candidate.why == SLOWER for t in tried]
    return [
        (ingredient, [i for i, is_own in enumerate(own) if not is_own])
        for ingredient, own in owns.items()
        if any(own) and not all(own)
    ]


def _all(one: Searched, sealed: Problem) -> Floats:
    return one.losses(sealed.target, list(range(len(one.found.result.tried))))


def by_size() -> list[str]:
    """Return the tables, the smallest first: a study that is cut short has seen the most tables."""
    sizes = {p.parent.name: json.loads(p.read_text())["train_rows"] for p in DATA.glob("*/meta.json")}
    return sorted(sizes, key=lambda name: (sizes[name], name))


def page(entries: list[dict[str, Any]], command: str) -> str:
    """Return the results as Markdown: what each ingredient brought over the tables, then table by table."""
    tables = list(dict.fromkeys(e["table"] for e in entries))
    names = list(dict.fromkeys(e["ingredient"] for e in entries))
    load = f"load {os.getloadavg()[1]:.0f} on {os.cpu_count()} cores at the end"
    load += "" if "--budget" in command else " (work units: times do not enter)"
    lines = ["# What each ingredient brings", "", f"`{command}`", ""]
    lines += [f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {load}.", ""]
    lines += [
        "By how many per cent the loss on test rows (log loss; mean squared error) is higher without it. `surely`:",
        "tables on which the paired difference is more than two standard errors. A dash: it plays no part there.",
        "",
        "| without | tables | median % | mean % | surely worse | surely better |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name in names:
        own = [e for e in entries if e["ingredient"] == name]
        worse = np.array([e["worse_percent"] for e in own])
        sure = np.array([e["standard_errors"] for e in own])
        told = f"{np.median(worse):+.2f} | {worse.mean():+.2f} | {(sure > 2).sum()} | {(sure < -2).sum()}"
        lines.append(f"| {name} | {len(own)} | {told} |")
    lines += ["", f"| table | rows | {' | '.join(names)} |", f"|---|--:|{'--:|' * len(names)}"]
    for table in tables:
        own = {e["ingredient"]: e for e in entries if e["table"] == table}
        cells = [
            f"{own[n]['worse_percent']:+.2f} ({own[n]['standard_errors']:+.1f})" if n in own else "–" for n in names
        ]
        lines.append(f"| {table} | {next(iter(own.values()))['rows']:,} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", "In brackets: standard errors of the paired difference.", ""])


def main() -> None:
    """Study the tables that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--tuned", type=int, default=3)
    parser.add_argument("--rows", type=int, default=4_000)
    parser.add_argument("--budget", type=float, default=0.0)
    parser.add_argument("--out", default="")
    asked = parser.parse_args()
    names = asked.only.split(",") if asked.only else by_size()
    how = f"--budget {asked.budget:g}" if asked.budget else f"--tuned {asked.tuned}"
    command = f"python benchmarks/ablation.py {how} --rows {asked.rows}"
    kept = Path(f"{asked.out}.jsonl") if asked.out else None
    entries = [json.loads(line) for line in kept.read_text().splitlines()] if kept and kept.exists() else []
    entries = [e for e in entries if e["table"] not in names]
    for name in names:
        entries += (fresh := study(name, asked.tuned, asked.rows, asked.budget))
        print("\n".join(json.dumps(e) for e in fresh), flush=True)
        if kept:
            kept.write_text("".join(json.dumps(e) + "\n" for e in entries))
            kept.with_suffix(".md").write_text(page(entries, command))


if __name__ == "__main__":
    main()
