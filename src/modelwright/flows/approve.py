"""Approve: a person says yes to one version, and why."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from modelwright.core.errors import NotAllowed
from modelwright.flows._records import note, now
from modelwright.flows._registry import person, registry
from modelwright.flows.promote import policy_of
from modelwright.registry.names import Ref, check_name
from modelwright.registry.version import APPROVAL

if TYPE_CHECKING:
    from pathlib import Path

    from modelwright.core.policy import Policy
    from modelwright.registry.registry import Registry


@dataclass(frozen=True, slots=True)
class Approved:
    """An approval that was recorded: of which version, by whom, why."""

    name: str
    number: int
    who: str
    reason: str
    fingerprint: str

    def to_dict(self) -> dict[str, Any]:
        """Return what ``approve --json`` prints."""
        known = {"name": self.name, "version": self.number, "who": self.who, "reason": self.reason}
        return {**known, "fingerprint": self.fingerprint}


def approve(
    name: str,
    number: int,
    *,
    reason: str,
    policy: Policy | str | Path | None = None,
    within: Registry | None = None,
) -> Approved:
    """Record that the person who asks approves a version; it holds for this very package.

    Who that is: ``MODELWRIGHT_USER``, or the user of the operating system.

    Args:
        name: Of the model.
        number: Of the version.
        reason: Why; not empty.
        policy: As for ``promote``; it says who may.
        within: The registry; this project's when None.

    Raises:
        NotAllowed: There is no reason, the policy names others, or the author approves their own version.
        UnknownModel: There is no such version.
    """
    within, rules, who = within or registry(), policy_of(policy), person()
    version = within.find(Ref(check_name(name), None, number))
    people = rules["approve", "people"]
    if not reason.strip():
        raise NotAllowed("an approval has a reason", where="--reason", got="nothing", fix="say why, in a sentence")
    if people and who not in people:
        fix = f"ask one of {', '.join(people)}"
        raise NotAllowed("the people whom the policy names approve", where="policy", got=who, fix=fix)
    if who == version.author and not rules["approve", "author_may"]:
        raise NotAllowed(
            "somebody other than the author approves a version",
            where=f"{name}@{number}",
            got=f"{who}, who registered it",
            fix="ask a colleague, or set author_may = true under [approve] in the policy",
        )
    made = note("approve", version, within, reason=reason)
    said = {"who": who, "reason": reason, "time": now(), "fingerprint": version.fingerprint, "entry": made.hash}
    key = APPROVAL + sha256(who.encode()).hexdigest()[:16]
    within.tag(name, {key: json.dumps(said, ensure_ascii=False)}, number=number)
    return Approved(name, number, who, reason, version.fingerprint)
