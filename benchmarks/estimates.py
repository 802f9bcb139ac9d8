"""Quality estimated without labels, against what came true, beside NannyML's CBPE and DLE on the same windows.

    python benchmarks/estimates.py --peers-python ENV/bin/python --tables adult/train.csv:income [--seeds 3] [--cuts 4]
    python benchmarks/estimates.py --report

A model learns from half of each table, by chance. What it has not seen is cut into a reference and a pool of windows
of 500 rows, several times: the luck of a reference is shared by all windows beside it, so many windows say little and
many cuts say more. Windows are drawn in two ways: by chance, and so that rows with a large value of one number column
are up to four times as frequent (the inputs change, what they mean does not). Besides, windows with a planted change
of what inputs mean (answers of a third of the rows are swapped, or errors doubled) show how soon the estimates are
called untrustworthy. Counted are the mean distance of the estimate from the realised measure, and how often our band
holds. A line of results/estimates.jsonl is one cut, way of drawing and measure; --report writes the page from them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from dataclasses import dataclass
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
    from collections.abc import Iterator

    from modelwright.core.model import Model
    from modelwright.monitoring.estimates import Estimator

ROWS, WINDOWS = 500, 40
ROWS_MOST = 24_000
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


@dataclass(frozen=True)
class Study:
    """One table of which a model has learnt half.

    Attributes:
        table: Its name.
        seed: Divided it.
        problem: All its rows.
        model: What learnt.
        unseen: Rows it has not learnt from.
    """

    table: str
    seed: int
    problem: Problem
    model: Model
    unseen: np.ndarray

    @classmethod
    def of(cls, given: str, seed: int) -> Study:
        """Read a table and let a model learn half of it."""
        path, _, target = given.rpartition(":")
        p = problem_of(path, target)
        order = np.random.default_rng(1 + seed).permutation(p.n_rows)[:ROWS_MOST]
        learn, unseen = np.array_split(order, 2)
        return cls(Path(path).parent.name, seed, p, fitted(p, learn), unseen)

    @property
    def kind(self) -> str:
        """The task's kind, as NannyML names it."""
        return "binary" if self.problem.task.is_classification else "regression"

    def parts(self, name: str, rows: np.ndarray) -> dict[str, Any]:
        """Return rows as NannyML is given them."""
        said = self.model.scores(self.problem.frame[rows])
        of_classes = self.kind == "binary"
        flat = said[:, 1] if of_classes else said
        return {
            f"{name}_features": self.model.plan.matrix(self.problem.frame[rows]).values,
            f"{name}_scores": flat,
            f"{name}_choices": self.model.choices(said) if of_classes else flat,
            f"{name}_target": self.problem.target[rows],
        }

    def cut(self, number: int, python: str) -> Iterator[dict[str, Any]]:
        """Estimate beside one reference; give a line for each way of drawing windows and each measure."""
        p, model = self.problem, self.model
        rng = np.random.default_rng([1 + self.seed, number])
        reference, pool = np.array_split(rng.permutation(self.unseen), 2)
        scores, matrix = model.scores(p.frame[reference]), model.plan.matrix(p.frame[reference])
        estimator, _ = fit_estimator(p.task, p.target[reference], scores, model.choices(scores), matrix)
        about = {"table": self.table, "seed": self.seed, "cut": number}
        for way, windows in draws(p, pool, rng).items():
            held = {**self.parts("reference", reference), **self.parts("windows", np.concatenate(windows))}
            theirs = of_peer(python, self.kind, {**held, "rows": ROWS})
            for line in self._compared(estimator, windows, theirs, rng):
                yield {**about, "windows": way, **line}

    def _compared(
        self, estimator: Estimator, windows: list[np.ndarray], theirs: dict[str, np.ndarray], rng: np.random.Generator
    ) -> Iterator[dict[str, Any]]:
        p, model, measures = self.problem, self.model, SHARED[self.kind]
        agreements: dict[str, list[bool]] = {m: [] for m in measures}
        ours: dict[str, list[float]] = {m: [] for m in measures}
        realised: dict[str, list[float]] = {m: [] for m in measures}
        planted: list[bool | None] = []
        for rows in windows:
            said = model.scores(p.frame[rows])
            choices = model.choices(said)
            expected = estimator.expect(said, model.plan.matrix(p.frame[rows]))
            for m in measures:
                estimate = estimator.estimate(m, expected, said, choices)
                real = metrics.compute(m, p.target[rows], said, choices)
                ours[m].append(estimate.value)
                realised[m].append(real)
                agreements[m].append(estimate.low <= real <= estimate.high)
            changed = p.target[rows].copy()
            some = rng.random(len(rows)) < 1 / 3
            in_doubt = 1 - changed if self.kind == "binary" else said + 2 * (changed - said)
            changed[some] = in_doubt[some]
            m = measures[0]
            estimate = estimator.estimate(m, expected, said, choices)
            planted.append(estimate.low <= metrics.compute(m, changed, said, choices) <= estimate.high)
        for m in measures:
            real = np.array(realised[m])
            yield {
                "measure": m,
                "off": float(f"{np.abs(np.array(ours[m]) - real).mean():.4g}"),
                "off_nannyml": float(f"{np.abs(theirs[m] - real).mean():.4g}"),
                "realised_mean": float(f"{real.mean():.5g}"),
                "band_holds": round(float(np.mean(agreements[m])), 3),
                "trusted_unchanged": is_trusted(list(agreements[m])),
                "trusted_when_meaning_changed": is_trusted(planted),
                "n_windows": len(windows),
            }


