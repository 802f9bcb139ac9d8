"""The vocabulary: the frequent grams of a column, and texts as sums over them.

What is summed is rounded to multiples of a power of two, small enough that every sum is exact in float64. So a sum
has one value whatever its order: a text alone, in a batch, on another machine or with other threads gets the same
features to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from modelwright.core.state import State
from modelwright.features._craft import shaped, sound
from modelwright.features._grams import N_BUCKETS, grams, grams_of_one, word_characters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelwright.core.arrays import Array, Bools, Floats, Ints, Singles

MAX_TERMS = 20_000
"""So many grams are kept at most, the most frequent ones."""

MIN_TEXTS = 2
"""A gram must stand in so many texts to be kept."""

_BATCH = 64  # texts at a time: what is summed stays in the cache
_NUMBER_BITS = 32
_GRID_BITS = 14  # what float32 holds exactly up to ±1,024


def on_grid(values: Floats, n_bits: int = _GRID_BITS) -> Floats:
    """Return the values rounded to multiples of 2 to the power of -n_bits.

    >>> float(on_grid(np.array([0.3]), 2)[0])
    0.25
    """
    rounded: Floats = np.rint(values * 2.0**n_bits) * 2.0**-n_bits
    return rounded


@dataclass(frozen=True)
class Vocabulary:
    """The grams that count, and how much: a text's weight of a gram is its rarity, over the text's norm.

    Attributes:
        buckets: Their hashes, rising, shape (n_terms,), int32.
        rarity: Their inverse document frequency on the grid, shape (n_terms,), float32.
    """

    buckets: Array
    rarity: Singles

    @classmethod
    def fit(cls, texts: Sequence[str]) -> Self:
        """Return the most frequent grams of these texts; ties go to the lower hash."""
        n_holding = np.zeros(N_BUCKETS, dtype=np.int64)
        for batch in _batches(texts):
            n_holding += np.bincount(_distinct(*grams(batch))[1], minlength=N_BUCKETS)
        kept = np.flatnonzero(n_holding >= MIN_TEXTS)
        kept = np.sort(kept[np.argsort(-n_holding[kept], kind="stable")[:MAX_TERMS]])
        rarity = on_grid(np.log((1 + len(texts)) / (1 + n_holding[kept])) + 1)
        return cls(kept.astype(np.int32), rarity.astype(np.float32))

    @property
    def n_terms(self) -> int:
        """How many grams are kept."""
        return len(self.buckets)

    @cached_property
    def _terms(self) -> Any:
        terms = np.full(N_BUCKETS, -1, dtype=np.int32)
        terms[self.buckets] = np.arange(self.n_terms, dtype=np.int32)
        return terms

    def find(self, texts: Sequence[str]) -> tuple[Ints, Ints]:
        """Return which text holds which known term, sorted by text, then term, without repeats."""
        numbers, buckets = grams(texts)
        terms = self._terms.take(buckets)
        known = terms >= 0
        return _distinct(numbers[known], terms[known])

    def sparse(self, texts: Sequence[str]) -> Any:
        """Return the TF-IDF weights as a SciPy sparse array, each row of length one (or zero: no known gram)."""
        from scipy.sparse import csr_array, vstack

        parts = []
        for batch in _batches(texts):
            numbers, terms = self.find(batch)
            norms = np.sqrt(np.bincount(numbers, weights=self.rarity[terms].astype(np.float64) ** 2))
            weights = self.rarity[terms] / norms[numbers]
            parts.append(csr_array((weights, (numbers, terms)), shape=(len(batch), self.n_terms)))
        return vstack(parts, format="csr") if parts else csr_array((0, self.n_terms))

    def state(self) -> State:
        """Return hashes and rarities."""
        return State("vocabulary", {}, {"buckets": self.buckets, "rarity": self.rarity})

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return the vocabulary a state describes."""
        with sound(state.kind):
            buckets, rarity = state.arrays["buckets"], state.arrays["rarity"]
            buckets = shaped(buckets, (min(len(buckets), MAX_TERMS),), np.int32, where="vocabulary")
            rarity = shaped(rarity, buckets.shape, np.float32, where="vocabulary")
            limits = np.concatenate([[-1], buckets.astype(np.int64), [N_BUCKETS]])
            if not (np.diff(limits) > 0).all() or not ((rarity > 0) & (rarity < 64)).all():
                raise ValueError("hashes must rise and rarities be positive")
            return cls(buckets, rarity)


