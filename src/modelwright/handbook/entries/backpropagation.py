"""Backpropagation: checked weight by weight against numerical differences."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from modelwright.handbook.entry import Entry, Experiment, Figure, Point, Topic
from modelwright.handbook.facts import Facts
from modelwright.handbook.network import Network
from modelwright.handbook.strength import strongest
from modelwright.reports import plots
from modelwright.reports.figures import Series

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.handbook.arrays import Answers
    from modelwright.handbook.sample import Sample

ROWS, COLUMNS_MOST, HIDDEN, STEPS = 64, 20, (8, 6), 300
NUDGES = tuple(10.0**-k for k in range(1, 13))
TRUSTED = 1e-5
"""Errors below this say that two gradients are the same, but for rounding."""


def experiment(sample: Sample, seed: int) -> Experiment:
    """Compute every slope of a small network by backpropagation and by nudging each weight; then train it."""
    kept = strongest(sample.fit.x, sample.fit.y, sample.is_classes)[:COLUMNS_MOST]
    x, y = sample.fit.x[:ROWS, kept], sample.fit.y[:ROWS]
    sizes = [x.shape[1], *HIDDEN, sample.n_classes or 1]
    network = Network.random(sizes, "tanh", sample.n_classes, seed=seed)
    begun = time.perf_counter()
    by_back = _flat(network.gradients(x, y))
    back_seconds = time.perf_counter() - begun
    begun = time.perf_counter()
    _numerical(network, x, y, NUDGES[4])
    nudge_seconds = time.perf_counter() - begun
    errors = [_apart(by_back, _numerical(network, x, y, h)) for h in NUDGES]
    best = int(np.argmin(errors))
    broken = _apart(_flat(_without_slope(network, x, y)), _numerical(network, x, y, NUDGES[best]))
    losses = network.train(sample.fit.x[:, kept], sample.fit.y, steps=STEPS)

    f = Facts()
    f.count("n_rows", "rows the slopes were taken on", len(y))
    f.word("shape", "layers of the network", " → ".join(map(str, sizes)))
    f.count("n_weights", "weights and biases", network.n_parameters)
    f.number("nudge", "nudge with the least error", NUDGES[best], 1)
    f.number("error", "largest error of backpropagation, as a share of the slope's size", errors[best], 2)
    f.number("error_coarse", f"the same with a nudge of {NUDGES[0]:g}", errors[0], 2)
    f.number("error_fine", f"the same with a nudge of {NUDGES[-1]:g}", errors[-1], 2)
    f.number("error_broken", "the same when backpropagation forgets the activation's slope", broken, 2)
    f.count("passes_back", "passes that backpropagation takes", 2)
    f.count("passes_nudge", "passes that nudging takes", 2 * network.n_parameters)
    f.seconds("seconds_back", "time, backpropagation", back_seconds)
    f.seconds("seconds_nudge", "time, nudging every weight", nudge_seconds)
    f.number("speed", "how many times faster", nudge_seconds / back_seconds if back_seconds > 0 else 0.0, 2)
    f.count("steps", "training steps", STEPS)
    f.number("loss_first", "training loss before", losses[0])
    f.number("loss_last", "training loss after", losses[-1])
    done = f.say(
        "A network of {shape} units (tanh) was given {n_rows} rows. The slope of the loss by each of its "
        "{n_weights} weights was computed twice: by backpropagation, and by nudging that weight "
        "up and down a little and measuring the loss again. Then the network was trained for {steps} steps "
        "with the slopes from backpropagation."
    )
    spec = plots.lines(
        [Series("error", tuple(zip(NUDGES, (max(e, 1e-16) for e in errors), strict=True)))],
        plots.Axis("size of the nudge (log scale)", is_log=True, in_powers=True),
        plots.Axis("largest relative error (log scale)", is_log=True, in_powers=True),
    )
    figure = Figure(
        "Agreement of the two gradients",
        "Nudges too large (right) see the curve instead of the slope; too small (left), the computer's "
        "rounding takes over.",
        spec,
    )
    falls = plots.lines(
        [Series("loss", tuple((float(i), v) for i, v in enumerate(losses)))],
        plots.Axis("step"),
        plots.Axis("training loss"),
    )
    return Experiment(
        done,
        (
            figure,
            Figure("What the slopes are for", "The training loss when every weight steps against its slope.", falls),
        ),
        f.all(),
        _meaning(f),
        _advice(f),
    )


def _flat(gradients: tuple[list[Floats], list[Floats]]) -> Floats:
    return np.concatenate([g.ravel() for part in gradients for g in part])


def _numerical(network: Network, x: Floats, y: Answers, nudge: float) -> Floats:
    """Return the slopes by central differences: two passes for every weight."""
    slopes = []
    for parameter in (*network.weights, *network.biases):
        flat = parameter.reshape(-1)
        for i in range(flat.size):
            kept = flat[i]
            flat[i] = kept + nudge
            above = network.loss(x, y)
            flat[i] = kept - nudge
            below = network.loss(x, y)
            flat[i] = kept
            slopes.append((above - below) / (2 * nudge))
    return np.array(slopes)


def _apart(a: Floats, b: Floats) -> float:
    """Return the largest difference, as a share of the largest slope."""
    size = float(np.abs(b).max())
    return float(np.abs(a - b).max()) / size if size > 0 else 0.0


def _without_slope(network: Network, x: Floats, y: Answers) -> tuple[list[Floats], list[Floats]]:
    """Return what backpropagation gives when the chain rule leaves out one factor, the activation's slope."""
    from modelwright.handbook import network as module

    curve, _ = module.ACTIVATIONS[network.activation]
    wrong = Network(network.weights, network.biases, "without slope", network.n_classes)
    module.ACTIVATIONS["without slope"] = (curve, lambda z: np.ones_like(z))
    try:
        return wrong.gradients(x, y)
    finally:
        del module.ACTIVATIONS["without slope"]


