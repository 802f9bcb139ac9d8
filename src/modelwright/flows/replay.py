"""Replay: a table in order of time, played as if it were production, to see what watching it would have brought."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import EmptySource, InvalidSetting, UnwritableOutput
from modelwright.core.fingerprint import plain
from modelwright.core.metrics import MEASURES
from modelwright.core.settings import Settings
from modelwright.core.signal import Action
from modelwright.core.table import Table
from modelwright.data.conforming import conform
from modelwright.data.reading import read
from modelwright.data.tasks import encode
from modelwright.evaluation import metrics
from modelwright.evaluation.pairs import paired
from modelwright.flows._contenders import School
from modelwright.flows._moments import DAY, moments, window_seconds
from modelwright.flows._preparing import prepare, weights
from modelwright.monitoring.alarms import advise, alarms, plan
from modelwright.monitoring.budget import DAYS_A_MONTH
from modelwright.monitoring.quality import is_trusted, quality
from modelwright.reports.replay import summary as text_of
from modelwright.search.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.arrays import Floats, Ints
    from modelwright.core.model import Model
    from modelwright.core.run import Run
    from modelwright.core.signal import Advice, Alarm
    from modelwright.flows._contenders import Contender
    from modelwright.monitoring.alarms import Plan
    from modelwright.monitoring.baseline import Baseline, Window

FIRST_SHARE = 0.4
NEW_ROWS_LEAST = 100
"""So many labelled rows that a champion has not seen judge its challenger; with fewer nothing is decided."""
NEW_SHARE_LEAST = 0.03
REST_WINDOWS = 4
"""After a challenger lost, so many windows pass before the next one is made."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What would have happened.

    Attributes:
        facts: Source, target, metric, window, delay, budget and rows, as plain data.
        windows: One entry per window: what was estimated, what came true, who answered.
        alarms: Every alarm.
        retrains: Every challenger, with the verdict.
        comparison: ``never``, ``advice``, ``always``: the measure, retrains and seconds; paired differences.
        page: Where the page lies, or empty.
    """

    facts: dict[str, Any]
    windows: tuple[dict[str, Any], ...]
    alarms: tuple[dict[str, Any], ...]
    retrains: tuple[dict[str, Any], ...]
    comparison: dict[str, Any]
    page: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return what ``replay --json`` prints."""
        found: dict[str, Any] = plain(self)
        return found

    def summary(self, width: int) -> str:
        """Return the story as plain text for a terminal of this width."""
        return text_of(self.to_dict(), width)


def with_page(done: Replayed, out: str) -> Replayed:
    """Write the page of a replay and return the replay with where it lies.

    Raises:
        UnwritableOutput: It cannot be written there.
    """
    from modelwright.reports.replay_page import replay_page

    try:
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        Path(out).write_text(replay_page(done.to_dict()), encoding="utf-8")
    except OSError as error:
        fix = "give another path with --out"
        raise UnwritableOutput(
            "a page needs a place it may be written to", where=out, got=str(error), fix=fix
        ) from error
    return replace(done, page=out)


@dataclass(slots=True)
class _Reign:
    """One champion's time: its baseline, its windows, and what it knows of its estimates."""

    contender: Contender
    baseline: Baseline
    rule: Plan
    begun: float
    windows: list[Window] = field(default_factory=list)
    agreements: list[bool | None] = field(default_factory=list)
    raised: set[str] = field(default_factory=set)


