"""Groups of rows and odd rows: as a page and as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.reports import numbers
from modelwright.reports.charts import CONFIG
from modelwright.reports.gallery import Picture
from modelwright.reports.names import clean, marked, without_secrets
from modelwright.reports.prose import Drawing, Grid, Paragraph, Prose, Said, Section, points
from modelwright.reports.terminal import table, wrapped
from modelwright.reports.words import listed

if TYPE_CHECKING:
    from modelwright.core.exploration import Group, Grouping, Oddities, OddRow

INKS = ("#0b61a4", "#c2570c", "#00755a", "#8b3fa8", "#a3261b", "#7a6a00", "#3f7fbf", "#5c626d")
ROWS_SHOWN = 50
REASONS_SHOWN = 2


def groups_page(found: Grouping, source: str, command: str) -> tuple[Prose, dict[str, Any]]:
    """Return the page about groups, and the specs of its charts.

    Args:
        found: The groups.
        source: Where the table came from.
        command: That gets the page again.
    """
    picture = _map(found)
    counts = tuple(
        (
            numbers.count(c.n),
            f"{c.silhouette:.3f}",
            f"{c.stability:.2f}",
            f"{c.low:.2f}",
            numbers.percent(c.chosen),
            "taken" if c.n == len(found.groups) else numbers.NOTHING,
        )
        for c in found.counts
    )
    heads = ("Groups", "Silhouette", "Stability", "Its lowest tenth", "Resamples that choose it", "")
    how = (
        f"Measured on {numbers.counted(found.n_judged, 'row')} and {found.n_resamples} resamples. Silhouette: how much "
        "nearer rows are to their own group than to the next (1 is far apart). Stability: how far groups found on two "
        "resamples agree (adjusted Rand index, 1 is wholly, 0 as by chance)."
    )
    sections = (
        Section(
            "How many groups, and how sure?",
            (
                Paragraph(Said(found.sentence), "" if found.is_clear else "alarm"),
                Paragraph(Said(how), "small"),
                Grid(heads, counts),
            ),
        ),
        Section(
            "The groups",
            (
                Grid(
                    ("Group", "Rows", "Found again", "What sets it apart"),
                    tuple(_group(g, found.n_rows) for g in found.groups),
                    widths=(0.1, 0.15, 0.15, 0.6),
                ),
            ),
        ),
        Section("A map of the rows", (Drawing(picture),)),
        Section("What was looked at", (*_basis(found.columns, found.n_rows, source), Paragraph(Said(command), "code"))),
    )
    title = f"Groups in {marked(_name(source), 60)}"
    return Prose("clusters", "Groups of rows", title, sections, {}), {picture.name: picture.spec}


def oddities_page(found: Oddities, source: str, command: str) -> tuple[Prose, dict[str, Any]]:
    """Return the page about odd rows, and the specs of its charts.

    Args:
        found: The odd rows.
        source: Where the table came from.
        command: That gets the page again.
    """
    picture = _histogram(found)
    rows = tuple(
        (numbers.count(r.row), f"{r.oddness:.3f}", numbers.number(r.p_value), reasons(r))
        for r in found.rows[:ROWS_SHOWN]
    )
    basis = "rows known to be ordinary" if found.has_reference else "rows of the same table"
    how = (
        f"Each row is compared with {numbers.count(found.n_reference)} {basis}, by forests that never saw it. "
        "Its p-value is the share of them that are at least as odd. "
        f"Rows at {found.false_alarms:g} or below are flagged, so of ordinary rows about "
        f"{numbers.number(100 * found.false_alarms)} in 100 are."
    )
    shown = (
        f"The first {len(rows)} of {numbers.count(found.n_flagged)}; rows are counted from 0."
        if found.n_flagged > len(rows)
        else "Rows are counted from 0."
    )
    table_ = Grid(("Row", "Oddness", "p-value", "Why"), rows, widths=(0.1, 0.12, 0.13, 0.65))
    sections = (
        Section("How many, and how sure?", (Paragraph(Said(found.sentence)), Paragraph(Said(how), "small"))),
        Section("The oddest rows", (table_, Paragraph(Said(shown), "small")) if rows else (Paragraph(Said("None.")),)),
        Section("How odd rows are", (Drawing(picture),)),
        Section("What was looked at", (*_basis(found.columns, found.n_rows, source), Paragraph(Said(command), "code"))),
    )
    title = f"Odd rows in {marked(_name(source), 60)}"
    return Prose("anomalies", "Odd rows", title, sections, {}), {picture.name: picture.spec}


def groups_text(found: Grouping, width: int) -> str:
    """Return the groups for a terminal of this width."""
    rows = [("group", "rows", "found again", "what sets it apart"), *(_group(g, found.n_rows) for g in found.groups)]
    return "\n".join([wrapped(found.sentence, width), "", *table(rows, width=width)])


def oddities_text(found: Oddities, width: int) -> str:
    """Return the odd rows for a terminal of this width."""
    rows = [("row", "oddness", "p-value", "why")]
    rows += [(numbers.count(r.row), f"{r.oddness:.3f}", numbers.number(r.p_value), reasons(r)) for r in found.rows[:15]]
    rest = found.n_flagged - len(rows) + 1
    more = [f"… and {numbers.count(rest)} more"] if rest > 0 else []
    return "\n".join([wrapped(found.sentence, width), "", *table(rows, width=width), *more])


def reasons(row: OddRow) -> str:
    """Return why a row is odd, in one line that no spreadsheet takes for a formula."""
    said = [
        f"“{marked(r.column)}” is {marked(r.value, 40)} (usually {marked(r.usual, 60)})"
        for r in row.reasons[:REASONS_SHOWN]
    ]
    return "; ".join(said) or "no column alone makes it odd"


def _group(g: Group, n_rows: int) -> tuple[str, str, str, str]:
    traits = "; ".join(
        f"{marked(t.column)}: {marked(t.here, 60)} (all rows: {marked(t.overall, 60)})" for t in g.traits[:3]
    )
    share = numbers.percent(g.n_rows / n_rows)
    return numbers.count(g.number), f"{numbers.count(g.n_rows)} ({share})", f"{g.stability:.2f}", traits or "little"


def _basis(columns: tuple[str, ...], n_rows: int, source: str) -> tuple[Any, ...]:
    return (
        points(
            f"{numbers.counted(n_rows, 'row')} of {marked(_name(source), 80)}.",
            f"{numbers.counted(len(columns), 'column')}, all weighing alike: {listed(columns, 12)}.",
        ),
    )


def _name(source: str) -> str:
    return clean(without_secrets(source).rstrip("/").rsplit("/", 1)[-1], 80)


def _map(found: Grouping) -> Picture:
    values = [{"x": round(x, 3), "y": round(y, 3), "group": str(g)} for x, y, g in found.map]
    names = [str(g.number) for g in found.groups]
    spec = _spec(
        values,
        {"type": "circle", "size": 26, "opacity": 0.65},
        {
            "x": {"field": "x", "type": "quantitative", "title": "first direction of most spread"},
            "y": {"field": "y", "type": "quantitative", "title": "second"},
            "color": {
                "field": "group",
                "type": "nominal",
                "scale": {"domain": names, "range": [INKS[i % len(INKS)] for i in range(len(names))]},
            },
        },
    )
    caption = "One dot a row, or a sample of them, seen from where they spread most; groups apart in full may overlap."
    return Picture("map", "Rows by group", caption, f"{len(names)} groups of dots.", spec)


def _histogram(found: Oddities) -> Picture:
    series = (("compared with", found.usual), ("these rows", found.found))
    shown = series if found.has_reference else series[1:]
    values = [{"x": round(x, 4), "y": y, "of": name} for name, bins in shown for x, y in bins]
    spec = _spec(
        values,
        {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
        {
            "x": {"field": "x", "type": "quantitative", "title": "oddness", "scale": {"zero": False}},
            "y": {"field": "y", "type": "quantitative", "title": "share of the rows", "axis": {"format": "%"}},
            "color": {"field": "of", "type": "nominal", "scale": {"range": list(INKS[:2])}},
        },
    )
    return Picture(
        "oddness", "Oddness", "The further right, the easier a row is told apart from all others.", "A histogram.", spec
    )


def _spec(values: list[dict[str, Any]], mark: dict[str, Any], encoding: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "config": CONFIG,
        "width": 380,
        "height": 260,
        "data": {"values": values},
        "mark": mark,
        "encoding": encoding,
    }
