"""Feature extraction: columns made from columns, beside columns merely chosen."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.contract import Kind
from modelwright.core.matrix import Matrix
from modelwright.handbook.entry import Entry, Experiment, Figure, Point, Topic
from modelwright.handbook.facts import Facts
from modelwright.handbook.models import accuracy_name, accuracy_of, better, difference, house, linear
from modelwright.handbook.strength import strongest
from modelwright.reports import plots
from modelwright.reports.figures import Series

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.handbook.sample import Sample

ROWS_MOST, HELD_MOST, COUNTS, ASKED = 1_500, 800, (1, 2, 4, 8, 16), 4
SETTINGS: dict[str, Any] = {"rounds": 80, "learning_rate": 0.07, "leaves": 16, "patience": 0}


def experiment(sample: Sample, seed: int) -> Experiment:
    """Keep the k strongest columns, or make k new ones without and with the target; then see what the plan extracts."""
    s = sample.few(ROWS_MOST, HELD_MOST, seed=seed)
    counts = [k for k in COUNTS if k <= s.fit.x.shape[1]]
    ways = {"chosen": _chosen(s), "pca": _components(s), "pls": _partial(s, max(counts))}
    answers = {
        name: {k: linear(a[:, :k], s.fit.y, s.n_classes)(b[:, :k]) for k in counts} for name, (a, b) in ways.items()
    }
    asked = max(k for k in counts if k <= ASKED)
    full = linear(s.fit.x, s.fit.y, s.n_classes)(s.held.x)

    f = Facts()
    f.count("n_fit", "rows learnt from", s.fit.n)
    f.count("n_held", "rows held back", s.held.n)
    f.count("n_columns", "columns to begin with", s.fit.x.shape[1])
    f.count("asked", "columns kept or made", asked)
    f.word("measure", "measure", accuracy_name(s))
    f.number("full", f"{accuracy_name(s)} with all columns", accuracy_of(s, full))
    words = {"chosen": "strongest columns chosen", "pca": "principal components", "pls": "partial least squares"}
    for name, label in words.items():
        f.number(name, f"{accuracy_name(s)}, {label}", accuracy_of(s, answers[name][asked]))
        f.number(
            f"{name}_most", f"{accuracy_name(s)} with {counts[-1]}, {label}", accuracy_of(s, answers[name][counts[-1]])
        )
    f.count("most", "most columns kept or made", counts[-1])
    edge = f.score(
        "edge",
        "loss of partial least squares less that of choosing",
        difference(s, answers["pls"][asked], answers["chosen"][asked]),
    )
    _plan(f, s, seed)
    done = f.say(
        "From {n_columns} columns of {n_fit} rows a few were kept or made, 1 to {most}: chosen, the "
        "strongest one by one; extracted without the target, principal components; extracted with it, "
        "partial least squares. "
        "A linear model learnt from those alone and {n_held} rows held back judged."
    )
    series = [
        Series(words[name], tuple((float(k), accuracy_of(s, found[k])) for k in counts))
        for name, found in answers.items()
    ]
    spec = plots.lines(
        series,
        plots.Axis("columns kept or made (log scale)", is_log=True),
        plots.Axis(accuracy_name(s)),
        level=(f["full"], "all columns"),
    )
    figure = Figure(
        "Choosing, mixing, and mixing with the target in view", "A linear model that sees only so many columns.", spec
    )
    return Experiment(
        done, (figure, *_craft_figure(f, s)), f.all(), _meaning(f, better(edge)), _advice(f, better(edge))
    )


def _chosen(s: Sample) -> tuple[Floats, Floats]:
    kept = strongest(s.fit.x, s.fit.y, s.is_classes)
    return s.fit.x[:, kept], s.held.x[:, kept]


def _components(s: Sample) -> tuple[Floats, Floats]:
    mean = s.fit.x.mean(axis=0)
    axes = np.linalg.svd(s.fit.x - mean, full_matrices=False)[2]
    return (s.fit.x - mean) @ axes.T, (s.held.x - mean) @ axes.T


def _partial(s: Sample, most: int) -> tuple[Floats, Floats]:
    """Return the components of partial least squares: directions that vary together with the target."""
    target = np.eye(s.n_classes)[s.fit.y.astype(np.int64)] if s.is_classes else np.asarray(s.fit.y)[:, None]
    mean, aim = s.fit.x.mean(axis=0), target - target.mean(axis=0)
    x, weights, loads = s.fit.x - mean, [], []
    for _ in range(most):
        way = np.linalg.svd(x.T @ aim, full_matrices=False)[0][:, 0]
        part = x @ way
        size = float(part @ part)
        if size < 1e-12:
            break
        load = x.T @ part / size
        x = x - np.outer(part, load)
        weights.append(way)
        loads.append(load)
    sides = []
    for rows in (s.fit.x, s.held.x):
        left, parts = rows - mean, []
        for way, load in zip(weights, loads, strict=True):
            part = left @ way
            left = left - np.outer(part, load)
            parts.append(part)
        sides.append(np.column_stack([*parts, *[np.zeros(len(rows))] * (most - len(parts))]))
    spread = sides[0].std(axis=0)
    spread[spread == 0] = 1.0
    return sides[0] / spread, sides[1] / spread


def _plan(f: Facts, s: Sample, seed: int) -> None:
    """Note what the house's plan makes of the table's texts, dates and categories, and what that is worth."""
    kinds = {c.name: c.kind for c in s.contract.features}
    made = Counter(kinds[x.source] for x in s.fit.matrix.features if x.source in kinds)
    n_had = Counter(kinds.values())
    f.count("n_table", "feature columns of the table", len(kinds))
    f.count("n_made", "features the plan made of them", len(s.fit.matrix.features))
    for kind, label in ((Kind.TEXT, "texts"), (Kind.DATETIME, "dates")):
        if n_had[kind]:
            f.count(f"had_{kind.value}", f"columns of {label}", n_had[kind])
            f.count(f"made_{kind.value}", f"features made of {label}", made[kind])
    plain = [i for i, x in enumerate(s.fit.matrix.features) if kinds.get(x.source) not in (Kind.TEXT, Kind.DATETIME)]
    if len(plain) == len(s.fit.matrix.features):
        return
    answers = [
        house("lightgbm", _only(s.fit.matrix, rows), s.fit.y, s.n_classes, seed=seed, **SETTINGS)[0](
            _only(s.held.matrix, rows)
        )
        for rows in (list(range(len(s.fit.matrix.features))), plain)
    ]
    f.number(
        "with_made", f"{accuracy_name(s)} of boosting with the features of texts and dates", accuracy_of(s, answers[0])
    )
    f.number("without_made", f"{accuracy_name(s)} without them", accuracy_of(s, answers[1]))
    f.score("made_gain", "loss without them less loss with", difference(s, answers[1], answers[0]))


def _only(matrix: Matrix, columns: list[int]) -> Matrix:
    values = np.ascontiguousarray(matrix.values[:, columns])
    return Matrix(values, tuple(matrix.features[i] for i in columns))


def _meaning(f: Facts, wins: int) -> tuple[str, ...]:
    said = [
        f.say(
            "With {asked} columns, choosing reaches {measure} {chosen}, principal components {pca}, and "
            "partial least squares {pls}; all {n_columns} together reach {full}."
        )
    ]
    ends = {
        1: "Making columns with the target in view beats choosing as many (difference in loss {edge}, 95 % "
        "interval {edge_low} to {edge_high}): the strongest columns say the same thing again, a mixture can "
        "hold several.",
        0: "Making columns with the target in view and choosing as many are tied (difference in loss {edge}, 95 "
        "% interval {edge_low} to {edge_high}).",
        -1: "Choosing beats mixing here (difference in loss {edge}, 95 % interval {edge_low} to {edge_high}): a "
        "few columns carry the signal and the mixture only dilutes it.",
    }
    said.append(f.say(ends[wins]))
    if f["pca"] < min(f["chosen"], f["pls"]):
        said.append(
            f.say(
                "Components made without the target trail at {pca}: the widest directions of the columns are "
                "not those that tell."
            )
        )
    keys = {x.key for x in f.all()}
    if "made_gain" in keys:
        gain = (
            "They are worth {made_gain} of loss (95 % interval {made_gain_low} to {made_gain_high}): {measure} "
            "{with_made} with them, {without_made} without."
        )
        said.append(
            f.say(
                "The table's feature columns number {n_table}; modelwright's plan made {n_made} features of "
                "them, taking texts and dates apart. " + gain
            )
        )
    else:
        said.append(
            f.say(
                "The table has {n_table} feature columns, without texts or dates, so modelwright's plan had "
                "little to take apart: {n_made} features."
            )
        )
    return tuple(said)


def _advice(f: Facts, wins: int) -> tuple[str, ...]:
    first = {
        1: "If you need few columns for speed or few rows, extract them with the target in view; if people must "
        "read the model, choose columns and pay the difference.",
        0: "Choose rather than mix here: it costs nothing that could be measured, and a chosen column has a "
        "name, a unit and an owner.",
        -1: "Choose columns here: it is simpler and better.",
    }[wins]
    second = (
        "The features worth most come from knowing the trade (a ratio, a time since, a count in the last week). "
        "Extraction by algebra comes after that; both are fitted on training rows only."
    )
    return first, second


def _craft_figure(f: Facts, s: Sample) -> tuple[Figure, ...]:
    kinds = {c.name: c.kind.value for c in s.contract.features}
    had = Counter(kinds.values())
    made = Counter(kinds[x.source] for x in s.fit.matrix.features if x.source in kinds)
    rows: list[tuple[str, str, Any]] = []
    for kind in had:
        rows += [(kind, "columns of the table", float(had[kind])), (kind, "features made", float(made[kind]))]
    if not any(had[k] != made[k] for k in had):
        return ()
    return (
        Figure(
            "What the feature plan makes of each kind of column",
            "Numbers stay as they are; texts and dates are taken apart.",
            plots.bars(rows, plots.Axis("count")),
        ),
    )


ENTRY = Entry(
    name="feature-extraction",
    question="What is feature extraction, and how does it differ from feature selection?",
    topic=Topic.PREPROCESSING,
    short="Extraction makes new columns out of what is there: components, counts of words, parts of a date. "
    "Selection keeps some of the columns as they are.",
    explanation=(
        "Learners see only numbers in columns. Extraction turns what there is into columns that carry the "
        "signal: words into counts or embeddings, a time stamp into hour and weekday, an image into edges or "
        "the activations of a network, "
        "many correlated columns into a few components.",
        "Selection drops columns instead: by a filter (correlation, F test, mutual information), by a "
        "wrapper (adding or removing while a score improves), or inside the learner (L1, importance of "
        "trees). "
        "What is kept still has its name and unit.",
        "Extraction can be unsupervised (PCA, autoencoders) or see the target (partial least squares, "
        "discriminant analysis, a network's hidden layers). If it sees the target, it belongs inside the "
        "folds. "
        "Deep learning is, to a large part, learnt feature extraction.",
    ),
    points=(
        Point(
            "Extraction creates new features from the raw data; selection keeps a subset.",
            r"new|creat|transform|subset|select",
        ),
        Point(
            "Examples: PCA, TF-IDF and embeddings, date parts, image features.",
            r"pca|tf-?idf|embed|date|image|text|audio",
        ),
        Point(
            "Selection: filters, wrappers, embedded methods such as L1.",
            r"filter|wrapper|embedded|lasso|l1|importance|recursive",
        ),
        Point(
            "Extracted columns are harder to interpret; supervised ones are fitted inside the folds.",
            r"interpret|fold|leak|train",
        ),
        Point("Knowledge of the trade makes the best features.", r"domain|knowledge|expert"),
    ),
    experiment=experiment,
    table="digits",
    related=("dimensionality-reduction", "one-hot-encoding", "l1-l2"),
)
