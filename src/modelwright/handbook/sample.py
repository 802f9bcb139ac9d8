"""The sample: rows of one table, understood by the house's contract and made into numbers by its feature plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.task import Task, TaskKind
from modelwright.features.plan import FeaturePlan, recommend
from modelwright.handbook._design import design
from modelwright.reports import numbers
from modelwright.reports.names import marked, quoted

if TYPE_CHECKING:
    import polars as pl

    from modelwright.core.arrays import Floats, Ints
    from modelwright.core.contract import Contract
    from modelwright.core.matrix import Matrix
    from modelwright.core.split import Split
    from modelwright.handbook.arrays import Answers

LABELS_MOST = 8
"""Experiments fit many models; of more labels than this only the rows of the most frequent ones are taken."""


SCALE_NOTE = (
    "Squared errors are in units of the target's variance: 1 is what always answering the mean gets, 0 is perfect."
)


@dataclass(frozen=True)
class Side:
    """Rows to learn from, or rows held back.

    Attributes:
        frame: The conformed rows.
        matrix: As the house's learners read them: NaN where missing, categories as codes.
        raw: As textbook methods read them: gaps filled, categories one-hot, shape (n_rows, n_columns).
        x: ``raw`` standardised by the rows to learn from, held to six deviations.
        y: Positions of labels, or the target standardised by the rows to learn from.
    """

    frame: pl.DataFrame
    matrix: Matrix
    raw: Floats
    x: Floats
    y: Answers

    @property
    def n(self) -> int:
        """How many rows there are."""
        return len(self.y)

    def take(self, rows: Ints) -> Side:
        """Return the rows at these positions."""
        return Side(self.frame[rows], self.matrix.take(rows), self.raw[rows], self.x[rows], self.y[rows])

    def only(self, columns: Ints) -> Side:
        """Return the rows with only these columns of ``raw`` and ``x``; the house's matrix stays whole."""
        return replace(self, raw=self.raw[:, columns], x=self.x[:, columns])


