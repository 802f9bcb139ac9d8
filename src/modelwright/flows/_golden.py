"""Rows that travel in a package: a golden sample with its answers, and the sealed rows' scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.fingerprint import fingerprint
from modelwright.packaging.package import Golden, Sealed

if TYPE_CHECKING:
    from modelwright.core.arrays import Floats
    from modelwright.core.model import Model
    from modelwright.flows._preparing import Prepared
    from modelwright.search.problem import Problem

GOLDEN_ROWS = 20


def golden_sample(model: Model, known: Prepared, *, seed: int) -> Golden:
    """Return a few real rows, as in the source, with the scores both paths must give.

    Every package proves on them that the row path equals the batch path, when it is written and when it is read.
    """
    n = known.frame.height
    rows = np.sort(np.random.default_rng(seed).choice(n, min(GOLDEN_ROWS, n), replace=False))
    names = [c.name for c in model.contract.inputs]
    records = tuple(_plain(r) for r in known.table.frame[rows].select(names).to_dicts())
    return Golden(records, model.scores(known.frame[rows]))


def sealed_record(sealed: Problem, known: Prepared, scores: Floats) -> Sealed:
    """Return names of the sealed rows, their targets and scores: from these every measure can be computed again."""
    raw = known.table.frame[known.split.test]
    rows = tuple(fingerprint(list(r)) for r in raw.rows())
    return Sealed(rows, sealed.target, scores, sealed.weight)


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record that JSON can hold: dates and times as text."""
    return {k: v if isinstance(v, str | int | float | bool | None) else str(v) for k, v in record.items()}
