"""Processor seconds and memory of watching 100 columns × 1,000,000 rows: counting, scanning, threshold, alarms.

    python benchmarks/watching_speed.py

Rows come as conformed frames of one day each, as they do from the ledger; reading the ledger and the model's own
answers are not part of it. Making the rows is not timed.
"""

from __future__ import annotations

import argparse
import json
import resource
import time

import numpy as np
import polars as pl

from modelwright.core.contract import Column, Contract, Kind
from modelwright.core.signal import Aspect
from modelwright.monitoring import relations
from modelwright.monitoring.budget import DAYS_A_MONTH, Stream, simulate
from modelwright.monitoring.panel import fit_panel
from modelwright.monitoring.scanning import scan
from modelwright.monitoring.traits import Watched, numbers_trait


def frame_of(n: int, n_columns: int, rng: np.random.Generator) -> pl.DataFrame:
    """Return rows: seven in ten columns numbers, the others levels."""
    n_numbers = n_columns * 7 // 10
    numbers = {f"n{i}": rng.standard_normal(n) for i in range(n_numbers)}
    names = np.array([f"level {i}" for i in range(40)])
    levels = {f"c{i}": names[rng.zipf(1.6, n).clip(1, 40) - 1] for i in range(n_columns - n_numbers)}
    return pl.DataFrame({**numbers, **levels})


def main() -> None:
    """Measure and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--days", type=int, default=30)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    reference = frame_of(20_000, options.columns, rng)
    kinds = {name: Kind.NUMBER if name[0] == "n" else Kind.CATEGORY for name in reference.columns}
    contract = Contract(tuple(Column(name, kind) for name, kind in kinds.items()))
    spent: dict[str, float] = {}

    def timed(what: str, begun: tuple[float, float]) -> None:
        spent[what] = spent.get(what, 0.0) + time.process_time() - begun[0]
        spent[f"{what}, wall"] = spent.get(f"{what}, wall", 0.0) + time.monotonic() - begun[1]

    begun = time.process_time(), time.monotonic()
    watched = Watched.of(contract, reference)
    values = dict(watched.values(reference))
    traits = list(watched.traits(values))
    found = relations.fit_relations(traits, values)
    assert found is not None
    values[relations.NAME] = found[1]
    traits.append(numbers_trait(relations.NAME[0], found[1]))
    panel = fit_panel(traits, values, {relations.NAME[0]: (Aspect.RELATIONS,)})
    timed("baseline", begun)
    begun = time.process_time(), time.monotonic()
    threshold = simulate([Stream(panel, options.rows / options.days)], DAYS_A_MONTH).threshold(1.0)
    timed("threshold", begun)
    sums, sizes = [], []
    for _ in range(options.days):
        frame = frame_of(options.rows // options.days, options.columns, rng)
        begun = time.process_time(), time.monotonic()
        day = dict(watched.values(frame))
        day[relations.NAME] = found[0].distances(day)
        counts = panel.count(day)
        sums.append(panel.sums(counts))
        sizes.append(panel.sizes(counts))
        timed("counting", begun)
    begun = time.process_time(), time.monotonic()
    strength = scan(panel, np.array(sums), np.array(sizes)).strength
    timed("scanning", begun)
    told = {
        "rows": options.rows,
        "columns": options.columns,
        "monitors": len(panel.monitors),
        "threshold": round(threshold, 2),
        "over": int((np.abs(strength) >= threshold).sum()),
        "seconds": {k: round(v, 1) for k, v in spent.items()},
        "total": round(sum(v for k, v in spent.items() if "wall" not in k), 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
