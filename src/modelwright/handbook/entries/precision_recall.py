"""Precision and recall: what moves when the threshold moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.evaluation.metrics import compute
from modelwright.evaluation.thresholds import best_threshold
from modelwright.handbook.entry import Entry, Experiment, Figure, Point, Topic
from modelwright.handbook.facts import Facts
from modelwright.handbook.models import linear
from modelwright.reports import plots
from modelwright.reports.figures import Series

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.handbook.arrays import Answers
    from modelwright.handbook.sample import Sample

HIGH_SHARE, FOLDS, WANTED_RECALL, MISS_COSTS = 0.25, 5, 0.9, 5
STEPS = 81


def experiment(sample: Sample, seed: int) -> Experiment:
    """Fit one model and move nothing but the threshold."""
    s = sample.binary(share=HIGH_SHARE)
    inside = _out_of_fold(s, seed)
    p = linear(s.fit.x, s.fit.y, 2)(s.held.x)[:, 1]
    truth = s.held.y == 1
    by_f1 = best_threshold(s.fit.y, inside, "f1")
    wide = float(np.quantile(inside[s.fit.y == 1], 1 - WANTED_RECALL))
    by_cost = 1 / (1 + MISS_COSTS)

    f = Facts()
    f.count("n_fit", "rows learnt from", s.fit.n)
    f.count("n_held", "rows held back", s.held.n)
    f.label("yes", "positive label", s.labels[1])
    f.percent("base", "share of positives on the rows held back", float(truth.mean()))
    f.percent("wanted", "recall wanted", WANTED_RECALL)
    f.count("miss_costs", "false alarms that one miss costs", MISS_COSTS)
    for key, label, at in (
        ("half", "threshold 0.5", 0.5),
        ("f1", "threshold of the best F1", by_f1),
        ("wide", "threshold for the recall wanted", wide),
        ("cost", "threshold by cost", by_cost),
    ):
        said = p >= at
        f.number(f"at_{key}", label, at)
        f.percent(f"precision_{key}", f"precision, {label}", _precision(said, truth))
        f.percent(f"recall_{key}", f"recall, {label}", _recall(said, truth))
        f.number(
            f"f1_{key}", f"F1, {label}", compute("f1", s.held.y, np.column_stack([1 - p, p]), said.astype(np.int64))
        )
        f.count(f"alarms_{key}", f"rows called positive, {label}", int(said.sum()))
        f.count(
            f"cost_{key}",
            f"cost in false alarms, {label}",
            int((said & ~truth).sum() + MISS_COSTS * (~said & truth).sum()),
        )
    f.number("average", "average precision", compute("average_precision", s.held.y, np.column_stack([1 - p, p])))
    done = f.say(
        "One logistic regression learnt from {n_fit} rows and gave {n_held} rows held back their probability "
        "of being {yes} ({base} of them are). "
        "Then only the threshold was moved, from which on a row is called {yes}. The thresholds below were "
        "chosen on the rows learnt from, by cross-validation."
    )
    return Experiment(done, _figures(p, truth, f), f.all(), _meaning(f), _advice(f), s.notes)


def _out_of_fold(s: Sample, seed: int) -> Floats:
    fold_of = np.random.default_rng(seed).permutation(s.fit.n) % FOLDS
    answers = np.zeros(s.fit.n)
    for fold in range(FOLDS):
        inside, held = fold_of != fold, fold_of == fold
        answers[held] = linear(s.fit.x[inside], s.fit.y[inside], 2)(s.fit.x[held])[:, 1]
    return answers


def _precision(said: Answers, truth: Answers) -> float:
    return float((said & truth).sum() / said.sum()) if said.any() else 0.0


def _recall(said: Answers, truth: Answers) -> float:
    return float((said & truth).sum() / truth.sum()) if truth.any() else 0.0


def _meaning(f: Facts) -> tuple[str, ...]:
    said = [
        f.say(
            "At the usual threshold of 0.5, {alarms_half} rows are called {yes}: {precision_half} of these "
            "calls are right (precision), and {recall_half} of all rows that are {yes} are found (recall)."
        ),
        f.say(
            "Lowered to {at_wide}, to find about {wanted} of them, recall is {recall_wide} and precision "
            "{precision_wide}: {alarms_wide} calls instead of {alarms_half}. Recall never falls when the "
            "threshold does; precision usually pays for it."
        ),
        f.say(
            "F1, their harmonic mean, was best at {at_f1} inside the rows learnt from; on the rows held back "
            "it is {f1_f1} there and {f1_half} at 0.5."
        ),
    ]
    said.append(f.say("Average precision, over all thresholds, is {average}; calling rows at random would get {base}."))
    return tuple(said)


def _advice(f: Facts) -> tuple[str, ...]:
    first = f.say(
        "If one miss costs as much as {miss_costs} false alarms, and the probabilities are right, the "
        "threshold is 1 / (1 + {miss_costs}) = {at_cost}. On the rows held back that costs {cost_cost}, "
        "against {cost_half} at 0.5 (in false alarms)."
    )
    if f["cost_cost"] > f["cost_half"]:
        first += (
            " That it is no cheaper here says that the probabilities or the few positives mislead: check calibration."
        )
    return (
        first,
        "Ask what each mistake costs before you tune anything, then move the threshold: it is free, needs no "
        "new model, and can be changed the day the costs change. Choose it on rows that don't judge.",
    )


def _figures(p: Floats, truth: Answers, f: Facts) -> tuple[Figure, ...]:
    cuts = np.unique(np.clip(np.quantile(p, np.linspace(0, 1, STEPS)), 0.001, 1.0))
    rows = [(float(c), _precision(p >= c, truth), _recall(p >= c, truth)) for c in cuts]
    series = [
        Series("precision: calls that are right", tuple((c, a) for c, a, _ in rows)),
        Series("recall: positives that are found", tuple((c, b) for c, _, b in rows)),
    ]
    unit = (0.0, 1.0)
    moving = plots.lines(series, plots.Axis("threshold", ends=unit), plots.Axis("share", ends=unit), upright=0.5)
    curve = sorted({(b, a) for _, a, b in rows}, key=lambda point: (point[0], -point[1]))
    marks = [(f["recall_half"], f["precision_half"]), (f["recall_wide"], f["precision_wide"])]
    spec = plots.lines(
        [Series("model", tuple(curve))],
        plots.Axis("recall", ends=(0.0, 1.02)),
        plots.Axis("precision", ends=(0.0, 1.02)),
        marks=marks,
        level=(f["base"], "at random"),
    )
    return (
        Figure("One model, every threshold", "The dashed line is the usual threshold of 0.5.", moving),
        Figure("Precision against recall", "The rings are the threshold 0.5 and the one for high recall.", spec),
    )


ENTRY = Entry(
    name="precision-recall",
    question="What is the difference between precision and recall, and which matters more?",
    topic=Topic.CONCEPTS,
    short="Precision: of the rows called positive, how many are. Recall: of the rows that are positive, how many "
    "were called. Moving the threshold trades one for the other; costs say where to stand.",
    explanation=(
        "Precision = true positives / all called positive. It answers 'when the alarm rings, is it true?'. "
        "Recall (sensitivity) = true positives / "
        "all that are positive. It answers 'when it is true, does the alarm ring?'. Neither looks at true "
        "negatives, which is why both serve when positives are rare.",
        "A model gives probabilities; the threshold makes decisions of them. Lower it and more positives are "
        "found (recall cannot fall) among more false "
        "alarms (precision usually falls). So a precision without its recall says nothing: one sure call "
        "gives a precision of 100 %.",
        "Recall leads where a miss is dear: disease screening, fraud, safety. Precision leads where an alarm "
        "is dear: blocking an account, recommending, sending an engineer. "
        "F1 weighs both alike; Fβ weighs recall β times as much. With known costs, no F is needed: call "
        "positive from p = C(false alarm) / (C(false alarm) + C(miss)) on.",
    ),
    points=(
        Point(
            "Precision = TP / (TP + FP): how many calls are right.",
            r"tp ?/ ?\(tp ?\+ ?fp|called|predicted positive|of (the|those) predict|false positive|alarm",
        ),
        Point(
            "Recall = TP / (TP + FN): how many positives are found.",
            r"tp ?/ ?\(tp ?\+ ?fn|found|actual positive|sensitiv|false negative|miss",
        ),
        Point("The threshold trades one for the other.", r"threshold|trade|cut-?off"),
        Point(
            "Which matters depends on what each mistake costs, with an example.",
            r"cost|medical|cancer|disease|spam|fraud|depend",
        ),
        Point("F1 or the precision–recall curve sum them up.", r"f1|f-?beta|curve|average precision"),
    ),
    experiment=experiment,
    table="diabetes",
    related=("classification-metrics", "imbalanced-data"),
)
