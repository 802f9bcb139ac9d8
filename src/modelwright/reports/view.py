"""The view: everything the reports draw, handed over in one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelwright.core.contract import Contract
    from modelwright.core.costs import Costs
    from modelwright.core.evidence import Evidence
    from modelwright.core.finding import Finding
    from modelwright.core.manifest import Manifest
    from modelwright.core.task import Task


@dataclass(frozen=True, slots=True)
class View:
    """What is known about a model, as nouns of the core.

    Attributes:
        task: What is predicted.
        contract: What is promised of the columns.
        evidence: What was measured.
        findings: What was found in the data.
        manifest: Where the model came from.
        model_name: How the model is called.
        threshold: Binary: the positive label is answered at this probability and above.
        package_size_bytes: Size of the package on disk, 0 when unknown.
        package_path: Where the package lies, empty when unknown.
        costs: What errors cost in the user's unit, None when no price was given.
        fingerprint: Names the package.
    """

    task: Task
    contract: Contract
    evidence: Evidence
    findings: tuple[Finding, ...]
    manifest: Manifest
    model_name: str
    threshold: float = 0.5
    package_size_bytes: int = 0
    package_path: str = ""
    costs: Costs | None = None
    fingerprint: str = ""
