"""The summary: what a person should read in the terminal after training, in a dozen plain lines."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from modelwright.core.finding import Severity
from modelwright.reports import numbers, words
from modelwright.reports.cautions import suspects
from modelwright.reports.names import as_plain

if TYPE_CHECKING:
    from modelwright.reports.view import View

NARROWEST = 20
MOST_FINDINGS = 3
PRICE = ("Pruned", "Nothing is within", "The whole ensemble is within", "Measured on this machine")
"""How the notes begin that say what limits on time and size cost."""


def summary(view: View, width: int = 80) -> str:
    """Return a short plain text: what it predicts, how well, whether that is worth it, what to check, where it lies.

    Args:
        view: What is known about the model.
        width: Columns of the terminal, at least 20; lines are wrapped to it.

    Returns:
        Lines without colour codes or control characters, no line break at the end.
    """
    facts = words.facts(view)
    told = [
        f"Predicts {words.predicts(view.task)}.",
        f"{words.headline(view)}.",
        f"{facts[0].sentence} {facts[0].doubt.removesuffix('.')}." if facts else "",
        words.worth(view.evidence),
        f"Matters most: {words.listed(words.drivers(view.evidence, 3))}." if words.drivers(view.evidence) else "",
        *_severe(view),
        *(note for note in view.evidence.notes if note.startswith(PRICE)),
        _package(view),
    ]
    width = max(width, NARROWEST)
    return "\n".join(line for sentence in told if sentence for line in _wrapped(sentence, width))


def _severe(view: View) -> list[str]:
    """Return the severe findings, suspected leaks first."""
    leaks = suspects(view)
    severe = [*leaks, *(f for f in view.findings if f.severity is Severity.SEVERE and f not in leaks)]
    said = [f"! {f.code} {words.finding_sentence(f)}." for f in severe[:MOST_FINDINGS]]
    rest = len(severe) - MOST_FINDINGS
    return [*said, f"! {numbers.count(rest)} more in the report."] if rest > 0 else said


def _package(view: View) -> str:
    size = f", {numbers.size(view.package_size_bytes)}" if view.package_size_bytes else ""
    return f"Package: {view.package_path or view.model_name}{size}"


def _wrapped(sentence: str, width: int) -> list[str]:
    return textwrap.wrap(as_plain(sentence), width, subsequent_indent="  ", break_on_hyphens=False)
