"""Gradient descent: run on the data at four rates, beside the exact answer."""

from __future__ import annotations

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

RATES = {"slow": 0.05, "good": 1.0, "brink": 1.95, "over": 2.05}
"""Rates as multiples of 1 / L, where L is the steepest curvature; from 2 / L on descent diverges."""
STEPS, WALK, COLUMNS_MOST, CELLS = 300, 40, 20, 33
CLOSE, FLAT = 0.01, 1e-6
"""Within this share of the way counts as arrived; curvatures below that share of the steepest count as none."""


def experiment(sample: Sample, seed: int) -> Experiment:
    """Descend to the least squared error at several rates, and draw the walk over two weights."""
    s = sample.numeric()
    order = strongest(s.fit.x, s.fit.y, is_classes=False)
    x, y = s.fit.x[:, order[:COLUMNS_MOST]], s.fit.y
    curvature = np.linalg.eigvalsh(x.T @ x / len(y))
    steepest, flattest = float(curvature[-1]), float(curvature[curvature > curvature[-1] * FLAT][0])
    exact = np.linalg.lstsq(x, y, rcond=None)[0]
    floor, start = _loss(x, y, exact), _loss(x, y, np.zeros(x.shape[1]))
    losses = {name: _descend(x, y, times / steepest) for name, times in RATES.items()}

    f = Facts()
    f.count("n_fit", "rows learnt from", s.fit.n)
    f.count("n_columns", "columns, the strongest ones", x.shape[1])
    f.count("n_steps", "steps taken", STEPS)
    f.number("start", "loss at the start, all weights zero", start)
    f.number("floor", "least possible loss, solved exactly", floor)
    f.number("steepest", "steepest curvature L (largest eigenvalue of XᵀX / n)", steepest)
    f.number("flattest", "flattest curvature", flattest, 2)
    f.number("condition", "condition number: steepest / flattest", steepest / flattest, 2)
    f.number("limit", "rate from which it diverges, 2 / L", 2 / steepest)
    for name, times in RATES.items():
        f.number(f"rate_{name}", f"rate {times:g} / L", times / steepest)
        f.number(f"end_{name}", f"loss after all steps, rate {times:g} / L", losses[name][-1])
    f.count(
        "steps_slow", "steps until 99 % of the way, slow rate (0: not reached)", _steps(losses["slow"], start, floor)
    )
    f.count(
        "steps_good", "steps until 99 % of the way, rate 1 / L (0: not reached)", _steps(losses["good"], start, floor)
    )
    done = f.say(
        "A linear model with {n_columns} columns was fitted to {n_fit} rows by gradient descent on the "
        "squared error, from weights of zero, {n_steps} steps at each of four rates. "
        "The exact answer was solved beside it, so it is known how far there was to go. The steepest "
        "curvature L = {steepest} was computed from the data."
    )
    return Experiment(
        done,
        (_landscape(s.fit.x, y, order, s), _falls(losses, floor, start)),
        f.all(),
        _meaning(f),
        _advice(f),
        s.notes,
    )


def _loss(x: Floats, y: Answers, weights: Answers) -> float:
    return float(((x @ weights - y) ** 2).mean() / 2)


def _descend(x: Floats, y: Answers, rate: float) -> list[float]:
    weights, losses = np.zeros(x.shape[1]), []
    for _ in range(STEPS + 1):
        losses.append(_loss(x, y, weights))
        weights = weights - rate * (x.T @ (x @ weights - y)) / len(y)
    return losses


def _steps(losses: list[float], start: float, floor: float) -> int:
    close = floor + CLOSE * (start - floor)
    return next((i for i, value in enumerate(losses) if value <= close), 0)


def _meaning(f: Facts) -> tuple[str, ...]:
    said = [
        f.say(
            "The exact minimum is {floor}, from {start} at the start. At a rate of 1 / L = {rate_good} "
            "descent ends at {end_good}"
            + (
                " and had gone 99 % of the way after {steps_good} steps"
                if f["steps_good"]
                else ", not yet 99 % of the way"
            )
            + "."
        )
    ]
    said.append(
        f.say(
            "Twenty times slower ({rate_slow}) it ends at {end_slow}"
            + (
                ", 99 % of the way after {steps_slow} steps"
                if f["steps_slow"]
                else ", still short of 99 % of the way after {n_steps} steps"
            )
            + "."
        )
    )
    if f["end_over"] > f["start"]:
        said.append(
            f.say(
                "The limit is 2 / L = {limit}: just below it ({rate_brink}) the loss ends at {end_brink}, "
                "just above it ({rate_over}) it has grown to {end_over} and has no end. A rate five per cent "
                "too high is not five per cent worse; it is useless."
            )
        )
    else:
        said.append(
            f.say(
                "Above the limit 2 / L = {limit}, at {rate_over}, the loss ends at {end_over}, growing every "
                "step: the steepest direction matters little here, so it takes longer than {n_steps} steps "
                "to pass where it started."
            )
        )
    said.append(
        f.say(
            "The landscape is {condition} times steeper in one direction than in the flattest: the rate must "
            "suit the steepest, and then the flattest is slow. That ratio, not the number of columns, "
            "decides how many steps it takes."
        )
    )
    return tuple(said)


