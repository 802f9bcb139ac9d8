"""How fast what modelwright makes is, in one run: four ratios, each beside what it is measured against.

python benchmarks/speed.py [--rows 10000000] [--batch-rows 200000] [--out benchmarks/results/speed.md]

1. One row: dict in, probability out, in process, by a full ensemble and by one that was pruned to 0.1 ms.
2. Many rows: the Predictor over frames against the native libraries' own prediction of the very same members on
   matrices that are made already; then a Parquet file of so many rows by ``modelwright predict --out FOLDER/``, its
   memory watched, interrupted once and taken up again.
3. Size of the packages.
4. Preprocessing: the feature plan against scikit-learn's ColumnTransformer (imputer and scaler, ordinal codes, one-hot)
   on the same columns.

All tables are made here. Rivals are timed in turns, in processor seconds over all threads; one row and the file by the
clock. The load at the time is written beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import polars as pl

import modelwright
from modelwright.core.ports import Lesson
from modelwright.core.task import Task, TaskKind
from modelwright.data.conforming import conform
from modelwright.data.inference import infer
from modelwright.data.reading import read
from modelwright.flows import batch as batches
from modelwright.flows.batch import batch
from modelwright.flows.builtin import catalogue
from modelwright.flows.prune import prune
from modelwright.learners import trees
from modelwright.learners.trees import use_threads
from modelwright.search.memory import held_bytes
from modelwright.search.problem import Material, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

TIMES = 5
ROWS_OF_TRAINING = 8_000


def table(n: int, seed: int) -> pl.DataFrame:
    """Return rows like a customer table: eight numbers, one in twenty missing, six categories, a label."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(n, 8)).round(3)
    columns: dict[str, Any] = {f"n{i}": numbers[:, i] for i in range(8)}
    levels = [rng.integers(0, 3 + 4 * i, n) for i in range(6)]
    columns |= {f"c{i}": [f"level {v}" for v in levels[i].tolist()] for i in range(6)}
    margin = numbers[:, 0] + numbers[:, 1] * numbers[:, 2] + (levels[3] % 3 - 1) + 0.7 * (levels[1] == 2)
    told = rng.random(n) < 1 / (1 + np.exp(-margin))
    frame = pl.DataFrame(columns).with_columns(
        pl.when(pl.Series(rng.random(n) < 0.05)).then(None).otherwise(pl.col(f"n{i}")).alias(f"n{i}") for i in range(8)
    )
    return frame.with_columns(label=pl.Series(np.where(told, "yes", "no")))


def in_turns(*rivals: Callable[[], object], times: int = TIMES) -> list[float]:
    """Return the least processor seconds of each, over all threads: a machine that is busy changes them least."""
    taken: list[list[float]] = [[] for _ in rivals]
    for _ in range(times):
        for place, rival in enumerate(rivals):
            begun = time.process_time()
            rival()
            taken[place].append(time.process_time() - begun)
    return [min(t) for t in taken]


def row_us(model: Any, records: list[dict[str, Any]], calls: int = 3_000) -> dict[str, float]:
    """Return the quantiles of the microseconds of one call with one record."""
    taken = []
    for i in range(calls):
        record = [records[i % len(records)]]
        begun = time.perf_counter()
        model.predict_proba(record)
        taken.append(time.perf_counter() - begun)
    return {name: 1e6 * float(np.quantile(taken, q)) for name, q in (("p10", 0.1), ("p50", 0.5), ("p99", 0.99))}


def single_row(package: Path, folder: Path) -> dict[str, Any]:
    """Return the time of one row, full and pruned."""
    pruned = prune(package, latency="0.1ms", out=folder / "pruned.model")
    full, quick = modelwright.load(package), pruned.model
    records = [dict(r) for r in full.package.golden.records]
    use_threads(1)
    return {
        "full": row_us(full, records),
        "pruned": row_us(quick, records),
        "price": pruned.told,
        "trees": [int(m.text.count(b"Tree=")) for m in full.package.model.blend.members if hasattr(m, "text")],
        "mb": [size / 1e6 for size in pruned.size_bytes],
    }


