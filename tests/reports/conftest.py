"""Views as a real run would make them, from simulated predictions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from modelwright.core.contract import Column, Contract, Kind, Level, Role
from modelwright.core.evidence import Evidence
from modelwright.core.finding import Finding, Severity
from modelwright.core.manifest import Manifest
from modelwright.core.score import Score
from modelwright.core.task import Task, TaskKind
from modelwright.reports.card import card
from modelwright.reports.page import render
from modelwright.reports.view import View

HOSTILE = (
    "<script>alert(1)</script>",
    "{{7*7}}{% raw %}",
    "</style><img src=x onerror=alert(1)>",
    'javascript:alert("x")',
    "[click](http://evil.example/)",
    "| a | b |\n|---|---|\n# heading",
    "--- \nlicense: mit",
    "مرحبا بالعالم",
    "👩‍👩‍👧 family\u202egnp.exe",
    "`code` *bold* _it_ ~~no~~ www.evil.example",
    "",
    "x" * 500,
    "\x00\x1b[31mred\u2028line",
    "' onload='alert(1)",
)


def scores(**measured: tuple[float, float]) -> dict[str, Score]:
    units = {"mae": "target", "rmse": "target", "mse": "target²", "mape": "%"}
    return {
        name: Score(name, value, value - half, value + half, 1409, units.get(name, ""), "bootstrap (1,000)")
        for name, (value, half) in measured.items()
    }


def times() -> dict[str, Score]:
    return {
        "train_seconds": Score("train_seconds", 41.2, 41.2, 41.2, 1, "s", "measured once"),
        "preprocess_seconds": Score("preprocess_seconds", 0.83, 0.83, 0.83, 1, "s", "measured once"),
        "inference_ms_p50": Score("inference_ms_p50", 0.412, 0.401, 0.425, 200, "ms", "order statistics"),
        "inference_ms_p99": Score("inference_ms_p99", 0.702, 0.655, 0.915, 200, "ms", "order statistics"),
        "rows_per_second": Score("rows_per_second", 48213.7, 46900.2, 49700.9, 5, "rows/s", "t over repeats"),
        "size_mb_disk": Score("size_mb_disk", 1.84, 1.84, 1.84, 1, "MB", "exact"),
        "size_mb_memory": Score("size_mb_memory", 3.1, 3.1, 3.1, 1, "MB", "exact"),
    }


def leaderboard() -> tuple[dict, ...]:
    names = (("lightgbm, slow and deep", "lightgbm"), ("catboost", "catboost"), ("xgboost, shallow", "xgboost"))
    names += (("forest, extra trees", "forest"), ("linear", "linear"), ("neighbours", "neighbours"))
    return tuple(
        {
            "name": name,
            "learner": learner,
            "score": 0.846 - 0.004 * i**1.6,
            "low": 0.004 * i**1.6 - 0.008 * (i > 0),
            "high": 0.004 * i**1.6 + 0.008 * (i > 0),
            "weight": (0.5, 0.3, 0.2, 0, 0, 0)[i],
            "tied": i < 2,
            "fit_seconds": 1.7 * (i + 1),
            "folds": 5,
            "rounds": (412, 801, 230, None, None, None)[i],
        }
        for i, (name, learner) in enumerate(names)
    )


def convergence() -> tuple[dict, ...]:
    rounds = list(range(1, 413, 3))
    fall = np.exp(-np.array(rounds) / 60)
    verdicts = ("stopped early", "converged", "still improving")
    return tuple(
        {
            "name": name,
            "verdict": verdict,
            "rounds": rounds,
            "metric": "log_loss",
            "fit": (0.33 + 0.3 * fall - 0.0002 * np.array(rounds)).tolist(),
            "valid": (0.41 + 0.27 * fall + 0.00002 * np.array(rounds)).tolist(),
        }
        for name, verdict in zip(("lightgbm, slow and deep", "catboost", "xgboost, shallow"), verdicts, strict=True)
    )


def importance(names: list[str], unit: str = "") -> tuple[dict, ...]:
    values = [0.091 * 0.72**i for i in range(len(names))]
    return tuple(
        {"column": n, "value": v, "low": v - 0.006, "high": v + 0.006, "unit": unit}
        for n, v in zip(names, values, strict=True)
    )


def manifest(rows: int = 7043, columns: int = 20) -> Manifest:
    return Manifest(
        version="0.1.0",
        versions={"lightgbm": "4.7.0", "numpy": "2.4.0", "polars": "2.1.0"},
        seed=0,
        options={"target": "Churn"},
        command="modelwright train churn.csv --target Churn --budget 60s --out churn.model",
        data={"source": "churn.csv", "fingerprint": "5f" * 16, "rows": rows, "columns": columns},
        split={"how": "stratified", "reason": "rows are independent", "train": rows - 1409, "test": 1409},
        parents={"contract": "ab" * 16},
        created="2026-05-04T10:11:12+00:00",
        seconds={"read": 0.12, "preprocess": 0.83, "search": 41.2, "evaluate": 3.4},
        stopped="the budget was used",
    )


def findings() -> tuple[Finding, ...]:
    return (
        Finding(
            "F012",
            Severity.SEVERE,
            "where TotalCharges is missing the target is No in 100.0% of rows, 12% of all No: suspected leak",
            ("TotalCharges",),
            {"when": "missing", "label": "No", "purity": 1.0, "coverage": 0.12, "n_rows": 7043},
            "kept, and reported",
            "leave it out: --ignore TotalCharges",
        ),
        Finding(
            "F021",
            Severity.WARNING,
            "the rows stand in the order of time",
            ("signup",),
            {"correlation": 0.98},
            "split at random",
            "--time signup",
        ),
        Finding("F001", Severity.INFO, "22 rows are repeated", (), {"n_rows": 22}, "kept", ""),
    )


def contract(target: str = "Churn") -> Contract:
    yes_no = (Level("Yes", 1869), Level("No", 5174))
    day = 86_400.0
    return Contract(
        (
            Column(
                "customerID", Kind.IDENTIFIER, confidence=0.99, reason="all values differ", n_rows=7043, n_distinct=7043
            ),
            Column("tenure", Kind.NUMBER, reason="all values are numbers", n_rows=7043, n_distinct=73, low=0, high=72),
            Column("MonthlyCharges", Kind.NUMBER, n_rows=7043, n_distinct=1585, low=18.25, high=118.75),
            Column("TotalCharges", Kind.NUMBER, confidence=0.97, n_rows=7043, n_missing=11, low=18.8, high=8684.8),
            Column(
                "Contract",
                Kind.CATEGORY,
                n_rows=7043,
                n_distinct=3,
                levels=tuple(Level(v, 9) for v in ("Month-to-month", "Two year", "One year")),
            ),
            Column("signup", Kind.DATETIME, n_rows=7043, n_distinct=900, low=15_000 * day, high=18_000 * day),
            Column("complaint", Kind.TEXT, n_rows=7043, n_distinct=6800),
            Column(target, Kind.BOOLEAN, Role.TARGET, n_rows=7043, n_distinct=2, low=0, high=1, levels=yes_no),
        )
    )


def binary_figures(n: int = 1409, seed: int = 0) -> dict:
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < 0.27
    p = 1 / (1 + np.exp(-(rng.normal(size=n) * 1.3 + 1.7 * truth - 2)))
    order = np.argsort(-p)
    hits, alarms = np.cumsum(truth[order]), np.cumsum(~truth[order])
    pick = np.linspace(0, n - 1, 150).astype(int)
    edges = np.linspace(0, 1, 31)
    said = np.linspace(0.05, 0.95, 10)
    true = np.clip(said + rng.normal(size=10) * 0.03, 0, 1)
    chosen = p >= 0.4
    return {
        "confusion": {
            "labels": ["No", "Yes"],
            "counts": [
                [int((~truth & ~chosen).sum()), int((~truth & chosen).sum())],
                [int((truth & ~chosen).sum()), int((truth & chosen).sum())],
            ],
        },
        "roc": [
            {
                "label": "Yes",
                "false_positive_rate": (alarms[pick] / alarms[-1]).tolist(),
                "true_positive_rate": (hits[pick] / hits[-1]).tolist(),
            }
        ],
        "precision_recall": [
            {
                "label": "Yes",
                "recall": (hits[pick] / hits[-1]).tolist(),
                "precision": (hits[pick] / (pick + 1)).tolist(),
            }
        ],
        "calibration": {
            "predicted": said.tolist(),
            "observed": true.tolist(),
            "low": np.clip(true - 0.06, 0, 1).tolist(),
            "high": np.clip(true + 0.06, 0, 1).tolist(),
        },
        "distribution": {
            "edges": edges.tolist(),
            "counts": {
                "No": np.histogram(p[~truth], edges)[0].tolist(),
                "Yes": np.histogram(p[truth], edges)[0].tolist(),
            },
        },
    }


def binary_view() -> View:
    kpis = scores(
        accuracy=(0.781, 0.021),
        balanced_accuracy=(0.755, 0.024),
        precision=(0.672, 0.039),
        recall=(0.721, 0.044),
        f1=(0.634, 0.034),
        f1_macro=(0.731, 0.025),
        roc_auc=(0.8432, 0.0207),
        average_precision=(0.655, 0.043),
        log_loss=(0.4171, 0.0214),
        brier=(0.1361, 0.0083),
        calibration_error=(0.0193, 0.0111),
    )
    verdict = (
        "worth having: better than always the same answer, and better than a default LightGBM (log loss 0.018 lower)"
    )
    names = ["tenure", "Contract", "MonthlyCharges", "complaint", "TotalCharges", "signup"]
    evidence = Evidence(
        kpis={**kpis, **times()},
        baselines={
            "constant": scores(accuracy=(0.735, 0.02), roc_auc=(0.5, 0), log_loss=(0.579, 0.02)),
            "lightgbm_default": {"accuracy": 0.779, "roc_auc": 0.831, "log_loss": 0.435},
            "verdict": verdict,
        },
        leaderboard=leaderboard(),
        importance=importance(names),
        convergence=convergence(),
        bias_variance={
            "loss": 0.43,
            "bias": 0.40,
            "variance": 0.03,
            "variance_low": 0.024,
            "variance_high": 0.037,
            "measure": "log_loss",
            "n_resamples": 8,
            "n_rows": 1409,
            "sentence": "Most of the error is bias or noise; more rows would help little.",
        },
        figures=binary_figures(),
        notes=("Five folds were drawn by class, since the rows are independent.",),
    )
    task = Task(TaskKind.BINARY, "Churn", "roc_auc", ("No", "Yes"))
    named = {"model_name": "churn.model", "package_path": "churn.model", "fingerprint": "8f" * 16}
    size = 1_840_000
    return View(task, contract(), evidence, findings(), manifest(), threshold=0.4, package_size_bytes=size, **named)


def multiclass_view(n_classes: int = 26) -> View:
    labels = tuple(chr(65 + i) if n_classes <= 26 else f"class {i:03d}" for i in range(n_classes))
    rng = np.random.default_rng(1)
    table = np.diag(rng.integers(120, 160, n_classes)) + (rng.random((n_classes, n_classes)) < 0.08) * rng.integers(
        1, 9, (n_classes, n_classes)
    )
    table[0, 0], table[0, 1] = 10, 60
    kpis = scores(
        accuracy=(0.964, 0.005),
        balanced_accuracy=(0.962, 0.006),
        precision=(0.961, 0.006),
        recall=(0.962, 0.006),
        f1=(0.96, 0.006),
        f1_macro=(0.96, 0.006),
        roc_auc=(0.9991, 0.0004),
        log_loss=(0.128, 0.013),
        brier=(0.055, 0.006),
    )
    base = binary_view()
    figures = {
        "confusion": {"labels": list(labels), "counts": table.tolist()},
        "calibration": base.evidence.figures["calibration"],
    }
    figures["roc"] = [{**base.evidence.figures["roc"][0], "label": label} for label in labels]
    figures["precision_recall"] = [
        {**binary_figures(seed=i)["precision_recall"][0], "label": v} for i, v in enumerate(labels[:12])
    ]
    evidence = replace(base.evidence, kpis={**kpis, **times()}, figures=figures, baselines={})
    task = Task(TaskKind.MULTICLASS, "letter", "log_loss", labels)
    return View(task, contract("letter"), evidence, (), manifest(), "letter.model")


def regression_view() -> View:
    rng = np.random.default_rng(2)
    truth = rng.gamma(1.4, 130, 200)
    said = truth + rng.normal(size=200) * (10 + 0.15 * truth)
    edges = np.linspace(0, 900, 31)
    figures = {
        "residuals": {
            "predicted": said.tolist(),
            "truth": truth.tolist(),
            "bins": [{"predicted": v, "q5": -10 - 0.2 * v, "q95": 12 + 0.2 * v} for v in (20.0, 100.0, 300.0, 600.0)],
        },
        "distribution": {
            "edges": edges.tolist(),
            "counts": {
                "target": np.histogram(truth, edges)[0].tolist(),
                "prediction": np.histogram(said, edges)[0].tolist(),
            },
        },
    }
    kpis = scores(mae=(26.31, 1.12), mse=(2104.4, 241.0), rmse=(45.87, 2.6), mape=(31.2, 2.4), r2=(0.9412, 0.0081))
    base = binary_view()
    evidence = replace(
        base.evidence,
        kpis={**kpis, **times()},
        figures=figures,
        importance=importance(["signup", "tenure", "MonthlyCharges"], "target"),
        baselines={"constant": {"mae": 144.0, "rmse": 181.2, "r2": 0.0}, "verdict": {"sentence": "worth having"}},
    )
    return View(
        Task(TaskKind.REGRESSION, "cnt", "rmse"), contract("cnt"), evidence, findings()[1:], manifest(), "bike.model"
    )


def tiny_view() -> View:
    nan = float("nan")
    kpis = {
        "accuracy": Score("accuracy", 1.0, 0.2, 1.0, 1),
        "roc_auc": Score("roc_auc", nan, nan, nan, 1, note="one class only"),
    }
    task = Task(TaskKind.BINARY, "y", "roc_auc", ("0", "1"))
    return View(
        task,
        Contract((Column("x", Kind.NUMBER), Column("y", Kind.BOOLEAN, Role.TARGET))),
        Evidence(kpis),
        (),
        manifest(1413, 2),
        "tiny",
    )


def wide_view(n_columns: int = 5000) -> View:
    base = binary_view()
    names = [f"measurement_{i:05d}_of_sensor_array" for i in range(n_columns)]
    columns = tuple(
        Column(n, Kind.NUMBER, n_rows=900, n_distinct=850, low=-i, high=i / 7 + 1, reason="all values are numbers")
        for i, n in enumerate(names)
    )
    many = Finding(
        "F040", Severity.WARNING, "columns hold one value only", tuple(names), {"columns": names}, "left out", ""
    )
    evidence = replace(base.evidence, importance=importance(names))
    return replace(
        base, contract=Contract((*columns, *base.contract.columns[-1:])), evidence=evidence, findings=(many,)
    )


def hostile_view() -> View:
    base = binary_view()
    columns = tuple(
        Column(n, Kind.CATEGORY, n_rows=9, n_distinct=2, levels=(Level(n, 5), Level(f"{n}2", 4)), reason=n)
        for n in HOSTILE
    )
    target = Column("</title><script>y", Kind.CATEGORY, Role.TARGET)
    told = [
        Finding(
            "F010",
            Severity.SEVERE,
            f"{n} alone predicts the target",
            (n,),
            {n[:30]: n, "value": [n]},
            n,
            f"--ignore {n}",
        )
        for n in HOSTILE
    ]
    board = tuple({**e, "name": n} for e, n in zip(leaderboard(), HOSTILE, strict=False))
    labels = (HOSTILE[0], HOSTILE[2])
    figures = binary_figures()
    figures["confusion"]["labels"] = list(labels)
    figures["distribution"]["counts"] = dict(zip(labels, figures["distribution"]["counts"].values(), strict=True))
    evidence = replace(
        base.evidence,
        importance=importance(list(HOSTILE)),
        leaderboard=board,
        figures=figures,
        notes=HOSTILE,
        convergence=tuple({**c, "name": n, "verdict": n} for c, n in zip(convergence(), HOSTILE, strict=False)),
        baselines={"verdict": HOSTILE[0]},
        bias_variance={"sentence": HOSTILE[2], "bias": 0.1},
    )
    task = Task(TaskKind.BINARY, target.name, "roc_auc", labels)
    made = replace(manifest(), command=" ".join(HOSTILE), stopped=HOSTILE[0], data={"source": HOSTILE[2], "rows": 9})
    return View(task, Contract((*columns, target)), evidence, tuple(told), made, HOSTILE[2])


VIEWS = {
    "binary": binary_view,
    "multiclass": multiclass_view,
    "regression": regression_view,
    "tiny": tiny_view,
    "wide": wide_view,
    "hostile": hostile_view,
}


@pytest.fixture(scope="session", params=VIEWS)
def any_view(request: pytest.FixtureRequest, views: dict[str, View]) -> View:
    """Give each view in turn."""
    return views[request.param]


@pytest.fixture(scope="session")
def views() -> dict[str, View]:
    """Give the views by name."""
    return {name: make() for name, make in VIEWS.items()}


@pytest.fixture(scope="session")
def pages(views: dict[str, View]) -> dict[str, str]:
    """Give the pages without charts by name."""
    return {name: render(view) for name, view in views.items()}


@pytest.fixture(scope="session", params=VIEWS)
def any_page(request: pytest.FixtureRequest, pages: dict[str, str]) -> str:
    """Give each page without charts in turn."""
    return pages[request.param]


@pytest.fixture(scope="session")
def cards(views: dict[str, View]) -> dict[str, str]:
    """Give the cards by name."""
    return {name: card(view) for name, view in views.items()}


@pytest.fixture(scope="session", params=VIEWS)
def any_card(request: pytest.FixtureRequest, cards: dict[str, str]) -> str:
    """Give each card in turn."""
    return cards[request.param]
