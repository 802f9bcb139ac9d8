"""A small real model whose parts are made here: a plan of number columns and a linear score with a softmax."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from modelwright.core.catalogue import Catalogue
from modelwright.core.contract import Column, Contract, Kind, Level, Role
from modelwright.core.errors import InvalidPackage
from modelwright.core.evidence import Evidence
from modelwright.core.finding import Finding, Severity
from modelwright.core.manifest import Manifest
from modelwright.core.matrix import Feature, Matrix
from modelwright.core.model import Model
from modelwright.core.score import Score
from modelwright.core.state import State
from modelwright.core.task import Task, TaskKind
from modelwright.core.values import reader
from modelwright.packaging.package import Golden, Package, Sealed


@dataclass(frozen=True)
class Columns:
    """A plan: number columns, less their means."""

    names: tuple[str, ...]
    means: np.ndarray

    @property
    def features(self):
        return tuple(Feature(name, name) for name in self.names)

    def rows(self, records):
        read = reader(Column("any", Kind.NUMBER))
        values = [[read(r.get(name)) or 0.0 for name in self.names] for r in records]
        return Matrix((np.array(values) - self.means).astype(np.float32), self.features)

    def matrix(self, frame):
        return self.rows(frame.to_dicts())

    def state(self):
        return State("columns", {"names": list(self.names)}, {"means": self.means})

    @classmethod
    def restore(cls, state):
        means = state.arrays["means"]
        if means.shape != (len(state.meta["names"]),) or means.dtype != np.float64:
            raise InvalidPackage("a plan has one mean a column", where="plan", got=means.shape)
        return cls(tuple(state.meta["names"]), means)


@dataclass(frozen=True)
class Softmax:
    """A blend: linear scores made probabilities; with a single column of weights, plain values."""

    weights: np.ndarray
    note: bytes = b"fitted by hand"

    def predict(self, matrix):
        scores = matrix.values.astype(np.float64) @ self.weights
        if self.weights.shape[1] == 1:
            return scores[:, 0]
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def state(self):
        inner = State("note", blobs={"text": self.note})
        return State("softmax", {"version": 1}, {"weights": self.weights}, parts={"note": inner})

    @classmethod
    def restore(cls, state):
        return cls(state.arrays["weights"], state.parts["note"].blobs["text"])


CATALOGUE = Catalogue({"fitted": {"columns": f"{__name__}:Columns", "softmax": f"{__name__}:Softmax"}})

CONTRACT = Contract(
    (
        Column("age", Kind.NUMBER, n_rows=90, n_distinct=50, low=18.0, high=80.0, is_integer=True),
        Column("income 💶", Kind.NUMBER, n_rows=90, n_missing=3, low=0.5, high=9e9, null_tokens=("?",)),
        Column("שם", Kind.CATEGORY, levels=(Level("oak", 60), Level("elm", 30))),
        Column("churn", Kind.CATEGORY, Role.TARGET, levels=(Level("no", 60), Level("yes", 30))),
    )
)
NAMES = ("age", "income 💶")


def make_package(n_labels: int = 2, seed: int = 0) -> Package:
    """Return a sound package; ``n_labels`` of 0 makes it a regression."""
    rng = np.random.default_rng(seed)
    kind = {0: TaskKind.REGRESSION, 2: TaskKind.BINARY}.get(n_labels, TaskKind.MULTICLASS)
    labels = ("no", "yes", *(f"label {i}" for i in range(2, n_labels)))[:n_labels]
    metric = {0: "rmse", 2: "roc_auc"}.get(n_labels, "log_loss")
    model = Model(
        Task(kind, "churn", metric, labels, reason="two labels"),
        CONTRACT,
        Columns(NAMES, np.array([40.0, 1e3])),
        Softmax(rng.normal(size=(2, max(n_labels, 1))) / 100),
        0.4375,
    )
    records = tuple({"age": str(20 + i), "income 💶": None if i == 3 else 10.5 * i, "שם": "oak"} for i in range(8))
    scores = model.scores_of(records)
    target = np.arange(8) % n_labels if n_labels else rng.normal(size=8)
    return Package(
        model=model,
        manifest=Manifest(
            version="0.1.0",
            versions={"python": "3.11.9", "numpy": "2.4.1", "polars": "2.1.0"},
            seed=seed,
            options={"target": "churn", "budget": 60.0},
            command="modelwright train 'my table.csv' --target churn",
            data={"source": "my table.csv", "fingerprint": "0" * 32, "rows": 90, "columns": 4},
            split={"how": "stratified", "reason": "labels", "train": 72, "test": 18, "fingerprint": "1" * 32},
            parents={"contract": CONTRACT.fingerprint},
            created="2026-01-02T03:04:05+00:00",
            seconds={"search": 41.5},
            stopped="the time was used",
        ),
        evidence=Evidence(
            kpis={
                metric: Score(metric, 0.875, 0.75, 0.9375, 18, method="DeLong"),
                "mape": Score("mape", float("nan"), float("nan"), float("nan"), 0, note="zeros in the target"),
                "mse": Score("mse", 1.5, 0.5, float("inf"), 18),
                "predict_ms": Score("predict_ms", 0.25, 0.2, 0.3, 100, "ms"),
            },
            leaderboard=({"name": "a", "score": 0.5, "fit_seconds": 2.5},),
            timing={"train": 41.5},
            notes=("Few rows.",),
        ),
        findings=(Finding("F101", Severity.WARNING, "Rows repeat.", ("age",), {"rows": 4}, "kept", "--keep"),),
        golden=Golden(records, scores),
        sealed=Sealed(tuple(f"{i:032x}" for i in range(8)), target, scores, None if seed else np.ones(8)),
        record={"candidates": [{"name": "a", "params": {"depth": 3}, "fit_seconds": 2.5}], "seconds": 1.0},
        documents={"report.html": b"<!doctype html>", "card.md": b"# Card\n"},
    )


@pytest.fixture
def catalogue() -> Catalogue:
    return CATALOGUE


@pytest.fixture
def package() -> Package:
    return make_package()


@pytest.fixture(scope="session")
def make():
    return make_package


def later(package: Package) -> Package:
    """Return the package as another run of the same search would make it: other times."""
    evidence, kpis = package.evidence, dict(package.evidence.kpis)
    kpis["predict_ms"] = Score("predict_ms", 0.5, 0.5, 0.5, 100, "ms")
    entry = {**evidence.leaderboard[0], "fit_seconds": 3.5}
    return replace(
        package,
        manifest=replace(package.manifest, created="2027-01-01T00:00:00+00:00", seconds={"search": 1.0}),
        evidence=replace(evidence, kpis=kpis, leaderboard=(entry,), timing={"train": 1.0}),
        record={"candidates": [{"name": "a", "params": {"depth": 3}, "fit_seconds": 9.0}], "seconds": 2.0},
        documents={"report.html": b"<!doctype html> 1 s", "card.md": b"# Card, 1 s\n"},
    )


@pytest.fixture
def made_later():
    return later
