"""Bias and variance: trees of growing depth, each fitted on many resamples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.evaluation.bias_variance import decompose
from modelwright.handbook.entry import Entry, Experiment, Figure, Point, Topic
from modelwright.handbook.facts import Facts
from modelwright.handbook.models import tree
from modelwright.reports import plots
from modelwright.reports.figures import Series

if TYPE_CHECKING:
    from modelwright.handbook.sample import Sample

DEPTHS = (1, 2, 3, 4, 6, 8, 12)
RESAMPLES, ROWS_MOST, HELD_MOST = 12, 1_200, 800
MOSTLY, CLEARLY = 0.4, 1.02


def experiment(sample: Sample, seed: int) -> Experiment:
    """Grow trees of each depth on resamples and split their error on the rows held back."""
    s = sample.few(ROWS_MOST, HELD_MOST, seed=seed)
    parts = {depth: _split(s, depth, s.fit.n, seed) for depth in DEPTHS}
    losses = {depth: part["loss"] for depth, part in parts.items()}
    best, deep = min(losses, key=lambda d: losses[d]), DEPTHS[-1]
    half = _split(s, deep, s.fit.n // 2, seed)

    f = Facts()
    f.count("n_fit", "rows learnt from", s.fit.n)
    f.count("n_half", "half of them", s.fit.n // 2)
    f.count("n_held", "rows held back", s.held.n)
    f.count("resamples", "resamples a depth", RESAMPLES)
    f.word("loss", "loss", s.loss_name)
    f.count("deep", "deepest tree", deep)
    f.count("best", "depth of the least error", best)
    for name, part in (("shallow", parts[1]), ("best", parts[best]), ("deep", parts[deep])):
        what = {"shallow": "depth 1", "best": "the best depth", "deep": f"depth {deep}"}[name]
        f.number(f"loss_{name}", f"error at {what}", part["loss"])
        f.number(f"bias_{name}", f"of it bias and noise, {what}", part["bias"])
        f.number(f"variance_{name}", f"of it variance, {what}", part["variance"])
    f.percent("share_best", "variance as a share of the error, best depth", _share(parts[best]))
    f.number("variance_half", f"variance at depth {deep}, learning from half the rows", half["variance"])
    done = f.say(
        "For each depth a decision tree was fitted on {resamples} bootstrap resamples of {n_fit} rows, and "
        "all of them were "
        "asked about the same {n_held} rows held back. What their answers have in common misses the truth by "
        "the bias (noise "
        "in the target included); how far they differ from each other is the variance. The two add up to the "
        "error, measured as {loss}."
    )
    return Experiment(done, (_figure(parts, s.loss_name),), f.all(), _meaning(f), _advice(f))


def _split(s: Sample, depth: int, n: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    answers = []
    for i in range(RESAMPLES):
        rows = rng.integers(0, s.fit.n, n)
        answers.append(tree(s.fit.x[rows], s.fit.y[rows], s.n_classes, depth=depth, seed=seed + i)(s.held.x))
    return decompose(answers, s.held.y, s.task)


def _share(part: dict[str, Any]) -> float:
    return float(part["variance"] / part["loss"]) if part["loss"] > 0 else 0.0


def _meaning(f: Facts) -> tuple[str, ...]:
    said = [
        f.say(
            "From depth 1 to {deep} the variance goes from {variance_shallow} to {variance_deep}, and bias "
            "with noise from {bias_shallow} to {bias_deep}."
        )
    ]
    if f["loss_best"] * CLEARLY < min(f["loss_shallow"], f["loss_deep"]):
        said.append(
            f.say(
                "The error is least at depth {best} ({loss_best}): simpler trees miss what is there "
                "({loss_shallow} at depth 1), deeper ones learn their sample by heart ({loss_deep}). That "
                "valley is the trade-off."
            )
        )
    elif f["loss_deep"] <= f["loss_shallow"]:
        said.append(
            f.say(
                "The error still falls, or stays, with depth here ({loss_shallow} to {loss_deep}): this "
                "table has more pattern than the deepest tree could use up, so the far side of the valley is "
                "not reached."
            )
        )
    else:
        said.append(
            f.say(
                "The simplest tree is as good as any here ({loss_shallow}; {loss_deep} at depth {deep}): "
                "there is little to find in these columns, and every further split learns noise."
            )
        )
    said.append(f.say("At the best depth {share_best} of the error is variance."))
    if f["variance_half"] > f["variance_deep"] * CLEARLY:
        said.append(
            f.say(
                "More rows work against variance, not against bias: with {n_half} rows instead of {n_fit} "
                "the deepest trees' variance is {variance_half} instead of {variance_deep}."
            )
        )
    return tuple(said)


def _advice(f: Facts) -> tuple[str, ...]:
    if f["share_best"] >= MOSTLY:
        return (
            f.say(
                "Variance is {share_best} of the error even at the best depth: average many trees (a "
                "forest), or collect more rows, before you look for a more flexible model."
            ),
            "Then look at the spread of cross-validation scores: it should shrink.",
        )
    return (
        f.say(
            "At the best depth most of the error ({bias_best} of {loss_best}) comes back with every sample: "
            "more rows alone won't move it. Better columns, or a more flexible model such as boosting, might."
        ),
        "Part of it is noise in the target, which no model removes; estimate it from rows that are alike and "
        "have different answers.",
    )


def _figure(parts: dict[int, dict[str, Any]], loss: str) -> Figure:
    names = {"loss": "error", "bias": "bias and noise", "variance": "variance"}
    series = [Series(shown, tuple((float(d), float(p[key])) for d, p in parts.items())) for key, shown in names.items()]
    spec = plots.lines(series, plots.Axis("depth of the tree"), plots.Axis(loss))
    return Figure(
        "The error and its two parts",
        "Left, trees too simple; right, trees that learn their sample by heart. Bias and variance add up to the error.",
        spec,
    )


ENTRY = Entry(
    name="bias-variance",
    question="What is the bias–variance trade-off?",
    topic=Topic.CONCEPTS,
    short="A model too simple misses the pattern every time (bias); one too flexible follows the accidents of its "
    "sample (variance). The expected error is the sum, plus noise.",
    explanation=(
        "Imagine fitting the same method on many samples from the same world. Bias is how far the average of "
        "these models is "
        "from the truth: what comes back wrong every time. Variance is how much the models differ from each "
        "other: what depends "
        "on the luck of the sample. For squared error, expected error = bias² + variance + noise, exactly.",
        "Making a model more flexible lowers bias and raises variance; penalties, averaging and simpler "
        "shapes do the opposite. "
        "The best model is not the one with the least bias, but the one with the least sum.",
        "The split tells you what to do next. High variance: more rows, stronger regularisation, bagging. "
        "High bias: better "
        "columns, a more flexible family, boosting. Without it, teams collect a year of data for a model "
        "that needed a column.",
    ),
    points=(
        Point(
            "Bias is systematic error from a model too simple for the pattern: underfitting.",
            r"bias.*(simpl|underfit|systematic|assum)|underfit",
        ),
        Point(
            "Variance is sensitivity to the training sample: overfitting.",
            r"varia.*(sensitiv|sample|differ|overfit|flexib|complex)|overfit",
        ),
        Point("Expected squared error = bias² + variance + irreducible noise.", r"noise|irreducib|sum|adds? up"),
        Point(
            "More flexibility lowers bias and raises variance, so the total has a minimum in between.",
            r"trade|balance|minimum|between|u-?shape|sweet",
        ),
        Point(
            "Remedies differ: more rows, penalties and averaging against variance; features and flexibility "
            "against bias.",
            r"regulari|more (data|rows)|bagging|ensemble|feature|average",
        ),
    ),
    experiment=experiment,
    table="diabetes",
    related=("overfitting", "regularisation", "bagging-boosting"),
)
