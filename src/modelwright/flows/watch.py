"""Watch: compare what a model is asked, answers and gets wrong with what was measured before it was used."""

from __future__ import annotations

import math
import os
import secrets
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import InvalidSetting, LedgerUnavailable, UnwritableOutput, WatchUnavailable
from modelwright.core.fingerprint import fingerprint, plain
from modelwright.flows._ledger_windows import Reading, read_windows
from modelwright.flows._moments import DAY
from modelwright.flows._reference import baseline_of
from modelwright.flows._watched import folder_of, metrics_file, state_of
from modelwright.flows.label import ledger_at
from modelwright.flows.load import load
from modelwright.flows.resolve import resolve
from modelwright.monitoring import effects
from modelwright.monitoring.alarms import Plan, advise, alarms, finds, plan, pooled
from modelwright.monitoring.budget import DAYS_A_MONTH
from modelwright.monitoring.delivery import deliver
from modelwright.monitoring.exposition import RULES, dashboard, metrics
from modelwright.monitoring.quality import is_trusted
from modelwright.monitoring.state import WatchState
from modelwright.reports.watch import summary as text_of
from modelwright.service.sources import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from modelwright.core.errors import ModelwrightError
    from modelwright.flows._ledger_windows import Seen
    from modelwright.flows.predictor import Predictor
    from modelwright.monitoring.baseline import Baseline
    from modelwright.monitoring.delivery import Destination

LEASE_SECONDS = 300.0
RECENT_WINDOWS = 7
SETTLING_SECONDS = 60.0
"""A window is read so long after its end: a service writes its answers with a delay."""
JITTER = 0.05
"""A watcher waits so much shorter or longer, so that many of them do not look in one moment."""
RULES_FILE, DASHBOARD_FILE = "modelwright-alerts.yml", "modelwright-dashboard.json"


@dataclass(frozen=True, slots=True)
class Watching:
    """How a model is watched.

    Attributes:
        ledger: Address of the ledger.
        name: What the model is asked under; taken from the package's file name when None.
        reference: Its training table; None for where its manifest says it was.
        window: Length of a window, seconds.
        budget: Accepted false alarms a month, over the whole model.
        state: Where its state is kept: a file or ``postgresql://…``; beside or in the ledger when None.
        destinations: Where alarms go.
        metrics: File for Prometheus' text format, or None.
        value_of_error: What one unit of mean loss costs for each answer, in money; None when that is not known.
    """

    ledger: str
    name: str | None = None
    reference: str | None = None
    window: float = DAY
    budget: float = 1.0
    state: str | None = None
    destinations: tuple[Destination, ...] = ()
    metrics: str | None = None
    value_of_error: float | None = None

    def __post_init__(self) -> None:
        if not self.budget > 0:
            raise InvalidSetting("a budget of alarms is above zero", where="--alarms", got=self.budget, fix="try 1")
        if self.value_of_error is not None and not 0 < self.value_of_error < math.inf:
            got, fix = self.value_of_error, "give what one unit of the mean loss costs for one answer"
            raise InvalidSetting("the value of an error is above zero", where="--value-of-error", got=got, fix=fix)


@dataclass(frozen=True, slots=True)
class Watched:
    """What a pass saw, as plain data.

    Attributes:
        told: ``model``, ``time``, ``acted`` (False while another watcher has the lease), ``windows``, ``drift``,
            ``alarms``, ``n_lasting``, ``advice``, ``is_trusted``, ``finds``, ``messages_waiting`` and more.
    """

    told: dict[str, Any] = field(default_factory=dict)

    @property
    def is_alarmed(self) -> bool:
        """Whether an alarm lasts that nobody acknowledged."""
        return bool(self.told.get("n_lasting"))

    def to_dict(self) -> dict[str, Any]:
        """Return what ``watch --json`` prints."""
        return self.told

    def summary(self, width: int) -> str:
        """Return the pass as plain text for a terminal of this width."""
        return text_of(self.told, width)


def watch(package: str, watching: Watching, *, clock: Callable[[], float] = time.time) -> Watched:
    """Look once.

    Args:
        package: The package that answers, or a registered name.
        watching: What is watched, how, and who is told.
        clock: Seconds since 1970-01-01 UTC.

    Raises:
        WatchUnavailable: The state, or the rows the model was judged on, are not at hand.
        LedgerUnavailable: The ledger cannot be read.
        InvalidPackage: The package is damaged.
    """
    watcher = Watcher(package, watching, clock)
    try:
        return watcher.look()
    finally:
        watcher.close()


