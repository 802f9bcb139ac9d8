"""Trees: the one run-time of every boosted model, whoever trained it.

LightGBM, XGBoost, CatBoost and forests are all told as LightGBM model text and summed by
LightGBM's C library. One implementation of apply serves training, batch and service, several models become one,
and a row costs microseconds.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from modelwright.core.ports import FEW_ROWS
from modelwright.core.state import State
from modelwright.learners import _text
from modelwright.learners._library import Engine, threads_allowed
from modelwright.learners._library import use_threads as use_threads
from modelwright.learners._table import starts
from modelwright.learners._text_check import check
from modelwright.learners._unfolding import array, refuse, whole, width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.arrays import Floats, Singles
    from modelwright.core.matrix import Matrix
    from modelwright.core.ports import Fitted
    from modelwright.learners._bits import Bits
    from modelwright.learners._table import TreeTable

LINKS = ("identity", "share", "sigmoid", "shares", "softmax")
"""From margins to answers: as they are; the positive label's share, clipped to [0, 1]; log-odds; the shares of
labels, made to add up to one; softmax."""


MANY_ROWS = 16_384
"""From so many rows on it pays to prepare the trees for many rows: less than a millisecond a tree."""


class Trees:
    """A sum of trees and the link that turns the sum into an answer. Safe to use from several threads.

    Args:
        text: Model text as ``_text`` writes it, already checked or just written.
        link: One of ``LINKS``.
        n_features: Columns of every matrix.
        n_outputs: Margins per row: the number of labels for ``softmax`` and ``shares``, else 1.
        vectors: Shape (n_leaves of all trees, n_outputs): leaves that answer for all outputs at once. The text
            then tells the splits only, once instead of once per output. None where leaves are numbers.
    """

    def __init__(
        self, text: bytes, link: str, *, n_features: int, n_outputs: int = 1, vectors: Singles | None = None
    ) -> None:
        self.text, self.link, self.n_features, self.n_outputs = text, link, n_features, n_outputs
        self.vectors = vectors
        if vectors is None:
            self._engine = Engine(text, n_features, n_outputs)
        else:
            self._first_leaf = starts(_text.leaves_of(text))
            self._engine = Engine(text, n_features, len(self._first_leaf), wants_leaves=True)

    @classmethod
    def of(cls, table: TreeTable, link: str, *, n_features: int, bias: Floats, scale: float = 1.0) -> Trees:
        """Return the trees of a table, with leaf values multiplied and ``bias``, shape (n_outputs,), added."""
        text = _text.write(table, n_features=n_features, bias=bias, scale=scale)
        is_wide = table.leaf.shape[1] > 1
        vectors = np.vstack([bias, table.leaf * scale]).astype(np.float32) if is_wide else None
        return cls(text, link, n_features=n_features, n_outputs=len(bias), vectors=vectors)

    def margins(self, matrix: Matrix) -> Floats:
        """Return the sums before the link, shape (n_rows, n_outputs)."""
        values = np.ascontiguousarray(matrix.values)
        width("trees", values.shape[1], self.n_features)
        if len(values) >= MANY_ROWS and values.dtype == np.float32 and (bits := self._many_rows) is not None:
            return bits.margins(values, threads_allowed())
        answer = self._engine.answer(values)
        return answer if self.vectors is None else self._summed(self.vectors, answer)

    @cached_property
    def _many_rows(self) -> Bits | None:
        """The trees by bits, which many rows pass several times faster; the answers are the same to the last bit."""
        from modelwright.learners._bits import Bits  # reads these trees, so it is asked for late

        return Bits.of(self)

    def _summed(self, vectors: Singles, leaves: Floats) -> Floats:
        """Return the sums of the vectors of the leaves reached; tree by tree, so that memory stays small."""
        at = leaves.astype(np.int64) + self._first_leaf
        if len(at) == 1:
            return np.asarray(vectors[at[0]].sum(axis=0, dtype=np.float64, keepdims=True))
        total = np.zeros((len(at), self.n_outputs))
        for column in at.T:
            total += vectors[column]
        return total

    def predict(self, matrix: Matrix) -> Floats:
        """Return (n_rows,) values, or (n_rows, n_classes) probabilities."""
        return apply_link(self.link, self.margins(matrix))

    @property
    def rows_alone(self) -> int:
        """How many rows ``one`` is quicker for: it tells a number, or the positive label's probability by log-odds.

        Asked row after row, a model's trees are in the processor's cache.
        """
        is_single = self.vectors is None and self.n_outputs == 1 and self.link in ("identity", "sigmoid")
        return FEW_ROWS if is_single else 0

    def one(self, row: Singles) -> float:
        """Return what ``predict`` does for one row, shape (n_features,), without arrays: a number or a probability."""
        width("trees", len(row), self.n_features)
        margin = self._engine.one(row)
        return margin if self.link == "identity" else float(1.0 / (1.0 + np.exp(min(-margin, 500.0))))

    def cut(self, share: float, *, is_mean: bool = False) -> Trees:
        """Return the model of the first trees only, at least one of each output.

        Args:
            share: How much of the trees is kept, above 0 and up to 1.
            is_mean: Trees are averaged, as in a forest, and those that are left then count for more; boosted ones
                correct each other, and the first of them are a model by themselves.
        """
        text, n_before, n_kept = _text.cut(
            self.text, share, n_outputs=1 if self.vectors is not None else self.n_outputs
        )
        if self.vectors is not None:
            kept = self.vectors[: int(_text.leaves_of(text).sum())]  # shares are made to add up to one, so no scale
            shape = {"n_features": self.n_features, "n_outputs": self.n_outputs}
            if is_mean and self.link == "identity":
                kept = np.concatenate([kept[:1], kept[1:] * np.float32(n_before / n_kept)])
            return Trees(text, self.link, vectors=kept, **shape)
        if is_mean:
            # The overall share stands in a forest of labels like one more tree.
            one_more, first = (1, 0) if self.link == "share" else (0, self.n_outputs)
            text = _text.scale(
                text, (n_before + one_more) / (n_kept + one_more), first, self.n_features, self.n_outputs
            )
        return Trees(text, self.link, n_features=self.n_features, n_outputs=self.n_outputs)

    @property
    def shape(self) -> dict[str, Any]:
        """What must be equal for two models to be merged."""
        is_wide = self.vectors is not None
        return {"link": self.link, "n_outputs": self.n_outputs, "n_features": self.n_features, "is_wide": is_wide}

    def state(self) -> State:
        """Return link, shape, model text and vectors."""
        arrays = {} if self.vectors is None else {"vectors": self.vectors}
        return State("trees", self.shape, arrays, {"model": self.text})

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return the trees of a state; a text that is not sound raises InvalidPackage before C code sees it."""
        link, text, is_wide = state.meta.get("link"), state.blobs.get("model"), state.meta.get("is_wide")
        if link not in LINKS or not isinstance(text, bytes) or not isinstance(is_wide, bool):
            refuse("trees", "trees have a known link and a model text", link)
        n_features = whole(state, "n_features", 1)
        least, most = (2, 100_000) if link in ("softmax", "shares") else (1, 1)
        n_outputs = whole(state, "n_outputs", least, most)
        check(text, n_features=n_features, n_outputs=1 if is_wide else n_outputs)
        vectors = None
        if is_wide:
            n_leaves = _text.leaves_of(text)
            vectors = array(state, "vectors", (int(n_leaves.sum()), n_outputs)).astype(np.float32)
            has_floor = n_leaves[0] == 1 and bool((vectors[0] > 0).all())
            if link == "shares" and (not has_floor or (vectors < 0).any()):
                refuse("trees.vectors", "shares are zero or more, the first ones above zero for all rows", "less")
        return cls(text, link, n_features=n_features, n_outputs=n_outputs, vectors=vectors)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy by content: what stands in the C library cannot be copied."""
        return Trees.restore, (self.state(),)


def apply_link(link: str, margins: Floats) -> Floats:
    """Return the answers of margins of shape (n_rows, n_outputs).

    >>> apply_link("sigmoid", np.array([[0.0]])).tolist()
    [[0.5, 0.5]]
    """
    if link == "identity":
        return margins[:, 0]
    if link in ("softmax", "shares"):
        powers = np.exp(margins - margins.max(axis=1, keepdims=True)) if link == "softmax" else margins
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))
    answer = np.empty((len(margins), 2))
    positive = margins[:, 0]
    answer[:, 1] = positive.clip(0.0, 1.0) if link == "share" else 1.0 / (1.0 + np.exp(np.minimum(-positive, 500.0)))
    np.subtract(1.0, answer[:, 1], out=answer[:, 0])
    return answer


def can_merge(models: Sequence[Fitted]) -> bool:
    """Whether ``merge`` takes these parts: trees of one link and shape."""
    shapes = [model.shape for model in models if isinstance(model, Trees)]
    return len(shapes) == len(models) > 0 and all(shape == shapes[0] for shape in shapes)


def merge(models: Sequence[Trees], weights: Sequence[float] | None = None) -> Trees:
    """Return one model whose margins are the weighted mean of those of several.

    Args:
        models: Trees of one link and shape (see ``can_merge``).
        weights: One per model, zero or more, not all zero; None for equal ones.

    Returns:
        All their trees with scaled leaves: one call predicts them all.
    """
    assert can_merge(models), "trees of one link and shape"
    share = np.ones(len(models)) if weights is None else np.asarray(weights, dtype=np.float64)
    models, share = [m for m, w in zip(models, share, strict=True) if w > 0], share[share > 0] / share.sum()
    first = models[0]
    if first.vectors is None:
        text = _text.merge([m.text for m in models], share, n_features=first.n_features, n_outputs=first.n_outputs)
        return Trees(text, first.link, n_features=first.n_features, n_outputs=first.n_outputs)
    text = _text.merge([m.text for m in models], np.ones(len(models)), n_features=first.n_features, n_outputs=1)
    scaled = [m.vectors * w for m, w in zip(models, share, strict=True) if m.vectors is not None]
    vectors = np.concatenate(scaled).astype(np.float32)
    return Trees(text, first.link, n_features=first.n_features, n_outputs=first.n_outputs, vectors=vectors)
