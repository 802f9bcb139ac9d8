"""Retrain: from advice, a schedule or a wish to a challenger that has been through the gate.

Every step leaves something behind that is whole or absent: the rows, the divided rows, the package, the version, the
verdict. Whoever takes the job up looks what is there and goes on; nothing is done twice.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from modelwright.core.errors import InvalidSetting, ModelwrightError, NothingToLearn
from modelwright.core.fingerprint import fingerprint, plain
from modelwright.core.settings import Settings
from modelwright.core.table import Table
from modelwright.core.verdict import Outcome
from modelwright.data.conforming import conform
from modelwright.data.reading import read as read_table
from modelwright.data.tasks import encode
from modelwright.data.writing import write as write_table
from modelwright.flows._acts import finish
from modelwright.flows._gathering import IDS, WEIGHT, Gathered, gather
from modelwright.flows._preparing import weights
from modelwright.flows._records import audit_of
from modelwright.flows._refitting import leading
from modelwright.flows._registry import registry
from modelwright.flows._watched import state_of
from modelwright.flows.api import run_of
from modelwright.flows.label import ledger_at
from modelwright.flows.promote import opened, policy_of, promote
from modelwright.flows.register import register
from modelwright.flows.train import train
from modelwright.monitoring.state import WatchState
from modelwright.packaging.reading import holds_package
from modelwright.registry.jobs import Job, Jobs
from modelwright.registry.ledger import may_be_there
from modelwright.registry.names import Ref, check_name
from modelwright.registry.version import JOB, PREFIX
from modelwright.search.portfolio import Candidate
from modelwright.search.problem import Problem
from modelwright.search.recency import choose_way, rows_of, weights_of
from modelwright.search.scouting import PRESETS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from modelwright.core.policy import Policy
    from modelwright.core.ports import Progress
    from modelwright.packaging.package import Package
    from modelwright.registry.registry import Registry
    from modelwright.registry.version import Version
    from modelwright.search.recency import Chosen

KIND = "retrain"
ADVICE, SCHEDULE = "advice", "schedule"
NEW_ROWS_LEAST = 100
"""With fewer outcomes that the champion has not learnt from nothing is decided: half of them judge."""
LEASE_SECONDS = 120.0
TRAIN_SHARE = 0.75
"""Of a wall-clock budget, for the training itself; trying how rows should count comes before it."""
PROMOTED, WAITING, REJECTED = "promoted", "waits for approval", "rejected"
NOTHING = "nothing to do"
REST_GROWTH = 1.25
"""After a challenger on advice lost, the next one waits for so many times as many outcomes."""
BUSY = "another is at work"
ROWS, LEARN, SEALED, PLAN, PACKAGE = "rows.parquet", "learn.parquet", "sealed.parquet", "plan.json", "challenger.model"
TIME_OF, IS_NEW = "\x00time", "\x00new"
RATES = ("learning_rate", "rounds", "patience")
"""What a race sets anew from the time there is."""
ALARMS_MOST = 20
JITTER = 0.1
"""A schedule is kept to within this share of its time, so that many models are not retrained in one moment."""


@dataclass(frozen=True, slots=True)
class Retraining:
    """How a model is retrained.

    Attributes:
        ledger: Address of the ledger.
        data: The table the champion was trained on; None for where its manifest says it was.
        why: ``advice`` acts on what watching advises and on nothing else; any other text is the reason itself.
        budget: Wall-clock limit of the whole, seconds.
        effort: Work units instead.
        seed: Of all randomness; the champion's when None.
        policy: Of the gate, as for ``promote``.
        state: Where the state of watching is: a file or ``postgresql://…``; beside or in the ledger when None.
        threads: All cores when None.
        lease: Seconds for which nobody takes up the work of a process that died.
    """

    ledger: str
    data: str | None = None
    why: str = ADVICE
    budget: float | None = 300.0
    effort: int | None = None
    seed: int | None = None
    policy: Policy | str | Path | None = None
    state: str | None = None
    threads: int | None = None
    lease: float = LEASE_SECONDS

    def __post_init__(self) -> None:
        if not self.why.strip():
            raise InvalidSetting("retraining has a reason", where="--why", got="nothing", fix="try --why schedule")


@dataclass(frozen=True, slots=True)
class Retrained:
    """What came of it.

    Attributes:
        name: Of the model.
        outcome: ``promoted``, ``waits for approval``, ``rejected``, ``nothing to do``, ``another is at work``.
        reason: Why it was retrained, or why not.
        acted: Whether this process did it: not when the same had been done before.
        facts: ``champion``, ``version``, ``rows``, ``way``, ``verdict`` and more, plain data.
    """

    name: str
    outcome: str
    reason: str
    acted: bool = False
    facts: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``retrain --json`` prints."""
        known = {"name": self.name, "outcome": self.outcome, "reason": self.reason, "acted": self.acted}
        return {**known, **self.facts}

    def summary(self, width: int) -> str:
        """Return it as plain text for a terminal of this width."""
        from modelwright.reports.maintaining import retrained

        return retrained(self.to_dict(), width)


