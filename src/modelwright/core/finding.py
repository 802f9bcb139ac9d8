"""Findings: what is wrong or remarkable about a table, before any model is trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Severity(StrEnum):
    """How much a finding matters."""

    INFO = "info"
    WARNING = "warning"
    SEVERE = "severe"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found in the data.

    Attributes:
        code: Stable name, ``F`` and three digits; each has a heading in ``docs/findings.md``.
        severity: How much it matters.
        title: What was found, one sentence for a person.
        columns: The columns concerned.
        evidence: The numbers behind it, as plain data.
        action: What was done about it.
        overrule: What to pass or change to have it otherwise.
    """

    code: str
    severity: Severity
    title: str
    columns: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    action: str = ""
    overrule: str = ""
