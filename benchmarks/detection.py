"""Days until a planted change is found, beside other tools at the same rate of false alarms.

    python benchmarks/detection.py --peers-python ENV/bin/python --trials 40 --years 10

Twenty columns and the errors of a model, 300 rows a day, a reference of 10,000 rows. Each tool watches every column
and the errors each day with its default statistic; one factor on its default thresholds is tuned, on years without
change, until it raises one alarm a month by the same rule that makes alarms of strengths here (a column that comes
over its threshold after three quiet days; what follows within two days belongs to it). modelwright is not tuned: its
threshold is worked out from the reference. A change in one column (or in the errors) begins on a day after 33 quiet
ones; counted is the number of days until that column is over the tool's threshold.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from false_alarms import LEVELS, SHARES, numbers
from modelwright.monitoring.baseline import OUTCOME_ASPECTS
from modelwright.monitoring.budget import DAYS_A_MONTH, Stream, openings, simulate
from modelwright.monitoring.panel import Panel, fit_panel
from modelwright.monitoring.scanning import scan
from modelwright.monitoring.traits import levels_trait, numbers_trait

ROWS, REFERENCE, QUIET_DAYS, DAYS_AFTER = 300, 10_000, 33, 90
N_NUMBERS, N_LEVELS = 13, 7
BUDGET = 1.0
Columns = dict[str, np.ndarray]


def draw(n: int, rng: np.random.Generator) -> Columns:
    """Return rows where nothing changed: numbers, levels and the model's signed errors."""
    columns: Columns = {f"n{i}": x.astype(np.float64) for i, x in enumerate(numbers(n, N_NUMBERS, rng).T)}
    for i in range(N_LEVELS):
        columns[f"c{i}"] = np.array(LEVELS)[rng.choice(len(SHARES), n, p=SHARES / SHARES.sum())]
    columns["error"] = rng.standard_normal(n)
    return columns