def ratio(lines: list[dict[str, Any]], *, draws: int = 1_000) -> tuple[float, float, float]:
    """Return our distance over NannyML's, with 95 % limits from drawing the cuts again."""
    off = np.array([[x["off"], x["off_nannyml"]] for x in lines])
    drawn = off[np.random.default_rng(0).integers(len(off), size=(draws, len(off)))].mean(axis=1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    return float(off[:, 0].mean() / off[:, 1].mean()), float(low), float(high)


def page(lines: list[dict[str, Any]]) -> str:
    """Return the results in words and one table."""
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for x in lines:
        groups.setdefault((x["table"], x["windows"], x["measure"]), []).append(x)
    found = {key: ratio(group) for key, group in groups.items()}
    values = np.array([middle for middle, _, _ in found.values()])
    rows = [
        f"| {' | '.join(key)} | {np.mean([x['off'] for x in groups[key]]):.4g} "
        f"| {np.mean([x['off_nannyml'] for x in groups[key]]):.4g} "
        f"| {middle:.2f} ({low:.2f} to {high:.2f}) | {np.mean([x['band_holds'] for x in groups[key]]):.2f} |"
        for key, (middle, low, high) in found.items()
    ]
    surely = sum(high < 1 for _, _, high in found.values()), sum(low > 1 for _, low, _ in found.values())
    of_kind = {
        kind: np.exp(np.mean([np.log(found[key][0]) for key in found if key[2] in measures]))
        for kind, measures in SHARED.items()
        if any(key[2] in measures for key in found)
    }
    by_kind = ", ".join(f"{value:.3f} for {kind} tasks" for kind, value in of_kind.items())
    n_cuts = len({(x["table"], x["seed"], x["cut"]) for x in lines})
    seeds, cuts = (1 + max(x[key] for x in lines) for key in ("seed", "cut"))
    met = sum(not x["trusted_when_meaning_changed"] for x in lines)
    denied = sum(not x["trusted_unchanged"] for x in lines)
    held = 100 * np.mean([x["band_holds"] for x in lines])
    said = f"""# Quality estimated without labels, beside NannyML

`python benchmarks/estimates.py --peers-python ENV/bin/python --tables FILE:TARGET … --seeds {seeds} --cuts {cuts}`;
NannyML 0.13.1. {n_cuts} references; {lines[0]["n_windows"]} windows of {ROWS} rows beside each and way of drawing.
`off` is the mean distance of the estimate from the realised measure, NannyML's beside it; the ratio has 95 % limits
from drawing the references again; `holds` is how often our band held.

The ratio's geometric mean is {by_kind}; its median over all lines is {np.median(values):.3f},
its range {values.min():.2f} to {values.max():.2f}. Of {len(found)} lines ours is surely nearer in {surely[0]},
NannyML's in {surely[1]}. Our bands held {held:.0f} % of all windows. A planted change of meaning was met with
"do not trust" in
{met} of {len(lines)} cases; without a change trust was denied in {denied} of {len(lines)}.

| table | windows | measure | off | NannyML's | ours / NannyML's | holds |
|---|---|---|--:|--:|--:|--:|
"""
    return said + "\n".join(rows) + "\n"


def main() -> None:
    """Measure and write one line of JSON for each cut, way of drawing and measure; or the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers-python")
    parser.add_argument("--tables", nargs="+", metavar="FILE:TARGET", default=[])
    parser.add_argument("--seeds", type=int, default=1, help="how many models learn of each table")
    parser.add_argument("--cuts", type=int, default=1, help="how many references each model has")
    parser.add_argument("--report", action="store_true", help="only write the page from the lines there are")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "estimates.jsonl")
    options = parser.parse_args()
    for given, seed in [(g, s) for s in range(options.seeds) for g in options.tables]:
        study = Study.of(given, seed)
        for number in range(options.cuts):
            for line in study.cut(number, options.peers_python):
                print(json.dumps(line), flush=True)
                with options.out.open("a") as file:
                    file.write(json.dumps(line) + "\n")
    lines = [json.loads(line) for line in options.out.read_text().splitlines()]
    options.out.with_suffix(".md").write_text(page(lines))


if __name__ == "__main__":
    main()
