"""Reasons: what each column adds to a prediction, so that all of them add up to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from modelwright.learners._carrying import carried, rescaled, settled, share_slopes, softmax_slopes
from modelwright.learners._sampled_shap import sampled
from modelwright.learners._tree_shap import Grove
from modelwright.learners.blend import Blend
from modelwright.learners.calibration import FLOOR, Calibrator
from modelwright.learners.constant import ConstantModel
from modelwright.learners.linear import LinearModel
from modelwright.learners.shaped import Shaped
from modelwright.learners.trees import Trees, apply_link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.arrays import Bools, Floats, Ints
    from modelwright.core.matrix import Feature, Matrix
    from modelwright.core.ports import Fitted

VALUE, PROBABILITY, LOG_ODDS = "value", "probability", "log-odds"
SPACES = (VALUE, PROBABILITY, LOG_ODDS)
"""What reasons add up to: the estimate in the target's unit, the probability of a label, or its log-odds."""
ROWS_AT_ONCE = 2_048


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why a model answers as it does: ``start`` plus the row's values is its answer.

    Attributes:
        columns: The table's columns, in the order of the values.
        values: Shape (n_rows, n_columns).
        start: Shape (n_rows,): the answer before anything is known of the row; differs between rows only where
            they are about different labels.
        answer: Shape (n_rows,): the model's prediction in ``space``.
        errors: Shape (n_rows, n_columns): standard error of each value, zero where it is exact.
        label: Shape (n_rows,): which label each row's reasons are about; zeros for values.
        space: One of ``SPACES``.
        sampled: Share of the ensemble's weight whose reasons were sampled.
    """

    columns: tuple[str, ...]
    values: Floats
    start: Floats
    answer: Floats
    errors: Floats
    label: Ints
    space: str
    sampled: float

    def take(self, rows: Ints) -> Reasons:
        """Return the reasons of some rows."""
        parts = {n: getattr(self, n)[rows] for n in ("values", "start", "answer", "errors", "label")}
        return replace(self, **parts)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The reasons of one part for all of its answers: start (k,), values and errors (n, n_columns, k)."""

    start: Floats
    values: Floats
    errors: Floats


def reasons(
    blend: Fitted,
    matrix: Matrix,
    background: Matrix,
    *,
    label: Ints | None = None,
    space: str = "",
    seed: int = 0,
    grown: Groves | None = None,
) -> Reasons:
    """Return what each column of the table adds to each row's prediction.

    Trees and linear members are explained exactly: by Shapley values of the margin with the background's shares of
    rows at every split, or its means. Their margins are carried through link, weighted mean and calibration (see
    ``_carrying``), so that the values add up to what the whole model answers. Other members are sampled. What is
    made of two columns is credited to both by half.

    Args:
        blend: What is fitted.
        matrix: Rows to explain.
        background: Rows that the others are compared with, at least one.
        label: Shape (n_rows,), which label to explain; by default the positive of two, or the most probable.
        space: ``log-odds`` in place of ``probability`` for two labels; by default the probability or the value.
        seed: Of what is sampled.
        grown: Made from the same background, where many calls share it; None to make it now.
    """
    whole = blend if isinstance(blend, Blend) else Blend([blend], np.ones(1))
    columns, credit, reads = _columns(matrix.features)
    pieces = []
    groves = grown or Groves(background, seed)
    for first in range(0, max(matrix.n_rows, 1), ROWS_AT_ONCE):
        rows = np.arange(first, min(first + ROWS_AT_ONCE, matrix.n_rows))
        chosen = None if label is None else label[rows]
        pieces.append(_piece(whole, matrix.take(rows), groves, credit, reads, chosen, space))
    joined = [np.concatenate([p[i] for p in pieces]) for i in range(5)]
    values, start, answer, errors, labels = joined
    told = space or (VALUE if answer.ndim == 1 and not groves.is_class else PROBABILITY)
    exact = Trees | LinearModel | ConstantModel
    is_sampled = [not isinstance(m.inner if isinstance(m, Shaped) else m, exact) for m in whole.members]
    return Reasons(columns, values, start, answer, errors, labels, told, float(whole.weights @ np.array(is_sampled)))


