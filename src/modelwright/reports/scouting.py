"""A look around for other learners, and the catalogue of methods, as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.core.metrics import MEASURES
from modelwright.reports import numbers
from modelwright.reports.terminal import table, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping

MEGABYTE = 1e6


def as_text(told: Mapping[str, Any], width: int) -> str:
    """Return what the contenders would have won, best first, and what they cost."""
    metric, champion = MEASURES[told["metric"]], told["champion"]
    price, value = champion["price"], numbers.measured(*[champion["value"]] * 3)[0]
    lines = [
        wrapped(
            f"{told['model']}: {metric.title} {value} on {told['rows']:,} rows of "
            f"its own {numbers.counted(told['folds'], 'fold')} ({', '.join(champion['members'])}); a fold is fitted in "
            f"{price['fit_seconds']:.2g} s, a row answered in {price['row_ms']:.2g} ms, {_size(price)}.",
            width,
        )
    ]
    if told["versions"]:
        moved = ", ".join(f"{v['name']} {v['then']} → {v['now'] or 'absent'}" for v in told["versions"])
        then = champion["on_record"]
        was = "" if then is None else f"; on record it has {numbers.measured(then, then, then)[0]}"
        lines.append(wrapped(f"Since it was made these versions changed: {moved}{was}.", width))
    raced = [c for c in told["contenders"] if c["ended"] == "raced"]
    head = ("contender", "alone", "beside the champion", "interval, all together", "fit", "row", "size")
    rows = [(c["name"], _value(c["alone"]), _value(c["beside"]), _ends(c["beside"]), *_price(c)) for c in raced]
    better = "more is better" if metric.greater_is_better else "less is better"
    lines += ["", f"{metric.title} less the champion's ({better})", *table([head, *rows], width=width)]
    out = [c for c in told["contenders"] if c["ended"] != "raced"]
    lines += ["", *(wrapped(f"{c['name']}: {c['ended']}{_reason(c)}", width) for c in out)] if out else []
    if told["next"]:
        lines += ["", f"next: {told['next']}"]
    else:
        lines += ["", wrapped("Nothing is surely better than the champion. Nothing was changed.", width)]
    return "\n".join(lines)


def _reason(contender: Mapping[str, Any]) -> str:
    return f": {contender['reason']}" if contender["reason"] else ""


def _value(score: Mapping[str, Any]) -> str:
    if score["value"] is None:
        return "not measurable"
    value = numbers.measured(score["value"], score["low"], score["high"])[0]
    return value if value.startswith(("-", "−")) else f"+{value}"


def _ends(score: Mapping[str, Any]) -> str:
    if score["value"] is None:
        return ""
    _, low, high = numbers.measured(score["value"], score["low"], score["high"])
    return f"{low} to {high}"


def _price(contender: Mapping[str, Any]) -> tuple[str, str, str]:
    price = contender["price"]
    return f"{price['fit_seconds']:.2g} s", f"{price['row_ms']:.2g} ms", _size(price)


def _size(price: Mapping[str, Any]) -> str:
    return f"{price['size_bytes'] / MEGABYTE:.2g} MB"


def catalogue_text(told: Mapping[str, Any], width: int) -> str:
    """Return the known methods and the versions that models rest on."""
    lines = []
    for m in told["methods"]:
        lines.append(wrapped(f"{m['name']}: {m['status']}", width))
        lines += [f"  {line}" for line in wrapped(f"Tables: {m['shape']}. {m['reference']}", width - 2).split("\n")]
    lines.append("")
    heads = ("library", "installed", "allowed", "locked", "the model's", "concerns")
    found = [
        (d["name"], d["installed"] or "–", d["allowed"], d["locked"], d["recorded"], ", ".join(d["concerns"]))
        for d in told["dependencies"]
    ]
    lines += table([heads, *found], width=width)
    if any(d["differs_from"] for d in told["dependencies"]):
        lines += ["", wrapped("Where versions differ, `modelwright upgrade-check` says whether answers do.", width)]
    return "\n".join(lines)
