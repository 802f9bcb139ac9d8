"""The front in the evidence: every model that a package can be pruned to, measured on the sealed rows and timed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.metrics import MEASURES
from modelwright.core.model import Model
from modelwright.evaluation.baselines import verdict
from modelwright.evaluation.intervals import measure
from modelwright.evaluation.pairs import paired
from modelwright.learners.blend import Blend
from modelwright.packaging.size import disk_bytes
from modelwright.search.final import shortened
from modelwright.search.front import Limits, limited, within

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelwright.core.arrays import Floats, Singles
    from modelwright.core.matrix import Matrix
    from modelwright.core.ports import Fitted
    from modelwright.core.run import Run
    from modelwright.core.score import Score
    from modelwright.core.settings import Settings
    from modelwright.core.task import Task
    from modelwright.learners.calibration import Calibrator
    from modelwright.packaging.package import Golden
    from modelwright.search.final import Member
    from modelwright.search.front import Point
    from modelwright.search.problem import Problem
    from modelwright.search.workshop import Found

ROWS_MOST = 20_000
"""Sealed rows that measure the models on the front; more would cost time and tell no more."""
BYTES_MOST = 2_000_000
"""Scores of the sealed rows by the models on the front travel along up to this size."""
CALLS = 60


@dataclass(frozen=True, slots=True)
class Fronted:
    """The front's entries, and the sealed rows' scores by those that are packaged and not delivered."""

    entries: tuple[dict[str, Any], ...]
    scores: Singles | None


def fronted(
    points: Sequence[Point], found: Found, judged: Model, sealed: Problem, scores: Floats, *, whole: Found
) -> Fronted:
    """Measure the models on the front.

    Args:
        points: From the whole ensemble to the cheapest.
        found: The search with the members that are delivered.
        judged: The model of these members that never saw the sealed rows.
        sealed: The sealed rows.
        scores: What it says of them.
        whole: The search before it was limited: it names the candidates.
    """
    members = tuple(_placed(found))
    matrix = judged.plan.matrix(sealed.frame)
    told = _Told(judged, dict(members), matrix)
    yard = found.yardsticks.scores(sealed.frame)
    entries, kept = [], []
    total = sum(m.weight for _, m in members)
    delivered = {i: (round(m.weight / total, 9), m.share) for i, m in members}
    n_labels = len(sealed.task.labels)
    is_light = 4 * len(points) * len(scores) * max(n_labels - 1 if n_labels == 2 else n_labels, 1) <= BYTES_MOST
    for point in points:
        entry = _entry(point, whole)
        is_delivered = {p.place: (round(p.weight, 9), p.share) for p in point.parts} == delivered
        if told.has(point):
            said = scores if is_delivered else told.scores(point)
            if not is_delivered and is_light:
                kept.append(said)
                entry["sealed_scores"] = len(kept) - 1
            entry |= _measured(sealed, said, scores, point.threshold, judged.threshold, yard)
        entries.append({**entry, "is_delivered": is_delivered})
    return Fronted(tuple(entries), np.stack([_narrow(k, n_labels) for k in kept]) if kept else None)


def _narrow(scores: Floats, n_labels: int) -> Singles:
    return (scores[:, None] if n_labels == 0 else scores[:, 1:] if n_labels == 2 else scores).astype(np.float32)


def widened(scores: Singles, n_labels: int) -> Floats:
    """Return scores as a model gives them from the form in which they travel: (n, width) float32."""
    wide = scores.astype(np.float64)
    return wide[:, 0] if n_labels == 0 else np.hstack([1.0 - wide, wide]) if n_labels == 2 else wide


def timed(entries: Sequence[dict[str, Any]], delivered: Model, golden: Golden, run: Run) -> tuple[dict[str, Any], ...]:
    """Return the entries with the time and the size of the models that the delivered one can be pruned to."""
    ready = [e for e in entries if "kpis" in e]
    whole = next((e for e in ready if e["is_delivered"]), None)
    if whole is None:
        return tuple(entries)
    models = [delivered if e is whole else pruned_model(delivered, whole, e) for e in ready]
    times = rows_ms([m.scores_of for m in models], golden, run)
    measured = {
        id(e): {"measured_ms": ms, "measured_bytes": disk_bytes(m.state())}
        for e, m, ms in zip(ready, models, times, strict=True)
    }
    return tuple({**e, **measured.get(id(e), {})} for e in entries)


def rows_ms(answer: Sequence[Callable[[Any], object]], golden: Golden, run: Run) -> list[float]:
    """Return the median milliseconds a row of several models, called in turns so that all meet the same load."""
    taken: list[list[float]] = [[] for _ in answer]
    records = cycle(golden.records)
    for _ in range(CALLS):
        record = [next(records)]
        for i, one in enumerate(answer):
            one(record)  # the model before has used the processor's memory
            begun = run.clock()
            one(record)
            taken[i].append(run.clock() - begun)
    return [float(np.median(times)) * 1e3 for times in taken]


def pruned_model(model: Model, whole: Mapping[str, Any], entry: Mapping[str, Any]) -> Model:
    """Return the model of an entry of the front, made of the parts of the one that is delivered.

    Args:
        model: The delivered model.
        whole: Its own entry.
        entry: One whose members it has.
    """
    from modelwright.learners.calibration import Calibrator

    blend = model.blend
    assert isinstance(blend, Blend)
    at = {m["name"]: (i, m["share"]) for i, m in enumerate(whole["members"])}
    members: list[Fitted] = []
    for m in entry["members"]:
        place, share = at[m["name"]]
        members.append(shortened(blend.members[place], m["share"] / share, m["learner"]))
    c = entry["calibrator"]
    calibrator = None if c is None else Calibrator(c["kind"], c["slope"], np.asarray(c["offset"], dtype=np.float64))
    weights = np.array([m["weight"] for m in entry["members"]])
    return Model(model.task, model.contract, model.plan, Blend(members, weights, calibrator), entry["threshold"])


def pruned_to(found: Found, points: Sequence[Point], settings: Settings) -> tuple[Found, str | None]:
    """Return the search with an ensemble within the limits that were set, and a sentence about its price."""
    if settings.latency is None and settings.size is None:
        return found, None
    limits = limits_of(settings.latency, settings.size)
    asked = asked_for(settings.latency, settings.size)
    if not points:
        return found, f"The ensemble was not pruned to {asked}: an older run's candidates have no counts."
    point, is_met = within(found, points, limits)
    if point is points[0]:
        return found, f"The whole ensemble is within {asked}."
    n = sum(w > 0 for w in found.result.weights)
    start = f"Pruned to {asked}: {len(point.parts)} of {n} members" if is_met else f"Nothing is within {asked}"
    rest = "" if is_met else "; the nearest candidate is delivered"
    return limited(found, point), f"{start}{rest}. {price(point.behind.to_dict(), found.material.problem.task)}"


def limits_of(latency: float | None, size: int | None) -> Limits:
    """Return limits from seconds and bytes, either of which may be left out."""
    return Limits(
        float("inf") if latency is None else 1e6 * latency,
        float("inf") if size is None else float(size),
    )


def asked_for(latency: float | None, size: int | None) -> str:
    """Return the limits in words."""
    named = [f"{1000 * latency:g} ms a row" if latency else "", f"{size / 1e6:g} MB" if size else ""]
    return " and ".join(name for name in named if name)


def price(behind: Mapping[str, Any], task: Task, on: str = "out of fold") -> str:
    """Return what pruning cost, in a sentence."""
    asked = MEASURES[task.metric]
    metric = asked if asked.reads == "scores" else MEASURES["log_loss"]
    value = behind["value"] or 0.0
    if (value >= 0) == metric.greater_is_better or value == 0:
        word = "no loss"
    else:
        word = "within the noise" if behind["low"] <= 0 <= behind["high"] else "a real loss"
    ends = f"{behind['low']:+.3g} to {behind['high']:+.3g}"
    return f"Its price {on}: {metric.title} {value:+.3g} (95 %: {ends}), {word}."


def disagreement(kpis: Mapping[str, Score], settings: Settings) -> str | None:
    """Return a sentence where a limit holds by the reckoning and not by the clock or the scales."""
    told = []
    ms, mb = kpis["inference_ms_p50"].value, kpis["size_mb_disk"].value
    if settings.latency is not None and ms > 1000 * settings.latency:
        told.append(f"a row took {ms:.3g} ms, more than the {1000 * settings.latency:g} ms that were reckoned with")
    if settings.size is not None and 1e6 * mb > settings.size:
        told.append(f"the model takes {mb:.3g} MB, more than the {settings.size / 1e6:g} MB that were reckoned with")
    return f"Measured on this machine {' and '.join(told)}." if told else None


def front_told(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the front in short, for one line a model."""
    return [
        {
            **{k: e[k] for k in ("members", "trees", "score", "behind", "latency_us", "size_bytes", "is_delivered")},
            "is_packaged": "kpis" in e,
            **{k: e[k] for k in ("measured_ms", "measured_bytes", "sealed_behind") if k in e},
        }
        for e in entries
    ]


