"""What came of retraining, of a look around for other learners, and of a check under new versions, as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.core.metrics import MEASURES
from modelwright.reports import numbers
from modelwright.reports.terminal import table, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTHING = ("nothing to do", "another is at work")


def retrained(told: Mapping[str, Any], width: int) -> str:
    """Return what came of retraining a model, a screen long."""
    name = told["name"]
    if told["outcome"] in NOTHING:
        return wrapped(f"{name}: {told['outcome']}: {told['reason']}.", width)
    version = f"{name}@{told.get('version')}"
    head = f"{version} {told['outcome']}; retrained because: {told['reason']}."
    if not told["acted"]:
        return wrapped(f"{head} That was done before; nothing was repeated.", width)
    rows = told["rows"]
    lines = [
        wrapped(head, width),
        wrapped(
            f"It learnt from {rows['learnt']:,} of {rows['old'] + rows['new'] - rows['judging']:,} rows "
            f"({told['way']}; {rows['old']:,} are old); the newest {rows['judging']:,} outcomes judged it beside "
            f"{name}@{told['champion']}.",
            width,
        ),
    ]
    if told["tested"]:
        metric = told["tested"][0]["metric"]
        shown = [("how rows count", f"{MEASURES[metric].title}, against all alike", "95 % interval, all together")]
        shown += [(t["way"], *_difference(t)) for t in told["tested"]]
        lines += ["", *table(shown, width=width)]
    stopping = [c for c in told["verdict"]["checks"] if c["stops"]]
    lines += ["", *(wrapped(f"{c['name']}: {c['reason']}", width) for c in stopping)]
    compared = next(c for c in told["verdict"]["checks"] if c["name"] == "compare")
    lines += [] if compared in stopping else [wrapped(f"compare: {compared['reason']}", width)]
    if told["outcome"] == "waits for approval":
        lines.append(f"next: modelwright approve {name} {told['version']} --reason …; modelwright promote {name} …")
    return "\n".join(lines)


def _difference(d: Mapping[str, Any]) -> tuple[str, str]:
    if d["value"] is None:
        return "not measurable", ""
    value, low, high = numbers.measured(d["value"], d["low"], d["high"])
    return value, f"{low} to {high}"
