"""modelwright beside AutoGluon, FLAML, mljar and a default LightGBM: in pairs close in time, one run at a time.

python benchmarks/peers.py --envs DIR [--systems autogluon-medium,autogluon-best] [--only adult,letter]
                           [--budget 60] [--seeds 0] [--threads 2] [--out benchmarks/results/peers-60s]
python benchmarks/peers.py --report --out benchmarks/results/peers-60s

DIR holds one virtual environment a peer: ``autogluon``, ``flaml``, ``mljar``, ``baseline`` (LightGBM). For each
table and seed modelwright runs first, then the systems asked for; a run that is in the .jsonl already is not
repeated. Wall seconds are of the whole command, from its start to its end, imports and saving included; memory
is the largest sum over its processes (proportional share). A run is ended after 3 budgets and 120 s. A system
that fails is scored as the constant predictor. Writes .jsonl (a line a run), .npz (its answers, for the paired
intervals; left out of the repository), -pairs.jsonl (a line a comparison) and .md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
COMMAND = Path(sys.executable).with_name("modelwright")
SCRIPT = Path(__file__).with_name("peer_runs.py")
OURS = "modelwright"
LATE = 1.05
RESAMPLES = 1000
MARK = "MODELWRIGHT_BENCH"


@dataclass(frozen=True)
class Asked:
    """What the command line asks."""

    envs: Path
    budget: float
    threads: int
    out: Path

    def python(self, system: str) -> Path:
        """Return the interpreter of a system's environment."""
        if system == OURS:
            return Path(sys.executable)
        name = "baseline" if system == "lightgbm-default" else system.split("-")[0]
        return self.envs / name / "bin" / "python"


# ── one run ───────────────────────────────────────────────────────────────────────────────────────────────


def processes(mark: str) -> list[int]:
    """Return the processes that carry a mark in their environment: a run's own, however they were started."""
    found, wanted = [], f"{MARK}={mark}".encode()
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def memory(pids: list[int]) -> float:
    """Return the megabytes of some processes, shared pages divided among those that share them."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def busy() -> float:
    """Return the processor seconds that the whole machine has spent."""
    numbers = [int(x) for x in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(numbers) - numbers[3] - numbers[4]) / os.sysconf("SC_CLK_TCK")


def watched(words: list[str], limit: float) -> dict[str, Any]:
    """Run a command; return its wall seconds, peak memory, what the machine spent meanwhile, and how it ended."""
    mark = f"{os.getpid()}.{time.monotonic_ns()}"
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    if words[0] == str(COMMAND) or words[0] == sys.executable:
        env = dict(os.environ)
    env |= {MARK: mark, "OMP_WAIT_POLICY": "PASSIVE", "RAY_USAGE_STATS_ENABLED": "0", "HF_HUB_OFFLINE": "1"}
    begun, spent, peak = time.monotonic(), busy(), 0.0
    with tempfile.TemporaryFile("w+") as told:
        running = subprocess.Popen(words, env=env, stdout=told, stderr=told, start_new_session=True)
        while True:
            try:
                running.wait(0.5)
                break
            except subprocess.TimeoutExpired:
                peak = max(peak, memory(processes(mark)))
                if time.monotonic() - begun > limit:
                    os.killpg(running.pid, signal.SIGKILL)
        wall = time.monotonic() - begun
        for pid in processes(mark):
            os.kill(pid, signal.SIGKILL)
        told.seek(0)
        # Without the lines of a traceback that name files: results are kept, and paths say nothing elsewhere.
        tail = "\n".join(x for x in told.read().splitlines() if not x.lstrip().startswith("File "))[-2000:]
    return {
        "ok": running.returncode == 0,
        "wall_seconds": round(wall, 1),
        "peak_mb": round(peak),
        "machine_seconds": round(busy() - spent, 1),
        "tail": "" if running.returncode == 0 else tail,
    }


def make_words(system: str, table: str, seed: int, asked: Asked, folder: Path) -> list[str]:
    """Return the command that makes a model."""
    meta = json.loads((DATA / table / "meta.json").read_text())
    if system != OURS:
        numbers = [f"{asked.budget:g}", str(seed), str(asked.threads)]
        return [str(asked.python(system)), str(SCRIPT), "make", system, str(DATA / table), *numbers, str(folder)]
    words = [str(COMMAND), "train", str(DATA / table / "train.csv"), "--target", meta["target"]]
    words += ["--metric", meta["metric"], "--task", meta["task"], "--budget", f"{asked.budget:g}s"]
    return [*words, "--threads", str(asked.threads), "--seed", str(seed), "--out", str(folder / "model")]


def one(system: str, table: str, seed: int, asked: Asked) -> dict[str, Any]:
    """Make and measure one model; its answers are kept beside the results."""
    row = {"table": table, "system": system, "seed": seed, "budget": asked.budget, "at": f"{datetime.now(UTC):%FT%T}"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = watched(make_words(system, table, seed, asked, folder), 3 * asked.budget + 120)
        row |= made | {"late": made["wall_seconds"] > LATE * asked.budget}
        if not made["ok"]:
            return row
        numbers = [f"{asked.budget:g}", str(seed), str(asked.threads)]
        words = [str(asked.python(system)), str(SCRIPT), "answer", system, str(DATA / table), *numbers, name]
        answered = watched(words, 900)
        if not answered["ok"]:
            return row | {"ok": False, "tail": answered["tail"]}
        answers_of(asked.out, row).write_bytes((folder / "answers.npz").read_bytes())
        return row | json.loads((folder / "answers.json").read_text())


def answers_of(out: Path, row: dict[str, Any]) -> Path:
    """Return where a run's answers lie."""
    folder = out.with_name(f"{out.name}-answers")
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{row['table']}.{row['system']}.{row['seed']}.npz"


