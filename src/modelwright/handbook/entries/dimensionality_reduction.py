"""Dimensionality reduction: how few directions carry the columns, and how few carry the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.handbook.entry import Entry, Experiment, Figure, Point, Topic
from modelwright.handbook.facts import Facts
from modelwright.handbook.models import accuracy_name, accuracy_of, better, difference, linear, loss_of
from modelwright.reports import plots
from modelwright.reports.figures import Series

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.handbook.arrays import Answers
    from modelwright.handbook.sample import Sample

ROWS_MOST, HELD_MOST, MOST, HALF, DRAWS = 1_500, 800, 0.95, 0.5, 3
REPETITIVE, INDEPENDENT = 0.6, 0.85
NEAR = 1.1
"""Times the loss with all columns: few rows leave much unsure, and what is not surely worse may still be bad."""


def experiment(sample: Sample, seed: int) -> Experiment:
    """Project on the first principal components, and on random directions, and learn from those alone."""
    s = sample.few(ROWS_MOST, HELD_MOST, seed=seed)
    mean = s.fit.x.mean(axis=0)
    _, sizes, axes = np.linalg.svd(s.fit.x - mean, full_matrices=False)
    kept = np.cumsum(sizes**2) / (sizes**2).sum()
    counts = _counts(len(sizes))
    sides = (s.fit.x - mean) @ axes.T, (s.held.x - mean) @ axes.T
    answers = {k: linear(sides[0][:, :k], s.fit.y, s.n_classes)(sides[1][:, :k]) for k in counts}
    full = linear(s.fit.x, s.fit.y, s.n_classes)(s.held.x)
    random = {k: float(np.mean([_at_random(s, k, seed + i) for i in range(DRAWS)])) for k in counts}
    near = [k for k in counts if loss_of(s, answers[k]) <= NEAR * loss_of(s, full)]
    enough = next((k for k in near if better(difference(s, full, answers[k])) <= 0), counts[-1])

    f = Facts()
    f.count("n_fit", "rows learnt from", s.fit.n)
    f.count("n_held", "rows held back", s.held.n)
    f.count("n_columns", "columns", len(mean))
    f.word("measure", "measure", accuracy_name(s))
    f.count("k_half", "components for half of the variance", int(np.searchsorted(kept, HALF)) + 1)
    f.count("k_most", "components for 95 % of it", int(np.searchsorted(kept, MOST)) + 1)
    f.percent("first", "variance of the first component", float(kept[0]))
    f.number("full", f"{accuracy_name(s)} with all columns", accuracy_of(s, full))
    f.number(
        "two", f"{accuracy_name(s)} with {min(2, counts[-1])} components", accuracy_of(s, answers[min(2, counts[-1])])
    )
    f.count("enough", "fewest components not surely worse than all columns, nor by more than a tenth", enough)
    f.percent("enough_kept", "variance these carry", float(kept[enough - 1]))
    f.number("at_enough", f"{accuracy_name(s)} with them", accuracy_of(s, answers[enough]))
    f.number("random_enough", f"{accuracy_name(s)} with as many random directions", random[enough])
    f.score("edge", "loss with them less loss with all columns", difference(s, answers[enough], full))
    f.number(
        "rebuilt",
        "squared error of rebuilding the rows held back from them, of their variance",
        _rebuilt(s, axes[:enough], mean),
        2,
    )
    done = f.say(
        "The {n_columns} columns of {n_fit} rows, standardised, were turned to their principal components "
        "(PCA), widest first. A linear model learnt from the first 1, 2, 4 … of them, "
        "and for comparison from as many random directions; {n_held} rows held back judged."
    )
    return Experiment(done, _figures(kept, counts, answers, random, s, f), f.all(), _meaning(f), _advice(f))


def _counts(most: int) -> list[int]:
    counts = [1]
    while counts[-1] * 2 <= most:
        counts.append(counts[-1] * 2)
    return counts if counts[-1] == most else [*counts, most]


def _at_random(s: Sample, k: int, seed: int) -> float:
    directions = np.random.default_rng(seed).normal(size=(s.fit.x.shape[1], k)) / np.sqrt(s.fit.x.shape[1])
    return accuracy_of(s, linear(s.fit.x @ directions, s.fit.y, s.n_classes)(s.held.x @ directions))


def _rebuilt(s: Sample, axes: Answers, mean: Floats) -> float:
    centred = s.held.x - mean
    return float(((centred - centred @ axes.T @ axes) ** 2).sum() / (centred**2).sum())


def _meaning(f: Facts) -> tuple[str, ...]:
    squeezed = f["k_most"] / f["n_columns"]
    end = (
        "the columns say much the same several times over."
        if squeezed <= REPETITIVE
        else "the columns repeat each other in part."
        if squeezed < INDEPENDENT
        else "the columns are nearly independent, so there is little to squeeze."
    )
    said = [
        f.say(
            "Half of the variance of {n_columns} columns lies in {k_half} directions and 95 % of it in {k_most}: " + end
        )
    ]
    said.append(
        f.say(
            "A linear model needs {enough} of them to be not surely worse than with all columns, nor by more than "
            "a tenth: {measure} {at_enough} against {full} (difference in loss {edge}, 95 % interval {edge_low} to "
            "{edge_high}). They carry {enough_kept} of the variance."
        )
    )
    if f["at_enough"] > f["random_enough"]:
        said.append(f.say("It matters which directions: as many random ones reach {random_enough}."))
    else:
        said.append(
            f.say(
                "Which directions hardly matters here: as many random ones reach {random_enough}. Wide is "
                "not the same as telling, and PCA never looked at the target."
            )
        )
    said.append(
        f.say(
            "Two components, as in a picture, reach {measure} {two}. Rows rebuilt from {enough} miss "
            "{rebuilt} of their variance."
        )
    )
    return tuple(said)


def _advice(f: Facts) -> tuple[str, ...]:
    first = (
        f.say(
            "Where columns are many and rows few, or for neighbours and clustering, {enough} components can "
            "stand for {n_columns} columns here."
        )
        if f["enough"] <= f["n_columns"] / 2
        else "For accuracy keep all columns: a penalised model or boosted trees cope with this many, and "
        "reduction only gives something away."
    )
    return (
        first,
        "Standardise before PCA, fit it on training rows only, and choose the number of components by the "
        "score that matters, not by a share of variance. For pictures, t-SNE or UMAP show neighbourhoods, "
        "but don't measure distances in them.",
    )


def _figures(
    kept: Floats, counts: list[int], answers: dict[int, Floats], random: dict[int, float], s: Sample, f: Facts
) -> tuple[Figure, ...]:
    variance = plots.lines(
        [Series("variance", tuple((float(i + 1), float(v)) for i, v in enumerate(kept)))],
        plots.Axis("components"),
        plots.Axis("share of the variance", ends=(0.0, 1.02)),
        upright=float(f["k_most"]),
    )
    series = [
        Series("principal components", tuple((float(k), accuracy_of(s, answers[k])) for k in counts)),
        Series("random directions", tuple((float(k), random[k]) for k in counts)),
    ]
    learnt = plots.lines(
        series,
        plots.Axis("directions (log scale)", is_log=True),
        plots.Axis(accuracy_name(s)),
        level=(f["full"], "all columns"),
    )
    return (
        Figure("How few directions carry the columns", "The dashed line stands where 95 % is reached.", variance),
        Figure("How few carry the target", "A linear model on the first directions only.", learnt),
    )


ENTRY = Entry(
    name="dimensionality-reduction",
    question="What is dimensionality reduction, and when do you use it?",
    topic=Topic.PREPROCESSING,
    short="It replaces many columns by a few that keep most of what is in them: PCA by the directions of most "
    "variance, others by neighbourhoods or by the target.",
    explanation=(
        "Columns often repeat each other. PCA turns the axes so that the first new column has as much "
        "variance as possible, the second as much as is left, and so on; the last ones can be dropped. "
        "It is the eigenvectors of the covariance matrix, or a singular value decomposition.",
        "It helps against the curse of dimensionality: in many dimensions all rows are far from each other, "
        "distances mean little, and rows needed grow fast. It speeds learning, denoises, compresses, and "
        "makes pictures. "
        "The price is that a component is a mixture that nobody can name, and that variance is not the same "
        "as information about the target.",
        "Kin: linear discriminant analysis and partial least squares look at the target; t-SNE and UMAP draw "
        "neighbourhoods; autoencoders bend the directions; feature selection drops columns instead of mixing "
        "them.",
    ),
    points=(
        Point(
            "Fewer columns that keep most of the information; PCA finds directions of most variance.",
            r"pca|varian|component|fewer|informat",
        ),
        Point(
            "Reasons: curse of dimensionality, speed, noise, pictures.", r"curse|speed|visual|nois|overfit|comput|fast"
        ),
        Point(
            "Costs: lost information, unreadable components; unsupervised ones may drop what predicts.",
            r"interpret|lose|loss of|read|target|label",
        ),
        Point("Others: LDA, t-SNE, UMAP, autoencoders; selection is different.", r"lda|t-?sne|umap|autoenc|select"),
        Point(
            "Standardise first; choose the number by explained variance or by the score.",
            r"standardi|scal|explained|scree|number of comp",
        ),
    ),
    experiment=experiment,
    table="digits",
    related=("feature-extraction", "supervised-unsupervised", "feature-scaling"),
)
