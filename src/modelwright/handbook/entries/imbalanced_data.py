"""Imbalanced data: weights, copies and thresholds, and what each does to the probabilities."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.evaluation.metrics import compute
from modelwright.evaluation.thresholds import best_threshold
from modelwright.handbook.entry import Entry, Experiment, Figure, Point, Topic
from modelwright.handbook.facts import Facts
from modelwright.handbook.models import difference, linear
from modelwright.handbook.sample import Sample
from modelwright.reports import plots
from modelwright.reports.names import quoted

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats, Ints
    from modelwright.handbook.arrays import Answers
    from modelwright.handbook.sample import Side

ASKED, IMBALANCED, THINNED, LEAST_POSITIVES, FOLDS = 0.1, 0.2, 0.08, 24, 5


def experiment(sample: Sample, seed: int) -> Experiment:
    """Fit one model plain, weighted and on copied rows, and the plain one with a moved threshold."""
    s = _rare(sample, seed)
    x, y, held = s.fit.x, s.fit.y, s.held.x
    rng = np.random.default_rng(seed)
    rows = _copied(y, rng)
    shares = {
        "plain": linear(x, y, 2)(held)[:, 1],
        "weighted": linear(x, y, 2, balanced=True)(held)[:, 1],
        "copied": linear(x[rows], y[rows], 2)(held)[:, 1],
    }
    moved = best_threshold(y, _out_of_fold(s, rng), "f1")
    choices = {name: (p >= 0.5).astype(np.int64) for name, p in shares.items()}
    choices["moved"] = (shares["plain"] >= moved).astype(np.int64)
    shares["moved"] = shares["plain"]

    f = Facts()
    f.count("n_fit", "rows learnt from", s.fit.n)
    f.count("n_positive", "rare rows among them", int(y.sum()))
    f.count("n_held", "rows held back", s.held.n)
    f.count("n_rare", "rare rows among those", int(s.held.y.sum()))
    f.label("yes", "the rare label", s.labels[1])
    f.percent("share", "share of the rare label, rows held back", float(s.held.y.mean()))
    f.percent("never", "accuracy of never saying it", float(1 - s.held.y.mean()))
    f.number("threshold", "threshold moved to, chosen on the rows learnt from", moved)
    words = {"plain": "plain", "weighted": "weights", "copied": "copies", "moved": "threshold moved"}
    for name, label in words.items():
        p = np.column_stack([1 - shares[name], shares[name]])
        for key in ("accuracy", "precision", "recall", "f1"):
            f.percent(
                f"{key}_{name}", f"{key if key != 'f1' else 'F1'}, {label}", compute(key, s.held.y, p, choices[name])
            )
        if name != "moved":
            f.number(f"auc_{name}", f"ROC AUC, {label}", compute("roc_auc", s.held.y, p))
            f.number(f"loss_{name}", f"log loss, {label}", compute("log_loss", s.held.y, p))
            f.percent(f"said_{name}", f"mean probability of the rare label, {label}", float(shares[name].mean()))
    alike = _most_probable(shares["plain"], int(choices["weighted"].sum()))
    truth = s.held.y == 1
    f.count("alike", "rows that the weighted model calls rare", int(alike.sum()))
    f.percent("recall_alike", "recall of the plain model when it calls as many", float(alike[truth].mean()))
    f.percent("precision_alike", "its precision then", float(truth[alike].mean()) if alike.any() else 0.0)
    a, b = (np.column_stack([1 - shares[n], shares[n]]) for n in ("weighted", "plain"))
    f.score("auc_gain", "ROC AUC with weights less plain", difference(s, a, b, "roc_auc"))
    done = f.say(
        "A logistic regression learnt to say {yes} from {n_fit} rows, {n_positive} of them {yes}: as they "
        "are; with weights that make both labels count alike; with the rare rows copied until there are as "
        "many; "
        "and as they are, but with the threshold moved to where F1 was best on the rows learnt from. Judged "
        "on {n_held} rows held back, {n_rare} of them {yes}."
    )
    return Experiment(done, _figures(f, words), f.all(), _meaning(f), _advice(f), s.notes)


def _most_probable(p: Floats, n: int) -> Answers:
    """Return which rows are the n most probable ones."""
    chosen = np.zeros(len(p), dtype=bool)
    chosen[np.argsort(-p, kind="stable")[:n]] = True
    return chosen


def _rare(sample: Sample, seed: int) -> Sample:
    """Return a yes-or-no question whose yes is rare: the table's own, or one with rows left out, and say so."""
    s = sample.binary(share=ASKED)
    if s.fit.y.mean() > 0.5:
        labels = (s.labels[1], s.labels[0])
        sides: dict[str, Any] = {k: replace(side, y=1 - side.y) for k, side in (("fit", s.fit), ("held", s.held))}
        s = replace(s, task=replace(s.task, labels=labels), **sides)
    if s.fit.y.mean() <= IMBALANCED:
        return s
    rng = np.random.default_rng(seed)
    note = (
        f"The label {quoted(s.labels[1])} is not rare here ({s.fit.y.mean():.0%}), so rows of it were left "
        "out at random, "
        "among those learnt from and those held back alike."
    )
    return replace(s, fit=_thinned(s.fit, rng), held=_thinned(s.held, rng), notes=(*s.notes, note))


