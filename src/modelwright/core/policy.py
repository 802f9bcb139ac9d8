"""The policy of the gate: every rule with its limit, in one table; file, schema and docs are made from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelwright.core.errors import InvalidPolicy, closest
from modelwright.core.fingerprint import fingerprint
from modelwright.core.metrics import MEASURES
from modelwright.core.verdict import CHECKS

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Rule:
    """One line a policy may hold.

    Attributes:
        check: The table it stands in.
        name: Its key.
        kind: ``flag``, ``number``, ``count``, ``choice``, ``names``, ``numbers`` (by measure), ``directions``.
        default: What holds without it.
        help: One sentence.
        choices: Allowed values of a choice, or of the values of ``directions``.
        low: Least number.
        high: Greatest number.
    """

    check: str
    name: str
    kind: str
    default: Any
    help: str
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = float("inf")


BINDING = {name: name != "shadow" for name in CHECKS}
"""Which checks a promotion depends on by default: a shadow needs live traffic, which not everyone has."""

RULES = (
    *(
        Rule(check, "required", "flag", BINDING[check], f"Whether a promotion depends on the check {check}.")
        for check in CHECKS
    ),
    Rule("screen", "accept", "names", (), "Codes of severe findings that somebody has looked into and accepts."),
    Rule("validate", "thresholds", "numbers", {}, "By measure: the worst that is good enough."),
    Rule(
        *("validate", "judged_by", "choice", "value"),
        "What is held against a threshold: the value, or the worse end of its interval.",
        choices=("value", "worse_end"),
    ),
    Rule(
        *("test", "tolerance", "number", 0.0),
        "How much worse than validation the sealed rows may surely be, as a part of the validated value.",
        high=1.0,
    ),
    Rule(
        *("reproduce", "refit", "choice", "when_given"),
        "Whether a model made with --effort is fitted anew: when its table is at hand, always, or never.",
        choices=("when_given", "always", "never"),
    ),
    Rule("behave", "noise", "number", 0.01, "Noise added to numbers, as a part of their spread.", high=1.0),
    Rule("behave", "noise_changes_max", "number", 0.05, "Share of answers that noise may change.", high=1.0),
    Rule("behave", "invariant", "names", (), "Columns whose value should not matter to the answer."),
    Rule("behave", "invariant_changes_max", "number", 0.02, "Share of answers such a column may change.", high=1.0),
    Rule(
        *("behave", "direction", "directions", {}),
        "By column: whether the answer may only rise (up) or only fall (down) when the column's number rises.",
        choices=("up", "down"),
    ),
    Rule("behave", "direction_breaks_max", "number", 0.05, "Share of rows that may go the other way.", high=1.0),
    Rule("behave", "slice_ratio_max", "number", 3.0, "How many times the mean loss a slice of rows may surely have."),
    Rule("behave", "slice_rows_min", "count", 50, "Rows from which a slice is looked at.", low=10),
    Rule("behave", "groups", "names", (), "Columns whose groups of people must be treated alike."),
    Rule("behave", "group_gap_max", "number", 0.1, "Largest difference between groups in each fairness measure."),
    Rule("shadow", "rows_min", "count", 100, "Answers of the shadow that are needed.", low=1),
    Rule("shadow", "changes_max", "number", 0.1, "Share of answers that may differ from the champion's.", high=1.0),
    Rule(
        *("compare", "demand", "choice", "better"),
        "Whether a candidate must be better than the champion, or only not worse.",
        choices=("better", "not_worse"),
    ),
    Rule("compare", "margin", "number", 0.0, "By how much it may be worse and still count as not worse."),
    Rule("compare", "rows_min", "count", 50, "Rows that both are compared on, at least.", low=10),
    Rule("approve", "people", "names", (), "Who may approve; nobody named: no approval is needed."),
    Rule("approve", "needed", "count", 1, "How many of them have to.", low=1),
    Rule("approve", "author_may", "flag", False, "Whether who registered the version may approve it too."),
)
"""Every rule of a policy, in the order of the checks."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Checked rules: ``policy["compare", "demand"]``.

    Attributes:
        values: Value by check and name; what is not there has its default.
    """

    values: Mapping[tuple[str, str], Any] = field(default_factory=dict)

    def __getitem__(self, key: tuple[str, str]) -> Any:
        """Return the value of a rule."""
        return self.values[key] if key in self.values else _BY_KEY[key].default

    def requires(self, check: str) -> bool:
        """Return whether a promotion depends on a check."""
        return bool(self[check, "required"])

    @property
    def fingerprint(self) -> str:
        """Names the rules, whether written down or left to their defaults."""
        return fingerprint(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Return every rule as plain data, the form of the file."""
        tables: dict[str, Any] = {check: {} for check in CHECKS}
        for rule in RULES:
            value = self[rule.check, rule.name]
            tables[rule.check][rule.name] = list(value) if isinstance(value, tuple) else value
        return tables

    @classmethod
    def of(cls, data: Mapping[str, Any], *, where: str = "policy") -> Policy:
        """Return the policy a file holds.

        Raises:
            InvalidPolicy: A table or key is unknown, or a value is outside what it may be.

        >>> Policy.of({"compare": {"demand": "not_worse"}})["compare", "demand"]
        'not_worse'
        """
        values = {}
        for check, table in data.items():
            if check not in CHECKS or not isinstance(table, dict):
                raise InvalidPolicy("a table of a policy is one of the checks", where=where, got=check, fix=_names())
            known = {r.name: r for r in RULES if r.check == check}
            for name, value in table.items():
                if name not in known:
                    place = f"{where}, [{check}]"
                    raise InvalidPolicy("a rule has a known name", where=place, got=name, fix=closest(name, known))
                values[check, name] = _checked(known[name], value, f"{where}, {check}.{name}")
        return cls(values)


_BY_KEY = {(r.check, r.name): r for r in RULES}


def _names() -> str:
    return f"use {', '.join(f'[{c}]' for c in CHECKS)}"


def _checked(rule: Rule, value: Any, where: str) -> Any:
    if rule.kind == "names" and isinstance(value, list) and all(isinstance(v, str) for v in value):
        return tuple(value)
    if rule.kind == "numbers" and isinstance(value, dict) and all(_is_number(v) for v in value.values()):
        for name in value:
            if name not in MEASURES:
                raise InvalidPolicy("a threshold is of a measure", where=where, got=name, fix=closest(name, MEASURES))
        return dict(value)
    if rule.kind == "directions" and isinstance(value, dict) and set(value.values()) <= set(rule.choices):
        return dict(value)
    fits = {
        "flag": isinstance(value, bool),
        "choice": value in rule.choices,
        "number": _is_number(value) and rule.low <= value <= rule.high,
        "count": type(value) is int and rule.low <= value <= rule.high,
    }
    if not fits.get(rule.kind, False):
        raise InvalidPolicy("a rule has a value it may have", where=where, got=repr(value)[:80], fix=wanted(rule))
    return value


def wanted(rule: Rule) -> str:
    """Return what a rule's value may be, in words."""
    ends = f"from {rule.low:g}" + (f" to {rule.high:g}" if rule.high != float("inf") else " on")
    return {
        "flag": "true or false",
        "choice": f"one of {', '.join(rule.choices)}",
        "number": f"a number {ends}",
        "count": f"a whole number {ends}",
        "names": 'a list of texts, such as ["a", "b"]',
        "numbers": "a table of numbers by measure, such as { roc_auc = 0.8 }",
        "directions": 'a table such as { age = "up" }',
    }[rule.kind]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value  # noqa: PLR0124 - not NaN