# ── losses and paired intervals ───────────────────────────────────────────────────────────────────────────


class Losses:
    """The losses of one table's answers under weights of its test rows: 1 - ROC AUC, log loss, or RMSE."""

    def __init__(self, table: str) -> None:
        self.meta = json.loads((DATA / table / "meta.json").read_text())
        target = self.meta["target"]
        self.truth = pd.read_csv(DATA / table / "test.csv", low_memory=False)[target]
        self.train = pd.read_csv(DATA / table / "train.csv", usecols=[target], low_memory=False)[target]

    def constant(self) -> tuple[np.ndarray, list[str]]:
        """Return the answers of the constant predictor."""
        n = len(self.truth)
        if self.meta["task"] == "regression":
            return np.full(n, self.train.mean()), []
        shares = self.train.astype(str).value_counts(normalize=True).sort_index()
        return np.tile(shares.to_numpy(), (n, 1)), list(shares.index)

    def of(self, values: np.ndarray, labels: list[str]) -> Any:
        """Return a function from weights of the rows to the loss."""
        if self.meta["metric"] == "rmse":
            squares = (self.truth.to_numpy(float) - values.ravel()) ** 2
            return lambda w: float(np.sqrt(np.average(squares, weights=w)))
        truth = self.truth.astype(str).to_numpy()
        if self.meta["metric"] == "roc_auc":
            positive = str(self.meta["positive_label"])
            return auc_loss(values[:, labels.index(positive)], truth == positive)
        columns = np.array([labels.index(t) if t in labels else -1 for t in truth])
        share = np.clip(values / values.sum(axis=1, keepdims=True), 1e-15, 1)
        chosen = np.where(columns < 0, 1e-15, share[np.arange(len(share)), columns])
        return lambda w: float(np.average(-np.log(chosen), weights=w))


def auc_loss(scores: np.ndarray, positive: np.ndarray) -> Any:
    """Return a function from weights to 1 - the area under the ROC curve; ties count half."""
    _, place = np.unique(scores, return_inverse=True)
    n = int(place.max()) + 1

    def loss(weights: np.ndarray) -> float:
        up = np.bincount(place, weights * positive, minlength=n)
        down = np.bincount(place, weights * ~positive, minlength=n)
        below = np.cumsum(down) - down
        return 1 - float(np.sum(up * (below + down / 2)) / (up.sum() * down.sum()))

    return loss


def compared(rows: list[dict[str, Any]], asked: Asked) -> list[dict[str, Any]]:
    """Return one line a table, seed and peer: both losses, their ratio, and the 95 % interval of the difference."""
    lines = []
    for table in sorted({r["table"] for r in rows}):
        losses = Losses(table)
        n = len(losses.truth)
        weights = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), RESAMPLES)
        known: dict[tuple[int, str], np.ndarray] = {}
        sizes: dict[int, list[tuple[float, float]]] = {}
        for row in (r for r in rows if r["table"] == table):
            values, labels = losses.constant()
            if row["ok"]:
                if not answers_of(asked.out, row).exists():
                    continue
                with np.load(answers_of(asked.out, row)) as kept:
                    values, labels = kept["values"], list(kept["labels"])
                    smaller = [kept[f"smaller_{i}"] for i in range(len(row.get("smaller_mb", [])))]
                if smaller:
                    every = zip([*row["smaller_mb"], row["size_mb"]], [*smaller, values], strict=True)
                    sizes[row["seed"]] = [(mb, losses.of(part, labels)(np.ones(n))) for mb, part in every]
            loss = losses.of(values, labels)
            known[row["seed"], row["system"]] = np.array([loss(np.ones(n)), *(loss(w) for w in weights)])
        facts = {"table": table, "rows": len(losses.train), "metric": losses.meta["metric"]}
        for (seed, system), theirs in known.items():
            if system != OURS and (seed, OURS) in known:
                line = {**facts, "seed": seed, "peer": system, **paired(known[seed, OURS], theirs)}
                equal = [mb for mb, loss in sizes.get(seed, ()) if loss <= line["theirs"]]
                lines.append(line | ({"equal_mb": min(equal)} if equal else {}))
    return lines


