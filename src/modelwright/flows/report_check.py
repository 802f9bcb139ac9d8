"""Report check: every number of a package and of its documents is computed again, and must agree."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.core.costs import Prices
from modelwright.core.errors import InvalidPackage, InvalidSetting, NumbersDisagree, UnreadableSource
from modelwright.core.fingerprint import plain
from modelwright.core.metrics import MEASURES
from modelwright.core.settings import Settings
from modelwright.data.reading import read as read_table
from modelwright.evaluation.figures import figures
from modelwright.evaluation.intervals import measure
from modelwright.flows._documents import KINDS, draw
from modelwright.flows.builtin import catalogue
from modelwright.flows.report import view_with
from modelwright.packaging.reading import read
from modelwright.reports.rereading import reread
from modelwright.reports.sources import numbers_of, sources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.packaging.package import Package
    from modelwright.reports.rereading import Stated
    from modelwright.reports.view import View

TOLERANCE = 1e-9
"""How far two computations of one number may lie apart, as a part of it: sums may run in another order."""
SHOWN = 8
OF_RUN = ("baselines", "leaderboard", "importance", "convergence", "bias_variance", "explanation", "front")
"""Evidence that rests on the training run and not on the clock."""
OF_CLOCK = ("seconds", "measured_ms")
"""How the places end, within that evidence, that a clock was read for."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A number that was stated and is not what comes out: where, what is said, what it should be."""

    where: str
    stated: str
    computed: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check came to.

    Attributes:
        package: Its path.
        fingerprint: Names it.
        n_recomputed: Numbers computed again from the sealed rows.
        n_compared: Numbers of the document compared with the package.
        kept: Sources that only the training run can give again, with the command.
        notes: What could not be checked, in sentences.
        disagreements: None when all agree.
    """

    package: str
    fingerprint: str
    n_recomputed: int
    n_compared: int
    kept: dict[str, str]
    notes: tuple[str, ...]
    disagreements: tuple[Disagreement, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return what ``report check --json`` prints."""
        data: dict[str, Any] = plain(self)
        return data

    def summary(self) -> str:
        """Return a few plain lines."""
        compared = f", {self.n_compared:,} numbers of the document are the package's" if self.n_compared else ""
        lines = [f"{self.n_recomputed:,} numbers computed again from the sealed rows agree{compared}."]
        if self.kept:
            lines.append(f"Only the training run gives again: {', '.join(self.kept)}.")
        return "\n".join([*lines, *(f"note: {n}" for n in self.notes)])


def check(package: str | Path, *, document: str | Path | None = None, data: object = None) -> Checked:
    """Compute the numbers of a package again from its sealed rows, and compare a document with them.

    Args:
        package: A model package.
        document: A file that ``report`` wrote: every number a reader sees in it must be one that the package
            gives when the same document is drawn again.
        data: The table it was trained on: the model is trained anew, so that what only the training run gives
            (importance, candidates, convergence, bias and variance, the explanation, the front) is computed again too.

    Raises:
        InvalidSetting: It was trained against the clock, or on another table, so it cannot be trained anew.
        NumbersDisagree: A number is not what comes out.
        InvalidPackage: The package carries no sealed rows.
        UnreadableSource: The document is none of ours.
    """
    opened = read(package, catalogue())
    n_recomputed, wrong = _recomputed(opened)
    view = view_with(opened, Path(package).name, None)
    n_compared, notes = 0, tuple[str, ...]()
    if document is not None:
        stated = _stated(document)
        view = _view_of(opened, view, stated)
        n_compared, found, notes = _compared(view, stated, Path(document))
        wrong += found
    kept = {key: s.command for key, s in sources(view).items() if "training run" in s.basis.value}
    if data is not None:
        pairs = _trained_anew(opened, data)
        n_recomputed += len(pairs)
        wrong += [Disagreement(*map(_short, p)) for p in pairs if not _agree(p[1], p[2])]
        kept = {key: command for key, command in kept.items() if key not in OF_RUN}
    done = Checked(str(package), opened.fingerprint, n_recomputed, n_compared, kept, notes, tuple(wrong))
    if wrong:
        raise _disagree(done, str(document or package))
    return done


def _disagree(done: Checked, where: str) -> NumbersDisagree:
    shown = [f"{d.where}: {d.stated}, but it is {d.computed}" for d in done.disagreements[:SHOWN]]
    rest = len(done.disagreements) - len(shown)
    return NumbersDisagree(
        "every number in a document is the one that its source gives",
        where=where,
        got="; ".join(shown) + (f"; and {rest} more" if rest else ""),
        fix="draw the documents anew with `modelwright report`, and trust none that were changed by hand",
    )


