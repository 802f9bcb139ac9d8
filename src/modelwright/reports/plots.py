"""Plots: charts of experiments in the style of the page: lines, bars, dots, shades and paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.reports.charts import ACCENT, HEIGHT, INK, QUIET, SECOND, THIRD, WIDTH, Spec, finished, on, thinned
from modelwright.reports.names import clean, distinct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.reports.figures import Point, Series

COLOURS = (ACCENT, SECOND, THIRD, INK, QUIET)
"""As many lines can be told apart; more are drawn dashed."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis.

    Attributes:
        title: What is along it.
        is_log: Whether it is logarithmic.
        ends: Where it begins and ends, when that is fixed.
        in_powers: Whether its labels are powers of ten, for values far below one.
    """

    title: str
    is_log: bool = False
    ends: tuple[float, float] | None = None
    in_powers: bool = False


def lines(
    series: Sequence[Series],
    x: Axis,
    y: Axis,
    *,
    marks: Sequence[Point] = (),
    upright: float | None = None,
    level: tuple[float, str] | None = None,
) -> Spec:
    """Draw lines of several names.

    Args:
        series: At most ten.
        x: Left to right.
        y: Bottom to top.
        marks: Points to be ringed.
        upright: Where a dashed line stands.
        level: Where a dashed line lies, and what it is called.
    """
    import altair as alt

    names = distinct([clean(s.name, 34) for s in series])
    points = [
        {"name": n, "x": a, "y": b, "order": i}
        for n, s in zip(names, series, strict=True)
        for i, (a, b) in enumerate(thinned(s.points, 160))
    ]
    on_x, on_y = _axis(alt, "X", "x", x), _axis(alt, "Y", "y", y)
    legend = alt.Legend(orient="bottom", columns=1, labelLimit=WIDTH, direction="vertical") if names[1:] else None
    many = len(names) > len(COLOURS)
    dashes = [[1, 0]] * len(COLOURS) + [[5, 3]] * len(COLOURS)
    encoding: dict[str, Any] = {
        "x": on_x,
        "y": on_y,
        "order": alt.Order("order", type="quantitative"),
        "color": alt.Color("name", type="nominal", scale=_colours(alt, names), legend=legend),
    }
    if many:
        scale = alt.Scale(domain=names, range=dashes[: len(names)])
        encoding["strokeDash"] = alt.StrokeDash("name", type="nominal", scale=scale, legend=legend)
    n_most = max((len(s.points) for s in series), default=0)
    dot: Any = {"size": 28, "filled": True} if n_most <= 16 else False
    layers = [on().mark_line(strokeWidth=2, point=dot, clip=True).encode(**encoding)]
    extra: dict[str, list[dict[str, Any]]] = {}
    if upright is not None:
        extra["upright"] = [{"x": upright}]
        layers.append(on("upright").mark_rule(color=QUIET, strokeDash=[4, 4]).encode(x=on_x))
    if level is not None:
        extra["level"] = [{"y": level[0], "text": level[1]}]
        layers.append(on("level").mark_rule(color=QUIET, strokeDash=[4, 4]).encode(y=on_y))
        text = on("level").mark_text(align="left", dx=4, dy=-6, color="var(--soft)", fontSize=11)
        layers.append(text.encode(x=alt.value(0), y=on_y, text=alt.Text("text", type="nominal")))
    if marks:
        extra["marks"] = [{"x": a, "y": b} for a, b in marks]
        ring = on("marks").mark_point(size=90, color=INK, strokeWidth=2, filled=False)
        layers.append(ring.encode(x=on_x, y=on_y))
    spec = finished(alt.layer(*layers), points)
    spec["datasets"].update(extra)
    return spec


def bars(
    rows: Sequence[tuple[str, str, float]], x: Axis, *, ends: Sequence[tuple[float, float]] = (), log: bool = False
) -> Spec:
    """Draw horizontal bars.

    Args:
        rows: What the bar is of, the group it belongs to (a colour), and its length.
        x: The axis of lengths.
        ends: An interval for each bar, or none.
        log: Draw dots on a logarithmic axis in place of bars, which have no length there.
    """
    import altair as alt

    whats = list(dict.fromkeys(clean(r[0], 26) for r in rows))
    groups = list(dict.fromkeys(clean(r[1], 30) for r in rows))
    points: list[dict[str, Any]] = [{"what": clean(a, 26), "group": clean(b, 30), "value": v} for a, b, v in rows]
    for point, (low, high) in zip(points, ends, strict=False):
        point |= {"low": low, "high": high}
    y = alt.Y("what", type="nominal", sort=whats, title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=130))
    legend = alt.Legend(orient="bottom", columns=1, labelLimit=WIDTH) if groups[1:] else None
    colour = alt.Color("group", type="nominal", scale=_colours(alt, groups), legend=legend)
    offset = {"yOffset": alt.YOffset("group", type="nominal", sort=groups)} if groups[1:] else {}
    on_x = _axis(alt, "X", "value", x, zero=True)
    mark = on().mark_circle(size=70, opacity=1) if log else on().mark_bar(opacity=0.8)
    layers = [mark.encode(x=on_x, y=y, color=colour, **offset)]
    if ends:
        rule = on().mark_rule(color=INK)
        layers.append(rule.encode(x=alt.X("low", type="quantitative"), x2=alt.X2("high"), y=y, **offset))
    height = len(whats) * (12 + 14 * max(len(groups), 1))
    return finished(alt.layer(*layers), points, width=210, height=height)


def dots(points: Sequence[tuple[float, float, str]], x: Axis, y: Axis, *, names: Sequence[str] = ()) -> Spec:
    """Draw a cloud of points, coloured by group.

    Args:
        points: x, y and the group of each.
        x: Left to right.
        y: Bottom to top.
        names: The groups in order, at most 15; those beyond the fifth share its colour and differ in shape.
    """
    import altair as alt

    groups = [clean(n, 24) for n in names] or list(dict.fromkeys(clean(p[2], 24) for p in points))
    rows = [{"x": a, "y": b, "name": clean(n, 24)} for a, b, n in points]
    legend = alt.Legend(orient="bottom", columns=2, labelLimit=140) if groups[1:] else None
    encoding: dict[str, Any] = {
        "x": _axis(alt, "X", "x", x),
        "y": _axis(alt, "Y", "y", y),
        "color": alt.Color("name", type="nominal", scale=_colours(alt, groups), legend=legend),
    }
    if len(groups) > len(COLOURS):
        n = len(COLOURS)
        shapes = (["circle"] * n + ["triangle-up"] * n + ["square"] * n)[: len(groups)]
        scale = alt.Scale(domain=groups, range=shapes)
        encoding["shape"] = alt.Shape("name", type="nominal", scale=scale, legend=legend)
    chart = on().mark_point(size=26, opacity=0.65, filled=True, strokeWidth=0).encode(**encoding)
    return finished(chart, rows)


def strips(groups: Sequence[tuple[str, Sequence[float]]], x: Axis) -> Spec:
    """Draw each group's values as fine upright strokes in a row of its own, and their mean as a thick one."""
    import altair as alt

    names = distinct([clean(name, 26) for name, _ in groups])
    points = [{"name": n, "x": float(v)} for n, (_, values) in zip(names, groups, strict=True) for v in values]
    y = alt.Y("name", type="nominal", sort=names, title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=140))
    on_x = _axis(alt, "X", "x", x)
    fine = on().mark_tick(color=ACCENT, opacity=0.5, thickness=1.5, size=24).encode(x=on_x, y=y)
    thick = on("means").mark_tick(color=SECOND, thickness=3, size=34).encode(x=on_x, y=y)
    spec = finished(alt.layer(fine, thick), points, width=220, height=46 * len(names))
    means = [{"name": n, "x": sum(v) / len(v)} for n, (_, v) in zip(names, groups, strict=True) if len(v)]
    spec["datasets"]["means"] = means
    return spec


