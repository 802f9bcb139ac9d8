"""Regularisation: one penalty from nearly none to overwhelming."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.evaluation.metrics import loss as row_losses
from modelwright.handbook.entry import Entry, Experiment, Figure, Point, Topic
from modelwright.handbook.facts import Facts
from modelwright.handbook.models import better, difference, linear, loss_of
from modelwright.reports import plots
from modelwright.reports.figures import Series

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.handbook.sample import Sample

ROWS_MOST, COLUMNS_MOST, PAIRED = 250, 40, 8
PENALTIES = tuple(float(p) for p in 10.0 ** np.arange(-3, 5.1, 0.75))
FOLDS = 4


def experiment(sample: Sample, seed: int) -> Experiment:
    """Fit a linear model with products of columns under penalties of every strength."""
    s = sample.few(ROWS_MOST, seed=seed)
    x, x_held = _with_products(s)
    fits, helds, answers = [], [], []
    for penalty in PENALTIES:
        predict = linear(x, s.fit.y, s.n_classes, penalty=penalty)
        answers.append(predict(x_held))
        fits.append(loss_of(s, predict(x), s.fit.y))
        helds.append(loss_of(s, answers[-1]))
    folded = _cross_validated(s, x, seed)
    chosen, best = int(np.argmin(folded)), int(np.argmin(helds))

    f = Facts()
    f.count("n_fit", "rows learnt from, few on purpose", s.fit.n)
    f.count("n_held", "rows held back", s.held.n)
    f.count("n_columns", "columns, products of columns among them", x.shape[1])
    f.word("loss", "loss", s.loss_name)
    f.number("least", "least penalty", PENALTIES[0], 1)
    f.number("chosen", "penalty chosen by cross-validation", PENALTIES[chosen], 2)
    f.number("most", "greatest penalty", PENALTIES[-1], 2)
    f.number("best", "penalty that was best on the rows held back", PENALTIES[best], 2)
    for name, i in (("least", 0), ("chosen", chosen), ("most", len(PENALTIES) - 1)):
        f.number(f"fit_{name}", f"loss on rows learnt from, {_words(name)} penalty", fits[i])
        f.number(f"held_{name}", f"loss on rows held back, {_words(name)} penalty", helds[i])
    gain = f.score("gain", "loss without less loss with the chosen penalty", difference(s, answers[0], answers[chosen]))
    done = f.say(
        "A linear model with {n_columns} columns (products of the strongest ones among them) learnt from "
        "only {n_fit} rows, "
        "under penalties on its squared weights from {least} to {most}; the {loss} was measured on {n_held} "
        "rows held back. "
        "Cross-validation inside the {n_fit} rows chose a penalty without seeing those."
    )
    return Experiment(
        done,
        (_figure(fits, helds, PENALTIES[chosen], s.loss_name),),
        f.all(),
        _meaning(f, -better(gain)),
        _advice(f, -better(gain)),
    )


def _words(name: str) -> str:
    return {"least": "least", "chosen": "chosen", "most": "greatest"}[name]


def _with_products(s: Sample) -> tuple[Floats, Floats]:
    """Return the columns and the products of the strongest ones, standardised: room enough to overfit."""
    from modelwright.handbook.strength import strongest

    kept = strongest(s.fit.x, s.fit.y, s.is_classes)[:COLUMNS_MOST]
    left, right = np.triu_indices(min(PAIRED, len(kept)))

    def made(x: Floats) -> Floats:
        top = x[:, kept[:PAIRED]]
        return np.hstack([x[:, kept], top[:, left] * top[:, right]])

    fit, held = made(s.fit.x), made(s.held.x)
    mean, spread = fit.mean(axis=0), fit.std(axis=0)
    spread[spread == 0] = 1.0
    return (fit - mean) / spread, np.clip((held - mean) / spread, -8, 8)


def _cross_validated(s: Sample, x: Floats, seed: int) -> list[float]:
    folds = np.random.default_rng(seed).permutation(s.fit.n) % FOLDS
    losses = []
    for penalty in PENALTIES:
        found = []
        for fold in range(FOLDS):
            inside, out = folds != fold, folds == fold
            predict = linear(x[inside], s.fit.y[inside], s.n_classes, penalty=penalty)
            found.append(row_losses(s.task.kind, s.fit.y[out], predict(x[out])))
        losses.append(float(np.concatenate(found).mean()))
    return losses


def _meaning(f: Facts, helps: int) -> tuple[str, ...]:
    said = [
        f.say(
            "On the rows learnt from, every penalty costs: the loss goes from {fit_least} (least) over "
            "{fit_chosen} (chosen) to {fit_most} (greatest)."
        )
    ]
    if helps > 0:
        said.append(
            f.say(
                "On rows held back the chosen penalty pays: {held_chosen} instead of {held_least}, a gain of "
                "{gain} (95 % interval {gain_low} to {gain_high})."
            )
        )
    elif helps < 0:
        said.append(
            f.say(
                "On rows held back the penalty that cross-validation chose did harm: {held_chosen} instead "
                "of {held_least}; the two samples differ, which is a finding in itself."
            )
        )
    else:
        said.append(
            f.say(
                "On rows held back the chosen penalty and nearly none are tied here ({held_chosen} and "
                "{held_least}; the 95 % interval of the difference, {gain_low} to {gain_high}, holds zero): "
                "on these rows neither can be shown to be better."
            )
        )
    if f["held_most"] > f["held_chosen"]:
        said.append(
            f.say(
                "Too much is as wrong as too little: at the greatest penalty the loss is {held_most}, "
                "because almost every weight is pressed to zero."
            )
        )
    return tuple(said)


def _advice(f: Facts, helps: int) -> tuple[str, ...]:
    first = (
        f.say(
            "Use a penalty of about {chosen} here, and choose it by cross-validation, never on the rows that "
            "judge: the best on these was {best}, known only afterwards."
        )
        if helps > 0
        else f.say(
            "Keep a mild penalty anyway (cross-validation says {chosen}): it costs little and protects "
            "against columns that are nearly copies of each other."
        )
    )
    return (
        first,
        "Standardise the columns first: a penalty treats weights alike, and a weight's size depends on its "
        "column's unit.",
    )


def _figure(fits: list[float], helds: list[float], chosen: float, loss: str) -> Figure:
    series = [
        Series("rows learnt from", tuple(zip(PENALTIES, fits, strict=True))),
        Series("rows held back", tuple(zip(PENALTIES, helds, strict=True))),
    ]
    x = plots.Axis("penalty (log scale)", is_log=True)
    spec = plots.lines(series, x, plots.Axis(loss), upright=chosen)
    return Figure(
        "From no restraint to nothing but restraint",
        "Weak penalties left, strong right. The dashed line is the one cross-validation chose.",
        spec,
    )


ENTRY = Entry(
    name="regularisation",
    question="What is regularisation and why does it help?",
    topic=Topic.CONCEPTS,
    short="Regularisation makes a model pay for complexity, so that it uses a pattern only when the rows insist on "
    "it: a little bias is given for a lot less variance.",
    explanation=(
        "Least squares and its kin minimise the error on the training rows. Regularisation minimises error + "
        "λ · complexity instead. "
        "For linear models complexity is the size of the weights: their squares (L2, ridge) or absolute "
        "values (L1, lasso). "
        "Trees pay per leaf, networks drop units or decay weights, and stopping early is a penalty too.",
        "Large weights are how a linear model follows accidents: it sets one column against a nearly equal "
        "one to hit single rows. "
        "Shrinking them makes the fit on the training rows worse and the predictions steadier.",
        "λ is chosen by cross-validation. Zero is the unpenalised fit; infinity is a constant. In Bayesian "
        "words L2 is a normal prior "
        "on the weights and L1 a Laplace prior, and λ says how much the prior counts.",
    ),
    points=(
        Point("A penalty on complexity is added to the loss, scaled by λ.", r"penalt|lambda|λ|complex"),
        Point("It trades some bias for less variance, so generalisation improves.", r"bias|varian|generali|overfit"),
        Point(
            "L2 shrinks weights, L1 also sets some to zero; early stopping and dropout are forms of it too.",
            r"l1|l2|ridge|lasso|dropout|early|weight decay",
        ),
        Point(
            "λ is tuned by cross-validation, and columns are standardised first.",
            r"cross-?valid|tun|valid|standardi|scal",
        ),
    ),
    experiment=experiment,
    table="diabetes",
    related=("l1-l2", "bias-variance", "cross-validation"),
)
