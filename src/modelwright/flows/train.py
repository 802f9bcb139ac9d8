"""Train: from a raw table to an evaluated, documented package."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.fingerprint import fingerprint, plain
from modelwright.core.manifest import Manifest
from modelwright.data.reading import read
from modelwright.evaluation.intervals import measure
from modelwright.flows._documents import documents, view_of
from modelwright.flows._evidence import judge
from modelwright.flows._front import disagreement, front_told, fronted, pruned_to, timed
from modelwright.flows._golden import golden_sample, sealed_record
from modelwright.flows._memory import thinned, thinned_to
from modelwright.flows._preparing import prepare, read_sealed
from modelwright.flows._registry import registry
from modelwright.flows._speed import speed_and_size
from modelwright.flows.plan import NOT_KEPT, executed, read_plan
from modelwright.flows.predictor import Predictor
from modelwright.flows.register import register
from modelwright.flows.versions import library_versions, own_version
from modelwright.learners.trees import use_threads
from modelwright.packaging.package import Package
from modelwright.packaging.reading import read as read_package
from modelwright.packaging.writing import check_writable, write
from modelwright.reports.charts import warm
from modelwright.reports.summary import summary
from modelwright.search.final import ALL_ROWS, STARTS, FinalFit, evidence_model
from modelwright.search.front import front_of
from modelwright.search.journal import Journal, forget
from modelwright.search.memory import peak_bytes
from modelwright.search.pace import package_seconds
from modelwright.search.problem import Material, Problem
from modelwright.search.repeating import repeat, unsound
from modelwright.search.workshop import search

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelwright.core.run import Run
    from modelwright.core.settings import Settings
    from modelwright.core.split import Folds, How
    from modelwright.flows._preparing import Prepared
    from modelwright.search.portfolio import Candidate
    from modelwright.search.workshop import Found


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training run made.

    Attributes:
        path: Where the package lies.
        model: Ready to answer.
        seconds: ``read``, ``preprocess``, ``search``, ``evaluate``, ``package``, ``total``.
        registered: Name and version, ``churn@4``; empty when no name was given.
    """

    path: str
    model: Predictor
    seconds: dict[str, float]
    registered: str = ""

    @property
    def package(self) -> Package:
        """Everything that is known about the model."""
        return self.model.package

    def summary(self, width: int) -> str:
        """Return the short plain summary for a terminal of this width."""
        view = view_of(self.package, Path(self.path).name, path=self.path)
        told = f"registered as {self.registered}\n" if self.registered else ""
        return summary(view, width) + (f"\n{told}" if told else "")

    def to_dict(self) -> dict[str, Any]:
        """Return what ``train --json`` prints."""
        package = self.package
        evidence = package.evidence.to_dict()
        return {
            "package": self.path,
            "registered": self.registered,
            "fingerprint": package.fingerprint,
            "task": package.model.task.kind.value,
            "target": package.model.task.target,
            "metric": package.model.task.metric,
            "labels": list(package.model.task.labels),
            "kpis": evidence["kpis"],
            "baselines": evidence["baselines"],
            "seconds": {k: round(v, 3) for k, v in self.seconds.items()},
            "leaderboard": evidence["leaderboard"],
            "findings": plain(package.findings),
            "split": plain(package.manifest.split),
            "front": front_told(package.evidence.front),
            "peak_memory_bytes": peak_bytes(),
            "stopped": package.manifest.stopped,
        }


END_SHARE_MOST = 0.15
"""Of the budget, what a large table may have kept for the end beyond what every table has."""
REGISTER_SECONDS, REGISTER_SHARE_MOST = 3.0, 0.2
"""Kept for taking the package into the registry, where the model has a name."""
JUDGE_SECONDS_LEAST, JUDGE_SECONDS_MOST = 8.0, 15.0
"""The measuring takes as long as the final fit beside it, within these: time that is not needed is given back."""


