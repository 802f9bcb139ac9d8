"""Metrics for classification: all of them for one model and for a guess that looks at no column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.metrics import MEASURES
from modelwright.evaluation.intervals import measure
from modelwright.handbook.entry import Entry, Experiment, Figure, Point, Topic
from modelwright.handbook.facts import Facts
from modelwright.handbook.models import house
from modelwright.reports import plots
from modelwright.reports.names import clean

if TYPE_CHECKING:
    from modelwright.handbook.arrays import Answers
    from modelwright.handbook.sample import Sample

HIGH_SHARE = 0.25
DRAWN = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc")
MEASURED = (*DRAWN, "average_precision", "log_loss", "brier", "calibration_error")


def experiment(sample: Sample, seed: int) -> Experiment:
    """Measure a boosted model and a guess by every measure, with intervals."""
    s = sample if sample.is_classes else sample.binary(share=HIGH_SHARE)
    predict, _ = house("lightgbm", s.fit.matrix, s.fit.y, s.n_classes, seed=seed, preset="default", rounds=60)
    answers = predict(s.held.matrix)
    shares = np.bincount(s.fit.y.astype(np.int64), minlength=s.n_classes) / s.fit.n
    guesses = np.tile(np.maximum(shares, 1e-6), (s.held.n, 1))
    choices = answers.argmax(axis=1)
    model = measure(s.task, s.held.y, answers, choices)
    guess = measure(s.task, s.held.y, guesses, guesses.argmax(axis=1))

    f = Facts()
    f.count("n_fit", "rows learnt from", s.fit.n)
    f.count("n_held", "rows held back", s.held.n)
    f.label("usual", "most usual label", s.labels[int(shares.argmax())])
    f.percent("usual_share", "its share of the rows held back", float((s.held.y == shares.argmax()).mean()))
    f.count("wrong", "rows answered wrongly", int((choices != s.held.y).sum()))
    if s.n_classes == 2:
        f.label("yes", "the label that counts as positive", s.labels[1])
        said, true = choices == 1, s.held.y == 1
        for key, label, rows in (
            ("hits", "said positive, and it is", said & true),
            ("alarms", "said positive, but it isn't", said & ~true),
            ("misses", "said negative, but it is positive", ~said & true),
            ("rejections", "said negative, and it is", ~said & ~true),
        ):
            f.count(key, label, int(rows.sum()))
    for name in MEASURED:
        f.score(name, MEASURES[name].title, model[name])
        f.number(f"{name}_guess", f"{MEASURES[name].title} of the guess", guess[name].value)
    done = f.say(
        "A LightGBM model learnt from {n_fit} rows and answered {n_held} rows held back. Beside it stands a "
        "guess that looks at no column: it always "
        "answers {usual}, and gives every label its usual share as its probability. Both were measured by "
        "everything there is for labels, the model with 95 % intervals."
    )
    figures = (_confusion(s, choices), _bars(model, guess))
    return Experiment(done, figures, f.all(), _meaning(f, s), _advice(f, s), s.notes)


def _meaning(f: Facts, s: Sample) -> tuple[str, ...]:
    said = [
        f.say(
            "Accuracy is {accuracy} ({accuracy_low} to {accuracy_high}), but {usual_share} of the rows are "
            "{usual}: a guess gets {accuracy_guess} without looking. Balanced accuracy, where every label "
            "counts alike, is {balanced_accuracy} against {balanced_accuracy_guess}."
        )
    ]
    if s.n_classes == 2:
        said.append(
            f.say(
                "Counted out, {yes} being positive: {hits} hits, {alarms} false alarms, {misses} misses, "
                "{rejections} right rejections. Precision {precision} looks down the column of alarms, "
                "recall {recall} along the row of positives, and F1 {f1} is their harmonic mean."
            )
        )
        said.append(
            f.say(
                "ROC AUC {roc_auc} says how often a positive row is ranked above a negative one (a coin: "
                "0.5) and doesn't care about any threshold. Average precision {average_precision} says the "
                "same with an eye on the positives only; a guess gets {average_precision_guess}, their share."
            )
        )
    else:
        said.append(
            f.say(
                "Precision {precision}, recall {recall} and F1 {f1} are means over the labels, each against "
                "the rest, so a rare label weighs as much as a common one."
            )
        )
        said.append(
            f.say(
                "ROC AUC {roc_auc}, also a mean over labels, says how often a row of a label is ranked above "
                "another row for that label (a coin: 0.5)."
            )
        )
    said.append(
        f.say(
            "Log loss {log_loss} and Brier score {brier} judge the probabilities themselves (the guess: "
            "{log_loss_guess} and {brier_guess}; less is better). On average the stated probability is off "
            "by {calibration_error}."
        )
    )
    return tuple(said)


def _advice(f: Facts, s: Sample) -> tuple[str, ...]:
    said = []
    if f["accuracy_low"] <= f["accuracy_guess"]:
        said.append(
            f.say(
                "By accuracy this model can't be told from the guess (its interval begins at {accuracy_low}, "
                "the guess has {accuracy_guess}). Look at ROC AUC before you give up: it may rank well "
                "although no row passes one half."
            )
        )
    else:
        said.append(f.say("Report accuracy only beside the guess: {accuracy} against {accuracy_guess}."))
    said.append(
        "Choose the measure by what happens next: a ranking is used (ROC AUC), probabilities are used (log "
        "loss), alarms cost work (precision), misses cost harm (recall). One number for choosing, the others "
        "to know what was paid."
    )
    if s.n_classes > 2:
        said.append("Read the confusion matrix row by row: a mean over labels hides the pair that is always mixed up.")
    return tuple(said)


def _confusion(s: Sample, choices: Answers) -> Figure:
    counts = np.zeros((s.n_classes, s.n_classes))
    np.add.at(counts, (s.held.y.astype(np.int64), choices.astype(np.int64)), 1)
    names = [f"{clean(label, 18)}" for label in s.labels]
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    cells = [
        (names[j], names[i], float(share[i, j]), f"{int(counts[i, j]):,}")
        for i in range(s.n_classes)
        for j in range(s.n_classes)
    ]
    spec = plots.grid(cells, "answer", "truth")
    return Figure(
        "Confusion matrix", "Rows are truths, columns answers; shading is the share of the truth's rows.", spec
    )


def _bars(model: dict, guess: dict) -> Figure:  # type: ignore[type-arg]
    rows, ends = [], []
    for name in DRAWN:
        for who, found in (("model", model[name]), ("guess", guess[name])):
            value = found.value if np.isfinite(found.value) else 0.0
            rows.append((MEASURES[name].title, who, value))
            ends.append((found.low, found.high) if who == "model" and np.isfinite(found.low) else (value, value))
    spec = plots.bars(rows, plots.Axis("measured on the rows held back", ends=(0.0, 1.0)), ends=ends)
    return Figure("The same model by six measures", "Bars with 95 % intervals; the guess looks at no column.", spec)


ENTRY = Entry(
    name="classification-metrics",
    question="Which metrics do you use to evaluate a classification model?",
    topic=Topic.CONCEPTS,
    short="Start from the confusion matrix; accuracy counts right answers, precision and recall split the wrong "
    "ones, ROC AUC judges the ranking, log loss the probabilities. Which one leads depends on what a mistake "
    "costs.",
    explanation=(
        "A classifier can be wrong in two ways for every label: it says it where it isn't (false alarm) and "
        "it doesn't where it is (miss). "
        "The confusion matrix counts both; nearly every metric is read off it. Accuracy is the share of "
        "right answers, precision the share of "
        "alarms that are true, recall the share of positives that are found, F1 the harmonic mean of the two.",
        "These need a threshold. ROC AUC and average precision look at all thresholds at once, that is, at "
        "the ranking. Log loss and the "
        "Brier score look at the probabilities and punish being sure and wrong; a calibration plot shows "
        "whether 80 % means 80 %.",
        "Accuracy misleads when labels are imbalanced: always saying 'no' is 99 % right when 1 % say yes. So "
        "every metric belongs beside a "
        "baseline and with an interval.",
    ),
    points=(
        Point(
            "The confusion matrix: true and false positives and negatives.",
            r"confusion|true positive|false (positive|negative)",
        ),
        Point("Accuracy, and why it misleads on imbalanced labels.", r"accura"),
        Point("Precision, recall and F1, for the two kinds of mistakes.", r"precision|recall|f1|f-?score"),
        Point("ROC AUC or PR AUC for ranking, independent of a threshold.", r"auc|roc|ranking"),
        Point(
            "Log loss, Brier score, calibration, when probabilities are used.",
            r"log ?loss|brier|calibrat|cross-?entropy|probabilit",
        ),
        Point(
            "The choice follows the cost of each mistake, against a baseline.", r"cost|business|baseline|depend|trade"
        ),
    ),
    experiment=experiment,
    table="breast_cancer",
    related=("precision-recall", "imbalanced-data", "cross-validation"),
)
