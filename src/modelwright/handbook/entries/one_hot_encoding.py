"""One-hot encoding: categories as columns of their own, beside categories as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.contract import Kind
from modelwright.handbook.entry import Entry, Experiment, Figure, Point, Topic
from modelwright.handbook.facts import Facts
from modelwright.handbook.models import accuracy_name, accuracy_of, better, difference, linear, loss_of, tree
from modelwright.handbook.strength import explained, strongest
from modelwright.reports import plots
from modelwright.reports.figures import Series
from modelwright.reports.names import clean

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats, Ints
    from modelwright.handbook.sample import Sample

BANDS = ("very low", "low", "medium", "high", "very high")
"""Names for fifths of a number; in alphabetical order they are out of order, as names of levels usually are."""
COLUMNS_MOST, LEVELS_MOST, DEPTH = 12, 40, 6


class Coded:
    """Categories of both sides as codes in alphabetical order; -1 where a level was not seen in the first.

    Attributes:
        names: Of the columns.
        levels: Of each column, sorted.
        fit: Codes of the rows learnt from, one array a column.
        held: Codes of the rows held back.
        is_own: Whether they are categories of the table, not numbers cut into bands.
    """

    def __init__(self, columns: list[tuple[str, list[str], list[str]]], *, is_own: bool) -> None:
        self.names = [name for name, _, _ in columns]
        self.levels = [sorted(set(fit)) for _, fit, _ in columns]
        self.is_own = is_own
        places = [{level: i for i, level in enumerate(levels)} for levels in self.levels]
        self.fit: list[Ints] = [np.array([p[v] for v in fit]) for p, (_, fit, _) in zip(places, columns, strict=True)]
        self.held: list[Ints] = [
            np.array([p.get(v, -1) for v in held]) for p, (_, _, held) in zip(places, columns, strict=True)
        ]

    def as_codes(self) -> tuple[Floats, Floats]:
        """Return one standardised column of codes a category."""
        fit, held = (np.column_stack(side).astype(np.float64) for side in (self.fit, self.held))
        mean, spread = fit.mean(axis=0), fit.std(axis=0)
        spread[spread == 0] = 1.0
        return (fit - mean) / spread, (held - mean) / spread

    def as_hot(self) -> tuple[Floats, Floats]:
        """Return one column of 0 and 1 a level; a level that is new is zero in all of them."""
        sides = []
        for side in (self.fit, self.held):
            parts = [
                (codes[:, None] == np.arange(len(levels))).astype(np.float64)
                for codes, levels in zip(side, self.levels, strict=True)
            ]
            sides.append(np.hstack(parts))
        return sides[0], sides[1]


def experiment(sample: Sample, seed: int) -> Experiment:
    """Give the categories to a linear model and to a tree, as numbers and one-hot."""
    coded = _categories(sample) or _bands(sample)
    s = sample
    forms = {"codes": coded.as_codes(), "hot": coded.as_hot()}
    lines = {k: linear(a, s.fit.y, s.n_classes)(b) for k, (a, b) in forms.items()}
    trees = {k: tree(a, s.fit.y, s.n_classes, depth=DEPTH, seed=seed, min_leaf=5)(b) for k, (a, b) in forms.items()}
    widest = int(np.argmax([len(levels) for levels in coded.levels]))

    f = Facts()
    f.count("n_fit", "rows learnt from", s.fit.n)
    f.count("n_held", "rows held back", s.held.n)
    f.count("n_columns", "category columns", len(coded.names))
    f.count("n_hot", "columns after one-hot encoding", forms["hot"][0].shape[1])
    f.word("widest", "category of the most levels", clean(coded.names[widest], 40))
    f.count("n_levels", "its levels", len(coded.levels[widest]))
    f.count("n_new", "values held back whose level was never seen", int(sum((codes < 0).sum() for codes in coded.held)))
    f.word("measure", "measure", accuracy_name(s))
    for name, label, found in (("line", "linear model", lines), ("tree", "tree", trees)):
        for key, form in (("codes", "codes"), ("hot", "one-hot")):
            f.number(f"{name}_{key}", f"{accuracy_name(s)}, {label}, {form}", accuracy_of(s, found[key]))
            f.number(f"loss_{name}_{key}", f"loss, {label}, {form}", loss_of(s, found[key]))
    gain = f.score(
        "gain", "loss of the linear model on codes less on one-hot", difference(s, lines["codes"], lines["hot"])
    )
    edge = f.score("edge", "loss of the tree on codes less on one-hot", difference(s, trees["codes"], trees["hot"]))
    origin = (
        "The table's {n_columns} category columns (2 to 40 levels) were given to a linear model and to a "
        "tree of depth 6"
        if coded.is_own
        else "This table has no category of three levels or more, so its {n_columns} strongest numbers were cut "
        "into five bands with names, from “very low” to “very high”. They were given to a linear model and "
        "to a tree of depth 6"
    )
    done = f.say(
        origin + " in two forms: as numbers 0, 1, 2 … in alphabetical order, and one-hot, a column of zeros and ones "
        "for each level. {n_fit} rows taught and {n_held} judged; no other columns took part."
    )
    figures = (_scores(f), _steps(s, coded))
    return Experiment(done, figures, f.all(), _meaning(f, -better(gain), -better(edge)), _advice(f, -better(gain)))


def _categories(s: Sample) -> Coded | None:
    """Return the table's categories of 2 to 40 levels, if one has three or more."""
    columns = []
    for column in s.contract.features:
        if column.kind is not Kind.CATEGORY:
            continue
        fit, held = (
            ["missing" if v is None else str(v) for v in side.frame.get_column(column.name).to_list()]
            for side in (s.fit, s.held)
        )
        if 2 <= len(set(fit)) <= LEVELS_MOST:
            columns.append((column.name, fit, held))
    columns = columns[:COLUMNS_MOST]
    return Coded(columns, is_own=True) if any(len(set(c[1])) > 2 for c in columns) else None