class Watcher:
    """Looks as often as asked; baseline and threshold are made once.

    Args:
        package: The package that answers, or a registered name.
        watching: What is watched, how, and who is told.
        clock: Seconds since 1970-01-01 UTC.
    """

    def __init__(self, package: str, watching: Watching, clock: Callable[[], float] = time.time) -> None:
        self.watching, self._clock, self._package = watching, clock, package
        self.model = load(package)
        self._first = self.model.fingerprint
        self.name = watching.name or resolve(package).name or name_of(package)
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._folder = folder_of(watching.ledger)
        self._state = WatchState(state_of(watching.state, watching.ledger), clock)
        self._ledger = ledger_at(watching.ledger)
        self._baseline: Baseline | None = None
        self._plan: Plan | None = None
        self._finds: list[dict[str, Any]] = []

    def close(self) -> None:
        """Give the lease, the ledger and the state back."""
        self._state.release(self.name, self.holder)
        self._ledger.close()
        self._state.close()

    def look(self) -> Watched:
        """Look once; while another watcher has the lease, only say what it saw."""
        if not self._state.lease(self.name, self.holder, LEASE_SECONDS):
            latest = self._state.latest(self.name) or {"model": self.name, "windows": [], "alarms": []}
            return Watched({**latest, "acted": False})
        self._follow()
        seen = self._read()
        baseline, rule = self._known(seen)
        found = alarms(baseline, seen.windows, rule)
        told = _told(self.name, self._clock(), baseline, rule, seen, self.model)
        told["finds"] = self._finds
        told["advice"] = advise(baseline, seen.windows, found).to_dict()
        self._state.record(self.name, found, [d.name for d in self.watching.destinations], told)
        deliver(self._state, self.watching.destinations)
        known = ranked(self._state.alarms(self.name), self._answers_a_month(seen), self.watching.value_of_error)
        lasting = [a for a in known if a["ended"] is None and a["acknowledged"] is None]
        told |= {"alarms": known, "n_lasting": len(lasting), "acted": True}
        told["messages_waiting"] = self._state.undelivered()
        shown = metrics(told)
        _write(metrics_file(self._folder, self.name), shown)
        if self.watching.metrics is not None:
            _write(Path(self.watching.metrics), shown)
        return Watched(told)

    def _follow(self) -> None:
        """Take up the version that the name points at now, if it is another."""
        place = resolve(self._package)
        if place.fingerprint and place.fingerprint != self.model.fingerprint:
            self.model, self._baseline, self._plan = load(self._package), None, None

    def _read(self) -> Seen:
        if self._baseline is None:
            self._baseline = self._reference()
        package = self.model.package
        reading = Reading(self._ledger, self._baseline, package.model, self.model.fingerprint, self.watching.window)
        return read_windows(reading, until=self._clock() - SETTLING_SECONDS, state=self._state, tick=self._renew)

    def _answers_a_month(self, seen: Seen) -> float:
        sizes = [w.rows for w in seen.windows][-RECENT_WINDOWS:]
        return float(np.mean(sizes)) * DAYS_A_MONTH * DAY / self.watching.window if sizes else 0.0

    def _reference(self) -> Baseline:
        """Return the baseline from the table that was named, or of a version made from another since, its own."""
        package, w = self.model.package, self.watching
        try:
            return baseline_of(self.name, package, table=w.reference, window_seconds=w.window)
        except WatchUnavailable:
            if w.reference is None or self.model.fingerprint == self._first:
                raise
        return baseline_of(self.name, package, table=None, window_seconds=w.window)

    def _renew(self) -> None:
        self._state.lease(self.name, self.holder, LEASE_SECONDS)

    def _known(self, seen: Seen) -> tuple[Baseline, Plan]:
        """Return the baseline and the threshold, which is fixed by the first windows that have rows."""
        assert self._baseline is not None
        sizes = [w.rows for w in seen.windows if w.rows][:RECENT_WINDOWS]
        if self._plan is None or len(sizes) < RECENT_WINDOWS:
            rows = float(np.median(sizes)) if sizes else 100.0
            key = fingerprint(self._baseline.fingerprint, self.watching.budget, self.watching.window, rows)
            kept = self._state.plan(key) or self._planned(rows)
            self._state.keep_plan(key, kept)
            self._plan, self._finds = Plan.of_dict(kept["rule"]), kept["finds"]
        return self._baseline, self._plan

    def _planned(self, rows: float) -> dict[str, Any]:
        """Return the threshold, and what it can find: seconds of simulation, so both are kept."""
        assert self._baseline is not None
        a_month = DAYS_A_MONTH * DAY / self.watching.window
        rule = plan(self._baseline, budget=self.watching.budget, windows_a_month=a_month, rows=rows, labelled=rows)
        return {"rule": rule.to_dict(), "finds": plain(finds(self._baseline, rule))}