def retrain(name: str, asked: Retraining, *, tell: Callable[[Progress], None] | None = None) -> Retrained:
    """Make a challenger from the champion's rows and the labelled ones since, and send it through the gate.

    Args:
        name: Of the registered model.
        asked: Why, from what, and within which budget.
        tell: Takes progress events.

    Raises:
        UnknownModel: There is no such model, or it has no champion.
        NothingToLearn: The champion's rows are not at hand, or too few outcomes are known.
        NotAllowed: Another process took the job up meanwhile.
        ModelwrightError: Training or the gate failed; the job is left to be taken up again.
    """
    within = registry()
    finish(within)
    champion = within.find(Ref(check_name(name)))
    holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    jobs = Jobs(within, KIND, holder=holder, seconds=asked.lease)
    left = jobs.latest(name)
    is_left = left is not None and not left.is_over and (_folder(within, left.id) / ROWS).exists()
    if is_left:
        assert left is not None
        draft, package = left, opened(within.find(Ref(name, None, int(left.facts["champion"]))), within)[1]
    else:
        cause = _cause(name, champion, asked)
        if isinstance(cause, Retrained):
            return cause
        package = opened(champion, within)[1]
        draft = _begun(champion, package, asked, cause, within)
        rests = _rests(draft, left)
        if rests is not None:
            shutil.rmtree(_folder(within, draft.id), ignore_errors=True)
            return rests
    job, is_mine = jobs.claim(draft)
    if not is_mine:
        return _not_mine(job)
    if job.id != draft.id:  # left by a process on another machine, with its rows
        job = jobs.end(job, "given up", reason_given_up="its rows are on another machine")
        return retrain(name, asked, tell=tell)
    with jobs.kept(job):
        return _Work(within, jobs, package, replace(asked, **_limits(job)), tell).go(job)


def _cause(name: str, champion: Version, asked: Retraining) -> Retrained | dict[str, Any]:
    """Return why the model is to be retrained, or that it is not."""
    if asked.why != ADVICE:
        return {"why": SCHEDULE if asked.why == SCHEDULE else "asked", "reason": asked.why, "alarms": []}
    state = state_of(asked.state, asked.ledger)
    if not may_be_there(state):
        raise NothingToLearn(
            "advice comes from watching",
            where=name,
            got="no model has been watched here",
            fix=f"run modelwright watch {name}, or say why yourself: --why schedule",
        )
    opened_state = WatchState(state)
    try:
        told = opened_state.latest(name)
    finally:
        opened_state.close()
    if told is None or told.get("fingerprint") != champion.fingerprint:
        reason = "it has not been watched" if told is None else "the latest look was at another version"
        return Retrained(name, NOTHING, f"{reason} since version {champion.number} became the champion")
    advice = told.get("advice", {})
    if advice.get("action") != KIND:
        return Retrained(name, NOTHING, f"watching advises no retraining: {advice.get('reason')}")
    return {"why": ADVICE, "reason": str(advice["reason"]), "alarms": list(advice.get("alarms", ()))[:ALARMS_MOST]}


def _begun(champion: Version, package: Package, asked: Retraining, cause: dict[str, Any], within: Registry) -> Job:
    """Gather the rows and return the job that would learn from them; they lie beside the registry."""
    ledger = ledger_at(asked.ledger)
    try:
        rows = gather(champion.name, package, ledger, data=asked.data)
    finally:
        ledger.close()
    n_new = rows.counts["new"]
    if n_new < NEW_ROWS_LEAST:
        raise NothingToLearn(
            f"a retraining has {NEW_ROWS_LEAST} outcomes or more that the champion has not learnt from",
            where=champion.name,
            got=f"{n_new:,}; {rows.counts['known']:,} it has learnt from, {rows.counts['repeated']:,} copy its rows",
            fix="wait for outcomes: modelwright label; or train on a table of your own",
        )
    limits = {"budget": asked.budget if asked.effort is None else None, "effort": asked.effort, "seed": asked.seed}
    key = fingerprint(champion.fingerprint, rows.fingerprint, limits, cause["why"], cause["alarms"])[:16]
    folder = _folder(within, key)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / ROWS).exists():
        (folder / IDS).write_text(json.dumps([*rows.known_ids, *rows.ids]))
        write_table(_with_marks(rows), folder / ROWS)
    facts = {
        **cause,
        "champion": champion.number,
        "champion_fingerprint": champion.fingerprint,
        "ledger_rows": n_new,
        "ledger_fingerprint": rows.fingerprint,
        "limits": limits,
    }
    return Job(key, champion.name, KIND, facts)


