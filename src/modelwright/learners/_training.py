"""Training a network with PyTorch: the one place where it is needed.

Adam with decoupled decay; learning rate, dropout and decay follow a schedule of four cycles, each twice as long as
the one before and each ending at rest (Holzmüller et al. 2024). The schedule is fitted to the time there is, again
at every step, so it always runs to its end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import MissingLibrary
from modelwright.learners._network import Network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from modelwright.core.arrays import Array, Floats, Singles
    from modelwright.learners._inputs import Inputs
    from modelwright.learners._rounds import Track

ROUND_ROWS_MAX = 32_768
"""Rows a round sees at most: on large tables a look at the exam comes more often than once in all rows."""
EXAM_ROWS_MAX = 10_000
"""Rows of the exam that are looked at after each round, a seeded sample of more."""
HELD_BYTES = 400_000_000
"""Inputs are made once where they take no more than this, else batch by batch."""
MADE_ROWS = 4_096
"""Rows whose inputs are made at once."""
CYCLES = 4
MOMENTUM, SQUARES = 0.9, 0.95
TINY = 1e-8
HASTE = 0.93
"""Share of the time left that the schedule is fitted to."""
HOPELESS = 1.03
"""Training ends with a cycle whose lowest loss on the exam is so many times the lowest: longer ones fit noise."""
GATE_RATE, BIAS_RATE = 0.1, 0.1
"""Learning rates of these, as shares of the rate."""


def library() -> Any:
    """Return PyTorch, or raise MissingLibrary."""
    try:
        import torch
    except ImportError as error:
        raise MissingLibrary(
            "this learner needs its library to learn; what it learnt predicts without",
            where="torch",
            got=str(error),
            fix="pip install 'modelwright[neural]'",
        ) from error
    return torch


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as a network is trained on them.

    Attributes:
        values: Of a matrix.
        target: Standardised values, or positions of labels.
        weight: With mean one, or None.
    """

    values: Singles
    target: Array
    weight: Floats | None

    def take(self, at: Any) -> Rows:
        """Return the rows at these positions."""
        return Rows(self.values[at], self.target[at], None if self.weight is None else self.weight[at])


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
    torch = library()
    pupil = _Pupil(torch, start, inputs, course)
    judged = None if exam is None else pupil.sampled(exam)
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
    _begun: float = field(init=False)
    _cycle: int = 0

    def __post_init__(self) -> None:
        self._begun = self.seconds_left()

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
        """Take one more step, a longer one when time is short."""
        remaining = float(self.steps - self.done)
        left = self.seconds_left()
        if math.isfinite(left) and self.done:
            pace = max(self._begun - left, 1e-9) / self.done
            remaining = min(remaining, HASTE * left / pace)
        self.done += 1
        self.position = 1.0 if remaining <= 1.0 or left <= 0 else self.position + (1.0 - self.position) / remaining

    def is_new_cycle(self) -> bool:
        """Whether a cycle has ended since this was asked last."""
        known, self._cycle = self._cycle, int(CYCLES * self._waves)
        return self._cycle != known


