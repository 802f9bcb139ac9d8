"""Policies: what happens to a row that departs from the contract, and when the model abstains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from modelwright.core.errors import InvalidSetting, closest

RULES = (
    "unknown level",
    "out of range",
    "missing value",
    "missing column",
    "unreadable value",
    "extra column",
)
"""The ways in which a row departs from the contract; the same words as in ``core.contract.Break``."""
ACTIONS = ("accept", "missing", "clip", "override", "abstain", "refuse")
OUTSIDE = frozenset({"unknown level", "out of range", "unreadable value"})
"""Departures that mean: the model has never seen such a value."""


@dataclass(frozen=True, slots=True)
class Action:
    """What to do about one departure.

    Attributes:
        name: ``accept`` scores the value as it is, ``missing`` reads it as missing, ``clip`` moves a number to the
            nearest end of its range, ``override`` puts ``value`` in its place, ``abstain`` gives no prediction for
            the row, ``refuse`` refuses the request. All but ``refuse`` are flagged and counted.
        value: For ``override``.
    """

    name: str
    value: str | int | float | bool | None = None

    @classmethod
    def of(cls, data: Any, where: str) -> Action:
        """Return the action a file names: a word, or ``{override = VALUE}``."""
        if isinstance(data, str) and data in ACTIONS and data != "override":
            return cls(data)
        if isinstance(data, Mapping) and set(data) == {"override"} and isinstance(data["override"], str | int | float):
            return cls("override", data["override"])
        fix = f"use one of {', '.join(a for a in ACTIONS if a != 'override')}, or {{ override = VALUE }}"
        raise InvalidSetting("a departure from the contract has a known action", where=where, got=data, fix=fix)


_DEFAULTS = {
    "unknown level": Action("accept"),
    "out of range": Action("accept"),
    "missing value": Action("accept"),
    "missing column": Action("accept"),
    "unreadable value": Action("missing"),
    "extra column": Action("accept"),
}


@dataclass(frozen=True, slots=True)
class Guard:
    """When a model abstains: its answer is then null, and the flags say why.

    Attributes:
        sure_min: Least probability of the likeliest label, 0 to 1; 0 asks for nothing.
        outside_max: Most columns of a row whose value was never seen in training; more are outside the support.
    """

    sure_min: float = 0.0
    outside_max: int = 1_000_000

    def __post_init__(self) -> None:
        if not 0 <= self.sure_min <= 1 or self.outside_max < 0:
            raise InvalidSetting(
                "a guard asks for a probability of 0 to 1 and a count of columns",
                where="guard",
                got={"sure_min": self.sure_min, "outside_max": self.outside_max},
                fix="try sure_min = 0.6",
            )


@dataclass(frozen=True, slots=True)
class Policy:
    """The declared policy.

    Attributes:
        rules: By departure, for all columns.
        columns: By column, then by departure; before ``rules``.
        guard: When the model abstains.
    """

    rules: Mapping[str, Action] = field(default_factory=lambda: dict(_DEFAULTS))
    columns: Mapping[str, Mapping[str, Action]] = field(default_factory=dict)
    guard: Guard = field(default_factory=Guard)

    def action(self, column: str, rule: str) -> Action:
        """Return what to do about a departure of a column."""
        return self.columns.get(column, {}).get(rule) or self.rules[rule]

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Policy:
        """Return the policy of a file's ``policy``, ``columns`` and ``guard`` tables.

        >>> Policy.of({"policy": {"out_of_range": "clip"}}).action("age", "out of range").name
        'clip'
        """
        columns = {name: _actions(rules, f"columns.{name}") for name, rules in data.get("columns", {}).items()}
        guard = data.get("guard", {})
        known = {f.name for f in fields(Guard)}
        for key in guard:
            if key not in known:
                raise InvalidSetting("a guard has known keys only", where="guard", got=key, fix=closest(key, known))
        return cls({**_DEFAULTS, **_actions(data.get("policy", {}), "policy")}, columns, Guard(**guard))


def _actions(data: Any, where: str) -> dict[str, Action]:
    spelled = {rule.replace(" ", "_"): rule for rule in RULES}
    if not isinstance(data, Mapping):
        raise InvalidSetting("a policy names departures", where=where, got=data, fix=f"such as {next(iter(spelled))}")
    for key in data:
        if key not in spelled:
            raise InvalidSetting("a policy names known departures", where=where, got=key, fix=closest(key, spelled))
    return {spelled[key]: Action.of(value, f"{where}.{key}") for key, value in data.items()}
