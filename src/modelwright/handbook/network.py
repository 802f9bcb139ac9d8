"""A neural network in numpy: forward, loss and gradients, nothing hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from modelwright.handbook.models import softmax

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.handbook.arrays import Answers

Curve = Callable[["Floats"], "Floats"]


def _sigmoid(z: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(z, -500, 500))))


ACTIVATIONS: dict[str, tuple[Curve, Curve]] = {
    "identity": (lambda z: z, lambda z: np.ones_like(z)),
    "sigmoid": (_sigmoid, lambda z: _sigmoid(z) * (1 - _sigmoid(z))),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "ReLU": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(np.float64)),
}
"""Each activation and its slope."""

RATE, DECAY, DECAY_SQUARES = 0.01, 0.9, 0.999
"""Adam's usual settings (Kingma and Ba 2015), with a rate for small tables."""


@dataclass
class Network:
    """Fully connected layers; the last one is linear.

    Attributes:
        weights: One matrix a layer, shape (n_in, n_out).
        biases: One vector a layer.
        activation: A name of ``ACTIVATIONS``.
        n_classes: 0 for regression by squared error, else log loss.
    """

    weights: list[Floats]
    biases: list[Floats]
    activation: str
    n_classes: int

    @classmethod
    def random(cls, sizes: list[int], activation: str, n_classes: int, *, seed: int) -> Network:
        """Return a network with weights drawn as is usual for its activation (Glorot 2010; He 2015 for ReLU)."""
        rng = np.random.default_rng(seed)
        gain = 2.0 if activation == "ReLU" else 1.0
        pairs = list(pairwise(sizes))
        weights = [rng.normal(0, np.sqrt(gain / n_in), (n_in, n_out)) for n_in, n_out in pairs]
        return cls(weights, [np.zeros(n_out) for _, n_out in pairs], activation, n_classes)

    @property
    def n_parameters(self) -> int:
        """How many numbers are learnt."""
        return sum(p.size for p in (*self.weights, *self.biases))

    def outputs(self, x: Floats) -> Floats:
        """Return the last layer's outputs, shape (n, n_outputs)."""
        return self._forward(x)[1][-1]

    def predict(self, x: Floats) -> Floats:
        """Return values (n,) or probabilities (n, n_classes)."""
        out = self.outputs(x)
        return softmax(out) if self.n_classes else out[:, 0]

    def loss(self, x: Floats, y: Answers) -> float:
        """Return the mean loss: log loss, or half the squared error."""
        out = self.outputs(x)
        if not self.n_classes:
            return float(((out[:, 0] - y) ** 2).mean() / 2)
        shifted = out - out.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return float(-logs[np.arange(len(y)), y.astype(np.int64)].mean())

    def gradients(self, x: Floats, y: Answers) -> tuple[list[Floats], list[Floats]]:
        """Return the slope of the loss by every weight and bias: one pass forward, one pass back."""
        before, after = self._forward(x)
        slope_of = ACTIVATIONS[self.activation][1]
        delta = self._output_error(after[-1], y) / len(y)
        by_weight: list[Floats] = []
        by_bias: list[Floats] = []
        for layer in reversed(range(len(self.weights))):
            by_weight.append(after[layer].T @ delta)
            by_bias.append(delta.sum(axis=0))
            if layer:
                delta = (delta @ self.weights[layer].T) * slope_of(before[layer - 1])
        return by_weight[::-1], by_bias[::-1]

    def train(self, x: Floats, y: Answers, *, steps: int) -> list[float]:
        """Take so many steps of Adam on all rows; return the loss before each."""
        parameters = [*self.weights, *self.biases]
        means, squares = [np.zeros_like(p) for p in parameters], [np.zeros_like(p) for p in parameters]
        losses = []
        for step in range(1, steps + 1):
            losses.append(self.loss(x, y))
            found = [g for part in self.gradients(x, y) for g in part]
            for p, g, m, s in zip(parameters, found, means, squares, strict=True):
                m += (1 - DECAY) * (g - m)
                s += (1 - DECAY_SQUARES) * (g**2 - s)
                p -= RATE * (m / (1 - DECAY**step)) / (np.sqrt(s / (1 - DECAY_SQUARES**step)) + 1e-8)
        return losses

    def _forward(self, x: Floats) -> tuple[list[Floats], list[Floats]]:
        """Return what goes into each layer's activation and what comes out, the inputs first."""
        curve = ACTIVATIONS[self.activation][0]
        before, after = [], [x]
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            before.append(after[-1] @ weight + bias)
            after.append(before[-1] if i == len(self.weights) - 1 else curve(before[-1]))
        return before, after

    def _output_error(self, out: Floats, y: Answers) -> Floats:
        """Return the slope of each row's loss by its outputs: what was said less what is true."""
        if not self.n_classes:
            return np.asarray(out - np.asarray(y)[:, None])
        error = softmax(out)
        error[np.arange(len(y)), y.astype(np.int64)] -= 1
        return error
