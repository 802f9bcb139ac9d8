"""Neural: a small network for numbers and categories, learnt and run by numpy, or learnt on a graphics card.

It joins what measured best: inputs by robust scale and piecewise-linear encoding (Gorishniy et al. 2022), members
that share all but gates and heads (TabM-mini, Gorishniy et al. 2025), and RealMLP's training (Holzmüller et al. 2024).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from shutil import which
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from modelwright.core.ports import Curve, Fitted, Lesson
from modelwright.core.state import State
from modelwright.learners._inputs import Inputs
from modelwright.learners._network import Abreast, Network, Shape, start
from modelwright.learners._rounds import Track, Yard, loss_name, normalised
from modelwright.learners._settings import read, setting
from modelwright.learners._training import Course, Rows, answers_of, library, train
from modelwright.learners._unfolding import real, refuse, whole, width
from modelwright.learners.constant import Constant, nothing_to_learn

if TYPE_CHECKING:
    from modelwright.core.arrays import Array, Floats, Singles
    from modelwright.core.matrix import Matrix

STEPS_WANTED, ROUNDS_LEAST, ROUNDS_MOST = 4_000, 12, 200
START_ROWS = 2_000
"""Rows that the first weights are scaled on."""
STARTS_MOST = 64
STOPPING_SHARE = 0.12
"""Share of a lesson's rows that say when to stop, where the lesson has an exam."""
ROWS_ALONE = 3
"""Rows that are quicker one after the other; each layer of more is one product."""
REACH = 0.1
"""How far beyond the targets seen an answer may lie, as a share of their range."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What may be set; None is chosen from the lesson.

    Attributes:
        rounds: Rounds of the whole schedule: passes over the rows, or over 32,768 of them where there are more.
        members: Networks in one, whose answers are averaged.
        layers: Hidden layers.
        width: Units per layer.
        pieces: Pieces per number at most; 0 for none.
        batch: Rows per step.
        learning_rate: Highest learning rate.
        dropout: Share of hidden units left out in a step, at first.
        decay: By which share of its rate a weight shrinks.
        device: Where it learns; ``auto`` takes a graphics card when there is one.
    """

    rounds: int | None = setting(None, 1, 100_000)
    members: int = setting(4, 1, 64)
    layers: int = setting(2, 1, 8)
    width: int = setting(128, 1, 4_096)
    pieces: int = setting(32, 0, 256)
    batch: int | None = setting(None, 1, 65_536)
    learning_rate: float | None = setting(None, 1e-5, 10.0)
    dropout: float = setting(0.15, 0.0, 0.9)
    decay: float = setting(0.02, 0.0, 1.0)
    device: str = setting("auto", choices=("auto", "cpu", "cuda"))


