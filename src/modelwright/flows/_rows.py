"""Rows to judge by: the sealed ones of packages, and a table that was given, sorted by who has seen what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from modelwright.core.errors import EmptySource
from modelwright.core.fingerprint import fingerprint
from modelwright.data.conforming import conform
from modelwright.data.tasks import encode
from modelwright.evaluation.gate import Answers
from modelwright.flows._preparing import weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.arrays import Array, Floats, Ints
    from modelwright.core.table import Table
    from modelwright.packaging.package import Package


def sealed_answers(package: Package) -> Answers | None:
    """Return what the judged model said about its sealed rows, or None when the package holds none."""
    sealed = package.sealed
    if sealed is None or not len(sealed.target):
        return None
    return Answers(sealed.target, sealed.scores, package.model.choices(sealed.scores), sealed.weight)


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labelled rows of a table.

    Attributes:
        frame: As they were read, rows without a known target left out.
        names: Fingerprints of the rows, as packages name their sealed rows.
        target: Encoded for the task it was read for.
        weight: Row weights, or None.
        fingerprint: Of the whole table.
    """

    frame: pl.DataFrame
    names: tuple[str, ...]
    target: Array
    weight: Floats | None
    fingerprint: str

    def take(self, rows: Ints) -> Labelled:
        """Return some of the rows."""
        weight = None if self.weight is None else self.weight[rows]
        names = tuple(self.names[i] for i in rows)
        return Labelled(self.frame[rows], names, self.target[rows], weight, self.fingerprint)


def labelled(table: Table, package: Package) -> Labelled:
    """Return the rows of a table whose target is known.

    Raises:
        UnknownColumn: The table lacks the target.
        EmptySource: No row has a target that the model knows.
    """
    task, contract = package.model.task, package.model.contract
    target, known = encode(table, task, contract)
    if not known.any():
        raise EmptySource(
            "at least one row has a known target", where=table.source, got="none", fix="give labelled rows"
        )
    frame = table.frame.filter(known)
    weight = None
    if task.weight is not None and task.weight in frame.columns:
        weight = weights(conform(frame.select(task.weight), contract).frame, task)
    names = tuple(fingerprint(list(row)) for row in frame.rows())
    return Labelled(frame, names, np.asarray(target)[known], weight, table.fingerprint)


def has_seen(package: Package, rows: Labelled) -> bool:
    """Return whether a table is one that a package was made from: the same, or one that holds its sealed rows."""
    if rows.fingerprint == package.manifest.data.get("fingerprint"):
        return True
    return package.sealed is not None and bool(set(package.sealed.rows) & set(rows.names))


def answers(package: Package, rows: Labelled) -> tuple[Answers, Ints]:
    """Return what a package says about rows it has not seen, and which rows of the table these are.

    Of a table it was made from these are its sealed rows, with the scores of the model that never saw them; of any
    other table all rows, with the scores of the delivered model.
    """
    model = package.model
    if not has_seen(package, rows):
        scores = model.scores(conform(rows.frame, model.contract, only_inputs=True).frame)
        return Answers(rows.target, scores, model.choices(scores), rows.weight), np.arange(len(rows.target))
    places = {name: i for i, name in enumerate(package.sealed.rows)} if package.sealed is not None else {}
    found = np.array([i for i, name in enumerate(rows.names) if name in places], dtype=np.int64)
    sealed = sealed_answers(package)
    if sealed is None or not len(found):
        shape = (0, len(model.task.labels)) if model.task.is_classification else (0,)
        return Answers(rows.target[:0], np.zeros(shape), np.zeros(0)), found
    return _taken(sealed, np.array([places[rows.names[i]] for i in found])), found


def in_common(one: Package, other: Package, rows: Labelled | None) -> tuple[Answers, Answers, str, str]:
    """Return what two packages say about rows that neither has seen.

    Returns:
        The answers of each, row by row the same; which rows these are, in words; and a name for them.
    """
    if rows is not None:
        (a, in_a), (b, in_b) = answers(one, rows), answers(other, rows)
        shared, at_a, at_b = np.intersect1d(in_a, in_b, return_indices=True)
        both_fresh = not has_seen(one, rows) and not has_seen(other, rows)
        words = "rows of the table" if both_fresh else "rows of the table that neither has seen"
        name = fingerprint([rows.names[i] for i in shared])
        return _taken(a, at_a), _taken(b, at_b), words, name
    names = _shared(one.sealed.rows if one.sealed else (), other.sealed.rows if other.sealed else ())
    words = "rows that both kept sealed"
    a, b = (_of_names(p, names) for p in (one, other))
    return a, b, words, fingerprint(list(names))


def _shared(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """Return the names that stand once in both: of repeated rows nobody can tell which is which."""
    single = [{n for n in names if counts[n] == 1} for names in (one, other) for counts in [_counts(names)]]
    return [n for n in one if n in single[0] and n in single[1]]


def _counts(names: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts


def _of_names(package: Package, names: Sequence[str]) -> Answers:
    sealed = sealed_answers(package)
    if sealed is None or package.sealed is None:
        return Answers(np.zeros(0), np.zeros(0), np.zeros(0))
    places = {name: i for i, name in enumerate(package.sealed.rows)}
    return _taken(sealed, np.array([places[n] for n in names], dtype=np.int64))


def _taken(known: Answers, rows: Ints) -> Answers:
    weight = None if known.weight is None else known.weight[rows]
    return Answers(known.target[rows], known.scores[rows], known.choices[rows], weight)