def natives(lesson: Lesson, rounds: int) -> tuple[list[Any], list[Callable[[np.ndarray], Any]]]:
    """Return three members as modelwright fits them, and the same three as their own libraries predict them."""
    import catboost
    import lightgbm
    import xgboost

    find = catalogue().find
    learners = [find("learner", name)(rounds=rounds) for name in ("lightgbm", "catboost", "xgboost")]
    ours = [learner.fit(lesson)[0] for learner in learners]
    light = lightgbm.Booster(model_str=ours[0].text.decode())
    cat = catboost.CatBoost(learners[1]._parameters(lesson))
    cat.fit(catboost.Pool(lesson.matrix.values, lesson.target))
    boost = xgboost.train(
        learners[2]._parameters(lesson),
        xgboost.QuantileDMatrix(lesson.matrix.values, lesson.target, max_bin=256, nthread=1),
        num_boost_round=rounds,
    )
    threads = lesson.threads
    boost.set_param({"nthread": threads})
    return ours, [
        lambda values: 1 / (1 + np.exp(-light.predict(values, num_threads=threads))),
        lambda values: cat.predict(values, prediction_type="Probability", thread_count=threads),
        lambda values: boost.inplace_predict(values),
    ]


def many_rows(n_rows: int, threads: int) -> dict[str, Any]:
    """Return rows a second: ours from frames, the libraries' from matrices, for the same three members."""
    from modelwright.core.model import Model
    from modelwright.learners.blend import Blend

    frame = table(ROWS_OF_TRAINING, 0)
    known = frame.drop("label")
    contract = infer(read(known))
    target = (frame["label"] == "yes").to_numpy().astype(np.int64)
    task = Task(TaskKind.BINARY, "label", "roc_auc", ("no", "yes"))
    problem = Problem(conform(known, contract).frame, target, None, contract, task)
    plan, matrix = Material.prepare(problem).whole()
    lesson = Lesson(matrix, target, 2, threads=threads)
    use_threads(threads)
    ours, theirs = natives(lesson, 300)
    many = trees.MANY_ROWS
    model = Model(task, contract, plan, Blend(ours, np.ones(3)))
    rows = table(n_rows, 1).drop("label")
    values = plan.matrix(conform(rows, contract, only_inputs=True).frame).values
    blended = np.mean([np.asarray(t(values[:500])).reshape(500, -1)[:, -1] for t in theirs], axis=0)
    mine = model.scores(conform(rows[:500], contract, only_inputs=True).frame)[:, 1]

    def all_ours() -> None:
        model.scores(conform(rows, contract, only_inputs=True).frame)

    def all_theirs() -> None:
        for their in theirs:
            their(values)

    all_ours()
    mine_s, theirs_s, *single = in_turns(all_ours, all_theirs, *[lambda t=t: t(values) for t in theirs], times=3)
    trees.MANY_ROWS = n_rows + 1  # as it was before trees were passed by bits
    before_s = in_turns(all_ours, times=1)[0]
    trees.MANY_ROWS = many
    return {
        "rows": n_rows,
        "threads": threads,
        "ours_by_library": n_rows / before_s,
        "ours": n_rows / mine_s,
        "native": n_rows / theirs_s,
        "native_each": {k: n_rows / s for k, s in zip(("lightgbm", "catboost", "xgboost"), single, strict=True)},
        "apart": float(np.abs(blended - mine).max()),
    }


