"""Prune: from a finished package to a quicker or smaller one, at a price that was measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from modelwright.core.errors import OutOfReach
from modelwright.core.evidence import Evidence, scores_of
from modelwright.core.fingerprint import plain
from modelwright.core.metrics import MEASURES
from modelwright.core.settings import parse_duration, parse_size
from modelwright.data.conforming import conform
from modelwright.evaluation.figures import figures
from modelwright.evaluation.intervals import measure
from modelwright.flows._documents import documents, view_of
from modelwright.flows._front import asked_for, front_told, limits_of, price, pruned_model, rows_ms, widened
from modelwright.flows._speed import ROWS_TIMED, speed_and_size
from modelwright.flows.api import run_of
from modelwright.flows.builtin import catalogue
from modelwright.flows.predictor import Predictor
from modelwright.flows.resolve import check_same, resolve
from modelwright.packaging.package import Golden, Package, Sealed
from modelwright.packaging.reading import read
from modelwright.packaging.writing import check_writable, write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.core.model import Model
    from modelwright.core.run import Run
    from modelwright.core.settings import Settings

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pruned:
    """A package that was pruned.

    Attributes:
        path: Where it lies.
        model: Ready to answer.
        behind: The metric on the sealed rows less the one of the model it was pruned from, with its interval.
        told: The price in words, and whether the limits hold by the clock, too.
        ms: Median milliseconds a row: of the model it was pruned from, and of this one, asked in turns.
        size_bytes: Likewise.
    """

    path: str
    model: Predictor
    behind: Mapping[str, Any]
    told: str
    ms: tuple[float, float]
    size_bytes: tuple[int, int]

    @property
    def package(self) -> Package:
        """Everything that is known about the model."""
        return self.model.package

    def summary(self, width: int) -> str:
        """Return a few plain lines for a terminal of this width."""
        import textwrap

        mb = [f"{size / 1e6:.3g}" for size in self.size_bytes]
        lines = (
            self.told,
            f"One row: {self.ms[0]:.3g} ms before, {self.ms[1]:.3g} ms now. Size: {mb[0]} MB before, {mb[1]} MB now.",
            f"Package: {self.path}",
        )
        return "\n".join(line for text in lines for line in textwrap.wrap(text, width, subsequent_indent="  "))

    def to_dict(self) -> dict[str, Any]:
        """Return what ``prune --json`` prints."""
        evidence = self.package.evidence.to_dict()
        return {
            "package": self.path,
            "fingerprint": self.package.fingerprint,
            "pruned_from": self.package.manifest.parents["package"],
            "metric": self.package.model.task.metric,
            "behind": dict(self.behind),
            "told": self.told,
            "ms_before": self.ms[0],
            "ms": self.ms[1],
            "size_bytes_before": self.size_bytes[0],
            "size_bytes": self.size_bytes[1],
            "kpis": evidence["kpis"],
            "front": front_told(self.package.evidence.front),
        }


def front(package: str | Path) -> list[dict[str, Any]]:
    """Return the models that a package can be pruned to, the delivered one among them.

    Args:
        package: A package folder or file, or a registered name.
    """
    return front_told(_opened(package).evidence.front)


def front_table(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return the front as lines of text."""
    heads = ("validation", "behind the whole", "ms a row", "MB", "trees", "members")
    rows = [heads]
    for e in entries:
        behind = e["behind"]
        ms = f"{e['measured_ms']:.3f}" if "measured_ms" in e else f"~{e['latency_us'] / 1e3:.3f}"
        size = e.get("measured_bytes", e["size_bytes"]) / 1e6
        names = [m["name"] + ("" if m["share"] == 1 else f" ({m['share']:g})") for m in e["members"]]
        mark = " (this package)" if e["is_delivered"] else "" if e["is_packaged"] else " (not in this package)"
        ends = f"{behind['value']:+.2g} ({behind['low']:+.2g} to {behind['high']:+.2g})"
        rows.append((f"{e['score']:.5g}", ends, ms, f"{size:.2f}", str(e["trees"]), ", ".join(names) + mark))
    widths = [max(len(row[i]) for row in rows) for i in range(len(heads))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def prune(
    package: str | Path,
    *,
    out: str | Path,
    latency: str | float | None = None,
    size: str | float | None = None,
    threads: int = 1,
) -> Pruned:
    """Write the best model within limits that is made of parts of a finished one.

    It is chosen by its out-of-fold score and by costs that are reckoned from counts, so the choice is the same
    wherever it is made; times are measured afterwards. Its evidence is taken anew from the sealed rows' scores that
    the package carries, and its golden answers and documents are its own.

    Args:
        package: A package folder or file, or a registered name.
        out: Where the pruned package goes.
        latency: Most time for one row: seconds, or text such as ``0.1ms``.
        size: Most room for the model: bytes, or text such as ``5MB``.
        threads: How many may be used.

    Raises:
        OutOfReach: No model on the front is within the limits.
        InvalidSetting: A limit is none.
        UnwritableOutput: The package cannot be written there.
    """
    from modelwright.core.settings import Settings

    seconds = None if latency is None else parse_duration(latency, where="latency")
    n_bytes = None if size is None else parse_size(size, where="size")
    settings = Settings(target="", latency=seconds, size=n_bytes, threads=threads)
    target = check_writable(out)
    whole = _opened(package)
    entry, delivered = _chosen(whole, settings)
    run = run_of(settings)
    made = _package(whole, delivered, entry, run, command=_command(package, out, settings))
    made = replace(made, documents=documents(view_of(made, Path(out).name)))
    write(target, made)
    ms = rows_ms([whole.model.scores_of, made.model.scores_of], made.golden, run)
    return Pruned(
        str(out),
        Predictor(read(target, catalogue())),
        entry["sealed_behind"],
        _told(whole, entry, settings, ms[1]),
        (ms[0], ms[1]),
        (int(delivered["measured_bytes"]), int(entry["measured_bytes"])),
    )


def _opened(package: str | Path) -> Package:
    place = resolve(package)
    opened = read(place.path, catalogue())
    check_same(place, opened.fingerprint)
    return opened


def _chosen(package: Package, settings: Settings) -> tuple[Entry, Entry]:
    """Return the best entry of the front within the limits, and the delivered one's."""
    ready = [dict(e) for e in package.evidence.front if "measured_bytes" in e]
    delivered = next((e for e in ready if e["is_delivered"]), None)
    if delivered is None:
        raise OutOfReach(
            "a package can be pruned to what its front shows",
            where="front",
            got="a package without a front",
            fix="train it again; models of versions before this one have none",
        )
    limits = limits_of(settings.latency, settings.size)
    fits = [e for e in ready if limits.allow(e["latency_us"], e["measured_bytes"])]
    if not fits:
        quickest, smallest = (min(ready, key=lambda e: e[k]) for k in ("latency_us", "measured_bytes"))
        raise OutOfReach(
            f"a model on the front is within {asked_for(settings.latency, settings.size)}",
            where="--latency, --size",
            got=f"the quickest is reckoned to take {quickest['latency_us'] / 1e3:.3g} ms, "
            f"the smallest takes {smallest['measured_bytes'] / 1e6:.3g} MB",
            fix="raise the limit, or train with it: then other candidates are looked at, too",
        )
    asked = MEASURES[package.model.task.metric]
    metric = asked if asked.reads == "scores" else MEASURES["log_loss"]
    sign = 1.0 if metric.greater_is_better else -1.0
    return max(fits, key=lambda e: (sign * e["score"], -e["latency_us"])), delivered


def _package(whole: Package, delivered: Entry, entry: Entry, run: Run, *, command: str) -> Package:
    """Return the pruned package but its documents."""
    model = whole.model if entry is delivered else pruned_model(whole.model, delivered, entry)
    golden = _golden(model, whole)
    sealed, evidence = _judged(whole, entry, model)
    told = f"Pruned from the package {whole.fingerprint}. {price(entry['sealed_behind'], model.task, 'on sealed rows')}"
    notes = (*evidence.notes, told, IMPORTANCE)
    made = replace(
        whole,
        model=model,
        golden=golden,
        sealed=sealed,
        evidence=replace(evidence, notes=notes, front=_left(whole.evidence.front, entry, sealed)),
        record=_record(whole.record, entry),
        plan={},
        documents={},
        fingerprint="",
    )
    seconds = {k: whole.evidence.kpis[f"{k}_seconds"].value for k in ("train", "preprocess")}
    times = {"search": seconds["train"], "preprocess": seconds["preprocess"]}
    kpis = {**made.evidence.kpis, **speed_and_size(made, _batch(golden, model), run, times)}
    evidence = replace(made.evidence, kpis=kpis)
    parents = {
        **whole.manifest.parents,
        "evidence": evidence.fingerprint,
        "model": model.state().fingerprint,
        "package": whole.fingerprint,
    }
    created = datetime.now(UTC).isoformat(timespec="seconds")
    manifest = replace(whole.manifest, command=command, parents=parents, created=created, seconds={})
    return replace(made, evidence=evidence, manifest=manifest, fingerprint="")


IMPORTANCE = "Importance was measured on the model this one was pruned from."


def _judged(whole: Package, entry: Entry, model: Model) -> tuple[Sealed | None, Evidence]:
    """Return the sealed rows with the pruned model's scores, and its evidence; measures alone where none travel."""
    evidence, sealed, task = whole.evidence, whole.sealed, model.task
    weights = {m["name"]: m["weight"] for m in entry["members"]}
    board = tuple({**e, "weight": weights.get(e["name"], 0.0)} for e in evidence.leaderboard)
    evidence = replace(evidence, leaderboard=board, baselines=entry["baselines"])
    scores = None
    if sealed is not None and entry["is_delivered"]:
        scores = sealed.scores
    elif sealed is not None and sealed.front is not None and "sealed_scores" in entry:
        scores = widened(sealed.front[entry["sealed_scores"]], len(task.labels))
    if sealed is None or scores is None:
        return None, replace(evidence, kpis=scores_of(entry["kpis"]), figures={})
    choices = model.choices(scores)
    kpis = measure(task, sealed.target, scores, choices, weight=sealed.weight, seed=whole.manifest.seed)
    drawn = figures(task, sealed.target, scores, choices, weight=sealed.weight)
    return replace(sealed, scores=scores, front=None), replace(evidence, kpis=kpis, figures=drawn)


def _left(entries: Sequence[Mapping[str, Any]], chosen: Entry, sealed: Sealed | None) -> tuple[Entry, ...]:
    """Return the front as it is seen from the chosen model: what it can be pruned to further keeps its measures."""
    share = {m["name"]: m["share"] for m in chosen["members"]}
    gone = ("kpis", "baselines", "sealed_behind", "measured_ms", "measured_bytes", "sealed_scores")
    left = []
    for e in map(dict, entries):
        is_chosen = e["members"] == chosen["members"]
        is_within = all(m["share"] <= share.get(m["name"], 0.0) for m in e["members"])
        kept = {k: v for k, v in e.items() if k != "sealed_scores" and (is_within or k not in gone)}
        left.append({**kept, "is_delivered": is_chosen})
    return tuple(left)


def _golden(model: Model, whole: Package) -> Golden:
    """Return the same rows with the answers of the pruned model, by the path of frames."""
    return Golden(whole.golden.records, model.scores(_frame(whole.golden, model)))


def _frame(golden: Golden, model: Model) -> pl.DataFrame:
    rows = pl.DataFrame(list(golden.records), infer_schema_length=None)
    return conform(rows, model.contract, only_inputs=True).frame


def _batch(golden: Golden, model: Model) -> pl.DataFrame:
    """Return the golden rows over and over, for a batch that can be timed."""
    frame = _frame(golden, model)
    return pl.concat([frame] * (ROWS_TIMED // frame.height + 1))


def _record(record: Mapping[str, Any], entry: Entry) -> dict[str, Any]:
    kept = {m["name"]: m for m in entry["members"]}
    none = {"weight": 0.0, "share": 1.0}
    candidates = [
        {**c, "weight": kept.get(c["name"], none)["weight"], "share": kept.get(c["name"], none)["share"]}
        for c in record.get("candidates", ())
    ]
    data: dict[str, Any] = plain({**record, "candidates": candidates, "threshold": entry["threshold"]})
    return data


def _told(whole: Package, entry: Entry, settings: Settings, ms: float) -> str:
    n = sum(bool(c.get("weight")) for c in whole.record.get("candidates", ()))
    cost = price(entry["sealed_behind"], whole.model.task, "on sealed rows")
    told = f"{len(entry['members'])} of {n} members. {cost}"
    if settings.latency is not None and ms > 1e3 * settings.latency:
        told += f" Measured on this machine a row takes {ms:.3g} ms, more than was reckoned with."
    return told


def _command(package: str | Path, out: str | Path, settings: Settings) -> str:
    from shlex import quote

    words = ["modelwright", "prune", str(package)]
    words += [] if settings.latency is None else ["--latency", f"{1000 * settings.latency:g}ms"]
    words += [] if settings.size is None else ["--size", str(settings.size)]
    return " ".join(quote(word) for word in [*words, "--out", str(out)])
