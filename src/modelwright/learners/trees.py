"""Trees: the one run-time of every boosted model, whoever trained it.

LightGBM, XGBoost, CatBoost and forests of a single output are all told as LightGBM model text and summed by
LightGBM's C library. One implementation of apply serves training, batch and service, several models become one,
and a row costs microseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from modelwright.core.state import State
from modelwright.learners import _text
from modelwright.learners._library import Engine
from modelwright.learners._text_check import check
from modelwright.learners._unfolding import refuse, whole, width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.arrays import Floats
    from modelwright.core.matrix import Matrix
    from modelwright.core.ports import Fitted

LINKS = ("identity", "share", "sigmoid", "softmax")
"""From margins to answers: as they are; clipped to [0, 1] as the positive label's share; log-odds; softmax."""


class Trees:
    """A sum of trees and the link that turns the sum into an answer. Safe to use from several threads.

    Args:
        text: Model text as ``_text`` writes it, already checked or just written.
        link: One of ``LINKS``.
        n_features: Columns of every matrix.
        n_outputs: Margins per row: the number of labels for ``softmax``, else 1.
    """

    def __init__(self, text: bytes, link: str, *, n_features: int, n_outputs: int = 1) -> None:
        self.text, self.link, self.n_features, self.n_outputs = text, link, n_features, n_outputs
        self._engine = Engine(text, n_features, n_outputs)

    def margins(self, matrix: Matrix) -> Floats:
        """Return the sums before the link, shape (n_rows, n_outputs)."""
        values = np.ascontiguousarray(matrix.values)
        width(self.state_head(), values.shape[1], self.n_features)
        return self._engine.margins(values)

    def predict(self, matrix: Matrix) -> Floats:
        """Return (n_rows,) values, or (n_rows, n_classes) probabilities."""
        return apply_link(self.link, self.margins(matrix))

    def state_head(self) -> State:
        """Return the state without its text."""
        return State("trees", {"link": self.link, "n_outputs": self.n_outputs, "n_features": self.n_features})

    def state(self) -> State:
        """Return link, shape and model text."""
        head = self.state_head()
        return State(head.kind, head.meta, blobs={"model": self.text})

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return the trees of a state; a text that is not sound raises InvalidPackage before C code sees it."""
        link, text = state.meta.get("link"), state.blobs.get("model")
        if link not in LINKS or not isinstance(text, bytes):
            refuse("trees", "trees have a known link and a model text", link)
        n_features = whole(state, "n_features", 1)
        n_outputs = whole(state, "n_outputs", 1 if link != "softmax" else 2, 1 if link != "softmax" else 100_000)
        check(text, n_features=n_features, n_outputs=n_outputs)
        return cls(text, link, n_features=n_features, n_outputs=n_outputs)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy by content: what stands in the C library cannot be copied."""
        return _again, (self.text, self.link, self.n_features, self.n_outputs)


def _again(text: bytes, link: str, n_features: int, n_outputs: int) -> Trees:
    check(text, n_features=n_features, n_outputs=n_outputs)
    return Trees(text, link, n_features=n_features, n_outputs=n_outputs)


def apply_link(link: str, margins: Floats) -> Floats:
    """Return the answers of margins of shape (n_rows, n_outputs).

    >>> apply_link("sigmoid", np.array([[0.0]])).tolist()
    [[0.5, 0.5]]
    """
    if link == "identity":
        return margins[:, 0]
    if link == "softmax":
        powers = np.exp(margins - margins.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))
    positive = margins.clip(0.0, 1.0) if link == "share" else 1.0 / (1.0 + np.exp(-margins.clip(-500.0, 500.0)))
    return np.concatenate([1.0 - positive, positive], axis=1)


def can_merge(models: Sequence[Fitted]) -> bool:
    """Whether ``merge`` takes these parts: trees of one link and shape."""
    return bool(models) and all(isinstance(m, Trees) and m.state_head() == models[0].state_head() for m in models)  # type: ignore[attr-defined]


def merge(models: Sequence[Trees], weights: Sequence[float] | None = None) -> Trees:
    """Return one model whose margins are the weighted mean of those of several.

    Args:
        models: Trees of one link and shape (see ``can_merge``).
        weights: One per model, not all zero; None for equal ones.

    Returns:
        All their trees with scaled leaves: one call predicts them all.
    """
    assert can_merge(models), "trees of one link and shape"
    share = np.ones(len(models)) if weights is None else np.asarray(weights, dtype=np.float64)
    share = share / share.sum()
    first = models[0]
    shape = {"n_features": first.n_features, "n_outputs": first.n_outputs}
    return Trees(_text.merge([m.text for m in models], share.tolist(), **shape), first.link, **shape)