def big_file(package: Path, n_rows: int, folder: Path) -> dict[str, Any]:
    """Return how a Parquet file of so many rows was scored: rows a second, memory, and taken up after a fault."""
    from pyarrow import parquet

    source, out = folder / "in", folder / "scored"
    source.mkdir()
    piece = table(100_000, 2).drop("label").to_arrow()
    made = 0
    for part in range(2):  # the last tenth is a second file, so that there is something to take up again
        writer = parquet.ParquetWriter(source / f"part-{part}.parquet", piece.schema)
        wanted = n_rows - n_rows // 10 if part == 0 else n_rows
        while made < wanted:
            writer.write_table(piece.slice(0, min(piece.num_rows, wanted - made)))
            made += min(piece.num_rows, wanted - made)
        writer.close()
    held: list[tuple[float, int]] = []
    is_over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(held, is_over), daemon=True)
    real = batches._score

    def breaking(model: Any, part: Any, *rest: Any) -> None:
        if part.path.name == "part-1.parquet":
            raise KeyboardInterrupt
        real(model, part, *rest)

    watcher.start()
    begun = time.perf_counter()
    batches._score = breaking
    with suppress(KeyboardInterrupt):
        batch(package, str(source), out=out)
    first = time.perf_counter() - begun
    kept = sorted(p.name for p in out.iterdir())
    batches._score = real
    done = batch(package, str(source), out=out)
    seconds = time.perf_counter() - begun
    is_over.set()
    watcher.join()
    early = [b for t, b in held if 0.2 * first < t <= 0.4 * first]
    late = [b for t, b in held if 0.8 * first < t <= first]
    n_out = sum(parquet.ParquetFile(p).metadata.num_rows for p in out.glob("*.parquet"))
    return {
        "rows": n_rows,
        "rows_out": n_out,
        "seconds": seconds,
        "rows_per_second": n_rows / seconds,
        "mb_early": max(early, default=0) / 1e6,
        "mb_late": max(late, default=0) / 1e6,
        "after_interruption": kept,
        "skipped_when_resumed": done.skipped,
    }


def _watch(held: list[tuple[float, int]], is_over: threading.Event) -> None:
    begun = time.perf_counter()
    while not is_over.wait(0.1):
        held.append((time.perf_counter() - begun, held_bytes()))


