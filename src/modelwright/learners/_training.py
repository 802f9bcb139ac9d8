"""Training a network: its course, and what its pupils have in common, whether numpy or PyTorch does the sums.

Adam with decoupled decay; learning rate, dropout and decay follow a schedule of four cycles, each twice as long as
the one before and each ending at rest (Holzmüller et al. 2024). The schedule is fitted to the time there is, again
at every step, so it always runs to its end.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import MissingLibrary
from modelwright.learners._network import Network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from modelwright.core.arrays import Array, Floats, Ints, Singles
    from modelwright.learners._inputs import Inputs
    from modelwright.learners._rounds import Track

ROUND_ROWS_MAX = 32_768
"""Rows a round sees at most: on large tables a look at the exam comes more often than once in all rows."""
EXAM_ROWS_MAX = 10_000
"""Rows of the exam that are looked at after each round, a seeded sample of more."""
EXAM_ROWS = 2_048
"""Rows of it that are looked at together."""
HELD_BYTES = 400_000_000
"""Inputs are made once where they take no more than this, else batch by batch."""
MADE_ROWS = 4_096
"""Rows whose inputs are made at once."""
CYCLES = 4
HASTE = 0.93
"""Share of the time left that the schedule is fitted to."""
STEPS_OF_PACE = 25
"""The last steps, by which the time of those to come is told."""
HOPELESS = 1.03
"""Training ends with a cycle whose lowest loss on the exam is so many times the lowest: longer ones fit noise."""
MOMENTUM, SQUARES, TINY = 0.9, 0.95, 1e-8
"""Of Adam."""
GATE_RATE, BIAS_RATE = 0.1, 0.1
"""Learning rates of these, as shares of the rate."""


def library() -> Any:
    """Return PyTorch, or raise MissingLibrary."""
    try:
        import torch
    except ImportError as error:
        raise MissingLibrary(
            "a network learns on a graphics card by PyTorch",
            where="torch",
            got=str(error),
            fix="pip install 'modelwright[neural]', or leave the device to be chosen",
        ) from error
    return torch


def pupil_of(start: Network, inputs: Inputs, course: Course) -> Pupil:
    """Return the network as a pupil: of numpy on the processor, of PyTorch on a graphics card.

    Networks this small learn no faster by PyTorch on a processor (docs/decisions), and so the same table, seed and
    work units give the same model whether it is installed or not.
    """
    if course.device == "cpu":
        from modelwright.learners._by_numpy import NumpyPupil

        return NumpyPupil(start, inputs, course)
    from modelwright.learners._by_torch import TorchPupil

    return TorchPupil(library(), start, inputs, course)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as a network is trained on them.

    Attributes:
        values: Of a matrix, or inputs and codes side by side.
        target: Standardised values, or positions of labels.
        weight: With mean one, or None.
        is_made: Whether the values are inputs and codes.
    """

    values: Singles
    target: Array
    weight: Floats | None
    is_made: bool = False

    def take(self, at: Any) -> Rows:
        """Return some of the rows, by positions or a slice."""
        weight = None if self.weight is None else self.weight[at]
        return Rows(self.values[at], self.target[at], weight, self.is_made)


@dataclass(frozen=True, slots=True)
class Course:
    """How a network is trained.

    Attributes:
        n_classes: Labels, 0 for regression.
        rounds: Rounds of the whole schedule.
        batch: Rows per step.
        rate: Highest learning rate of a unit, in units of one over the root of its inputs.
        dropout: Share of hidden units left out in a step, at first.
        decay: By which share of its rate a weight shrinks.
        seed: All randomness comes from it.
        device: ``cpu`` or ``cuda``.
        seconds_left: Polled at every step.
    """

    n_classes: int
    rounds: int
    batch: int
    rate: float
    dropout: float
    decay: float
    seed: int
    device: str
    seconds_left: Callable[[], float]


