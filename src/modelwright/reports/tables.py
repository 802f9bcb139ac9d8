"""Tables of the detail: rows of ready words, so that the templates only lay them out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.core.metrics import MEASURES
from modelwright.core.score import Score
from modelwright.reports import columns, numbers
from modelwright.reports.figures import confusion
from modelwright.reports.mistakes import confused_pairs
from modelwright.reports.names import clean, marked, quoted, without_secrets

if TYPE_CHECKING:
    from modelwright.core.finding import Finding
    from modelwright.reports.view import View

MOST_ROWS = 30
COLUMNS_OPEN = 30
"""Contracts of more columns are folded away."""
COLUMNS_SHOWN = 200
NAMES_SHOWN = 6

COST = "cost_per_row"
TITLES = {
    COST: "Cost of a row",
    "train_seconds": "Training time",
    "preprocess_seconds": "Preprocessing time",
    "inference_ms_p50": "Inference time, one row, median",
    "inference_ms_p99": "Inference time, one row, 99th percentile",
    "rows_per_second": "Inference, rows per second",
    "size_mb_disk": "Model size on disk",
    "size_mb_memory": "Model size in memory",
}
"""What people call the times and sizes."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of the table of measures."""

    title: str
    value: str
    interval: str
    n_rows: str
    method: str
    yardsticks: tuple[str, ...]


def title_of(name: str) -> str:
    """Return what people call a measure."""
    if name in MEASURES:
        return MEASURES[name].title
    return TITLES.get(name) or name.replace("_", " ").capitalize()


def quality(view: View) -> list[Measured]:
    """Return the measures of quality, beside the yardsticks on the same rows."""
    kpis = view.evidence.kpis
    return [_measured(view, name, score) for name, score in kpis.items() if name in (*MEASURES, COST)]


def costs(view: View) -> list[Measured]:
    """Return the measures of time and size."""
    kpis = view.evidence.kpis
    return [_measured(view, name, score) for name, score in kpis.items() if name not in (*MEASURES, COST)]


ROLE = ("accuracy", "precision", "recall", "f1", "mae", "mse", "rmse", "mape", "r2")
"""The measures of quality that every model of the trade is asked for, where its task has them."""


def absent(view: View) -> str:
    """Return which measures of the role do not exist for this task, as a sentence."""
    names = [MEASURES[n].title for n in ROLE if view.task.kind not in MEASURES[n].kinds]
    kind = "classification" if view.task.is_classification else "regression"
    said = f"{', '.join(names[:-1])} and {names[-1]} do not exist for a {kind}."
    return said.replace(" Mean", " mean").replace(" Root", " root")


def yardstick_names(view: View) -> list[str]:
    """Return the titles of the yardsticks that were measured."""
    return [title for name, title in _YARDSTICKS.items() if view.evidence.baselines.get(name)]


_YARDSTICKS = {"lightgbm_default": "Default LightGBM", "constant": "Always the same answer"}


def _measured(view: View, name: str, score: Score) -> Measured:
    target = clean(view.task.target, 24) if score.unit.startswith("target") else ""
    unit = score.unit.replace("target", target)
    method = score.method if not score.note else f"{score.method}; {score.note}" if score.method else score.note
    baselines = view.evidence.baselines
    beside = tuple(_beside(baselines[y], score) for y in _YARDSTICKS if baselines.get(y))
    title = title_of(name) + (f" (in {marked(unit, 30)})" if target else "")
    value = numbers.with_unit(numbers.measured(score.value, score.low, score.high)[0], "" if target else score.unit)
    return Measured(title, value, numbers.interval(score), numbers.count(score.n_rows), method, beside)


def _beside(measures: Mapping[str, Any], own: Score) -> str:
    found = measures.get(own.metric)
    value = found.value if isinstance(found, Score) else found.get("value") if isinstance(found, Mapping) else found
    if not isinstance(value, int | float) or not math.isfinite(value):
        return numbers.NOTHING
    return numbers.alike(value, own)