def shifted(x: np.ndarray, day: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Move the mean by 0.3 standard deviations."""
    return x + 0.3


def wider(x: np.ndarray, day: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Stretch by a quarter."""
    return 1.25 * x


def new_level(x: np.ndarray, day: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make one row in a hundred a level never seen."""
    return np.where(rng.random(len(x)) < 0.01, "unheard of", x)


def missing(x: np.ndarray, day: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lose three values in a hundred more than before."""
    return np.where(rng.random(len(x)) < 0.03, np.nan, x)


def trend(x: np.ndarray, day: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Move the mean by a hundredth of a standard deviation more each day."""
    return x + 0.01 * (day + 1)


def concept(x: np.ndarray, day: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make the mean squared error two fifths larger."""
    return np.sqrt(1.4) * x


CHANGES = {
    "mean shift by 0.3 sd": ("n0", shifted),
    "standard deviation 25 % larger": ("n0", wider),
    "new level in 1 % of rows": ("c0", new_level),
    "3 % of values go missing": ("n0", missing),
    "mean squared error 40 % larger": ("error", concept),
    "trend of 0.01 sd a day": ("n0", trend),
}


def panels(reference: Columns) -> tuple[Panel, Panel]:
    """Return our monitors of the columns and of the errors."""
    kept = {k: v for k, v in reference.items() if k != "error"}
    values = {(k, k): pl.Series(v) if v.dtype.kind != "f" else v for k, v in kept.items()}
    traits = [
        numbers_trait(k, v, k) if v.dtype.kind == "f" else levels_trait(k, pl.Series(v), k) for k, v in kept.items()
    ]
    loss = of_errors(reference["error"])
    return fit_panel(traits, values), fit_panel(
        [numbers_trait(k[0], v) for k, v in loss.items()], loss, dict(OUTCOME_ASPECTS)
    )


def of_errors(error: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    """Return loss and bias, as they are watched."""
    return {("loss", ""): error**2, ("bias", ""): error}


def strengths(panel: Panel, days: dict[tuple[str, str], np.ndarray]) -> np.ndarray:
    """Return our strengths by (day, monitor) from arrays (n_days, n_rows)."""
    counts = []
    for trait in panel.traits:
        values = days[trait.name, trait.column]
        n_days, n = values.shape
        flat = values.reshape(-1)
        codes = trait.codes(flat if flat.dtype.kind == "f" else pl.Series(flat))
        at = np.repeat(np.arange(n_days), n) * trait.n_bins + codes
        counts.append(np.bincount(at, minlength=n_days * trait.n_bins).reshape(n_days, -1))
    sums = np.hstack([c @ s for c, s in zip(counts, panel.scores, strict=True)])
    return np.abs(scan(panel, sums, np.full(sums.shape, float(ROWS))).strength)


def ours(reference: Columns, days: Columns, column: str, threshold: float) -> np.ndarray:
    """Return on which days the column (or the errors) is over our threshold."""
    inputs, outcomes = panels({k: v for k, v in reference.items() if k in (column, "error")})
    if column == "error":
        strength = strengths(outcomes, of_errors(days["error"]))
    else:
        strength = strengths(inputs, {(column, column): days[column]})
    return np.asarray((strength >= threshold).any(axis=1))


def peer(python: str, tool: str, reference: Columns, days: Columns) -> Columns:
    """Return a tool's statistic by column and day, in units of its default threshold."""
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder) / "in.npz", Path(folder) / "out.npz"
        held = {f"reference_{k}": v for k, v in reference.items()} | {f"days_{k}": v for k, v in days.items()}
        np.savez(given, **held)
        script = Path(__file__).parent / "_peer_drift.py"
        subprocess.run([python, str(script), tool, str(given), str(out)], check=True, stdout=subprocess.DEVNULL)
        with np.load(out) as told:
            return {k: told[k] for k in told.files}


def by_day(columns: Columns) -> Columns:
    """Return columns of rows as (n_days, n_rows)."""
    return {k: v.reshape(-1, ROWS) for k, v in columns.items()}


def factor(quiet: list[np.ndarray]) -> tuple[float, float]:
    """Return the factor on the default thresholds that gives the budget, and what the defaults give."""

    def rate(h: float) -> float:
        n = sum(int(openings(s >= h, np.zeros_like(s, dtype=bool)).any(axis=1).sum()) for s in quiet)
        return n / sum(len(s) for s in quiet) * DAYS_A_MONTH

    grid = np.geomspace(0.3, 30, 400)
    rates = np.array([rate(h) for h in grid])
    tuned = grid[np.flatnonzero(rates > BUDGET)[-1] + 1] if (rates > BUDGET).any() else grid[0]
    return float(tuned), rate(1.0)


def delays(over: list[np.ndarray]) -> dict[str, float]:
    """Return the median and mean delay in days, and how often a change was not found."""
    found = [np.flatnonzero(o[QUIET_DAYS:]) for o in over]
    days = np.array([f[0] + 1 if len(f) else DAYS_AFTER for f in found], dtype=np.float64)
    missed = sum(not len(f) for f in found)
    return {"median": float(np.median(days)), "mean": round(float(days.mean()), 1), "missed": missed}


def main() -> None:
    """Measure and write one line of JSON for each tool and change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers-python", required=True, help="interpreter of an environment that holds the tools")
    parser.add_argument("--tools", nargs="*", default=["evidently", "nannyml", "alibi-detect"])
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--out", default=str(Path(__file__).parent / "results" / "detection.jsonl"))
    options = parser.parse_args()
    rng = np.random.default_rng(7)
    inputs, outcomes = panels(draw(REFERENCE, rng))
    threshold = simulate([Stream(inputs, ROWS), Stream(outcomes, ROWS)], DAYS_A_MONTH).threshold(BUDGET)
    years = [(draw(REFERENCE, rng), by_day(draw(365 * ROWS, rng))) for _ in range(options.years)]
    tuned: dict[str, float] = {}
    facts: dict[str, dict[str, float]] = {"modelwright": {"threshold": round(threshold, 2)}}
    for tool in options.tools:
        begun = time.monotonic()
        quiet = []
        for reference, days in years:
            told = peer(options.peers_python, tool, reference, days)
            quiet.append(np.column_stack([told[k] for k in sorted(told)]))
        tuned[tool], by_default = factor(quiet)
        facts[tool] = {"factor": round(tuned[tool], 3), "alarms_a_month_by_default": round(by_default, 1)}
        print(json.dumps({"tool": tool, **facts[tool], "seconds": round(time.monotonic() - begun)}), flush=True)
    for title, (column, change) in CHANGES.items():
        trials = []
        for _ in range(options.trials):
            reference = draw(REFERENCE, rng)
            n = (QUIET_DAYS + DAYS_AFTER) * ROWS
            days = draw(n, rng)
            day = np.arange(n) // ROWS - QUIET_DAYS
            later = day >= 0
            changed = change(days[column][later], day[later], rng)
            days[column] = np.concatenate([days[column][~later], changed])
            trials.append((reference, by_day({k: days[k] for k in (column, "error")})))
        over = {"modelwright": [ours(reference, days, column, threshold) for reference, days in trials]}
        for tool in options.tools:
            at_once: Columns = {}
            of_days: Columns = {}
            for i, (reference, days) in enumerate(trials):
                at_once[str(i)], of_days[str(i)] = reference[column], days[column]
            told = peer(options.peers_python, tool, at_once, of_days)
            over[tool] = [told[str(i)] >= tuned[tool] for i in range(options.trials)]
        for tool, found in over.items():
            line = {"change": title, "tool": tool, **delays(found), "trials": options.trials, **facts[tool]}
            print(json.dumps(line), flush=True)
            with Path(options.out).open("a") as file:
                file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