def _meaning(f: Facts) -> tuple[str, ...]:
    same = f["error"] < TRUSTED
    said = [
        f.say(
            "The two agree to {error} of the slope's size with a nudge of {nudge}: "
            + (
                "backpropagation is exact, up to rounding."
                if same
                else "that is more than rounding explains, so do not trust these slopes."
            )
        ),
        f.say(
            "A mistake would show: without the activation's slope, one factor of the chain rule, they differ "
            "by {error_broken}. A coarse nudge gives {error_coarse} and a very fine one {error_fine}, so the "
            "check has a best step of its own."
        ),
        f.say(
            "Backpropagation takes {passes_back} passes for all {n_weights} slopes, nudging {passes_nudge}: "
            "here {seconds_back} against {seconds_nudge}. That the price does not grow with the number of "
            "weights is why networks can be trained at all."
        ),
    ]
    if f["loss_last"] < f["loss_first"]:
        said.append(f.say("With these slopes {steps} steps take the training loss from {loss_first} to {loss_last}."))
    return tuple(said)


def _advice(f: Facts) -> tuple[str, ...]:
    return (
        f.say(
            "When you write a layer or a loss of your own, check its slopes this way on a few rows, with a "
            "nudge near {nudge} and double precision, before you train anything with it."
        ),
        "Check away from kinks (ReLU at zero has two slopes), and with dropout and shuffling switched off.",
    )


ENTRY = Entry(
    name="backpropagation",
    question="How does backpropagation work?",
    topic=Topic.ALGORITHMS,
    short="It is the chain rule, applied from the loss backwards: each layer receives how much the loss minds its "
    "outputs, and passes on how much it therefore minds its inputs and weights.",
    explanation=(
        "Forward, each layer turns its inputs into outputs and remembers them. At the end stands the loss. "
        "Backward, the slope of the loss by the last outputs is known (for log loss with softmax it is "
        "simply prediction minus truth). Each layer multiplies the slope it receives by its own: by the "
        "activation's slope, by the weights to reach the layer before, by the remembered inputs to get the "
        "slope of its weights.",
        "Every intermediate result is used once, so all slopes together cost about two to three forward "
        "passes, whatever the number of weights. Nudging each weight in turn would cost two passes per "
        "weight.",
        "Slopes are products over layers. Many factors below one vanish, many above one explode; that is why "
        "activations, initial weights, normalisation and skip connections matter in deep networks. "
        "Backpropagation only computes the gradient; what to do with it is the optimiser's business.",
    ),
    points=(
        Point("A forward pass computes outputs and loss and keeps the intermediate values.", r"forward"),
        Point(
            "A backward pass applies the chain rule from the loss to every weight.",
            r"chain rule|backward|deriv|partial",
        ),
        Point(
            "Intermediate slopes are reused, so all gradients cost about as much as a few forward passes.",
            r"reus|effici|cost|dynamic|once",
        ),
        Point(
            "The gradients go to an optimiser; deep products can vanish or explode.",
            r"vanish|explod|optimi|descent|update",
        ),
    ),
    experiment=experiment,
    table="wine",
    related=("activation-functions", "gradient-descent"),
)
