"""The package: a model with all that is known about it, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.core.arrays import Array, Floats, Singles
    from modelwright.core.evidence import Evidence
    from modelwright.core.finding import Finding
    from modelwright.core.manifest import Manifest
    from modelwright.core.model import Model

DOCUMENTS = ("report.html", "card.md")
"""The documents a package may carry."""


@dataclass(frozen=True, slots=True)
class Golden:
    """A few real rows and the answers a sound copy of the model gives for them.

    Attributes:
        records: 1 to 20 rows by column name, values as in the source (text, numbers, booleans or None).
        scores: Values (n,), or probabilities (n, n_classes).
    """

    records: tuple[Mapping[str, Any], ...]
    scores: Floats


@dataclass(frozen=True, slots=True)
class Sealed:
    """The sealed rows' names, targets and scores: every number of the evidence can be computed from these again.

    Attributes:
        rows: Fingerprints of the rows, 32 hexadecimal digits each, in the order of the arrays.
        target: Values, or positions in ``task.labels``, shape (n,).
        scores: Values (n,) or probabilities (n, n_classes) of the model that was judged.
        weight: Row weights, shape (n,), or None.
        front: The same for the models on the front whose members are in the package, but the one delivered:
            shape (n_points, n, width), float32; a width of 1 tells the positive label of two. None where that
            would take too much room.
    """

    rows: tuple[str, ...]
    target: Array
    scores: Floats
    weight: Floats | None = None
    front: Singles | None = None


@dataclass(frozen=True, slots=True)
class Package:
    """A model with its lineage, its evidence and the means to check it.

    Attributes:
        model: Ready to answer.
        manifest: Where it came from.
        evidence: What was measured.
        findings: What is remarkable about its table.
        golden: Rows with their answers, replayed when the package is read.
        sealed: The rows it was judged on, or None.
        record: What was tried and what became of it, plain data.
        plan: The executed plan, plain data, from which the run can be repeated; empty in older packages.
        documents: Content by file name, of ``DOCUMENTS``.
        fingerprint: Names all of this but measured times; given by reading, empty before. ``write`` and
            ``fingerprint_of`` compute it anew and never take it from here.
    """

    model: Model
    manifest: Manifest
    evidence: Evidence
    findings: tuple[Finding, ...]
    golden: Golden
    sealed: Sealed | None = None
    record: Mapping[str, Any] = field(default_factory=dict)
    plan: Mapping[str, Any] = field(default_factory=dict)
    documents: Mapping[str, bytes] = field(default_factory=dict)
    fingerprint: str = field(default="", compare=False)
