"""Text scores: what the words and letters of a text say about the target, by a penalised linear model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from modelwright.core.state import State
from modelwright.features._craft import features_from_meta, features_to_meta, shaped, singles, sound
from modelwright.features._fitting import expected_values, log_odds
from modelwright.features._vocabulary import Projection, Vocabulary
from modelwright.features.text import encode_present, sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from modelwright.core.arrays import Floats, Ints, Singles
    from modelwright.core.matrix import Feature


@dataclass(frozen=True)
class TextScore:
    """Linear scores of one column of texts; NaN where it is missing.

    Attributes:
        column: The column of texts.
        made: The features, one per score.
        projection: From texts to sums of coefficients.
        affine: Shape (2, n_scores): offset and scale of the scores.
    """

    column: str
    made: tuple[Feature, ...]
    projection: Projection
    affine: Floats

    @property
    def features(self) -> tuple[Feature, ...]:
        """The features it makes."""
        return self.made

    def fill(self, frame: pl.DataFrame, out: Singles) -> None:
        """Write the scores of a conformed frame."""
        out[:] = singles(self.encode(frame[self.column].to_list()))

    def encode(self, texts: Sequence[str | None]) -> Floats:
        """Return the scores of texts."""
        return encode_present(texts, self._encode, len(self.made))

    def _encode(self, texts: Sequence[str]) -> Floats:
        scores: Floats = self.affine[0] + self.affine[1] * self.projection.apply(texts)
        return scores

    def state(self) -> State:
        """Return projection, offset and scale."""
        meta = {"column": self.column, "features": features_to_meta(self.made)}
        return State("text_score", meta, {"affine": self.affine}, parts={"projection": self.projection.state()})

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return the craft a state describes."""
        with sound(state.kind):
            column, made = str(state.meta["column"]), features_from_meta(state.meta["features"])
            projection = Projection.restore(state.parts["projection"])
            if projection.width != len(made):
                raise ValueError("there is one direction for each score")
            affine = shaped(state.arrays["affine"], (2, len(made)), np.float64, where=column)
            return cls(column, made, projection, affine)


@dataclass(frozen=True)
class Aim:
    """What scores are to say, for the rows of one column.

    Attributes:
        column: The column of texts.
        made: The features, one per answer.
        answers: Shape (n_rows, n_answers).
        weight: Row weights of mean about one, shape (n_rows,).
        is_odds: Whether there is one answer, 0 or 1, and its score is a log-odds; otherwise scores are expected values.
    """

    column: str
    made: tuple[Feature, ...]
    answers: Floats
    weight: Floats
    is_odds: bool


@dataclass(frozen=True)
class Reading:
    """The texts of a column made ready once, from which scores are fitted for several sets of rows.

    Attributes:
        rows: Numbers of the rows that are read, rising: a sample of those with a text.
        vocabulary: Their frequent grams; it never sees the target.
        matrix: Their TF-IDF weights, a SciPy sparse array.
    """

    rows: Ints
    vocabulary: Vocabulary
    matrix: Any

    @classmethod
    def of(cls, texts: Sequence[str | None], *, seed: int) -> Self:
        """Return the reading of these texts."""
        rows, chosen = sample(texts, seed=seed)
        vocabulary = Vocabulary.fit(chosen)
        return cls(rows, vocabulary, vocabulary.sparse(chosen))

    def fit(self, rows: Ints, aim: Aim) -> TextScore:
        """Return the scores learnt from those of these rows that are in the sample."""
        inside = np.flatnonzero(np.isin(self.rows, rows))
        matrix, chosen = self.matrix[inside], self.rows[inside]
        answers, weight = aim.answers[chosen], aim.weight[chosen]
        if aim.is_odds:
            directions, start = log_odds(matrix, answers[:, 0], weight)
            return self._score(aim, directions[:, np.newaxis], np.array([[start], [1.0]]))
        offset, scale = _standard(answers)
        directions, starts = expected_values(matrix, (answers - offset) / scale, weight)
        return self._score(aim, directions, np.stack([offset + scale * starts, scale]))

    def _score(self, aim: Aim, directions: Singles, affine: Floats) -> TextScore:
        return TextScore(aim.column, aim.made, Projection(self.vocabulary, directions).prepare(), affine)


def _standard(answers: Floats) -> tuple[Floats, Floats]:
    """Return means and standard deviations, also of huge values; 1 for a deviation of 0."""
    if not len(answers):
        return np.zeros(answers.shape[1]), np.ones(answers.shape[1])
    largest = np.abs(answers).max(axis=0)
    largest[largest == 0] = 1.0
    deviations = (answers / largest).std(axis=0) * largest
    deviations[deviations == 0] = 1.0
    return (answers / largest).mean(axis=0) * largest, deviations
