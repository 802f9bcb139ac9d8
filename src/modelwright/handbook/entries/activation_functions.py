"""Activation functions: without one a network is a linear model, with the wrong one its slopes vanish."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelwright.handbook.entry import Entry, Experiment, Figure, Point, Topic
from modelwright.handbook.facts import Facts
from modelwright.handbook.models import better, difference, linear, loss_of
from modelwright.handbook.network import ACTIVATIONS, Network
from modelwright.handbook.strength import strongest
from modelwright.reports import plots
from modelwright.reports.figures import Series

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.handbook.sample import Sample

ROWS_MOST, COLUMNS_MOST, HIDDEN, STEPS, DEPTH, WIDTH, DRAWS = 1_000, 30, 24, 240, 10, 32, 3
LEGS, STOPPING_SHARE = 12, 0.2


def experiment(sample: Sample, seed: int) -> Experiment:
    """Train the same network with four activations, and follow the slopes back through ten layers."""
    s = sample.few(ROWS_MOST, seed=seed)
    kept = strongest(s.fit.x, s.fit.y, s.is_classes)[:COLUMNS_MOST]
    x, held = s.fit.x[:, kept], s.held.x[:, kept]
    sizes = [x.shape[1], HIDDEN, s.n_classes or 1]
    networks = {name: Network.random(sizes, name, s.n_classes, seed=seed) for name in ACTIVATIONS}
    answers = {name: _trained(s, network, x, held) for name, network in networks.items()}
    losses = {name: loss_of(s, found) for name, found in answers.items()}
    shrink = {name: _slopes(s, x, name, seed) for name in ("sigmoid", "tanh", "ReLU")}
    plain = networks["identity"]
    merged = held @ (plain.weights[0] @ plain.weights[1]) + plain.biases[0] @ plain.weights[1] + plain.biases[1]

    f = Facts()
    f.count("n_fit", "rows learnt from", s.fit.n)
    f.count("n_held", "rows held back", s.held.n)
    f.count("hidden", "units in the hidden layer", HIDDEN)
    f.count("steps", "steps at most; a fifth of the rows says when to stop", STEPS)
    f.count("depth", "layers of the deep network", DEPTH)
    f.number(
        "linear", "loss of a linear model on the rows held back", loss_of(s, linear(x, s.fit.y, s.n_classes)(held))
    )
    for name in ACTIVATIONS:
        f.number(f"loss_{name}", f"loss on the rows held back, {name}", losses[name])
    bent = min(("sigmoid", "tanh", "ReLU"), key=lambda name: losses[name])
    f.word("bent", "best activation here", bent)
    f.number("loss_bent", "its loss", losses[bent])
    edge = f.score(
        "edge",
        "loss of the network without activation less that of the best with one",
        difference(s, answers["identity"], answers[bent]),
    )
    f.number(
        "merged",
        "difference between the network without activation and one merged layer",
        float(np.abs(merged - plain.outputs(held)).max()),
        1,
    )
    for name, found in shrink.items():
        f.number(
            f"first_{name}",
            f"slope in the first layer as a share of the last, {name}",
            found[0] / found[-1] if found[-1] > 0 else 0.0,
            2,
        )
    done = f.say(
        "A network with one hidden layer of {hidden} units learnt from {n_fit} rows with four activations "
        "and otherwise the same start and steps; its loss was measured on {n_held} rows held back. "
        "Then the slopes of an untrained network of {depth} layers were followed back from the loss to the first layer."
    )
    return Experiment(
        done, (_shapes(), _vanishing(shrink)), f.all(), _meaning(f, -better(edge)), _advice(f, -better(edge))
    )


def _trained(s: Sample, network: Network, x: Floats, held: Floats) -> Floats:
    """Train in legs; return the answers after the leg that a fifth of the rows, not learnt from, liked best."""
    n_stop = max(int(s.fit.n * STOPPING_SHARE), 1)
    best, answers = np.inf, network.predict(held)
    for _ in range(LEGS):
        network.train(x[n_stop:], s.fit.y[n_stop:], steps=STEPS // LEGS)
        loss = network.loss(x[:n_stop], s.fit.y[:n_stop])
        if loss < best:
            best, answers = loss, network.predict(held)
    return answers


def _slopes(s: Sample, x: Floats, activation: str, seed: int) -> Floats:
    """Return the mean size of the slopes of each layer's weights, first layer first, in a deep untrained network."""
    sizes = [x.shape[1], *([WIDTH] * (DEPTH - 1)), s.n_classes or 1]
    found = []
    for i in range(DRAWS):
        network = Network.random(sizes, activation, s.n_classes, seed=seed + i)
        found.append([float(np.abs(g).mean()) for g in network.gradients(x, s.fit.y)[0]])
    return np.asarray(np.mean(found, axis=0))


