"""The final fit: the chosen candidates, fitted once more on every row there is."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from modelwright.core.machine import ShortTurns
from modelwright.core.model import Model
from modelwright.core.ports import Cuttable, Joinable, Lesson
from modelwright.learners.blend import Blend
from modelwright.search.clocks import Witness, repeating
from modelwright.search.memory import Memory, fit_bytes, held_bytes
from modelwright.search.pace import package_seconds
from modelwright.search.portfolio import FOREST
from modelwright.search.problem import Material
from modelwright.search.threads import slots, threads_of_fits, wall_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelwright.core.ports import Fitted, Learner
    from modelwright.core.run import Run
    from modelwright.core.split import Folds
    from modelwright.search.problem import Problem
    from modelwright.search.trial import Tried
    from modelwright.search.workshop import Found

ROUNDS_GROWTH = 0.5
"""A fit on more rows bears more rounds; half of the rows' growth is a cautious share of it."""
ENOUGH = 0.85
"""A final fit that time ends after this share of its rounds is taken: more rows are worth more than the last rounds."""
FOREST_TREES = 100
"""A forest grows so many trees where nothing is said."""
STARTS = 4
"""A network is learnt from up to so many starts where time is left: no fold has to be fitted for it, and the mean of
several errs less than one (docs/decisions/0011)."""
START_SAFETY, SEED_STEP = 1.2, 7_919
"""Another start is made where this many times the seconds of the first are left; its seed is so far from the last."""
AGAIN, START = "again", "start"
TRAINING_ROWS, ALL_ROWS = "training rows", "all rows"


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the ensemble: what is fitted, at which weight, and the share of its rounds or trees it keeps."""

    tried: Tried
    weight: float
    share: float = 1.0


def rows_fitted(folds: Folds) -> float:
    """Return how many rows a fold's fit sees in the mean: forward in time, each sees more than the one before."""
    return float(np.mean([len(fold.fit) for fold in folds.folds]))


def members_of(found: Found) -> tuple[Member, ...]:
    """Return the candidates that have weight, in the order in which they were tried."""
    pairs = enumerate(zip(found.result.tried, found.result.weights, strict=True))
    return tuple(Member(t, float(w), found.shares.get(i, 1.0)) for i, (t, w) in pairs if w > 0)


def model_on(material: Material, found: Found, run: Run) -> Model:
    """Fit all members on all rows of the material and return the model, however long it takes."""
    return _fit_all(material, found, run, slots(material.problem.n_rows, run), lambda: float("inf"))[0]


