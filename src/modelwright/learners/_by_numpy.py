"""A network as a pupil of numpy: the sums of its slopes by hand, on the processor."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modelwright.learners._network import VECTOR, Network
from modelwright.learners._training import MOMENTUM, SQUARES, TINY, Pupil, powers_of

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Floats, Ints, Singles
    from modelwright.learners._inputs import Inputs
    from modelwright.learners._training import Course, Rows, Schedule

CHANCES = 256
"""Units are left out by one random byte each."""


@dataclass(slots=True)
class _Pass:
    """What going forward leaves behind for going back.

    Attributes:
        shown: What the network sees, shape (n_rows, n_inputs).
        codes: Rows of the table that were looked up.
        first: Sums of the first layer, shape (n_rows, width).
        hidden: What each layer passes on, shape (n_members · n_rows, width).
        open_: By which the slope of each of its units is multiplied: zero where it passed nothing on.
        margins: Shape (n_members, n_rows, n_outputs).
    """

    shown: Singles
    codes: Ints
    first: Singles
    hidden: list[Singles]
    open_: list[Singles]
    margins: Singles


class NumpyPupil(Pupil):
    """A network in two vectors, its parameters and their slopes; float32 throughout."""

    def __init__(self, start: Network, inputs: Inputs, course: Course) -> None:
        super().__init__(inputs, course)
        self.draw = np.random.default_rng([course.seed, 1])
        named = start.named()
        self.n_layers = len(start.weights)
        self.vector = np.concatenate([a.ravel() for a in named.values()]).astype(np.float32)
        self.slope = np.zeros_like(self.vector)
        self.parts, self.slopes = _views(self.vector, named), _views(self.slope, named)
        self.rates = np.concatenate([np.full(a.size, self.rate_of(n, a), np.float32) for n, a in named.items()])
        self.decays = np.concatenate([np.full(a.size, self.decay_of(n), np.float32) for n, a in named.items()])
        self.mean, self.square = np.zeros_like(self.vector), np.zeros_like(self.vector)

    def step(self, batch: Rows, schedule: Schedule) -> float:
        """Move all parameters once and return the batch's loss."""
        went = self._forward(batch, self.course.dropout * schedule.fading)
        loss, pull = _pull(went.margins, batch, self.course.n_classes)
        self._backward(went, pull)
        self.mean += (1.0 - MOMENTUM) * (self.slope - self.mean)
        self.square *= SQUARES
        self.square += (1.0 - SQUARES) * np.square(self.slope)
        lean = math.sqrt(1.0 - SQUARES**schedule.done) / (1.0 - MOMENTUM**schedule.done)
        if self.course.decay:
            self.vector -= np.float32(schedule.rate * schedule.fading) * self.decays * self.vector
        move = self.mean / (np.sqrt(self.square) + np.float32(TINY))
        move *= self.rates
        self.vector -= np.float32(schedule.rate * lean) * move
        return loss

    def margins(self, rows: Rows) -> Floats:
        """Return (n_members, n_rows, n_outputs) margins, nothing left out."""
        return self._forward(rows, 0.0).margins.astype(np.float64)

    def network(self) -> Network:
        """Return the network as it stands."""
        return Network.of({name: np.array(part, dtype=np.float64) for name, part in self.parts.items()})

    def _forward(self, rows: Rows, dropout: float) -> _Pass:
        parts = self.parts
        shown, codes = self.shown(rows)
        if codes.shape[1]:
            shown = np.concatenate([shown, parts["table"][codes].reshape(len(shown), -1)], axis=1)
        first = shown @ parts["weight_0"]
        sums = first[None] * parts["gate"][:, None]
        sums += parts["bias_0"][:, None]
        hidden: list[Singles] = []
        open_: list[Singles] = []
        for i in range(self.n_layers):
            if i:
                sums = hidden[-1] @ parts[f"weight_{i}"]
                sums += parts[f"bias_{i}"]
            opened = self._opened(sums, dropout)
            sums *= opened
            hidden.append(sums.reshape(-1, sums.shape[-1]))
            open_.append(opened.reshape(-1, sums.shape[-1]))
        by_member = hidden[-1].reshape(len(parts["gate"]), len(shown), -1)
        margins: Singles = by_member @ parts["head"]
        margins += parts["head_bias"][:, None]
        return _Pass(shown, codes, first, hidden, open_, margins)

    def _opened(self, sums: Singles, dropout: float) -> Singles:
        """Return 0 for units that pass nothing on, else 1, or more where others are left out."""
        opened = sums > 0
        left_out = round(dropout * CHANCES)
        if not left_out:
            return opened.astype(np.float32)
        opened &= self.draw.integers(0, CHANCES, sums.shape, dtype=np.uint8) >= left_out
        return opened * np.float32(CHANCES / (CHANCES - left_out))

    def _backward(self, went: _Pass, pull: Singles) -> None:
        """Write the slopes, given those of the margins."""
        parts, slopes = self.parts, self.slopes
        n_members, n_rows = pull.shape[:2]
        last = went.hidden[-1].reshape(n_members, n_rows, -1)
        np.matmul(last.transpose(0, 2, 1), pull, out=slopes["head"])
        slopes["head_bias"][:] = pull.sum(axis=1)
        back = (pull @ parts["head"].transpose(0, 2, 1)).reshape(went.hidden[-1].shape)
        for i in range(self.n_layers - 1, 0, -1):
            back *= went.open_[i]
            np.matmul(went.hidden[i - 1].T, back, out=slopes[f"weight_{i}"])
            slopes[f"bias_{i}"][:] = back.sum(axis=0)
            back = back @ parts[f"weight_{i}"].T
        back *= went.open_[0]
        by_member = back.reshape(n_members, n_rows, -1)
        slopes["bias_0"][:] = by_member.sum(axis=1)
        slopes["gate"][:] = np.einsum("mbw,bw->mw", by_member, went.first)
        shared = np.einsum("mbw,mw->bw", by_member, parts["gate"])
        np.matmul(went.shown.T, shared, out=slopes["weight_0"])
        if went.codes.shape[1]:
            of_vectors = shared @ parts["weight_0"][went.shown.shape[1] - went.codes.shape[1] * VECTOR :].T
            self._add_by_code(went.codes.ravel(), of_vectors.reshape(-1, VECTOR))

    def _add_by_code(self, codes: Ints, pulls: Singles) -> None:
        """Add up the slopes of each row of the table."""
        table = self.slopes["table"]
        for place in range(VECTOR):
            table[:, place] = np.bincount(codes, weights=pulls[:, place], minlength=len(table))


