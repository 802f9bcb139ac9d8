"""Replaying one package in a process of its own: what it answers here, beside what it answered when it was made."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import ModelwrightError
from modelwright.core.fingerprint import plain
from modelwright.data.conforming import conform
from modelwright.evaluation.intervals import measure
from modelwright.flows._known_rows import golden_rows, judged_rows, known_rows
from modelwright.flows.builtin import catalogue
from modelwright.flows.versions import library_versions, own_version
from modelwright.packaging.reading import TOLERANCE, read

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.packaging.package import Package

JUDGED = "training rows"
"""As ``search.final`` calls it; the workshop is not loaded for it."""
RECOMPUTED = 1e-6
"""How far a measure that is computed again may lie from the one on record, as a part of it."""


def main() -> None:
    """Replay the package that standard input names, and print what came of it as JSON."""
    asked = json.loads(sys.stdin.read())
    sys.stdout.write(json.dumps(plain(replayed(Path(asked["path"]), asked.get("data")))) + "\n")


def replayed(path: Path, data: str | None) -> dict[str, Any]:
    """Return how far a package's answers here are from those on record, with the versions then and now."""
    here = {"modelwright": own_version(), **library_versions()}
    try:
        package = read(path, catalogue(), replay=False)
        told: dict[str, Any] = {"fingerprint": package.fingerprint, "created": package.manifest.created}
        told |= {"changed": changed(package, here), "golden": _golden(package), "measures": _measures(package)}
        return {**told, "sealed": _sealed(package, data), "error": None}
    except ModelwrightError as error:
        return {"error": error.to_dict()}
    except Exception as error:
        return {"error": {"code": "", "rule": "a package answers here", "found": f"{type(error).__name__}: {error}"}}


def changed(package: Package, here: dict[str, str]) -> list[dict[str, str]]:
    """Return the versions that are not those the package was made with."""
    then = {"modelwright": package.manifest.version, **package.manifest.versions}
    return [
        {"name": name, "then": then.get(name, ""), "now": here.get(name, "")}
        for name in sorted({*then, *here})
        if then.get(name) != here.get(name) and name in then
    ]


def _apart(answers: Floats, known: Floats) -> dict[str, Any]:
    apart = np.abs(np.asarray(answers) - known)
    allowed = TOLERANCE * float(np.abs(known).max(initial=0.0))
    most = float(apart.max(initial=0.0))
    return {"rows": len(known), "max_difference": most, "allowed": allowed, "is_same": bool(most <= allowed)}


def _golden(package: Package) -> dict[str, Any]:
    """Return how far the golden rows' answers are apart, by the row path and by the batch path."""
    model, golden = package.model, package.golden
    by_row = _apart(model.scores_of(golden.records), golden.scores)
    frame = conform(golden_rows(package).raw, model.contract, only_inputs=True).frame
    by_batch = _apart(model.scores(frame), golden.scores)
    most = max(by_row["max_difference"], by_batch["max_difference"])
    return {**by_row, "max_difference": most, "is_same": by_row["is_same"] and by_batch["is_same"]}


def _measures(package: Package) -> dict[str, Any] | None:
    """Return how far the measures, computed again from the sealed rows' scores, are from those on record."""
    sealed, model = package.sealed, package.model
    if sealed is None:
        return None
    choices = model.choices(sealed.scores) if model.task.is_classification else None
    again = measure(model.task, sealed.target, sealed.scores, choices, weight=sealed.weight)
    worst, most = "", 0.0
    shared = [name for name in again if name in package.evidence.kpis]
    for name in shared:
        one, other = again[name], package.evidence.kpis[name]
        for a, b in zip((one.value, one.low, one.high), (other.value, other.low, other.high), strict=True):
            apart = 0.0 if (np.isnan(a) and np.isnan(b)) or a == b else abs(a - b) / max(abs(a), abs(b))
            if not apart <= most:
                worst, most = name, float(apart)
    return {"count": len(shared), "max_difference": most, "worst": worst, "is_same": most <= RECOMPUTED}


def _sealed(package: Package, data: str | None) -> dict[str, Any] | None:
    """Return how far the sealed rows' answers are apart, where their table is at hand and they were the model's own."""
    if package.sealed is None or package.manifest.split.get("final_fit") != JUDGED:
        return None  # the delivered model learnt from them since: its answers to them are not on record
    test = package.manifest.options.get("test")
    source = data or (test if isinstance(test, str) and Path(test).is_file() else package.manifest.data["source"])
    try:
        judged = judged_rows(package, [known_rows(source, package)])
    except ModelwrightError:
        return None
    if judged is None or not judged.is_sealed:
        return None
    return _apart(package.model.scores(judged.rows.frame), judged.scores)