def _placed(found: Found) -> list[tuple[int, Member]]:
    from modelwright.search.final import members_of

    places = [i for i, w in enumerate(found.result.weights) if w > 0]
    return list(zip(places, members_of(found), strict=True))


class _Told:
    """Remembers what each member, and the first trees of it, says of the sealed rows."""

    def __init__(self, judged: Model, members: dict[int, Member], matrix: Matrix) -> None:
        blend = judged.blend
        assert isinstance(blend, Blend)
        self._matrix = matrix
        self._members = {i: (m, f) for (i, m), f in zip(members.items(), blend.members, strict=True)}
        self._known: dict[tuple[int, float], Floats] = {}

    def has(self, point: Point) -> bool:
        """Whether the model can be made of the members there are."""
        return all(p.place in self._members and p.share <= self._members[p.place][0].share + 1e-12 for p in point.parts)

    def scores(self, point: Point) -> Floats:
        """Return what the model of a point says, rounded to what travels."""
        answers = [_Answer(self._of(p.place, p.share)) for p in point.parts]
        blend = Blend(answers, np.array([p.weight for p in point.parts]), point.calibrator)
        scores = blend.predict(self._matrix)
        if scores.ndim == 1:
            return scores.astype(np.float32).astype(np.float64)
        return widened(_narrow(scores, scores.shape[1]), scores.shape[1])

    def _of(self, place: int, share: float) -> Floats:
        if (place, share) not in self._known:
            member, fitted = self._members[place]
            part = shortened(fitted, share / member.share, member.tried.candidate.learner)
            self._known[place, share] = part.predict(self._matrix)
        return self._known[place, share]