def _rests(draft: Job, last: Job | None) -> Retrained | None:
    """Return that nothing is done, where advice still stands and its last challenger was not promoted."""
    if draft.facts["why"] != ADVICE or last is None or last.id == draft.id:
        return None
    known = last.facts
    if known.get("champion") != draft.facts["champion"] or last.outcome not in (WAITING, REJECTED):
        return None
    wanted = int(REST_GROWTH * int(known["ledger_rows"]))
    if last.outcome == WAITING:
        return Retrained(draft.model, NOTHING, f"version {known.get('version')} waits for approval")
    if draft.facts["ledger_rows"] >= wanted:
        return None
    reason = f"version {known.get('version')} lost; the next challenger waits until {wanted:,} outcomes are known"
    return Retrained(draft.model, NOTHING, reason)


def _with_marks(rows: Gathered) -> pl.DataFrame:
    may_judge = rows.is_new if not rows.has_times else np.ones(len(rows.times), dtype=bool)
    # 2: new; 1: old, of a known time; 0: old, of no known time.
    return rows.frame.with_columns(
        pl.Series(TIME_OF, rows.times), pl.Series(IS_NEW, may_judge.astype(np.int8) + rows.is_new.astype(np.int8))
    )


def _folder(within: Registry, key: str) -> Path:
    return within.home.folder / KIND / key


def _limits(job: Job) -> dict[str, Any]:
    """Return the limits that a job was begun with, whatever the one who takes it up would have asked."""
    known = job.facts["limits"]
    return {"budget": known["budget"], "effort": known["effort"], "seed": known["seed"]}


def _not_mine(job: Job) -> Retrained:
    if job.is_over:
        return Retrained(job.model, job.outcome, str(job.facts["reason"]), facts=_told(job))
    reason = f"{job.holder.rpartition(':')[0]} works on it since {_clock(job.begun)}"
    return Retrained(job.model, BUSY, reason, facts=_told(job))


def _clock(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))


def _told(job: Job) -> dict[str, Any]:
    hidden = ("limits", "reason")
    known = {"advice" if k == "alarms" else k: v for k, v in job.facts.items() if k not in hidden}
    return {"job": job.id, "attempts": job.attempts, "ended": job.ended, **known}


