"""Feature scaling: who minds the units of the columns, and who doesn't."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.handbook.entry import Entry, Experiment, Figure, Point, Topic
from modelwright.handbook.facts import Facts
from modelwright.handbook.models import accuracy_name, accuracy_of, better, difference, fitted, tree
from modelwright.reports import plots
from modelwright.reports.names import clean

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.handbook.sample import Sample

ROWS_MOST, HELD_MOST, NEIGHBOURS, DEPTH, STEPS, SHOWN = 2_000, 800, 15, 6, 100, 8
NEARLY_ALL = 0.9


def experiment(sample: Sample, seed: int) -> Experiment:
    """Give three learners the raw and the standardised columns."""
    s = sample.few(ROWS_MOST, HELD_MOST, seed=seed)
    pairs = {"raw": (s.fit.raw, s.held.raw), "scaled": (s.fit.x, s.held.x)}
    standard = (
        (s.fit.raw - s.fit.raw.mean(axis=0)) / s.fit.raw.std(axis=0),
        (s.held.raw - s.fit.raw.mean(axis=0)) / s.fit.raw.std(axis=0),
    )
    near = {k: _neighbours(s, *pair) for k, pair in pairs.items()}
    descended = {k: _descended(s, *pair) for k, pair in pairs.items()}
    trees = {
        k: tree(pair[0], s.fit.y, s.n_classes, depth=DEPTH, seed=seed)(pair[1])
        for k, pair in {**pairs, "scaled": standard}.items()
    }
    spread = s.fit.raw.std(axis=0)
    share = spread**2 / (spread**2).sum()
    widest = int(share.argmax())

    f = Facts()
    f.count("n_fit", "rows learnt from", s.fit.n)
    f.count("n_held", "rows held back", s.held.n)
    f.count("n_columns", "columns", len(s.names))
    f.word("measure", "measure", accuracy_name(s))
    f.word("widest", "column with the widest spread", clean(s.names[widest], 40))
    f.percent("share", "its share of all squared distances, raw", float(share[widest]))
    f.percent("fair", "a fair share", 1 / len(s.names))
    f.number("ratio", "widest spread over narrowest", float(spread.max() / spread.min()), 2)
    for name, label, found in (
        ("near", "nearest neighbours", near),
        ("descent", "linear model by gradient descent", descended),
        ("tree", "decision tree", trees),
    ):
        for key in ("raw", "scaled"):
            f.number(f"{name}_{key}", f"{accuracy_name(s)}, {label}, {key} columns", accuracy_of(s, found[key]))
    f.number("condition_raw", "condition number of the raw columns", _condition(s.fit.raw), 2)
    f.number("condition_scaled", "condition number of the standardised columns", _condition(s.fit.x), 2)
    f.percent(
        "tree_same",
        "rows that the tree answers alike either way",
        float(np.isclose(trees["raw"], trees["scaled"]).reshape(s.held.n, -1).all(axis=1).mean()),
    )
    gain = f.score(
        "gain", "loss of neighbours on raw less on standardised columns", difference(s, near["raw"], near["scaled"])
    )
    done = f.say(
        "Three learners were fitted to {n_fit} rows twice, once on the columns as they are and once "
        "standardised (mean 0, standard deviation 1, taken from the rows learnt from): the "
        "15 nearest neighbours, a linear model by 100 steps of gradient descent, and a decision tree. "
        "{n_held} rows held back judged."
    )
    return Experiment(
        done, (_scores(f), _distances(s, share)), f.all(), _meaning(f, -better(gain)), _advice(f, -better(gain))
    )


def _neighbours(s: Sample, fit: Floats, held: Floats) -> Floats:
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

    n = min(NEIGHBOURS, s.fit.n)
    model: Any = KNeighborsClassifier(n) if s.is_classes else KNeighborsRegressor(n)
    answers = fitted(model, fit, s.fit.y, s.n_classes)(held)
    # As if one more neighbour had spread its vote over all labels: fifteen neighbours never make a thing impossible.
    return (answers * n + 1 / s.n_classes) / (n + 1) if s.is_classes else answers


def _descended(s: Sample, fit: Floats, held: Floats) -> Floats:
    """Return what least squares says after a hundred steps at the best rate there is, 1 / L."""
    target = np.eye(s.n_classes)[s.fit.y.astype(np.int64)] if s.is_classes else np.asarray(s.fit.y)[:, None]
    centre = fit.mean(axis=0)
    x, n = fit - centre, len(fit)
    rate = 1 / float(np.linalg.eigvalsh(x.T @ x / n)[-1])
    mean = target.mean(axis=0)
    weights = np.zeros((x.shape[1], target.shape[1]))
    for _ in range(STEPS):
        weights = weights - rate * (x.T @ (x @ weights - (target - mean))) / n
    answers = (held - centre) @ weights + mean
    if not s.is_classes:
        return np.asarray(answers[:, 0])
    shares = np.clip(answers, 1e-3, None)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _condition(x: Floats) -> float:
    values = np.linalg.eigvalsh(np.cov(x.T).reshape(x.shape[1], -1))
    return float(values[-1] / values[values > values[-1] * 1e-12][0])


def _meaning(f: Facts, helps: int) -> tuple[str, ...]:
    effect = (
        "to a method that measures distance it is nearly the only column."
        if f["share"] > NEARLY_ALL
        else "to a method that measures distance it outweighs all others together."
        if f["share"] > 1 / 2
        else "a method that measures distance hears it far above the others."
        if f["share"] > 3 * f["fair"]
        else "these columns are much alike already."
    )
    said = [
        f.say(
            "Raw, the widest column, {widest}, makes up {share} of all squared distances where {fair} would "
            "be fair: " + effect
        )
    ]
    ends = {
        1: "Nearest neighbours gain: {measure} {near_raw} raw, {near_scaled} standardised; the loss falls by "
        "{gain} (95 % interval {gain_low} to {gain_high}).",
        0: "Nearest neighbours don't surely change here: {measure} {near_raw} raw, {near_scaled} standardised "
        "(difference in loss {gain}, 95 % interval {gain_low} to {gain_high}).",
        -1: "Nearest neighbours lose here: {measure} {near_raw} raw, {near_scaled} standardised. The wide "
        "columns happened to be the telling ones, and scaling gave the others the same voice.",
    }
    said.append(f.say(ends[helps]))
    said.append(
        f.say(
            "For gradient descent the condition number falls from {condition_raw} to {condition_scaled}: a "
            "hundred steps reach {measure} {descent_raw} on raw columns and {descent_scaled} on standardised "
            "ones."
        )
    )
    said.append(
        f.say(
            "The tree answers {tree_same} of the rows alike ({tree_raw} and {tree_scaled}): it asks only "
            "whether a value is above a threshold, and stretching a column stretches the threshold with it."
            + ("" if f["tree_same"] == 1 else " The others are ties between splits that are equally good.")
        )
    )
    return tuple(said)


def _advice(f: Facts, helps: int) -> tuple[str, ...]:
    first = (
        f.say(
            "Standardise before neighbours, k-means, PCA, support vector machines, networks and penalised "
            "linear models on this table."
        )
        if helps >= 0
        else "Scaling is a choice of what counts as near. Here the raw units carry knowledge; try weighting "
        "columns instead of making them equal."
    )
    return (
        first,
        "Take mean and deviation from the training rows only and keep them with the model; taken from all "
        "rows they leak, recomputed per batch they drift. Skewed columns want a logarithm or ranks, not just "
        "a shift. Trees need none of it.",
    )


def _scores(f: Facts) -> Figure:
    names = {"near": "neighbours", "descent": "linear, 100 steps", "tree": "decision tree"}
    rows = [
        (shown, {"raw": "raw columns", "scaled": "standardised"}[key], max(f[f"{name}_{key}"], 0.0))
        for name, shown in names.items()
        for key in ("raw", "scaled")
    ]
    return Figure(
        "Three learners, raw and standardised",
        "On the rows held back; higher is better (below zero is drawn as zero).",
        plots.bars(rows, plots.Axis(f["measure"])),
    )


def _distances(s: Sample, share: Floats) -> Figure:
    top = np.argsort(-share)[:SHOWN]
    rows = [(s.names[i], "", float(share[i])) for i in top]
    return Figure(
        "Who makes up a distance",
        "Each column's share of the squared distances between rows, raw.",
        plots.bars(rows, plots.Axis("share of squared distance", ends=(0.0, 1.0))),
    )


ENTRY = Entry(
    name="feature-scaling",
    question="Why do you scale features, and when is it needed?",
    topic=Topic.PREPROCESSING,
    short="Methods that measure distances, penalise weights or descend gradients treat all columns' units alike, "
    "so a column in thousands drowns one in tenths. Trees don't care.",
    explanation=(
        "Standardising subtracts the mean and divides by the standard deviation; min–max scaling maps to 0 … "
        "1; robust scaling uses median and quartiles where outliers would distort; a logarithm or ranks tame "
        "skew.",
        "It matters to nearest neighbours, k-means, support vector machines and PCA because they add up "
        "squared differences; to ridge, lasso and networks because the penalty, or one learning rate, is the "
        "same for all weights; "
        "to gradient descent because unequal scales make a long narrow valley.",
        "It does not matter to trees, forests and boosting, which only compare a value with a threshold, nor "
        "to unpenalised least squares solved exactly, which absorbs the unit into the weight. "
        "Whatever is computed (mean, deviation, minimum) is part of the model: learnt from training rows, "
        "stored, applied unchanged.",
    ),
    points=(
        Point(
            "Distance-based methods (kNN, k-means, SVM, PCA) are dominated by columns with wide ranges.",
            r"distance|knn|k-?means|svm|neighbo|pca",
        ),
        Point(
            "Gradient descent converges faster, and penalties are fair, on scaled columns.",
            r"gradient|converg|penal|regulari|faster",
        ),
        Point("Trees and their ensembles don't need it.", r"tree|forest|boost"),
        Point(
            "Standardisation, min–max, robust scaling, logarithm.", r"standardi|min-?max|robust|normali|z-?score|log"
        ),
        Point("Fit the scaler on training rows only, and reuse it.", r"train|leak|fit (the )?scaler|test"),
    ),
    experiment=experiment,
    table="wine",
    related=("gradient-descent", "one-hot-encoding", "regularisation"),
)
