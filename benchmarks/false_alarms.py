"""False alarms a month while nothing changes, against the budget, over simulated years.

    python benchmarks/false_alarms.py --years 200 --columns 5 20 100

Each year has a reference of its own and 365 daily windows. Two thirds of the columns are numbers (normal,
lognormal, heavy-tailed, whole; in pairs that are correlated; some with missing values), one third levels with
unequal shares, rare ones among them. Everything is counted, scanned and thresholded by the code that watches.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # years run side by side
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import polars as pl

from modelwright.monitoring.budget import CLEARLY, DAYS_A_MONTH, Stream, openings, simulate
from modelwright.monitoring.panel import Panel, fit_panel
from modelwright.monitoring.scanning import scan
from modelwright.monitoring.traits import levels_trait, numbers_trait

DAYS = 365
YEARS_TOGETHER = 20
BUDGETS = (0.2, 1.0, 4.0)
SHARES = np.array([0.42, 0.25, 0.15, 0.1, 0.05, 0.02, 0.008, 0.0015, 0.0005])
LEVELS = [f"level {i}" for i in range(len(SHARES))]


def numbers(n: int, n_columns: int, rng: np.random.Generator) -> np.ndarray:
    """Return rows of number columns, shape (n, n_columns)."""
    base = rng.standard_normal((n, n_columns), dtype=np.float32)
    base[:, 1::2] = 0.7 * base[:, : n_columns // 2 * 2 : 2] + 0.714 * base[:, 1::2]
    for column in range(n_columns):
        x = base[:, column]
        match column % 5:
            case 1:
                base[:, column] = np.exp(x)
            case 2:
                base[:, column] = np.round(3 * x)
            case 3:
                base[:, column] = np.sinh(2 * x)
            case 4:
                base[rng.random(n) < 0.03, column] = np.nan
    return base


def year(n_columns: int, rows: int, n_reference: int, rng: np.random.Generator) -> tuple[Panel, np.ndarray, np.ndarray]:
    """Return the panel of a year's reference, and sums and sizes of its windows."""
    n_numbers = max(n_columns * 2 // 3, 1)
    n_levels = n_columns - n_numbers
    reference = numbers(n_reference, n_numbers, rng)
    values, traits = {}, []
    for c in range(n_numbers):
        values[f"n{c}", f"n{c}"] = reference[:, c]
        traits.append(numbers_trait(f"n{c}", reference[:, c], f"n{c}"))
    for c in range(n_levels):
        series = pl.Series(np.array(LEVELS)[rng.choice(len(SHARES), n_reference, p=SHARES / SHARES.sum())])
        values[f"c{c}", f"c{c}"] = series
        traits.append(levels_trait(f"c{c}", series, f"c{c}"))
    panel = fit_panel(traits, values)
    days = np.repeat(np.arange(DAYS), rows)
    drawn = numbers(DAYS * rows, n_numbers, rng)
    counts = []
    for position, trait in enumerate(traits):
        if position < n_numbers:
            codes = trait.codes(drawn[:, position])
            counts.append(np.bincount(days * trait.n_bins + codes, minlength=DAYS * trait.n_bins).reshape(DAYS, -1))
        else:
            # Counts of independent rows are multinomial: no row need be made.
            share = np.zeros(trait.n_bins)
            for level, p in zip(LEVELS, SHARES / SHARES.sum(), strict=True):
                n = len(trait.levels)
                at = trait.levels.index(level) if level in trait.levels else n if level in trait.known else n + 1
                share[at] += p
            counts.append(rng.multinomial(rows, share, size=DAYS))
    sums = np.hstack([c @ s for c, s in zip(counts, panel.scores, strict=True)])
    sizes = np.full(sums.shape, float(rows))
    return panel, sums, sizes


def by_cause(strong: np.ndarray, panel: Panel) -> np.ndarray:
    """Return where some monitor of each cause is strong, shape (n_windows, n_causes)."""
    found = np.zeros((len(strong), int(panel.causes.max()) + 1), dtype=bool)
    for monitor, cause in enumerate(panel.causes):
        found[:, cause] |= strong[:, monitor]
    return found


@dataclass(frozen=True)
class Study:
    """Some years of one setting, simulated by one process; they share a threshold.

    Attributes:
        n_columns: Of the table.
        n_years: How many.
        rows: A day.
        n_reference: Rows of the reference.
        seed: Of these years.
    """

    n_columns: int
    n_years: int
    rows: int
    n_reference: int
    seed: int


def counted(study: Study) -> tuple[dict[float, int], dict[float, float], int]:
    """Return alarms and threshold by budget, and how many monitors there are."""
    rng = np.random.default_rng([study.n_columns, study.seed])
    alarms, thresholds, n_monitors = dict.fromkeys(BUDGETS, 0), {}, 0
    for number in range(study.n_years):
        panel, sums, sizes = year(study.n_columns, study.rows, study.n_reference, rng)
        if not number:
            # The law depends on the reference through its correlations only.
            null = simulate([Stream(panel, study.rows)], DAYS_A_MONTH, seed=study.seed)
            thresholds = {b: null.threshold(b) for b in BUDGETS}
            n_monitors = len(panel.monitors)
        strength = np.abs(scan(panel, sums, sizes).strength)
        for budget in BUDGETS:
            over, clear = (by_cause(strength >= thresholds[budget] + more, panel) for more in (0.0, CLEARLY))
            alarms[budget] += int(openings(over, clear).any(axis=1).sum())
    return alarms, thresholds, n_monitors


def main() -> None:
    """Simulate, count and write one line of JSON for each budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=200)
    parser.add_argument("--columns", type=int, nargs="+", default=[5, 20, 100])
    parser.add_argument("--rows", type=int, default=300, help="rows a day")
    parser.add_argument("--reference", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", default=str(Path(__file__).parent / "results" / "false-alarms.jsonl"))
    options = parser.parse_args()
    for n_columns in options.columns:
        begun = time.monotonic()
        n_parts = max(options.years // YEARS_TOGETHER, 1)
        sizes = [len(part) for part in np.array_split(np.arange(options.years), n_parts)]
        parts = [Study(n_columns, n, options.rows, options.reference, seed) for seed, n in enumerate(sizes)]
        with ProcessPoolExecutor(options.processes) as pool:
            found = list(pool.map(counted, parts))
        for budget in BUDGETS:
            by_part = np.array([alarms[budget] for alarms, _, _ in found]) / np.array(sizes) / 12
            rate = float(np.average(by_part, weights=sizes))
            line = {
                "columns": n_columns,
                "budget": budget,
                "years": options.years,
                "alarms": sum(alarms[budget] for alarms, _, _ in found),
                "rate": round(rate, 4),
                "standard_error": round(float(by_part.std(ddof=1)) / len(by_part) ** 0.5, 4) if n_parts > 1 else None,
                "of_budget": round(rate / budget, 3),
                "threshold": round(float(np.mean([thresholds[budget] for _, thresholds, _ in found])), 3),
                "monitors": found[0][2],
                "rows_a_day": options.rows,
                "reference_rows": options.reference,
                "seconds": round(time.monotonic() - begun, 1),
            }
            print(json.dumps(line), flush=True)
            with Path(options.out).open("a") as file:
                file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