@dataclass(frozen=True)
class Sample:
    """What an experiment is given.

    Attributes:
        name: What the table is called.
        task: What is asked of it.
        contract: What its columns mean.
        fit: Rows to learn from.
        held: Rows held back, to judge by.
        names: One per column of ``x``.
        n_classes: How many labels, 0 for regression.
        mean: Mean of the target over the rows to learn from (regression).
        spread: Its standard deviation there.
        n_all: Rows of the whole table.
        notes: What was left out, and questions that were changed, in sentences.
        asked: The question, as the end of "it is asked …".
    """

    name: str
    task: Task
    contract: Contract
    fit: Side
    held: Side
    names: tuple[str, ...]
    n_classes: int
    mean: float
    spread: float
    n_all: int
    notes: tuple[str, ...]
    asked: str

    @property
    def is_classes(self) -> bool:
        """Whether the answer is a label."""
        return self.n_classes > 0

    @property
    def loss_name(self) -> str:
        """What the loss is called: each experiment that says "loss" means this one."""
        return "log loss" if self.is_classes else "squared error"

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of their positions."""
        return self.task.labels

    def label(self, position: int) -> str:
        """Return a label in quotation marks, for a sentence."""
        return quoted(self.task.labels[position])

    def few(self, n_fit: int, n_held: int | None = None, *, seed: int = 0) -> Sample:
        """Return a sample of at most so many rows, drawn at random, without columns that are constant in it."""
        rng = np.random.default_rng(seed)
        fit, held = _drawn(self.fit, n_fit, rng), _drawn(self.held, n_held or self.held.n, rng)
        kept = np.flatnonzero(np.ptp(fit.raw, axis=0) > 0)
        if len(kept) in (0, len(self.names)):
            return replace(self, fit=fit, held=held)
        return replace(self, fit=fit.only(kept), held=held.only(kept), names=tuple(self.names[i] for i in kept))

    def binary(self, *, share: float = 0.5) -> Sample:
        """Return this sample with a yes-or-no question: itself, one label against the rest, or a high target.

        Args:
            share: The share of rows that should say yes; of several labels the one nearest to it is asked for.
        """
        if self.n_classes == 2:
            return self
        if not self.is_classes:
            return self._above(share)
        counts = np.bincount(self.fit.y.astype(np.int64), minlength=self.n_classes) / self.fit.n
        chosen = int(np.abs(np.where(counts > 0, counts, 9.0) - share).argmin())
        yes = self.task.labels[chosen]
        note = f"The table has {self.n_classes} labels; here the question is whether it is {quoted(yes)} or another."
        task = replace(self.task, kind=TaskKind.BINARY, labels=(f"not {yes}", yes), metric="roc_auc")
        return self._asking(task, (self.fit.y == chosen), (self.held.y == chosen), note)

    def _above(self, share: float) -> Sample:
        level = float(np.quantile(self.fit.y, 1 - share))
        if not (self.fit.y > level).any():
            level = float(np.unique(self.fit.y)[-2])
        value = numbers.number(level * self.spread + self.mean)
        kept = tuple(n for n in self.notes if n != SCALE_NOTE)
        note = f"The target is a number; here the question is whether {marked(self.task.target)} is above {value}."
        labels = (f"at most {value}", f"above {value}")
        task = replace(self.task, kind=TaskKind.BINARY, labels=labels, metric="roc_auc")
        return replace(self, notes=kept)._asking(task, self.fit.y > level, self.held.y > level, note)

    def numeric(self) -> Sample:
        """Return this sample with a target that is a number: itself, or yes = 1 and no = 0, standardised.

        Least squares has an exact answer, so it shows what an optimiser or a penalty does without any doubt.
        """
        if not self.is_classes:
            return self
        asked = self.binary()
        share = float(asked.fit.y.mean())
        spread = float(np.sqrt(share * (1 - share))) or 1.0
        sides: dict[str, Any] = {
            k: replace(side, y=(side.y - share) / spread) for k, side in (("fit", asked.fit), ("held", asked.held))
        }
        task = replace(asked.task, kind=TaskKind.REGRESSION, labels=(), metric="rmse")
        note = "Labels are counted as 1 (yes) and 0 (no) here, because for squared error the exact answer is known."
        notes = (*asked.notes, note, SCALE_NOTE)
        return replace(asked, task=task, n_classes=0, mean=share, spread=spread, notes=notes, **sides)

    def _asking(self, task: Task, fit: Answers, held: Answers, note: str) -> Sample:
        sides: dict[str, Any] = {
            "fit": replace(self.fit, y=fit.astype(np.int64)),
            "held": replace(self.held, y=held.astype(np.int64)),
        }
        asked = f"whether {marked(task.target)} is {quoted(task.labels[1])}"
        return replace(self, task=task, n_classes=2, notes=(*self.notes, note), asked=asked, **sides)


def sample_of(
    frame: pl.DataFrame,
    contract: Contract,
    task: Task,
    target: Answers,
    split: Split,
    *,
    name: str,
    n_all: int,
    seed: int,
) -> Sample:
    """Return the sample of a prepared table.

    Args:
        frame: Conformed rows, all with a known target.
        contract: What the columns mean.
        task: What is asked.
        target: Encoded, shape (n_rows,).
        split: Rows to learn from and rows held back.
        name: What the table is called.
        n_all: Rows of the table these rows were drawn from.
        seed: Of the text components.
    """
    notes = []
    if frame.height < n_all:
        notes.append(f"Of the table's {n_all:,} rows, {frame.height:,} were drawn at random, so that it takes seconds.")
    fit_rows, held_rows = split.train, split.test
    if len(task.labels) > LABELS_MOST:
        notes.append(
            f"Of {len(task.labels)} labels, the {LABELS_MOST} most frequent ones are asked for and only their "
            "rows taken."
        )
        task, target, fit_rows, held_rows = _most_frequent(task, target, fit_rows, held_rows)
    n_classes = len(task.labels)
    plan = FeaturePlan.fit(
        frame[fit_rows], contract, recommend(contract, n_classes=n_classes, n_rows=len(fit_rows)), seed=seed
    )
    matrices = plan.matrix(frame[fit_rows]), plan.matrix(frame[held_rows])
    names, raws, xs = design(matrices, frame[fit_rows])
    answers = target[fit_rows], target[held_rows]
    mean, spread = 0.0, 1.0
    if not n_classes:
        notes.append(SCALE_NOTE)
        mean, spread = float(answers[0].mean()), float(answers[0].std()) or 1.0
        answers = (answers[0] - mean) / spread, (answers[1] - mean) / spread
    fit, held = (
        Side(frame[rows], matrix, raw, x, y)
        for rows, matrix, raw, x, y in zip((fit_rows, held_rows), matrices, raws, xs, answers, strict=True)
    )
    asked = _asked(task)
    return Sample(name, task, contract, fit, held, names, n_classes, mean, spread, n_all, tuple(notes), asked)


def _asked(task: Task) -> str:
    match task.kind:
        case TaskKind.BINARY:
            return f"whether {marked(task.target)} is {quoted(task.labels[1])}"
        case TaskKind.MULTICLASS:
            return f"which of {len(task.labels)} labels {marked(task.target)} is"
        case _:
            return f"what number {marked(task.target)} is"


def _most_frequent(task: Task, target: Answers, fit: Ints, held: Ints) -> tuple[Task, Answers, Ints, Ints]:
    counts = np.bincount(target[fit].astype(np.int64), minlength=len(task.labels))
    kept = np.sort(np.argsort(-counts, kind="stable")[:LABELS_MOST])
    place = np.full(len(task.labels), -1)
    place[kept] = np.arange(len(kept))
    moved = place[target.astype(np.int64)]
    labels = tuple(task.labels[i] for i in kept)
    return replace(task, labels=labels), moved, fit[moved[fit] >= 0], held[moved[held] >= 0]


def _drawn(side: Side, n: int, rng: np.random.Generator) -> Side:
    if side.n <= n:
        return side
    return side.take(np.sort(rng.choice(side.n, n, replace=False)))