class _Play:
    """The state of a replay while it goes on."""

    def __init__(self, p: Problem, times: Floats, run: Run, *, every: float, delay: float, budget: float) -> None:
        self.p, self.times, self.run = p, times, run
        self.every, self.delay, self.budget = every, delay, budget
        self.school = School(p, times, run)
        self.scores = np.full((len(times), max(p.n_classes, 1)), np.nan)
        self.windows: list[dict[str, Any]] = []
        self.alarms: dict[str, dict[str, Any]] = {}
        self.retrains: list[dict[str, Any]] = []
        self.rest = 0
        self.watch_seconds = 0.0

    def crown(self, contender: Contender, now: float, agreements: Sequence[bool | None] = ()) -> _Reign:
        """Return the reign that begins with a champion; estimates that failed before it must earn trust anew."""
        baseline = self.school.baseline(contender, every=self.every)
        a_month = DAYS_A_MONTH * DAY / self.every
        span = float(self.times[-1] - self.times[0]) + 1.0
        rows = len(self.times) * self.every / span
        rule = plan(baseline, budget=self.budget, windows_a_month=a_month, rows=rows, labelled=rows, seed=self.run.seed)
        return _Reign(contender, baseline, rule, now, agreements=list(agreements))

    def answer(self, model: Model, rows: Ints) -> Floats:
        """Return a model's answers to rows."""
        return (
            model.scores(self.p.frame[rows])
            if len(rows)
            else np.zeros((0, self.p.n_classes) if self.p.n_classes else 0)
        )

    def answered(self, rows: Ints) -> Floats:
        """Return what whoever reigned then answered to rows that were played."""
        return self.scores[rows] if self.p.n_classes else self.scores[rows, 0]


@dataclass(frozen=True, slots=True)
class Playing:
    """How a table is played.

    Attributes:
        target: The column to predict.
        time: A date-time column, or year, month, day columns with commas.
        every: Length of a window, seconds; chosen from the rows when None.
        delay: How long outcomes take to become known, seconds; one window when None.
        first: Share of the rows that the first champion learns from, 0.05 to 0.9.
        budget: Accepted false alarms a month.
        ignore: Columns to leave out.
        metric: What success is measured by; inferred when None.
        query: SQL query, when the source is a database.
    """

    target: str
    time: str
    every: float | None = None
    delay: float | None = None
    first: float = FIRST_SHARE
    budget: float = 1.0
    ignore: tuple[str, ...] = ()
    metric: str | None = None
    query: str | None = None

    def __post_init__(self) -> None:
        if not 0.05 <= self.first <= 0.9:
            raise InvalidSetting("the first share is 0.05 to 0.9", where="--first", got=self.first, fix="try 0.4")
        if not self.budget > 0:
            raise InvalidSetting("a budget of alarms is above zero", where="--alarms", got=self.budget, fix="try 1")


def replay(source: object, asked: Playing, run: Run) -> Replayed:
    """Play a table as production.

    The first rows train a champion; then, window by window, it answers, outcomes arrive late, alarms are raised
    within the budget, and on advice a challenger is fitted on all that is labelled by then and takes over if it is
    better on rows the champion has not seen. Beside it one model is never retrained, and one in every window.

    Args:
        source: Anything that can be read as a table.
        asked: How it is played.
        run: Effort of the first search, seed, threads.

    Raises:
        InvalidSetting: Something asked for is outside what it may be.
        EmptySource: Too few rows are left to play.
    """
    run.say("read", "the table")
    table = read(source, query=asked.query)
    times = moments(table, asked.time)
    order = np.argsort(times, kind="stable")
    table = Table(table.frame[order], table.source, table.fingerprint)
    p, times = _problem(table, times[order], asked, run)
    n_first = int(asked.first * p.n_rows)
    every = asked.every or window_seconds(times[n_first:])
    delay = every if asked.delay is None else asked.delay
    play = _Play(p, times, run, every=every, delay=delay, budget=asked.budget)
    starts = np.arange(times[n_first], times[-1] + 1e-6, every)
    if len(starts) < 3:
        raise EmptySource(
            "a replay has at least three windows",
            where=table.source,
            got=f"{len(starts)}",
            fix="give a shorter --every",
        )
    run.say("search", "the first champion")
    champion = play.school.make(np.arange(n_first))
    never, always = champion.model, champion.model
    reign = play.crown(champion, float(starts[0]))
    beside = {"never": np.full(play.scores.shape, np.nan), "always": np.full(play.scores.shape, np.nan)}
    always_seconds, always_fits = 0.0, 0
    for number, start in enumerate(starts):
        run.say("evaluate", f"window {number + 1} of {len(starts)}")
        end = float(start) + every
        rows = np.flatnonzero((times >= start) & (times < end))
        if number:
            fit = play.school.fit(np.flatnonzero(times + delay <= start))
            always, always_seconds, always_fits = fit.model, always_seconds + fit.seconds, always_fits + 1
        for name, model in (("never", never), ("always", always)):
            beside[name][rows] = _as_columns(play.answer(model, rows))
        reign = _window(play, reign, float(start), end, rows)
    comparison = _compare(play, n_first, {**beside, "advice": play.scores})
    seconds = sum(r["seconds"] for r in play.retrains)
    comparison["never"] |= {"retrains": 0, "seconds": 0.0}
    comparison["advice"] |= {
        "retrains": len(play.retrains),
        "seconds": round(seconds, 2),
        "watch_seconds": round(play.watch_seconds, 2),
    }
    comparison["always"] |= {"retrains": always_fits, "seconds": round(always_seconds, 2)}
    facts = {
        "source": table.source,
        "target": asked.target,
        "task": p.task.kind.value,
        "metric": p.task.metric,
        "window_seconds": every,
        "delay_seconds": delay,
        "alarms_a_month": asked.budget,
        "rows": p.n_rows,
        "rows_first": n_first,
        "columns": len(p.contract.features),
        "unit": MEASURES[p.task.metric].unit,
        "greater_is_better": MEASURES[p.task.metric].greater_is_better,
    }
    return Replayed(facts, tuple(play.windows), tuple(play.alarms.values()), tuple(play.retrains), comparison)


