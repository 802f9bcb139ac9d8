"""Memory: which questions were answered how well, and when each is worth asking again."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.core.errors import InvalidSetting, UnwritableOutput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.handbook.entry import Entry

DAYS = (0, 1, 3, 7, 16, 35, 75)
"""How many days later a question of each box is asked again (Leitner's boxes; each wait about doubles)."""
WELL, BADLY = 0.8, 0.5
"""From this share of points on a question moves up a box; below the other it starts anew."""
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Card:
    """What is remembered of one question.

    Attributes:
        box: Position in ``DAYS``.
        due: Day on which it is asked again, as ``date.toordinal`` counts.
        share: Share of the points that the last answer made.
        times: How often it was asked.
    """

    box: int
    due: int
    share: float
    times: int


def read(path: Path) -> dict[str, Card]:
    """Return the cards a file holds by entry, none when there is no file.

    Raises:
        InvalidSetting: The file is there and is not one of ours.
    """
    if not path.exists():
        return {}
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        cards = {str(name): _card(card) for name, card in data["cards"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidSetting(
            "the memory of the handbook is a file that it wrote",
            where=str(path),
            got=str(error),
            fix="name another with --memory, or delete it to begin anew",
        ) from error
    return cards


def write(path: Path, cards: Mapping[str, Card]) -> None:
    """Write the cards, all or nothing.

    Raises:
        UnwritableOutput: The file cannot be written.
    """
    plain = {name: {"box": c.box, "due": c.due, "share": c.share, "times": c.times} for name, c in cards.items()}
    beside = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps({"format": FORMAT, "cards": plain}, indent=1), encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise UnwritableOutput(
            "what was practised is remembered in a file",
            where=str(path),
            got=str(error),
            fix="name another with --memory",
        ) from error


def after(card: Card | None, share: float, today: int) -> Card:
    """Return the card after an answer.

    Args:
        card: As it was, None for a question never asked.
        share: Share of the points that the answer made.
        today: The day, as ``date.toordinal`` counts.

    >>> after(None, 1.0, today=100)
    Card(box=1, due=101, share=1.0, times=1)
    >>> after(Card(3, 100, 1.0, 4), 0.2, today=100)
    Card(box=0, due=100, share=0.2, times=5)
    """
    box, times = (card.box, card.times) if card else (0, 0)
    if share >= WELL:
        box = min(box + 1, len(DAYS) - 1)
    elif share < BADLY:
        box = 0
    return Card(box, today + DAYS[box], share, times + 1)


def next_question(cards: Mapping[str, Card], names: Sequence[str], today: int, *, just: str | None = None) -> str:
    """Return the question most worth asking: one that is due, else a new one, else the one due first.

    Args:
        cards: What is remembered.
        names: The questions there are, at least one, in reading order.
        today: The day.
        just: The question asked a moment ago, not asked again at once where there is another.

    >>> next_question({"a": Card(1, 90, 1.0, 1), "b": Card(2, 80, 1.0, 1)}, ["a", "b", "c"], today=100)
    'b'
    """
    asked = [n for n in names if n != just] or list(names)
    due = [n for n in asked if n in cards and cards[n].due <= today]
    new = [n for n in asked if n not in cards]
    if due:
        return min(due, key=lambda n: (cards[n].due, cards[n].box))
    return new[0] if new else min(asked, key=lambda n: cards[n].due)


def points_made(entry: Entry, answer: str) -> tuple[bool, ...]:
    """Return for each point of an entry whether the answer's words suggest that it was made.

    Words can't tell understanding; the reader has the last word.
    """
    said = answer.lower().replace("’", "'")
    return tuple(bool(re.search(point.words, said)) for point in entry.points)


def _card(data: Any) -> Card:
    card = Card(int(data["box"]), int(data["due"]), float(data["share"]), int(data["times"]))
    if not 0 <= card.box < len(DAYS):
        raise ValueError(f"box {card.box}")
    return card
