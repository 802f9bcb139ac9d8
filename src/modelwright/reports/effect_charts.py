"""Charts of an explanation: what moves the answer, and in what shape."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelwright.reports import charts
from modelwright.reports.gallery import Picture
from modelwright.reports.names import as_plain, clean, distinct, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.reports.charts import Spec

MOST_SHAPES = 8
SHAPE_HEIGHT = 170
MOST_LEVELS = 8
"""So many levels are drawn; rows with others are not asked."""


def pictures(facts: Mapping[str, Any]) -> list[Picture]:
    """Return every chart the facts have data for."""
    scale = 100.0 if facts["space"] == "probability" else 1.0
    unit = (
        "points"
        if facts["space"] == "probability"
        else clean(facts["target"], 24)
        if not facts["labels"]
        else "log-odds"
    )
    found = []
    moves = [e for e in facts["importance"]["moves"] if e["value"] > 0]
    if moves:
        entries = [{**e, **{k: e[k] * scale for k in ("value", "low", "high")}} for e in moves]
        told = ", ".join(clean(e["column"]) for e in moves[:5])
        caption = "How far each column moves an answer from where it starts, in the mean over the known rows."
        spec = charts.importance(entries, unit, title=f"mean move, {unit}")
        found.append(Picture("moves", "What moves the answer", caption, f"Most first: {told}.", spec))
    return [*found, *of_shapes(facts)]


def of_shapes(facts: Mapping[str, Any]) -> list[Picture]:
    """Return a chart for each column whose shape is known."""
    found, is_share = [], bool(facts["labels"])
    unit = "points" if is_share else clean(facts["target"], 24)
    of = f"the probability of {quoted(facts['focus'])}" if is_share else "the answer"
    for i, shape in enumerate(s for s in facts["shapes"][:MOST_SHAPES] if s["at"]):
        by = 100.0 if is_share else 1.0
        told = (
            f"As it grows {as_plain(of)} {shape['direction']}." if shape["direction"] != "differs" else "Levels differ."
        )
        caption = as_plain(f"What it adds to {of}: {shape['method']}.")
        if shape["kind"] == "category" and len(shape["at"]) >= MOST_LEVELS:
            caption += f" The {len(shape['at'])} most frequent levels."
        title = clean(shape["column"], 40)
        found.append(Picture(f"shape-{i}", title, caption, told, effect(shape, by, unit)))
    return found


def effect(shape: Mapping[str, Any], scale: float, unit: str) -> Spec:
    """Draw a column's effect with its interval: a line over numbers, dots over levels."""
    import altair as alt

    is_number = shape["kind"] in ("number", "datetime")
    at: list[Any] = shape["at"] if is_number else distinct([clean(str(v), 20) for v in shape["at"]])
    if shape["kind"] == "datetime":
        at = [datetime.fromtimestamp(v, UTC).strftime("%Y-%m-%d %H:%M") for v in at]
    points = [
        {"x": x, "y": y * scale, "low": low * scale, "high": high * scale}
        for x, y, low, high in zip(at, shape["effect"], shape["low"], shape["high"], strict=True)
    ]
    y = alt.Y("y", type="quantitative", title=f"effect, {unit}")
    y_low = alt.Y("low", type="quantitative", title=f"effect, {unit}")
    chart = alt.Chart(alt.NamedData(charts.DATA))
    if is_number:
        kind: Any = "temporal" if shape["kind"] == "datetime" else "quantitative"
        x = alt.X("x", type=kind, title=None, scale=alt.Scale(zero=False) if kind == "quantitative" else alt.Scale())
        band = chart.mark_area(color=charts.ACCENT, opacity=0.18).encode(x=x, y=y_low, y2=alt.Y2("high"))
        line = chart.mark_line(color=charts.ACCENT, strokeWidth=2).encode(x=x, y=y)
        return charts.finished(alt.layer(band, line), points, height=SHAPE_HEIGHT)
    y_name = alt.Y("x", type="nominal", sort=None, title=None)
    x_low = alt.X("low", type="quantitative", title=f"effect, {unit}")
    rule = chart.mark_rule(color=charts.ACCENT, opacity=0.5, strokeWidth=2).encode(y=y_name, x=x_low, x2=alt.X2("high"))
    value = alt.X("y", type="quantitative", title=f"effect, {unit}")
    dots = chart.mark_circle(color=charts.ACCENT, size=60, opacity=1).encode(y=y_name, x=value)
    return charts.finished(alt.layer(rule, dots), points, height=max(24 * len(points), 60))
