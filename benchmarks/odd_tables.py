"""Train on tables of odd shapes, made here: in time, within memory, better than the constant prediction.

python benchmarks/odd_tables.py [--budget 60] [--threads 2] [--only wide,tiny] [--rows 1000000]
    [--out benchmarks/results/odd-tables]

Each table is drawn from a known law, trained by the command line from a CSV file, and fresh rows of the same law are
scored by ``modelwright predict``. Written down: wall seconds of the whole command, the largest memory it held, its loss
on the fresh rows (log loss, or root mean squared error) beside the constant's, and what it said. Writes .jsonl and .md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

COMMAND = Path(sys.executable).with_name("modelwright")
LATE = 1.05
FRESH = 0.25
"""Fresh rows, as a share of the training rows."""
Rng = np.random.Generator
WORDS = [f"{a}{b}" for a in ("ba", "ko", "mi", "tu", "re", "sa", "lo", "ni") for b in ("ra", "so", "ti", "mu", "len")]


@dataclass(frozen=True)
class Odd:
    """One table: how many rows to learn from, how rows are drawn, what is promised besides the time."""

    rows: int
    draw: Callable[[Rng, int], dict[str, Any]]
    what: str
    memory: str = ""


def wide(rng: Rng, n: int) -> dict[str, Any]:
    """Return 5,000 numbers of which eight matter."""
    x = rng.normal(size=(n, 5_000)).round(3)
    margin = x[:, :8] @ np.array([1.2, -1.0, 0.9, -0.8, 0.7, 0.6, -0.6, 0.5])
    return {**{f"x{i}": x[:, i] for i in range(5_000)}, "y": np.where(margin + rng.normal(size=n) > 0, "yes", "no")}


def tiny(rng: Rng, n: int) -> dict[str, Any]:
    """Return sixty rows, two numbers and a category that matter, five that do not."""
    x = rng.normal(size=(n, 7)).round(2)
    c = rng.choice(["a", "b", "c"], n)
    margin = 1.5 * x[:, 0] - x[:, 1] + (c == "b")
    return {**{f"x{i}": x[:, i] for i in range(7)}, "c": c, "y": np.where(margin + rng.normal(size=n) > 0.3, 1, 0)}


def many_classes(rng: Rng, n: int) -> dict[str, Any]:
    """Return 355 classes of very different size around centres in eight dimensions."""
    shares = 1 / (np.arange(355) + 20.0)
    label = np.append(np.repeat(np.arange(355), 4), rng.choice(355, n - 1_420, p=shares / shares.sum()))
    centres = np.random.default_rng(7).normal(size=(355, 8))  # the same for fresh rows
    x = (centres[label] + 0.35 * rng.normal(size=(n, 8))).round(3)
    return {**{f"x{i}": x[:, i] for i in range(8)}, "y": [f"class {i}" for i in label]}


def all_text(rng: Rng, n: int) -> dict[str, Any]:
    """Return three columns of words; one word in the first and one in the second decide."""
    words = rng.choice(WORDS, (n, 30))
    telling = (words[:, :12] == "bara").any(axis=1) * 1.8 + (words[:, 12:24] == "kolen").any(axis=1) * 1.5
    texts = {"title": words[:, :12], "body": words[:, 12:24], "note": words[:, 24:]}
    label = np.where(telling + 0.5 * rng.normal(size=n) > 1.0, "spam", "ham")
    return {**{k: [" ".join(row) for row in v] for k, v in texts.items()}, "y": label}


def all_categorical(rng: Rng, n: int) -> dict[str, Any]:
    """Return twelve categories of 2 to 400 levels; three matter, two of them only together."""
    sizes = [2, 3, 4, 5, 8, 12, 20, 40, 80, 150, 250, 400]
    codes = {f"c{i}": rng.integers(0, k, n) for i, k in enumerate(sizes)}
    effect = np.random.default_rng(9).normal(size=400)
    margin = 1.2 * effect[codes["c11"]] + 1.5 * ((codes["c2"] + codes["c4"]) % 2) - 0.7
    label = np.where(margin + rng.logistic(size=n) > 0, "on", "off")
    return {**{k: [f"{k}-{v}" for v in column] for k, column in codes.items()}, "y": label}


def heavy_ties(rng: Rng, n: int) -> dict[str, Any]:
    """Return numbers of few values each, and a target of which two thirds are the same value."""
    x = rng.integers(0, 4, (n, 10)).astype(float)
    margin = x[:, 0] * (x[:, 1] > 1) + x[:, 2] - 2.5
    return {**{f"x{i}": x[:, i] for i in range(10)}, "y": np.maximum(margin + rng.normal(size=n).round(0), 0.0)}


def skewed(rng: Rng, n: int) -> dict[str, Any]:
    """Return amounts whose logarithm is normal around a curved mean."""
    x = rng.normal(size=(n, 6)).round(3)
    mean = 8 + 0.9 * x[:, 0] + 0.6 * np.abs(x[:, 1]) - 0.5 * x[:, 2] * (x[:, 3] > 0)
    return {**{f"x{i}": x[:, i] for i in range(6)}, "y": np.exp(mean + 0.6 * rng.normal(size=n)).round(2)}


def counts(rng: Rng, n: int) -> dict[str, Any]:
    """Return counts around a mean of one half to twenty."""
    x = rng.normal(size=(n, 6)).round(3)
    mean = np.exp(0.8 + 0.7 * x[:, 0] + 0.4 * x[:, 1] * x[:, 2])
    return {**{f"x{i}": x[:, i] for i in range(6)}, "y": rng.poisson(np.minimum(mean, 200))}


def large(rng: Rng, n: int) -> dict[str, Any]:
    """Return many rows of ten numbers and four categories."""
    x = rng.normal(size=(n, 10)).astype(np.float32).round(3)
    codes = {f"c{i}": rng.integers(0, k, n) for i, k in enumerate((3, 12, 60, 500))}
    effect = np.random.default_rng(5).normal(size=500)
    margin = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.8 * effect[codes["c3"]] - 1
    label = np.where(margin + rng.logistic(size=n) > 0, "yes", "no")
    return {
        **{f"x{i}": x[:, i] for i in range(10)},
        **{k: [f"{k}-{v}" for v in column] for k, column in codes.items()},
        "y": label,
    }


def tables(rows: int) -> dict[str, Odd]:
    """Return the tables by name, the largest with this many rows."""
    return {
        "wide": Odd(600, wide, "5,000 columns"),
        "tiny": Odd(60, tiny, "60 rows"),
        "many_classes": Odd(7_100, many_classes, "355 classes"),
        "all_text": Odd(3_000, all_text, "texts only"),
        "all_categorical": Odd(8_000, all_categorical, "categories only"),
        "heavy_ties": Odd(4_000, heavy_ties, "few values, two thirds of the target equal"),
        "skewed": Odd(4_000, skewed, "a skewed target"),
        "counts": Odd(4_000, counts, "counts"),
        "large": Odd(rows, large, f"{rows:,} rows with --memory 4GB", memory="4GB"),
    }


def watched(*words: str | Path) -> tuple[float, float, dict[str, Any]]:
    """Run modelwright with ``--json``; return wall seconds, the largest memory in MB, and what it printed."""
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as errors:
        begun = time.monotonic()
        arguments = [str(COMMAND), *map(str, words), "--json"]
        actions = [(os.POSIX_SPAWN_DUP2, told.fileno(), 1), (os.POSIX_SPAWN_DUP2, errors.fileno(), 2)]
        pid = os.posix_spawn(arguments[0], arguments, os.environ, file_actions=actions)
        _, _, used = os.wait4(pid, 0)
        seconds = time.monotonic() - begun
        told.seek(0)
        errors.seek(0)
        try:
            return seconds, used.ru_maxrss / 1e3, json.loads(told.read())
        except json.JSONDecodeError:
            return seconds, used.ru_maxrss / 1e3, {"error": {"rule": errors.read().decode()[-400:]}}


def losses(target: pl.Series, trained: pl.Series, answered: pl.DataFrame) -> tuple[str, float, float]:
    """Return the measure, the model's loss on fresh rows, and the loss of the training rows' constant."""
    labels = [c.removeprefix("probability_") for c in answered.columns if c.startswith("probability_")]
    if not labels:
        truth = target.to_numpy().astype(float)
        wrong = truth - answered["prediction"].to_numpy()
        steady = truth - float(trained.mean())  # type: ignore[arg-type]
        return "rmse", float(np.sqrt((wrong**2).mean())), float(np.sqrt((steady**2).mean()))
    at = {label: i for i, label in enumerate(labels)}
    place = np.array([at[str(v)] for v in target])
    told = answered.select(f"probability_{label}" for label in labels).to_numpy()
    shares = np.bincount([at[str(v)] for v in trained], minlength=len(labels)) / len(trained)
    floor = 1e-15
    ours = -np.log(np.maximum(told[np.arange(len(place)), place], floor)).mean()
    return "log_loss", float(ours), float(-np.log(np.maximum(shares[place], floor)).mean())


def one(name: str, odd: Odd, budget: float, threads: int, folder: Path) -> dict[str, Any]:
    """Return everything measured on one table."""
    source, fresh_source = folder / f"{name}.csv", folder / f"{name}-fresh.csv"
    train = pl.DataFrame(odd.draw(np.random.default_rng(1), odd.rows))
    fresh = pl.DataFrame(odd.draw(np.random.default_rng(2), max(int(FRESH * odd.rows), 1_420)))
    train.sample(fraction=1.0, shuffle=True, seed=3).write_csv(source)
    fresh.drop("y").write_csv(fresh_source)
    model, scored = folder / f"{name}.model", folder / f"{name}-scored.parquet"
    words = ["train", source, "--target", "y", "--budget", f"{budget:g}s", "--threads", str(threads), "--out", model]
    if name in ("counts", "heavy_ties"):
        words += ["--task", "regression"]
    elif name == "many_classes":
        words += ["--task", "multiclass"]
    words += ["--memory", odd.memory] if odd.memory else []
    seconds, megabytes, trained = watched(*words)
    row = {"table": name, "what": odd.what, "rows": odd.rows, "budget": budget}
    row |= {"wall_seconds": round(seconds, 1), "late": seconds > LATE * budget, "memory_mb": round(megabytes)}
    row |= {"memory_limit": odd.memory}
    if "error" in trained:
        return {**row, "error": trained["error"]}
    predict_seconds, predict_megabytes, answered = watched("predict", model, fresh_source, "--out", scored)
    if "error" in answered:
        return {**row, "error": answered["error"]}
    metric, ours, constant = losses(fresh["y"], train["y"], pl.read_parquet(scored))
    return {
        **row,
        "metric": metric,
        "loss": ours,
        "constant": constant,
        "better": ours < constant,
        "predict_seconds": round(predict_seconds, 1),
        "predict_memory_mb": round(predict_megabytes),
        "members": [e["name"] for e in trained["leaderboard"] if e["weight"] > 0],
        "stopped": trained["stopped"],
    }


def page(rows: list[dict[str, Any]], command: str) -> str:
    """Return the results as a Markdown table."""
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    load = f"load {os.getloadavg()[1]:.0f} on {os.cpu_count()} cores at the end"
    lines = [
        "# Tables of odd shapes",
        "",
        f"`{command}`",
        "",
        f"{today}, Python {platform.python_version()}, {load}.",
        "",
    ]
    lines += [
        "`wall` is the whole training command, `memory` the most it held, losses are those of fresh rows.",
        "",
        "| table | what | rows | wall s | memory MB | measure | loss | constant's | better | members |",
        "|---|---|--:|--:|--:|---|--:|--:|---|---|",
    ]
    for r in rows:
        begun = f"| {r['table']} | {r['what']} | {r['rows']:,} | {r['wall_seconds']}{' late' if r['late'] else ''} "
        begun += f"| {r['memory_mb']:,} |"
        if "error" in r:
            lines.append(f"{begun} failed: {r['error']['rule'][:80]} |")
            continue
        ended = f" {r['metric']} | {r['loss']:.4g} | {r['constant']:.4g} | {'yes' if r['better'] else 'no'} "
        lines.append(f"{begun}{ended}| {', '.join(r['members'])} |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Run the tables that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", type=float, default=60)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default="")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--out", default="")
    asked = parser.parse_args()
    known = tables(asked.rows)
    names = asked.only.split(",") if asked.only else list(known)
    command = f"python benchmarks/odd_tables.py --budget {asked.budget:g} --threads {asked.threads} --rows {asked.rows}"
    kept = Path(f"{asked.out}.jsonl") if asked.out else None
    rows = [json.loads(line) for line in kept.read_text().splitlines()] if kept and kept.exists() else []
    rows = [r for r in rows if r["table"] not in names]
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(one(name, known[name], asked.budget, asked.threads, Path(folder)))
        print(json.dumps(rows[-1]), flush=True)
        if asked.out:
            rows.sort(key=lambda r: list(known).index(r["table"]))
            Path(f"{asked.out}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
            Path(f"{asked.out}.md").write_text(page(rows, command))


if __name__ == "__main__":
    main()
