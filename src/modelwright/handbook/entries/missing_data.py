"""Missing data: values are hidden, by chance and for a reason, and filled in the usual ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.matrix import Feature, Matrix
from modelwright.handbook.entry import Entry, Experiment, Figure, Point, Topic
from modelwright.handbook.facts import Facts
from modelwright.handbook.models import better, difference, house, linear, loss_of
from modelwright.handbook.strength import strongest
from modelwright.reports import plots
from modelwright.reports.names import clean

if TYPE_CHECKING:
    from modelwright.core.arrays import Bools, Floats
    from modelwright.handbook.arrays import Answers
    from modelwright.handbook.sample import Sample

ROWS_MOST, HELD_MOST, COLUMNS_MOST, HIDDEN_COLUMNS = 1_500, 800, 12, 6
SHARE = 0.4
LEAST_GAPS = 20
FILLS = ("rows dropped", "mean", "mean + flag", "neighbours", "left to trees")


def experiment(sample: Sample, seed: int) -> Experiment:
    """Hide two of five values of the strongest columns, by chance or the large ones, and fill them five ways."""
    s = sample.few(ROWS_MOST, HELD_MOST, seed=seed)
    kept = strongest(s.fit.x, s.fit.y, s.is_classes)[:COLUMNS_MOST]
    whole = s.fit.x[:, kept], s.held.x[:, kept]
    n_hidden = min(HIDDEN_COLUMNS, len(kept))
    rng = np.random.default_rng(seed)
    full = loss_of(s, linear(whole[0], s.fit.y, s.n_classes)(whole[1]))
    by_chance = tuple(_by_chance(side, n_hidden, rng) for side in whole)
    by_value = tuple(_by_value(side, whole[0], n_hidden, rng) for side in whole)
    answers = {"chance": _answers(s, whole, by_chance, seed), "reason": _answers(s, whole, by_value, seed)}

    f = Facts()
    f.count("n_fit", "rows learnt from", s.fit.n)
    f.count("n_held", "rows held back", s.held.n)
    f.count("n_columns", "columns hidden in", n_hidden)
    f.percent("share", "share of their values hidden", SHARE)
    f.number("full", "loss of a linear model with nothing hidden", full)
    for kind, label in (("chance", "hidden by chance"), ("reason", "large values hidden")):
        for fill, found in answers[kind].items():
            f.number(f"{kind}_{_key(fill)}", f"loss, {label}, {fill}", loss_of(s, found))
    mask = by_chance[0]
    f.percent("complete", "rows without any gap, hidden by chance", float((~mask.any(axis=1)).mean()))
    f.percent(
        "shrunk",
        "spread of the strongest column after filling with the mean, of what it was",
        float(np.where(mask[:, 0], whole[0][~mask[:, 0], 0].mean(), whole[0][:, 0]).std() / whole[0][:, 0].std()),
    )
    reason = by_value[0][:, 0]
    f.number(
        "shifted",
        "deviations by which the mean moves when large values are hidden",
        float(whole[0][~reason, 0].mean() - whole[0][:, 0].mean()) / float(whole[0][:, 0].std()),
        2,
    )
    flag = {k: difference(s, a["mean"], a["mean + flag"]) for k, a in answers.items()}
    f.score("flag_chance", "what a flag gains, hidden by chance", flag["chance"])
    f.score("flag_reason", "what a flag gains, large values hidden", flag["reason"])
    _real(f, sample)
    done = f.say(
        "In the {n_columns} strongest columns {share} of the values were hidden, in rows learnt from and "
        "rows held back: once by chance, and once mostly the large ones, as when people with high "
        "incomes don't say. Then they were filled: not at all (rows dropped), with the mean, with the mean "
        "and a column that says where, from the ten nearest rows, or left as gaps to LightGBM. "
        "{n_fit} rows taught, {n_held} judged; all but the last with the same linear model."
    )
    return Experiment(
        done,
        (_figure(answers, s, full),),
        f.all(),
        _meaning(f, -better(flag["chance"]), -better(flag["reason"])),
        _advice(f, -better(flag["reason"])),
    )


def _key(fill: str) -> str:
    return {
        "rows dropped": "dropped",
        "mean": "mean",
        "mean + flag": "flag",
        "neighbours": "neighbours",
        "left to trees": "trees",
    }[fill]


def _by_chance(x: Floats, n: int, rng: np.random.Generator) -> Bools:
    mask = np.zeros(x.shape, dtype=bool)
    mask[:, :n] = rng.random((len(x), n)) < SHARE
    return mask


def _by_value(x: Floats, fit: Floats, n: int, rng: np.random.Generator) -> Bools:
    """Hide a value the more probably the larger it is: twice SHARE for the largest, never the smallest."""
    mask = np.zeros(x.shape, dtype=bool)
    for j in range(n):
        ordered = np.sort(fit[:, j])
        rank = (np.searchsorted(ordered, x[:, j], "left") + np.searchsorted(ordered, x[:, j], "right")) / (
            2 * len(ordered)
        )
        mask[:, j] = rng.random(len(x)) < 2 * SHARE * rank
    return mask


def _answers(s: Sample, whole: tuple[Floats, Floats], masks: tuple[Bools, ...], seed: int) -> dict[str, Floats]:
    """Return what each way of filling answers for the rows held back."""
    from sklearn.impute import KNNImputer

    gaps = tuple(np.where(mask, np.nan, x) for x, mask in zip(whole, masks, strict=True))
    middle = np.nanmean(gaps[0], axis=0)
    filled = tuple(np.where(mask, middle, x) for x, mask in zip(whole, masks, strict=True))
    flagged = tuple(np.hstack([x, mask[:, masks[0].any(axis=0)]]) for x, mask in zip(filled, masks, strict=True))
    near = KNNImputer(n_neighbors=10).fit(gaps[0])
    complete = ~masks[0].any(axis=1)
    y = s.fit.y
    found = {}
    enough = complete.sum() >= 10 and len(np.unique(y[complete])) > 1
    found["rows dropped"] = (
        _linear(s, whole[0][complete], y[complete], filled[1])
        if enough
        else _linear(s, filled[0][:0], y[:0], filled[1])
    )
    found["mean"] = _linear(s, filled[0], y, filled[1])
    found["mean + flag"] = _linear(s, flagged[0], y, flagged[1])
    found["neighbours"] = _linear(s, near.transform(gaps[0]), y, near.transform(gaps[1]))
    matrices = [
        Matrix(np.ascontiguousarray(g, dtype=np.float32), tuple(Feature(f"c{i}", f"c{i}") for i in range(g.shape[1])))
        for g in gaps
    ]
    found["left to trees"] = house(
        "lightgbm", matrices[0], y, s.n_classes, seed=seed, rounds=80, learning_rate=0.07, leaves=8, patience=0
    )[0](matrices[1])
    return found


def _linear(s: Sample, x: Floats, y: Answers, held: Floats) -> Floats:
    if not len(y):  # no row without a gap: only the usual answer is left
        return linear(np.zeros((s.fit.n, 1)), s.fit.y, s.n_classes)(np.zeros((len(held), 1)))
    return linear(x, y, s.n_classes)(held)


def _real(f: Facts, s: Sample) -> None:
    """Note what is missing in the table itself, and whether that goes with the target."""
    features = [c.name for c in s.contract.features]
    gaps = s.fit.frame.select(features).null_count().row(0) if features else ()
    f.percent("own", "values missing in the table itself", sum(gaps) / max(s.fit.n * len(features), 1))
    if not sum(gaps):
        return
    worst = features[int(np.argmax(gaps))]
    mask = s.fit.frame.get_column(worst).is_null().to_numpy()
    f.word("worst", "column with most missing", clean(worst, 40))
    f.percent("worst_share", "its share missing", float(mask.mean()))
    values: Any = (
        s.fit.y if s.n_classes in (0, 2) else (s.fit.y == np.bincount(s.fit.y.astype(np.int64)).argmax()).astype(float)
    )
    if min(mask.sum(), (~mask).sum()) < LEAST_GAPS:
        return
    a, b = values[mask], values[~mask]
    error = float(values.std(ddof=1)) * float(np.sqrt(1 / len(a) + 1 / len(b)))
    f.number(
        "worst_z",
        "how far apart the target is with and without it, in standard errors",
        float(a.mean() - b.mean()) / error if error > 0 else 0.0,
        2,
    )


def _meaning(f: Facts, helps_chance: int, helps_reason: int) -> tuple[str, ...]:
    keys = {x.key for x in f.all()}
    said = [
        f.say(
            "Dropping every row with a gap leaves {complete} of the rows to learn from; its loss is "
            "{chance_dropped}, filling with the mean gets {chance_mean}, and with nothing hidden it would be "
            "{full}."
        )
    ]
    said.append(
        f.say(
            "Hidden by chance: mean {chance_mean}, mean and flag {chance_flag}, neighbours "
            "{chance_neighbours}, trees {chance_trees}. " + _flag(helps_chance, "chance")
        )
    )
    said.append(
        f.say(
            "Large values hidden: mean {reason_mean}, mean and flag {reason_flag}, neighbours "
            "{reason_neighbours}, trees {reason_trees}. " + _flag(helps_reason, "reason")
        )
    )
    said.append(
        f.say(
            "Filling with the mean also bends the column: its spread shrinks to {shrunk} of what it was; and "
            "when the large ones are missing, its mean moves by {shifted} deviations, which no filling from "
            "within the column can notice."
        )
    )
    if "worst_z" in keys:
        strong = abs(f["worst_z"]) > 3
        said.append(
            f.say(
                "In the table itself {own} of the values are missing, most in {worst} ({worst_share}). "
                + (
                    "Rows without it differ in the target by {worst_z} standard errors: that it is missing "
                    "tells something."
                    if strong
                    else "Rows with and without it hardly differ in the target ({worst_z} standard errors)."
                )
            )
        )
    elif "worst" in keys:
        said.append(f.say("In the table itself {own} of the values are missing, most in {worst} ({worst_share})."))
    return tuple(said)


def _flag(helps: int, kind: str) -> str:
    ends = {
        1: "The flag gains {flag_KIND} (95 % interval {flag_KIND_low} to {flag_KIND_high}): where a value is "
        "missing says something about the row.",
        0: "The flag changes nothing that could be told from zero ({flag_KIND}, 95 % interval {flag_KIND_low} "
        "to {flag_KIND_high}).",
        -1: "The flag costs a little here ({flag_KIND}, 95 % interval {flag_KIND_low} to {flag_KIND_high}).",
    }
    return ends[helps].replace("KIND", kind)


def _advice(f: Facts, helps_reason: int) -> tuple[str, ...]:
    keys = {x.key for x in f.all()}
    best = min(("mean", "flag", "neighbours", "trees"), key=lambda k: f[f"reason_{k}"])
    names = {
        "mean": "the mean alone",
        "flag": "the mean with a flag",
        "neighbours": "the nearest rows",
        "trees": "leaving the gaps to boosted trees",
    }
    first = f.say(
        "Ask why values are missing before you choose a filling. When the large ones go missing, as they might, "
        + names[best]
        + " served best here ({reason_"
        + best
        + "})."
    )
    second = (
        "Fill from training rows only and keep the filler with the model; never drop rows at prediction time, "
        "for somebody is waiting for that answer. modelwright's plan keeps gaps as gaps for trees, fills and "
        "flags them for linear models."
    )
    if "worst_z" in keys and abs(f["worst_z"]) > 3:
        return (
            first,
            f.say(
                "Keep a flag for {worst}, and check that it isn't filled in only after the outcome is known: "
                "then its gap would be a leak."
            ),
            second,
        )
    return first, second


def _figure(answers: dict[str, dict[str, Floats]], s: Sample, full: float) -> Figure:
    words = {"chance": "hidden by chance", "reason": "large values hidden"}
    rows = [(fill, words[kind], loss_of(s, answers[kind][fill])) for fill in FILLS for kind in ("chance", "reason")]
    rows.append(("nothing hidden", words["chance"], full))
    return Figure(
        "Five ways to live with gaps",
        "Loss on the rows held back; less is better. The last bar is what was to be had.",
        plots.bars(rows, plots.Axis(s.loss_name)),
    )


ENTRY = Entry(
    name="missing-data",
    question="How do you handle missing data?",
    topic=Topic.PREPROCESSING,
    short="First ask why it is missing; then fill or flag it with a rule learnt on training rows, or use a learner "
    "that reads gaps. Dropping rows is the last resort.",
    explanation=(
        "Values are missing completely at random (a sensor hiccup), at random given other columns (young "
        "people skip the income question), or for a reason that lies in the value itself (high incomes are "
        "not told). "
        "The first can be filled safely, the second with the help of the other columns; the third cannot be "
        "repaired from the data, but it can be flagged, and the flag often predicts.",
        "Ways: drop rows or columns (simple, wasteful, biased when not at random); fill with mean, median or "
        "most frequent level (quick, shrinks spread); fill from neighbours or a model of the other columns "
        "(better, costlier); "
        "multiple imputation, when intervals matter; a missing-indicator column; or learners that treat "
        "'missing' as a direction in each split, as boosted trees do.",
        "The filler is part of the model: learnt on training rows, inside each fold, stored, and applied "
        "unchanged at prediction time.",
    ),
    points=(
        Point(
            "Find out why: completely at random, at random, or not at random.",
            r"mcar|mar\b|mnar|random|why|reason|mechanism",
        ),
        Point("Drop only when few and harmless.", r"drop|delet|remov|listwise"),
        Point(
            "Impute: mean or median, neighbours, a model; beware of shrinking the spread.",
            r"imput|mean|median|knn|fill|neighbo|mice",
        ),
        Point("Add a flag, or use learners that take gaps natively.", r"flag|indicator|native|xgboost|lightgbm|tree"),
        Point("Fit the imputer on training rows only.", r"train|leak|fold"),
    ),
    experiment=experiment,
    table="diabetes",
    related=("one-hot-encoding", "feature-scaling", "cross-validation"),
)
