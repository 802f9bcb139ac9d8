"""Promote: a version becomes the champion if the gate lets it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.core.policy import Policy
from modelwright.data.reading import read as read_table
from modelwright.flows._acts import finish, move
from modelwright.flows._gate import Case, judge
from modelwright.flows._records import audit_of, note
from modelwright.flows._registry import project_folder, registry
from modelwright.flows._rows import labelled
from modelwright.flows._shadow import shadow_of
from modelwright.flows.builtin import catalogue
from modelwright.flows.policy import FILE_NAME, read_policy
from modelwright.flows.resolve import Resolved, check_same
from modelwright.packaging.reading import read
from modelwright.registry.names import CHAMPION, Ref, check_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelwright.core.verdict import Verdict
    from modelwright.packaging.package import Package
    from modelwright.registry.audit import Note
    from modelwright.registry.registry import Registry
    from modelwright.registry.version import Version


@dataclass(frozen=True, slots=True)
class Promoted:
    """What came of a wish to promote.

    Attributes:
        name: Of the model.
        number: Of the version.
        verdict: On its package.
        is_champion: Whether it is the champion now.
        before: Number of the champion it was held against; None when there was none.
    """

    name: str
    number: int
    verdict: Verdict
    is_champion: bool
    before: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return what ``promote --json`` prints."""
        own = {"name": self.name, "version": self.number, "is_champion": self.is_champion, "before": self.before}
        return {**own, "verdict": self.verdict.to_dict()}

    def summary(self, width: int) -> str:
        """Return the verdict as plain text for a terminal of this width."""
        from modelwright.reports.verdicts import as_text

        if self.is_champion:
            end = f"{self.name}@{self.number} is the champion."
        elif self.verdict.passes:
            end = f"{self.name}@{self.number} may be promoted; nothing was moved."
        else:
            end = f"{self.name}@{self.number} is not promoted."
        return as_text(self.verdict, f"{self.name}@{self.number}", end, width)

    def document(self, form: str) -> str:
        """Return the verdict as ``junit``, ``sarif`` or ``github`` (annotations)."""
        from modelwright.reports import verdicts

        forms = {"junit": verdicts.as_junit, "sarif": verdicts.as_sarif, "github": verdicts.as_annotations}
        return forms[form](self.verdict, f"{self.name}@{self.number}")


def promote(  # noqa: PLR0913 - the act (eight), and whose errand it is (two)
    name: str,
    number: int,
    *,
    policy: Policy | str | Path | None = None,
    reason: str = "",
    data: object = None,
    ledger: str | None = None,
    dry_run: bool = False,
    within: Registry | None = None,
    detail: Mapping[str, Any] | None = None,
    guard: Callable[[], None] = lambda: None,
) -> Promoted:
    """Send a version through the gate, and make it the champion if the policy is satisfied.

    Args:
        name: Of the model.
        number: Of the version.
        policy: A policy or its file; ``modelwright-policy.toml`` of the project, or the defaults, when None.
        reason: Why; kept in the audit log.
        data: A labelled table to judge by: new rows, or the training table, of which only sealed rows count.
        ledger: Where the service records predictions, for the check of the shadow.
        dry_run: Judge, and move nothing.
        within: The registry; this project's when None.
        detail: What else the audit log is to hold, plain data.
        guard: Asked in the moment of the move; what it raises stops it.

    Raises:
        UnknownModel: There is no such version.
        InvalidPolicy: The policy is not sound.
        InvalidPackage: The version's package was altered.
        RegistryUnavailable: The store cannot be read or written.
    """
    within = within or registry()
    finish(within)
    rules = policy_of(policy)
    version = within.find(Ref(check_name(name), None, number))
    champion = within.alias(name, CHAMPION)
    path, package = opened(version, within)
    against = None if champion is None else opened(champion, within)[1]
    table = None if data is None else read_table(data)
    rows = None if table is None else labelled(table, package)
    shadowed = shadow_of(name, package, against, within, ledger)
    entries = audit_of(within).check().entries
    known = frozenset((e.hash, e.who, e.reason) for e in entries if e.action == "approve")
    approving = known if within.home.is_embedded else None
    case = Case(version, path, package, against, rules, table, rows, shadowed, approving, looks_in(entries))
    verdict = judge(case)
    before = None if champion is None else champion.number
    is_champion = before == number
    moves = verdict.passes and not dry_run and not is_champion
    told = {**(detail or {}), "verdict": verdict.to_dict(), "before": before}
    if moves:
        crown = lambda act: within.crown(name, number, expected=before, act=act, guard=guard)  # noqa: E731 - one use
        move("promote", version, within, crown, reason=reason, detail=told)
    else:
        note("judge" if dry_run or is_champion else "refuse", version, within, reason=reason, detail=told)
    return Promoted(name, number, verdict, moves or is_champion, before)


def policy_of(policy: Policy | str | Path | None) -> Policy:
    """Return the rules that were asked for, or those of the project, or the defaults."""
    if isinstance(policy, Policy):
        return policy
    if policy is not None:
        return read_policy(policy)
    own = project_folder() / FILE_NAME
    return read_policy(own) if own.exists() else Policy()


def opened(version: Version, within: Registry, *, replay: bool = False) -> tuple[Path, Package]:
    """Return where a version's package lies, and the package, checked to be the one that was registered."""
    path = within.fetch(version)
    package = read(path, catalogue(), replay=replay)
    check_same(Resolved(path, version.name, str(version.number), version.fingerprint), package.fingerprint)
    return path, package


def looks_in(entries: tuple[Note, ...]) -> dict[str, frozenset[str]]:
    """Return which candidates were compared on which rows before, by the name of the rows."""
    seen: dict[str, frozenset[str]] = {}
    for entry in entries:
        for check in entry.detail.get("verdict", {}).get("checks", []):
            name = check.get("evidence", {}).get("rows_name")
            if name:
                seen[name] = seen.get(name, frozenset()) | {entry.fingerprint}
    return seen
