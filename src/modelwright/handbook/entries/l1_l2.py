"""L1 and L2: the weights of one linear model under both penalties."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.handbook.entry import Entry, Experiment, Figure, Point, Topic
from modelwright.handbook.facts import Facts
from modelwright.handbook.models import better, difference
from modelwright.handbook.strength import strongest
from modelwright.reports import plots
from modelwright.reports.figures import Series
from modelwright.reports.names import clean

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.handbook.arrays import Answers
    from modelwright.handbook.sample import Sample

ROWS_MOST, COLUMNS_MOST, DRAWN, STEPS, FOLDS, NOISES = 600, 60, 5, 40, 4, 10
PAIR_NOISE = 0.1
"""The planted copy of the strongest column differs from it by this many deviations."""


def experiment(sample: Sample, seed: int) -> Experiment:
    """Fit lasso and ridge along their paths, with noise columns and a near copy planted among the real ones."""
    s = sample.numeric().few(ROWS_MOST, seed=seed)
    x, held, names = _planted(s, seed)
    y = s.fit.y - s.fit.y.mean()
    penalties = _penalties(x, y)
    lasso = _lasso(x, y, penalties)
    ridge = _ridge(x, y, penalties * 100)
    one, two = _chosen(x, y, penalties, _lasso, seed), _chosen(x, y, penalties * 100, _ridge, seed)
    w1, w2 = lasso[one], ridge[two]
    answers = [held @ w + s.fit.y.mean() for w in (w1, w2)]
    copy = len(names) - NOISES - 1

    f = Facts()
    f.count("n_fit", "rows learnt from", s.fit.n)
    f.count("n_held", "rows held back", s.held.n)
    f.count("n_real", "columns of the table", copy)
    f.count("n_noise", "columns of noise planted", NOISES)
    f.count("zero_l1", "weights that L1 set to exactly zero", int((w1 == 0).sum()))
    f.count("zero_l2", "weights that L2 set to exactly zero", int((w2 == 0).sum()))
    f.count("noise_l1", "noise columns that L1 threw out", int((w1[-NOISES:] == 0).sum()))
    f.count("kept_l1", "columns that L1 kept", int((w1 != 0).sum()))
    f.number("loss_l1", "squared error of L1 on the rows held back", float(((answers[0] - s.held.y) ** 2).mean()))
    f.number("loss_l2", "squared error of L2 on the rows held back", float(((answers[1] - s.held.y) ** 2).mean()))
    edge = f.score("edge", "squared error of L1 less that of L2", difference(s, answers[0], answers[1]))
    f.word("strong", "strongest column", names[0])
    for key, w in (("l1", w1), ("l2", w2)):
        f.number(f"own_{key}", f"weight of the strongest column, {key.upper()}", w[0])
        f.number(f"copy_{key}", f"weight of its near copy, {key.upper()}", w[copy])
        f.percent(f"apart_{key}", f"how unequal the two are, {key.upper()} (0 % is equal)", _apart(w[0], w[copy]))
    done = f.say(
        "To the {n_real} strongest columns a near copy of the strongest ({strong}) and {n_noise} columns of "
        "noise were added. A linear model learnt from {n_fit} rows under an L1 and under an L2 penalty, "
        "each from strong to weak, the strength chosen by cross-validation; {n_held} rows held back judged."
    )
    figures = (
        _path("L1: weights leave zero one by one", lasso, penalties, penalties[one], names, copy),
        _path("L2: all weights grow together", ridge, penalties * 100, penalties[two] * 100, names, copy),
    )
    return Experiment(done, figures, f.all(), _meaning(f, better(edge)), _advice(f), s.notes)


def _planted(s: Sample, seed: int) -> tuple[Floats, Floats, list[str]]:
    rng = np.random.default_rng(seed)
    kept = strongest(s.fit.x, s.fit.y, is_classes=False)[:COLUMNS_MOST]
    sides = []
    for side in (s.fit, s.held):
        real = side.x[:, kept]
        copy = real[:, :1] + PAIR_NOISE * rng.normal(size=(side.n, 1))
        sides.append(np.hstack([real, copy, rng.normal(size=(side.n, NOISES))]))
    mean, spread = sides[0].mean(axis=0), sides[0].std(axis=0)
    spread[spread == 0] = 1.0
    names = [s.names[i] for i in kept] + ["its near copy"] + [f"noise {i + 1}" for i in range(NOISES)]
    return (sides[0] - mean) / spread, (sides[1] - mean) / spread, names


def _penalties(x: Floats, y: Answers) -> Floats:
    """Return strengths from the one at which every L1 weight is zero down to a thousandth of it."""
    most = float(np.abs(x.T @ y).max()) / len(y)
    return np.asarray(np.maximum(most, 1e-9) * 10.0 ** np.linspace(0, -3, STEPS))


def _lasso(x: Floats, y: Answers, penalties: Floats) -> Floats:
    """Return weights by penalty, shape (n_penalties, n_columns): least mean squared error / 2 + penalty · Σ|w|."""
    import warnings

    from sklearn.linear_model import lasso_path

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a gap of a millionth more or less changes no sentence here
        return np.asarray(lasso_path(x, y, alphas=penalties, tol=1e-4)[1].T)


def _ridge(x: Floats, y: Answers, penalties: Floats) -> Floats:
    """Return weights by penalty: least mean squared error / 2 + penalty · Σw² / 2, solved exactly."""
    values, axes = np.linalg.eigh(x.T @ x / len(y))
    pulled = axes.T @ (x.T @ y / len(y))
    return np.array([axes @ (pulled / (np.maximum(values, 0) + p)) for p in penalties])


def _chosen(x: Floats, y: Answers, penalties: Floats, fit: object, seed: int) -> int:
    fold_of = np.random.default_rng(seed).permutation(len(y)) % FOLDS
    total = np.zeros(len(penalties))
    for fold in range(FOLDS):
        inside, out = fold_of != fold, fold_of == fold
        weights = fit(x[inside], y[inside], penalties)  # type: ignore[operator]
        total += ((x[out] @ weights.T - y[out, None]) ** 2).sum(axis=0)
    return int(total.argmin())


def _apart(a: float, b: float) -> float:
    size = abs(a) + abs(b)
    return abs(a - b) / size if size > 0 else 0.0


def _meaning(f: Facts, wins: int) -> tuple[str, ...]:
    said = [
        f.say(
            "L1 set {zero_l1} weights to exactly zero, {noise_l1} of the {n_noise} noise columns among them, "
            "and kept {kept_l1}; L2 set {zero_l2} to zero and only made them small."
        )
    ]
    said.append(
        f.say(
            "Between {strong} and its near copy, L2 divides the weight ({own_l2} and {copy_l2}), L1 gives "
            "{own_l1} and {copy_l1}."
        )
    )
    if f["apart_l1"] > f["apart_l2"]:
        said[-1] += f.say(
            " That is the other side of selecting: of columns that say the same, L1 picks as the sample has "
            "it ({apart_l1} unequal against {apart_l2}), and another sample may pick otherwise."
        )
    ends = {
        1: "On the rows held back L1 is ahead: {loss_l1} against {loss_l2} (difference {edge}, 95 % interval "
        "{edge_low} to {edge_high}).",
        -1: "On the rows held back L2 is ahead: {loss_l2} against {loss_l1} (difference {edge}, 95 % interval "
        "{edge_low} to {edge_high}).",
        0: "On the rows held back the two are tied: {loss_l1} for L1 and {loss_l2} for L2 (difference {edge}, "
        "95 % interval {edge_low} to {edge_high}).",
    }
    said.append(f.say(ends[wins]))
    return tuple(said)


def _advice(f: Facts) -> tuple[str, ...]:
    first = (
        f.say(
            "L1 does with {kept_l1} columns what L2 does with all: use it when columns cost money, or when "
            "somebody has to read the model."
        )
        if f["edge_low"] <= 0
        else "Use L2 here: leaving columns out costs accuracy, so many of them carry a little each."
    )
    return (
        first,
        "Don't read a zero as 'this column doesn't matter' when others say the same; elastic net, a mix of "
        "both penalties, keeps such columns together.",
    )


def _path(title: str, weights: Floats, penalties: Floats, chosen: float, names: list[str], copy: int) -> Figure:
    real = np.argsort(-np.abs(weights[-1, 1:copy]))[: DRAWN - 3] + 1
    picked = [0, copy, *real.tolist(), copy + 1]
    series = [
        Series(clean(names[i], 30), tuple(zip(penalties.tolist(), weights[:, i].tolist(), strict=True)))
        for i in dict.fromkeys(picked)
    ]
    x = plots.Axis("penalty (log scale)", is_log=True)
    spec = plots.lines(series, x, plots.Axis("weight"), upright=float(chosen))
    return Figure(title, "Strong penalties right, weak left; the dashed line is the one cross-validation chose.", spec)


ENTRY = Entry(
    name="l1-l2",
    question="What is the difference between L1 and L2 regularisation?",
    topic=Topic.ALGORITHMS,
    short="L1 adds the absolute weights to the loss and sets some to exactly zero; L2 adds their squares and makes "
    "all of them smaller.",
    explanation=(
        "Both penalise large weights. L1 (lasso) charges |w|: the price of the last bit of a weight is as "
        "high as that of the first, so a column that doesn't earn it goes to zero. "
        "L2 (ridge) charges w²: the last bit is nearly free, so weights shrink and hardly ever vanish.",
        "In a picture: the loss's contours meet the L1 diamond at a corner, where some weights are zero, and "
        "the L2 ball somewhere on its round side. As priors, L1 is a Laplace and L2 a normal distribution "
        "around zero.",
        "L1 selects columns and gives sparse, readable models, but among columns that say the same it picks "
        "one almost by chance. L2 spreads the weight among them and is steadier. Elastic net charges both. "
        "Boosted trees use the same two penalties on the values of their leaves.",
    ),
    points=(
        Point("L1 penalises the sum of absolute weights, L2 the sum of squares.", r"absolut|square|\|w\||w²|w\^2"),
        Point("L1 gives exact zeros, so it selects features; L2 only shrinks.", r"zero|spars|select|shrink"),
        Point("With correlated columns L1 picks one, L2 shares the weight.", r"correlat|collinear|group|share"),
        Point("Names and mix: lasso, ridge, elastic net.", r"lasso|ridge|elastic"),
        Point(
            "Columns are standardised first, and the strength is cross-validated.",
            r"standardi|scal|cross|tun|lambda|alpha",
        ),
    ),
    experiment=experiment,
    table="diabetes",
    related=("regularisation", "feature-extraction"),
)
