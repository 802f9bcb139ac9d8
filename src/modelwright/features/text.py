"""Text: components of its words and letters, and plain counts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from modelwright.core.matrix import Feature
from modelwright.core.state import State
from modelwright.features._craft import singles, sound
from modelwright.features._fitting import leading_directions
from modelwright.features._grams import MAX_CHARACTERS
from modelwright.features._vocabulary import Projection, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

    from modelwright.core.arrays import Floats, Ints, Singles

MAX_FITTED = 20_000
"""So many texts are read at most to learn words and what they say."""

MAX_FITTED_CHARACTERS = 2_000_000
"""So many characters, likewise; 100 texts are read whatever their length."""

_COUNTS = ("length", "words", "digits", "capitals", "punctuation", "links")
_FINDERS = tuple(re.compile(p).findall for p in (r"\d", r"[A-Z]", r"[^\w\s]", r"(?i)https?://|www\."))


def encode_present(texts: Sequence[str | None], encode: Callable[[Sequence[str]], Floats], width: int) -> Floats:
    """Return the features of texts with rows of NaN for missing ones, shape (n_texts, width)."""
    present = [text for text in texts if text is not None]
    if len(present) == len(texts):
        return encode(present)
    values = np.full((len(texts), width), np.nan)
    if present:
        values[[text is not None for text in texts]] = encode(present)
    return values


def count(texts: Sequence[str]) -> Floats:
    """Return length, words, shares of digits, capitals (A to Z) and punctuation, and links; shape (n_texts, 6).

    >>> count(["Call 0800 NOW!"])[0, [0, 1]].tolist()
    [14.0, 3.0]
    """
    counted = [[len(text), len(text.split()), *(len(find(text)) for find in _FINDERS)] for text in texts]
    counts = np.array(counted, dtype=np.float64).reshape(len(texts), len(_COUNTS))
    counts[:, 2:5] /= np.maximum(counts[:, :1], 1)
    return counts


@dataclass(frozen=True)
class TextFeatures:
    """Counts of a text column and, unless only counted, its leading TF-IDF components (latent semantic analysis).

    Attributes:
        column: The column of texts.
        projection: From texts to components; none when its directions are of width 0.
    """

    column: str
    projection: Projection

    @property
    def features(self) -> tuple[Feature, ...]:
        """Counts first, then components."""
        components = (f"component_{i + 1}" for i in range(self.projection.width))
        return tuple(Feature(f"{self.column}.{name}", self.column) for name in (*_COUNTS, *components))

    def fill(self, frame: pl.DataFrame, out: Singles) -> None:
        """Write the features of a conformed frame."""
        out[:] = singles(self.encode(frame[self.column].to_list()))

    def encode(self, texts: Sequence[str | None]) -> Floats:
        """Return the features of texts."""
        return encode_present(texts, self._encode, len(_COUNTS) + self.projection.width)

    def _encode(self, texts: Sequence[str]) -> Floats:
        return np.hstack([count(texts), self.projection.apply(texts)])

    def state(self) -> State:
        """Return column and projection."""
        return State("text", {"column": self.column}, parts={"projection": self.projection.state()})

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return the craft a state describes."""
        with sound(state.kind):
            return cls(str(state.meta["column"]), Projection.restore(state.parts["projection"]))


def fit_text(series: pl.Series, *, n_components: int, seed: int) -> TextFeatures:
    """Return the text features of a column; with no components only the counts.

    Args:
        series: Texts of the training rows; a sample of them is read, chosen by the seed.
        n_components: Components at most; fewer where the texts or their grams are few.
        seed: Of the sample and of the decomposition's start.
    """
    texts = sample(series.to_list(), seed=seed)[1] if n_components else []
    vocabulary = Vocabulary.fit(texts)
    directions = leading_directions(vocabulary.sparse(texts), n_components, seed=seed)
    return TextFeatures(series.name, Projection(vocabulary, directions).prepare())


def sample(texts: Sequence[str | None], *, seed: int) -> tuple[Ints, list[str]]:
    """Return row numbers and texts of the present texts, or of as many as fitting may read, chosen by the seed.

    >>> sample(["a", None, "b"], seed=0)[1]
    ['a', 'b']
    """
    present = [(row, text) for row, text in enumerate(texts) if text is not None]
    n_characters = sum(min(len(text), MAX_CHARACTERS) for _, text in present)
    n_kept = min(len(present), MAX_FITTED, max(len(present) * MAX_FITTED_CHARACTERS // max(n_characters, 1), 100))
    if n_kept < len(present):
        chosen = np.random.default_rng(seed).choice(len(present), n_kept, replace=False)
        present = [present[i] for i in np.sort(chosen)]
    return np.array([row for row, _ in present], dtype=np.int64), [text for _, text in present]
