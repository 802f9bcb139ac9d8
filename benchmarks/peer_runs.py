"""One system on one table, inside that system's own environment; driven by peers.py.

PYTHON peer_runs.py make|answer SYSTEM TABLE BUDGET SEED THREADS FOLDER

``make`` reads TABLE/train.csv, fits and saves under FOLDER; ``answer`` loads what was saved, answers
TABLE/test.csv and writes FOLDER/answers.npz (``values``: (n,) numbers, or (n, k) probabilities in the order
of ``labels``) and FOLDER/answers.json (speed and size). Needs pandas and NumPy beside the system itself.
"""

from __future__ import annotations

import json
import pickle
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

SINGLE_CALLS = 100
BATCH_SECONDS = 2.0


class AutoGluon:
    """AutoGluon's presets; ``autogluon-best`` is ``best_quality``, and so on."""

    PRESETS: ClassVar = {
        "autogluon-medium": "medium_quality",
        "autogluon-good": "good_quality",
        "autogluon-best": "best_quality",
        "autogluon-best150": "best_quality_v150",
    }
    METRICS: ClassVar = {"roc_auc": "roc_auc", "log_loss": "log_loss", "rmse": "root_mean_squared_error"}

    def make(self, asked: Asked) -> None:
        """Fit with the preset and save."""
        from autogluon.tabular import TabularPredictor

        meta, more = asked.meta, {}
        train = asked.table("train")
        if meta["task"] == "binary":
            values = train[meta["target"]].unique()
            positive = next(v for v in values if str(v) == str(meta["positive_label"]))
            more["learner_kwargs"] = {"positive_class": positive}
        predictor = TabularPredictor(
            label=meta["target"],
            problem_type=meta["task"],
            eval_metric=self.METRICS[meta["metric"]],
            path=str(asked.folder / "model"),
            verbosity=1,
            **more,
        )
        preset = self.PRESETS[asked.system]
        predictor.fit(train, time_limit=asked.budget, presets=preset, num_cpus=asked.threads, num_gpus=0)

    def load(self, asked: Asked) -> Any:
        """Return what answers a frame, and its labels; kept in memory, as its documentation advises for serving."""
        from autogluon.tabular import TabularPredictor

        predictor = TabularPredictor.load(str(asked.folder / "model"))
        predictor.persist()
        if asked.meta["task"] == "regression":
            return (lambda frame: predictor.predict(frame).to_numpy()), []
        labels = list(predictor.class_labels)
        return (lambda frame: predictor.predict_proba(frame).reindex(columns=labels).to_numpy()), labels


class Flaml:
    """FLAML with its defaults."""

    def make(self, asked: Asked) -> None:
        """Fit and pickle, the only form it has."""
        from flaml import AutoML

        train, meta = asked.table("train"), asked.meta
        model = AutoML()
        model.fit(
            train.drop(columns=meta["target"]),
            train[meta["target"]],
            task="regression" if meta["task"] == "regression" else "classification",
            metric=meta["metric"],
            time_budget=asked.budget,
            n_jobs=asked.threads,
            seed=asked.seed,
            verbose=0,
        )
        (asked.folder / "model").write_bytes(pickle.dumps(model))

    def load(self, asked: Asked) -> Any:
        """Return what answers a frame, and its labels."""
        model = pickle.loads((asked.folder / "model").read_bytes())  # noqa: S301 - made a minute ago, by ourselves
        if asked.meta["task"] == "regression":
            return model.predict, []
        return model.predict_proba, list(model.classes_)


class Mljar:
    """mljar in its Compete mode."""

    TASKS: ClassVar = {
        "binary": "binary_classification",
        "multiclass": "multiclass_classification",
        "regression": "regression",
    }
    METRICS: ClassVar = {"roc_auc": "auc", "log_loss": "logloss", "rmse": "rmse"}

    def make(self, asked: Asked) -> None:
        """Fit; it saves as it goes."""
        from supervised.automl import AutoML

        train, meta = asked.table("train"), asked.meta
        model = AutoML(
            results_path=str(asked.folder / "model"),
            total_time_limit=int(asked.budget),
            mode="Compete",
            eval_metric=self.METRICS[meta["metric"]],
            ml_task=self.TASKS[meta["task"]],
            n_jobs=asked.threads,
            random_state=asked.seed + 1234,
            verbose=0,
        )
        model.fit(train.drop(columns=meta["target"]), train[meta["target"]])

    def load(self, asked: Asked) -> Any:
        """Return what answers a frame, and its labels, which it only tells by the names of its columns."""
        from supervised.automl import AutoML

        model = AutoML(results_path=str(asked.folder / "model"))
        if asked.meta["task"] == "regression":
            return model.predict, []
        first = asked.table("test").drop(columns=asked.meta["target"]).iloc[:2]
        names = [c for c in model.predict_all(first).columns if c.startswith("prediction_")]
        labels = [c.removeprefix("prediction_") for c in names]
        if asked.table("train")[asked.meta["target"]].dtype == bool:
            labels = [str(bool(int(label))) for label in labels]  # it takes them for numbers
        return model.predict_proba, labels