def _recomputed(package: Package) -> tuple[int, list[Disagreement]]:
    """Compute measures and figures from the sealed rows; return how many numbers, and those that disagree."""
    sealed, model, evidence = package.sealed, package.model, package.evidence
    if sealed is None:
        raise InvalidPackage(
            "numbers are computed again from the sealed rows that a package carries",
            where="sealed.json",
            got="no sealed rows",
            fix="train it anew with this version",
        )
    choices = model.choices(sealed.scores)
    again = measure(model.task, sealed.target, sealed.scores, choices, weight=sealed.weight)
    drawn = plain(figures(model.task, sealed.target, sealed.scores, choices, weight=sealed.weight))
    stated = {k: numbers_of(s) for k, s in evidence.kpis.items() if k in MEASURES}
    computed = {k: numbers_of(s) for k, s in again.items()}
    pairs = [*_leaves("kpis", stated, computed), *_leaves("figures", plain(evidence.figures), drawn)]
    return len(pairs), [Disagreement(*map(_short, p)) for p in pairs if not _agree(p[1], p[2])]


def _trained_anew(package: Package, data: object) -> list[tuple[str, Any, Any]]:
    """Train the model again on its table; return the numbers of the run as they are stated and as they come out."""
    from modelwright.flows.api import run_of
    from modelwright.flows.train import train

    table, options = read_table(data), dict(package.manifest.options)
    reasons = {
        "it was trained against the clock": "effort" not in options,
        "it is another table": table.fingerprint != package.manifest.data.get("fingerprint"),
    }
    if any(reasons.values()):
        raise InvalidSetting(
            "a model is trained anew on its own table, and only if it was trained in work units",
            where="--data",
            got=next(reason for reason, holds in reasons.items() if holds),
            fix="train with --effort, and give the table it was trained on",
        )
    for key in ("budget", "name"):  # a second run must not be registered
        options.pop(key, None)
    with tempfile.TemporaryDirectory(prefix="modelwright-") as folder:
        settings = Settings.of({**options, "out": str(Path(folder) / "again.model")})
        again = train(data, settings, run_of(settings)).package.evidence
    return [
        (where, a, b)
        for name in OF_RUN
        for where, a, b in _leaves(name, plain(getattr(package.evidence, name)), plain(getattr(again, name)))
        if not where.endswith(OF_CLOCK)
    ]


def _leaves(where: str, stated: Any, computed: Any) -> Iterator[tuple[str, Any, Any]]:
    """Pair the values of two pieces of plain data, place by place; what only one of them has is paired with None."""
    if isinstance(stated, dict) and isinstance(computed, dict):
        for key in dict.fromkeys((*stated, *computed)):
            yield from _leaves(f"{where}.{key}", stated.get(key), computed.get(key))
    elif isinstance(stated, list) and isinstance(computed, list) and len(stated) == len(computed):
        for i, (a, b) in enumerate(zip(stated, computed, strict=True)):
            yield from _leaves(f"{where}[{i}]", a, b)
    else:
        yield where, stated, computed


def _agree(stated: Any, computed: Any) -> bool:
    if isinstance(stated, int | float) and isinstance(computed, int | float):
        return math.isclose(stated, computed, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(stated == computed)


def _stated(document: str | Path) -> Stated:
    path = Path(document)
    try:
        return reread(path.name, path.read_bytes())
    except OSError as error:
        raise UnreadableSource(
            "a document to be checked can be read",
            where=str(path),
            got=error.strerror or str(error),
            fix="check the path",
        ) from error


def _view_of(package: Package, view: View, stated: Stated) -> View:
    """Return the view that the document was drawn from, as far as it says so itself: its name and its prices."""
    stamp = stated.stamp or {}
    prices = stamp.get("prices")
    told = Prices(float(prices["false_alarm"]), float(prices["miss"]), str(prices["unit"])) if prices else None
    return view_with(package, str(stamp.get("name") or view.model_name), told)


def _compared(view: View, stated: Stated, path: Path) -> tuple[int, list[Disagreement], tuple[str, ...]]:
    """Compare a document with the same one drawn again."""
    stamp = stated.stamp or {"document": "card" if stated.ending == ".md" else "", "sources": {}}
    kind = str(stamp.get("document"))
    if kind not in KINDS:
        got = f"it says it is {kind!r}" if kind else "it does not say what it is"
        raise UnreadableSource("a document to be checked was drawn by `modelwright report`", where=str(path), got=got)
    known = {k: s.values for k, s in sources(view).items()}
    pairs = [p for k, v in stamp["sources"].items() for p in _leaves(k, v, plain(known.get(k)))]
    wrong = [Disagreement(*map(_short, p)) for p in pairs if not _agree(p[1], p[2])]
    if stamp.get("modelwright", view.manifest.version) != view.manifest.version:
        return len(pairs), wrong, ("it was drawn by another version, so its sentences were not compared",)
    again = next(reread(name, c) for name, c in draw(view, kind).items() if name.endswith(stated.ending))
    said, should = stated.numerals(), again.numerals()
    wrong += [Disagreement(f"“{stated.around(n)}”", n, "not in the package") for n in said - should]
    wrong += [Disagreement(f"“{again.around(n)}”", "left out", n) for n in should - said]
    # Two numbers that changed places are still the same numbers; in a PDF their order hangs on the layout.
    if said == should and stated.ending != ".pdf":
        moved = [(a, b) for a, b in zip(stated.in_order(), again.in_order(), strict=True) if a != b][:1]
        wrong += [Disagreement(f"“{stated.around(a)}”", a, b) for a, b in moved]
    return len(pairs) + sum(said.values()), wrong, ()


def _short(value: Any) -> str:
    return str(value)[:80]
