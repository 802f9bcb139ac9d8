"""Two models side by side: as a page and as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.core.metrics import MEASURES
from modelwright.reports import numbers
from modelwright.reports.names import clean, marked
from modelwright.reports.prose import Block, Grid, Paragraph, Prose, Said, Section
from modelwright.reports.terminal import table, wrapped

if TYPE_CHECKING:
    from modelwright.core.comparison import Comparison, Gain

MOST_CHANGES = 40


def comparison(found: Comparison) -> Prose:
    """Return the page about two models.

    Args:
        found: What changed.
    """
    before, after = (marked(name, 60) for name in found.names)
    heads = ("Measure", "Before", "After", "Difference on shared rows", "95 % interval", "Verdict")
    rows = tuple(_row(g) for g in found.gains)
    basis = (
        f"{numbers.counted(found.n_shared, 'row')} sealed for both, of {numbers.count(found.n_rows[0])} before and "
        f"{numbers.count(found.n_rows[1])} after. A difference whose interval spans zero is called tied."
    )
    changes: tuple[Block, ...] = (Paragraph(Said("Nothing else changed.")),)
    if found.changes:
        shown = tuple((c.what, marked(c.before, 120), marked(c.after, 120)) for c in found.changes[:MOST_CHANGES])
        changes = (Grid(("What", "Before", "After"), shown),)
        rest = len(found.changes) - len(shown)
        changes += (Paragraph(Said(f"{numbers.count(rest)} more changed."), "small"),) if rest > 0 else ()
    again = " ".join(clean(n, 60) for n in found.names)
    return Prose(
        "comparison",
        "Two models side by side",
        f"{before} and {after}",
        (
            Section("Does it matter?", (Paragraph(Said(found.sentence), "lead"),)),
            Section("Quality", (Paragraph(Said(basis)), Grid(heads, rows))),
            Section("What else changed", changes),
            Section("How to get this page again", (Paragraph(Said(f"modelwright report {again}"), "code"),)),
        ),
        {},
    )


def text_of(found: Comparison, width: int) -> str:
    """Return the comparison for a terminal.

    Args:
        found: What changed.
        width: Columns, 20 or more.
    """
    rows = [("measure", "before", "after", "difference", "95 % interval", "verdict"), *map(_row, found.gains)]
    changes = [
        ("what changed", "before", "after"),
        *((c.what, c.before, c.after) for c in found.changes[:MOST_CHANGES]),
    ]
    lines = [wrapped(found.sentence, width), "", *table(rows, width=width)]
    told = [*lines, "", *table(changes, width=width)] if found.changes else lines
    return "\n".join(told)


def _row(gain: Gain) -> tuple[str, ...]:
    d = gain.difference
    value, low, high = numbers.measured(d.value, d.low, d.high)
    between = numbers.NOTHING if numbers.NOTHING in (low, high) else f"{low} to {high}"
    before, after = (numbers.measured(s.value, s.low, s.high)[0] for s in (gain.before, gain.after))
    return MEASURES[gain.metric].title, before, after, value, between, gain.verdict