def _problem(table: Table, times: Floats, asked: Playing, run: Run) -> tuple[Problem, Floats]:
    """Return all labelled rows as a problem whose contract and task only the first rows decide, and their times."""
    n_first = int(asked.first * table.n_rows)
    given = {"target": asked.target, "metric": asked.metric, "ignore": asked.ignore, "effort": 1, "seed": run.seed}
    settings = Settings.of(given if "," in asked.time else {**given, "time": asked.time})
    known = prepare(Table(table.frame[:n_first], table.source, table.fingerprint), None, settings, run)
    encoded, labelled = encode(table, known.task, known.contract)
    frame = conform(table.frame, known.contract).frame.filter(labelled)
    weight = weights(frame, known.task)
    return Problem(frame, encoded[labelled], weight, known.contract, known.task, run.seed), times[labelled]


def _as_columns(scores: Floats) -> Floats:
    return scores if scores.ndim == 2 else scores[:, None]


def _window(play: _Play, reign: _Reign, start: float, end: float, rows: Ints) -> _Reign:
    """Play one window and return the reign that the next one begins with."""
    model, baseline = reign.contender.model, reign.baseline
    begun = play.run.clock()
    scores = play.answer(model, rows)
    play.scores[rows] = _as_columns(scores)
    expected = baseline.expect(model, play.p.frame[rows], scores)
    arrived = np.flatnonzero(
        (play.times + play.delay >= start) & (play.times + play.delay < end) & (play.times >= reign.begun)
    )
    reign.windows.append(_counted(play, reign, start, end, rows, arrived, expected))
    entry = _entry(play, reign, start, end, rows, expected)
    found = alarms(baseline, reign.windows, reign.rule)
    for alarm in found:
        _note(play, reign, alarm)
    advice = advise(baseline, reign.windows, found)
    new = [a.id for a in found if a.time == end]
    play.windows.append({**entry, "alarms": new, "advice": advice.action.value})
    play.rest = max(play.rest - 1, 0)
    play.watch_seconds += play.run.clock() - begun
    if advice.action is not Action.RETRAIN or play.rest:
        return reign
    return _challenge(play, reign, end, advice)


def _counted(
    play: _Play, reign: _Reign, start: float, end: float, rows: Ints, arrived: Ints, expected: Floats
) -> Window:
    """Return the counts of a window: its answers, and the outcomes that became known in it."""
    p, model, baseline = play.p, reign.contender.model, reign.baseline
    codes = baseline.codes(p.frame[rows], play.answered(rows), expected)
    if not len(arrived):
        return baseline.window(start, end, codes, n_rows=len(rows))
    frame, scores = p.frame[arrived], play.answered(arrived)
    of_arrived = baseline.expect(model, frame, scores)
    errors = baseline.errors(p.target[arrived], scores, of_arrived)
    of_labelled = baseline.codes(frame, scores, of_arrived)
    return baseline.window(start, end, codes, n_rows=len(rows), errors=errors, codes_of_labelled=of_labelled)


