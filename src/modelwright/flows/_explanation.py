"""The explanation that a package carries: why it answers as it does, measured on the sealed rows in training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.fingerprint import plain
from modelwright.evaluation.attribution import ranked
from modelwright.flows._known_rows import Judged, Rows, some
from modelwright.flows._probing import Probe, shapes
from modelwright.flows._weakness import robustness, weak_slices
from modelwright.flows._what_if import readable
from modelwright.learners.blend import Blend
from modelwright.learners.costs import counts_of
from modelwright.learners.reasons import Groves, reasons

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from modelwright.core.arrays import Floats
    from modelwright.core.model import Model
    from modelwright.core.run import Run
    from modelwright.learners.reasons import Reasons
    from modelwright.search.problem import Problem

ROWS_MOST, SHAPE_ROWS, STRESS_ROWS, SLICE_ROWS = 300, 300, 500, 3_000
ROWS_LEAST, FIRST_ROWS = 40, 20
"""Reasons are told of at least so many rows, or not at all; the first few show how long the others take."""
LEAVES_MOST, LEAF_SECONDS = 100_000, 1e-4
"""Deep forests take minutes: they are left to `modelwright explain`. What a leaf takes once, however few the rows."""
SHAPES, MOVES, TOLD = 4, 20, 6
CASE_SHARE = 0.1
"""The highest and the lowest answers are each this share of the rows."""


def explanation(model: Model, sealed: Problem, scores: Floats, run: Run, *, seconds: float) -> dict[str, Any]:
    """Return why a model answers so: what moves its answers, in what shape, what throws it off, where it is weak.

    No row stands in it, only means over many: documents with these numbers may be shown to others.

    Args:
        model: Fitted without the sealed rows.
        sealed: The sealed rows.
        scores: Its scores for them.
        run: Seed and clock.
        seconds: About how long it may take; parts that would come too late are left out.
    """
    begun, task = run.clock(), model.task
    frame = sealed.frame.select([c.name for c in model.contract.inputs])
    n = frame.height
    rows = Rows(frame, frame, (), sealed.target, np.ones(n, dtype=bool), "the sealed rows")
    focus = _focus(model, scores)

    def is_late(share: float) -> bool:
        return run.clock() - begun > share * seconds

    found = _reasons(model, rows, focus, run.seed, run.clock, 0.4 * seconds)
    if found is None:
        return {}
    moved = ranked(found.columns, found.values)
    leading = [str(e["column"]) for e in moved if e["value"] > 0 and e["column"] in model.contract]
    told: dict[str, Any] = {
        "space": found.space,
        "target": task.target,
        "labels": list(task.labels),
        "focus": None if focus is None else task.labels[focus],
        "n_rows": len(found.answer),
        "importance": {"moves": moved[:MOVES], "permutation": []},
        "shapes": [],
        "cases": _cases(found, frame[some(n, ROWS_MOST, run.seed)[: len(found.answer)]], model),
        "robustness": [],
        "slices": None,
    }
    if not is_late(0.5):
        told["robustness"] = robustness(rows.take(some(n, STRESS_ROWS, run.seed)), model, leading, seed=run.seed)
    if not is_late(0.7):
        probe = Probe(model, frame[some(n, SHAPE_ROWS, run.seed + 1)], focus)
        told["shapes"] = shapes(probe, leading[:SHAPES])
    if not is_late(0.8):
        kept = some(n, SLICE_ROWS, run.seed)
        judged = Judged(rows.take(kept), sealed.target[kept], scores[kept], "the sealed rows", True)
        told["slices"] = weak_slices(judged, model, leading, seed=run.seed)
    data: dict[str, Any] = plain(told)
    return data


def _focus(model: Model, scores: Floats) -> int | None:
    """Return the label that is looked at: the positive one of two, or the one most often answered."""
    if not model.task.is_classification:
        return None
    if len(model.task.labels) == 2:
        return 1
    return int(np.bincount(np.asarray(model.choices(scores), dtype=np.int64)).argmax())


def _reasons(
    model: Model, rows: Rows, focus: int | None, seed: int, clock: Callable[[], float], seconds: float
) -> Reasons | None:
    """Return the reasons of as many rows as time allows, all for the same label; None where it allows too few."""
    kept = rows.frame[some(rows.n_rows, ROWS_MOST, seed)]
    assert isinstance(model.blend, Blend), "a search ends in a blend"
    leaves = sum(counts_of(m).leaves for m in model.blend.members)
    if kept.height < ROWS_LEAST or leaves > LEAVES_MOST or leaves * LEAF_SECONDS > seconds:
        return None
    background = model.plan.matrix(kept)
    grown = Groves(background, seed)

    def of(frame: pl.DataFrame) -> Reasons:
        label = None if focus is None else np.full(frame.height, focus)
        return reasons(model.blend, model.plan.matrix(frame), background, label=label, seed=seed, grown=grown)

    of(kept.head(1))  # what is made once for all rows is made here
    begun = clock()
    of(kept.head(FIRST_ROWS))
    a_row = (clock() - begun) / FIRST_ROWS
    many = int(min(kept.height, seconds / max(a_row, 1e-9)))
    return of(kept.head(many)) if many >= ROWS_LEAST else None


def _cases(found: Reasons, frame: pl.DataFrame, model: Model) -> list[dict[str, Any]]:
    """Return why the highest answers are high and the lowest low: means of their rows' reasons, which still add up."""
    order = np.argsort(found.answer, kind="stable")
    many = max(round(CASE_SHARE * len(order)), 1)
    cases = []
    for which, rows in (("highest", order[-many:]), ("lowest", order[:many])):
        adds = found.values[rows].mean(axis=0)
        leading = np.argsort(-np.abs(adds), kind="stable")[:TOLD]
        cases.append(
            {
                "which": which,
                "n_rows": len(rows),
                "answer": float(found.answer[rows].mean()),
                "start": float(found.start[rows].mean()),
                "reasons": [
                    {
                        "column": found.columns[i],
                        "usual": _usual(frame[rows], found.columns[i], model),
                        "adds": float(adds[i]),
                    }
                    for i in leading
                ],
                "rest": float(adds.sum() - adds[leading].sum()),
            }
        )
    return cases


def _usual(frame: pl.DataFrame, name: str, model: Model) -> Any:
    """Return what rows mostly have in a column: the median, or the most frequent level if most rows have it."""
    if name not in model.contract or name not in frame.columns:
        return None
    column, known = model.contract.column(name), frame[name].drop_nulls()
    if known.is_empty() or not column.is_numeric:
        counted = known.value_counts(sort=True)
        often = counted.height and counted["count"][0] >= 0.5 * frame.height and column.levels
        return counted[name][0] if often else None
    return readable(column, float(np.median(known.to_numpy())))
