"""Train on every table of ../shared/data and score its held-out rows: accuracy, deadline, speed, size.

python benchmarks/tables.py [--budget 60] [--threads 2] [--only adult,letter] [--out benchmarks/results/tables-60s]

Each table is trained by the command line, untouched, from train.csv alone; test.csv is scored by
``modelwright predict`` and measured here with scikit-learn. Beside it stands LightGBM with its default
parameters, string columns as pandas categories, fitted on the same rows. Writes .jsonl (one line per table) and .md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before LightGBM is loaded: its score is the same, its time not

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn import metrics

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
COMMAND = Path(sys.executable).with_name("modelwright")
LATE = 1.05


def score(meta: dict[str, Any], truth: pd.Series, answers: pd.DataFrame) -> float:
    """Return the table's metric of predictions that hold ``prediction`` and ``probability_…`` columns."""
    if meta["metric"] == "rmse":
        return float(np.sqrt(np.mean((truth.astype(float) - answers["prediction"]) ** 2)))
    truth = truth.astype(str)
    labels = [c.removeprefix("probability_") for c in answers if c.startswith("probability_")]
    probabilities = answers[[f"probability_{label}" for label in labels]].to_numpy()
    if meta["metric"] == "roc_auc":
        positive = str(meta["positive_label"])
        return float(metrics.roc_auc_score(truth == positive, probabilities[:, labels.index(positive)]))
    order = np.argsort(labels)
    return float(metrics.log_loss(truth, probabilities[:, order], labels=[labels[i] for i in order]))


def lightgbm_default(meta: dict[str, Any], train: pd.DataFrame, test: pd.DataFrame, threads: int) -> float:
    """Return the metric of LightGBM's defaults, text columns as categories."""
    target = meta["target"]
    both = pd.concat([train, test]).drop(columns=target)
    for name in both.select_dtypes(exclude="number"):
        known = train[name].dropna().unique()
        both[name] = pd.Categorical(both[name].where(both[name].isin(known)), categories=known)
    both.columns = [f"c{i}" for i in range(both.shape[1])]
    x, x_test = both.iloc[: len(train)], both.iloc[len(train) :]
    if meta["task"] == "regression":
        model = LGBMRegressor(n_jobs=threads, verbose=-1, random_state=0).fit(x, train[target])
        return score(meta, test[target], pd.DataFrame({"prediction": model.predict(x_test)}))
    model = LGBMClassifier(n_jobs=threads, verbose=-1, random_state=0).fit(x, train[target].astype(str))
    columns = [f"probability_{c}" for c in model.classes_]
    return score(meta, test[target], pd.DataFrame(model.predict_proba(x_test), columns=columns))


def run(*words: str | Path) -> tuple[float, dict[str, Any]]:
    """Run modelwright with ``--json``; return the whole command's wall seconds and what it printed."""
    begun = time.monotonic()
    done = subprocess.run([COMMAND, *map(str, words), "--json"], capture_output=True, text=True, check=False)
    seconds = time.monotonic() - begun
    try:
        return seconds, json.loads(done.stdout)
    except json.JSONDecodeError:
        return seconds, {"error": {"rule": done.stderr[-500:]}}


