"""What not to use a model for: limits a person must know before trusting it, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.core.contract import Kind
from modelwright.core.finding import Severity
from modelwright.core.task import TaskKind
from modelwright.reports import numbers
from modelwright.reports.columns import span
from modelwright.reports.figures import confusion
from modelwright.reports.mistakes import weak_classes
from modelwright.reports.names import marked, quoted
from modelwright.reports.words import drivers, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.core.finding import Finding
    from modelwright.reports.view import View

LEAKS = ("F010", "F011", "F012", "F013", "F014")
"""Codes of findings that say a column may know the answer; as listed in ``docs/findings.md``."""

FEW_ROWS = 200
"""Below so many sealed rows the measures are called rough."""

_LIMITS = {
    "F002": "Some sealed rows also stand among the rows it learnt from, so on new rows it may do worse.",
    "F020": "Do not expect this quality for groups it has never met: the same groups stand on both sides.",
    "F021": "The rows seem to stand in the order of time: for later times it may do worse than measured.",
    "F022": "Time plays a part: for times far from the ones it learnt from it may do worse.",
    "F024": "The target changes in the course of time: measure again before using it on much later rows.",
    "F031": "Do not let it decide alone about the rarest classes: it has seen too few of them.",
    "F033": "The target is capped: it cannot tell values at the cap apart.",
    "F046": "There are few rows for so many columns: what it learnt may be chance in part.",
}
"""What a finding means for the use of the model, by code."""


def suspects(view: View) -> tuple[Finding, ...]:
    """Return the findings that say a column may know the answer already."""
    return tuple(f for f in view.findings if f.code in LEAKS)


def cautions(view: View, most: int = 6) -> tuple[str, ...]:
    """Return what not to use the model for, gravest first."""
    found = list(dict.fromkeys(_all(view)))
    return tuple(found[:most])


def _all(view: View) -> Iterator[str]:
    names = tuple(dict.fromkeys(c for f in suspects(view) for c in f.columns))
    if names:
        yield (
            f"Do not use it before you have checked {listed(names)}: if this is only known once the answer is, "
            "the measures are too good to be true."
        )
    said = {f.code: _LIMITS[f.code] for f in view.findings if f.code in _LIMITS and f.severity is not Severity.INFO}
    yield from said.values()
    yield from _small_sample(view)
    yield from _weak(view)
    yield from _ranges(view)
    yield "Do not read it as cause and effect: it shows what goes together, not what would change if you acted."


def _small_sample(view: View) -> Iterator[str]:
    counts = [s.n_rows for n, s in view.evidence.kpis.items() if n == view.task.metric]
    if counts and counts[0] < FEW_ROWS:
        yield f"Its quality is only roughly known: it was judged on {numbers.counted(counts[0], 'row')}."


def _weak(view: View) -> Iterator[str]:
    table = confusion(view.evidence.figures) if view.task.kind is TaskKind.MULTICLASS else None
    weak = weak_classes(table, 5) if table else []
    if weak:
        labels = ", ".join(quoted(label) for label, _, _ in weak)
        yield f"Do not rely on it to find {labels}: it misses more than half of them."


def _ranges(view: View) -> Iterator[str]:
    """Tell the ranges of the number columns that matter most: outside of them it has seen nothing."""
    told = [c for c in drivers(view.evidence, 8) if c in view.contract]
    columns = [view.contract.column(c) for c in told]
    spans = [f"{marked(c.name)} {span(c)}" for c in columns if c.kind in (Kind.NUMBER, Kind.DATETIME) and span(c)]
    if spans:
        yield f"Do not use it far outside of what it has seen: {'; '.join(spans[:3])}."
