"""What is written down of every act: the audit log's entry, and its head beside the model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelwright.flows._registry import person
from modelwright.registry.audit import FILE_NAME, Audit, Note, head_of
from modelwright.registry.version import HEAD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.registry.registry import Registry
    from modelwright.registry.version import Version


def audit_of(within: Registry) -> Audit:
    """Return the audit log of a registry's project."""
    return Audit(within.home.folder / FILE_NAME)


def now() -> str:
    """Return the time, ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def note(
    action: str, version: Version, within: Registry, *, reason: str = "", detail: Mapping[str, Any] | None = None
) -> Note:
    """Write down what was done to a version, and by whom; the entry is on the disk when this returns."""
    draft = Note(0, now(), person(), action, version.name, version.number, version.fingerprint, reason, detail or {})
    made = audit_of(within).append(draft)
    within.tag(version.name, {HEAD: head_of(made)})
    return made