def watch_every(
    package: str,
    watching: Watching,
    *,
    every: float,
    is_stopped: Callable[[], bool],
    complain: Callable[[ModelwrightError], None],
    act: Callable[[Watched], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Watched]:
    """Look again and again until told to stop; errors of one pass that may pass are told, and the next one tries again.

    Args:
        package: The package that answers, or a registered name.
        watching: What is watched, how, and who is told.
        every: Seconds between looks.
        is_stopped: Asked between looks and once a second while waiting.
        complain: Takes errors that may pass: a ledger or a state that could not be reached.
        act: Called after a look by the one watcher that has the lease, such as to retrain on its advice.
        sleep: Waits.
    """
    watcher = Watcher(package, watching)
    try:
        while not is_stopped():
            begun = time.monotonic()
            try:
                seen = watcher.look()
                yield seen
                if seen.told["acted"]:
                    act(seen)
            except (LedgerUnavailable, WatchUnavailable) as error:
                complain(error)
            pause = every * (1 + JITTER * (2 * secrets.randbelow(1001) / 1000 - 1))
            while not is_stopped() and time.monotonic() - begun < pause:
                sleep(min(1.0, max(pause - (time.monotonic() - begun), 0.0)))
    finally:
        watcher.close()


def write_files(folder: str) -> tuple[str, str]:
    """Write alert rules for Prometheus and a dashboard for Grafana; return their paths."""
    rules, board = Path(folder) / RULES_FILE, Path(folder) / DASHBOARD_FILE
    _write(rules, RULES)
    _write(board, dashboard())
    return str(rules), str(board)


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        part.write_text(text)
        part.replace(path)
    except OSError as error:
        fix = "give another path"
        raise UnwritableOutput(
            "a file needs a folder it may be written to", where=str(path), got=str(error), fix=fix
        ) from error


def ranked(found: list[dict[str, Any]], answers_a_month: float, value: float | None) -> list[dict[str, Any]]:
    """Return alarms, those that last first and in the order of what they cost; ``money`` is what they cost a month.

    Args:
        found: As the state lists them.
        answers_a_month: How often the model answers.
        value: What one unit of mean loss costs for an answer; without it the order is that of the effect.
    """
    priced = [
        {**a, "money": None if value is None or a["effect"] is None else a["effect"] * value * answers_a_month}
        for a in found
    ]
    return sorted(priced, key=lambda a: (a["ended"] is not None, -(a["effect"] or 0.0), -a["time"]))


def _told(name: str, now: float, baseline: Baseline, rule: Plan, seen: Seen, model: Predictor) -> dict[str, Any]:
    """Return what a pass saw, as plain data."""
    metric = model.package.model.task.metric
    by_start = seen.quality
    agreements = [by_start[w.start].agrees(metric) for w in seen.windows if w.start in by_start]
    return {
        "model": name,
        "fingerprint": model.fingerprint,
        "time": now,
        "task": baseline.task.kind.value,
        "metric": metric,
        "window_seconds": seen.windows[0].end - seen.windows[0].start if seen.windows else None,
        "budget": rule.budget,
        "threshold": rule.threshold,
        "reference_rows": baseline.rows,
        "windows": [_window(w, by_start) for w in seen.windows],
        "drift": _drift(baseline, seen),
        "breaks": dict(sorted(seen.breaks.items(), key=lambda item: -item[1])),
        "answers_of_other_versions": seen.others,
        "rows_read": seen.n_read,
        "is_trusted": is_trusted(agreements),
        "finds": [],
        "alarms": [],
        "n_lasting": 0,
        "messages_waiting": 0,
    }


def _window(window: Any, quality: Mapping[float, Any]) -> dict[str, Any]:
    known = quality.get(window.start)
    told = known.to_dict() if known is not None else {"labelled": 0, "awaited": 0, "estimated": {}, "realised": {}}
    return plain({"start": window.start, "end": window.end, "rows": window.rows, **told})  # type: ignore[no-any-return]


def _drift(baseline: Baseline, seen: Seen) -> list[dict[str, Any]]:
    """Return the drift of each trait over the latest windows, largest first."""
    recent: Sequence[Any] = [w for w in seen.windows if w.rows][-RECENT_WINDOWS:]
    if not recent:
        return []
    counts = pooled([w.inputs for w in recent])
    found = []
    for position, trait in enumerate(baseline.inputs.traits):
        score = effects.drift(trait, counts[position], baseline.inputs.counts[position])
        change = effects.loss_change(baseline, position, counts[position])
        share = change / baseline.mean_loss if baseline.mean_loss > 0 else None
        found.append({"column": trait.name, **score.to_dict(), "loss_change_share": share})
    found.sort(key=lambda d: -(d["value"] or 0.0))
    return plain(found)  # type: ignore[no-any-return]