@dataclass(frozen=True)
class NeuralModel:
    """Inputs and the arrays of one network or several; numpy predicts.

    Attributes:
        inputs: Makes what the networks see of a row.
        networks: The arrays, one for each start; all of one shape.
        n_classes: Labels, 0 for regression.
        low: Least value answered in regression.
        high: Greatest value answered.
        mean: Of the target, in regression.
        spread: Of the target, in regression.
    """

    inputs: Inputs
    networks: tuple[Network, ...]
    n_classes: int
    low: float = 0.0
    high: float = 0.0
    mean: float = 0.0
    spread: float = 1.0

    def predict(self, matrix: Matrix) -> Floats:
        """Return (n_rows,) values, or (n_rows, n_classes) probabilities."""
        self.inputs.design.check("neural", matrix)
        size = self.networks[0].chunk_rows()
        if matrix.n_rows <= size:
            return self._answers(matrix.values)
        parts = [self._answers(matrix.values[i : i + size]) for i in range(0, matrix.n_rows, size)]
        return np.concatenate(parts)

    def _answers(self, values: Any) -> Floats:
        columns, codes = self.inputs.columns(values), self.inputs.codes(values)
        margins = [network.margins(columns, codes) for network in self.networks]
        told = answers_of(margins[0] if len(margins) == 1 else np.concatenate(margins), self.n_classes)
        return told if self.n_classes else np.asarray(np.clip(told * self.spread + self.mean, self.low, self.high))

    @property
    def rows_alone(self) -> int:
        """How many rows ``one`` is quicker for: it tells values, and the probabilities of two labels."""
        return ROWS_ALONE if self.networks[0].n_outputs == 1 else 0

    def one(self, row: Singles) -> float | tuple[float, float]:
        """Return what ``predict`` does for one row, shape (n_features,): a value, or two probabilities."""
        width("neural", len(row), self.inputs.design.n_features)
        margins = self._abreast.margins(self.inputs.one(row), self.inputs.codes(row[None])[0])[:, 0].tolist()
        if not self.n_classes:
            value: float = sum(margins) / len(margins) * self.spread + self.mean
            return min(max(value, self.low), self.high)
        positive: float = sum(1.0 / (1.0 + math.exp(-min(max(m, -500.0), 500.0))) for m in margins) / len(margins)
        return 1.0 - positive, positive

    @cached_property
    def _abreast(self) -> Abreast:
        return Abreast(self.networks, self.inputs.n_columns)

    def joined(self, other: NeuralModel) -> NeuralModel:
        """Return the mean of this and of what was learnt from another start on the same rows."""
        return replace(self, networks=(*self.networks, *other.networks))

    def state(self) -> State:
        """Return inputs and arrays."""
        own = {name: getattr(self, name) for name in ("n_classes", "low", "high", "mean", "spread")}
        meta = {**self.inputs.meta(), **self.networks[0].meta(), **own, "n_starts": len(self.networks)}
        arrays = self.inputs.arrays()
        for number, network in enumerate(self.networks):
            arrays |= network.arrays(_prefix(number))
        return State("neural", meta, arrays)


