"""A registered version, and the keys under which it keeps what is known about it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "modelwright."
FINGERPRINT, AUTHOR, METRIC, TASK, DATA = (
    PREFIX + k for k in ("fingerprint", "author", "metric", "task", "data_fingerprint")
)
HISTORY = PREFIX + "champions"
"""On the model: numbers of the versions that were champion, oldest first, the current one last."""
TRAFFIC = PREFIX + "traffic"
"""On the model: which versions answer beside the champion, as JSON."""
APPROVAL = PREFIX + "approval."
"""On a version: one tag for each person who approved it."""
ACT = PREFIX + "act"
"""On the model: the latest move of its champion; on a version: the act that registered it."""
JOB = PREFIX + "job"
"""On a version: the job that made it."""
HEAD = PREFIX + "audit_head"
"""On the model: count and hash of the audit log when it was last written, so that a cut log is noticed."""


@dataclass(frozen=True, slots=True)
class Version:
    """One registered version.

    Attributes:
        name: Of the model.
        number: From 1 on.
        fingerprint: Of its package.
        created: ISO 8601 time, UTC.
        aliases: Of ``champion`` and ``challenger``, those it has.
        run_id: The MLflow run it came from.
        source: Where MLflow keeps its package.
        tags: All it was tagged with.
    """

    name: str
    number: int
    fingerprint: str
    created: str
    aliases: tuple[str, ...] = ()
    run_id: str = ""
    source: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def author(self) -> str:
        """Who registered it."""
        return self.tags.get(AUTHOR, "")

    @property
    def metric(self) -> Mapping[str, Any]:
        """Name, value, ends and rows of the measure it was chosen by; empty when it was registered by another tool."""
        return _loaded(self.tags.get(METRIC, ""))

    @property
    def approvals(self) -> tuple[Mapping[str, Any], ...]:
        """Who approved it: ``who``, ``reason``, ``time``, ``fingerprint``, ``entry`` (hash of the audit entry)."""
        found = (_loaded(value) for key, value in sorted(self.tags.items()) if key.startswith(APPROVAL))
        return tuple(a for a in found if a)

    def to_dict(self) -> dict[str, Any]:
        """Return what a person may see: no place where anything lies."""
        return {
            "name": self.name,
            "version": self.number,
            "aliases": list(self.aliases),
            "fingerprint": self.fingerprint,
            "task": self.tags.get(TASK, ""),
            "metric": dict(self.metric),
            "created": self.created,
            "author": self.author,
            "data_fingerprint": self.tags.get(DATA, ""),
            "approvals": [dict(a) for a in self.approvals],
        }


def _loaded(text: str) -> Mapping[str, Any]:
    """Return the object a tag holds; anyone with the store may write tags, so what is no object counts as none."""
    try:
        data = json.loads(text) if text else {}
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
