"""Running an experiment: in one thread, whatever else the machine does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from modelwright.handbook.entry import Entry, Experiment
    from modelwright.handbook.sample import Sample


def run(entry: Entry, sample: Sample, seed: int) -> Experiment:
    """Return what an entry's experiment shows on a sample; the same seed shows the same.

    The matrices are small: threads that wait for each other cost more than they save, and many times more when
    something else uses a core.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(1), np.errstate(over="ignore", under="ignore"):
        return entry.experiment(sample, seed)