def _entry(play: _Play, reign: _Reign, start: float, end: float, rows: Ints, expected: Floats) -> dict[str, Any]:
    """Return what is told of a window: the estimate of its day, and what its outcomes said later."""
    p, model, metric = play.p, reign.contender.model, play.p.task.metric
    entry: dict[str, Any] = {"start": start, "end": end, "rows": len(rows), "model": len(play.retrains)}
    if not len(rows):
        return {**entry, "estimated": None, "realised": None, "agrees": None, "is_trusted": True, "awaited": 0}
    scores, everyone = play.answered(rows), np.ones(len(rows), dtype=bool)
    trusted = is_trusted(reign.agreements[: max(len(reign.agreements) - math.ceil(play.delay / play.every), 0)])
    known = reign.baseline.estimator.measures()
    named = metric if metric in known else "rmse" if not p.task.is_classification else "log_loss"
    seen = quality(reign.baseline, model, scores, expected, p.target[rows], everyone, only=[named])
    reign.agreements.append(seen.agrees(named))
    return {
        **entry,
        "metric": named,
        "estimated": plain(seen.estimated[named]) if named in seen.estimated else None,
        "realised": plain(seen.realised[named]),
        "agrees": seen.agrees(named),
        "is_trusted": trusted,
        "awaited": int((play.times[rows] + play.delay >= end).sum()),
    }


def _note(play: _Play, reign: _Reign, alarm: Alarm) -> None:
    """Keep an alarm, or its end."""
    told = {**alarm.to_dict(), "model": len({r["time"] for r in play.retrains if r["verdict"] == "promoted"})}
    if alarm.id in reign.raised:
        play.alarms[alarm.id]["ended"] = alarm.ended
    else:
        reign.raised.add(alarm.id)
        play.alarms[alarm.id] = told


def _challenge(play: _Play, reign: _Reign, now: float, advice: Advice) -> _Reign:
    """Make a challenger, compare it with the champion on rows neither learnt from, and return who reigns.

    The newer half of the rows that the champion has not seen judges both; the older half is what the challenger
    knows more than the champion.
    """
    p = play.p
    labelled = np.flatnonzero(play.times + play.delay <= now)
    unseen = labelled[play.times[labelled] >= reign.begun]
    rows = unseen[len(unseen) // 2 :]
    if len(rows) < max(NEW_ROWS_LEAST, NEW_SHARE_LEAST * len(labelled) / 2):
        return reign
    play.run.say("search", "a challenger")
    begun = play.run.clock()
    model, scores = play.school.trial(labelled, rows)
    seconds = play.run.clock() - begun
    champion = play.answered(rows)
    choices = (
        (model.choices(scores), reign.contender.model.choices(champion)) if p.task.is_classification else (None, None)
    )
    gain = paired(p.task, p.target[rows], scores, champion, metric=p.task.metric, choices=choices)
    better = gain.value > 0 if MEASURES[p.task.metric].greater_is_better else gain.value < 0
    winner = play.school.winner(labelled, rows, model, scores) if better else None
    play.retrains.append(
        {
            "time": now,
            "reason": advice.reason,
            "alarms": list(advice.alarms),
            "rows": len(labelled),
            "judged_on": len(rows),
            "difference": plain(gain),
            "verdict": "promoted" if better else "rejected",
            "seconds": round(seconds + (winner.seconds if winner is not None else 0.0), 2),
        }
    )
    if winner is None:
        play.rest = REST_WINDOWS
        return reign
    return play.crown(winner, now, reign.agreements)


def _compare(play: _Play, n_first: int, scores: dict[str, Floats]) -> dict[str, Any]:
    """Return the measure of each way on all rows that were played, and paired differences."""
    p, metric = play.p, play.p.task.metric
    played = np.arange(p.n_rows) >= n_first
    played &= ~np.isnan(play.scores[:, 0])
    target = p.target[played]
    of = {name: s[played] if p.n_classes else s[played, 0] for name, s in scores.items()}
    found: dict[str, Any] = {}
    for name, s in of.items():
        found[name] = {"value": metrics.compute(metric, target, s), "rows": int(played.sum())}
    for a, b in (("advice", "never"), ("always", "never"), ("advice", "always")):
        found[f"{a}_less_{b}"] = plain(paired(p.task, target, of[a], of[b], metric=metric))
    return found