def path(
    shades: Sequence[tuple[float, float, float]], cell: tuple[float, float], walk: Sequence[Series], x: Axis, y: Axis
) -> Spec:
    """Draw the height of a landscape as shades, and walks through it.

    Args:
        shades: x and y of a cell's middle and its height, 0 (deepest) to 1.
        cell: Width and height of a cell.
        walk: Lines over the landscape; every step is a dot.
        x: Left to right, with ends.
        y: Bottom to top, with ends.
    """
    import altair as alt

    wide, high = cell
    rows = [
        {"x": a - wide / 2, "x2": a + wide / 2, "y": b - high / 2, "y2": b + high / 2, "h": h} for a, b, h in shades
    ]
    on_x, on_y = _axis(alt, "X", "x", x), _axis(alt, "Y", "y", y)
    depth = alt.Opacity("h", type="quantitative", scale=alt.Scale(domain=[0, 1], range=[0.5, 0.02]), legend=None)
    ground = on().mark_rect(color=ACCENT, strokeWidth=0, clip=True)
    layers = [ground.encode(x=on_x, x2=alt.X2("x2"), y=on_y, y2=alt.Y2("y2"), opacity=depth)]
    names = distinct([clean(s.name, 34) for s in walk])
    steps = [
        {"name": n, "x": a, "y": b, "order": i}
        for n, s in zip(names, walk, strict=True)
        for i, (a, b) in enumerate(s.points)
    ]
    line = on("walk").mark_line(strokeWidth=1.5, point={"size": 22}, clip=True)
    legend = alt.Legend(orient="bottom", columns=1, labelLimit=WIDTH)
    scale = alt.Scale(domain=names, range=[SECOND, INK, THIRD][: len(names)])
    colour = alt.Color("name", type="nominal", scale=scale, legend=legend)
    layers.append(line.encode(x=on_x, y=on_y, order=alt.Order("order", type="quantitative"), color=colour))
    spec = finished(alt.layer(*layers), rows, height=HEIGHT + 30)
    spec["datasets"]["walk"] = steps
    return spec