class LightGBMDefault:
    """LightGBM with its default parameters, string columns as pandas categories."""

    def make(self, asked: Asked) -> None:
        """Fit and pickle."""
        import lightgbm

        train, meta = asked.table("train"), asked.meta
        features = train.drop(columns=meta["target"])
        known = {c: sorted(features[c].dropna().unique()) for c in features.select_dtypes(exclude=["number", "bool"])}
        kind = lightgbm.LGBMRegressor if meta["task"] == "regression" else lightgbm.LGBMClassifier
        model = kind(n_jobs=asked.threads, random_state=asked.seed, verbose=-1)
        model.fit(self.encoded(features, known), train[meta["target"]])
        (asked.folder / "model").write_bytes(pickle.dumps((known, model)))

    def load(self, asked: Asked) -> Any:
        """Return what answers a frame, and its labels."""
        known, model = pickle.loads((asked.folder / "model").read_bytes())  # noqa: S301 - made a minute ago
        if asked.meta["task"] == "regression":
            return (lambda frame: model.predict(self.encoded(frame, known))), []
        return (lambda frame: model.predict_proba(self.encoded(frame, known))), list(model.classes_)

    @staticmethod
    def encoded(frame: pd.DataFrame, known: dict[str, list[Any]]) -> pd.DataFrame:
        """Return the frame with known levels as categories."""
        frame = frame.copy()
        for name, levels in known.items():
            frame[name] = pd.Categorical(frame[name], categories=levels)
        frame.columns = [f"c{i}" for i in range(frame.shape[1])]  # LightGBM refuses JSON's characters in names
        return frame


class Modelwright:
    """modelwright: made by its command line, answered through its Python interface."""

    def load(self, asked: Asked, name: str = "model") -> Any:
        """Return what answers a frame, and its labels."""
        import modelwright

        model = modelwright.load(asked.folder / name)
        if asked.meta["task"] == "regression":
            return model.predict, []
        return model.predict_proba, list(model.labels)

    def single(self, asked: Asked, test: pd.DataFrame) -> Any:
        """Return what answers one row as its users ask, a dict in and an answer out, and how many rows there are."""
        respond, _ = self.load(asked)
        head = test.iloc[:SINGLE_CALLS]
        rows = head.astype(object).where(head.notna(), None).to_dict("records")
        return (lambda i: respond([rows[i]])), len(rows)

    def smaller(self, asked: Asked, test: pd.DataFrame) -> list[tuple[float, np.ndarray]]:
        """Return the megabytes and the answers of each smaller model that the package can be pruned to."""
        import modelwright
        from modelwright.flows.prune import front

        whole, made = asked.folder / "model", []
        entries = [e for e in front(whole) if e["is_packaged"] and not e["is_delivered"]]
        for i, entry in enumerate(sorted(entries, key=lambda e: e["measured_bytes"])):
            part = asked.folder / f"smaller_{i}"
            modelwright.prune(whole, out=part, size=entry["measured_bytes"])
            respond, _ = self.load(asked, part.name)
            made.append((size_of(part) / 1e6, np.asarray(respond(test), dtype=np.float64)))
        return made


SYSTEMS: dict[str, Any] = {
    **dict.fromkeys(AutoGluon.PRESETS, AutoGluon),
    "flaml": Flaml,
    "mljar": Mljar,
    "lightgbm-default": LightGBMDefault,
    "modelwright": Modelwright,
}


class Asked:
    """What the command line asks."""

    def __init__(self, words: list[str]) -> None:
        self.system, self.source, self.folder = words[0], Path(words[1]), Path(words[5])
        self.budget, self.seed, self.threads = float(words[2]), int(words[3]), int(words[4])
        self.meta = json.loads((self.source / "meta.json").read_text())

    def table(self, part: str) -> pd.DataFrame:
        """Return ``train`` or ``test``."""
        return pd.read_csv(self.source / f"{part}.csv", low_memory=False)


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file()) if path.is_dir() else path.stat().st_size


def answer(asked: Asked) -> None:
    """Load, answer the test rows, and take the times."""
    test = asked.table("test").drop(columns=asked.meta["target"])
    system = SYSTEMS[asked.system]()
    respond, labels = system.load(asked)
    values = np.asarray(respond(test), dtype=np.float64)

    begun, rows = time.perf_counter(), 0
    while time.perf_counter() - begun < BATCH_SECONDS:
        respond(test)
        rows += len(test)
    batch = rows / (time.perf_counter() - begun)

    if hasattr(system, "single"):
        one, count = system.single(asked, test)
    else:
        frames = [test.iloc[[i]] for i in range(min(SINGLE_CALLS, len(test)))]
        one, count = (lambda i: respond(frames[i])), len(frames)
    for i in range(min(5, count)):
        one(i)
    times = []
    for i in range(count):
        start = time.perf_counter()
        one(i)
        times.append(1e3 * (time.perf_counter() - start))

    smaller = system.smaller(asked, test) if hasattr(system, "smaller") else []  # not before: times are taken
    np.savez(
        asked.folder / "answers.npz",
        values=values,
        labels=np.array([str(x) for x in labels], dtype=str),
        **{f"smaller_{i}": part for i, (_, part) in enumerate(smaller)},
    )
    told = {
        "row_ms_p50": float(np.percentile(times, 50)),
        "row_ms_p99": float(np.percentile(times, 99)),
        "rows_per_second": batch,
        "size_mb": size_of(asked.folder / "model") / 1e6,
        "smaller_mb": [size for size, _ in smaller],
    }
    (asked.folder / "answers.json").write_text(json.dumps(told))


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    if verb == "make":
        SYSTEMS[rest[0]]().make(Asked(rest))
    else:
        answer(Asked(rest))