def _bands(s: Sample) -> Coded:
    kept = strongest(s.fit.x, s.fit.y, s.is_classes)[:6]
    columns = []
    for i in kept:
        cuts = np.unique(np.quantile(s.fit.raw[:, i], [0.2, 0.4, 0.6, 0.8]))
        fit, held = (
            [BANDS[b] for b in np.searchsorted(cuts, side.raw[:, i], side="right")] for side in (s.fit, s.held)
        )
        columns.append((s.names[i], fit, held))
    return Coded(columns, is_own=False)


def _meaning(f: Facts, helps: int, helps_tree: int) -> tuple[str, ...]:
    ends = {
        1: "The linear model gains from one-hot: {measure} {line_hot} instead of {line_codes}; its loss falls "
        "by {gain} (95 % interval {gain_low} to {gain_high}). On codes it can draw only one straight line "
        "through the alphabet.",
        0: "The linear model doesn't surely change: {measure} {line_codes} on codes, {line_hot} one-hot "
        "(difference in loss {gain}, 95 % interval {gain_low} to {gain_high}).",
        -1: "The linear model does better on codes here: {measure} {line_codes} against {line_hot}. With this "
        "many levels and this few rows, a column for each is more than can be learnt.",
    }
    tree_ends = {
        1: "The tree gains too ({tree_hot} against {tree_codes}).",
        0: "The tree can live with either ({measure} {tree_codes} on codes, {tree_hot} one-hot; their losses "
        "are not surely apart): it may cut the alphabet in several places.",
        -1: "The tree is better on codes ({measure} {tree_codes} against {tree_hot}): it may cut the alphabet in "
        "several places, while one-hot lets it split off only one level at a time.",
    }
    said = [f.say(ends[helps]), f.say(tree_ends[helps_tree])]
    said.append(
        f.say(
            "The price is width: {n_columns} columns became {n_hot}; {widest} alone takes {n_levels}. "
            "{n_new} values held back have a level never seen in training; one-hot they are zeros in every "
            "column, as codes they are a number that means nothing."
        )
    )
    return tuple(said)


def _advice(f: Facts, helps: int) -> tuple[str, ...]:
    first = (
        "One-hot these columns for linear models, neighbours and networks."
        if helps >= 0
        else "Merge rare levels, or encode levels by their mean target (fitted inside each fold), before you "
        "one-hot this table."
    )
    second = (
        "Hand categories to boosted trees as categories: LightGBM and CatBoost split them natively, and "
        "modelwright's plan does that. With hundreds of levels use target encoding or hashing; for an "
        "unpenalised linear model drop one level, or the columns add up to one."
    )
    return first, second


