"""How long a step of the network takes by NumPy and by PyTorch, on one thread, in pairs close in time.

python benchmarks/pupils.py

Needs PyTorch. 9,600 rows of 16 whole numbers, 26 labels, batches of 256: the shape of a table of letters.
"""

from __future__ import annotations

import time

import numpy as np
import torch

from modelwright.core.matrix import Feature, Matrix
from modelwright.flows.builtin import catalogue
from modelwright.learners._by_numpy import NumpyPupil
from modelwright.learners._by_torch import TorchPupil
from modelwright.learners._inputs import Inputs
from modelwright.learners._network import Shape, start
from modelwright.learners._training import Course, Pupil, Rows, Schedule

N_ROWS, N_NUMBERS, N_CLASSES = 9_600, 16, 26
PAIRS, STEPS, WARM = 7, 150, 20


def forever() -> float:
    """Return the seconds left: there is no limit."""
    return 1e9


def step_ms(pupil: Pupil, rows: Rows) -> float:
    """Return the mean time of a step, after some that are not counted."""
    made, schedule = pupil.prepared(rows), Schedule(forever, 10_000)
    batches = pupil._batches(made)
    begun = time.perf_counter()
    for number in range(WARM + STEPS):
        if number == WARM:
            begun = time.perf_counter()
        schedule.advance()
        pupil.step(next(batches), schedule)
    return (time.perf_counter() - begun) / STEPS * 1e3


def main() -> None:
    """Print each pair and the median of the ratios."""
    catalogue()  # sets one thread for NumPy's sums
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    values = rng.integers(0, 16, (N_ROWS, N_NUMBERS)).astype(np.float32)
    matrix = Matrix(values, tuple(Feature(f"f{i}", f"f{i}") for i in range(N_NUMBERS)))
    inputs = Inputs.of(matrix, 32)
    shown = inputs.columns(values[:2_000]), inputs.codes(values[:2_000])
    network = start(Shape(4, 2, 128, int(inputs.n_codes.sum())), *shown, np.zeros(N_CLASSES), rng)
    course = Course(N_CLASSES, 1, 256, 0.04, 0.15, 0.02, 0, "cpu", forever)
    rows = Rows(values, rng.integers(0, N_CLASSES, N_ROWS), None)
    ratios = []
    for _ in range(PAIRS):
        ours = step_ms(NumpyPupil(network, inputs, course), rows)
        theirs = step_ms(TorchPupil(torch, network, inputs, course), rows)
        ratios.append(theirs / ours)
        print(f"NumPy {ours:.2f} ms, PyTorch {theirs:.2f} ms, ratio {ratios[-1]:.2f}")
    print(f"median ratio {np.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