@dataclass(frozen=True)
class Projection:
    """A vocabulary with directions: from texts to the weighted sums of their grams' rows.

    Attributes:
        vocabulary: The grams.
        directions: Shape (n_terms, n_directions), float32.
    """

    vocabulary: Vocabulary
    directions: Singles

    @property
    def width(self) -> int:
        """How many numbers a text becomes."""
        return int(self.directions.shape[1])

    @cached_property
    def _summed(self) -> Floats:
        """Rarity times direction, and at the end the rarity's square: what a text sums up, on the grid."""
        rarity = self.vocabulary.rarity.astype(np.float64)[:, np.newaxis]
        return on_grid(np.hstack([rarity * self.directions, rarity**2]))

    def prepare(self) -> Self:
        """Return this, with all tables made, so that the first text is not the slow one."""
        assert word_characters().any()
        assert len(self._summed) == self.vocabulary.n_terms
        assert len(self.vocabulary._terms) == N_BUCKETS
        return self

    def apply(self, texts: Sequence[str]) -> Floats:
        """Return the sums divided by each text's norm, shape (n_texts, width); zeros without a known gram."""
        values = np.zeros((len(texts), self.width))
        if not self.width:
            return values
        if len(texts) == 1:
            return self._apply_one(texts[0], values)
        for start in range(0, len(texts), _BATCH):
            numbers, terms = self.vocabulary.find(texts[start : start + _BATCH])
            if len(numbers):
                first = _changes(numbers).nonzero()[0]
                sums = np.add.reduceat(self._summed.take(terms, axis=0), first, axis=0)
                values[start + numbers[first]] = sums[:, :-1] / np.sqrt(sums[:, -1:])
        return values

    def _apply_one(self, text: str, values: Floats) -> Floats:
        """Write the one row; sums on the grid are exact, so they are those of a batch."""
        terms = self.vocabulary._terms.take(grams_of_one(text))
        terms = terms[terms >= 0]
        if len(terms):
            terms.sort()
            sums = self._summed.take(terms[_changes(terms)], axis=0).sum(axis=0)
            values[0] = sums[:-1] / np.sqrt(sums[-1:])
        return values

    def state(self) -> State:
        """Return vocabulary and directions."""
        return State("projection", {}, {"directions": self.directions}, parts={"vocabulary": self.vocabulary.state()})

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return the projection a state describes."""
        with sound(state.kind):
            vocabulary, directions = Vocabulary.restore(state.parts["vocabulary"]), state.arrays["directions"]
            directions = shaped(directions, (vocabulary.n_terms, directions.shape[1]), np.float32, where="projection")
            return cls(vocabulary, directions).prepare()


def _distinct(numbers: Ints, places: Ints) -> tuple[Ints, Ints]:
    """Return the pairs sorted and without repeats."""
    pairs = (numbers << _NUMBER_BITS) | places
    pairs.sort()
    pairs = pairs[_changes(pairs)]
    return pairs >> _NUMBER_BITS, pairs & ((1 << _NUMBER_BITS) - 1)


def _changes(values: Ints) -> Bools:
    """Return where a value differs from the one before; the first always does."""
    changed = np.ones(len(values), dtype=np.bool_)
    np.not_equal(values[1:], values[:-1], out=changed[1:])
    return changed


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), _BATCH):
        yield texts[start : start + _BATCH]