def _scores(f: Facts) -> Figure:
    rows = [
        (shown, form, f[f"loss_{name}_{key}"])
        for name, shown in (("line", "linear model"), ("tree", "tree"))
        for key, form in (("codes", "numbers 0, 1, 2 …"), ("hot", "one-hot"))
    ]
    return Figure(
        "The same categories in two forms",
        "Loss on the rows held back; less is better.",
        plots.bars(rows, plots.Axis("loss")),
    )


def _steps(s: Sample, coded: Coded) -> Figure:
    """Draw what the rows say of each level of the most telling category, and the straight line that codes allow."""
    y = s.fit.y if not s.is_classes else (s.fit.y == (1 if s.n_classes == 2 else _usual(s))).astype(np.float64)
    telling = [
        float(explained((c[:, None] == np.arange(len(v))).astype(float), y, is_classes=False).sum())
        if len(v) > 2
        else 0.0
        for c, v in zip(coded.fit, coded.levels, strict=True)
    ]
    i = int(np.argmax(telling))
    codes, levels = coded.fit[i], coded.levels[i]
    means = [float(y[codes == j].mean()) for j in range(len(levels))]
    slope, level = np.polyfit(codes.astype(float), y.astype(float), 1) if len(levels) > 1 else (0.0, 0.0)
    line = [float(level + slope * j) for j in range(len(levels))]
    series = [
        Series("one-hot: each level by itself", tuple((float(j), v) for j, v in enumerate(means))),
        Series("codes: one straight line", tuple((float(j), v) for j, v in enumerate(line))),
    ]
    what = (
        "mean target (standardised)"
        if not s.is_classes
        else f"share of {clean(s.labels[1 if s.n_classes == 2 else _usual(s)], 18)}"
    )
    listing = ", ".join(f"{j} {clean(level, 16)}" for j, level in enumerate(levels[:8])) + (
        " …" if len(levels) > 8 else ""
    )
    spec = plots.lines(series, plots.Axis(f"code of {clean(coded.names[i], 26)}"), plots.Axis(what))
    return Figure("What a linear model can say of one category", f"The levels in alphabetical order: {listing}.", spec)


def _usual(s: Sample) -> int:
    return int(np.bincount(s.fit.y.astype(np.int64)).argmax())


ENTRY = Entry(
    name="one-hot-encoding",
    question="What is one-hot encoding, and when would you use something else?",
    topic=Topic.PREPROCESSING,
    short="Each level of a category gets a column of its own, 1 where the row has it and 0 elsewhere, so that no "
    "order is invented. With very many levels, or for trees, other encodings serve better.",
    explanation=(
        "Most learners take numbers only. Numbering levels 0, 1, 2 … tells a linear model or a distance that "
        "red lies between blue and violet and is twice as far from one as from the other. "
        "One-hot encoding gives every level its own column and thus its own weight, without order.",
        "Its price is width: a column of a thousand cities becomes a thousand sparse columns, each with few "
        "rows to learn from. Alternatives: target encoding (the level's mean target, shrunk and fitted out "
        "of fold), "
        "counts, hashing, learnt embeddings; or ordinal codes where the order is real (small, medium, large).",
        "Two practical points. Levels that first appear after training need a rule: all zeros, or an 'other' "
        "column. And the encoding is fitted: the list of levels belongs to the model and travels with it.",
    ),
    points=(
        Point(
            "Each level becomes a binary column; no false order or distance.",
            r"binary|column|order|0 (and|or|/) ?1|dummy",
        ),
        Point(
            "Needed by linear models, neighbours and networks; trees can use codes or native categories.",
            r"linear|tree|neural|knn|native",
        ),
        Point(
            "High cardinality makes it wide and sparse: use target encoding, hashing or embeddings.",
            r"cardinal|many|spars|target enc|hash|embed|dimension",
        ),
        Point(
            "Unknown levels at prediction time and the dummy trap need handling.",
            r"unknown|unseen|new (level|categor)|trap|drop|collinear",
        ),
    ),
    experiment=experiment,
    table="breast_cancer",
    related=("feature-extraction", "feature-scaling", "missing-data"),
)
