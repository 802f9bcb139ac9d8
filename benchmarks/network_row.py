"""One row through a network: as a batch of one, and by the short way, in turns.

    python benchmarks/network_row.py [--times 2000]

A network of the default size sees fifteen numbers and five categories of thirty levels, learnt from one start or four.
Printed are the medians in microseconds, and the median ratio of each pair.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from modelwright.core.matrix import Feature, Matrix
from modelwright.core.ports import Lesson
from modelwright.learners.neural import Neural, NeuralModel

STARTS = (1, 4)


def network(matrix: Matrix, starts: int) -> NeuralModel:
    """Return a network that learnt a little of these rows: its speed does not depend on what it knows."""
    target = (matrix.values[:, 0] > 0).astype(np.int64)
    fitted = [Neural(rounds=1).fit(Lesson(matrix, target, 2, seed=seed))[0] for seed in range(starts)]
    whole = fitted[0]
    for other in fitted[1:]:
        whole = whole.joined(other)
    return whole


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=2_000)
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2_000, 20)).astype(np.float32)
    values[:, 15:] = rng.integers(0, 30, (2_000, 5))
    matrix = Matrix(values, tuple(Feature(f"f{i}", "f", 30 if i >= 15 else 0) for i in range(20)))
    for starts in STARTS:
        model = network(matrix, starts)
        taken = []
        for i in range(asked.times):
            at = i % len(values)
            one, row = matrix.take(np.array([at])), values[at]
            begun = time.perf_counter()
            model.predict(one)
            between = time.perf_counter()
            model.one(row)
            taken.append((between - begun, time.perf_counter() - between))
        batch, alone = 1e6 * np.median(taken, axis=0)
        ratio = np.median([short / long for long, short in taken])
        print(f"{starts} start(s): {batch:.0f} as a batch of one, {alone:.0f} alone, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
