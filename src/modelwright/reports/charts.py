"""Charts: one function each, from figures to a Vega-Lite spec with its data inside.

Colours are CSS variables of the page, so that one drawing reads well in the light, in the dark and on paper.
The specs are made with Altair's classes and spelled-out types: its shorthand costs forty times as long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.reports.names import clean, distinct

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from modelwright.reports.figures import Band, Bin, Confusion, Point, Series

WIDTH, HEIGHT = 300, 230
ACCENT, SECOND, THIRD = "var(--accent)", "var(--second)", "var(--third)"
QUIET, INK = "var(--quiet)", "var(--ink)"
DATA = "points"
MOST_BARS = 12
MOST_CLASSES_COUNTED = 12
DEEP = 0.75
"""From this share on a cell's shade is so deep that its number is written in the opposite colour."""

CONFIG: dict[str, Any] = {
    "aria": False,
    "background": None,
    "font": "Arial, Helvetica, Liberation Sans, sans-serif",  # measured here, shown there: alike on most machines
    "padding": {"left": 12, "right": 8, "top": 4, "bottom": 4},
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--soft)",
        "titleColor": "var(--soft)",
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "labelLimit": 120,
        "tickCount": 5,
    },
    "legend": {
        "labelColor": "var(--ink)",
        "labelFontSize": 11,
        "orient": "top",
        "title": None,
        "symbolStrokeWidth": 2.5,
        "labelLimit": 130,
        "symbolOpacity": 1,
    },
}

Spec = dict[str, Any]


def warm() -> None:
    """Import the chart library, which takes half a second, at a moment when that costs nothing."""
    import altair  # noqa: F401


def importance(entries: Sequence[Mapping[str, Any]], loss: str, *, title: str = "") -> Spec:
    """Draw how much worse the model gets without each column, with intervals."""
    import altair as alt

    shown = entries[:MOST_BARS]
    names = distinct([clean(str(e["column"]), 26) for e in shown])
    points = [
        {"name": n, "value": e["value"], "low": _known(e["low"], e["value"]), "high": _known(e["high"], e["value"])}
        for n, e in zip(names, shown, strict=True)
    ]
    y = alt.Y("name", type="nominal", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False))
    title = title or f"rise of the {loss}"
    bars = on().mark_bar(color=ACCENT, opacity=0.75).encode(x=alt.X("value", type="quantitative", title=title), y=y)
    whiskers = on().mark_rule(color=INK).encode(x=alt.X("low", type="quantitative"), x2=alt.X2("high"), y=y)
    return finished(alt.layer(bars, whiskers), points, width=220, height=22 * len(points) + 10)


def leaderboard(entries: Sequence[Mapping[str, Any]], loss: str) -> Spec:
    """Draw how far each candidate's loss lies behind the best one's, those tied with it in colour."""
    import altair as alt

    shown = [e for e in entries if e.get("low") is not None and e.get("high") is not None][:MOST_BARS]
    names = distinct([clean(str(e["name"]), 26) for e in shown])
    points = [
        {"name": n, "low": e["low"], "high": e["high"], "middle": (e["low"] + e["high"]) / 2, "colour": colour}
        for n, e in zip(names, shown, strict=True)
        for colour in [ACCENT if e.get("tied") else QUIET]
    ]
    y = alt.Y("name", type="nominal", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, grid=True))
    colour = alt.Color("colour", type="nominal", scale=None)
    x = alt.X("middle", type="quantitative", title=f"{loss} behind the best")
    dots = on().mark_circle(size=60, opacity=1).encode(x=x, y=y, color=colour)
    span = alt.X("low", type="quantitative")
    spans = on().mark_rule(strokeWidth=2).encode(x=span, x2=alt.X2("high"), y=y, color=colour)
    return finished(alt.layer(spans, dots), points, width=220, height=22 * len(points) + 10)