def _meaning(f: Facts, helps: int) -> tuple[str, ...]:
    said = [
        f.say(
            "Without an activation, two layers are one: multiplied together they give the same outputs up to "
            "{merged}. Its loss, {loss_identity}, is that of a linear model trained a little ({linear} when "
            "solved fully)."
        )
    ]
    ends = {
        1: "With {bent} the loss is {loss_bent}: bending pays here, by {edge} (95 % interval {edge_low} to "
        "{edge_high}).",
        0: "With {bent}, the best of the three here, it is {loss_bent}; the difference of {edge} (95 % interval "
        "{edge_low} to {edge_high}) is not to be told from none: what these columns say about the target is "
        "nearly linear, or the rows are too few to show more.",
        -1: "With {bent}, the best of the three here, it is {loss_bent}, worse than without: more flexibility "
        "than these rows can fill.",
    }
    said.append(f.say(ends[helps]))
    if f["first_sigmoid"] < f["first_ReLU"]:
        said.append(
            f.say(
                "Through {depth} layers, the first layer's slopes are {first_sigmoid} of the last one's with "
                "sigmoid, {first_tanh} with tanh and {first_ReLU} with ReLU. A sigmoid's slope is at most a "
                "quarter, and ten quarters multiplied leave nothing to learn from: the vanishing gradient."
            )
        )
    return tuple(said)


def _advice(f: Facts, helps: int) -> tuple[str, ...]:
    first = (
        f.say(
            "A network can find something here that a linear model can't ({loss_bent} against "
            "{loss_identity}); compare it with boosted trees before you invest in it."
        )
        if helps > 0
        else "For this table start with a linear model or boosted trees; a network's activation is not what is missing."
    )
    return (
        first,
        "In hidden layers use ReLU or a smooth kin of it (GELU, SiLU) with He initialisation; at the output "
        "what the task asks: nothing for numbers, sigmoid for yes or no, softmax for one of many.",
    )


def _shapes() -> Figure:
    z = np.linspace(-4, 4, 65)
    series = [
        Series(name, tuple(zip(z.tolist(), curve(z).tolist(), strict=True)))
        for name, (curve, _) in ACTIVATIONS.items()
        if name != "identity"
    ]
    spec = plots.lines(series, plots.Axis("what goes into the unit"), plots.Axis("what comes out", ends=(-1.2, 4.0)))
    return Figure(
        "Three ways to bend",
        "Sigmoid and tanh flatten on both sides, where their slope, and with it learning, dies. ReLU keeps a "
        "slope of one on the right.",
        spec,
    )


def _vanishing(shrink: dict[str, Floats]) -> Figure:
    series = [
        Series(name, tuple((float(i + 1), max(float(v), 1e-16)) for i, v in enumerate(found)))
        for name, found in shrink.items()
    ]
    spec = plots.lines(
        series,
        plots.Axis("layer (1 is farthest from the loss)"),
        plots.Axis("mean size of slopes (log scale)", is_log=True, in_powers=True),
    )
    return Figure(
        "What is left of the slope", "Read from right to left: the slopes on their way back from the loss.", spec
    )


ENTRY = Entry(
    name="activation-functions",
    question="Why do neural networks need activation functions, and which do you choose?",
    topic=Topic.ALGORITHMS,
    short="Without them any stack of layers collapses into one linear layer. The usual choice is ReLU or a smooth "
    "variant inside, and whatever the task asks for at the output.",
    explanation=(
        "A layer computes a weighted sum. A weighted sum of weighted sums is again a weighted sum, so "
        "without something non-linear in between depth buys nothing. The activation is that bend; with it, a "
        "wide enough "
        "network can approximate any continuous function.",
        "Sigmoid and tanh squash into a range and flatten at the ends. Flat means a slope near zero, and "
        "backpropagation multiplies slopes: in deep stacks they vanish. ReLU, max(0, z), has slope one for "
        "every positive input and costs nothing; "
        "its risk is the 'dead' unit that is negative for all rows. Leaky ReLU, GELU and SiLU keep a little "
        "slope there.",
        "At the output the activation belongs to the loss: identity with squared error, sigmoid with binary "
        "log loss, softmax with log loss over many labels.",
    ),
    points=(
        Point("They make the network non-linear; without them it is one linear layer.", r"non-?linear|linear"),
        Point("Sigmoid and tanh saturate, so gradients vanish in deep networks.", r"vanish|saturat|satura|flat"),
        Point(
            "ReLU is cheap and keeps gradients, but units can die; leaky ReLU and GELU help.", r"relu|gelu|leaky|dead"
        ),
        Point("The output's activation follows the task: none, sigmoid, softmax.", r"softmax|output|sigmoid for"),
    ),
    experiment=experiment,
    table="digits",
    related=("backpropagation", "gradient-descent"),
)