def paired(ours: np.ndarray, theirs: np.ndarray) -> dict[str, Any]:
    """Return what two systems' losses say: first each on the rows as they are, then on the same resamples."""
    low, high = np.quantile(ours[1:] - theirs[1:], [0.025, 0.975])
    return {
        "ours": float(ours[0]),
        "theirs": float(theirs[0]),
        "ratio": float(ours[0] / theirs[0]),
        "low": float(low),
        "high": float(high),
        "verdict": "better" if high < 0 else "worse" if low > 0 else "tie",
    }


def remembered(lines: list[dict[str, Any]], out: Path) -> list[dict[str, Any]]:
    """Return these lines and those of earlier days whose answers are no longer there, and keep them all."""
    kept = Path(f"{out}-pairs.jsonl")
    old = [json.loads(x) for x in kept.read_text().splitlines()] if kept.exists() else []
    every = {(x["table"], x["seed"], x["peer"]): x for x in [*old, *lines]}
    lines = [every[key] for key in sorted(every)]
    kept.write_text("".join(json.dumps(x) + "\n" for x in lines))
    return lines


def against_best(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return, of each table and seed, the line of AutoGluon's best preset: the hardest one to beat."""
    best: dict[tuple[str, int], dict[str, Any]] = {}
    for line in lines:
        key = line["table"], line["seed"]
        if line["peer"].startswith("autogluon") and (key not in best or line["theirs"] < best[key]["theirs"]):
            best[key] = line
    return list(best.values())


# ── the report ────────────────────────────────────────────────────────────────────────────────────────────


def tally(lines: list[dict[str, Any]]) -> str:
    """Return in words how many of these comparisons are better or tied, and their median ratio."""
    better, worse = (sum(x["verdict"] == v for x in lines) for v in ("better", "worse"))
    median = np.median([x["ratio"] for x in lines])
    return f"{better} better, {len(lines) - better - worse} tied, {worse} worse; median ratio {median:.3f}"


def price(lines: list[dict[str, Any]], rows: list[dict[str, Any]]) -> str:
    """Return in words what ours costs beside these peers: the time of one row, and the size."""
    known = {(r["table"], r["seed"], r["system"]): r for r in rows if r["ok"]}
    keys = [((x["table"], x["seed"], x["peer"]), (x["table"], x["seed"], OURS)) for x in lines]
    both = [(known[theirs], known[ours]) for theirs, ours in keys if theirs in known and ours in known]
    if not both:
        return "no table has a run of both that did not fail"
    quicker = [theirs["row_ms_p50"] / ours["row_ms_p50"] for theirs, ours in both]
    smaller = [ours["size_mb"] / theirs["size_mb"] for theirs, ours in both]
    told = (
        f"one row is answered {np.median(quicker):,.0f} times as fast in the median ({min(quicker):,.0f} to "
        f"{max(quicker):,.0f}); the package has {np.median(smaller):.2f} of the size ({min(smaller):.2f} to "
        f"{max(smaller):.2f}), at most a third on {sum(s <= 1 / 3 for s in smaller)} of {len(smaller)}"
    )
    equals = [(x["equal_mb"], known.get((x["table"], x["seed"], x["peer"]))) for x in lines if "equal_mb" in x]
    shares = [mb / theirs["size_mb"] for mb, theirs in equals if theirs]
    if not shares:
        return told
    return (
        f"{told}\n- at equal score: the smallest model that ours can be pruned to and that errs no more on the held-out"
        f" rows has {np.median(shares):.2f} of the size ({min(shares):.3f} to {max(shares):.2f}), at most a third on"
        f" {sum(s <= 1 / 3 for s in shares)} of the {len(shares)} where there is one"
    )


def page(rows: list[dict[str, Any]], lines: list[dict[str, Any]], asked: Asked) -> str:
    """Return the results as Markdown."""
    systems = sorted({r["system"] for r in rows})
    said = ["# Beside the peers", ""]
    said += [
        f"`python benchmarks/peers.py --envs DIR --budget {asked.budget:g} "
        f"--systems {','.join(s for s in systems if s != OURS)}`, {asked.threads} threads, "
    ]
    said += [
        f"{min(r['at'] for r in rows)[:10]} to {max(r['at'] for r in rows)[:10]}, Python {platform.python_version()}."
    ]
    said += [
        "One line is repeated with `--only TABLE --systems PEER`. Loss: 1 - ROC AUC, log loss or RMSE on the held-out"
    ]
    said += [
        "rows; `ratio` below 1 means that modelwright's is smaller; the interval is of the difference of the losses,"
    ]
    said += [f"95 %, from {RESAMPLES:,} resamples of the test rows, the same for both.", ""]
    best = against_best(lines)
    if best:
        ratios = [b["ratio"] for b in best]
        said += [
            f"**Against the best AutoGluon preset that was run on each table and seed:** {tally(best)} "
            f"(range {min(ratios):.3f} to {max(ratios):.3f}).",
            "",
        ]
        for low, high in [(0, 1e3), (1e3, 1e4), (1e4, 1e5), (1e5, 1e9)]:
            some = [b for b in best if low <= b["rows"] < high]
            if some:
                about = f"fewer than {high:,.0f}" if not low else f"{low:,.0f} and more"
                said += [f"- tables of {about} rows: {tally(some)}"]
        said += [f"- {price(best, rows)}", ""]
    if lines:
        said += ["Against each peer on the tables it was run on:", ""]
        for peer in sorted({x["peer"] for x in lines}):
            said += [f"- {peer}: {tally([x for x in lines if x['peer'] == peer])}"]
        said += [""]
    said += ["| table | rows | metric | seed | peer | ours | theirs | ratio | difference, 95 % | verdict |"]
    said += ["|---|--:|---|--:|---|--:|--:|--:|---|---|"]
    for x in lines:
        cells = [
            x["table"],
            f"{x['rows']:,}",
            x["metric"],
            x["seed"],
            x["peer"],
            f"{x['ours']:.5g}",
            f"{x['theirs']:.5g}",
        ]
        cells += [f"{x['ratio']:.3f}", f"{x['low']:.3g} to {x['high']:.3g}", x["verdict"]]
        said.append(f"| {' | '.join(map(str, cells))} |")
    said += ["", "## Cost", "", "Medians over the runs (range).", ""]
    said += ["| system | runs | failed | late | wall s | peak MB | one row p50 ms | p99 ms | rows/s | MB |"]
    said += ["|---|--:|--:|--:|---|---|---|---|---|---|"]
    for system in systems:
        mine = [r for r in rows if r["system"] == system]
        cells = [system, len(mine), sum(not r["ok"] for r in mine), sum(r["late"] for r in mine)]
        for key in ("wall_seconds", "peak_mb", "row_ms_p50", "row_ms_p99", "rows_per_second", "size_mb"):
            values = [r[key] for r in mine if key in r]
            text = f"{np.median(values):,.3g} ({min(values):,.3g} to {max(values):,.3g})" if values else "·"
            cells.append(text.replace("e+0", "e") if "e+" in text else text)
        said.append(f"| {' | '.join(map(str, cells))} |")
    failed = [r for r in rows if not r["ok"]]
    said += [
        "",
        *(f"- failed: {r['system']} on {r['table']}, seed {r['seed']}: {last_line(r['tail'])}" for r in failed),
    ]
    return "\n".join([*said, ""])


def last_line(text: str) -> str:
    """Return the last line that says something."""
    return next((line.strip()[:200] for line in reversed(text.splitlines()) if line.strip()), "no word")


def main() -> None:
    """Run what was asked for and is not there yet, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--envs", type=Path, default=Path("peers"))
    parser.add_argument("--systems", default="autogluon-medium,autogluon-best")
    parser.add_argument("--only", default="")
    parser.add_argument("--budget", type=float, default=60)
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "peers-60s")
    parser.add_argument("--report", action="store_true", help="only write the page from the runs there are")
    words = parser.parse_args()
    asked = Asked(words.envs.absolute(), words.budget, words.threads, words.out)
    tables = words.only.split(",") if words.only else sorted(p.name for p in DATA.iterdir() if p.is_dir())
    kept = Path(f"{asked.out}.jsonl")
    rows = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    wanted = [] if words.report else [(t, int(s)) for t in tables for s in words.seeds.split(",")]
    for table, seed in wanted:
        for system in [OURS, *words.systems.split(",")]:
            if not any((r["table"], r["seed"], r["system"]) == (table, seed, system) for r in rows):
                rows.append(one(system, table, seed, asked))
                print(json.dumps(rows[-1]), flush=True)
                with kept.open("a") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
    Path(f"{asked.out}.md").write_text(page(rows, remembered(compared(rows, asked), asked.out), asked))


if __name__ == "__main__":
    main()