class Groves:
    """The trees of each member with the background passed through them, read once for all rows.

    Args:
        background: Rows that others are compared with.
        seed: Of what is sampled.
    """

    def __init__(self, background: Matrix, seed: int) -> None:
        self.background, self.seed = background, seed
        self.is_class = False
        self._known: dict[int, Grove] = {}

    def of(self, trees: Trees) -> Grove:
        """Return the grove of a member."""
        if id(trees) not in self._known:
            shown = self.background.values
            self._known[id(trees)] = Grove.of(trees.text, trees.vectors, trees.n_outputs, shown)
        return self._known[id(trees)]


def _columns(features: Sequence[Feature]) -> tuple[tuple[str, ...], Floats, Bools]:
    """Return the table's columns, how much of each feature is credited to each, and which are read for it."""
    names = tuple(dict.fromkeys(n for f in features for n in (f.source, f.other) if n))
    credit = np.zeros((len(names), len(features)))
    for i, feature in enumerate(features):
        sources = {feature.source, feature.other or feature.source}
        for source in sources:
            credit[names.index(source), i] = 1 / len(sources)
    return names, credit, credit > 0


def _piece(
    blend: Blend,
    matrix: Matrix,
    groves: Groves,
    credit: Floats,
    reads: Bools,
    label: Ints | None,
    space: str,
) -> tuple[Floats, Floats, Floats, Floats, Ints]:
    """Return values, start, answer, errors and label of some rows."""
    members = [_of_member(m, matrix, groves, credit, reads) for m in blend.members]
    start, values, errors = _averaged(members, blend.weights)
    said = blend.predict(matrix)
    n = matrix.n_rows
    if said.ndim == 1:
        values = settled(values, said[:, None] - start)
        return values[:, :, 0], np.full(n, start[0]), said, errors[:, :, 0], np.zeros(n, dtype=np.int64)
    groves.is_class = True
    if blend.calibrator is not None:
        start, values, errors = _calibrated(blend.calibrator, start, values, errors)
    chosen = label if label is not None else np.full(n, 1) if said.shape[1] == 2 else said.argmax(axis=1)
    at = np.arange(n), chosen
    one, doubt = (np.take_along_axis(p, chosen[:, None, None], axis=2)[:, :, 0] for p in (values, errors))
    begin, answer = start[chosen], said[at]
    one = settled(one[:, :, None], (answer - begin)[:, None])[:, :, 0]
    if space == LOG_ODDS:
        odds_begin, odds = _log_odds(begin), _log_odds(answer)
        doubt = doubt * _steepness(begin, answer, odds_begin, odds)
        one = rescaled(begin, answer, odds_begin, odds, one)
        begin, answer = odds_begin, odds
    return one, begin, answer, doubt, chosen.astype(np.int64)


def _log_odds(probability: Floats) -> Floats:
    inside = np.clip(probability, 1e-12, 1 - 1e-12)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def _steepness(start: Floats, end: Floats, begun: Floats, ended: Floats) -> Floats:
    """Return by how much an error grows when a margin is turned, shape (n, 1)."""
    way = np.where(end == start, 1.0, end - start)
    return np.abs((ended - begun) / way)[:, None]


def _averaged(members: Sequence[_Parts], weights: Floats) -> tuple[Floats, Floats, Floats]:
    start = np.asarray(sum(w * m.start for w, m in zip(weights, members, strict=True)))
    values = np.asarray(sum(w * m.values for w, m in zip(weights, members, strict=True)))
    squares = sum((w * m.errors) ** 2 for w, m in zip(weights, members, strict=True))
    return start, values, np.sqrt(np.asarray(squares))