def preprocessing(n_rows: int) -> dict[str, Any]:
    """Return the seconds of the feature plan and of scikit-learn's, fitted already, on the same columns."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    few, many = table(20_000, 0).drop("label"), table(n_rows, 3).drop("label")
    contract = infer(read(few))
    target = (table(20_000, 0)["label"] == "yes").to_numpy().astype(np.int64)
    task = Task(TaskKind.BINARY, "label", "roc_auc", ("no", "yes"))
    plan = Material.prepare(Problem(conform(few, contract).frame, target, None, contract, task)).plan
    few_pandas, many_pandas = few.to_pandas(), many.to_pandas()
    numbers, texts = [f"n{i}" for i in range(8)], [f"c{i}" for i in range(6)]
    scaled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())

    def rival(coder: Any) -> Any:
        return ColumnTransformer([("n", scaled, numbers), ("c", coder, texts)]).fit(few_pandas)

    ordinal = rival(OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1))
    one_hot = rival(OneHotEncoder(handle_unknown="ignore", sparse_output=False))
    checked = conform(many, contract, only_inputs=True).frame
    ours, with_contract, codes, columns = in_turns(
        lambda: plan.matrix(checked),
        lambda: plan.matrix(conform(many, contract, only_inputs=True).frame),
        lambda: ordinal.transform(many_pandas),
        lambda: one_hot.transform(many_pandas),
    )
    return {"rows": n_rows, "ours": ours, "with_contract": with_contract, "ordinal": codes, "one_hot": columns}


def page(found: dict[str, Any], command: str) -> str:
    """Return the results as Markdown."""
    one, many, big, made = found["single"], found["many"], found["big"], found["preprocessing"]
    mb = one["mb"]
    rows = [
        ("one row, full ensemble, p50", f"{one['full']['p50'] / 1e3:.3f} ms", "< 0.5 ms", one["full"]["p50"] < 500),
        ("one row, pruned, p50", f"{one['pruned']['p50'] / 1e3:.3f} ms", "< 0.1 ms", one["pruned"]["p50"] < 100),
        ("batch, of native", f"{many['ours'] / many['native']:.2f}", ">= 0.9", many["ours"] >= 0.9 * many["native"]),
        (
            "memory, late over early",
            f"{big['mb_late'] / max(big['mb_early'], 1):.2f}",
            "<= 1.05",
            big["mb_late"] <= 1.05 * big["mb_early"],
        ),
        (
            "preprocessing, ordinal codes",
            f"{made['ordinal'] / made['ours']:.1f} times",
            ">= 5",
            made["ordinal"] >= 5 * made["ours"],
        ),
        (
            "preprocessing, one-hot",
            f"{made['one_hot'] / made['ours']:.1f} times",
            ">= 5",
            made["one_hot"] >= 5 * made["ours"],
        ),
    ]
    lines = [
        "# Speed",
        "",
        f"`{command}`",
        "",
        found["where"],
        "",
        "| what | measured | wanted | holds |",
        "|---|--:|--:|---|",
    ]
    lines += [f"| {what} | {got} | {wanted} | {'yes' if holds else 'no'} |" for what, got, wanted, holds in rows]
    each = ", ".join(f"{name} {rate:,.0f}" for name, rate in many["native_each"].items())
    full, quick = (", ".join(f"{us:.0f}" for us in one[which].values()) for which in ("full", "pruned"))
    lines += [
        "",
        f"One row: the full ensemble has {' + '.join(map(str, one['trees']))} trees; p10, p50 and p99 are {full} µs,",
        f"of the pruned one {quick} µs. {one['price']}",
        "",
        f"Batch: {many['rows']:,} rows, {many['threads']} thread(s), three members of 300 rounds, from a frame to",
        f"probabilities: {many['ours']:,.0f} rows a second; the libraries themselves, from matrices to probabilities,",
        f"{many['native']:,.0f} (alone: {each}); with all trees summed by LightGBM's library, as before,",
        f"{many['ours_by_library']:,.0f}. Answers are at most {many['apart']:.1g} apart.",
        "",
        f"File: {big['rows']:,} rows of Parquet in {big['seconds']:.0f} s, {big['rows_per_second']:,.0f} a second;",
        f"memory {big['mb_early']:.0f} MB early and {big['mb_late']:.0f} MB late. Interrupted before the last tenth,",
        "it left",
        f"{', '.join(big['after_interruption'])}; taken up again, it skipped {big['skipped_when_resumed']}",
        f"file and came to {big['rows_out']:,} rows.",
        "",
        f"Size: {mb[0]:.2f} MB, pruned {mb[1]:.2f} MB.",
        "",
        f"Preprocessing: {made['rows']:,} rows of 8 numbers and 6 categories. The feature plan takes",
        f"{made['ours']:.3f} s, {made['with_contract']:.3f} s with the check of every cell against the contract",
        "before it, for which scikit-learn has nothing; ColumnTransformer takes",
        f"{made['ordinal']:.3f} s with ordinal codes and {made['one_hot']:.3f} s with one-hot columns.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--batch-rows", type=int, default=200_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--effort", type=int, default=5)
    parser.add_argument("--out", default="")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="modelwright-speed-"))
    before = os.getloadavg()[0]
    try:
        source = folder / "train.csv"
        table(ROWS_OF_TRAINING, 0).write_csv(source)
        package = folder / "full.model"
        modelwright.train(str(source), "label", effort=asked.effort, out=str(package), threads=asked.threads)
        found: dict[str, Any] = {"single": single_row(package, folder)}
        found["many"] = many_rows(asked.batch_rows, asked.threads)
        found["preprocessing"] = preprocessing(asked.batch_rows)
        use_threads(asked.threads)
        found["big"] = big_file(folder / "pruned.model", asked.rows, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    load = f"load {before:.1f} at the beginning and {os.getloadavg()[0]:.1f} at the end"
    found["where"] = (
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} cores, {load}."
    )
    print(json.dumps(found, indent=1))
    if asked.out:
        Path(asked.out).write_text(page(found, " ".join(["python", "benchmarks/speed.py", *sys.argv[1:]])))


if __name__ == "__main__":
    main()
