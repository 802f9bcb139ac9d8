"""What validators ask for: the headings of SR 11-7 and of Annex IV of the EU AI Act, and what answers each.

Sources: Board of Governors of the Federal Reserve System and OCC, Supervisory Guidance on Model Risk Management,
SR 11-7 (2011); Regulation (EU) 2024/1689, Annex IV. The wording is ours, shortened; the numbering is theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelwright.reports.view import View

HERE, PARTLY, MISSING = "here", "in part", "missing"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing a validator asks for.

    Attributes:
        number: Where it stands, in the numbering of its source.
        asked: What is asked, in a few words.
        anchor: The section that answers it, or empty: then it is missing.
        needs: What the evidence must hold for the answer to exist: names of ``_HAS``.
        lacking: What a person must add; where this stands beside an anchor, it is answered in part.
    """

    number: str
    asked: str
    anchor: str = ""
    needs: tuple[str, ...] = ()
    lacking: str = ""


SR_11_7 = (
    Requirement(
        "IV", "Purpose of the model and its intended use", "purpose", lacking="the business decision it serves"
    ),
    Requirement("IV", "Design, theory and logic behind it", "design"),
    Requirement("IV", "Merits and limits against alternatives", "outcomes", ("baselines",)),
    Requirement("IV", "Data: quality, relevance, suitability", "data"),
    Requirement("IV", "Testing: accuracy, robustness, stability", "behaviour", ("kpis", "stress")),
    Requirement("IV", "Limits and assumptions", "limits"),
    Requirement("IV", "Uncertainty and inaccuracy made known to users", "outcomes", ("kpis",)),
    Requirement("IV", "How it is used, and what its errors cost", "use", ("costs",)),
    Requirement("V.1", "Evaluation of conceptual soundness", "behaviour", ("importance",), "a reviewer's judgement"),
    Requirement(
        "V.2", "Ongoing monitoring, benchmarking", lacking="a plan for monitoring, with thresholds and an owner"
    ),
    Requirement("V.3", "Outcomes analysis, back-testing", "outcomes", ("sealed",), "outcomes after it was put to use"),
    Requirement("V", "Validation independent of development", lacking="name of the validator, and the findings"),
    Requirement(
        "VI", "Governance: roles, approval, inventory", lacking="owner, user, approver; entry in the inventory"
    ),
    Requirement("VI", "Documentation fit for an unfamiliar party", "reproduce"),
)

ANNEX_IV = (
    Requirement("1(a)", "Intended purpose, provider, version", "purpose", lacking="name of the provider"),
    Requirement("1(b)", "How it interacts with other hardware or software", lacking="the systems it is part of"),
    Requirement("1(c)", "Versions of relevant software", "reproduce"),
    Requirement("1(d)", "Forms in which it is placed on the market", "reproduce"),
    Requirement("1(e)", "Hardware it is to run on", "outcomes", ("timing",), "the hardware it will run on"),
    Requirement(
        "1(f)", "Photographs or illustrations, if part of a product", lacking="only if it is part of a product"
    ),
    Requirement("1(g)", "User interface for the deployer", lacking="a description, or that there is none"),
    Requirement("1(h)", "Instructions for use", "purpose", lacking="instructions in the words of the deployer's trade"),
    Requirement("2(a)", "Methods and steps of development, third-party tools", "design"),
    Requirement("2(b)", "Design: logic, assumptions, what is optimised for, classification choices", "design"),
    Requirement("2(c)", "System architecture, computing resources used", "reproduce", ("timing",)),
    Requirement("2(d)", "Data: provenance, scope, labelling, cleaning", "data", lacking="how the labels were made"),
    Requirement("2(e)", "Human oversight measures", lacking="who may overrule it, and how"),
    Requirement("2(f)", "Changes foreseen, and how compliance is kept", lacking="planned changes"),
    Requirement("2(g)", "Validation and testing, with dated test logs", "outcomes", ("sealed",), "signature"),
    Requirement("2(h)", "Cybersecurity measures", "reproduce", lacking="measures where it is run"),
    Requirement(
        *("3", "Capabilities and limits, accuracy for groups of persons", "weakness", ("slices",)),
        lacking="which columns tell groups of persons, and `modelwright explain --group-by` with them",
    ),
    Requirement("4", "Why the performance metrics are appropriate", "outcomes", ("kpis",)),
    Requirement("5", "Risk management system (Article 9)", lacking="the risk file"),
    Requirement("6", "Relevant changes through its lifecycle", lacking="the register's history of versions"),
    Requirement("7", "Harmonised standards applied", lacking="the list, or what was done instead"),
    Requirement("8", "EU declaration of conformity", lacking="the declaration"),
    Requirement("9", "Post-market monitoring plan (Article 72)", lacking="the plan"),
)


def answered(asked: Requirement, view: View) -> tuple[str, str]:
    """Return whether a requirement is met (``here``, ``in part``, ``missing``) and what a person must still add."""
    absent = [need for need in asked.needs if not _has(view, need)]
    lacking = "; ".join(part for part in (asked.lacking, *(_TO_ADD[a] for a in absent)) if part)
    if not asked.anchor or (absent and len(absent) == len(asked.needs)):
        return MISSING, lacking
    return (PARTLY, lacking) if lacking else (HERE, "")


_TO_ADD = {
    "kpis": "measures on rows it had never seen",
    "baselines": "simple rules measured on the same rows",
    "importance": "what it leans on",
    "costs": "what errors cost: --cost-false-alarm, --cost-miss, --unit",
    "timing": "measured times",
    "sealed": "the sealed rows in the package",
    "stress": "stress tests: `modelwright explain`",
    "slices": "accuracy by group: `modelwright explain --group-by`",
}
"""What to add when the evidence lacks something."""


def _has(view: View, need: str) -> bool:
    match need:
        case "costs":
            return view.costs is not None
        case "sealed":
            return bool(view.manifest.split.get("test"))
        case "stress":
            return bool(view.evidence.explanation.get("robustness"))
        case "slices":
            return view.evidence.explanation.get("slices") is not None
        case "timing":
            return bool(view.manifest.seconds)
        case _:
            return bool(getattr(view.evidence, need))
