"""Settings of learners: read from keywords, checked against the limits each one declares."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from modelwright.core.errors import InvalidSetting, closest

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a setting may be: a number from low to high, one of the choices, or any text where it is one."""

    low: float = 0.0
    high: float = float("inf")
    choices: tuple[str, ...] = ()


def setting(default: Any, low: float = 0.0, high: float = float("inf"), choices: tuple[str, ...] = ()) -> Any:
    """Return a dataclass field with limits; a default of None is chosen from the lesson when fitting."""
    return field(default=default, metadata={"limits": Limits(low, high, choices)})


def read(owner: str, kind: type[T], given: dict[str, object]) -> T:
    """Return the settings of a learner.

    Args:
        owner: The learner's name, for messages.
        kind: A frozen dataclass whose fields were made by ``setting``.
        given: What the caller wrote; None means the default.

    Raises:
        InvalidSetting: A name is unknown, or a value is of another type or outside its limits.
    """
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    for name, value in given.items():
        if name not in known:
            raise InvalidSetting("a learner has known settings only", where=owner, got=name, fix=closest(name, known))
        if value is not None:
            _check(f"{owner}.{name}", value, known[name].metadata["limits"], str(known[name].type))
    return kind(**{name: value for name, value in given.items() if value is not None})


def _check(where: str, value: object, limits: Limits, annotation: str) -> None:
    if limits.choices:
        if value not in limits.choices:
            raise InvalidSetting(
                "a setting is one of its choices", where=where, got=value, fix=closest(str(value), limits.choices)
            )
        return
    if annotation == "bool":
        if not isinstance(value, bool):
            raise InvalidSetting("this setting is true or false", where=where, got=value, fix="write true or false")
        return
    if annotation.startswith("str"):
        if not isinstance(value, str) or not value:
            raise InvalidSetting("this setting is a text", where=where, got=value, fix="write it in quotes")
        return
    wants_whole = annotation.startswith("int")
    is_number = isinstance(value, int if wants_whole else int | float) and not isinstance(value, bool)
    if not is_number or not limits.low <= value <= limits.high:  # type: ignore[operator]
        word = "a whole number" if wants_whole else "a number"
        raise InvalidSetting(
            f"this setting is {word} from {limits.low:g} to {limits.high:g}",
            where=where,
            got=value,
            fix="choose one within these limits, or leave it out",
        )