class Neural:
    """Learns a network by numpy, or on a graphics card by PyTorch where both are there; predicts by numpy."""

    name: ClassVar[str] = "neural"
    has_rounds: ClassVar[bool] = True

    def __init__(self, **settings: object) -> None:
        self.settings = read(self.name, Settings, settings)

    def fit(self, lesson: Lesson) -> tuple[Fitted, Curve]:
        """Learn until the schedule is through, which is fitted to the time, or a cycle of it brings nothing.

        With an exam a part of the lesson's own rows says when to stop, and the curve tells their loss.
        """
        if nothing_to_learn(lesson):
            return Constant().fit(lesson)
        inputs = Inputs.of(lesson.matrix, self.settings.pieces)
        if not inputs.n_columns and not len(inputs.code_at):
            return Constant().fit(lesson)
        return self._fit(inputs, lesson)

    def _fit(self, inputs: Inputs, lesson: Lesson) -> tuple[NeuralModel, Curve]:
        yard, course = Yard.of(lesson), self._course(lesson)
        track = Track(course.rounds, 0, lesson.seconds_left, yard.spread**2)
        rows = Rows(lesson.matrix.values, _told(lesson.target, yard, lesson), normalised(lesson.weight))
        exam = None
        if lesson.exam is not None:
            rows, exam = _parted(rows, lesson.seed)
        network = train(self._start(inputs, lesson), inputs, rows, exam, course, track)
        # What is kept are singles: a model answers the same before and after it was stored.
        networks = (Network.of(network.arrays()),)
        curve = track.curve(loss_name(lesson))
        if lesson.n_classes:
            return NeuralModel(inputs, networks, lesson.n_classes), curve
        target = np.asarray(lesson.target, dtype=np.float64)
        reach = REACH * float(np.ptp(target))
        low, high = float(target.min()) - reach, float(target.max()) + reach
        return NeuralModel(inputs, networks, 0, low, high, yard.mean, yard.spread), curve

    def _course(self, lesson: Lesson) -> Course:
        s, n = self.settings, lesson.matrix.n_rows
        batch = min(s.batch or (64 if n < 1_000 else 128 if n < 4_000 else 256), n)
        wanted = STEPS_WANTED // max(n // batch, 1)
        return Course(
            n_classes=lesson.n_classes,
            rounds=s.rounds or min(max(wanted, ROUNDS_LEAST), ROUNDS_MOST),
            batch=batch,
            rate=s.learning_rate or (0.04 if lesson.n_classes else 0.05),
            dropout=s.dropout,
            decay=s.decay,
            seed=lesson.seed,
            device=_device(s.device),
            seconds_left=lesson.seconds_left,
        )

    def _start(self, inputs: Inputs, lesson: Lesson) -> Network:
        rng = np.random.default_rng(lesson.seed)
        n = lesson.matrix.n_rows
        at = np.arange(n) if n <= START_ROWS else np.sort(rng.choice(n, START_ROWS, replace=False))
        values = lesson.matrix.values[at]
        s = self.settings
        shape = Shape(s.members, s.layers, s.width, int(inputs.n_codes.sum()))
        return start(shape, inputs.columns(values), inputs.codes(values), _first_answer(lesson), rng)

    @classmethod
    def restore(cls, state: State) -> NeuralModel:
        """Return the network of a state."""
        inputs = Inputs.restore(state)
        n_codes, n_coded = int(inputs.n_codes.sum()), len(inputs.code_at)
        n_starts = whole(state, "n_starts", 1, STARTS_MOST) if "n_starts" in state.meta else 1  # older packages
        fitting = (inputs.n_columns, n_codes, n_coded)
        networks = tuple(Network.restore(state, *fitting, _prefix(number)) for number in range(n_starts))
        n_classes = whole(state, "n_classes", 0, 100_000)
        if networks[0].n_outputs != (n_classes if n_classes > 2 else 1) or n_classes == 1:
            refuse("neural.n_classes", "a network has as many outputs as its task asks for", n_classes)
        low, high, mean, spread = (real(state, name) for name in ("low", "high", "mean", "spread"))
        if low > high or spread <= 0:
            refuse("neural.low", "low is at most high, and the spread is above zero", [low, high, spread])
        return NeuralModel(inputs, networks, n_classes, low, high, mean, spread)


def _prefix(start: int) -> str:
    """Return what the names of a start's arrays begin with."""
    return f"start_{start}_" if start else ""


def _parted(rows: Rows, seed: int) -> tuple[Rows, Rows]:
    """Return rows to learn from and rows that say when to stop.

    A network's loss jumps from round to round, so the round that is best on some rows is best there by luck, too. The
    lesson's exam is what others judge by; it must not choose.
    """
    order = np.random.default_rng(seed).permutation(len(rows.target))
    n_stopping = max(int(STOPPING_SHARE * len(order)), 1)
    return rows.take(np.sort(order[n_stopping:])), rows.take(np.sort(order[:n_stopping]))


def _told(target: Array, yard: Yard, lesson: Lesson) -> Array:
    """Return a target as a network is told it."""
    return np.asarray(target, dtype=np.int64) if lesson.n_classes else yard.standardise(target)


def _first_answer(lesson: Lesson) -> Floats:
    """Return margins of the constant model, where training begins."""
    if not lesson.n_classes:
        return np.zeros(1)
    shares = Constant().fit(lesson)[0].answer
    return np.log(shares[1:] / shares[:1]) if lesson.n_classes == 2 else np.log(shares)


def _device(wanted: str) -> str:
    """Return where a network learns; PyTorch is asked only where a graphics card may be."""
    if wanted != "auto":
        return wanted
    if find_spec("torch") is None or which("nvidia-smi") is None:
        return "cpu"
    return "cuda" if library().cuda.is_available() else "cpu"
