"""The page of a replay: one HTML file that needs no network and runs no script."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from modelwright.core.metrics import MEASURES
from modelwright.reports import charts, numbers
from modelwright.reports.drawing import Pen
from modelwright.reports.names import clean
from modelwright.reports.page import TEMPLATES, environment
from modelwright.reports.replay import WAYS, day, effect, estimates, span, verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping

MILLISECONDS = 1000.0


def replay_page(told: Mapping[str, Any]) -> str:
    """Return the story of a replay as one HTML page.

    Args:
        told: As ``flows.replay.Replayed.to_dict`` returns it.
    """
    with Pen() as pen:
        drawn = pen.draw({"course": course(told)})
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    facts, windows = told["facts"], told["windows"]
    title = MEASURES[facts["metric"]].title
    return (
        environment()
        .get_template("replay.html.j2")
        .render(
            style=style,
            style_hash=f"sha256-{digest}",
            title=f"{clean(facts['target'], 60)}: replay",
            target=clean(facts["target"], 80),
            metric=title,
            sentences=verdicts(told),
            estimates=estimates(told),
            n_windows=len(windows),
            window=span(facts["window_seconds"]),
            delay=span(facts["delay_seconds"]),
            budget=f"{facts['alarms_a_month']:g}",
            n_rows=facts["rows"],
            n_first=facts["rows_first"],
            begun=day(windows[0]["start"]),
            ended=day(windows[-1]["end"]),
            course=drawn.get("course"),
            ways=[_way(name, told["comparison"]) for name in WAYS],
            alarms=[_alarm(a) for a in told["alarms"]],
            retrains=[_retrain(r) for r in told["retrains"]],
            rows=[_window(w) for w in windows],
        )
    )


def course(told: Mapping[str, Any]) -> charts.Spec:
    """Draw the measure window by window: the band that was estimated, what came true, alarms and new models."""
    import altair as alt

    points = [_point(w) for w in told["windows"] if w["realised"] is not None]
    marks = [{"t": a["time"] * MILLISECONDS, "what": "alarm"} for a in told["alarms"]]
    marks += [
        {"t": r["time"] * MILLISECONDS, "what": "new model"} for r in told["retrains"] if r["verdict"] == "promoted"
    ]
    x = alt.X("t", type="temporal", title=None)
    title = MEASURES[told["facts"]["metric"]].title
    base, rules = alt.Chart(alt.NamedData(charts.DATA)), alt.Chart(alt.NamedData("marks"))
    zero = alt.Scale(zero=False)
    band = base.mark_area(color=charts.ACCENT, opacity=0.2).encode(
        x=x, y=alt.Y("low", type="quantitative", title=title, scale=zero), y2=alt.Y2("high")
    )
    line = base.mark_line(color=charts.ACCENT, strokeWidth=1.5).encode(
        x=x, y=alt.Y("estimated", type="quantitative", scale=zero)
    )
    dots = base.mark_circle(color=charts.INK, size=28, opacity=1).encode(
        x=x, y=alt.Y("realised", type="quantitative", scale=zero)
    )
    palette = alt.Scale(domain=["alarm", "new model"], range=[charts.SECOND, charts.THIRD])
    lines = rules.mark_rule(strokeWidth=1.5, strokeDash=[3, 3]).encode(
        x=x, color=alt.Color("what", type="nominal", scale=palette, legend=alt.Legend(title=None))
    )
    spec: charts.Spec = alt.layer(band, line, dots, lines).to_dict(validate=False)
    spec["config"] = charts.CONFIG
    spec["width"], spec["height"] = 2 * charts.WIDTH, charts.HEIGHT
    spec["datasets"] = {charts.DATA: points, "marks": marks}
    return spec


def _point(window: Mapping[str, Any]) -> dict[str, Any]:
    estimated = window["estimated"] or {"value": None, "low": None, "high": None}
    return {
        "t": (window["start"] + window["end"]) / 2 * MILLISECONDS,
        "low": estimated["low"],
        "high": estimated["high"],
        "estimated": estimated["value"],
        "realised": window["realised"]["value"],
    }


def _way(name: str, compared: Mapping[str, Any]) -> tuple[str, ...]:
    way = compared[name]
    return WAYS[name], f"{way['value']:.4g}", str(way["retrains"]), f"{way['seconds']:.1f} s"


def _alarm(alarm: Mapping[str, Any]) -> dict[str, Any]:
    ended = "lasts" if alarm["ended"] is None else f"until {day(alarm['ended'])}"
    return {
        "day": day(alarm["time"]),
        "ended": ended,
        "title": f"{alarm['title']}{effect(alarm)}",
        "signals": [f"{s['text']} ({s['strength']:+.1f} standard errors)" for s in alarm["signals"][:6]],
        "segments": [
            f"{s['where']}: loss {s['loss']:.3g} in {numbers.counted(s['rows'], 'row')}, before {s['reference']:.3g}"
            for s in alarm["segments"]
        ],
    }


def _retrain(r: Mapping[str, Any]) -> tuple[str, ...]:
    d = r["difference"]
    difference = f"{d['value']:+.3g} ({d['low']:+.3g} to {d['high']:+.3g})"
    return day(r["time"]), r["verdict"], difference, f"{r['judged_on']:,}", f"{r['rows']:,}", f"{r['seconds']:.1f} s"


def _window(w: Mapping[str, Any]) -> tuple[str, ...]:
    trust = "" if w["is_trusted"] else "do not trust"
    return day(w["start"]), f"{w['rows']:,}", _score(w["estimated"]), _score(w["realised"]), trust, w["advice"]


def _score(score: Mapping[str, Any] | None) -> str:
    if score is None or score["value"] is None:
        return ""
    value, low, high = numbers.measured(score["value"], score["low"], score["high"])
    return f"{value} ({low} to {high})"
