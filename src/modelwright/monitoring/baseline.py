"""The baseline: what inputs, answers and errors looked like on the rows a model was judged on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.fingerprint import fingerprint
from modelwright.core.signal import Aspect
from modelwright.monitoring import estimates, relations
from modelwright.monitoring.estimates import Estimator, fit_estimator
from modelwright.monitoring.panel import Panel, fit_panel
from modelwright.monitoring.traits import Watched, numbers_trait

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from modelwright.core.arrays import Array, Floats, Ints
    from modelwright.core.model import Model
    from modelwright.core.task import Task
    from modelwright.monitoring.relations import Relations
    from modelwright.monitoring.traits import Trait

ANSWER, EXPECTED = ("answer", ""), ("expected loss", "")
LOSS, BIAS, SURPRISE = ("loss", ""), ("bias", ""), ("surprise", "")
OUTCOME_ASPECTS = {"loss": (Aspect.LOSS,), "bias": (Aspect.BIAS,), "surprise": (Aspect.SURPRISE,)}
CLASSES_WATCHED = 6
SMOOTHING = 20.0
"""Rows' worth of the overall mean loss that each bin's mean loss is pulled by."""

Values = dict[tuple[str, str], "pl.Series | Floats"]


@dataclass(frozen=True, slots=True)
class Window:
    """One window of production, as counts.

    Attributes:
        start: Seconds since 1970-01-01 UTC, or row numbers where there is no clock.
        end: Likewise, not included.
        rows: Answers given in it.
        inputs: Counts by trait of the inputs' panel.
        outcomes: Counts by trait of the outcomes' panel, of the outcomes that became known in it.
        labelled: How many those are.
        losses: Their losses by trait and bin of the inputs' panel, summed.
        losers: How many rows those sums are of.
    """

    start: float
    end: float
    rows: int
    inputs: tuple[Ints, ...]
    outcomes: tuple[Ints, ...] = ()
    labelled: int = 0
    losses: tuple[Floats, ...] = ()
    losers: tuple[Ints, ...] = ()


@dataclass(frozen=True, slots=True)
class Baseline:
    """What production is compared with.

    Attributes:
        model: Name of the model.
        task: What it predicts.
        watched: Which columns, and how they are read.
        relations: How number columns go together, or None.
        inputs: Monitors of inputs and answers.
        outcomes: Monitors of errors.
        estimator: Expects measures without labels.
        losses: Mean reference loss by trait and bin of the inputs, pulled to the overall mean where rows are few.
        mean_loss: Of the reference.
        rows: Of the reference.
    """

    model: str
    task: Task
    watched: Watched
    relations: Relations | None
    inputs: Panel
    outcomes: Panel
    estimator: Estimator
    losses: tuple[Floats, ...]
    mean_loss: float
    rows: int
    fingerprint: str = field(default="", compare=False)

    def expect(self, model: Model, frame: pl.DataFrame, scores: Floats) -> Floats:
        """Return what the estimator expects of conformed rows with their answers."""
        return self.estimator.expect(scores, model.plan.matrix(frame) if self.estimator.needs_matrix else None)

    def codes(self, frame: pl.DataFrame, scores: Floats, expected: Floats) -> tuple[Ints, ...]:
        """Return the bin of each row by trait of the inputs' panel; of sampled texts there are fewer rows.

        Args:
            frame: Conformed rows.
            scores: The answers to them.
            expected: What ``expect`` said of them.
        """
        losses = self.estimator.expected_losses(expected, scores, estimates.loss_of(self.task))
        values: Values = {**self.watched.values(frame), **answers(self.task, scores), EXPECTED: losses}
        found: dict[tuple[str, str], Ints] = {}
        for trait in self.inputs.traits:
            key = (trait.name, trait.column)
            if key == relations.NAME and self.relations is not None:  # stands behind the columns it is made of
                values[key] = self.relations.distances(found)
            found[key] = trait.codes(values[key])
        return tuple(found.values())

    def errors(self, target: Array, scores: Floats, expected: Floats) -> Values:
        """Return what is counted of rows whose outcome is known."""
        losses = self.estimator.expected_losses(expected, scores, estimates.loss_of(self.task))
        return errors(self.task, target, scores, losses)

    def window(
        self,
        start: float,
        end: float,
        codes: Sequence[Ints],
        *,
        n_rows: int,
        errors: Values | None = None,
        codes_of_labelled: Sequence[Ints] = (),
    ) -> Window:
        """Return the counts of a window.

        Args:
            start: Its start.
            end: Its end.
            codes: What ``codes`` says of the answers given in it; empty for none.
            n_rows: How many those are.
            errors: Of the outcomes that became known in it.
            codes_of_labelled: What ``codes`` is, for the rows of those outcomes.
        """
        traits = self.inputs.traits
        given = codes or [np.zeros(0, dtype=np.int64)] * len(traits)
        inputs = tuple(np.bincount(c, minlength=t.n_bins) for c, t in zip(given, traits, strict=True))
        if errors is None:
            return Window(start, end, n_rows, inputs)
        loss = np.asarray(errors[LOSS])
        sums, counts = _by_bin(self.inputs, codes_of_labelled, loss)
        return Window(start, end, n_rows, inputs, self.outcomes.count(errors), len(loss), sums, counts)


def answers(task: Task, scores: Floats) -> Values:
    """Return the answers as values to count: numbers, or probabilities of the first labels."""
    if not task.is_classification:
        return {ANSWER: scores}
    if len(task.labels) == 2:
        return {(f"probability of {task.labels[1]}", ""): scores[:, 1]}
    return {(f"probability of {label}", ""): scores[:, i] for i, label in enumerate(task.labels[:CLASSES_WATCHED])}


def errors(task: Task, target: Array, scores: Floats, expected: Floats) -> Values:
    """Return loss, signed error and surprise of rows with known outcomes."""
    loss = estimates.losses(task, target, scores)
    found: Values = {LOSS: loss, SURPRISE: loss - expected}
    if not task.is_classification:
        found[BIAS] = np.asarray(target, dtype=np.float64) - scores
    elif len(task.labels) == 2:
        found[BIAS] = np.asarray(target, dtype=np.float64) - scores[:, 1]
    return found


def fit_baseline(
    name: str,
    model: Model,
    frame: pl.DataFrame,
    scores: Floats,
    target: Array,
    *,
    window_of: Ints | None = None,
    seed: int = 0,
) -> Baseline:
    """Return the baseline of a model.

    Args:
        name: The model's name.
        model: Says task, contract and how rows become numbers.
        frame: Conformed reference rows: those it was judged on.
        scores: Its answers to them, from the fit that had not seen them.
        target: What was true of them, encoded.
        window_of: Where they are in order of time: the window each would have fallen into.
        seed: Of draws.
    """
    task = model.task
    matrix = model.plan.matrix(frame)
    estimator, expected = fit_estimator(
        task, target, scores, model.choices(scores), matrix, in_order=window_of is not None, seed=seed
    )
    watched = Watched.of(model.contract, frame)
    values: Values = dict(watched.values(frame))
    traits = [*watched.traits(watched.values(frame))]
    aspects: dict[str, tuple[Aspect, ...]] = {EXPECTED[0]: (Aspect.EXPECTED_LOSS,)}
    taken: dict[str, Ints] = {}
    found = fit_relations(traits, values, seed)
    if found is not None:
        values[relations.NAME], taken[relations.NAME[0]] = found[1], found[2]
        aspects[relations.NAME[0]] = (Aspect.RELATIONS,)
        traits.append(numbers_trait(relations.NAME[0], found[1]))
    values |= answers(task, scores) | {EXPECTED: expected}
    traits += [
        numbers_trait(key[0], np.asarray(v)) for key, v in values.items() if not key[1] and key != relations.NAME
    ]
    inputs = fit_panel(traits, values, aspects, window_of=window_of, taken=taken)
    outcome = errors(task, target, scores, expected)
    outcome_traits = [numbers_trait(key[0], np.asarray(v)) for key, v in outcome.items()]
    outcomes = fit_panel(outcome_traits, outcome, OUTCOME_ASPECTS, window_of=window_of)
    loss = np.asarray(outcome[LOSS])
    mean = float(loss.mean())
    everywhere = {key: v if key[0] not in taken else np.full(len(loss), np.nan) for key, v in values.items()}
    sums, counts = _by_bin(inputs, [t.codes(everywhere[t.name, t.column]) for t in inputs.traits], loss)
    smoothed = tuple((s + SMOOTHING * mean) / (c + SMOOTHING) for s, c in zip(sums, counts, strict=True))
    return Baseline(
        name,
        task,
        watched,
        None if found is None else found[0],
        inputs,
        outcomes,
        estimator,
        smoothed,
        mean,
        len(loss),
        fingerprint(name, np.ascontiguousarray(scores).tobytes(), np.ascontiguousarray(target).tobytes()),
    )


def fit_relations(traits: list[Trait], values: Values, seed: int) -> tuple[Relations, Floats, Ints] | None:
    """Return the relations between number columns, where there are any."""
    return relations.fit_relations(traits, values, seed=seed)


def _by_bin(panel: Panel, coded: Sequence[Ints], loss: Floats) -> tuple[tuple[Floats, ...], tuple[Ints, ...]]:
    sums: list[Floats] = []
    counts: list[Ints] = []
    for trait, codes in zip(panel.traits, coded, strict=True):
        if len(codes) != len(loss):  # texts are sampled: their bins tell nothing of losses
            sums.append(np.zeros(trait.n_bins))
            counts.append(np.zeros(trait.n_bins, dtype=np.int64))
            continue
        sums.append(np.asarray(np.bincount(codes, weights=loss, minlength=trait.n_bins), dtype=np.float64))
        counts.append(np.bincount(codes, minlength=trait.n_bins))
    return tuple(sums), tuple(counts)
