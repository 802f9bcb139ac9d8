"""Compare: two models on the same labelled rows, by a paired interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import EmptySource, InvalidTask
from modelwright.core.metrics import MEASURES
from modelwright.data.reading import read as read_table
from modelwright.evaluation.pairs import paired
from modelwright.flows._gate import other_question
from modelwright.flows._rows import in_common, labelled
from modelwright.flows.builtin import catalogue
from modelwright.flows.resolve import check_same, resolve
from modelwright.packaging.reading import read
from modelwright.reports.terminal import measures, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from modelwright.core.score import Score


@dataclass(frozen=True, slots=True)
class Compared:
    """Two models on the same rows.

    Attributes:
        first: How the first is called.
        second: How the second is called.
        target: What they predict.
        metric: The measure they are chosen by.
        answer: ``better``, ``worse`` (the second than the first), or ``undecided``.
        differences: By measure: the second's less the first's, with 95 % interval.
        n_rows: How many rows.
        rows: Which they are, in words.
    """

    first: str
    second: str
    target: str
    metric: str
    answer: str
    differences: Mapping[str, Score]
    n_rows: int
    rows: str

    def to_dict(self) -> dict[str, Any]:
        """Return what ``compare --json`` prints."""
        known = {"first": self.first, "second": self.second, "metric": self.metric, "answer": self.answer}
        differences = {k: s.to_dict() for k, s in self.differences.items()}
        return {**known, "n_rows": self.n_rows, "rows": self.rows, "differences": differences}

    def summary(self, width: int) -> str:
        """Return the differences as plain text for a terminal of this width."""
        told = {
            "better": f"{self.second} is better than {self.first}",
            "worse": f"{self.second} is worse than {self.first}",
            "undecided": f"{self.first} and {self.second} cannot be told apart",
        }[self.answer]
        head = f"By {MEASURES[self.metric].title}, {told} on {self.n_rows:,} {self.rows}."
        line = f"{self.second} less {self.first}:"
        return "\n".join([wrapped(head, width), "", line, measures(self.differences, self.target, width=width)])


def compare(first: str | Path, second: str | Path, source: object, *, query: str | None = None) -> Compared:
    """Compare two models on the same labelled rows, each on rows it has not seen.

    Args:
        first: A name such as ``churn@champion``, or a package.
        second: Likewise.
        source: Anything that can be read as a table; it holds the target. Of a table that a model was made from
            only its sealed rows count, with the scores it had for them before it saw them.
        query: SQL query, when the source is a database.

    Raises:
        InvalidTask: The models answer different questions.
        EmptySource: No labelled row is unseen by both.
    """
    places = resolve(first), resolve(second)
    packages = [read(p.path, catalogue()) for p in places]
    for place, package in zip(places, packages, strict=True):
        check_same(place, package.fingerprint)
    fault = other_question(packages[1], packages[0])
    if fault:
        fix = "compare models of the same target"
        raise InvalidTask("models that are compared answer the same question", where=str(second), got=fault, fix=fix)
    rows = labelled(read_table(source, query=query), packages[0])
    one, other, words, _ = in_common(packages[0], packages[1], rows)
    n = len(one.target)
    if not n:
        raise EmptySource(
            "at least one labelled row is unseen by both models",
            where=str(source)[:80],
            got="none",
            fix="give new rows",
        )
    task = packages[0].model.task
    chosen = (other.choices, one.choices) if task.is_classification else (None, None)
    names = [m.name for m in MEASURES.values() if task.kind in m.kinds]
    both = (one.target, other.scores, one.scores)
    found = {m: paired(task, *both, metric=m, choices=chosen, weight=one.weight) for m in names}
    titles = places[0].title, places[1].title
    return Compared(titles[0], titles[1], task.target, task.metric, answer_of(found[task.metric]), found, n, words)


def answer_of(difference: Score) -> str:
    """Return whether the second is better or worse than the first, or whether the rows cannot tell."""
    if np.isnan(difference.value) or difference.low <= 0 <= difference.high:
        return "undecided"
    is_more = difference.low > 0
    return "better" if is_more == MEASURES[difference.metric].greater_is_better else "worse"