def _thinned(side: Side, rng: np.random.Generator) -> Side:
    yes, no = np.flatnonzero(side.y == 1), np.flatnonzero(side.y != 1)
    n = min(len(yes), max(int(len(no) * THINNED), LEAST_POSITIVES))
    return side.take(np.sort(np.concatenate([no, rng.choice(yes, n, replace=False)])))


def _copied(y: Answers, rng: np.random.Generator) -> Ints:
    yes, no = np.flatnonzero(y == 1), np.flatnonzero(y != 1)
    return np.concatenate([no, yes, rng.choice(yes, max(len(no) - len(yes), 0))])


def _out_of_fold(s: Sample, rng: np.random.Generator) -> Floats:
    fold_of, answers = rng.permutation(s.fit.n) % FOLDS, np.zeros(s.fit.n)
    for fold in range(FOLDS):
        inside, out = fold_of != fold, fold_of == fold
        answers[out] = linear(s.fit.x[inside], s.fit.y[inside], 2)(s.fit.x[out])[:, 1]
    return answers


def _meaning(f: Facts) -> tuple[str, ...]:
    said = [
        f.say(
            "Never saying {yes} would be {never} accurate; the plain model is {accuracy_plain} accurate and "
            "finds {recall_plain} of the rare rows (precision {precision_plain})."
        )
    ]
    said.append(
        f.say(
            "Weights find {recall_weighted} of them and copies {recall_copied}, at a precision of "
            "{precision_weighted} and {precision_copied}. Moving the plain model's threshold to {threshold} "
            "finds {recall_moved} at {precision_moved}. F1: {f1_plain} plain, {f1_weighted}, {f1_copied}, "
            "{f1_moved} moved."
        )
    )
    if f["auc_gain_low"] <= 0 <= f["auc_gain_high"]:
        said.append(
            f.say(
                "The ranking is the same: ROC AUC is {auc_plain} plain and {auc_weighted} with weights "
                "(difference {auc_gain}, 95 % interval {auc_gain_low} to {auc_gain_high}). So let the "
                "plain model call as many rows as the weighted one does, its {alike} most probable: it finds "
                "{recall_alike} at a precision of {precision_alike}, where weights have {recall_weighted} and "
                "{precision_weighted}. Weights mostly move the threshold, by another name."
            )
        )
    else:
        said.append(
            f.say(
                "The ranking changes a little: ROC AUC is {auc_plain} plain and {auc_weighted} with weights "
                "(difference {auc_gain}, 95 % interval {auc_gain_low} to {auc_gain_high})."
            )
        )
    if abs(f["said_weighted"] - f["share"]) > abs(f["said_plain"] - f["share"]):
        said.append(
            f.say(
                "They cost the probabilities: {share} of the rows are {yes}; the plain model says "
                "{said_plain} on average, the weighted one {said_weighted}, the one with copies "
                "{said_copied} (log loss {loss_plain}, {loss_weighted} and {loss_copied})."
            )
        )
    return tuple(said)


