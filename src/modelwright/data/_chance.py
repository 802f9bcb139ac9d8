"""Chance: random numbers from a seed, a stream of its own for each purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from modelwright.core.arrays import Ints


def stream(seed: int, purpose: str) -> np.random.Generator:
    """Return random numbers for one purpose.

    Made-up tables are often drawn from seed 0 themselves; rows drawn by the same numbers again would depend on
    their values.
    """
    return np.random.default_rng([seed, *purpose.encode()])


def deal(strata: Ints, n_folds: int, rng: np.random.Generator) -> Ints:
    """Return a fold number for each row; each stratum is dealt out like cards, so folds differ by one row at most.

    A stratum of two rows or more never falls into one fold whole.
    """
    order = np.lexsort((rng.random(len(strata)), strata))
    folds = np.empty(len(strata), dtype=np.int64)
    folds[order] = np.arange(len(strata)) % n_folds
    return folds