class _Answer:
    """A part that has answered already."""

    def __init__(self, scores: Floats) -> None:
        self._scores = scores

    def predict(self, matrix: Matrix) -> Floats:
        """Return the answer that was given; a copy, for a blend adds to it."""
        assert matrix.n_rows == len(self._scores)
        return self._scores.copy()

    def state(self) -> Any:
        """Answers do not travel."""
        raise NotImplementedError


def _entry(point: Point, found: Found) -> dict[str, Any]:
    """Return what the search says of a model on the front, as plain data."""
    tried = found.result.tried
    members = [
        {
            "name": tried[p.place].candidate.name,
            "learner": tried[p.place].candidate.learner,
            "weight": p.weight,
            "share": p.share,
        }
        for p in point.parts
    ]
    trees = [c.cut(p.share).trees for p in point.parts if (c := tried[p.place].counts) is not None]
    return {
        "members": members,
        "trees": sum(trees),
        "score": point.score,
        "behind": point.behind.to_dict(),
        "latency_us": round(point.latency_us, 1),
        "size_bytes": round(point.size_bytes),
        "calibrator": _plain_calibrator(point.calibrator),
        "threshold": point.threshold,
    }


def _plain_calibrator(calibrator: Calibrator | None) -> dict[str, Any] | None:
    if calibrator is None:
        return None
    return {"kind": calibrator.kind, "slope": calibrator.slope, "offset": calibrator.offset.tolist()}


def _measured(
    sealed: Problem, said: Floats, whole: Floats, threshold: float, whole_threshold: float, yard: dict[str, Floats]
) -> dict[str, Any]:
    """Return the measures of a model on the sealed rows, beside the delivered one's on the same."""
    task, n = sealed.task, len(said)
    rows = np.arange(n) if n <= ROWS_MOST else np.sort(np.random.default_rng(sealed.seed).choice(n, ROWS_MOST, False))
    target, said, whole = sealed.target[rows], said[rows], whole[rows]
    weight = None if sealed.weight is None else sealed.weight[rows]

    def choices(scores: Floats, at: float) -> Any:
        return (scores[:, 1] >= at).astype(np.int64) if len(task.labels) == 2 else None

    own = choices(said, threshold)
    metric = MEASURES[task.metric]
    both = (own, choices(whole, whole_threshold))
    behind = paired(task, target, said, whole, metric=metric.name, choices=both, weight=weight)
    chosen = own if own is not None else said.argmax(axis=1) if task.is_classification else said
    kpis = measure(task, target, said, chosen, weight=weight)
    baselines = verdict(
        task, target, said, yard["constant"][rows], yard["lightgbm_default"][rows], choices=chosen, weight=weight
    )
    return {
        "kpis": {name: score.to_dict() for name, score in kpis.items()},
        "baselines": baselines,
        "sealed_behind": behind.to_dict(),
    }
