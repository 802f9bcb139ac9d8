"""How long learning a network takes alone, and beside another thread, by how long threads' turns are.

    python benchmarks/turns.py [--rounds 4]

The other thread never pauses, as code in Python that gathers and writes; then it learns a network, too. Python's own
turns are 5 ms; ``core.machine.ShortTurns`` makes them shorter while fits run.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import threading
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from modelwright.core.machine import TURN_SECONDS
from modelwright.core.matrix import Feature, Matrix
from modelwright.core.ports import Lesson
from modelwright.learners.neural import Neural

TURNS = (5e-3, 5e-4, 1e-4, TURN_SECONDS, 2e-5)


def learnt(lesson: Lesson, rounds: int) -> float:
    """Return how many seconds a network takes."""
    begun = time.perf_counter()
    Neural(width=256, layers=3, members=1, pieces=0, rounds=rounds).fit(lesson)
    return time.perf_counter() - begun


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    rounds = parser.parse_args().rounds
    values = np.random.default_rng(0).standard_normal((8_000, 16)).astype(np.float32)
    matrix = Matrix(values, tuple(Feature(f"f{i}", f"f{i}") for i in range(16)))
    lesson = Lesson(matrix, values[:, :5].argmax(axis=1).astype(np.int64), 5, seed=1)
    learnt(lesson, 1)
    alone = statistics.median(learnt(lesson, rounds) for _ in range(3))
    print(
        f"alone: {alone:.2f} s\n\n| turns, ms | beside one that never pauses | beside another network |\n|--:|--:|--:|"
    )
    is_over = threading.Event()

    def never_pausing() -> None:
        n = 0
        while not is_over.is_set():
            n += 1

    for turn in TURNS:
        sys.setswitchinterval(turn)
        told = []
        for other in (never_pausing, lambda: learnt(lesson, rounds)):
            is_over.clear()
            thread = threading.Thread(target=other)
            thread.start()
            told.append(learnt(lesson, rounds) / alone)
            is_over.set()
            thread.join()
        print(f"| {1000 * turn:g} | {told[0]:.1f} | {told[1]:.1f} |", flush=True)


if __name__ == "__main__":
    main()
