"""What a look at a model in use saw, as plain text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.core.metrics import MEASURES
from modelwright.reports import numbers
from modelwright.reports.replay import day, effect, span
from modelwright.reports.terminal import table, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping

DRIFTS_SHOWN = 8
WINDOWS_SHOWN = 7


def summary(told: Mapping[str, Any], width: int) -> str:
    """Return what a pass saw, a screen long."""
    if not told["acted"]:
        lines = [f"{told['model']}: another watcher is at work; this is what it saw last."]
        if "metric" not in told:
            return "\n".join(lines)
    else:
        lines = []
    windows = told["windows"]
    if not windows:
        return "\n".join([*lines, f"{told['model']}: no window has ended yet."])
    rows = sum(w["rows"] for w in windows)
    last = max((w["end"] for w in windows if w["rows"]), default=windows[-1]["end"])
    lines += [
        wrapped(
            f"{told['model']}: {numbers.counted(rows, 'answer')} in {len(windows)} windows of "
            f"{span(told['window_seconds'])} to {day(last)}, compared with "
            f"{told['reference_rows']:,} rows it was judged on; {told['budget']:g} false alarms a month accepted.",
            width,
        ),
        "",
        *_quality(told, width),
        "",
        *_drifts(told, width),
        "",
        *_alarms(told, width),
        wrapped(f"Advice: {told['advice']['action']}: {told['advice']['reason']}.", width),
    ]
    return "\n".join(lines)


def _quality(told: Mapping[str, Any], width: int) -> list[str]:
    metric = told["metric"]
    head = ("window", "rows", "estimated", "realised", "awaited")
    rows = [
        (
            day(w["start"]),
            f"{w['rows']:,}",
            _of(w["estimated"], metric),
            _of(w["realised"], metric),
            f"{w['awaited']:,}",
        )
        for w in [w for w in told["windows"] if w["rows"]][-WINDOWS_SHOWN:]
    ]
    trust = [] if told["is_trusted"] else [wrapped("Do not trust the estimates: outcomes contradict them.", width)]
    return [MEASURES[metric].title, *table([head, *rows], width=width), *trust]


def _of(scores: Mapping[str, Any], metric: str) -> str:
    score = scores.get(metric)
    if score is None or score["value"] is None:
        return ""
    value, low, high = numbers.measured(score["value"], score["low"], score["high"])
    return f"{value} ({low} to {high})"


def _drifts(told: Mapping[str, Any], width: int) -> list[str]:
    head = ("column", "drift", "95 % interval", "mean loss, estimated")
    shown = [d for d in told["drift"] if d["value"] is not None][:DRIFTS_SHOWN]
    rows = [(d["column"], f"{d['value']:.2f}", f"{d['low']:.2f} to {d['high']:.2f}", _share(d)) for d in shown]
    return table([head, *rows], width=width)


def _share(drift: Mapping[str, Any]) -> str:
    share = drift["loss_change_share"]
    return "" if share is None else f"{100 * share:+.1f} %"


def _alarms(told: Mapping[str, Any], width: int) -> list[str]:
    lasting = [a for a in told["alarms"] if a["ended"] is None]
    if not lasting:
        return ["alarms: none lasts"]
    lines = [f"alarms: {len(lasting)}"]
    for a in lasting:
        known = f", acknowledged by {a['acknowledged_by']}" if a["acknowledged"] else ""
        lines.append(wrapped(f"{a['id'][:8]}  {day(a['time'])}  {a['title']}{effect(a)}{_money(a)}{known}", width))
    return lines


def _money(alarm: Mapping[str, Any]) -> str:
    money = alarm.get("money")
    return "" if money is None else f"; {money:+,.0f} a month in money"
