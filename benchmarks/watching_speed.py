"""Seconds and memory of `modelwright watch` on a ledger of 1,000,000 answers with 100 columns.

    python benchmarks/watching_speed.py --folder FOLDER
    python benchmarks/watching_speed.py --folder FOLDER --ledger postgresql://user@host/database

Makes a table, trains a small classifier on it, writes thirty days of answers of that model into a ledger, outcomes of
all but the last two days among them, and runs the command in a process of its own: once for everything, once more
after nothing happened, once after another day. Making the ledger is not timed. Numbers have four decimals.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl

import modelwright
from modelwright.core.prediction import Outcome
from modelwright.data.conforming import conform
from modelwright.registry.ledger import is_database, open_ledger

DAY = 86_400.0
BEGUN = 1_700_006_400.0 // DAY * DAY
INSERT_ROWS = 20_000


def frame_of(n: int, n_columns: int, rng: np.random.Generator) -> pl.DataFrame:
    """Return rows with their target: seven in ten columns numbers, the others levels."""
    n_numbers = n_columns * 7 // 10
    numbers = {f"n{i}": rng.standard_normal(n).round(4) for i in range(n_numbers)}
    names = np.array([f"level {i}" for i in range(40)])
    levels = {f"c{i}": names[rng.zipf(1.6, n).clip(1, 40) - 1] for i in range(n_columns - n_numbers)}
    risk = numbers["n0"] + 0.5 * numbers["n1"] - (levels["c0"] == "level 0")
    target = np.where(risk + rng.standard_normal(n) > 0.5, "yes", "no")
    return pl.DataFrame({**numbers, **levels, "target": target})


def write_day(ledger: str, model: object, frame: pl.DataFrame, day: int, *, labelled: bool) -> None:
    """Write one day's answers, and what became of them two days later."""
    package = model.package  # type: ignore[attr-defined]
    inputs = frame.drop("target")
    scores = package.model.scores(conform(inputs, package.model.contract).frame)
    rows = inputs.select(pl.struct(pl.all()).struct.json_encode().alias("row"))["row"].to_list()
    n = frame.height
    ids = [f"{day:08x}{i:024x}" for i in range(n)]
    times = (BEGUN + day * DAY + np.arange(n) * (DAY / n)).tolist()
    told = [f"[{a:.6f},{b:.6f}]" for a, b in scores.tolist()]
    records = [
        (i, t, "speed", "1", model.fingerprint, row, '"yes"', s, "[]", 1.0, "champion")  # type: ignore[attr-defined]
        for i, t, row, s in zip(ids, times, rows, told, strict=True)
    ]
    opened = open_ledger(ledger)
    if is_database(ledger):
        import psycopg

        copying = "COPY modelwright_predictions FROM STDIN"
        with psycopg.connect(ledger) as db, db.cursor() as cursor, cursor.copy(copying) as copy:
            for record in records:
                copy.write_row(record)
    else:
        with sqlite3.connect(ledger) as db:
            db.executemany("INSERT INTO predictions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", records)
    if labelled:
        known = [Outcome(i, v, t + 2 * DAY) for i, v, t in zip(ids, frame["target"].to_list(), times, strict=True)]
        for start in range(0, n, INSERT_ROWS):
            opened.add_outcomes(known[start : start + INSERT_ROWS])
    opened.close()


def look(folder: Path, ledger: str, now: float) -> dict[str, float]:
    """Run the command once and return what it took."""
    code = (
        "import json, resource, sys, time\n"
        "begun = time.monotonic()\n"
        "from modelwright.flows.monitoring_api import watching_of\n"
        "from modelwright.flows.watch import watch\n"
        f"w = watching_of(ledger={ledger!r}, name='speed', reference={str(folder / 'table.csv')!r}, "
        f"state={str(folder / 'watch.db')!r})\n"
        f"done = watch({str(folder / 'speed.mwm')!r}, w, clock=lambda: {now!r})\n"
        "u = resource.getrusage(resource.RUSAGE_SELF)\n"
        "told = done.told\n"
        "print(json.dumps({'wall': round(time.monotonic() - begun, 1), 'cpu': round(u.ru_utime + u.ru_stime, 1), "
        "'peak_mb': u.ru_maxrss // 1024, 'rows_read': told['rows_read'], 'windows': len(told['windows']), "
        "'alarms': len(told['alarms'])}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def main() -> None:
    """Make the ledger where it is absent, look three times, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--ledger", help="SQLite file in the folder when absent")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--days", type=int, default=30)
    options = parser.parse_args()
    folder = Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    ledger = options.ledger or str(folder / "ledger.db")
    rng = np.random.default_rng(0)
    table, package = folder / "table.csv", folder / "speed.mwm"
    if not package.exists():
        frame_of(20_000, options.columns, rng).write_csv(table)
        modelwright.train(table, target="target", effort=1, out=str(package))
    model = modelwright.load(str(package))
    begun = time.monotonic()
    per_day = options.rows // options.days
    if open_ledger(ledger).count("speed") < options.rows:
        for day in range(options.days):
            frame = frame_of(per_day + (options.rows % options.days if day == 0 else 0), options.columns, rng)
            write_day(ledger, model, frame, day, labelled=day < options.days - 2)
    made = time.monotonic() - begun
    (folder / "watch.db").unlink(missing_ok=True)
    now = BEGUN + options.days * DAY + 3_600
    told = {"rows": options.rows, "columns": options.columns, "ledger": "SQLite", "made_seconds": round(made, 1)}
    if is_database(ledger):
        told["ledger"] = "PostgreSQL"
    told["first"] = look(folder, ledger, now)
    told["again"] = look(folder, ledger, now)
    if open_ledger(ledger).count("speed") == options.rows:  # else a run before this one wrote that day
        write_day(ledger, model, frame_of(per_day, options.columns, rng), options.days, labelled=False)
    told["next_day"] = look(folder, ledger, now + DAY)
    told["load"] = [round(x, 1) for x in os.getloadavg()]
    told["own_peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(told))


if __name__ == "__main__":
    main()