def candidates(view: View) -> list[tuple[str, ...]]:
    """Return the leaderboard: name, learner, score, loss behind the best, place, weight, rounds, time."""
    rows: list[tuple[str, ...]] = []
    for i, e in enumerate(view.evidence.leaderboard[:MOST_ROWS]):
        low, high = _float(e.get("low")), _float(e.get("high"))
        _, *ends = numbers.measured((low + high) / 2, low, high)
        weight = _float(e.get("weight"))
        rows.append(
            (
                marked(str(e.get("name", ""))),
                clean(str(e.get("learner", ""))),
                numbers.number(_float(e.get("score")), 4),
                numbers.NOTHING if i == 0 or numbers.NOTHING in ends else f"{ends[0]} to {ends[1]}",
                "best" if i == 0 else "tied with the best" if e.get("tied") else "behind",
                numbers.percent(weight) if weight > 0 else numbers.NOTHING,
                numbers.count(_float(e.get("rounds"))),
                numbers.duration(_float(e.get("fit_seconds"))),
            )
        )
    return rows


def fronts(view: View) -> list[tuple[str, ...]]:
    """Return the models that this one can be pruned to: members, score, paired difference, time, size, trees."""
    rows: list[tuple[str, ...]] = []
    for e in view.evidence.front:
        names = [
            marked(str(m["name"])) + ("" if m["share"] == 1 else f" ({numbers.percent(m['share'])} of its trees)")
            for m in e["members"]
        ]
        mark = ": this model" if e["is_delivered"] else "" if "kpis" in e else ": not in this package"
        value, low, high = (_float(e["behind"].get(k)) for k in ("value", "low", "high"))
        shown = numbers.measured(value, low, high)
        ms = e.get("measured_ms")
        rows.append(
            (
                ", ".join(names) + mark,
                numbers.number(_float(e["score"]), 4),
                numbers.NOTHING if value == 0 else f"{shown[0]} ({shown[1]} to {shown[2]})",
                f"~{numbers.number(e['latency_us'] / 1e3)} ms" if ms is None else f"{numbers.number(ms)} ms",
                numbers.size(float(e.get("measured_bytes", e["size_bytes"]))),
                numbers.count(e["trees"]),
            )
        )
    return rows


def importances(view: View) -> list[tuple[str, ...]]:
    """Return the columns by importance: name, value, interval."""
    rows: list[tuple[str, ...]] = []
    for e in view.evidence.importance[:MOST_ROWS]:
        value, low, high = numbers.measured(*(_float(e.get(k)) for k in ("value", "low", "high")))
        between = numbers.NOTHING if numbers.NOTHING in (low, high) else f"{low} to {high}"
        rows.append((marked(str(e["column"])), value, between))
    return rows


def convergences(view: View) -> list[tuple[str, ...]]:
    """Return the candidates that learn in rounds: name, rounds, verdict."""
    return [
        (marked(str(e["name"])), numbers.count(max(_rounds(e), default=0)), clean(str(e.get("verdict", ""))))
        for e in view.evidence.convergence[:MOST_ROWS]
    ]


def _rounds(entry: Mapping[str, Any]) -> list[float]:
    rounds = entry.get("rounds") or ()
    return [float(rounds)] if isinstance(rounds, int | float) else [float(r) for r in rounds]


def bias_variance(view: View) -> list[tuple[str, ...]]:
    """Return the parts of the error: name, value, interval."""
    told = view.evidence.bias_variance
    loss, bias, variance, low, high = (
        _float(told.get(k)) for k in ("loss", "bias", "variance", "variance_low", "variance_high")
    )
    if not told or not math.isfinite(loss):
        return []
    what = title_of(str(told.get("measure", ""))) if told.get("measure") else "Mean loss"
    value, *ends = numbers.measured(variance, low, high)
    between = numbers.NOTHING if numbers.NOTHING in ends else f"{ends[0]} to {ends[1]}"
    return [
        (f"{what} of models fitted on resamples", numbers.number(loss), numbers.NOTHING),
        ("Bias, with the noise nobody can learn", numbers.number(bias), numbers.NOTHING),
        ("Variance", value, between),
    ]


