"""Batch and stochastic gradient descent: the same number of looks at the rows, spent in different portions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from modelwright.handbook.entry import Entry, Experiment, Figure, Point, Topic
from modelwright.handbook.facts import Facts
from modelwright.handbook.strength import strongest
from modelwright.reports import plots
from modelwright.reports.figures import Series

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.handbook.arrays import Answers
    from modelwright.handbook.sample import Sample

EPOCHS, MINI, ROWS_MOST, COLUMNS_MOST, LATE = 20, 32, 1_500, 20, 5
AT_REST = 1e-9
"""Below this share of the way, what is left is rounding."""


def experiment(sample: Sample, seed: int) -> Experiment:
    """Descend with all rows, with 32 and with one row a step; the last also with a falling rate."""
    s = sample.numeric().few(ROWS_MOST, seed=seed)
    x, y = s.fit.x[:, strongest(s.fit.x, s.fit.y, is_classes=False)[:COLUMNS_MOST]], s.fit.y
    floor = _loss(x, y, np.linalg.lstsq(x, y, rcond=None)[0])
    start = _loss(x, y, np.zeros(x.shape[1]))
    plans = {"batch": (len(y), False), "mini": (min(MINI, len(y)), False), "single": (1, False), "falling": (1, True)}
    runs = {name: _run(x, y, size, falls=falls, seed=seed) for name, (size, falls) in plans.items()}

    f = Facts()
    f.count("n_fit", "rows learnt from", s.fit.n)
    f.count("n_columns", "columns", x.shape[1])
    f.count("epochs", "epochs: looks at every row", EPOCHS)
    f.count("mini", "rows in a small batch", MINI)
    f.number("start", "loss at the start", start)
    f.number("floor", "least possible loss", floor)
    words = {
        "batch": "all rows",
        "mini": f"batches of {MINI}",
        "single": "single rows",
        "falling": "single rows, falling rate",
    }
    for name, (losses, seconds, n_updates) in runs.items():
        f.count(f"updates_{name}", f"steps an epoch, {words[name]}", n_updates)
        f.percent(f"first_{name}", f"share of the way after one epoch, {words[name]}", _way(losses[1], start, floor))
        f.percent(f"last_{name}", f"share of the way in the end, {words[name]}", _way(losses[-1], start, floor))
        f.number(
            f"above_{name}",
            f"mean loss above the least, last {LATE} epochs, {words[name]}",
            float(np.mean(losses[-LATE:])) - floor,
            2,
        )
        f.seconds(f"seconds_{name}", f"time, {words[name]}", seconds)
    done = f.say(
        "The same linear model ({n_columns} columns) was fitted to {n_fit} rows by descent on the squared "
        "error, each method looking {epochs} times at every row: all rows a step, {mini} rows a step, one "
        "row a step, "
        "and one row a step with a rate that falls from epoch to epoch. Each had half the largest rate that "
        "theory calls safe for its batch."
    )
    return Experiment(done, (_figure(runs, start, floor, words),), f.all(), _meaning(f), _advice(f), s.notes)


def _loss(x: Floats, y: Answers, weights: Answers) -> float:
    return float(((x @ weights - y) ** 2).mean() / 2)


def _way(loss: float, start: float, floor: float) -> float:
    return max((start - loss) / (start - floor), 0.0) if start > floor else 0.0


def _run(x: Floats, y: Answers, size: int, *, falls: bool, seed: int) -> tuple[list[float], float, int]:
    """Return the loss before the first and after every epoch, the seconds it took, and the steps of an epoch."""
    rng, n = np.random.default_rng(seed), len(y)
    steep = float(np.linalg.eigvalsh(x.T @ x / n)[-1])
    rowwise = float((x**2).sum(axis=1).max())
    rate = 0.5 / (rowwise / size + steep * (size - 1) / size)
    weights, losses, seconds = np.zeros(x.shape[1]), [_loss(x, y, np.zeros(x.shape[1]))], 0.0
    for epoch in range(EPOCHS):
        order, begun = rng.permutation(n), time.perf_counter()
        step = rate / (1 + epoch) if falls else rate
        for i in range(0, n, size):
            rows = order[i : i + size]
            part = x[rows]
            weights = weights - step * (part.T @ (part @ weights - y[rows])) / len(rows)
        seconds += time.perf_counter() - begun
        losses.append(_loss(x, y, weights))
    return losses, seconds, -(-n // size)


def _meaning(f: Facts) -> tuple[str, ...]:
    said = [
        f.say(
            "After one look at the rows, descent with all rows has gone {first_batch} of the way, with batches "
            "of {mini} rows {first_mini}, with single rows {first_single}: the smaller the batch, the more steps "
            "({updates_batch}, {updates_mini} and {updates_single}) for the same reading."
        )
    ]
    if f["above_single"] < AT_REST * (f["start"] - f["floor"]):
        said.append(
            "Here even single rows come to rest: all rows agree on the best weights, so each row's gradient vanishes "
            "there, and nothing keeps the steps moving."
        )
    else:
        said += _restless(f)
    said.append(
        f.say(
            "In the end they have gone {last_batch}, {last_mini}, {last_single} and {last_falling} of the "
            "way; in this plain numpy the {epochs} epochs took {seconds_batch}, {seconds_mini}, "
            "{seconds_single} and {seconds_falling}: small batches cost time where big ones use the "
            "processor's width."
        )
    )
    return tuple(said)


def _restless(f: Facts) -> list[str]:
    """Return what the noise of single rows does, and whether a falling rate takes it away."""
    said = []
    if f["above_single"] > f["above_mini"] * 1.2:
        said.append(
            f.say(
                "But a fixed rate on single rows never comes to rest: over the last epochs it lies "
                "{above_single} above the least loss, batches of {mini} rows only {above_mini}. One row's gradient is "
                "right only on average, and the noise keeps it moving."
            )
        )
    if f["above_falling"] < f["above_single"]:
        said.append(f.say("With a falling rate the noise dies down: {above_falling} instead of {above_single}."))
    else:
        said.append(
            f.say(
                "A falling rate does not help here ({above_falling} against {above_single}): it fell before "
                "the way was gone."
            )
        )
    return said


def _advice(f: Facts) -> tuple[str, ...]:
    best = max(("batch", "mini", "single", "falling"), key=lambda name: f[f"last_{name}"])
    name = {
        "batch": "all rows a step",
        "mini": f"batches of {MINI}",
        "single": "single rows",
        "falling": "single rows with a falling rate",
    }[best]
    return (
        f.say(
            "For this table and this many epochs, "
            + name
            + " came closest ({last_"
            + best
            + "} of the way). Small batches are the usual choice in between: many steps, little noise, whole "
            "vectors for the processor."
        ),
        "For a linear model of a few thousand rows use an exact or second-order solver; stochastic steps pay "
        "when rows no longer fit into memory, or for networks.",
    )


def _figure(
    runs: dict[str, tuple[list[float], float, int]], start: float, floor: float, words: dict[str, str]
) -> Figure:
    least = (start - floor) * 1e-5 + 1e-12
    series = [
        Series(words[name], tuple((float(i), max(v - floor, least)) for i, v in enumerate(losses)))
        for name, (losses, _, _) in runs.items()
    ]
    spec = plots.lines(
        series,
        plots.Axis("epochs: looks at every row"),
        plots.Axis("loss above the least possible (log scale)", is_log=True),
    )
    return Figure(
        "The same reading, four ways",
        "Lower is closer to the best weights; a line that trembles has stopped getting nearer.",
        spec,
    )


ENTRY = Entry(
    name="batch-stochastic",
    question="What is the difference between batch, mini-batch and stochastic gradient descent?",
    topic=Topic.ALGORITHMS,
    short="They differ in how many rows each step looks at: all (exact and slow), one (noisy and quick), or a few "
    "dozen (the usual compromise).",
    explanation=(
        "The loss is a mean over rows, so its gradient is too. Batch descent computes it over all rows for "
        "every step. Stochastic descent takes one row's gradient, which is right on average, and steps at "
        "once. "
        "Mini-batches average a few dozen.",
        "Halving the noise takes four times the rows, while one step over all rows costs n times a single "
        "one; so early on, many cheap noisy steps beat few exact ones. "
        "Late, the noise dominates: with a fixed rate the weights wander around the minimum, and the rate "
        "must fall (or the batch grow) to settle.",
        "Mini-batches also suit the hardware, which multiplies matrices far faster than row by row, and "
        "their noise helps networks leave sharp valleys. "
        "Rows are shuffled every epoch; batch size and rate are tuned together.",
    ),
    points=(
        Point(
            "Batch uses all rows a step, stochastic one, mini-batch a few dozen.",
            r"all|entire|one|single|whole|subset|mini",
        ),
        Point(
            "Stochastic steps are cheap and noisy; batch steps exact and expensive.",
            r"nois|varian|expens|cheap|fast|slow|exact|stable",
        ),
        Point(
            "With a fixed rate stochastic descent hovers around the minimum; rates are made to fall.",
            r"hover|oscillat|decay|schedul|fall|around|converg",
        ),
        Point(
            "Mini-batches use vector hardware and are the default.",
            r"gpu|vector|hardware|parallel|default|compromise|balance",
        ),
    ),
    experiment=experiment,
    table="diabetes",
    related=("gradient-descent", "backpropagation"),
)
