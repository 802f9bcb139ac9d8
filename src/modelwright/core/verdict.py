"""Verdicts: what the gate found out about one candidate, check by check, and whether that is enough."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from modelwright.core.errors import InvalidEvidence
from modelwright.core.fingerprint import fingerprint, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECKS = ("screen", "validate", "test", "reproduce", "behave", "shadow", "document", "compare", "approve")
"""The checks in their order: the cheap and fatal ones first, people last, with all the rest before them."""


class Outcome(StrEnum):
    """How a check ends."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    UNDECIDED = "undecided"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a candidate.

    Attributes:
        name: One of ``CHECKS``.
        outcome: How it ended.
        reason: Why, in one or a few sentences for a person.
        evidence: The numbers behind it, as plain data.
        is_binding: Whether the policy makes the promotion depend on it.
    """

    name: str
    outcome: Outcome
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    is_binding: bool = True

    @property
    def stops(self) -> bool:
        """Whether it keeps the candidate from being promoted."""
        return self.is_binding and self.outcome in (Outcome.FAIL, Outcome.UNDECIDED)

    def to_dict(self) -> dict[str, Any]:
        """Return the check as plain data."""
        data: dict[str, Any] = plain(self)
        return {**data, "stops": self.stops}


@dataclass(frozen=True, slots=True)
class Verdict:
    """All checks of one candidate under one policy.

    Attributes:
        fingerprint: Of the candidate's package: the verdict is about this content and no other.
        policy: Fingerprint of the policy.
        checks: All nine, in order.
        champion: Fingerprint of the package it was held against; empty when there was none.
    """

    fingerprint: str
    policy: str
    checks: tuple[Check, ...]
    champion: str = ""

    def __post_init__(self) -> None:
        names = tuple(c.name for c in self.checks)
        if names != CHECKS:
            raise InvalidEvidence(
                "a verdict holds every check once, in their order", where="verdict", got=names, fix="run all checks"
            )

    @property
    def passes(self) -> bool:
        """Whether the candidate may be promoted."""
        return not any(c.stops for c in self.checks)

    @property
    def outcome(self) -> Outcome:
        """Pass; fail when a binding check failed; undecided when none failed and one is undecided."""
        if self.passes:
            return Outcome.PASS
        has_failed = any(c.stops and c.outcome is Outcome.FAIL for c in self.checks)
        return Outcome.FAIL if has_failed else Outcome.UNDECIDED

    def check(self, name: str) -> Check:
        """Return the check of this name."""
        return self.checks[CHECKS.index(name)]

    @property
    def name(self) -> str:
        """Names the verdict itself."""
        return fingerprint(self.fingerprint, self.policy, self.champion, [c.to_dict() for c in self.checks])

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as plain data."""
        return {
            "fingerprint": self.fingerprint,
            "policy": self.policy,
            "champion": self.champion,
            "outcome": self.outcome.value,
            "passes": self.passes,
            "checks": [c.to_dict() for c in self.checks],
        }