def _views(vector: Singles, named: dict[str, Array]) -> dict[str, Singles]:
    """Return each parameter as a part of the vector."""
    ends = np.cumsum([a.size for a in named.values()])
    return {
        name: vector[end - like.size : end].reshape(like.shape)
        for (name, like), end in zip(named.items(), ends, strict=True)
    }


def _pull(margins: Singles, batch: Rows, n_classes: int) -> tuple[float, Singles]:
    """Return the mean loss of the members, each learning on its own, and its slope along their margins."""
    n_members, n_rows = margins.shape[:2]
    mass = np.ones(n_rows, np.float32) if batch.weight is None else batch.weight.astype(np.float32)
    share = (mass / np.float32(n_members * n_rows))[None]
    if n_classes > 2:
        told = powers_of(margins)
        own = (slice(None), np.arange(n_rows), batch.target)
        losses = -np.log(np.maximum(told[own], np.float32(1e-30)))
        told[own] -= 1.0
        return float((losses * share).sum()), told * share[..., None]
    target = batch.target.astype(np.float32)[None]
    away = margins[:, :, 0]
    if n_classes:
        losses = np.logaddexp(np.float32(0.0), away) - target * away
        slope = (1.0 / (1.0 + np.exp(-np.clip(away, -80.0, 80.0)))).astype(np.float32) - target
    else:
        losses, slope = np.square(away - target), 2.0 * (away - target)
    return float((losses * share).sum()), (slope * share)[..., None].astype(np.float32)
