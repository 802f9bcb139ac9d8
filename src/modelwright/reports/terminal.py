"""Plain text for a terminal of any width, piped or not, without colour."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from modelwright.core.metrics import MEASURES
from modelwright.reports import numbers
from modelwright.reports.names import as_plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.core.score import Score

MOST_LISTED = 60
"""Columns listed in a profile; the rest are counted."""
NARROW = 60
"""Below this width a table drops its last column."""


def measures(kpis: Mapping[str, Score], target: str, *, width: int) -> str:
    """Return measures with their intervals, one a line, and notes below them.

    Args:
        kpis: Scores by name.
        target: What the target is called, for units.
        width: Columns of the terminal, 20 or more.
    """
    rows, notes = [], []
    for name, score in kpis.items():
        title = MEASURES[name].title if name in MEASURES else name
        value, low, high = numbers.measured(score.value, score.low, score.high)
        between = f"{low} to {high}" if score.low < score.high else ""
        rows.append((title, numbers.with_unit(value, score.unit, target), between))
        if score.note:
            notes.append(f"{title}: {score.note}")
    shown = rows if width >= NARROW else [row[:2] for row in rows]
    head = ("measure", "value", "95 % interval")[: len(shown[0])] if shown else ()
    return "\n".join([*table([head, *shown], width=width), *(wrapped(n, width) for n in notes)])


def profile(description: Mapping[str, Any], *, width: int) -> str:
    """Return a profile: what each column is taken for, and the findings.

    Args:
        description: As ``data.profiling.profile`` returns it.
        width: Columns of the terminal, 20 or more.
    """
    size = f"{numbers.counted(description['n_rows'], 'row')}, {numbers.counted(description['n_columns'], 'column')}"
    columns = description["columns"]
    rows: list[tuple[str, ...]] = [("column", "is a", "sure", "missing", "tells", "because")]
    rows += [
        (
            c["name"] + ("" if c["role"] == "feature" else f" ({c['role']})"),
            c["kind"],
            f"{100 * c['confidence']:.0f} %",
            _percent(c["missing_share"]) if c["n_missing"] else "",
            _strength(c.get("association")),
            c["reason"],
        )
        for c in columns[:MOST_LISTED]
    ]
    if description["target"] is None:
        rows = [(*row[:4], row[5]) for row in rows]
    lines = [size, "", *table(rows if width >= NARROW else [row[:3] for row in rows], width=width)]
    if len(columns) > MOST_LISTED:
        lines.append(f"… and {len(columns) - MOST_LISTED:,} more columns")
    found = description["findings"]
    if found:
        lines += ["", "findings"]
    for f in found:
        lines.append(wrapped(f"{f['severity'].upper()} {f['code']}: {f['title']}.", width))
        if f["action"]:
            lines.append(textwrap.indent(wrapped(f["action"], width - 2), "  "))
    return "\n".join(lines)


def table(rows: Sequence[Sequence[str]], *, width: int) -> list[str]:
    """Return lines of aligned columns; what does not fit is cut from the widest cells with an ellipsis.

    >>> table([("a", "b"), ("1", "long text")], width=8)
    ['a  b', '1  long…']
    """
    if not rows:
        return []
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    while sum(widths) + 2 * (len(widths) - 1) > width and max(widths) > 4:
        widths[widths.index(max(widths))] -= 1
    return ["  ".join(_cell(cell, w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def wrapped(text: str, width: int) -> str:
    """Return a sentence broken into lines, continuation lines indented."""
    return textwrap.fill(as_plain(text), max(width, 20), subsequent_indent="  ", break_on_hyphens=False)


def _cell(text: str, width: int) -> str:
    flat = as_plain(text)
    return flat.ljust(width) if len(flat) <= width else flat[: width - 1] + "…"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "<1 %"


def _strength(association: Any) -> str:
    return f"{association['strength']:.2f}" if association else ""
