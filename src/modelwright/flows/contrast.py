"""Contrast: two packages side by side, what changed and whether it matters."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.comparison import Change, Comparison, Gain
from modelwright.core.errors import NotComparable
from modelwright.core.fingerprint import plain
from modelwright.core.metrics import MEASURES
from modelwright.core.score import Score
from modelwright.evaluation.pairs import paired
from modelwright.flows.builtin import catalogue
from modelwright.flows.report import write_files
from modelwright.packaging.reading import read
from modelwright.reports import numbers
from modelwright.reports.as_html import html_of
from modelwright.reports.comparison import comparison, text_of
from modelwright.reports.names import clean
from modelwright.reports.words import drivers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.core.arrays import Floats, Ints
    from modelwright.core.contract import Contract
    from modelwright.packaging.package import Package, Sealed

COMPARISON = "comparison.html"
BETTER, WORSE, TIED, APART = "better", "worse", "tied", "not comparable"


@dataclass(frozen=True, slots=True)
class Compared:
    """Two packages side by side, and where the page about them lies, if one was asked for."""

    comparison: Comparison
    page: str = ""

    def summary(self, width: int) -> str:
        """Return the comparison as plain text for a terminal of this width."""
        return text_of(self.comparison, width)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``report A B --json`` prints."""
        data: dict[str, Any] = plain(self.comparison)
        return {**data, "page": self.page}


def contrast(before: str | Path, after: str | Path, *, out: str | Path | None = None) -> Compared:
    """Compare two packages on the rows that are sealed for both.

    Args:
        before: The package that stands.
        after: The package that would take its place.
        out: Folder for a page; None to write nothing.

    Raises:
        NotComparable: They predict another column, or other classes.
    """
    a, b = (read(path, catalogue()) for path in (before, after))
    names = Path(before).name, Path(after).name
    done = compared(a, b, names)
    if out is None:
        return Compared(done)
    page = html_of(comparison(done), {"format": 1, "document": "comparison", "sources": {}})
    write_files(Path(out), {COMPARISON: page.encode()})
    return Compared(done, str(Path(out) / COMPARISON))


def compared(a: Package, b: Package, names: tuple[str, str]) -> Comparison:
    """Return what changed between two packages.

    Raises:
        NotComparable: They predict another column, or other classes.
    """
    task, other = b.model.task, a.model.task
    if (task.kind, task.target, set(task.labels)) != (other.kind, other.target, set(other.labels)):
        raise NotComparable(
            "two models are compared that answer the same question",
            where=" and ".join(names),
            got=f"{other.kind} of {other.target!r}, and {task.kind} of {task.target!r}",
            fix="compare models of one target and the same classes",
        )
    rows = shared_rows(a.sealed, b.sealed)
    gains = tuple(_gain(name, a, b, rows) for name in _measures(a, b))
    deciding = next((g for g in gains if g.metric == task.metric), None)
    verdict = APART if deciding is None else deciding.verdict
    n_rows = tuple(0 if p.sealed is None else len(p.sealed.rows) for p in (a, b))
    return Comparison(
        names=names,
        fingerprints=(a.fingerprint, b.fingerprint),
        target=task.target,
        metric=task.metric,
        n_shared=len(rows[0]),
        n_rows=(n_rows[0], n_rows[1]),
        verdict=verdict,
        sentence=_sentence(verdict, deciding, names, len(rows[0])),
        gains=gains,
        changes=tuple(_changes(a, b)),
    )


def shared_rows(a: Sealed | None, b: Sealed | None) -> tuple[Ints, Ints]:
    """Return the positions of the rows that both packages sealed; a row that stands twice is paired twice."""
    places: defaultdict[str, deque[int]] = defaultdict(deque)
    for i, row in enumerate(a.rows if a is not None else ()):
        places[row].append(i)
    pairs = [(places[row].popleft(), j) for j, row in enumerate(b.rows if b is not None else ()) if places.get(row)]
    found = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _measures(a: Package, b: Package) -> Iterator[str]:
    for name in b.evidence.kpis:
        if name in MEASURES and name in a.evidence.kpis:
            yield name


