"""Generative and discriminative: naive Bayes beside logistic regression on growing data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.evaluation.metrics import loss as row_losses
from modelwright.handbook.entry import Entry, Experiment, Figure, Point, Topic
from modelwright.handbook.facts import Facts
from modelwright.handbook.models import better, difference, fitted, linear
from modelwright.handbook.strength import strongest
from modelwright.reports import plots
from modelwright.reports.figures import Series

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.handbook.sample import Sample

ROWS_MOST, HELD_MOST, COLUMNS_MOST, REPEATS, SMALLEST = 2_400, 800, 30, 10, 16
DRAWS = 1_000
ALIKE = 0.98


def experiment(sample: Sample, seed: int) -> Experiment:
    """Fit both on growing numbers of rows, and let the generative one make up rows of its own."""
    s = (sample if sample.is_classes else sample.binary()).few(ROWS_MOST, HELD_MOST, seed=seed)
    kept = strongest(s.fit.x, s.fit.y, is_classes=True)[:COLUMNS_MOST]
    x, held = s.fit.x[:, kept], s.held.x[:, kept]
    sizes = _sizes(s)
    rng = np.random.default_rng(seed)
    curves: dict[str, list[float]] = {"bayes": [], "logistic": []}
    for size in sizes:
        found = []
        for _ in range(1 if size == s.fit.n else REPEATS):
            rows = _rows(s, size, rng)
            found.append(
                [float((m(held).argmax(axis=1) != s.held.y).mean()) for m in _both(x[rows], s.fit.y[rows], s.n_classes)]
            )
        for name, value in zip(curves, np.mean(found, axis=0), strict=True):
            curves[name].append(float(value))
    answers = [m(held) for m in _both(x, s.fit.y, s.n_classes)]

    f = Facts()
    f.count("n_held", "rows held back", s.held.n)
    f.count("n_columns", "columns", len(kept))
    f.count("small", "fewest rows learnt from", sizes[0])
    f.count("large", "most rows learnt from", sizes[-1])
    f.count("repeats", "draws at each smaller number", REPEATS)
    for name, word in (("bayes", "naive Bayes"), ("logistic", "logistic regression")):
        f.percent(f"{name}_small", f"error rate of {word}, fewest rows", curves[name][0])
        f.percent(f"{name}_large", f"error rate of {word}, most rows", curves[name][-1])
    edge = f.score(
        "edge",
        "accuracy of logistic regression less that of naive Bayes, most rows",
        difference(s, answers[1], answers[0], "accuracy"),
    )
    crossing = next((n for n, a, b in zip(sizes, curves["bayes"], curves["logistic"], strict=True) if b < a), 0)
    f.count("crossing", "rows from which logistic regression errs less (0: never here)", crossing)
    for i, name in enumerate(("bayes", "logistic")):
        word = ("naive Bayes", "logistic regression")[i]
        f.percent(f"sure_{name}", f"mean probability {word} gives its answer", float(answers[i].max(axis=1).mean()))
        f.percent(
            f"right_{name}",
            f"how often that answer is right, {word}",
            float((answers[i].argmax(axis=1) == s.held.y).mean()),
        )
        f.number(f"loss_{name}", f"log loss of {word}", float(row_losses(s.task.kind, s.held.y, answers[i]).mean()))
    if x.shape[1] > 1:
        _draw(f, s, x, rng)
    done = f.say(
        "Gaussian naive Bayes (generative: it learns how each label's rows look) and logistic regression "
        "(discriminative: it learns only where the labels part) "
        "were fitted on the same {small} to {large} rows, drawn {repeats} times at each number, and judged "
        "on {n_held} rows held back, by {n_columns} columns."
    )
    figure = Figure(
        "Error rate as rows are added",
        "Fewest rows left, most right; each point is a mean over several draws.",
        plots.lines(
            [
                Series("naive Bayes (generative)", tuple(zip(map(float, sizes), curves["bayes"], strict=True))),
                Series(
                    "logistic (discriminative)",
                    tuple(zip(map(float, sizes), curves["logistic"], strict=True)),
                ),
            ],
            plots.Axis("rows learnt from (log scale)", is_log=True),
            plots.Axis("error rate"),
        ),
    )
    return Experiment(
        done, (figure,), f.all(), _meaning(f, better(edge, less=False)), _advice(f, better(edge, less=False)), s.notes
    )


def _sizes(s: Sample) -> list[int]:
    first = max(SMALLEST, 3 * s.n_classes)
    sizes = [first]
    while sizes[-1] * 2 < s.fit.n:
        sizes.append(sizes[-1] * 2)
    return [*sizes, s.fit.n] if sizes[-1] < s.fit.n else sizes


def _rows(s: Sample, size: int, rng: np.random.Generator) -> Any:
    """Return so many rows, two of each label among them where there are."""
    order = rng.permutation(s.fit.n)
    y = s.fit.y[order]
    first = np.concatenate([np.flatnonzero(y == label)[:2] for label in range(s.n_classes)])
    rest = np.setdiff1d(np.arange(len(order)), first)
    return order[np.concatenate([first, rest])[: max(size, len(first))]]


def _both(x: Floats, y: Any, n_classes: int) -> tuple[Any, Any]:
    from sklearn.naive_bayes import GaussianNB

    return fitted(GaussianNB(var_smoothing=1e-2), x, y, n_classes), linear(x, y, n_classes)


def _draw(f: Facts, s: Sample, x: Floats, rng: np.random.Generator) -> None:
    """Compare how two columns go together within the most usual label in the data and in rows the model makes up."""
    usual = int(np.bincount(s.fit.y.astype(np.int64)).argmax())
    rows = x[s.fit.y == usual]
    spread = rows.std(axis=0)
    varied = np.flatnonzero(spread > 1e-9)[:12]
    if len(varied) < 2:
        return
    together = np.abs(np.corrcoef(rows[:, varied].T))
    together[together > ALIKE] = 0  # a column with itself, or with its own copy
    a, b = np.unravel_index(int(together.argmax()), together.shape)
    made = rng.normal(rows.mean(axis=0), spread, (DRAWS, x.shape[1]))[:, varied]
    f.label("label", "label looked at", s.labels[usual])
    f.number(
        "real",
        "strongest correlation of two columns within it, data",
        float(np.corrcoef(rows[:, varied[a]], rows[:, varied[b]])[0, 1]),
        2,
    )
    f.number("made", "the same, rows made up by naive Bayes", float(np.corrcoef(made[:, a], made[:, b])[0, 1]), 1)


def _meaning(f: Facts, wins: int) -> tuple[str, ...]:
    said = [
        f.say(
            "With {small} rows naive Bayes errs on {bayes_small} of the rows held back and logistic "
            "regression on {logistic_small}; with {large} rows it is {bayes_large} and {logistic_large}."
        )
    ]
    ends = {
        1: "In the end the discriminative model is ahead: accuracy higher by {edge} (95 % interval {edge_low} "
        "to {edge_high}). It makes no claim about how columns are distributed, so more rows go on helping it.",
        -1: "In the end the generative model is ahead here (difference {edge}, 95 % interval {edge_low} to "
        "{edge_high}): what it assumes about these columns is close enough to true to be worth more than the "
        "rows.",
        0: "With all rows the two are tied (difference {edge}, 95 % interval {edge_low} to {edge_high}).",
    }
    said.append(f.say(ends[wins]))
    if f["bayes_small"] < f["logistic_small"] and f["crossing"]:
        said.append(
            f.say(
                "This is the pattern Ng and Jordan described in 2002: the generative model learns faster, "
                "the discriminative one overtakes it, here from {crossing} rows on."
            )
        )
    said.append(
        f.say(
            "Naive Bayes is sure of its answers by {sure_bayes} on average and right in {right_bayes}; "
            "logistic regression by {sure_logistic} and {right_logistic}. Log losses: {loss_bayes} and "
            "{loss_logistic}."
        )
    )
    if "real" in {x.key for x in f.all()} and abs(f["real"]) > abs(f["made"]) + 0.2:
        said.append(
            f.say(
                "Only the generative model can make up rows. In those, two columns that go together by "
                "{real} among rows that are {label} go together by {made}: 'naive' means it treats columns "
                "as independent within a label."
            )
        )
    return tuple(said)


def _advice(f: Facts, wins: int) -> tuple[str, ...]:
    first = (
        "Take the discriminative model when prediction is all you need and rows are plenty."
        if wins >= 0
        else "Take the generative model as your baseline here and see whether boosted trees beat it."
    )
    second = (
        f.say(
            "Don't use naive Bayes' probabilities as they come: {sure_bayes} sure and {right_bayes} right. "
            "Calibrate them first."
        )
        if f["sure_bayes"] - f["right_bayes"] > 0.03
        else "Keep a generative model in mind when labels are few, when values are missing at prediction time, or "
        "when rows must be simulated or judged as odd."
    )
    return first, second


ENTRY = Entry(
    name="generative-discriminative",
    question="What is the difference between generative and discriminative models?",
    topic=Topic.CONCEPTS,
    short="A generative model learns how the data of each label comes about, p(x, y); a discriminative one learns "
    "only how to tell labels apart, p(y | x).",
    explanation=(
        "A generative classifier models the rows: how often each label occurs, p(y), and what its rows look "
        "like, p(x | y). Bayes' rule turns that into p(y | x). "
        "Naive Bayes, linear discriminant analysis, hidden Markov models and Gaussian mixtures are "
        "generative; so, without labels, are language and diffusion models.",
        "A discriminative model spends all its parameters on the boundary. Logistic regression, support "
        "vector machines, boosted trees and most neural classifiers are of this kind.",
        "The generative one assumes more. If the assumptions are nearly right it needs fewer rows, handles "
        "missing columns gracefully, can say that a row is odd, and can make up new "
        "rows. If they are wrong, it stays wrong however many rows come, and the discriminative one passes it.",
    ),
    points=(
        Point(
            "Generative models learn p(x, y), or p(x | y) and p(y); discriminative ones p(y | x) or the boundary.",
            r"p\(|joint|condition|boundary|distribut",
        ),
        Point(
            "Examples: naive Bayes, LDA, GANs, language models; logistic regression, SVM, boosted trees.",
            r"bayes|lda|gan|logistic|svm|hmm|mixture|tree",
        ),
        Point(
            "Generative ones can sample rows and work with less data when their assumptions hold.",
            r"sampl|generat(e|ing) (new|data|row)|less data|few|assum",
        ),
        Point(
            "Discriminative ones usually predict better with enough data.",
            r"(better|higher|more accura)|enough data|asympto|large",
        ),
    ),
    experiment=experiment,
    table="digits",
    related=("supervised-unsupervised", "classification-metrics", "missing-data"),
)
