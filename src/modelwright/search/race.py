"""The race: candidates are fitted on folds in their order, several fits side by side, as long as time allows."""

from __future__ import annotations

from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.errors import MissingLibrary
from modelwright.core.metrics import MEASURES
from modelwright.search.choosing import weights_of
from modelwright.search.ensemble import blended, cross_fitted, loss_of, shortfall
from modelwright.search.portfolio import Candidate, narrowed
from modelwright.search.threads import wall_seconds
from modelwright.search.trial import Folding, Outcome, Trial, Tried
from modelwright.search.tuning import TUNED_SHARE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.arrays import Bools, Floats
    from modelwright.search.journal import Journal
    from modelwright.search.tuning import Tuner

LAST_RESORT_SECONDS = 1.0
QUICKEST = Candidate(
    "lightgbm quick", "lightgbm", {"learning_rate": 0.2, "rounds": 60, "patience": 15}, "what the time allows"
)
ALL_TRIED, TIME_USED, STOPPED = "every candidate was tried", "the time was used", "stopped by the user"
NOTHING_GAINED = "nothing more was to be gained"


@dataclass(frozen=True, slots=True)
class Result:
    """How the race ended: who ran, which rows were judged, each one's weight, and why it ended."""

    tried: tuple[Tried, ...]
    covered: Bools
    weights: Floats
    stopped: str
    failed: tuple[str, ...] = ()