def _gain(name: str, a: Package, b: Package, rows: tuple[Ints, Ints]) -> Gain:
    before, after = a.evidence.kpis[name], b.evidence.kpis[name]
    if a.sealed is None or b.sealed is None or len(rows[0]) == 0:
        nothing = Score(name, math.nan, math.nan, math.nan, 0, before.unit, "none", "no row is sealed for both")
        return Gain(name, before, after, nothing, APART)
    task = b.model.task
    old, new = _ordered(a, b)[rows[0]], b.sealed.scores[rows[1]]
    chosen = (b.model.choices(new), _choices(a, b, rows[0])) if task.is_classification else (None, None)
    weight = None if b.sealed.weight is None else b.sealed.weight[rows[1]]
    found = paired(task, b.sealed.target[rows[1]], new, old, metric=name, choices=chosen, weight=weight)
    if math.isnan(found.value):
        return Gain(name, before, after, found, APART)
    sign = 1.0 if MEASURES[name].greater_is_better else -1.0
    low, high = sorted((sign * found.low, sign * found.high))
    return Gain(name, before, after, found, BETTER if low > 0 else WORSE if high < 0 else TIED)


def _ordered(a: Package, b: Package) -> Floats:
    """Return the first model's sealed scores with its classes in the second's order."""
    assert a.sealed is not None
    if not b.model.task.is_classification:
        return a.sealed.scores
    return a.sealed.scores[:, [a.model.task.labels.index(label) for label in b.model.task.labels]]


def _choices(a: Package, b: Package, rows: Ints) -> Ints:
    """Return the first model's answers as positions in the second's classes."""
    assert a.sealed is not None
    place = np.array([b.model.task.labels.index(label) for label in a.model.task.labels])
    chosen: Ints = place[np.asarray(a.model.choices(a.sealed.scores[rows]), dtype=np.int64)]
    return chosen


def _sentence(verdict: str, gain: Gain | None, names: tuple[str, str], n_shared: int) -> str:
    first, second = (clean(n, 60) for n in names)
    if gain is None or verdict == APART:
        return (
            f"No row is sealed for both, so {second} and {first} cannot be compared row by row: "
            "train both with the same --test table."
        )
    d = gain.difference
    value, low, high = numbers.measured(d.value, d.low, d.high)
    basis = f"on {numbers.counted(n_shared, 'row')} sealed for both"
    amount = f"{MEASURES[gain.metric].title} differs by {value} (95 % interval {low} to {high}) {basis}"
    said = {
        BETTER: f"{second} is better than {first}: {amount}.",
        WORSE: f"{second} is worse than {first}: {amount}.",
        TIED: f"{second} and {first} cannot be told apart: {amount}.",
    }
    return said[verdict]


def _changes(a: Package, b: Package) -> Iterator[Change]:
    """Tell what is not the same, from the data to the model."""
    pairs = {
        "Training table": (a.manifest.data.get("fingerprint"), b.manifest.data.get("fingerprint")),
        "Rows": (a.manifest.data.get("rows"), b.manifest.data.get("rows")),
        "Sealed rows": (a.manifest.split.get("test"), b.manifest.split.get("test")),
        "How rows were divided": (a.manifest.split.get("how"), b.manifest.split.get("how")),
        "Measure it was chosen by": (a.model.task.metric, b.model.task.metric),
        "Made of": (_learners(a), _learners(b)),
        "Leans most on": (", ".join(drivers(a.evidence, 3)), ", ".join(drivers(b.evidence, 3))),
        "Findings": (_findings(a), _findings(b)),
        "modelwright": (a.manifest.version, b.manifest.version),
    }
    if a.model.task.labels:
        pairs["Threshold"] = (f"{a.model.threshold:.3f}", f"{b.model.threshold:.3f}")
    options = dict.fromkeys((*a.manifest.options, *b.manifest.options))
    pairs |= {f"Setting {k}": (a.manifest.options.get(k), b.manifest.options.get(k)) for k in options}
    for what, (before, after) in pairs.items():
        if before != after:
            yield Change(what, _told(before), _told(after))
    yield from _columns(a.model.contract, b.model.contract)


def _told(value: object) -> str:
    return clean(str(value), 120) if value not in (None, "") else numbers.NOTHING


def _columns(a: Contract, b: Contract) -> Iterator[Change]:
    old, new = ({c.name: f"{c.kind.value}, {c.role.value}" for c in contract.columns} for contract in (a, b))
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            yield Change(f"Column {clean(name)}", old.get(name, "absent"), new.get(name, "absent"))


def _learners(package: Package) -> str:
    used = [str(e.get("learner", "")) for e in package.evidence.leaderboard if e.get("weight")]
    return ", ".join(sorted(set(used)))


def _findings(package: Package) -> str:
    return ", ".join(sorted({f.code for f in package.findings}))
