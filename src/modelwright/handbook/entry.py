"""The shape of an entry: a question, a plain answer, and an experiment that shows it on data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelwright.handbook.facts import Fact
    from modelwright.handbook.sample import Sample


class Topic(StrEnum):
    """The three shelves of the handbook."""

    CONCEPTS = "Machine Learning Concepts"
    ALGORITHMS = "Machine Learning Algorithms"
    PREPROCESSING = "Data Preprocessing"


@dataclass(frozen=True, slots=True)
class Point:
    """One thing a good answer says.

    Attributes:
        text: The point, one sentence.
        words: A regular expression; an answer in which it is found has probably made the point.
    """

    text: str
    words: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart of an experiment.

    Attributes:
        title: What it shows.
        caption: How to read it.
        spec: The Vega-Lite spec, from ``reports.plots``.
    """

    title: str
    caption: str
    spec: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Experiment:
    """What was done on one table and what came of it.

    Attributes:
        done: What was done, in a sentence or two.
        figures: One chart or two.
        numbers: Everything that was measured and is quoted in the text.
        meaning: What the numbers mean for this data, one sentence each.
        advice: What to do about it.
        notes: What was left out or asked otherwise, when the experiment changed the question.
    """

    done: str
    figures: tuple[Figure, ...]
    numbers: tuple[Fact, ...]
    meaning: tuple[str, ...]
    advice: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def value(self, key: str) -> Any:
        """Return the measured value of this key."""
        return {f.key: f.value for f in self.numbers}[key]


@dataclass(frozen=True, slots=True)
class Entry:
    """One concept of the trade.

    Attributes:
        name: As in ``modelwright handbook NAME``.
        question: As an interviewer asks it.
        topic: Its shelf.
        short: The answer in one or two sentences.
        explanation: The answer in a few paragraphs of plain words.
        points: What a good answer says.
        experiment: Takes a sample and a seed.
        table: The table that comes with scikit-learn on which it is shown when no other is given.
        related: Names of entries to read next.
    """

    name: str
    question: str
    topic: Topic
    short: str
    explanation: tuple[str, ...]
    points: tuple[Point, ...]
    experiment: Callable[[Sample, int], Experiment]
    table: str = "breast_cancer"
    related: tuple[str, ...] = field(default=())