@dataclass(slots=True)
class _Work:
    """One job, step by step."""

    within: Registry
    jobs: Jobs
    champion: Package
    asked: Retraining
    tell: Callable[[Progress], None] | None

    def go(self, job: Job) -> Retrained:
        """Do what is left to do."""
        folder = _folder(self.within, job.id)
        settings = self._settings(folder, {})
        self._say("rows", settings)
        plan = self._divided(folder, job)
        settings = self._settings(folder, plan)
        if not holds_package(folder / PACKAGE):
            self._say("train", settings)
            train(str(folder / LEARN), settings, run_of(settings, tell=self.tell), first=members_of(self.champion))
        job = self.jobs.update(job, way=plan["way"]["name"])
        self._say("register", settings)
        version = self._registered(folder, job)
        job = self.jobs.update(job, version=version.number)
        self._say("gate", settings)
        outcome, verdict = self._judged(folder, job, version)
        self._say("end", settings)
        job = self.jobs.end(job, outcome)
        (folder / ROWS).unlink(missing_ok=True)
        shutil.rmtree(folder / PACKAGE, ignore_errors=True)
        facts = {**_told(job), "rows": plan["rows"], "tested": plan["tested"], "verdict": verdict}
        return Retrained(job.model, outcome, str(job.facts["reason"]), True, facts)

    def _say(self, step: str, settings: Settings) -> None:
        run_of(settings, tell=self.tell).say(KIND, step)

    def _divided(self, folder: Path, job: Job) -> dict[str, Any]:
        """Choose how rows count, and write those to learn from and those that judge; return what was chosen."""
        if (folder / PLAN).exists():
            return dict(json.loads((folder / PLAN).read_text()))
        frame = read_table(str(folder / ROWS)).frame
        times, marks = frame[TIME_OF].to_numpy(), frame[IS_NEW].to_numpy()
        frame = frame.drop(TIME_OF, IS_NEW)
        new = np.flatnonzero(marks == 2)
        new = new[np.argsort(times[new], kind="stable")]
        # The newer half of what the champion has not seen judges both; the older half is what one knows more.
        sealed = new[len(new) // 2 :]
        rest = np.setdiff1d(np.arange(len(marks)), sealed)
        chosen = self._way(frame, times, marks, rest, job)
        learn = rest[rows_of(chosen.way, times[rest])]
        weight = weights_of(chosen.way, times[learn])
        learnt, judged = frame[learn], frame[sealed]
        if weight is not None:
            learnt = learnt.with_columns(pl.Series(WEIGHT, weight))
            judged = judged.with_columns(pl.lit(1.0).alias(WEIGHT))
        write_table(learnt, folder / LEARN)
        write_table(judged, folder / SEALED)
        plan = {
            "way": {"name": chosen.way.name, "reason": chosen.reason, "judged_on": chosen.rows},
            "tested": [t.to_dict() for t in chosen.tested],
            "is_weighted": weight is not None,
            "is_timed": self._is_timed(frame),
            "rows": {
                "old": int((marks != 2).sum()),
                "new": len(new),
                "learnt": len(learn),
                "judging": len(sealed),
            },
        }
        part = folder / f".{PLAN}"
        part.write_text(json.dumps(plain(plan)))
        part.replace(folder / PLAN)
        return dict(plain(plan))

    def _is_timed(self, frame: pl.DataFrame) -> bool:
        """Whether the champion's column of time is in every row."""
        named = self.champion.manifest.options.get("time")
        return named in frame.columns and not frame[str(named)].null_count()

    def _way(self, frame: pl.DataFrame, times: Any, marks: Any, rest: Any, job: Job) -> Chosen:
        model = self.champion.model
        target, known = encode(Table(frame[rest], "", ""), model.task, model.contract)
        at = np.flatnonzero(known)
        shown = conform(frame[rest[at]], model.contract, only_inputs=True).frame
        own = model.task.weight
        weight = None
        if own not in (None, WEIGHT):
            weight = weights(conform(frame[rest[at]].select(own), model.contract).frame, model.task)
        problem = Problem(shown, target[at], weight, model.contract, model.task, self.champion.manifest.seed)
        name, learner, params = leading(self.champion)
        candidate = Candidate(name, learner, params)
        settings = Settings.of({"target": model.task.target, **self._limits(1.0)})
        run = run_of(settings, tell=self.tell)
        kept = rest[at]
        return choose_way(problem, times[kept], marks[kept] >= 1, candidate, run, tick=lambda: self.jobs.check(job))

    def _limits(self, share: float) -> dict[str, Any]:
        asked = self.asked
        limits: dict[str, Any] = {"threads": asked.threads, "seed": asked.seed}
        if asked.effort is not None:
            return {**limits, "effort": asked.effort}
        return {**limits, "budget": None if asked.budget is None else f"{max(share * asked.budget, 1.0)}s"}

    def _settings(self, folder: Path, plan: dict[str, Any]) -> Settings:
        """Return the champion's settings for the new rows."""
        model, options = self.champion.model, self.champion.manifest.options
        task = model.task
        given = {k: options.get(k) for k in ("group", "ignore", "final_fit")}
        contract = options.get("contract")
        given["contract"] = contract if contract and Path(contract).is_file() else None
        weight = task.weight if task.weight != WEIGHT else None
        if plan.get("is_weighted"):
            weight = WEIGHT
        if self.asked.seed is None:
            given["seed"] = options.get("seed")
        positive = task.labels[1] if len(task.labels) == 2 else None
        return Settings.of(
            {
                **{k: v for k, v in given.items() if v is not None},
                **{k: v for k, v in self._limits(TRAIN_SHARE).items() if v is not None},
                "target": task.target,
                "task": task.kind.value,
                "metric": task.metric,
                "positive": positive,
                "time": options.get("time") if plan.get("is_timed") else None,
                "weight": weight,
                "test": str(folder / SEALED),
                "out": str(folder / PACKAGE),
            }
        )

    def _parents(self, job: Job) -> dict[str, Any]:
        known = job.facts
        return {
            "job": job.id,
            "why": known["why"],
            "advice": known["alarms"],
            "champion": known["champion"],
            "champion_fingerprint": known["champion_fingerprint"],
            "ledger_rows": known["ledger_rows"],
            "ledger_fingerprint": known["ledger_fingerprint"],
            "way": known.get("way", ""),
        }

    def _registered(self, folder: Path, job: Job) -> Version:
        """Register the package, unless a process that worked on the job before has."""
        finish(self.within)
        found = next((v for v in self.within.versions(job.model) if v.tags.get(JOB) == job.id), None)
        if found is not None:
            return found
        parents = self._parents(job)
        tags = {JOB: job.id, f"{PREFIX}parents": json.dumps({k: v for k, v in parents.items() if k != "advice"})}
        guard = lambda: self.jobs.check(job)  # noqa: E731 - one use
        kept = register(folder / PACKAGE, job.model, within=self.within, tags=tags, detail=parents, guard=guard)
        return kept.version

    def _judged(self, folder: Path, job: Job, version: Version) -> tuple[str, dict[str, Any]]:
        """Send the version through the gate, unless that has been done; return the outcome and the verdict."""
        for entry in audit_of(self.within).check().entries:
            if entry.action in ("promote", "refuse") and entry.detail.get("job") == job.id:
                verdict = dict(entry.detail["verdict"])
                return _outcome(entry.action == "promote", verdict), verdict
        done = promote(
            job.model,
            version.number,
            policy=policy_of(self.asked.policy),
            reason=f"retrained: {job.facts['reason']}",
            data=str(folder / SEALED),
            ledger=self.asked.ledger,
            within=self.within,
            detail=self._parents(job),
            guard=lambda: self.jobs.check(job),
        )
        verdict = done.verdict.to_dict()
        return _outcome(done.is_champion, verdict), verdict


def _outcome(is_champion: bool, verdict: dict[str, Any]) -> str:
    if is_champion:
        return PROMOTED
    stopping = {c["name"] for c in verdict["checks"] if c["stops"]}
    is_open = verdict["outcome"] == Outcome.UNDECIDED.value
    return WAITING if is_open and stopping == {"approve"} else REJECTED


def members_of(package: Package) -> tuple[Candidate, ...]:
    """Return the champion's members as candidates, heaviest first: what was good before is tried first."""
    found = [c for c in package.record.get("candidates", ()) if c.get("weight", 0) > 0]
    return tuple(_member(c) for c in sorted(found, key=lambda c: -c["weight"]))


def _member(known: dict[str, Any]) -> Candidate:
    name, params = str(known["name"]), dict(known["params"])
    # What the tuner proposed it may propose again under the same name, with other parameters.
    shown = name if name in {c.name for c in PRESETS} else f"{name}, the champion's"
    has_rate = params.keys() >= set(RATES)
    kept = {k: v for k, v in params.items() if not has_rate or k not in RATES}
    return Candidate(shown, str(known["learner"]), kept, "a member of the champion", has_rate=has_rate)


def retrain_every(
    name: str,
    asked: Retraining,
    *,
    every: float,
    is_stopped: Callable[[], bool],
    complain: Callable[[ModelwrightError], None],
    tell: Callable[[Progress], None] | None = None,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Retrained]:
    """Retrain by a schedule until told to stop; when the next time comes is told by the registry, not by this process.

    Args:
        name: Of the registered model.
        asked: As for ``retrain``.
        every: Seconds from one end to the next beginning.
        is_stopped: Asked at least once a second.
        complain: Takes errors; the next time tries again.
        tell: Takes progress events.
        clock: Seconds since 1970-01-01 UTC.
        sleep: Waits.
    """
    failed = 0.0
    while not is_stopped():
        latest = Jobs(registry(), KIND, holder="", seconds=0.0).latest(name)
        if clock() < max(due(latest, every), failed):
            sleep(min(1.0, every))
            continue
        try:
            done = retrain(name, asked, tell=tell)
            failed = 0.0 if done.acted else clock() + every * JITTER
            yield done
        except ModelwrightError as error:
            failed = clock() + every
            complain(error)


def due(latest: Job | None, every: float) -> float:
    """Return when the next scheduled job may begin, seconds since 1970-01-01 UTC.

    The jitter comes from the job's name, so that every daemon that waits for the same model waits for the same moment.
    """
    if latest is None:
        return 0.0
    if latest.ended is None:
        return latest.until
    share = int(latest.id[:8], 16) / 0xFFFFFFFF
    return latest.ended + every * (1 + JITTER * (2 * share - 1))
