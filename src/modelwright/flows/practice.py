"""Practice: asks a question, says what a good answer holds, and remembers what to ask again."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from modelwright.core.errors import UnknownName
from modelwright.flows.handbook import listed
from modelwright.handbook import contents, memory


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked now.

    Attributes:
        name: Of the entry.
        question: As it is asked.
        topic: Its shelf.
        times: How often it was asked before.
    """

    name: str
    question: str
    topic: str
    times: int


@dataclass(frozen=True, slots=True)
class Marked:
    """An answer beside the points of a good one.

    Attributes:
        name: Of the entry.
        points: Each point, and whether the answer's words suggest that it was made.
    """

    name: str
    points: tuple[tuple[str, bool], ...]

    @property
    def n_made(self) -> int:
        """How many points the words suggest."""
        return sum(made for _, made in self.points)

    def to_dict(self) -> dict[str, Any]:
        """Return the points as plain data."""
        return {
            **listed(contents.find(self.name)),
            "points": [{"text": text, "made": made} for text, made in self.points],
            "made": self.n_made,
        }


def default_memory() -> Path:
    """Return the user's file: under ``XDG_STATE_HOME``, by default ``~/.local/state``."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "modelwright" / "handbook.json"


def ask(place: Path, *, topic: str | None = None, search: str | None = None, just: str | None = None) -> Question:
    """Return the question most worth asking: one that is due, else a new one, else the one due first.

    Args:
        place: The file that remembers.
        topic: Part of a topic's name.
        search: Words the entry must hold.
        just: The question asked a moment ago.

    Raises:
        UnknownName: No entry fits.
        InvalidSetting: The file is not one of ours.
    """
    cards = memory.read(place)
    names = [e.name for e in contents.chosen(topic=topic, search=search)]
    if not names:
        raise UnknownName("an entry holds all words of a search", where="--search", got=search, fix="use fewer words")
    name = memory.next_question(cards, names, today(), just=just)
    entry = contents.find(name)
    return Question(name, entry.question, entry.topic.value, cards[name].times if name in cards else 0)


def mark(name: str, answer: str) -> Marked:
    """Return an answer beside the points of a good one."""
    entry = contents.find(name)
    made = memory.points_made(entry, answer)
    return Marked(name, tuple((p.text, m) for p, m in zip(entry.points, made, strict=True)))


def remember(place: Path, name: str, share: float) -> date:
    """Note how good an answer was and return the day on which it is asked again.

    Raises:
        UnwritableOutput: The file cannot be written.
    """
    cards = memory.read(place)
    card = memory.after(cards.get(name), share, today())
    memory.write(place, {**cards, name: card})
    return date.fromordinal(card.due)


def today() -> int:
    """Return the day, as ``date.toordinal`` counts."""
    return datetime.now(UTC).date().toordinal()