def _advice(f: Facts) -> tuple[str, ...]:
    best = max(("plain", "weighted", "copied", "moved"), key=lambda n: f[f"f1_{n}"])
    names = {
        "plain": "the plain model at 0.5",
        "weighted": "weights",
        "copied": "copies",
        "moved": "the moved threshold",
    }
    return (
        f.say(
            "Keep the plain model and its honest probabilities, and move the threshold to what a miss and a "
            "false alarm cost. By F1 "
            + names[best]
            + " came first here ({f1_"
            + best
            + "}), but one of {n_rare} rare rows more or less moves that number."
        ),
        "Judge by precision–recall, not accuracy; stratify folds; and ask for more rare rows before any "
        "trick: resampling makes no new information, and copies made before the split leak into the rows "
        "that judge.",
    )


def _figures(f: Facts, words: dict[str, str]) -> tuple[Figure, ...]:
    rows = [
        (label, shown, f[f"{key}_{name}"])
        for name, label in words.items()
        for key, shown in (("recall", "recall"), ("precision", "precision"))
    ]
    means = [("truth", "", f["share"])] + [
        (label, "", f[f"said_{name}"]) for name, label in words.items() if name != "moved"
    ]
    return (
        Figure(
            "What each remedy finds, and at what price",
            "On the rows held back. A threshold does what weights do, with the same model.",
            plots.bars(rows, plots.Axis("share", ends=(0.0, 1.0))),
        ),
        Figure(
            "What becomes of the probabilities",
            "Mean probability of the rare label; it should equal the truth.",
            plots.bars(means, plots.Axis("mean probability", ends=(0.0, max(0.6, *(v for _, _, v in means))))),
        ),
    )


ENTRY = Entry(
    name="imbalanced-data",
    question="How do you deal with imbalanced classes?",
    topic=Topic.PREPROCESSING,
    short="Measure with precision and recall instead of accuracy, keep the model's probabilities honest, and move "
    "the threshold by cost; weights and resampling mostly do the same in a roundabout way.",
    explanation=(
        "When one label is rare, a model that never says it is nearly always right, and nothing useful. "
        "Imbalance itself harms little: what harms is judging by accuracy, deciding at 0.5, and having few "
        "rare rows to learn from.",
        "Class weights count mistakes on the rare label more; oversampling copies its rows, SMOTE makes up "
        "new ones between neighbours, undersampling throws common rows away. All tell the learner that the "
        "rare label is more frequent than it is. "
        "So it says it more often, and its probabilities no longer mean what they say, unless they are "
        "calibrated afterwards.",
        "Moving the threshold gets the same trade of recall for precision from an untouched model. Resample "
        "only inside the training folds; judge on rows as they come. When labels are very rare, treat it as "
        "ranking or as anomaly detection.",
    ),
    points=(
        Point("Accuracy misleads; use precision, recall, F1, PR AUC.", r"accura|precision|recall|f1|auc"),
        Point("Class weights, over- or undersampling, SMOTE.", r"weight|sampl|smote"),
        Point("Move the decision threshold by cost.", r"threshold|cost"),
        Point(
            "Resample only within training folds, stratify, and mind calibration.",
            r"stratif|fold|train(ing)? (set|data|fold)|leak|calibrat|probabilit",
        ),
        Point("More rare rows, or anomaly detection, when there are hardly any.", r"more data|collect|anomal|outlier"),
    ),
    experiment=experiment,
    table="eights",
    related=("precision-recall", "classification-metrics", "cross-validation"),
)
