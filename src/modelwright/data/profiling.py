"""Profiles: what a table holds, column by column, as plain data; nothing is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.contract import Kind, Role
from modelwright.core.fingerprint import plain
from modelwright.data._association import Judge, sample_rows, signals
from modelwright.data._summaries import summaries

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from modelwright.core.arrays import Floats, Ints
    from modelwright.core.contract import Column, Contract
    from modelwright.core.finding import Finding
    from modelwright.core.table import Table
    from modelwright.core.task import Task

HISTOGRAM_BINS = 20


def profile(
    table: Table,
    frame: pl.DataFrame,
    contract: Contract,
    *,
    task: Task | None = None,
    target: Floats | Ints | None = None,
    findings: Iterable[Finding] = (),
) -> dict[str, Any]:
    """Return what a table holds as plain data: its size, its columns, its target, its findings.

    Free text and identifiers are counted and measured, never quoted.

    Args:
        table: The rows as read.
        frame: The same rows, conformed.
        contract: What the columns mean.
        task: What is asked, if anything is.
        target: Encoded target, shape (n_rows,), with the task.
        findings: What was found.

    Returns:
        ``n_rows``, ``n_columns``, ``memory_bytes``, ``columns``, ``target``, ``findings``. Each column has
        ``name``, ``kind``, ``role``, ``confidence``, ``reason``, ``n_missing``, ``missing_share``, ``n_distinct``,
        what suits its kind (``numbers``, ``dates``, ``levels``, ``text``), and with a task its ``association`` with
        the target, ``strength`` from 0 (tells nothing alone) to 1 (tells all).
    """
    there = set(frame.columns)
    columns = [c for c in contract.columns if c.name in there]
    told = {} if task is None or target is None else _associations(frame, columns, task, target)
    described = summaries(frame, columns)
    return {
        "format": 1,
        "source": table.source,
        "fingerprint": table.fingerprint,
        "n_rows": frame.height,
        "n_columns": len(contract.columns),
        "memory_bytes": int(table.frame.estimated_size()),
        "columns": [
            {**_heading(column), **plain(described[column.name]), "association": plain(told.get(column.name))}
            for column in columns
        ],
        "target": None if task is None or target is None else plain(_of_target(task, target)),
        "findings": [plain(f) for f in findings],
    }


def _heading(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "kind": column.kind.value,
        "role": column.role.value,
        "confidence": column.confidence,
        "reason": column.reason,
    }


def _associations(
    frame: pl.DataFrame, columns: list[Column], task: Task, target: Floats | Ints
) -> dict[str, dict[str, Any]]:
    names = [c.name for c in columns if c.kind is not Kind.CONSTANT and c.role is not Role.TARGET]
    rows = sample_rows(np.arange(frame.height), seed=0)
    if len(rows) < 2 or not names:
        return {}
    judge = Judge(task, target[rows], seed=0)
    told = ((s.name, judge.judge(s)) for s in signals(frame[rows], names))
    return {name: {"measure": a.measure, "value": a.value, "strength": a.strength} for name, a in told}


def _of_target(task: Task, target: Floats | Ints) -> dict[str, Any]:
    """Return the counts of the labels, or the numbers and a histogram."""
    base = {"name": task.target, "kind": task.kind.value, "n_rows": len(target)}
    if task.is_classification:
        counts = np.bincount(np.asarray(target, dtype=np.int64), minlength=len(task.labels))
        labels = [
            {"value": label, "count": int(n), "share": int(n) / max(len(target), 1)}
            for label, n in zip(task.labels, counts, strict=True)
        ]
        return {**base, "labels": labels}
    values = np.asarray(target, dtype=np.float64)
    if not len(values):
        return base
    quartiles = {f"q{q}": float(np.quantile(values, q / 100, method="inverted_cdf")) for q in (25, 50, 75)}
    return {**base, "low": float(values.min()), "high": float(values.max()), **quartiles, **_histogram(values)}


def _histogram(values: Floats) -> dict[str, Any]:
    """Return counts in equal stretches; halves keep the range of huge values finite."""
    low, high = float(values.min()) / 2, float(values.max()) / 2
    if low == high:
        return {"histogram": {"edges": [2 * low, 2 * high], "counts": [len(values)]}}
    place = ((values / 2 - low) / (high - low) * HISTOGRAM_BINS).astype(np.int64)
    counts = np.bincount(np.minimum(place, HISTOGRAM_BINS - 1), minlength=HISTOGRAM_BINS)
    shares = np.arange(HISTOGRAM_BINS + 1) / HISTOGRAM_BINS
    edges = 2 * (low * (1 - shares) + high * shares)
    return {"histogram": {"edges": edges.tolist(), "counts": counts.tolist()}}
