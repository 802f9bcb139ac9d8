"""The front: what of the ensemble's accuracy a quicker or smaller model would keep.

From the whole ensemble members are dropped, and the trees of members are cut, one move after the other: always the
move that costs least loss for what it saves. Each stop is a model by itself, made of parts of the one that is
delivered, with an out-of-fold score of its own. What is saved is reckoned from counts (``learners.costs``), never from
a clock, so that the same data gives the same front; times are measured afterwards, and shown beside.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.metrics import MEASURES
from modelwright.evaluation.pairs import paired
from modelwright.evaluation.thresholds import threshold_of
from modelwright.learners.calibration import fit_calibrator
from modelwright.packaging.size import disk_bytes
from modelwright.search.ensemble import STEPS, loss_of
from modelwright.search.latency import final_counts, reading_us_of, rounds_growth
from modelwright.search.trial import front_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from modelwright.core.arrays import Array, Floats
    from modelwright.core.score import Score
    from modelwright.learners.calibration import Calibrator
    from modelwright.learners.costs import Counts
    from modelwright.search.workshop import Found

POINTS_MOST = 8
RIVALS_MOST = 12
"""So many of the best candidates, besides the members, are looked at when an ensemble is chosen within limits."""
SIZE_SPARE = 1.1
"""Leaves grow with the rows, and the last fit sees more of them."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an ensemble may cost; infinite where nothing was said.

    Attributes:
        latency_us: Microseconds for one row, by the reckoning.
        size_bytes: Of plan and members in a package.
    """

    latency_us: float = float("inf")
    size_bytes: float = float("inf")

    def allow(self, latency_us: float, size_bytes: float) -> bool:
        """Whether a model of this cost is within them."""
        return latency_us <= self.latency_us and size_bytes <= self.size_bytes


@dataclass(frozen=True, slots=True)
class Part:
    """A candidate in an ensemble: its place among those tried, its weight, and the share of its trees that is kept."""

    place: int
    weight: float
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Point:
    """A model on the front.

    Attributes:
        parts: Its members.
        calibrator: Fitted on its own out-of-fold predictions.
        threshold: Likewise.
        score: The metric that candidates are compared by, out of fold.
        behind: That metric less the whole ensemble's, on the same rows, with its interval.
        latency_us: Reckoned for one row.
        size_bytes: Reckoned, plan included.
        blended: Its calibrated out-of-fold predictions.
    """

    parts: tuple[Part, ...]
    calibrator: Calibrator | None
    threshold: float
    score: float
    behind: Score
    latency_us: float
    size_bytes: float
    blended: Floats = field(repr=False)


def front_of(found: Found) -> tuple[Point, ...]:
    """Return the models on the front, the whole ensemble first and each cheaper than the one before it.

    Args:
        found: A search; a candidate that an older journal knew without its counts leaves the front empty.
    """
    scales = _Scales.of(found)
    if scales is None:
        return ()
    whole = tuple(Part(i, float(w)) for i, w in enumerate(found.result.weights) if w > 0)
    path = [whole]
    while (after := scales.next(path[-1])) is not None:
        path.append(after)
    kept = _spread(_efficient(path, scales), scales)
    first = scales.point(whole, None, of=found)
    return (first, *(scales.point(parts, first) for parts in kept if parts != whole))


def within(found: Found, points: Sequence[Point], limits: Limits) -> tuple[Point, bool]:
    """Return the best model within limits, and whether there is one; otherwise the cheapest there is.

    Not only members of the ensemble are looked at: what is best among many need not be best among few.
    """
    scales = _Scales.of(found)
    assert scales is not None, "a front"
    fits = [p for p in points if limits.allow(p.latency_us, p.size_bytes)]
    if fits and fits[0] is points[0]:
        return points[0], True
    chosen = scales.greedy(limits)
    if chosen:
        fits.append(scales.point(chosen, points[0]))
    if fits:
        return min(fits, key=lambda p: scales.loss(scales.mixed(p.parts))), True
    return scales.point(scales.cheapest(limits), points[0]), False


def limited(found: Found, point: Point) -> Found:
    """Return the search with the members of a point in place of the ensemble it came to."""
    weights = np.zeros(len(found.result.tried))
    shares = {}
    for part in point.parts:
        weights[part.place], shares[part.place] = part.weight, part.share
    judged = front_rows(found.result.covered, found.material.problem.seed)
    return replace(
        found,
        result=replace(found.result, weights=weights),
        blended=point.blended,
        calibrator=point.calibrator,
        threshold=point.threshold,
        shares=shares,
        judged=judged,
    )


Form = tuple[int, float]
"""A candidate by its place, and a share of its trees."""


@dataclass(slots=True)
class _Scales:
    """Weighs forms: their out-of-fold predictions on the rows of the front, and their costs."""

    found: Found
    target: Array
    weight: Floats | None
    metric: str
    forms: dict[Form, Floats]
    costs: dict[Form, Counts]
    reading_us: float
    plan_bytes: int

    @classmethod
    def of(cls, found: Found) -> _Scales | None:
        p, result = found.material.problem, found.result
        members = {i for i, w in enumerate(result.weights) if w > 0}
        if any(result.tried[i].counts is None for i in members):
            return None
        rows = front_rows(result.covered, p.seed)
        at = rows[result.covered]
        growth = rounds_growth(p.n_rows, found.folds)
        asked = MEASURES[p.task.metric]
        best = sorted(range(len(result.tried)), key=lambda i: result.tried[i].score, reverse=asked.greater_is_better)
        forms: dict[Form, Floats] = {}
        costs: dict[Form, Counts] = {}
        for i in sorted(members | set(best[:RIVALS_MOST])):
            one = result.tried[i]
            for share, told in {1.0: one.predictions[at], **one.shorter}.items():
                counts = final_counts(one, growth, share)
                if counts is not None:
                    forms[i, share], costs[i, share] = told, counts
        reading = reading_us_of(found.material)
        metric = asked.name if asked.reads == "scores" else "log_loss"
        plan_bytes = disk_bytes(found.material.plan.state())
        weight = p.weight_of(rows)
        return cls(found, p.target[rows], weight, metric, forms, costs, reading, plan_bytes)

    def latency_us(self, forms: Iterable[Form]) -> float:
        return self.reading_us + sum(self.costs[form].row_us for form in forms)

    def size_bytes(self, forms: Iterable[Form]) -> float:
        return self.plan_bytes + SIZE_SPARE * sum(self.costs[form].bytes for form in forms)

    def mixed(self, parts: Sequence[Part]) -> Floats:
        """Return the weighted mean of the parts' predictions."""
        total = sum(p.weight for p in parts)
        return np.asarray(sum(p.weight / total * self.forms[p.place, p.share] for p in parts))

    def loss(self, predictions: Floats) -> float:
        return loss_of(self.metric, self.target, predictions, self.weight)

    def next(self, parts: tuple[Part, ...]) -> tuple[Part, ...] | None:
        """Return the parts after the move that costs least loss for what it saves, or None at the end."""
        now, cost = self.loss(self.mixed(parts)), self._cost(parts)
        moves = [tuple(p for p in parts if p is not one) for one in parts if len(parts) > 1]
        for one in parts:
            shorter = max((s for i, s in self.forms if i == one.place and s < one.share), default=None)
            if shorter is not None:
                moves.append(tuple(replace(p, share=shorter) if p is one else p for p in parts))
        priced: list[tuple[float, int, tuple[Part, ...]]] = []
        for move in moves:
            saved = cost - self._cost(move)
            if saved > 0:
                priced.append(((self.loss(self.mixed(move)) - now) / saved, len(priced), move))
        return min(priced)[2] if priced else None

    def _cost(self, parts: Sequence[Part]) -> float:
        """Return what parts cost in time and room, each as a share of what the whole ensemble does."""
        whole = [(i, 1.0) for i, w in enumerate(self.found.result.weights) if w > 0]
        forms = [(p.place, p.share) for p in parts]
        time = self.latency_us(forms) / self.latency_us(whole)
        return time + self.size_bytes(forms) / max(self.size_bytes(whole), 1.0)

    def greedy(self, limits: Limits) -> tuple[Part, ...]:
        """Return the best ensemble within limits that is built form by form, at most one of each candidate."""
        counts: dict[Form, int] = {}
        total: Floats | float = 0.0
        best: tuple[float, dict[Form, int]] = (float("inf"), {})
        for step in range(1, STEPS + 1):
            priced: list[tuple[float, Form]] = []
            for form, told in self.forms.items():
                taken = {*counts, form}
                if len({i for i, _ in taken}) < len(taken):
                    continue
                if form not in counts and not limits.allow(self.latency_us(taken), self.size_bytes(taken)):
                    continue
                priced.append((self.loss((total + told) / step), form))
            if not priced:
                break
            loss, form = min(priced)
            total = total + self.forms[form]
            counts = {**counts, form: counts.get(form, 0) + 1}
            if loss < best[0] - 1e-12:
                best = loss, counts
        n = sum(best[1].values())
        return tuple(Part(i, c / n, share) for (i, share), c in sorted(best[1].items()))

    def cheapest(self, limits: Limits) -> tuple[Part, ...]:
        """Return the one form that is nearest to the limits."""

        def over(form: Form) -> float:
            return max(self.latency_us([form]) / limits.latency_us, self.size_bytes([form]) / limits.size_bytes)

        place, share = min(self.forms, key=over)
        return (Part(place, 1.0, share),)

    def point(self, parts: tuple[Part, ...], first: Point | None, *, of: Found | None = None) -> Point:
        """Return a model on the front; the whole ensemble, which is ``of`` a search, keeps what was decided there."""
        p = self.found.material.problem
        blended, threshold, calibrator = self.mixed(parts), 0.5, None
        if of is not None:
            calibrator, threshold = of.calibrator, of.threshold
        elif p.n_classes:
            calibrator = fit_calibrator(blended, self.target.astype(np.int64), weight=self.weight, seed=p.seed)
        if calibrator is not None:
            blended = calibrator.apply(blended)
        if of is None and p.n_classes:
            threshold = threshold_of(p.task, self.target.astype(np.int64), blended)
        against = blended if first is None else first.blended
        behind = paired(p.task, self.target, blended, against, metric=self.metric, weight=self.weight)
        loss, forms = self.loss(blended), [(part.place, part.share) for part in parts]
        total = sum(part.weight for part in parts)
        return Point(
            parts=tuple(replace(part, weight=part.weight / total) for part in parts),
            calibrator=calibrator,
            threshold=threshold,
            score=-loss if MEASURES[self.metric].greater_is_better else loss,
            behind=behind,
            latency_us=self.latency_us(forms),
            size_bytes=self.size_bytes(forms),
            blended=blended,
        )


def _efficient(path: list[tuple[Part, ...]], scales: _Scales) -> list[tuple[Part, ...]]:
    """Return the stops of which no later one, which is cheaper, is at least as good."""
    losses = [scales.loss(scales.mixed(parts)) for parts in path]
    return [parts for i, parts in enumerate(path) if all(losses[i] < later for later in losses[i + 1 :]) or i == 0]


def _spread(path: list[tuple[Part, ...]], scales: _Scales) -> list[tuple[Part, ...]]:
    """Return at most so many stops as are shown, first and last among them, evenly spread by the factor of cost."""
    if len(path) <= POINTS_MOST:
        return path
    costs = np.log([scales.latency_us([(p.place, p.share) for p in parts]) for parts in path])
    wanted = np.linspace(costs[0], costs[-1], POINTS_MOST)
    return [path[i] for i in sorted({int(np.abs(costs - w).argmin()) for w in wanted})]