def _advice(f: Facts) -> tuple[str, ...]:
    first = f.say(
        "On this table begin with a rate near {rate_good}; if the loss ever rises between full-batch steps, halve it."
    )
    second = (
        "Standardised columns, momentum or Adam, or a second-order method (L-BFGS, as the house's linear "
        "learner uses) shorten the way along flat directions."
        if f["condition"] > 50
        else "The landscape is mild, so plain descent will do; with raw, unscaled columns it would not be (see "
        "feature-scaling)."
    )
    return first, second


def _landscape(x: Floats, y: Answers, order: Answers, s: Sample) -> Figure:
    """Draw the walk over the weights of two columns: the strongest, and the one most like it."""
    first = int(order[0])
    like = np.abs(np.atleast_2d(np.corrcoef(x.T))[first]) if x.shape[1] > 1 else np.ones(1)
    like[(like > 0.97) | ~np.isfinite(like)] = 0
    second = int(like.argmax()) if x.shape[1] > 1 else first
    pair = x[:, [first, second]]
    rate = 1 / float(np.linalg.eigvalsh(pair.T @ pair / len(y))[-1])
    exact = np.linalg.lstsq(pair, y, rcond=None)[0]
    reach = 1.5 * float(np.abs(exact).max()) + 1e-9
    start = exact + np.array([-reach, reach * 0.8])
    walks = [
        Series(name, _walk(pair, y, start, rate * times))
        for name, times in (("rate 1 / L", 1.0), ("rate 1.9 / L", 1.9))
    ]
    xs, ys = (np.linspace(c - 1.25 * reach, c + 1.25 * reach, CELLS) for c in exact)
    heights = np.array([[_loss(pair, y, np.array([a, b])) for a in xs] for b in ys])
    low, high = heights.min(), heights.max()
    depth = np.sqrt((heights - low) / (high - low + 1e-12))
    shades = [(float(a), float(b), float(depth[j, i])) for i, a in enumerate(xs) for j, b in enumerate(ys)]
    cell = (float(xs[1] - xs[0]), float(ys[1] - ys[0]))
    axes = [
        plots.Axis(f"weight of {s.names[i][:28]}", ends=(float(v[0] - c / 2), float(v[-1] + c / 2)))
        for i, v, c in ((first, xs, cell[0]), (second, ys, cell[1]))
    ]
    return Figure(
        "Two walks to the same valley floor",
        "Darker is lower. Each dot is one step from the same start; the higher rate overshoots the valley "
        "from side to side.",
        plots.path(shades, cell, walks, *axes),
    )


def _walk(x: Floats, y: Answers, start: Floats, rate: float) -> tuple[tuple[float, float], ...]:
    weights, walk = start, []
    for _ in range(WALK):
        walk.append((float(weights[0]), float(weights[1])))
        weights = weights - rate * (x.T @ (x @ weights - y)) / len(y)
    return tuple(walk)


def _falls(losses: dict[str, list[float]], floor: float, start: float) -> Figure:
    names = {"slow": "rate 0.05 / L", "good": "rate 1 / L", "brink": "rate 1.95 / L", "over": "rate 2.05 / L: diverges"}
    least, most = (start - floor) * 1e-5 + 1e-12, (start - floor) * 100 + 1e-9
    series = [
        Series(names[name], tuple((float(i), max(v - floor, least)) for i, v in enumerate(found) if v - floor <= most))
        for name, found in losses.items()
    ]
    spec = plots.lines(series, plots.Axis("step"), plots.Axis("loss above the least possible (log scale)", is_log=True))
    return Figure(
        "How far is left to go", "All columns. A straight fall means a fixed share of the way in every step.", spec
    )


ENTRY = Entry(
    name="gradient-descent",
    question="How does gradient descent work, and what does the learning rate do?",
    topic=Topic.ALGORITHMS,
    short="Stand on the loss, find the direction in which it rises most steeply, and take a step the other way; "
    "the learning rate is the length of the step. Too short is slow, too long diverges.",
    explanation=(
        "The gradient is the vector of slopes of the loss by each weight. Gradient descent repeats w ← w − η "
        "∇L(w) until the loss stops falling. Nothing needs to be solved or "
        "inverted, so it works for models with billions of weights.",
        "The rate η is everything. For a smooth loss with steepest curvature L, any η below 2 / L descends, "
        "and 1 / L is safe. Above 2 / L every step lands higher on the other side of the valley. "
        "The number of steps grows with the condition number, the ratio of the steepest to the flattest curvature.",
        "Convex losses (linear, logistic) have one valley, so descent finds the best weights. Networks have "
        "many; in practice good valleys are common, and what matters is a rate schedule, "
        "momentum, adaptive rates (Adam) and good initial weights.",
    ),
    points=(
        Point("Step against the gradient: w ← w − η ∇L.", r"gradient|negative|opposite|steep|w ?(←|=|:=)|slope|deriv"),
        Point(
            "The learning rate sets the step: too small is slow, too large oscillates or diverges.",
            r"rate|step size|diverg|overshoot|oscillat",
        ),
        Point("For convex losses it finds the global minimum; otherwise a local one.", r"convex|local|global|minim"),
        Point(
            "Scaling of columns (conditioning), momentum and Adam decide how fast it is.",
            r"scal|condition|momentum|adam|standardi",
        ),
    ),
    experiment=experiment,
    table="diabetes",
    related=("batch-stochastic", "feature-scaling", "backpropagation"),
)
