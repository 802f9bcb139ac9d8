"""Contenders: models that are fitted again and again on the rows of a replay, with the baseline of each."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.split import How
from modelwright.monitoring.baseline import fit_baseline
from modelwright.search.final import evidence_model, model_on
from modelwright.search.journal import Journal
from modelwright.search.problem import Material
from modelwright.search.workshop import search

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats, Ints
    from modelwright.core.model import Model
    from modelwright.core.run import Run
    from modelwright.monitoring.baseline import Baseline
    from modelwright.search.problem import Problem
    from modelwright.search.workshop import Found

SEALED_SHARE = 0.2
REFERENCE_ROWS_LEAST = 1_000
"""A trial on so many rows is reference enough, and saves a fit."""
FITS_KEPT = 4
"""Fits that are remembered: ways of retraining that are played side by side often ask for the same."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A model and how it was made.

    Attributes:
        model: Fitted on all rows it was given.
        judged: The same recipe, fitted without the rows that judge it.
        sealed: Those newest rows: a fifth, or those of its trial.
        scores: Of ``judged`` on them.
        rows: All rows it was given.
        seconds: What making it took.
    """

    model: Model
    judged: Model
    sealed: Ints
    scores: Floats
    rows: Ints
    seconds: float


@dataclass(frozen=True, slots=True)
class Fit:
    """A model and what fitting it takes, whether it was fitted now or is remembered.

    Attributes:
        model: Fitted.
        seconds: That fitting it took.
    """

    model: Model
    seconds: float


class School:
    """Makes contenders: the first by a search, the others by fitting what it found on other rows.

    Args:
        everything: All rows of the replay, in order of time.
        times: When each happened.
        run: Effort, seed, catalogue.
    """

    def __init__(self, everything: Problem, times: Floats, run: Run) -> None:
        self._everything, self._times, self._run = everything, times, run
        self._found: Found | None = None
        self._fits: OrderedDict[bytes, Fit] = OrderedDict()

    def make(self, rows: Ints) -> Contender:
        """Return a contender that learnt from these rows, in order of time; the newest fifth judges its recipe."""
        begun = self._run.clock()
        cut = len(rows) - max(round(SEALED_SHARE * len(rows)), 1)
        learnt, sealed = rows[:cut], rows[cut:]
        if self._found is None:
            material = Material.prepare(self._everything.take(learnt))
            self._found = search(material, self._run, how=How.TIME, open_journal=lambda _: Journal())
            judged = evidence_model(self._found, self._run)
        else:
            judged = self.fit(learnt).model
        scores = judged.scores(self._everything.frame[sealed])
        spent = self._run.clock() - begun
        whole = self.fit(rows)
        # A remembered fit costs whoever asks for it what it cost the first one.
        return Contender(whole.model, judged, sealed, scores, rows, spent + whole.seconds)

    def trial(self, rows: Ints, judged_on: Ints) -> tuple[Model, Floats]:
        """Return the recipe fitted on all rows but those it is judged on, and its answers to these."""
        model = self.fit(np.setdiff1d(rows, judged_on)).model
        return model, model.scores(self._everything.frame[judged_on])

    def winner(self, rows: Ints, judged_on: Ints, judged: Model, scores: Floats) -> Contender:
        """Return the contender that a trial ended well for, fitted on all rows.

        The rows of the trial are what production is compared with afterwards; where they are too few, the newest fifth.
        """
        if len(judged_on) < REFERENCE_ROWS_LEAST:
            return self.make(rows)
        whole = self.fit(rows)
        return Contender(whole.model, judged, judged_on, scores, rows, whole.seconds)

    def fit(self, rows: Ints) -> Fit:
        """Return the recipe fitted on these rows."""
        assert self._found is not None
        key = np.ascontiguousarray(rows).tobytes()
        if key not in self._fits:
            begun = self._run.clock()
            material = Material.prepare(self._everything.take(rows), self._found.material.recipe)
            self._fits[key] = Fit(model_on(material, self._found, self._run), self._run.clock() - begun)
        self._fits.move_to_end(key)
        while len(self._fits) > FITS_KEPT:
            self._fits.popitem(last=False)
        return self._fits[key]

    def baseline(self, contender: Contender, *, every: float) -> Baseline:
        """Return what production is compared with while this contender answers."""
        p, sealed = self._everything, contender.sealed
        starts = self._times[sealed]
        window_of = np.floor((starts - starts.min()) / every).astype(np.int64)
        return fit_baseline(
            p.task.target,
            contender.model,
            p.frame[sealed],
            contender.scores,
            p.target[sealed],
            window_of=window_of,
            seed=p.seed,
        )
