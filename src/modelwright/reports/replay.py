"""The story of a replay: plain text for a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelwright.core.metrics import MEASURES
from modelwright.reports import numbers
from modelwright.reports.terminal import table, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_LISTED = 15


def day(seconds: float) -> str:
    """Return a moment as a date, with the hour where it is not midnight."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%d}" if moment.hour == 0 and moment.minute == 0 else f"{moment:%Y-%m-%d %H:%M}"


def span(seconds: float) -> str:
    """Return a length of time in words.

    >>> span(604800.0)
    '7 days'
    """
    for unit, size in (("day", 86_400.0), ("hour", 3_600.0), ("minute", 60.0)):
        if seconds >= size:
            count = seconds / size
            return f"{count:.3g} {unit}{'' if count == 1 else 's'}"
    return f"{seconds:.3g} seconds"


def summary(told: Mapping[str, Any], width: int) -> str:
    """Return what would have happened, a screen long.

    Args:
        told: As ``flows.replay.Replayed.to_dict`` returns it.
        width: Columns of the terminal.
    """
    facts, windows, compared = told["facts"], told["windows"], told["comparison"]
    metric = MEASURES[facts["metric"]].title
    lines = [
        wrapped(
            f"Played {len(windows)} windows of {span(facts['window_seconds'])} from {day(windows[0]['start'])} to "
            f"{day(windows[-1]['end'])}; outcomes known after {span(facts['delay_seconds'])}; "
            f"{facts['alarms_a_month']:g} false alarms a month accepted.",
            width,
        ),
        "",
        *table([("retraining", metric, "retrains", "seconds"), *(_way(n, compared) for n in WAYS)], width=width),
        "",
        *(wrapped(sentence, width) for sentence in verdicts(told)),
        "",
        *_listed("alarms", [f"{day(a['time'])}  {a['title']}{effect(a)}" for a in told["alarms"]], width),
        *_listed("retrains", [retrain(r, metric) for r in told["retrains"]], width),
        wrapped(estimates(told), width),
        *([f"page: {told['page']}"] if told["page"] else []),
    ]
    return "\n".join(lines)


WAYS = {"never": "never", "advice": "on advice", "always": "in every window"}


def _way(name: str, compared: Mapping[str, Any]) -> tuple[str, ...]:
    way = compared[name]
    return WAYS[name], f"{way['value']:.4g}", str(way["retrains"]), f"{way['seconds']:.1f}"


def verdicts(told: Mapping[str, Any]) -> list[str]:
    """Return what the comparison says, one sentence each."""
    greater = told["facts"]["greater_is_better"]
    title = MEASURES[told["facts"]["metric"]].title
    found = []
    for key, first, second in (
        ("advice_less_never", "on advice", "never"),
        ("advice_less_always", "on advice", "always"),
    ):
        d = told["comparison"][key]
        if d["value"] is None:
            continue
        better = (d["value"] > 0) == greater
        sure = d["low"] > 0 or d["high"] < 0
        what = "tied with" if not sure else "better than" if better else "worse than"
        low, high = sorted((abs(d["low"]), abs(d["high"]))) if sure else (d["low"], d["high"])
        found.append(
            f"Retraining {first} is {what} {second} retraining: {title} differs by "
            f"{abs(d['value']):.3g} (95 % interval {low:.3g} to {high:.3g})."
        )
    return found


def effect(alarm: Mapping[str, Any]) -> str:
    """Return what an alarm is estimated to cost."""
    share = alarm["effect_share"]
    if share is None:
        return ""
    known = "mean loss" if alarm["is_about_quality"] else "mean loss, estimated"
    return f" ({known} {100 * share:+.0f} %)"


def retrain(r: Mapping[str, Any], metric: str) -> str:
    """Return a retrain in one line."""
    d = r["difference"]
    return (
        f"{day(r['time'])}  {r['verdict']}: {metric} {d['value']:+.3g} ({d['low']:+.3g} to {d['high']:+.3g}) "
        f"on {numbers.counted(r['judged_on'], 'row')}; {r['seconds']:.0f} s"
    )


def estimates(told: Mapping[str, Any]) -> str:
    """Return how often the estimate without labels held."""
    known = [w for w in told["windows"] if w["agrees"] is not None]
    trusted = [w for w in known if w["is_trusted"]]
    if not known:
        return "Quality without labels could not be estimated."
    held = sum(w["agrees"] for w in trusted)
    said = f"Estimates without labels: in {held} of {len(trusted)} windows the realised measure lay in the band"
    return f"{said}; in {len(known) - len(trusted)} windows they said not to trust them."


def _listed(title: str, lines: list[str], width: int) -> list[str]:
    if not lines:
        return [f"{title}: none", ""]
    rest = len(lines) - MOST_LISTED
    more = [f"… and {rest} more"] if rest > 0 else []
    return [f"{title}: {len(lines)}", *(wrapped(line, width) for line in lines[:MOST_LISTED]), *more, ""]
