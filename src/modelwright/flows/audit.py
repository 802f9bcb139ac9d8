"""Audit: read the log of what was done to models, and check that nothing in it was changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.core.errors import RegistryUnavailable
from modelwright.flows._records import audit_of
from modelwright.flows._registry import registry
from modelwright.registry.audit import Audit, Note, check_head
from modelwright.registry.version import HEAD
from modelwright.reports.terminal import table

if TYPE_CHECKING:
    from modelwright.registry.registry import Registry


@dataclass(frozen=True, slots=True)
class Audited:
    """A log that was found whole.

    Attributes:
        entries: All of them, oldest first.
        head: Count and hash of the last one; keep it elsewhere, and give it to a later check.
        is_torn: Whether a last line was begun and never ended.
        heads: How many heads that were kept beside models it goes as far as.
    """

    entries: tuple[Note, ...]
    head: str
    is_torn: bool
    heads: int

    def to_dict(self) -> dict[str, Any]:
        """Return what ``audit verify --json`` prints."""
        return {"entries": len(self.entries), "head": self.head, "torn": self.is_torn, "heads": self.heads}

    def summary(self, width: int) -> str:
        """Return the last entries as plain text."""
        rows = [("entry", "time", "who", "did", "model", "why")]
        for e in self.entries[-20:]:
            when = e.time.replace("T", " ")[:19]
            rows.append((str(e.number), when, e.who, e.action, f"{e.model}@{e.version}", e.reason))
        return "\n".join(table(rows, width=width))


def verify(path: str | Path | None = None, *, head: str | None = None, within: Registry | None = None) -> Audited:
    """Check the audit log, off line: every entry's hash, and that it goes as far as every head kept elsewhere.

    Args:
        path: A log; this project's when None, which is held against the heads beside the models too.
        head: A head that was printed before, ``12:3f…``.
        within: The registry; this project's when None.

    Raises:
        BrokenAudit: An entry was altered, removed, added or moved; the first such is named.
        RegistryUnavailable: There is no log at the path, or it cannot be read.
    """
    within = within or registry()
    log = audit_of(within) if path is None else Audit(Path(path))
    if path is not None and not Path(path).is_file():
        raise RegistryUnavailable("an audit log that is named exists", where=str(path), got="nothing there")
    checked = log.check()
    if head:
        check_head(checked.entries, head, where="--head")
    kept = {}
    if path is None and within.home.is_embedded:
        kept = {name: within.model_tags(name).get(HEAD, "") for name in within.names()}
        for name, known in kept.items():
            if known:
                check_head(checked.entries, known, where=f"head kept with {name}")
    return Audited(checked.entries, checked.head, checked.torn, sum(bool(v) for v in kept.values()))