def one(name: str, budget: float, threads: int, folder: Path) -> dict[str, Any]:
    """Return everything measured on one table."""
    meta = json.loads((DATA / name / "meta.json").read_text())
    model, scored = folder / f"{name}.model", folder / f"{name}.csv"
    words = ["train", DATA / name / "train.csv", "--target", meta["target"], "--metric", meta["metric"]]
    words += ["--task", meta["task"], "--budget", f"{budget:g}s", "--threads", str(threads), "--out", model]
    seconds, trained = run(*words)
    train, test = (pd.read_csv(DATA / name / f"{part}.csv") for part in ("train", "test"))
    row = {
        "table": name,
        "metric": meta["metric"],
        "rows": len(train),
        "wall_seconds": round(seconds, 1),
        "late": seconds > LATE * budget,
        "lightgbm_default": lightgbm_default(meta, train, test, threads),
    }
    if "error" in trained:
        return {**row, "error": trained["error"], "score": None}
    predict_seconds, answered = run("predict", model, DATA / name / "test.csv", "--out", scored)
    if "error" in answered:
        return {**row, "error": answered["error"], "score": None}
    kpis = trained["kpis"]
    return {
        **row,
        "score": score(meta, test[meta["target"]], pd.read_csv(scored)),
        "evidence": kpis[meta["metric"]],
        "predict_seconds": round(predict_seconds, 2),
        "row_ms_p50": kpis["inference_ms_p50"]["value"],
        "rows_per_second": kpis["rows_per_second"]["value"],
        "size_mb": kpis["size_mb_disk"]["value"],
        "members": [e["name"] for e in trained["leaderboard"] if e["weight"] > 0],
        "tried": len(trained["leaderboard"]),
        "stopped": trained["stopped"],
        "severe": [f["title"] for f in trained["findings"] if f["severity"] == "severe"],
        "seconds": trained["seconds"],
    }


def is_better(row: dict[str, Any]) -> bool:
    """Whether the score is at least that of the default LightGBM."""
    if row["score"] is None:
        return False
    difference = row["score"] - row["lightgbm_default"]
    return difference >= 0 if row["metric"] == "roc_auc" else difference <= 0


def page(rows: list[dict[str, Any]], command: str) -> str:
    """Return the results as a Markdown table."""
    lines = ["# The sixteen tables", "", f"`{command}`", ""]
    lines += [
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, one run each. `wall` is the whole command.",
        "",
    ]
    heads = ["table", "rows", "metric", "modelwright", "default LightGBM", "at least it", "evidence (95 %)", "wall s"]
    heads += ["one row p50 ms", "rows/s", "MB", "members"]
    lines += [f"| {' | '.join(heads)} |", "|---|--:|---|--:|--:|---|---|--:|--:|--:|--:|---|"]
    for r in rows:
        if r["score"] is None:
            lines.append(f"| {r['table']} | {r['rows']} | {r['metric']} | failed: {r['error']['rule'][:80]} |")
            continue
        e = r["evidence"]
        cells = [r["table"], r["rows"], r["metric"], f"{r['score']:.5g}", f"{r['lightgbm_default']:.5g}"]
        cells += ["yes" if is_better(r) else "no", f"{e['value']:.4g} ({e['low']:.4g} to {e['high']:.4g})"]
        cells += [f"{r['wall_seconds']}{' late' if r['late'] else ''}", f"{r['row_ms_p50']:.3f}"]
        cells += [f"{r['rows_per_second']:,.0f}", f"{r['size_mb']:.1f}", ", ".join(r["members"])]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    lines += ["", "Severe findings:", ""]
    lines += [f"- {r['table']}: {title}" for r in rows for title in r.get("severe", [])]
    return "\n".join([*lines, ""])


def main() -> None:
    """Run the tables that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", type=float, default=60)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default="")
    parser.add_argument("--out", default="")
    asked = parser.parse_args()
    names = asked.only.split(",") if asked.only else sorted(p.name for p in DATA.iterdir() if p.is_dir())
    command = f"python benchmarks/tables.py --budget {asked.budget:g} --threads {asked.threads}"
    kept = Path(f"{asked.out}.jsonl") if asked.out else None
    rows = [json.loads(line) for line in kept.read_text().splitlines()] if kept and kept.exists() else []
    rows = [r for r in rows if r["table"] not in names]
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            rows.append(one(name, asked.budget, asked.threads, Path(folder)))
            print(json.dumps(rows[-1]), flush=True)
            if asked.out:
                rows.sort(key=lambda r: r["table"])
                Path(f"{asked.out}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
                Path(f"{asked.out}.md").write_text(page(rows, command))


if __name__ == "__main__":
    main()