def convergence(runs: Sequence[Mapping[str, Any]]) -> Spec:
    """Draw how the loss fell round by round, on the rows learnt from and on the rows held back."""
    import altair as alt

    names = distinct([clean(str(r["name"]), 40) for r in runs])
    points = [
        {"name": name, "round": x, "loss": y, "rows": rows}
        for name, run in zip(names, runs, strict=True)
        for key, rows in (("valid", "held back"), ("fit", "learnt from"))
        for x, y in thinned(list(zip(run["rounds"], run.get(key) or (), strict=False)))
        if y is not None
    ]
    title = str(runs[0].get("metric") or "loss").replace("_", " ")
    stacked = alt.Legend(orient="bottom", direction="vertical", labelLimit=WIDTH - 40)
    chart = (
        on()
        .mark_line(strokeWidth=1.75)
        .encode(
            x=alt.X("round", type="quantitative", title="round"),
            y=alt.Y("loss", type="quantitative", title=title, scale=alt.Scale(zero=False)),
            color=alt.Color("name", type="nominal", scale=_palette(alt, names), legend=stacked),
            strokeDash=alt.StrokeDash("rows", type="nominal", sort=["held back", "learnt from"], legend=alt.Legend()),
        )
    )
    return finished(chart, points)


def confusion(table: Confusion) -> Spec:
    """Draw how often each class was answered for each truth; shading shows the share of the truth's rows."""
    import altair as alt

    names = distinct([clean(label, 14) for label in table.labels])
    points = [
        {
            "truth": t,
            "answer": a,
            "count": f"{n:,.0f}",
            "share": n / max(sum(row), 1),
            "text": INK if n / max(sum(row), 1) < DEEP else "var(--on-accent)",
        }
        for t, row in zip(names, table.counts, strict=True)
        for a, n in zip(names, row, strict=True)
    ]
    height = len(names) * max(14, min(64, WIDTH // len(names)))
    plain = alt.Axis(grid=False, ticks=False, domain=False, labelAngle=0 if len(names) < 5 else -90)
    x = alt.X("answer", type="nominal", sort=None, title="answer", axis=plain)
    y = alt.Y("truth", type="nominal", sort=None, title="truth", axis=alt.Axis(grid=False, ticks=False, domain=False))
    depth = alt.Opacity("share", type="quantitative", scale=alt.Scale(domain=[0, 1], range=[0.04, 0.92]), legend=None)
    squares = on().mark_rect(color=ACCENT, cornerRadius=2).encode(x=x, y=y, opacity=depth)
    layers = [squares]
    if len(names) <= MOST_CLASSES_COUNTED:
        text = on().mark_text(fontSize=13 if len(names) < 6 else 10)
        layers.append(
            text.encode(
                x=x, y=y, text=alt.Text("count", type="nominal"), color=alt.Color("text", type="nominal", scale=None)
            )
        )
    return finished(alt.layer(*layers), points, width=max(WIDTH, height), height=height)


def curves(lines: Sequence[Series], x_title: str, y_title: str, reference: Sequence[Point]) -> Spec:
    """Draw one curve or several within the unit square, with a dashed line of what chance would give."""
    import altair as alt

    names = distinct([clean(line.name, 20) for line in lines])
    points = [
        {"name": name, "x": x, "y": y, "order": i}
        for name, line in zip(names, lines, strict=True)
        for i, (x, y) in enumerate(thinned(line.points, 200 if len(lines) == 1 else 60))
    ]
    x, y = _unit(alt, "x", x_title), _unit(alt, "y", y_title)
    order = alt.Order("order", type="quantitative")
    mark = on().mark_line(strokeWidth=2, clip=True, interpolate="linear")
    if len(lines) == 1:
        drawn = mark.encode(x=x, y=y, order=order, color=alt.value(ACCENT))
    else:
        drawn = mark.encode(
            x=x,
            y=y,
            order=order,
            detail=alt.Detail("name", type="nominal"),
            color=alt.value(ACCENT),
            opacity=alt.value(0.35),
        )
    dashes = on("reference").mark_line(color=QUIET, strokeDash=[4, 4], clip=True).encode(x=x, y=y)
    spec = finished(alt.layer(dashes, drawn), points, height=WIDTH)
    spec["datasets"]["reference"] = [{"x": a, "y": b} for a, b in reference]
    return spec


def calibration(bins: Sequence[Bin]) -> Spec:
    """Draw how often what was said came true, for each level of probability, with intervals."""
    import altair as alt

    points = [{"x": b.said, "y": b.true, "low": b.low, "high": b.high} for b in bins]
    x, y = _unit(alt, "x", "probability the model gave"), _unit(alt, "y", "share that came true")
    spans = (
        on()
        .mark_rule(color=ACCENT, opacity=0.5)
        .encode(x=x, y=_unit(alt, "low", "share that came true"), y2=alt.Y2("high"))
    )
    line = on().mark_line(color=ACCENT, strokeWidth=2, point={"color": ACCENT, "size": 30}).encode(x=x, y=y)
    dashes = on("reference").mark_line(color=QUIET, strokeDash=[4, 4]).encode(x=x, y=y)
    spec = finished(alt.layer(dashes, spans, line), points, height=WIDTH)
    spec["datasets"]["reference"] = [{"x": 0, "y": 0}, {"x": 1, "y": 1}]
    return spec


def estimates(points: Iterable[Point], bands: Sequence[Band], target: str) -> Spec:
    """Draw estimates against truths; on the dashed line the estimate is right, nine of ten lie in the band."""
    import altair as alt

    rows = [{"x": x, "y": y} for x, y in points]
    ends = [min(min(r["x"], r["y"]) for r in rows), max(max(r["x"], r["y"]) for r in rows)]
    free = alt.Scale(zero=False)
    x = alt.X("x", type="quantitative", title=f"estimate of {clean(target, 30)}", scale=free)
    y = alt.Y("y", type="quantitative", title="truth", scale=free)
    dots = on().mark_circle(color=ACCENT, opacity=0.4, size=14).encode(x=x, y=y)
    dashes = on("reference").mark_line(color=QUIET, strokeDash=[4, 4]).encode(x=x, y=y)
    low = alt.Y("low", type="quantitative", title="truth", scale=free)
    band = on("bands").mark_area(color=ACCENT, opacity=0.15).encode(x=x, y=low, y2=alt.Y2("high"))
    spec = finished(alt.layer(band, dots, dashes), rows, height=WIDTH)
    spec["datasets"]["reference"] = [{"x": e, "y": e} for e in ends]
    spec["datasets"]["bands"] = [{"x": b.estimate, "low": b.low, "high": b.high} for b in bands]
    return spec


def distribution(lines: Sequence[Series], x_title: str) -> Spec:
    """Draw how values are spread: one filled step line per group, each point a bin's left end and its count."""
    import altair as alt

    names = distinct([clean(line.name, 20) for line in lines])
    points = [{"name": n, "x": x, "y": y} for n, line in zip(names, lines, strict=True) for x, y in line.points]
    area = on().mark_area(interpolate="step-after", opacity=0.3, line={"strokeWidth": 2})
    chart = area.encode(
        x=alt.X("x", type="quantitative", title=x_title, scale=alt.Scale(zero=False)),
        y=alt.Y("y", type="quantitative", title="rows", stack=None),
        color=alt.Color("name", type="nominal", scale=_palette(alt, names), legend=alt.Legend() if names[1:] else None),
    )
    return finished(chart, points)


def on(data: str = DATA) -> Any:
    """Return a chart of one of the spec's data sets."""
    import altair as alt

    return alt.Chart(alt.NamedData(data))


def _unit(alt: Any, field: str, title: str) -> Any:
    """Return an axis from 0 to 1."""
    channel = alt.X if field == "x" else alt.Y
    return channel(field, type="quantitative", title=title, scale=alt.Scale(domain=[0, 1]))


def _palette(alt: Any, names: Sequence[str]) -> Any:
    """Return colours that people of every colour vision can tell apart."""
    return alt.Scale(domain=list(names), range=[ACCENT, SECOND, THIRD][: len(names)])


def finished(chart: Any, points: list[dict[str, Any]], *, width: int = WIDTH, height: int = HEIGHT) -> Spec:
    """Return the finished spec; sizes and data are put in here, where Altair does not copy and check them."""
    spec: Spec = chart.to_dict(validate=False)
    spec["config"] = CONFIG
    spec["width"], spec["height"] = width, height
    spec["datasets"] = {DATA: points}
    return spec


def _known(value: float | None, otherwise: float) -> float:
    return otherwise if value is None or value != value else value  # noqa: PLR0124 - NaN is what differs from itself


def thinned(points: Sequence[Point], most: int = 80) -> list[Point]:
    """Return at most so many of the points, evenly picked, the last among them."""
    step = max(1, -(-len(points) // most))
    return [p for i, p in enumerate(points) if i % step == 0 or i == len(points) - 1]