def evidence_model(found: Found, run: Run) -> Model:
    """Return the model that the sealed rows judge: fitted on the training rows only.

    A holdout's own fits serve as they are; after cross-validation all members are fitted on all training rows.
    """
    held = _model_of_holdout(found) if found.folds.is_holdout else None
    if held is not None:
        return held
    run.say("finish", "fitting on all training rows")
    p = found.material.problem
    n_slots = max(slots(p.n_rows, run) // 2, 1)  # the other half belongs to the final fit
    return _fit_all(found.material, found, run, n_slots, lambda: float("inf"))[0]


class FinalFit:
    """The model to deliver, being fitted in the background while the judged one is measured.

    The same members with the same rounds are fitted on all rows, the sealed ones included, when time allows. The
    judged model needs one core at a time, so on two the final fit costs next to no time.

    Args:
        found: The search whose members are fitted.
        everything: All rows.
        run: Budget and threads.
        is_wanted: Otherwise nothing is fitted and the judged model is delivered.
        starts: From how many starts networks may be learnt, in time that would be left over.
        repeated: What the members' fits of an earlier run were told of the time, and are told again.

    Attributes:
        clocks: What the members' fits were told of the time.
    """

    def __init__(
        self,
        found: Found,
        everything: Problem,
        run: Run,
        *,
        is_wanted: bool = True,
        starts: int = 1,
        repeated: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self._repeated, self._starts = repeated, starts
        self._found, self._everything, self._run, self._is_wanted = found, everything, run, is_wanted
        self._is_given_up = False
        self._memory = Memory(run.memory_bytes)
        self._pool = ThreadPoolExecutor(1, "final-fit")
        self._pending: Future[Model | None] | None = None
        self.clocks: tuple[Mapping[str, Any], ...] = ()

    def __enter__(self) -> Self:
        if self._is_wanted and self._run.threads > 1:
            self._pending = self._pool.submit(self._fit)
        return self

    def __exit__(self, *_: object) -> None:
        self._is_given_up = True
        self._pool.shutdown()

    @property
    def seconds_needed(self) -> float:
        """About how long the fit takes."""
        return self._seconds_needed() / ENOUGH if self._is_wanted else 0.0

    def result(self, *, otherwise: Model) -> tuple[Model, str]:
        """Wait for the model and return it with the rows it was fitted on.

        Args:
            otherwise: The judged model, which is delivered when the final fit finds no time.
        """
        model = self._fit() if self._pending is None else self._pending.result()
        return (otherwise, TRAINING_ROWS) if model is None else (model, ALL_ROWS)

    def _fit(self) -> Model | None:
        if not self._is_wanted or self._seconds_left() < self._seconds_needed() or not self._has_room():
            return None
        material = Material.prepare(self._everything, self._found.material.recipe)
        how = (self._n_slots, self._seconds_left, self._repeated, self._starts)
        model, is_cut, self.clocks = _fit_all(material, self._found, self._run, *how)
        return None if is_cut else model

    def _has_room(self) -> bool:
        """Whether the largest of the fits, and the matrix of all rows, are reckoned to stay within the memory."""
        limit = self._run.memory_bytes
        if limit is None:
            return True
        base = self._found.material.base
        growth = self._everything.n_rows / base.n_rows
        fits = [fit_bytes(m.tried.candidate.learner, base) for m in members_of(self._found)]
        return held_bytes() + growth * (base.values.nbytes + self._n_slots * max(fits)) < limit

    @property
    def _n_slots(self) -> int:
        whole = slots(self._everything.n_rows, self._run)
        # After a holdout nothing else is being fitted; after cross-validation the judged model is, beside this one.
        return whole if self._found.folds.is_holdout else max(whole - whole // 2, 1)

    def _seconds_left(self) -> float:
        if self._run.is_stopped() or self._is_given_up or self._memory.is_scarce():
            return 0.0
        return self._run.seconds_left() - package_seconds(self._run.budget_seconds)

    def _seconds_needed(self) -> float:
        growth = max(self._everything.n_rows / rows_fitted(self._found.folds), 1.0)
        fits = [m.tried.fit_seconds * growth for m in members_of(self._found)]
        return ENOUGH * wall_seconds(fits, self._n_slots)


def _fit_all(
    material: Material,
    found: Found,
    run: Run,
    n_slots: int,
    seconds_left: Callable[[], float],
    repeated: Sequence[Mapping[str, Any]] = (),
    starts: int = 1,
) -> tuple[Model, bool, tuple[Mapping[str, Any], ...]]:
    """Return the model of all members, whether time cut one far too short, and what each was told of the time.

    Once all are fitted, networks are learnt from other starts, up to ``starts`` in all, while there are seconds.

    The plan is completed with encodings fitted on all rows of the material.
    """
    plan, matrix = material.whole()
    members = members_of(found)
    p = material.problem
    at_once = min(n_slots, len(members))
    threads = threads_of_fits(found.material.problem.n_rows, run)
    lesson = Lesson(matrix, p.target, p.n_classes, p.weight, None, p.seed, threads)
    fitting = _Fitting(run, lesson, p.n_rows / rows_fitted(found.folds), seconds_left)
    said = list(repeated) if len(repeated) == len(members) else [None] * len(members)
    with ThreadPoolExecutor(at_once) as pool:
        fits = list(pool.map(fitting.fit, members, said))
    is_cut = any(one.is_cut for one in fits)
    if not is_cut:
        fits = fitting.again(members, fits, said, starts, n_slots)
    blend = Blend([one.fitted for one in fits], np.array([m.weight for m in members]), found.calibrator)
    return Model(p.task, p.contract, plan, blend, found.threshold), is_cut, tuple(one.clock for one in fits)


@dataclass(frozen=True, slots=True)
class _Fit:
    """What a member's fit came to: the part, how long it took, whether time cut it short, what it was told of the time.

    The clocks of other starts that joined it stand in its own.
    """

    fitted: Fitted
    seconds: float
    is_cut: bool
    clock: Mapping[str, Any]

    def joined(self, another: _Fit) -> _Fit:
        """Return it with another start's network beside its own."""
        assert isinstance(self.fitted, Joinable)
        clock = {**self.clock, AGAIN: [*self.clock.get(AGAIN, ()), another.clock]}
        return replace(self, fitted=self.fitted.joined(another.fitted), clock=clock)


@dataclass(frozen=True, slots=True)
class _Fitting:
    """Fits members on the rows of one lesson.

    Attributes:
        run: Catalogue and clock.
        lesson: All rows.
        growth: Its rows, counted in those that a fold's fit saw.
        seconds_left: Told to the fits, unless they repeat what was told before.
    """

    run: Run
    lesson: Lesson
    growth: float
    seconds_left: Callable[[], float]

    def fit(self, member: Member, said: Mapping[str, Any] | None, start: int = 0) -> _Fit:
        """Fit a member, from one of its starts; ``said`` is what an earlier fit of it was told of the time."""
        params, name = _params(member, self.growth), member.tried.candidate.learner
        learner: Learner = self.run.catalogue.find("learner", name)(**params)
        clock = Witness(self.seconds_left if said is None else repeating(said), name)
        lesson = replace(self.lesson, seed=self.lesson.seed + SEED_STEP * start, seconds_left=clock)
        begun = self.run.clock()
        with ShortTurns():  # beside it the judged model is measured
            fitted, curve = learner.fit(lesson)
        is_cut = curve.ended == "time" and curve.best_round < ENOUGH * params["rounds"]
        return _Fit(fitted, self.run.clock() - begun, is_cut, clock.record())

    def again(
        self, members: Sequence[Member], fits: list[_Fit], said: list[Any], starts: int, n_slots: int
    ) -> list[_Fit]:
        """Return the fits, networks joined by what is learnt from other starts: in time that is left, or as before."""
        networks = [i for i, one in enumerate(fits) if isinstance(one.fitted, Joinable)]
        jobs: list[tuple[int, int, Any]] = [(start, i, None) for start in range(1, starts) for i in networks]
        if any(said):
            jobs = [(known[START], i, known) for i in networks for known in said[i].get(AGAIN, ())]

        def another(start: int, i: int, known: Any) -> _Fit | None:
            if known is None and self.seconds_left() < START_SAFETY * fits[i].seconds:
                return None
            found = self.fit(members[i], known, start)
            return None if found.is_cut else replace(found, clock={**found.clock, START: start})

        joined = list(fits)
        with ThreadPoolExecutor(n_slots) as pool:
            for (_, i, _), one in zip(jobs, pool.map(lambda job: another(*job), jobs), strict=True):
                joined[i] = joined[i] if one is None else joined[i].joined(one)
        return joined


def _params(member: Member, growth: float) -> dict[str, Any]:
    """Return the parameters for more rows: as many rounds as the folds found best, grown with the rows."""
    tried = member.tried
    params = dict(tried.candidate.params)
    if tried.rounds:
        rounds = float(np.mean(tried.rounds)) * (1 + ROUNDS_GROWTH * max(growth - 1, 0.0))
        params["rounds"] = max(round(rounds * member.share), 1)
    elif member.share < 1.0:
        params["trees"] = max(round(params.get("trees", FOREST_TREES) * member.share), 1)
    return params


def _model_of_holdout(found: Found) -> Model | None:
    """Return the model of the holdout's own fits, or None where they are not at hand (a resumed run)."""
    members = members_of(found)
    if not all(m.tried.fitted for m in members):
        return None
    material = found.material
    p = material.problem
    plan = material.plan_of_fold(found.folds.folds[0])
    fitted = tuple(shortened(m.tried.fitted[0], m.share, m.tried.candidate.learner) for m in members)
    blend = Blend(fitted, np.array([m.weight for m in members]), found.calibrator)
    return Model(p.task, p.contract, plan, blend, found.threshold)


def shortened(fitted: Fitted, share: float, learner: str) -> Fitted:
    """Return a member with this share of its trees; others are left whole."""
    if share == 1.0 or not isinstance(fitted, Cuttable):
        return fitted
    return fitted.cut(share, is_mean=learner == FOREST.learner)
