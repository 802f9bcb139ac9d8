"""Supervised and unsupervised learning: what labels add to the groups a table has by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.handbook.entry import Entry, Experiment, Figure, Point, Topic
from modelwright.handbook.facts import Facts
from modelwright.handbook.models import accuracy_name, accuracy_of, linear
from modelwright.reports import plots

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.handbook.arrays import Answers
    from modelwright.handbook.sample import Sample

ROWS_MOST, DRAWN, GROUPS = 2_000, 350, 4
NEARLY_ALL, HARDLY_ANY = 0.8, 0.2


def experiment(sample: Sample, seed: int) -> Experiment:
    """Group the rows without looking at the target, then learn it, and compare what both know of it."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score, silhouette_score

    s = sample.few(ROWS_MOST, seed=seed)
    k = s.n_classes or GROUPS
    grouping = KMeans(k, n_init=10, random_state=seed).fit(s.fit.x)
    again = KMeans(k, n_init=10, random_state=seed + 1).fit(
        s.fit.x[np.random.default_rng(seed).permutation(s.fit.n)[: s.fit.n // 2]]
    )
    groups = grouping.predict(s.held.x)
    said = _answer_of_groups(s, grouping.labels_, groups, k)
    learnt = linear(s.fit.x, s.fit.y, s.n_classes)(s.held.x)
    guess = _answer_of_groups(s, np.zeros(s.fit.n, dtype=np.int64), np.zeros(s.held.n, dtype=np.int64), 1)

    f = Facts()
    f.count("n_fit", "rows learnt from", s.fit.n)
    f.count("n_held", "rows held back", s.held.n)
    f.count("n_groups", "groups looked for", k)
    f.word("measure", "measure on the rows held back", accuracy_name(s))
    f.number("guess", f"{accuracy_name(s)} of guessing without columns", max(accuracy_of(s, guess), 0.0))
    f.number("by_groups", f"{accuracy_name(s)} from the groups alone", accuracy_of(s, said))
    f.number("supervised", f"{accuracy_name(s)} of a model taught with the target", accuracy_of(s, learnt))
    shown = np.random.default_rng(seed).permutation(s.fit.n)[:800]
    f.number(
        "silhouette",
        "silhouette: how apart the groups are, 0 to 1",
        silhouette_score(s.fit.x[shown], grouping.labels_[shown]),
        2,
    )
    f.number(
        "stability",
        "agreement of groups found in half the rows (1 = the same)",
        adjusted_rand_score(groups, again.predict(s.held.x)),
        2,
    )
    if s.is_classes:
        f.number(
            "rand",
            "agreement of groups and labels (adjusted Rand; 0 = chance, 1 = the same)",
            adjusted_rand_score(s.held.y, groups),
            2,
        )
    gain = f["supervised"] - f["guess"]
    f.percent(
        "recovered",
        "share of what the taught model gains over guessing that the groups have too",
        (f["by_groups"] - f["guess"]) / gain if gain > 0.02 else 0.0,
    )
    done = f.say(
        "Unsupervised: k-means looked for {n_groups} groups in {n_fit} rows, without the target. "
        "Supervised: a linear model learnt the target from the same rows. Then each group was given the answer most "
        "usual in it, and both were asked about {n_held} rows held back."
    )
    return Experiment(done, _figures(s, grouping.labels_), f.all(), _meaning(f, gain), _advice(f, gain))


def _answer_of_groups(s: Sample, fit: Answers, held: Answers, k: int) -> Floats:
    """Return for each row held back what is usual among the rows learnt from that fell into its group."""
    if not s.is_classes:
        overall = float(s.fit.y.mean())
        means = np.array([s.fit.y[fit == g].mean() if (fit == g).any() else overall for g in range(k)])
        return np.asarray(means[held])
    counts = np.zeros((k, s.n_classes))
    np.add.at(counts, (fit.astype(np.int64), s.fit.y.astype(np.int64)), 1.0)
    counts += 0.5
    shares = counts / counts.sum(axis=1, keepdims=True)
    return np.asarray(shares[held])


def _meaning(f: Facts, gain: float) -> tuple[str, ...]:
    first = f.say(
        "Taught with the target, a plain model reaches {measure} {supervised}; answering by group alone "
        "reaches {by_groups}; "
        "guessing without any column {guess}."
    )
    if gain <= 0.02:
        second = (
            "Even with the target's help little is learnt here, so this table cannot tell the two kinds of "
            "learning apart."
        )
    elif f["recovered"] >= NEARLY_ALL:
        second = f.say(
            "The groups know {recovered} of what the taught model knows: the table's own shape is nearly the target."
        )
    elif f["recovered"] <= HARDLY_ANY:
        second = f.say(
            "The groups know {recovered} of what the taught model knows: the strongest pattern in the columns is about "
            "something other than the target. That is no failure of clustering, which was never told the question."
        )
    else:
        second = f.say(
            "The groups know {recovered} of what the taught model knows: shape and target go together in part."
        )
    third = f.say(
        "Groups found in half of the rows agree with these by {stability} (1 is the same, 0 is chance); "
        "their silhouette is {silhouette}."
    )
    return first, second, third


def _advice(f: Facts, gain: float) -> tuple[str, ...]:
    said = ["Where labels exist, use them; keep clustering for finding segments, odd rows, or what to label next."]
    if f["stability"] < 0.6:
        said.append(
            f.say(
                "Don't name these groups in a meeting: an agreement of {stability} says another sample would "
                "draw them otherwise."
            )
        )
    elif gain > 0.02 and f["recovered"] >= NEARLY_ALL:
        said.append(
            "With groups this close to the target, labelling a few rows of each group would already give a "
            "usable model."
        )
    else:
        said.append(
            "The groups come back in another sample, so they can be described and used; just don't expect "
            "them to be the target."
        )
    return tuple(said)


def _figures(s: Sample, groups: Answers) -> tuple[Figure, ...]:
    centred = s.fit.x - s.fit.x.mean(axis=0)
    if centred.shape[1] < 2:
        centred = np.column_stack([centred, np.zeros((len(centred), 2 - centred.shape[1]))])
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    flat = centred @ axes.T
    rows = np.random.default_rng(0).permutation(len(flat))[:DRAWN]
    names = [f"group {g + 1}" for g in range(int(groups.max()) + 1)]
    by_group = [(float(flat[i, 0]), float(flat[i, 1]), names[int(groups[i])]) for i in rows]
    if s.is_classes:
        truths = list(s.labels)
        truth = [truths[int(v)] for v in s.fit.y]
    else:
        truths = ["low third", "middle third", "high third"]
        truth = [truths[int(v)] for v in np.searchsorted(np.quantile(s.fit.y, [1 / 3, 2 / 3]), s.fit.y)]
    by_truth = [(float(flat[i, 0]), float(flat[i, 1]), truth[i]) for i in rows]
    x, y = plots.Axis("first principal component"), plots.Axis("second")
    return (
        Figure(
            "Groups found without the target",
            "Rows laid flat by their two widest directions; colour is the group k-means gave.",
            plots.dots(by_group, x, y, names=names),
        ),
        Figure(
            "The same rows by the target",
            "Colour is the truth, which k-means never saw.",
            plots.dots(by_truth, x, y, names=truths),
        ),
    )


ENTRY = Entry(
    name="supervised-unsupervised",
    question="What is the difference between supervised and unsupervised learning?",
    topic=Topic.CONCEPTS,
    short="Supervised learning is given answers to imitate; unsupervised learning is given only rows and looks for "
    "shape in them.",
    explanation=(
        "In supervised learning every row comes with the right answer, the label. The model learns a rule "
        "from columns to "
        "label, and it can be marked like an exam: hide some answers, ask, compare. Classification and "
        "regression are of this kind.",
        "In unsupervised learning there is no answer column. The method describes the rows themselves: which are alike "
        "(clustering), which are odd (anomaly detection), how few numbers would do (dimensionality "
        "reduction). Nothing can be "
        "marked right or wrong, so one asks instead whether the finding is stable, and whether it is useful.",
        "Between them stand semi-supervised learning (few labels, many rows) and self-supervised learning "
        "(the labels are cut "
        "out of the data itself, as when a language model predicts the next word).",
    ),
    points=(
        Point("Supervised learning has labels and learns a mapping from inputs to them.", r"label|target|answer"),
        Point(
            "Unsupervised learning has none and looks for structure, such as clusters or components.",
            r"structure|cluster|pattern|group|component",
        ),
        Point(
            "Supervised results are judged on held-out labels; unsupervised ones by stability and use.",
            r"held|test|evaluat|accura|stab|silhouette|measure",
        ),
        Point(
            "Examples of each: classification and regression; clustering, PCA, anomaly detection.",
            r"classif|regress|k-?means|pca|anomal",
        ),
    ),
    experiment=experiment,
    table="wine",
    related=("dimensionality-reduction", "generative-discriminative", "classification-metrics"),
)
