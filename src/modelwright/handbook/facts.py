"""Facts: measured numbers, and sentences that can quote nothing else, so that text and numbers always agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.reports import numbers
from modelwright.reports.names import marked, quoted

if TYPE_CHECKING:
    from modelwright.core.score import Score


HUGE = 1e8
"""From here on numbers are shown as powers of ten."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One measured thing.

    Attributes:
        key: Its name in JSON.
        label: Its name for people.
        value: A number or a text.
        shown: The value as sentences and tables show it.
    """

    key: str
    label: str
    value: float | int | str
    shown: str


class Facts:
    r"""A growing list of facts. Sentences are made by ``say``, which fills in facts by their keys.

    >>> facts = Facts()
    >>> _ = facts.percent("share", "share of yes", 0.265)
    >>> facts.say("{share} of the rows say yes.")
    '26\xa0% of the rows say yes.'
    """

    def __init__(self) -> None:
        self._facts: dict[str, Fact] = {}

    def number(self, key: str, label: str, value: float, digits: int = 3) -> float:
        """Note a number, shown with this many significant digits, and return it."""
        shown = (
            numbers.scientific(value, digits) if HUGE <= abs(value) < float("inf") else numbers.number(value, digits)
        )
        self._add(key, label, float(value), shown)
        return float(value)

    def count(self, key: str, label: str, value: int) -> int:
        """Note a count and return it."""
        self._add(key, label, int(value), numbers.count(value))
        return int(value)

    def percent(self, key: str, label: str, share: float) -> float:
        """Note a share of one, shown as a percentage, and return it."""
        self._add(key, label, float(share), numbers.percent(float(share)))
        return float(share)

    def seconds(self, key: str, label: str, seconds: float) -> float:
        """Note a time and return it."""
        self._add(key, label, float(seconds), numbers.duration(float(seconds)))
        return float(seconds)

    def word(self, key: str, label: str, text: str) -> str:
        """Note a text that may come from the data, and return it."""
        self._add(key, label, text, marked(text))
        return text

    def label(self, key: str, label: str, text: str) -> str:
        """Note a label of the data, shown in quotation marks, and return it."""
        self._add(key, label, text, quoted(text))
        return text

    def score(self, key: str, label: str, found: Score) -> Score:
        """Note a measured value with its interval: ``KEY``, ``KEY_low`` and ``KEY_high``; return it."""
        shown = numbers.measured(found.value, found.low, found.high)
        for name, value, text in zip(("", "_low", "_high"), (found.value, found.low, found.high), shown, strict=True):
            end = {"": "", "_low": ", low end", "_high": ", high end"}[name]
            self._add(key + name, label + end, float(value), text)
        return found

    def __getitem__(self, key: str) -> Any:
        return self._facts[key].value

    def say(self, sentence: str) -> str:
        """Return the sentence with every ``{key}`` replaced by that fact as it is shown."""
        return sentence.format_map({key: fact.shown for key, fact in self._facts.items()})

    def all(self) -> tuple[Fact, ...]:
        """Return the facts in the order they were noted."""
        return tuple(self._facts.values())

    def _add(self, key: str, label: str, value: float | int | str, shown: str) -> None:
        # What belongs to a number stays on its line.
        shown = shown.replace(" %", "\u00a0%").replace(" × ", "\u00a0×\u00a0")
        self._facts[key] = Fact(key, label, value, shown)