def train(start: Network, inputs: Inputs, rows: Rows, exam: Rows | None, course: Course, track: Track) -> Network:
    """Return the network after training: as it was after its best round on the exam, or after the last.

    One whose numbers ran away is not kept: then the start, which answers as the constant does, is returned.

    Args:
        start: Where it begins.
        inputs: Makes its inputs.
        rows: What it learns from.
        exam: What it is judged by after each round, or None.
        course: How it is trained.
        track: Told the losses of each round.
    """
    pupil = pupil_of(start, inputs, course)
    rows, judged = pupil.prepared(rows), None if exam is None else pupil.prepared(pupil.sampled(exam))
    schedule = Schedule(course.seconds_left, course.rounds * pupil.steps_per_round(len(rows.target)))
    best, best_loss, cycle_loss = start, math.inf, math.inf
    for losses in pupil.rounds(rows, schedule):
        valid = None if judged is None else pupil.loss(judged)
        has_ended = track.has_ended(losses, valid)
        if valid is None:
            best = pupil.network() if has_ended or schedule.is_over else best
        elif valid < best_loss:
            best, best_loss = pupil.network(), valid
        cycle_loss = min(cycle_loss, valid if valid is not None else -math.inf)
        if has_ended:
            break
        if schedule.is_over:
            track.ended = "time"
            break
        if schedule.is_new_cycle():
            if cycle_loss > HOPELESS * best_loss:
                track.ended = "patience"
                break
            cycle_loss = math.inf
    return best if best.is_finite else start


@dataclass
class Schedule:
    """Where in its course a training stands, from 0 to 1, whatever the time.

    Attributes:
        seconds_left: The clock.
        steps: How many steps the whole course has when time allows.
        position: Share of the course behind.
        done: Steps behind.
    """

    seconds_left: Callable[[], float]
    steps: int
    position: float = 0.0
    done: int = 0
    _left: float = field(init=False)
    _pace: float = 0.0
    _cycle: int = 0

    def __post_init__(self) -> None:
        self._left = self.seconds_left()

    @property
    def is_over(self) -> bool:
        """Whether the course is through."""
        return self.position >= 1.0

    @property
    def rate(self) -> float:
        """Learning rate as a share of the highest: four cosine waves, each twice as long as the one before."""
        return 0.5 * (1.0 - math.cos(2.0 * math.pi * CYCLES * self._waves))

    @property
    def fading(self) -> float:
        """Share of dropout and decay: whole for half of the course, then less and less."""
        return 1.0 if self.position < 0.5 else 0.5 * (1.0 + math.cos(2.0 * math.pi * (self.position - 0.5)))

    @property
    def _waves(self) -> float:
        return math.log2(1.0 + (2**CYCLES - 1) * self.position) / CYCLES

    def advance(self) -> None:
        """Take one more step, a longer one when time is short.

        How long steps take is told by the last ones: what held up the first may be over.
        """
        remaining = float(self.steps - self.done)
        left = self.seconds_left()
        if math.isfinite(left) and self.done:
            self._pace += max(1 / self.done, 1 / STEPS_OF_PACE) * (self._left - left - self._pace)
            remaining = min(remaining, HASTE * left / max(self._pace, 1e-9))
        self._left = left
        self.done += 1
        self.position = 1.0 if remaining <= 1.0 or left <= 0 else self.position + (1.0 - self.position) / remaining

    def is_new_cycle(self) -> bool:
        """Whether a cycle has ended since this was asked last."""
        known, self._cycle = self._cycle, int(CYCLES * self._waves)
        return self._cycle != known


