"""Cross-validation: how much a single split depends on luck, and how a leak fools even cross-validation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.evaluation.metrics import compute
from modelwright.handbook.entry import Entry, Experiment, Figure, Point, Topic
from modelwright.handbook.facts import Facts
from modelwright.handbook.models import accuracy_name, linear
from modelwright.handbook.strength import strongest
from modelwright.reports import plots

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.handbook.arrays import Answers
    from modelwright.handbook.sample import Sample

ROWS_MOST, COLUMNS_MOST, SINGLE, REPEATED, FOLDS = 400, 40, 40, 12, 5
NOISE_ROWS, NOISE_COLUMNS, NOISE_KEPT, NOISE_TRIES = 100, 1_000, 10, 8
CHANCE = 0.5


def experiment(sample: Sample, seed: int) -> Experiment:
    """Measure one model by many splits and many cross-validations, then pure noise, rightly and wrongly."""
    s = sample.few(ROWS_MOST, seed=seed)
    kept = strongest(s.fit.x, s.fit.y, s.is_classes)[:COLUMNS_MOST]
    x, rng = s.fit.x[:, kept], np.random.default_rng(seed)
    single = [_single(s, x, rng) for _ in range(SINGLE)]
    folded = [float(np.mean(_folds(s, x, rng))) for _ in range(REPEATED)]
    leaky, honest = np.array([_noise(s, np.random.default_rng(seed + i)) for i in range(NOISE_TRIES)]).mean(axis=0)

    f = Facts()
    f.count("n_rows", "rows", s.fit.n)
    f.word("measure", "measure", accuracy_name(s))
    f.count("n_single", "single splits of 80 : 20", SINGLE)
    f.count("n_folded", "cross-validations of five folds", REPEATED)
    f.number("single_mean", "mean over the single splits", float(np.mean(single)))
    f.number("single_low", "worst single split", min(single))
    f.number("single_high", "best single split", max(single))
    f.number("single_spread", "standard deviation of single splits", float(np.std(single, ddof=1)), 2)
    f.number("folded_mean", "mean over the cross-validations", float(np.mean(folded)))
    f.number("folded_low", "worst cross-validation", min(folded))
    f.number("folded_high", "best cross-validation", max(folded))
    f.number("folded_spread", "standard deviation of cross-validations", float(np.std(folded, ddof=1)), 2)
    f.number(
        "ratio",
        "how many times single splits scatter more",
        f["single_spread"] / f["folded_spread"] if f["folded_spread"] > 0 else 0.0,
        2,
    )
    f.number("noise", "twice the standard deviation of single splits", 2 * f["single_spread"], 2)
    f.count("noise_columns", "columns of pure noise", NOISE_COLUMNS)
    f.count("noise_kept", "of them kept as features", NOISE_KEPT)
    f.number("leaky", "ROC AUC of noise, columns chosen before cross-validation", leaky, 2)
    f.number("honest", "ROC AUC of noise, columns chosen inside each fold", honest, 2)
    done = f.say(
        "On {n_rows} rows one linear model was measured by {n_single} different single splits of 80 : 20 and "
        "by {n_folded} differently "
        "shuffled five-fold cross-validations ({measure}). Then the columns were replaced by {noise_columns} "
        "of pure noise; the {noise_kept} that "
        "happened to go with the target were kept, once chosen on all rows before cross-validation and once "
        "inside each fold."
    )
    return Experiment(done, _figures(f, single, folded), f.all(), _meaning(f), _advice(f))


def _score(s: Sample, truth: Answers, answers: Floats) -> float:
    return compute("accuracy" if s.is_classes else "r2", truth, answers)


def _single(s: Sample, x: Floats, rng: np.random.Generator) -> float:
    order = rng.permutation(s.fit.n)
    held, inside = order[: s.fit.n // FOLDS], order[s.fit.n // FOLDS :]
    return _score(s, s.fit.y[held], linear(x[inside], s.fit.y[inside], s.n_classes)(x[held]))


def _folds(s: Sample, x: Floats, rng: np.random.Generator) -> list[float]:
    fold_of = rng.permutation(s.fit.n) % FOLDS
    scores = []
    for fold in range(FOLDS):
        inside, held = fold_of != fold, fold_of == fold
        scores.append(_score(s, s.fit.y[held], linear(x[inside], s.fit.y[inside], s.n_classes)(x[held])))
    return scores


def _noise(s: Sample, rng: np.random.Generator) -> tuple[float, float]:
    """Return the ROC AUC of noise columns chosen outside and inside of the folds, for the question made yes or no."""
    asked = s.binary()
    y = asked.fit.y[np.sort(rng.permutation(asked.fit.n)[:NOISE_ROWS])]
    if len(np.unique(y)) < 2:
        y = asked.fit.y[:]
    noise = rng.normal(size=(len(y), NOISE_COLUMNS))
    fold_of = np.empty(len(y), dtype=np.int64)
    for label in (
        0,
        1,
    ):  # each fold gets its share of both answers, or their differing shares would be mistaken for skill
        rows = np.flatnonzero(y == label)
        fold_of[rows] = rng.permutation(len(rows)) % FOLDS
    scores: list[list[float]] = [[], []]
    chosen_before = strongest(noise, y, is_classes=True)[:NOISE_KEPT]
    for fold in range(FOLDS):
        inside, held = fold_of != fold, fold_of == fold
        chosen_inside = strongest(noise[inside], y[inside], is_classes=True)[:NOISE_KEPT]
        for i, chosen in enumerate((chosen_before, chosen_inside)):
            answers = linear(noise[inside][:, chosen], y[inside], 2)(noise[held][:, chosen])
            scores[i].append(compute("roc_auc", y[held], answers))
    return float(np.nanmean(scores[0])), float(np.nanmean(scores[1]))


def _meaning(f: Facts) -> tuple[str, ...]:
    said = [
        f.say(
            "The same model on the same rows scores anything from {single_low} to {single_high}, depending "
            "only on which fifth was held back; averaged over five folds it is between {folded_low} and "
            "{folded_high}."
        )
    ]
    if f["ratio"] > 1:
        said.append(
            f.say(
                "Single splits scatter {ratio} times as much as five-fold means (standard deviation "
                "{single_spread} against {folded_spread}): with cross-validation every row judges once."
            )
        )
    else:
        said.append(
            f.say(
                "Here single splits scatter no more than five-fold means ({single_spread} against "
                "{folded_spread}); that is rare and comes from scores at the end of their scale."
            )
        )
    if f["leaky"] - f["honest"] > 0.05:
        said.append(
            f.say(
                "Cross-validation guards only what happens inside it: pure noise seems to predict the target "
                "with an AUC of {leaky} when its columns were chosen before, and with {honest} when each "
                "fold chose its own; a coin has 0.5."
            )
        )
    return tuple(said)


def _advice(f: Facts) -> tuple[str, ...]:
    return (
        f.say(
            "On this table don't act on a difference of {measure} below about {noise} when it comes from one "
            "split: that is twice the standard deviation of a single measurement."
        ),
        "Put every step that looks at the target (choosing columns, target encoding, resampling, tuning) "
        "inside the folds. Keep rows of one person in one fold, and let time only run forwards.",
    )


def _figures(f: Facts, single: list[float], folded: list[float]) -> tuple[Figure, ...]:
    strips = plots.strips([("single splits", single), ("five-fold means", folded)], plots.Axis(f["measure"]))
    rows = [("chosen before", "", f["leaky"]), ("chosen inside folds", "", f["honest"])]
    bars = plots.bars(rows, plots.Axis("ROC AUC of pure noise (0.5 is chance)", ends=(0.0, 1.0)))
    return (
        Figure(
            "How far luck moves the score",
            "Each stroke is one measurement of the same model; the thick one is the mean.",
            strips,
        ),
        Figure(
            "The leak that cross-validation doesn't see", "Both bars should be at 0.5, for the columns are noise.", bars
        ),
    )


ENTRY = Entry(
    name="cross-validation",
    question="What is cross-validation and why do you use it?",
    topic=Topic.CONCEPTS,
    short="Cross-validation holds back each part of the rows in turn, so that every row judges once a model that "
    "has not seen it; the mean is steadier than any single split.",
    explanation=(
        "With k folds the rows are cut into k parts. k models are fitted, each without one part, and judged "
        "on it. The mean score "
        "estimates how well the method does on new rows; the scatter of the parts hints at how sure that is.",
        "It is used to compare methods and to choose settings. Choosing uses rows up: the best of many "
        "scores is too good to be true, "
        "so the final number comes from rows that took no part (a sealed test set, or nested cross-validation).",
        "The folds must copy how the model will be used. Classes keep their shares (stratified); rows of one "
        "person or place stay "
        "together (grouped); when time matters the model learns from the past and is judged on the future.",
    ),
    points=(
        Point(
            "The data is cut into k folds; each is held out once while the rest trains the model; scores are averaged.",
            r"fold|averag|each part|k-?fold",
        ),
        Point(
            "It uses every row for judging and gives a steadier estimate than one split.",
            r"steady|stable|varian|every row|all (the )?data|robust|reliab",
        ),
        Point(
            "It is for choosing models and settings; a final test set stays outside.",
            r"tun|hyper|choos|select|test set|sealed",
        ),
        Point(
            "Everything that learns from the target goes inside the folds, or it leaks.",
            r"leak|inside|pipeline|preprocess",
        ),
        Point("Stratified, grouped and time-ordered folds, to copy how the model is used.", r"stratif|group|time"),
    ),
    experiment=experiment,
    table="breast_cancer",
    related=("overfitting", "classification-metrics", "regularisation"),
)