class _Pupil:
    """A network inside PyTorch: all its parameters stand in one vector, which one step of Adam moves."""

    def __init__(self, torch: Any, start: Network, inputs: Inputs, course: Course) -> None:
        self.torch, self.inputs, self.course = torch, inputs, course
        self.draw = torch.Generator(device=course.device).manual_seed(course.seed % 2**63)
        self.order = np.random.default_rng(course.seed)
        named = start.named()
        self.n_layers = len(start.weights)
        self.vector = self._tensor(np.concatenate([a.ravel() for a in named.values()]))
        self.slope = torch.zeros_like(self.vector)
        self.parts = {name: part.requires_grad_() for name, part in self._views(self.vector, named)}
        for name, slope in self._views(self.slope, named):
            self.parts[name].grad = slope
        rates = {name: self._rate(name, a) for name, a in named.items()}
        self.rates = self._tensor(np.concatenate([np.full(a.size, rates[name]) for name, a in named.items()]))
        shrunk = {name: float(name == "head" or name.startswith("weight")) for name in named}
        shrinking = np.concatenate([np.full(a.size, shrunk[name]) for name, a in named.items()])
        self.decays = self._tensor(shrinking) * (course.rate * course.decay)
        self._exam: Callable[[Any], tuple[Any, Any, Rows]] | None = None
        self.mean, self.square = torch.zeros_like(self.vector), torch.zeros_like(self.vector)

    def _tensor(self, values: Any) -> Any:
        return self.torch.as_tensor(np.asarray(values, dtype=np.float32), device=self.course.device)

    def _views(self, vector: Any, named: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        """Yield each parameter as a part of the vector."""
        at = 0
        for name, like in named.items():
            yield name, vector[at : at + like.size].view(*like.shape)
            at += like.size

    def _rate(self, name: str, like: Any) -> float:
        """Return the learning rate of a parameter: what moves its unit by as much whatever its inputs."""
        if name.startswith("bias") or name == "head_bias":
            return self.course.rate * BIAS_RATE
        if name == "gate":
            return self.course.rate * GATE_RATE
        return self.course.rate / math.sqrt(like.shape[-2] if name != "table" else 1.0)

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
        shown = self._made(rows)
        for at in self._batches(len(rows.target)):
            schedule.advance()
            total += self._step(*shown(at), schedule)
            count += 1
            if count == n_steps or schedule.is_over:
                yield total / count
                total, count = 0.0, 0

    def _made(self, rows: Rows) -> Callable[[Any], tuple[Any, Any, Rows]]:
        """Return what gives columns, codes and rows at some positions: made once, or each time if they are many."""
        if 4 * len(rows.target) * self.inputs.n_columns > HELD_BYTES:
            return lambda at: (*self._shown(rows.values[at]), rows.take(at))
        parts = [self._shown(rows.values[i : i + MADE_ROWS]) for i in range(0, len(rows.target), MADE_ROWS)]
        columns, codes = (self.torch.cat(side) for side in zip(*parts, strict=True))

        def held(at: Any) -> tuple[Any, Any, Rows]:
            where = self.torch.as_tensor(at, device=self.course.device)
            return columns[where], codes[where], rows.take(at)

        return held

    def _shown(self, values: Singles) -> tuple[Any, Any]:
        """Return columns and codes of rows."""
        return self._tensor(self.inputs.columns(values)), self.torch.as_tensor(
            self.inputs.codes(values), device=self.course.device
        )

    def _batches(self, n: int) -> Iterator[Any]:
        """Yield the rows of batches without end: all once in a random order, then in another."""
        size = min(self.course.batch, n)
        while True:
            order = self.order.permutation(n)
            for begin in range(0, n - size + 1, size):
                yield order[begin : begin + size]

    def _step(self, columns: Any, codes: Any, batch: Rows, schedule: Schedule) -> float:
        """Move all parameters once and return the batch's loss."""
        torch = self.torch
        self.slope.zero_()
        loss = self._loss(self._margins(columns, codes, self.course.dropout * schedule.fading), batch)
        loss.backward()
        with torch.no_grad():
            self.mean.lerp_(self.slope, 1.0 - MOMENTUM)
            self.square.mul_(SQUARES).addcmul_(self.slope, self.slope, value=1.0 - SQUARES)
            lean = math.sqrt(1.0 - SQUARES**schedule.done) / (1.0 - MOMENTUM**schedule.done)
            step = self.mean / self.square.sqrt().add_(TINY)
            if self.course.decay:
                self.vector.sub_(self.vector * self.decays, alpha=schedule.rate * schedule.fading)
            self.vector.sub_(step.mul_(self.rates), alpha=schedule.rate * lean)
        return float(loss.detach())

    def _margins(self, columns: Any, codes: Any, dropout: float) -> Any:
        """Return (n_members, n_rows, n_outputs) margins, by the same sums as ``Network.margins``."""
        torch, parts = self.torch, self.parts
        shown = columns
        if codes.shape[1]:
            looked_up = torch.nn.functional.embedding(codes, parts["table"])
            shown = torch.cat([columns, looked_up.flatten(1)], dim=1)
        first = torch.mm(shown, parts["weight_0"])
        hidden = torch.addcmul(parts["bias_0"][:, None], first[None], parts["gate"][:, None]).relu_().flatten(0, 1)
        hidden = self._thinned(hidden, dropout)
        for i in range(1, self.n_layers):
            hidden = torch.addmm(parts[f"bias_{i}"], hidden, parts[f"weight_{i}"]).relu_()
            hidden = self._thinned(hidden, dropout)
        hidden = hidden.view(-1, len(shown), hidden.shape[1])
        return torch.baddbmm(parts["head_bias"][:, None], hidden, parts["head"])

    def _thinned(self, hidden: Any, dropout: float) -> Any:
        """Return units of which some are left out, the others the larger for it."""
        if not dropout:
            return hidden
        kept = self.torch.rand(hidden.shape, generator=self.draw, device=self.course.device) >= dropout
        return hidden * (kept / (1.0 - dropout))

    def _loss(self, margins: Any, rows: Rows) -> Any:
        """Return the mean loss of the members: each learns on its own."""
        functional, n_members = self.torch.nn.functional, len(margins)
        n_classes = self.course.n_classes
        if n_classes > 2:
            target = self.torch.as_tensor(rows.target, device=self.course.device)
            flat = functional.cross_entropy(margins.flatten(0, 1), target.repeat(n_members), reduction="none")
            losses = flat.view(n_members, -1)
        else:
            target = self._tensor(rows.target).expand(n_members, -1)
            measure = functional.binary_cross_entropy_with_logits if n_classes else functional.mse_loss
            losses = measure(margins[:, :, 0], target, reduction="none")
        return losses.mean() if rows.weight is None else (losses * self._tensor(rows.weight)).mean()

    def network(self) -> Network:
        """Return the network as it stands."""
        parts = {name: part.detach().cpu().numpy() for name, part in self.parts.items()}
        return Network.of({name: np.array(part, dtype=np.float64) for name, part in parts.items()})

    def loss(self, rows: Rows) -> float:
        """Return the loss of the members' mean answer, as it will be used, on an exam: always the same one."""
        total, mass = 0.0, 0.0
        if self._exam is None:
            self._exam = self._made(rows)
        with self.torch.no_grad():
            for begin in range(0, len(rows.target), MADE_ROWS):
                columns, codes, part = self._exam(np.arange(begin, min(begin + MADE_ROWS, len(rows.target))))
                margins = self._margins(columns, codes, 0.0).cpu().double().numpy()
                losses = losses_of(margins, part.target, self.course.n_classes)
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
    powers = np.exp(margins - margins.max(axis=2, keepdims=True))
    powers /= powers.sum(axis=2, keepdims=True)
    mean = powers.mean(axis=0)
    return np.asarray(mean / mean.sum(axis=1, keepdims=True))