@dataclass(slots=True)
class Race:
    """Runs candidates over folds.

    Under a wall-clock budget the next candidate starts as soon as a slot is free. In work units candidates run one
    after the other, for which of two ends first would otherwise decide what becomes of a third.

    Attributes:
        folding: Fits and judges.
        journal: Keeps what has ended.
        tuner: Asked for more once the candidates are through; without one the race ends there.
    """

    folding: Folding
    journal: Journal
    tuner: Tuner | None = None
    _tried: list[Tried] = field(default_factory=list)
    _failed: list[str] = field(default_factory=list)
    _waiting: deque[Candidate] = field(default_factory=deque)
    _open: list[Trial] = field(default_factory=list)
    _n_begun: int = 0
    _n_passed_over: int = 0
    _chosen: tuple[int, Floats] = field(default_factory=lambda: (0, np.zeros(0)))

    def go(self, candidates: Sequence[Candidate]) -> Result:
        """Run the candidates in order, then those that the tuner proposes, and return what they came to."""
        self._waiting.extend(candidates)
        total = self.folding.pace.left()
        running: dict[Future[Outcome], tuple[Trial, int]] = {}
        stopped = ""
        with ThreadPoolExecutor(self.folding.pace.n_slots) as pool:
            while running or not stopped:
                while len(running) < self.folding.pace.n_slots and (job := self._next_fold()):
                    running[pool.submit(self._fit, *job)] = job
                if not stopped and len(running) < self.folding.pace.n_slots and (self._may_overlap or not self._open):
                    stopped = self._why_stop(total)
                    if not stopped:
                        self._start(self._waiting.popleft(), total)
                    continue
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    self._take(*running.pop(future), future)
        return Result(tuple(self._tried), self.covered, self._affordable_weights(), stopped, tuple(self._failed))

    def go_shortest(self) -> Result:
        """Run the quickest candidate whatever the time, and whoever stopped: a search always ends with a model."""
        self.folding.is_last_resort = True
        quickest = narrowed(QUICKEST, len(self.folding.material.base.features))
        trial = Trial(quickest, LAST_RESORT_SECONDS, len(self.folding.folds.folds))
        for number in range(trial.n_folds):
            trial.outcomes[number] = self.folding.fit(quickest, number, LAST_RESORT_SECONDS)
        return Result((self.folding.judge(trial, self._score),), self.covered, np.ones(1), TIME_USED)

    @property
    def _may_overlap(self) -> bool:
        return self.folding.run.effort is None

    @property
    def covered(self) -> Bools:
        """Which rows are judged by some fold."""
        return self.folding.covered

    @property
    def metric(self) -> str:
        """The measure candidates are compared by: the task's, or log loss where that reads labels."""
        asked = MEASURES[self.folding.material.problem.task.metric]
        return asked.name if asked.reads == "scores" else "log_loss"

    def _next_fold(self) -> tuple[Trial, int] | None:
        """Hand out the next fold of the earliest open trial that has one."""
        for trial in self._open:
            if not trial.is_handed_out:
                trial.started += 1
                return trial, trial.started - 1
        return None

    def _why_stop(self, total: float) -> str:
        """Return why no further candidate starts, or nothing when one does."""
        run = self.folding.run
        if run.effort is not None and self._n_begun >= run.effort:
            return f"the {run.effort} work units were used"
        if run.is_stopped():
            return STOPPED
        while not self._waiting or self._is_too_dear(self._waiting[0], total):
            if self._waiting:
                # It does not fit any more, but another may be cheaper.
                self._waiting.popleft()
                self._n_passed_over += 1
                continue
            proposed = self._proposed(total)
            if proposed is None:
                return self._why_nothing_is_proposed()
            self._waiting.append(proposed)
        return ""

    def _is_too_dear(self, candidate: Candidate, total: float) -> bool:
        """Whether a fold of the candidate would find too little time to say anything."""
        return self._seconds_for(candidate, total) < candidate.least_seconds

    def _why_nothing_is_proposed(self) -> str:
        if self._n_passed_over or (self.tuner and self.tuner.is_short_of_time):
            return TIME_USED
        return NOTHING_GAINED if self.tuner and self._tried else ALL_TRIED

    def _proposed(self, total: float) -> Candidate | None:
        """Return what the tuner would try next of what finds time, or None when it, too, is through."""
        if self.tuner is None or not self._tried:
            return None
        seconds = self.folding.pace.fold_seconds(TUNED_SHARE, total, self._refit_seconds())
        return self.tuner.propose(self._tried, self._weights(), self._honest_loss(), seconds)

    def _honest_loss(self) -> float:
        """Return the blend's loss, at least 0, on rows that did not choose its weights."""
        p, covered = self.folding.material.problem, self.covered
        weight = p.weight_of(covered)
        loss = cross_fitted([t.predictions for t in self._tried], p.target[covered], self.metric, weight, p.seed)
        return shortfall(loss, self.metric)

    def _seconds_for(self, candidate: Candidate, total: float) -> float:
        """Return the seconds that a fold of the candidate may take."""
        return self.folding.pace.fold_seconds(candidate.share, total, self._refit_seconds())

    def _start(self, candidate: Candidate, total: float) -> None:
        """Open a trial, or take over what an interrupted run finished."""
        self._n_begun += 1
        self.folding.run.say("search", candidate.name, best=self._best(), tried=len(self._tried))
        known = self.journal.recall(candidate)
        if known is not None:
            self._tried.append(known)
            return
        seconds = self._seconds_for(candidate, total)
        self._open.append(Trial(candidate, seconds, len(self.folding.folds.folds)))

    def _fit(self, trial: Trial, number: int) -> Outcome:
        """Fit one fold, in a thread of the pool; the trial's first one sets its learning rate."""
        with trial.lock:
            if not trial.is_rated:
                trial.candidate = self.folding.with_rate(trial.candidate, trial.seconds)
                trial.is_rated = True
        return self.folding.fit(trial.candidate, number, trial.seconds)

    def _take(self, trial: Trial, number: int, future: Future[Outcome]) -> None:
        """Take what a fold came to; a library's error costs its candidate, not the run."""
        try:
            trial.outcomes[number] = future.result()
        except MissingLibrary:
            if not trial.is_dropped:
                self._n_begun -= 1  # nothing was tried, so no unit of work was used
            self._close(trial)
        except Exception as error:
            if not trial.is_dropped:
                reason = f"{trial.candidate.name}: {type(error).__name__}: {error}"
                self._failed.append(reason.splitlines()[0][:250])
                if self.tuner is not None:
                    self.tuner.failed(trial.candidate)
            self._close(trial)
        if trial.is_dropped:
            return
        # Whether it is hopeless is asked first: the answer must not depend on how many folds ended side by side.
        if self._tried and self.folding.is_hopeless(trial, self._leader()):
            self._close(trial)
        elif trial.is_whole:
            one = self.folding.judge(trial, self._score)
            self.journal.record(one)
            self._tried.append(one)
            self._close(trial)
        elif self._tried and self.folding.run.is_stopped():
            self._close(trial)

    def _close(self, trial: Trial) -> None:
        trial.is_dropped = True
        if trial in self._open:
            self._open.remove(trial)

    def _leader(self) -> Tried:
        return min(self._tried, key=lambda t: self._loss(t.predictions))

    def _score(self, predictions: Floats) -> float:
        loss = self._loss(predictions)
        return -loss if MEASURES[self.metric].greater_is_better else loss

    def _loss(self, predictions: Floats) -> float:
        p, covered = self.folding.material.problem, self.covered
        weight = p.weight_of(covered)
        return loss_of(self.metric, p.target[covered], predictions, weight)

    def _weights(self) -> Floats:
        """Return each candidate's weight in the best blend, chosen anew only after another was tried."""
        if self._chosen[0] != len(self._tried):
            row_seconds = self.folding.run.row_seconds
            chosen = weights_of(self._tried, self.folding, metric=self.metric, row_seconds=row_seconds)
            self._chosen = (len(self._tried), chosen)
        return self._chosen[1]

    def _affordable_weights(self) -> Floats:
        """Return the weights of the best blend whose final fits find time: more rows are worth more than a member."""
        chosen, pace = self._weights(), self.folding.pace
        if not pace.is_timed or pace.run.is_stopped():
            return chosen
        while (chosen > 0).sum() > 1 and pace.refits * self._wall_seconds(chosen) > pace.left_for_refits():
            chosen = self._without_one(chosen)
        return chosen

    def _without_one(self, weights: Floats) -> Floats:
        """Return the weights without the member whose leaving raises the loss least for each second it frees."""
        predictions = [t.predictions for t in self._tried]
        seconds, loss = self._wall_seconds(weights), self._loss(blended(predictions, weights))

        def price(place: int) -> tuple[float, float]:
            rest = _without(weights, place)
            freed = max(seconds - self._wall_seconds(rest), 1e-6)
            return max(self._loss(blended(predictions, rest)) - loss, 0.0) / freed, -freed

        return _without(weights, min(map(int, np.flatnonzero(weights)), key=price))

    def _wall_seconds(self, weights: Floats) -> float:
        """Seconds a fold's fit of these members takes, side by side."""
        members = [t.fit_seconds for t, w in zip(self._tried, weights, strict=True) if w > 0]
        return wall_seconds(members, self.folding.pace.n_slots)

    def _refit_seconds(self) -> float:
        """Seconds a fold's fit of all current members takes, side by side."""
        if not self.folding.pace.is_timed:
            return 0.0  # nothing is reckoned in seconds, so the ensemble need not be chosen for it
        return self._wall_seconds(self._weights())

    def _best(self) -> float | None:
        if not self._tried:
            return None
        pick = max if MEASURES[self.metric].greater_is_better else min
        return pick(t.score for t in self._tried)


def _without(weights: Floats, place: int) -> Floats:
    """Return the weights of the others, which add up to one."""
    rest = np.where(np.arange(len(weights)) == place, 0.0, weights)
    return np.asarray(rest / rest.sum())