def bias_variance_basis(view: View) -> str:
    """Return how many models and rows the split rests on."""
    told = view.evidence.bias_variance
    models, rows = _float(told.get("n_resamples")), _float(told.get("n_rows"))
    if not math.isfinite(models) or not math.isfinite(rows):
        return ""
    return f"From {numbers.counted(models, 'model')} fitted on resamples, judged on {numbers.counted(rows, 'row')}."


def mix_ups(view: View) -> list[tuple[str, ...]]:
    """Return the most frequent wrong answers: truth, answer, rows."""
    table = confusion(view.evidence.figures)
    if table is None or len(table.labels) < 3:
        return []
    return [
        (quoted(truth), quoted(answer), f"{numbers.count(n)} of {numbers.count(of)}")
        for truth, answer, n, of in confused_pairs(table)
    ]


def contract(view: View) -> list[tuple[str, ...]]:
    """Return the first columns of the contract: name, role, kind, missing, seen, why."""
    return [
        (marked(c.name), c.role.value, c.kind.value, columns.missing(c), columns.seen(c), columns.reason(c))
        for c in view.contract.columns[:COLUMNS_SHOWN]
    ]


def finding_columns(finding: Finding) -> str:
    """Return the columns of a finding, the first of very many."""
    shown = ", ".join(marked(c) for c in finding.columns[:NAMES_SHOWN])
    rest = len(finding.columns) - NAMES_SHOWN
    return f"{shown} and {numbers.count(rest)} more" if rest > 0 else shown


def finding_evidence(finding: Finding) -> str:
    """Return the numbers behind a finding in one line."""
    return " · ".join(f"{clean(str(k)).replace('_', ' ')}: {_short(v)}" for k, v in list(finding.evidence.items())[:8])


def provenance(view: View) -> list[tuple[str, str]]:
    """Return where the model came from: name, value."""
    m = view.manifest
    split = m.split
    n_train, n_test = (numbers.count(_float(split.get(side))) for side in ("train", "test"))
    halves = f"{n_train} rows to learn from, {n_test} sealed"
    told = {
        "Package": view.fingerprint,
        "Data": m.data.get("fingerprint"),
        "Source": without_secrets(str(m.data.get("source") or "")),
        "Split": f"{split.get('how', '')}: {halves}. {split.get('reason', '')}",
        **{name.capitalize(): known for name, known in sorted(m.parents.items())},
        "Seed": m.seed,
        "Made": m.created,
        "Search ended": m.stopped,
        "Size of the package": numbers.size(view.package_size_bytes) if view.package_size_bytes else None,
        "modelwright": m.version,
    }
    told |= {f"{stage} took".capitalize(): numbers.duration(s) for stage, s in m.seconds.items()}
    told |= dict(sorted(m.versions.items()))
    return [(str(k), clean(str(v), 400)) for k, v in told.items() if v not in (None, "")]


def _short(value: Any) -> str:
    """Return a piece of evidence in a few words, names told apart."""
    if isinstance(value, bool | None):
        return str(value)
    if isinstance(value, int | float):
        return numbers.number(value)
    if isinstance(value, list | tuple):
        rest = f" and {len(value) - NAMES_SHOWN} more" if len(value) > NAMES_SHOWN else ""
        return ", ".join(_short(v) for v in value[:NAMES_SHOWN]) + rest
    if isinstance(value, Mapping):
        return ", ".join(f"{marked(str(k), 24)} {_short(v)}" for k, v in list(value.items())[:NAMES_SHOWN])
    return marked(str(value))


def _float(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
