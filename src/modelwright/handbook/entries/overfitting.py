"""Overfitting: boosting round by round on rows learnt from and rows held back, and the same on shuffled answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.evaluation.metrics import compute
from modelwright.handbook.entry import Entry, Experiment, Figure, Point, Topic
from modelwright.handbook.facts import Facts
from modelwright.handbook.models import accuracy_name, house
from modelwright.reports import plots
from modelwright.reports.figures import Series

if TYPE_CHECKING:
    from modelwright.core.ports import Curve
    from modelwright.handbook.sample import Sample

ROWS_MOST, ROUNDS, SHUFFLED_ROUNDS = 1_500, 200, 100
NOTABLE = 1.02
"""A rise of the loss above its least by less than 2 % is not spoken of as overfitting."""
SETTINGS: dict[str, Any] = {
    "learning_rate": 0.1,
    "leaves": 31,
    "min_leaf": 5,
    "row_share": 1.0,
    "feature_share": 1.0,
    "patience": 0,
}


def experiment(sample: Sample, seed: int) -> Experiment:
    """Boost for many rounds; then once more with the answers shuffled, so that there is nothing to learn."""
    s = sample.few(ROWS_MOST, seed=seed)
    _, curve = house(
        "lightgbm",
        s.fit.matrix,
        s.fit.y,
        s.n_classes,
        seed=seed,
        exam=(s.held.matrix, s.held.y),
        rounds=ROUNDS,
        **SETTINGS,
    )
    fit, held = np.array(curve.fit or [0.0]), np.array(curve.valid or [0.0])
    best, rounds = int(held.argmin()), list(curve.rounds) or [1]
    shuffled = s.fit.y[np.random.default_rng(seed).permutation(s.fit.n)]
    noise, _ = house("lightgbm", s.fit.matrix, shuffled, s.n_classes, seed=seed, rounds=SHUFFLED_ROUNDS, **SETTINGS)
    measure = "accuracy" if s.is_classes else "r2"

    f = Facts()
    f.count("n_fit", "rows learnt from", s.fit.n)
    f.count("n_held", "rows held back", s.held.n)
    f.word("loss", "loss", s.loss_name)
    f.word("measure", "measure", accuracy_name(s))
    f.count("rounds", "rounds of boosting", rounds[-1])
    f.count("best", "round of the least loss on the rows held back", rounds[best])
    f.number("fit_best", "loss on rows learnt from, that round", fit[best])
    f.number("held_best", "loss on rows held back, that round", held[best])
    f.number("fit_last", "loss on rows learnt from, last round", fit[-1])
    f.number("held_last", "loss on rows held back, last round", held[-1])
    f.percent(
        "rise",
        "rise of the loss on rows held back since that round",
        held[-1] / held[best] - 1 if held[best] > 0 else 0.0,
    )
    f.number(
        "noise_fit",
        f"{accuracy_name(s)} on rows learnt from, answers shuffled",
        compute(measure, shuffled, noise(s.fit.matrix)),
    )
    f.number(
        "noise_held",
        f"{accuracy_name(s)} on rows held back, answers shuffled",
        compute(measure, s.held.y, noise(s.held.matrix)),
    )
    f.number("usual", f"{accuracy_name(s)} of always giving the most usual answer", _usual(s))
    done = f.say(
        "LightGBM learnt from {n_fit} rows for {rounds} rounds without stopping early; after each round its "
        "{loss} was measured on those "
        "rows and on {n_held} rows held back. Then the answers were shuffled among the rows, so that nothing "
        "true was left to learn, and it learnt again."
    )
    return Experiment(done, (_figure(curve, s.loss_name, best),), f.all(), _meaning(f), _advice(f))


def _usual(s: Sample) -> float:
    if not s.is_classes:
        return 0.0
    usual = np.bincount(s.fit.y.astype(np.int64)).argmax()
    return float((s.held.y == usual).mean())


def _is_overfit(f: Facts) -> bool:
    return bool(f["held_last"] > f["held_best"] * NOTABLE and f["fit_last"] < f["fit_best"])


def _meaning(f: Facts) -> tuple[str, ...]:
    said = []
    if _is_overfit(f):
        said.append(
            f.say(
                "After round {best} the model gets worse while it seems to get better: the loss on rows "
                "learnt from goes on falling, from {fit_best} to {fit_last}, and that on rows held back "
                "rises by {rise}, from {held_best} to {held_last}."
            )
        )
    else:
        said.append(
            f.say(
                "Here overfitting is hardly seen: the loss on rows held back is least after round {best} "
                "({held_best}) and ends at {held_last}, while that on rows learnt from falls to {fit_last}."
            )
        )
    said.append(
        f.say("The gap at the end, {fit_last} against {held_last}, is how much the training rows flatter the model.")
    )
    said.append(
        f.say(
            "With shuffled answers the same method reaches {measure} {noise_fit} on the rows it learnt from "
            "and {noise_held} on those held back, where always giving the most usual answer reaches {usual}: "
            "a good score on training rows shows only that the model can remember."
        )
    )
    return tuple(said)


def _advice(f: Facts) -> tuple[str, ...]:
    first = (
        f.say(
            "Stop at round {best}: early stopping on rows held back gets {held_best} instead of {held_last}, for free."
        )
        if _is_overfit(f)
        else "Early stopping would change little here; more rounds are only a waste of time, or a slower learning "
        "rate could still gain."
    )
    return (
        first,
        "Never report a score of rows the model learnt from. Rows that chose the stopping round are used up "
        "too: keep a third part sealed for the final number, as modelwright does.",
    )


def _figure(curve: Curve, loss: str, best: int) -> Figure:
    rounds = [float(r) for r in curve.rounds] or [0.0]
    series = [
        Series("rows learnt from", tuple(zip(rounds, curve.fit, strict=False))),
        Series("rows held back", tuple(zip(rounds, curve.valid, strict=False))),
    ]
    spec = plots.lines(
        series, plots.Axis("round of boosting"), plots.Axis(loss), upright=rounds[min(best, len(rounds) - 1)]
    )
    return Figure(
        "Two losses, one model", "The dashed line marks the round at which the rows held back were served best.", spec
    )


ENTRY = Entry(
    name="overfitting",
    question="What is overfitting, how do you notice it, and how do you prevent it?",
    topic=Topic.CONCEPTS,
    short="A model overfits when it learns the accidents of its training rows: it goes on improving there while it "
    "gets worse on rows it has never seen.",
    explanation=(
        "Training rows hold two things: the pattern that will come back, and accidents that won't. A "
        "flexible model cannot tell them "
        "apart and learns both. On the training rows that looks like progress; on new rows the accidents are "
        "simply errors.",
        "You notice it by holding rows back. A large or growing gap between the two losses is the sign; a "
        "training score alone is none. "
        "The sharpest test is to shuffle the answers: whatever a model still 'learns' then is memory.",
        "Prevention: more rows; a simpler model or a penalty (regularisation); stopping early; averaging "
        "many models; fewer, better "
        "columns; dropout and augmentation for networks. And honest accounting: every choice made by looking "
        "at held-back rows uses them up a little.",
    ),
    points=(
        Point(
            "The model fits noise in the training data and generalises badly.",
            r"noise|memor|accident|by heart|generali",
        ),
        Point(
            "It shows as a gap: training loss low or falling, validation loss high or rising.",
            r"gap|validation|held|test|unseen|new data",
        ),
        Point(
            "Prevent it by more data, simpler models or regularisation.", r"regulari|simpl|more (data|rows)|penalt|prun"
        ),
        Point(
            "Early stopping, cross-validation, dropout, ensembling also help.",
            r"early stop|cross-?valid|dropout|ensembl|bagging",
        ),
    ),
    experiment=experiment,
    table="breast_cancer",
    related=("bias-variance", "regularisation", "cross-validation"),
)