class Pupil(ABC):
    """A network that is being trained, by whatever does the sums.

    Args:
        inputs: Makes what the network sees of a row.
        course: How it is trained.
    """

    def __init__(self, inputs: Inputs, course: Course) -> None:
        self.inputs, self.course = inputs, course
        self.order = np.random.default_rng(course.seed)

    @abstractmethod
    def step(self, batch: Rows, schedule: Schedule) -> float:
        """Move all parameters once and return the batch's loss."""

    @abstractmethod
    def margins(self, rows: Rows) -> Floats:
        """Return (n_members, n_rows, n_outputs) margins, nothing left out."""

    @abstractmethod
    def network(self) -> Network:
        """Return the network as it stands."""

    def prepared(self, rows: Rows) -> Rows:
        """Return rows whose inputs are made once for all, where they are not too many."""
        width = self.inputs.n_columns + len(self.inputs.code_at)
        if 4 * len(rows.target) * width > HELD_BYTES:
            return rows
        made = np.empty((len(rows.target), width), dtype=np.float32)
        for begin in range(0, len(made), MADE_ROWS):
            part = rows.values[begin : begin + MADE_ROWS]
            made[begin : begin + MADE_ROWS, : self.inputs.n_columns] = self.inputs.columns(part)
            made[begin : begin + MADE_ROWS, self.inputs.n_columns :] = self.inputs.codes(part)
        return Rows(made, rows.target, rows.weight, is_made=True)

    def shown(self, rows: Rows) -> tuple[Singles, Ints]:
        """Return the inputs and the codes of rows; codes are whole numbers that float32 holds."""
        n_columns = self.inputs.n_columns
        if rows.is_made:
            return rows.values[:, :n_columns], rows.values[:, n_columns:].astype(np.int64)
        return self.inputs.columns(rows.values).astype(np.float32), self.inputs.codes(rows.values)

    def rate_of(self, name: str, like: Any) -> float:
        """Return the learning rate of a parameter: what moves its unit by as much whatever its inputs."""
        if name.startswith("bias") or name == "head_bias":
            return self.course.rate * BIAS_RATE
        if name == "gate":
            return self.course.rate * GATE_RATE
        return self.course.rate / math.sqrt(like.shape[-2] if name != "table" else 1.0)

    def decay_of(self, name: str) -> float:
        """Return by how much a parameter shrinks in a step of the highest rate."""
        return self.course.rate * self.course.decay if name == "head" or name.startswith("weight") else 0.0

    def steps_per_round(self, n_rows: int) -> int:
        """Return how many steps are one round."""
        return max(1, min(n_rows, ROUND_ROWS_MAX) // self.course.batch)

    def sampled(self, exam: Rows) -> Rows:
        """Return the rows of an exam that are looked at."""
        n = len(exam.target)
        if n <= EXAM_ROWS_MAX:
            return exam
        return exam.take(np.sort(np.random.default_rng(self.course.seed).choice(n, EXAM_ROWS_MAX, replace=False)))

    def rounds(self, rows: Rows, schedule: Schedule) -> Iterator[float]:
        """Train, and yield the mean loss of each round."""
        n_steps, total, count = self.steps_per_round(len(rows.target)), 0.0, 0
        for batch in self._batches(rows):
            schedule.advance()
            total += self.step(batch, schedule)
            count += 1
            if count == n_steps or schedule.is_over:
                yield total / count
                total, count = 0.0, 0

    def _batches(self, rows: Rows) -> Iterator[Rows]:
        """Yield batches without end: all rows once in a random order, then in another."""
        n, size = len(rows.target), min(self.course.batch, len(rows.target))
        while True:
            order = self.order.permutation(n)
            for begin in range(0, n - size + 1, size):
                yield rows.take(order[begin : begin + size])

    def loss(self, rows: Rows) -> float:
        """Return the loss of the members' mean answer, as it will be used."""
        total, mass = 0.0, 0.0
        for begin in range(0, len(rows.target), EXAM_ROWS):
            part = rows.take(slice(begin, begin + EXAM_ROWS))
            losses = losses_of(self.margins(part), part.target, self.course.n_classes)
            weight = np.ones(len(losses)) if part.weight is None else part.weight
            total += float((losses * weight).sum())
            mass += float(weight.sum())
        return total / mass


def losses_of(margins: Floats, target: Array, n_classes: int) -> Floats:
    """Return the loss of each row's answer, the members' mean."""
    told = answers_of(margins, n_classes)
    if not n_classes:
        return np.asarray(np.square(told - np.asarray(target, dtype=np.float64)))
    return np.asarray(-np.log(np.maximum(told[np.arange(len(told)), target], 1e-15)))


def answers_of(margins: Floats, n_classes: int) -> Floats:
    """Return (n_rows,) values or (n_rows, n_classes) probabilities: the mean of what the members say."""
    if not n_classes:
        return np.asarray(margins[:, :, 0].mean(axis=0))
    if n_classes == 2:
        positive = (1.0 / (1.0 + np.exp(-np.clip(margins[:, :, 0], -500.0, 500.0)))).mean(axis=0)
        return np.stack([1.0 - positive, positive], axis=1)
    mean = powers_of(margins).mean(axis=0)
    return np.asarray(mean / mean.sum(axis=1, keepdims=True))


def powers_of(margins: Any) -> Any:
    """Return the probabilities of margins, the last axis adding up to one."""
    powers = np.exp(margins - margins.max(axis=-1, keepdims=True))
    powers /= powers.sum(axis=-1, keepdims=True)
    return powers