def _calibrated(rule: Calibrator, start: Floats, values: Floats, errors: Floats) -> tuple[Floats, Floats, Floats]:
    """Carry reasons for probabilities through the calibrator."""
    end = start + values.sum(axis=1)
    begun = rule.apply(start[None, :])[0]
    if len(start) == 2:
        turned = rule.apply(end)[:, 1]
        moved = rescaled(start[1:], end[:, 1], begun[1:], turned, values[:, :, 1])
        grown = _steepness(start[1:], end[:, 1], begun[1:], turned)
        return begun, np.stack([-moved, moved], axis=2), errors * grown[:, :, None]

    def slopes(told: Floats) -> Floats:
        inside = np.clip(told, FLOOR, 1.0)
        of_logs = softmax_slopes(rule.slope * np.log(inside) + rule.offset)
        return np.asarray(of_logs * (rule.slope / inside * (told > FLOOR))[:, None, :])

    moved = carried(rule.apply, slopes, start, end, values)
    steepest = np.abs(slopes(end)).max(axis=(1, 2))
    return begun, moved, errors * np.minimum(steepest, 10.0)[:, None, None]


def _of_member(member: Fitted, matrix: Matrix, groves: Groves, credit: Floats, reads: Bools) -> _Parts:
    if isinstance(member, Trees):
        grove = groves.of(member)
        margins = np.einsum("cf,nfk->nck", credit, grove.attribute(np.ascontiguousarray(matrix.values)))
        return _linked(member.link, grove.start, margins)
    if isinstance(member, Shaped) and isinstance(member.inner, Trees):
        inner = _of_member(member.inner, matrix, groves, credit, reads)
        end = inner.start + inner.values[:, :, 0].sum(axis=1)
        begun, ended = member.brought_back(inner.start), member.brought_back(end)
        return _exact(begun, rescaled(inner.start, end, begun, ended, inner.values[:, :, 0])[:, :, None])
    if isinstance(member, LinearModel):
        return _of_linear(member, matrix, groves.background, credit)
    if isinstance(member, ConstantModel):
        answer = np.atleast_1d(member.answer).astype(np.float64)
        return _exact(answer, np.zeros((matrix.n_rows, len(credit), len(answer))))
    return _Parts(*sampled(member, matrix, groves.background, reads, seed=groves.seed))


def _of_linear(member: LinearModel, matrix: Matrix, background: Matrix, credit: Floats) -> _Parts:
    """Return a linear member's reasons: coefficient times distance from the mean, column by column."""
    design = member.design
    mean = design.apply(background.values).mean(axis=0)
    away = design.apply(matrix.values) - mean
    made_of = credit[:, np.concatenate([design.number_at, design.flag_at, design.level_at])]
    slopes = member.coefficients[:-1]
    margins = np.stack([(away * slopes[:, k]) @ made_of.T for k in range(slopes.shape[1])], axis=2)
    start = mean @ slopes + member.coefficients[-1]
    if len(start) > 1:
        return _linked("softmax", start, margins)
    end = start[0] + margins[:, :, 0].sum(axis=1)
    begun, ended = np.clip(start, member.low, member.high), np.clip(end, member.low, member.high)
    values = rescaled(start, end, begun, ended, margins[:, :, 0])[:, :, None]
    return _exact(begun, values)


def _linked(link: str, start: Floats, margins: Floats) -> _Parts:
    """Carry reasons for margins, shape (n, n_columns, width), through a link."""
    if link == "identity":
        return _exact(start, margins)
    end = start + margins.sum(axis=1)
    told, begun = apply_link(link, end), apply_link(link, start[None, :])[0]
    if link in ("sigmoid", "share"):
        moved = rescaled(start, end[:, 0], begun[1:], told[:, 1], margins[:, :, 0])
        return _exact(begun, np.stack([-moved, moved], axis=2))
    slopes = softmax_slopes if link == "softmax" else share_slopes
    return _exact(begun, carried(lambda m: apply_link(link, m), slopes, start, end, margins))


def _exact(start: Floats, values: Floats) -> _Parts:
    return _Parts(start, values, np.zeros_like(values))
