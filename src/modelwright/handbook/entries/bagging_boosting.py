"""Bagging and boosting: one tree, many trees averaged, many small trees in a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.evaluation.bias_variance import decompose
from modelwright.handbook.entry import Entry, Experiment, Figure, Point, Topic
from modelwright.handbook.facts import Facts
from modelwright.handbook.models import better, difference, house, loss_of, tree
from modelwright.reports import plots
from modelwright.reports.figures import Series

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats, Ints
    from modelwright.handbook.arrays import Answers
    from modelwright.handbook.sample import Sample

ROWS_MOST, HELD_MOST, TREES, ROUNDS, RESAMPLES, BAG = 1_200, 800, 60, 120, 5, 15
ALIKE = 1.1
"""Times the smaller loss: what is further apart, and still not surely, wants more rows."""
SMALL: dict[str, Any] = {
    "leaves": 4,
    "learning_rate": 0.1,
    "min_leaf": 5,
    "row_share": 1.0,
    "feature_share": 1.0,
    "patience": 0,
}


def experiment(sample: Sample, seed: int) -> Experiment:
    """Add trees one by one, both ways, and split the error of each way into bias and variance."""
    s = sample.few(ROWS_MOST, HELD_MOST, seed=seed)
    everything = np.arange(s.fit.n)
    single = _tree(s, everything, seed)
    bagged = _bagged(s, everything, TREES, seed)
    _, curve = house(
        "lightgbm",
        s.fit.matrix,
        s.fit.y,
        s.n_classes,
        seed=seed,
        exam=(s.held.matrix, s.held.y),
        rounds=ROUNDS,
        **SMALL,
    )
    boosted_losses = list(curve.valid) or [loss_of(s, single)]
    rounds = list(curve.rounds) or [1]
    n_best = rounds[int(np.argmin(boosted_losses))]
    boosted = _boosted(s, everything, n_best, seed)
    parts = _parts(s, n_best, seed)
    bagged_losses = [loss_of(s, mean) for mean in bagged]

    f = Facts()
    f.count("n_fit", "rows learnt from", s.fit.n)
    f.count("n_held", "rows held back", s.held.n)
    f.count("trees", "deep trees averaged", TREES)
    f.count("rounds", "small trees in a row", rounds[-1])
    f.count("n_best", "rounds of boosting with the least loss", n_best)
    f.count("resamples", "resamples for bias and variance", RESAMPLES)
    f.number("tree", "loss of one deep tree", loss_of(s, single))
    f.number("bagged", "loss of the bagged trees", bagged_losses[-1])
    f.number("boosted", "loss of boosting at its best round", min(boosted_losses))
    f.number("boosted_first", "loss of boosting after one round", boosted_losses[0])
    f.number("boosted_last", "loss of boosting after all rounds", boosted_losses[-1])
    for name, label in (("tree", "one tree"), ("bag", "bagging"), ("boost", "boosting")):
        f.number(f"bias_{name}", f"bias and noise, {label}", parts[name]["bias"])
        f.number(f"variance_{name}", f"variance, {label}", parts[name]["variance"])
    gain = f.score("gain", "loss of one tree less that of bagging", difference(s, single, bagged[-1]))
    edge = f.score("edge", "loss of bagging less that of boosting", difference(s, bagged[-1], boosted))
    done = f.say(
        "On {n_fit} rows: one deep decision tree; {trees} such trees, each on its own bootstrap resample, "
        "averaged (bagging); and {rounds} trees of four leaves in a row, "
        "each correcting what the sum so far gets wrong (boosting, by LightGBM). Losses are those on "
        "{n_held} rows held back. Fitting each way on {resamples} resamples split its error into bias and "
        "variance."
    )
    figures = (
        _growing(bagged_losses, dict(zip(rounds, boosted_losses, strict=True)), f["tree"], s.loss_name),
        _split_figure(f, s.loss_name),
    )
    return Experiment(done, figures, f.all(), _meaning(f, -better(gain), -better(edge)), _advice(f, -better(edge)))


def _tree(s: Sample, rows: Ints, seed: int) -> Floats:
    return tree(s.fit.x[rows], s.fit.y[rows], s.n_classes, depth=None, seed=seed)(s.held.x)


def _bagged(s: Sample, rows: Ints, n_trees: int, seed: int) -> list[Floats]:
    """Return the mean answer of the first tree, the first two, …, all of them."""
    rng = np.random.default_rng(seed)
    total: Any = 0.0
    means = []
    for i in range(n_trees):
        total = total + _tree(s, rows[rng.integers(0, len(rows), len(rows))], seed + i)
        means.append(np.asarray(total / (i + 1)))
    return means


def _boosted(s: Sample, rows: Answers, n_rounds: int, seed: int) -> Floats:
    predict, _ = house(
        "lightgbm", s.fit.matrix.take(rows), s.fit.y[rows], s.n_classes, seed=seed, rounds=max(n_rounds, 1), **SMALL
    )
    return predict(s.held.matrix)


def _parts(s: Sample, n_rounds: int, seed: int) -> dict[str, dict[str, Any]]:
    rng = np.random.default_rng(seed + 1)
    answers: dict[str, list[Floats]] = {"tree": [], "bag": [], "boost": []}
    for i in range(RESAMPLES):
        rows = rng.integers(0, s.fit.n, s.fit.n)
        answers["tree"].append(_tree(s, rows, seed + i))
        answers["bag"].append(_bagged(s, rows, BAG, seed + 100 * i)[-1])
        answers["boost"].append(_boosted(s, rows, n_rounds, seed + i))
    return {name: decompose(found, s.held.y, s.task) for name, found in answers.items()}


def _meaning(f: Facts, helps: int, wins: int) -> tuple[str, ...]:
    said = []
    if helps > 0:
        said.append(
            f.say(
                "Averaging pays: one deep tree has a loss of {tree}, {trees} of them averaged {bagged}, "
                "better by {gain} (95 % interval {gain_low} to {gain_high})."
            )
        )
    else:
        said.append(
            f.say(
                "Averaging hardly pays here: one deep tree has a loss of {tree}, {trees} averaged {bagged} "
                "(difference {gain}, 95 % interval {gain_low} to {gain_high})."
            )
        )
    if f["variance_bag"] < f["variance_tree"]:
        said.append(
            f.say(
                "It works on the variance, {variance_tree} for one tree and {variance_bag} for the average; "
                "bias and noise go from {bias_tree} to {bias_bag}."
            )
        )
    else:
        said.append(
            f.say(
                "Unusually, the average varies no less from resample to resample ({variance_bag}) than one "
                "tree does ({variance_tree})."
            )
        )
    first = f.say(
        "Boosting begins with a model that is nearly a constant (loss {boosted_first}) and works on the "
        "bias: round by round the loss falls to {boosted} after {n_best} rounds"
    )
    said.append(
        first
        + f.say(
            ", and rises again to {boosted_last} by the last: unlike bagging, boosting can overfit."
            if f["boosted_last"] > f["boosted"] * 1.01
            else ", nearly the last: more rounds would bring more."
            if f["n_best"] > 0.95 * f["rounds"]
            else "; by the last of {rounds} it is {boosted_last}."
        )
    )
    ends = {
        1: "At their best boosting is ahead of bagging by {edge} (95 % interval {edge_low} to {edge_high}).",
        -1: "At their best bagging is ahead of boosting (difference {edge}, 95 % interval {edge_low} to {edge_high}).",
        0: "At their best the two are not surely apart (difference {edge}, 95 % interval {edge_low} to {edge_high}).",
    }
    said.append(f.say(ends[wins]))
    return tuple(said)


def _advice(f: Facts, wins: int) -> tuple[str, ...]:
    first = {
        1: f.say("Use boosting here, with a small rate and early stopping (about {n_best} rounds at this rate)."),
        -1: "Use a forest here: it needs no tuning, and on rows this few or this noisy it is the safer of the two.",
        0: (
            "Either will do."
            if max(f["bagged"], f["boosted"]) < ALIKE * min(f["bagged"], f["boosted"])
            else "These rows are too few to tell which is better: measure both on more."
        )
        + " A forest needs no tuning; boosting is smaller and faster to score. Blending both, as modelwright's "
        "ensemble does, often beats either.",
    }[wins]
    return (
        first,
        "More trees never hurt bagging, they only cost time; more rounds of boosting do hurt, so stop by "
        "rows held back.",
    )


def _growing(bagged: list[float], boosted: dict[int, float], single: float, loss: str) -> Figure:
    series = [
        Series("bagging: deep trees, averaged", tuple((float(i + 1), v) for i, v in enumerate(bagged))),
        Series("boosting: small trees in a row", tuple((float(i), v) for i, v in boosted.items())),
    ]
    top = 1.15 * max(single, *boosted.values())
    bottom = 0.9 * min(*bagged, *boosted.values())
    spec = plots.lines(
        series, plots.Axis("number of trees"), plots.Axis(loss, ends=(bottom, top)), level=(single, "one deep tree")
    )
    return Figure("Loss on rows held back as trees are added", "The dashed line is one deep tree alone.", spec)


def _split_figure(f: Facts, loss: str) -> Figure:
    names = {"tree": "one tree", "bag": "bagging", "boost": "boosting"}
    rows = [
        (shown, part, f[f"{key}_{name}"])
        for name, shown in names.items()
        for key, part in (("bias", "bias and noise"), ("variance", "variance"))
    ]
    return Figure(
        "Where the error comes from",
        "Bias comes back with every sample; variance changes with it.",
        plots.bars(rows, plots.Axis(loss)),
    )


ENTRY = Entry(
    name="bagging-boosting",
    question="What is the difference between bagging and boosting?",
    topic=Topic.ALGORITHMS,
    short="Both combine many models. Bagging averages flexible ones fitted side by side on resamples, to lower "
    "variance; boosting adds simple ones in a row, each on the mistakes so far, to lower bias.",
    explanation=(
        "Bagging (bootstrap aggregating) draws resamples of the rows, fits a deep tree on each and averages. "
        "Each tree is nearly unbiased and very unsteady; the average keeps the first and loses the second. "
        "A random forest also lets each split look at a few columns only, so that the trees differ more and "
        "the average gains more.",
        "Boosting starts from almost nothing and fits each new small tree to what is still wrong: reweighted "
        "rows in AdaBoost, the gradient of the loss in gradient boosting (XGBoost, LightGBM, CatBoost). "
        "A learning rate keeps each step small.",
        "Bagging's trees are independent, so they can be grown in parallel, and more of them never hurt. "
        "Boosting's trees depend on each other, and at some point they begin to fit noise, so one stops "
        "early. "
        "On tables, tuned boosting is usually the strongest single method; forests come close without tuning.",
    ),
    points=(
        Point(
            "Bagging fits models in parallel on bootstrap samples and averages or votes.",
            r"bootstrap|parallel|averag|vot|resampl",
        ),
        Point("It lowers variance; random forests are the example.", r"varian|forest"),
        Point(
            "Boosting fits models in sequence, each on the errors of those before.",
            r"sequen|error|residual|mistake|weak",
        ),
        Point(
            "It lowers bias, and can overfit, so it needs a rate and early stopping.",
            r"bias|overfit|early|learning rate",
        ),
        Point(
            "Examples: AdaBoost, gradient boosting, XGBoost, LightGBM, CatBoost.",
            r"adaboost|xgb|lightgbm|catboost|gradient boost",
        ),
    ),
    experiment=experiment,
    table="diabetes",
    related=("bias-variance", "overfitting"),
)
