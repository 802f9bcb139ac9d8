"""The index of levels: where each text of a column stands in a list, at array speed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from modelwright.core.arrays import Array, Ints

_MIX = np.uint64(0x9E3779B97F4A7C15)


class LevelIndex:
    """A hash table with open addressing over 64-bit hashes, probed for all rows at once.

    Three times faster than casting to an enumeration. Two texts are taken for the same when their 64-bit hashes
    agree, which for n levels befalls an unseen text with a chance of n / 2⁶⁴.

    Args:
        levels: Distinct texts.

    >>> import polars as pl
    >>> LevelIndex(["a", "b"]).find(pl.Series(["b", "new", None, "a"])).tolist()
    [1, 2, 3, 0]
    """

    def __init__(self, levels: Sequence[str]) -> None:
        self.n_levels = len(levels)
        n_bits = (4 * self.n_levels + 3).bit_length()
        self._shift, self._mask = np.uint64(64 - n_bits), (1 << n_bits) - 1
        self._seed, self._hashes = _distinct_hashes(levels)
        self._table = np.full(1 << n_bits, -1, dtype=np.int64)
        waiting, step = np.arange(self.n_levels), 0
        while len(waiting):
            slots = self._slots(self._hashes[waiting], step)
            free = self._table[slots] < 0
            self._table[slots[free]] = waiting[free]  # of several for one slot the last stays
            waiting, step = waiting[self._table[slots] != waiting], step + 1

    def _slots(self, hashes: Any, step: int) -> Any:
        return ((hashes * _MIX >> self._shift).astype(np.int64) + step) & self._mask

    def find(self, series: pl.Series) -> Ints:
        """Return the position of each text; ``n_levels`` if it is none of them, one more if it is missing."""
        n_levels = self.n_levels
        hashes = series.hash(self._seed).to_numpy()
        places: Ints = self._table.take(self._slots(hashes, 0))
        known = np.append(self._hashes, np.uint64(0))  # an empty slot, -1, meets the last one and is sorted out below
        wrong = ((known.take(places) != hashes) & (places >= 0)).nonzero()[0]
        step = 1
        while len(wrong):
            places[wrong] = found = self._table[self._slots(hashes[wrong], step)]
            wrong = wrong[(known[found] != hashes[wrong]) & (found >= 0)]
            step += 1
        places[places < 0] = n_levels
        if series.null_count():
            places[series.is_null().to_numpy()] = n_levels + 1
        return places


def _distinct_hashes(levels: Sequence[str]) -> tuple[int, Array]:
    """Return a seed under which all levels have different hashes, and these."""
    import polars as pl

    series = pl.Series("level", levels, dtype=pl.String)
    for seed in range(100):
        hashes = series.hash(seed).to_numpy()
        if len(np.unique(hashes)) == len(hashes):
            return seed, hashes
    raise AssertionError("levels are distinct")