def grid(cells: Sequence[tuple[str, str, float, str]], x_title: str, y_title: str) -> Spec:
    """Draw a table of shades: column, row, depth from 0 to 1, and the text in the cell."""
    import altair as alt

    rows = [
        {"x": clean(a, 18), "y": clean(b, 18), "depth": d, "text": t, "ink": INK if d < 0.75 else "var(--on-accent)"}
        for a, b, d, t in cells
    ]
    xs, ys = (list(dict.fromkeys(str(r[k]) for r in rows)) for k in ("x", "y"))
    plain: dict[str, Any] = {"grid": False, "ticks": False, "domain": False}
    x = alt.X("x", type="nominal", sort=xs, title=x_title, axis=alt.Axis(labelAngle=0 if len(xs) < 4 else -90, **plain))
    y = alt.Y("y", type="nominal", sort=ys, title=y_title, axis=alt.Axis(**plain))
    depth = alt.Opacity("depth", type="quantitative", scale=alt.Scale(domain=[0, 1], range=[0.04, 0.92]), legend=None)
    squares = on().mark_rect(color=ACCENT, cornerRadius=2).encode(x=x, y=y, opacity=depth)
    text = on().mark_text(fontSize=13 if len(xs) < 6 else 10)
    colour = alt.Color("ink", type="nominal", scale=None)
    texts = text.encode(x=x, y=y, text=alt.Text("text", type="nominal"), color=colour)
    return finished(alt.layer(squares, texts), rows, height=len(ys) * max(24, min(60, WIDTH // max(len(xs), 1))))


def _axis(alt: Any, channel: str, field: str, axis: Axis, *, zero: bool = False) -> Any:
    scale: dict[str, Any] = {"type": "log", "nice": False} if axis.is_log else {"zero": zero}
    if axis.ends is not None:
        scale |= {"domain": list(axis.ends), "nice": False}
    form = {"format": "~e"} if axis.in_powers else {}
    shown = {"axis": alt.Axis(tickCount=5, labelOverlap=True, **form)} if axis.is_log else {}
    return getattr(alt, channel)(field, type="quantitative", title=axis.title, scale=alt.Scale(**scale), **shown)


def _colours(alt: Any, names: Sequence[str]) -> Any:
    repeated = (COLOURS * (len(names) // len(COLOURS) + 1))[: len(names)]
    return alt.Scale(domain=list(names), range=list(repeated))
