"""The network that pages on networks use: its slopes are those of its loss."""

import numpy as np
import pytest

from modelwright.handbook.network import ACTIVATIONS, Network


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
@pytest.mark.parametrize("n_classes", [0, 2, 4])
def test_slopes_are_those_of_numerical_differences(activation, n_classes):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(20, 5))
    y = rng.integers(0, n_classes, 20) if n_classes else rng.normal(size=20)
    network = Network.random([5, 7, 3, n_classes or 1], activation, n_classes, seed=2)
    by_weight, by_bias = network.gradients(x, y)
    for parameters, slopes in ((network.weights, by_weight), (network.biases, by_bias)):
        for parameter, slope in zip(parameters, slopes, strict=True):
            place = tuple(rng.integers(0, s) for s in parameter.shape)
            kept, h = parameter[place], 1e-6
            parameter[place] = kept + h
            above = network.loss(x, y)
            parameter[place] = kept - h
            below = network.loss(x, y)
            parameter[place] = kept
            assert slope[place] == pytest.approx((above - below) / (2 * h), rel=1e-4, abs=1e-7)


def test_training_lowers_the_loss():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2))
    y = (x[:, 0] * x[:, 1] > 0).astype(int)  # no line parts these
    network = Network.random([2, 16, 2], "tanh", 2, seed=0)
    losses = network.train(x, y, steps=300)
    assert losses[-1] < 0.3 * losses[0]
    assert (network.predict(x).argmax(axis=1) == y).mean() > 0.9