class Stages:
    """Measures how long each stage of a run takes."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._begun = self._last = run.clock()
        self.seconds: dict[str, float] = {}

    def since_begun(self) -> float:
        """Seconds since the first stage began."""
        return self._run.clock() - self._begun

    def end(self, stage: str) -> None:
        """Name what has passed since the last end; a stage that comes twice adds up."""
        now = self._run.clock()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now


def train(source: object, settings: Settings, run: Run, *, first: Sequence[Candidate] = ()) -> Trained:
    """Train, judge, document and package a model.

    Args:
        source: Anything that can be read as a table.
        settings: What is asked.
        run: Budget, seed, threads, catalogue, and who listens.
        first: Candidates that are tried before the portfolio's, such as the members of a champion.

    Raises:
        ModelwrightError: The table cannot answer the question, or the output cannot be written; nothing is
            half written.
    """
    plan, run = _planned(settings, run)
    if settings.name is not None:
        registry().check_ready(settings.name)
    out = Path(settings.out or default_out(source, settings.target))
    check_writable(out)
    stages = Stages(run)

    run.say("read", "the table")
    table = read(source, query=settings.query)
    sealed_table = read_sealed(settings)
    stages.end("read")

    known = prepare(table, sealed_table, settings, run)
    run = _with_end(run, stages, settings)
    everything = Problem(known.frame, known.target, known.weight, known.contract, known.task, run.seed)
    training, sealed = everything.take(known.split.train), everything.take(known.split.test)
    held_bytes = int(known.table.frame.estimated_size() + known.frame.estimated_size())
    training, thin_note = _within_memory(training, "training", plan, run, held_bytes)
    journals: list[Journal] = []

    def open_journal(folds: Folds) -> Journal:
        journals.append(Journal.open(_journal_folder(out, settings), _question(known, settings, folds)))
        return journals[-1]

    whole = _found(plan, training, run, how=known.split.how, stages=stages, open_journal=open_journal, first=first)
    points = front_of(whole)
    found, limit_note = pruned_to(whole, points, settings)
    complete, _ = _within_memory(everything, "all", plan, run, held_bytes)
    with FinalFit(found, complete, run, **_final(plan, settings)) as final:
        model = evidence_model(found, run)
        stages.end("search")

        judged = judge(model, found, sealed, run, times=stages.seconds, seconds=_judge_seconds(run, final))
        front = fronted(points, found, model, sealed, judged.scores, whole=whole)
        record_of_sealed = replace(sealed_record(sealed, known, judged.scores), front=front.scores)
        warm()
        stages.end("evaluate")

        run.say("finish", "the final fit on all rows")
        model, fitted_on = final.result(otherwise=model)
        stages.end("search")

    use_threads(run.threads)  # nothing is being fitted any more
    run.say("package", "writing")
    added = [note for note in (thin_note, limit_note) if note]
    notes = (*judged.evidence.notes, *added, delivery(fitted_on, everything.n_rows))
    golden = golden_sample(model, known, seed=run.seed)
    package = Package(
        model=model,
        manifest=_manifest(known, settings, found, fitted_on, stages),
        evidence=replace(judged.evidence, notes=notes, front=timed(front.entries, model, golden, run)),
        findings=known.findings,
        golden=golden,
        sealed=record_of_sealed,
        record={**_record(found, fitted_on), "validation": _validation(found)},
        plan=executed(
            whole,
            settings,
            run,
            rows={"training": training.n_rows, "all": complete.n_rows, "is_thin": thin_note is not None},
            fitted_on=fitted_on,
            clocks=final.clocks,
        ),
        documents={},
    )
    package = _held(_measured(package, known, run, stages), settings)
    package = replace(package, documents=documents(view_of(package, out.name)))
    write(out, package)
    for journal in journals:
        journal.close()
    stages.end("package")
    registered = "" if settings.name is None else register(out, settings.name).title
    stages.seconds["total"] = run.elapsed()
    return Trained(str(out), Predictor(read_package(out, run.catalogue)), stages.seconds, registered)


def _planned(settings: Settings, run: Run) -> tuple[dict[str, Any] | None, Run]:
    """Return the plan that is repeated, if any, and the circumstances for it."""
    if settings.plan is None:
        return None, run
    plan = read_plan(settings.plan)
    # Nothing is decided any more, so neither time nor work is counted; on large tables sums depend on threads.
    return plan, replace(run, budget_seconds=None, effort=settings.effort, threads=_threads(plan))


def _found(
    plan: Mapping[str, Any] | None,
    training: Problem,
    run: Run,
    *,
    how: How,
    stages: Stages,
    open_journal: Callable[[Folds], Journal],
    first: Sequence[Candidate],
) -> Found:
    """Return what a search comes to, or came to when the plan was left."""
    run.say("prepare", "features")
    if plan is not None:
        stages.end("preprocess")
        return repeat(plan, training, run, how=how)
    material = Material.prepare(training)
    stages.end("preprocess")
    return search(material, run, how=how, open_journal=open_journal, first=first)


def _threads(plan: Mapping[str, Any]) -> int:
    if not isinstance(plan.get("threads"), int):
        raise unsound("no number of threads")
    return max(int(plan["threads"]), 1)


def _within_memory(
    problem: Problem, part: str, plan: Mapping[str, Any] | None, run: Run, held_bytes: int
) -> tuple[Problem, str | None]:
    """Return the rows that are learnt from: as many as the plan says, and no more than the memory holds."""
    if plan is not None:
        kept = plan.get("rows", {}).get(part, problem.n_rows)
        # Another table may have other rows than the plan's; it is thinned only where the plan's own was.
        is_thin = isinstance(kept, int) and kept < problem.n_rows and plan["rows"].get("is_thin")
        problem = thinned_to(problem, kept, run.seed) if is_thin else problem
    return thinned(problem, run, held_bytes=held_bytes)


def _final(plan: Mapping[str, Any] | None, settings: Settings) -> dict[str, Any]:
    """Return how members are fitted on all rows: whether, from how many starts, and by which clocks if repeated."""
    if plan is None:
        is_free = settings.budget is not None and settings.latency is None and settings.size is None
        return {"is_wanted": settings.final_fit == "all", "starts": STARTS if is_free else 1}
    final = plan.get("final", {})
    return {"is_wanted": final.get("fitted_on") == ALL_ROWS, "repeated": tuple(final.get("clocks", ()))}


def _held(package: Package, settings: Settings) -> Package:
    """Return the package with a note where its measured speed or size disagrees with a limit that was reckoned."""
    told = disagreement(package.evidence.kpis, settings)
    if not told:
        return package
    evidence = replace(package.evidence, notes=(*package.evidence.notes, told))
    parents = {**package.manifest.parents, "evidence": evidence.fingerprint}
    return replace(package, evidence=evidence, manifest=replace(package.manifest, parents=parents))


def _with_end(run: Run, stages: Stages, settings: Settings) -> Run:
    """Return the run with more time kept for its end where the table is large, or the package gets a name.

    What is written down grows with columns and rows, as reading and inspecting them do: the one foretells the other.
    """
    budget = run.budget_seconds or 0.0
    registering = 0.0 if settings.name is None else min(REGISTER_SECONDS, REGISTER_SHARE_MOST * budget)
    return run.sooner(min(stages.since_begun(), END_SHARE_MOST * budget) + registering)


def _judge_seconds(run: Run, final: FinalFit) -> float:
    """Return about how long the measuring may take."""
    wanted = min(max(final.seconds_needed, JUDGE_SECONDS_LEAST), JUDGE_SECONDS_MOST)
    return max(min(wanted, run.seconds_left() - package_seconds(run.budget_seconds)), 1.0)


def delivery(fitted_on: str, n_rows: int) -> str:
    """Return the sentence that tells which rows the delivered model learnt from."""
    if fitted_on == ALL_ROWS:
        return (
            f"The delivered model is the judged one's recipe, fitted once more on all {n_rows:,} rows; "
            "the measures are those of the model that never saw the sealed rows."
        )
    return "The delivered model is the very one that was judged: it never saw the sealed rows."


def default_out(source: object, target: str) -> str:
    """Return where a package goes when nobody said: beside nothing, in the current folder, named for the table.

    >>> default_out("data/churn.csv", "Churn")
    'churn.model'
    """
    stem = Path(str(source)).name.split(".")[0] if isinstance(source, str | Path) else ""
    name = "".join(c if c.isalnum() or c in "-_" else "-" for c in stem or target).strip("-")
    return f"{name or 'model'}.model"


def _journal_folder(out: Path, settings: Settings) -> Path:
    folder = out.with_name(f".{out.name}.run")
    if settings.fresh:
        forget(folder)
    return folder


def _question(known: Prepared, settings: Settings, folds: Folds) -> str:
    """Return the name of the question a race answers: data, contract, options that change it, and folds."""
    barred = ("out", "fresh", "threads", "name", "latency", "size")  # limits are applied when the race is over
    options = {k: v for k, v in settings.to_dict().items() if k not in barred}
    rows = [[f.fit.tobytes(), f.valid.tobytes()] for f in folds.folds]
    return fingerprint(
        known.table.fingerprint, known.contract.fingerprint, options, *(b for pair in rows for b in pair)
    )


def _manifest(known: Prepared, settings: Settings, found: Found, fitted_on: str, stages: Stages) -> Manifest:
    split = known.split
    options = {k: v for k, v in settings.to_dict().items() if k not in NOT_KEPT}
    return Manifest(
        version=own_version(),
        versions=library_versions(),
        seed=settings.seed,
        options=options,
        command=command_of(known.table.source, settings),
        data={
            "source": known.table.source,
            "fingerprint": known.table.fingerprint,
            "rows": known.table.n_rows,
            "columns": len(known.table.columns),
        },
        split={
            "how": split.how.value,
            "reason": split.reason,
            "train": len(split.train),
            "test": len(split.test),
            "fingerprint": fingerprint(split.train.tobytes(), split.test.tobytes()),
            "final_fit": fitted_on,
        },
        parents={"contract": known.contract.fingerprint},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds={k: round(v, 3) for k, v in stages.seconds.items()},
        stopped=found.result.stopped,
    )


def command_of(source: str, settings: Settings) -> str:
    """Return the exact command that repeats a run."""
    from shlex import quote

    words = ["modelwright", "train", source]
    for name, value in settings.to_dict().items():
        option = f"--{name.replace('_', '-')}"
        for one in value if isinstance(value, list) else [value]:
            if name == "budget":
                words += [option, f"{one:g}s"]
            elif name == "latency":
                words += [option, f"{1000 * one:g}ms"]
            else:
                words += [option] if one is True else [option, str(one)]
    return " ".join(quote(w) for w in words)


def _record(found: Found, fitted_on: str) -> dict[str, Any]:
    """Return the executed plan: enough to see, and to repeat, what was tried."""
    return {
        "folds": {"how": found.folds.how.value, "reason": found.folds.reason, "count": len(found.folds.folds)},
        "fitted_on": fitted_on,
        "threshold": found.threshold,
        "candidates": [
            {
                "name": t.candidate.name,
                "learner": t.candidate.learner,
                "params": plain(t.candidate.params),
                "rounds": list(t.rounds),
                "score": t.score,
                "weight": float(w),
            }
            for t, w in zip(found.result.tried, found.result.weights, strict=True)
        ],
        "stopped": found.result.stopped,
    }


def _validation(found: Found) -> dict[str, Any]:
    """Return the measures of the blend's out-of-fold predictions, with intervals, as plain data."""
    p = found.material.problem
    covered = found.result.covered if found.judged is None else found.judged
    choices = None
    if len(p.task.labels) == 2:
        choices = (found.blended[:, 1] >= found.threshold).astype(np.int64)
    weight = p.weight_of(covered)
    measured = measure(p.task, p.target[covered], found.blended, choices, weight=weight)
    return {name: score.to_dict() for name, score in measured.items()}


def _measured(package: Package, known: Prepared, run: Run, stages: Stages) -> Package:
    """Return the package with its speed, size and times among the measures, and what it was made from named."""
    kpis = {**package.evidence.kpis, **speed_and_size(package, known.frame, run, stages.seconds)}
    evidence = replace(package.evidence, kpis=kpis)
    model = package.model.state().fingerprint
    parents = {**package.manifest.parents, "evidence": evidence.fingerprint, "model": model}
    return replace(package, evidence=evidence, manifest=replace(package.manifest, parents=parents))
