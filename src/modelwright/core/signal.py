"""Signals: what monitors saw, what was raised, and what is advised; facts with their doubt, never acts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from modelwright.core.fingerprint import plain

if TYPE_CHECKING:
    from collections.abc import Mapping


class Aspect(StrEnum):
    """What about a column, the answers or the outcomes is watched."""

    LOCATION = "location"
    SPREAD = "spread"
    SHAPE = "shape"
    LEVEL = "level"
    MISSING = "missing"
    NEW_VALUES = "new values"
    RELATIONS = "relations"
    EXPECTED_LOSS = "expected loss"
    LOSS = "loss"
    BIAS = "bias"
    SURPRISE = "surprise"


OF_QUALITY = frozenset({Aspect.LOSS, Aspect.BIAS, Aspect.SURPRISE})
"""Aspects that rest on outcomes."""


@dataclass(frozen=True, slots=True)
class Signal:
    """What one monitor saw at the end of a window.

    Attributes:
        monitor: Its name, such as ``tenure: location``.
        column: The column, or empty where it is about answers or outcomes.
        aspect: What about it.
        strength: Standard errors away from the reference, signed, skewness corrected.
        threshold: Strength from which an alarm is raised.
        windows: Over how many of the latest windows together it is strongest.
        since: Start of the first of them, seconds since 1970-01-01 UTC.
        text: What was seen, in a few words for a person.
    """

    monitor: str
    column: str
    aspect: Aspect
    strength: float
    threshold: float
    windows: int
    since: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One cause for concern, raised once.

    Attributes:
        id: The same for the same cause in the same model and window, whoever finds it.
        model: The name of the model.
        time: End of the window that raised it, seconds since 1970-01-01 UTC.
        title: One sentence for a person.
        signals: What crossed its threshold, strongest effect first.
        columns: The columns behind it, most important first.
        effect: Estimated change of the mean loss, in its unit; positive is worse; None where nothing tells.
        effect_share: The same as a part of the reference's mean loss.
        is_about_quality: Whether outcomes (not inputs alone) say so.
        ended: End of the window in which it had been quiet long enough, or None while it lasts.
        segments: Rows that are hit hardest: ``where``, ``rows``, ``loss``, ``reference``.
    """

    id: str
    model: str
    time: float
    title: str
    signals: tuple[Signal, ...]
    columns: tuple[str, ...] = ()
    effect: float | None = None
    effect_share: float | None = None
    is_about_quality: bool = False
    ended: float | None = None
    segments: tuple[Mapping[str, Any], ...] = field(default_factory=tuple)

    def to_dict(self) -> dict[str, Any]:
        """Return the alarm as plain data."""
        data: dict[str, Any] = plain(self)
        return data


class Action(StrEnum):
    """What is advised."""

    NOTHING = "nothing"
    LOOK = "look"
    REPAIR = "repair the data"
    RETRAIN = "retrain"


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do, and why; a person or a flow acts on it, never the monitor.

    Attributes:
        action: What to do.
        reason: One sentence.
        alarms: Ids of the alarms it rests on.
    """

    action: Action
    reason: str
    alarms: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the advice as plain data."""
        data: dict[str, Any] = plain(self)
        return data
