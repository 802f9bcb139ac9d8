"""Sources: where each number of a document came from, and the command that computes it again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from modelwright.core.fingerprint import fingerprint, plain
from modelwright.core.metrics import MEASURES
from modelwright.reports.names import clean, without_secrets
from modelwright.reports.tables import title_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelwright.core.costs import Costs
    from modelwright.core.score import Score
    from modelwright.reports.view import View


class Basis(StrEnum):
    """What a number rests on, and so how it can be had again."""

    SEALED = "computed from the sealed rows"
    RUN = "measured in the training run"
    KEPT = "kept in the package"


@dataclass(frozen=True, slots=True)
class Source:
    """Where numbers came from.

    Attributes:
        key: Its name, such as ``kpis.roc_auc``.
        title: What people call it.
        place: The package's file and the place in it.
        basis: What it rests on.
        command: The command that computes it again.
        values: The numbers themselves, or a fingerprint where they are many.
    """

    key: str
    title: str
    place: str
    basis: Basis
    command: str
    values: Any


FIGURES = {
    "confusion": "Right and wrong answers",
    "roc": "ROC curve",
    "precision_recall": "Precision and recall",
    "calibration": "Calibration",
    "residuals": "Estimates and truths",
    "distribution": "Distribution",
}


def sources(view: View) -> dict[str, Source]:
    """Return every source of the numbers in the documents of a model, by key."""
    check = f"modelwright report check {_path(view)}"
    again = clean(without_secrets(view.manifest.command), 1_000)
    return {s.key: s for s in (*_measured(view, check, again), *_of_run(view, again), *_kept(view, check))}


def _measured(view: View, check: str, again: str) -> Iterable[Source]:
    for name, score in view.evidence.kpis.items():
        basis, command = (Basis.SEALED, check) if name in MEASURES else (Basis.RUN, again)
        yield Source(f"kpis.{name}", title_of(name), f"evidence.json, kpis/{name}", basis, command, numbers_of(score))
    for name, title in FIGURES.items():
        if view.evidence.figures.get(name):
            found = fingerprint(view.evidence.figures[name])
            yield Source(f"figures.{name}", title, f"evidence.json, figures/{name}", Basis.SEALED, check, found)
    if view.costs is not None:
        told, prices = f"modelwright report {_path(view)} --as brief", view.costs.prices
        if prices is not None:
            told += f" --cost-false-alarm {prices.false_alarm:g} --cost-miss {prices.miss:g}"
        place = "the sealed rows, and the costs you gave"
        yield Source("costs", "What errors cost", place, Basis.SEALED, told, costs_of(view.costs))


def _of_run(view: View, again: str) -> Iterable[Source]:
    told = {
        "baselines": "Simple rules on the same rows",
        "leaderboard": "Candidates",
        "importance": "What it leans on",
        "front": "Quicker and smaller models",
        "convergence": "Training by round",
        "bias_variance": "Bias and variance",
        "explanation": "Why it answers as it does",
    }
    for name, title in told.items():
        found = getattr(view.evidence, name)
        if found:
            yield Source(name, title, f"evidence.json, {name}", Basis.RUN, again, fingerprint(found))


def _kept(view: View, check: str) -> Iterable[Source]:
    kept = {
        "data": ("Training table", "manifest.json, data", view.manifest.data),
        "split": ("Training and sealed rows", "manifest.json, split", view.manifest.split),
        "contract": ("Columns", "contract.json", view.contract),
        "findings": ("Findings", "findings.json", view.findings),
        "threshold": ("Threshold", "state.json, threshold", view.threshold),
    }
    for name, (title, place, value) in kept.items():
        yield Source(name, title, place, Basis.KEPT, check, fingerprint(value))


def numbers_of(score: Score) -> dict[str, Any]:
    """Return the numbers of a score as plain data."""
    found: dict[str, Any] = plain({k: getattr(score, k) for k in ("value", "low", "high", "n_rows")})
    return found


def costs_of(found: Costs) -> dict[str, Any]:
    """Return the numbers of costs as plain data."""
    parts = {"model": found.model, "never": found.never, "always": found.always, "best": found.best}
    return {name: numbers_of(score) for name, score in parts.items() if score is not None}


def _path(view: View) -> str:
    """Return the name of the package as a shell takes it: unsafe letters give way to dashes."""
    name = clean(view.model_name, 80)
    return "".join(c if c.isalnum() or c in "-_.@" else "-" for c in name).lstrip("-.") or "model"


def stamp(view: View, kind: str, keys: Iterable[str] | None = None) -> dict[str, Any]:
    """Return what a document carries so that it can be checked later, as plain data without any text of the data.

    Args:
        view: What it was drawn from.
        kind: Which document it is.
        keys: The sources it cites; all when None.
    """
    every = sources(view)
    prices = None if view.costs is None or view.costs.prices is None else plain(view.costs.prices)
    if prices is not None:
        prices["unit"] = clean(prices["unit"], 24) if prices["unit"] else ""
    return {
        "format": 1,
        "document": kind,
        "modelwright": view.manifest.version,
        "manifest": view.manifest.fingerprint,
        "name": clean(view.model_name, 80),
        "prices": prices,
        "sources": {k: every[k].values for k in (every if keys is None else keys)},
    }
