"""The card's machine-readable twin: the same facts as plain data, each with its source and its command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelwright.core.fingerprint import plain
from modelwright.reports import tables, words
from modelwright.reports.cautions import cautions
from modelwright.reports.mistakes import mistakes
from modelwright.reports.names import as_plain, without_secrets
from modelwright.reports.requirements import ANNEX_IV, SR_11_7, answered
from modelwright.reports.sources import sources, stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.reports.requirements import Requirement
    from modelwright.reports.view import View

FORMAT = 1


def twin(view: View) -> str:
    """Return the card as JSON; column names stand in it as they are in the table.

    Args:
        view: What is known about the model.
    """
    evidence = view.evidence.to_dict()
    m = view.manifest
    data = {
        "format": FORMAT,
        "kind": "model card",
        "name": view.model_name,
        "task": view.task.to_dict(),
        "threshold": view.threshold,
        "intended_use": as_plain(f"To estimate {words.predicts(view.task)} for rows like those it was judged on."),
        "out_of_scope": [as_plain(c) for c in cautions(view)],
        "training_data": {**plain(m.data), "source": without_secrets(str(m.data.get("source") or ""))},
        "split": plain(m.split),
        "columns": [
            {"name": c.name, "role": c.role.value, "kind": c.kind.value, "missing": c.n_missing, "rows": c.n_rows}
            for c in view.contract.columns
        ],
        "measures": {
            name: {**score, "title": tables.title_of(name), "source": f"kpis.{name}"}
            for name, score in evidence["kpis"].items()
        },
        "baselines": evidence["baselines"],
        "importance": evidence["importance"],
        "limitations": [as_plain(s) for s in (*mistakes(view), *view.evidence.notes)],
        "findings": plain(view.findings),
        "costs": plain(view.costs) if view.costs is not None else None,
        "requirements": {"SR 11-7": _states(SR_11_7, view), "EU AI Act, Annex IV": _states(ANNEX_IV, view)},
        "provenance": {
            "fingerprint": view.fingerprint,
            "parents": plain(m.parents),
            "seed": m.seed,
            "created": m.created,
            "versions": plain(m.versions),
            "command": without_secrets(m.command),
        },
        "sources": {
            key: {"title": s.title, "place": s.place, "basis": s.basis.value, "command": s.command}
            for key, s in sources(view).items()
        },
        "stamp": stamp(view, "card"),
    }
    return json.dumps(data, indent=1, allow_nan=False, default=str) + "\n"


def _states(asked: Sequence[Requirement], view: View) -> list[dict[str, Any]]:
    return [
        {"number": r.number, "asked": r.asked, "answer": state, "lacking": lacking}
        for r in asked
        for state, lacking in [answered(r, view)]
    ]
