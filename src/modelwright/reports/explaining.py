"""Explaining: why a model answers as it does, as a short text for a terminal and as a page."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelwright.reports import effect_charts, numbers
from modelwright.reports.drawing import Pen
from modelwright.reports.names import clean, marked, quoted
from modelwright.reports.page import TEMPLATES, environment
from modelwright.reports.terminal import table, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NARROWEST, MOST_DRIVERS, MOST_REASONS, MOST_TRIALS = 20, 6, 5, 12
CLEAR_H = 0.1
"""Below this share of a pair's joint effect, two columns are not said to work together."""


def summary(facts: Mapping[str, Any], width: int) -> str:
    """Return what a person should read first, in plain lines no wider than the terminal.

    Args:
        facts: As ``flows.explain`` finds them.
        width: Columns of the terminal, 20 or more.
    """
    width = max(width, NARROWEST)
    lines = [wrapped(sentence, width) for sentence in [_about(facts), ""] if sentence]
    lines += ["", *_drivers(facts, width)]
    for story in facts["rows"]:
        lines += ["", *_story(facts, story, width)]
    told = [*weak_sentences(facts), *fair_sentences(facts), *robust_sentences(facts), *sure_sentences(facts)]
    lines += ["", *(wrapped(s, width) for s in told)]
    lines += [wrapped(f"note: {n}", width) for n in facts["notes"]]
    return "\n".join(lines)


def _about(facts: Mapping[str, Any]) -> str:
    compared = f"{numbers.counted(facts['n_known'], 'known row')}"
    return f"{unit_of(facts)[0].upper()}{unit_of(facts)[1:]}, compared with {compared}."


def unit_of(facts: Mapping[str, Any]) -> str:
    """Return what reasons add up to, in words."""
    if facts["space"] == "value":
        return f"estimate of {marked(facts['target'])}"
    about = (
        f"that {marked(facts['target'])} is {quoted(facts['focus'])}" if len(facts["labels"]) == 2 else "of the answer"
    )
    return f"{facts['space']} {about}"


def amount(facts: Mapping[str, Any], value: float, *, signed: bool = False) -> str:
    """Return how much a column adds: in points of a hundred for probabilities, else in the unit itself."""
    is_share = facts["space"] == "probability"
    shown = 100 * value if is_share else value
    text = numbers.number(abs(shown), 2 if is_share and abs(shown) < 10 else 3)
    mark = ("−" if shown < 0 else "+") if signed else "−" if shown < 0 else ""
    return f"{mark}{text}{' points' if is_share else ''}"


def answer(facts: Mapping[str, Any], value: float) -> str:
    """Return an answer or a start as people read it."""
    return numbers.percent(value) if facts["space"] == "probability" else numbers.number(value, 4)


def cell(value: Any) -> str:
    """Return a cell of the data, made safe to show."""
    if value is None:
        return "missing"
    return numbers.number(value, 6) if isinstance(value, float) else clean(str(value), 40)


def _drivers(facts: Mapping[str, Any], width: int) -> list[str]:
    directions = {s["column"]: s["direction"] for s in facts["shapes"]}
    rows = [("column", "moves it by", "95 % interval", "as it grows")]
    for e in facts["importance"]["moves"][:MOST_DRIVERS]:
        if e["value"] > 0:
            between = f"{amount(facts, e['low'])} to {amount(facts, e['high'])}".replace(" points to", " to")
            rows.append((e["column"], amount(facts, e["value"]), between, _grows(directions.get(e["column"], ""))))
    shown = rows if width >= 60 else [row[:2] for row in rows]
    return [*table(shown, width=width), *(wrapped(s, width) for s in together_sentences(facts))]


def _grows(direction: str) -> str:
    return {"differs": "(levels)", "flat": "stays"}.get(direction, direction)


def together_sentences(facts: Mapping[str, Any]) -> list[str]:
    """Return which columns work together, if any do."""
    clear = [e for e in facts["interactions"] if e["h"] >= CLEAR_H][:2]
    return [
        f"{marked(e['columns'][0])} and {marked(e['columns'][1])} work together: {100 * e['h']:.0f} % of their joint "
        "effect is not the sum of the two (H statistic)."
        for e in clear
    ]


def _story(facts: Mapping[str, Any], story: Mapping[str, Any], width: int) -> list[str]:
    head = f"Row {story['row']}: {_said(facts, story)}"
    lines = [wrapped(head, width)]
    for r in story["reasons"][:MOST_REASONS]:
        doubt = f" ± {amount(facts, 1.96 * r['error'])}" if r["error"] > 0 else ""
        adds = f"{amount(facts, r['adds'], signed=True)}{doubt}"
        lines.append(f"  {adds}  " + clean(f"{r['column']} is {cell(r['value'])}", max(width - len(adds) - 4, 8)))
    rest = sum(r["adds"] for r in story["reasons"][MOST_REASONS:])
    lines.append(f"  {amount(facts, rest, signed=True)}  all other columns")
    lines += [wrapped(s, width) for s in change_sentences(story)]
    lines += [wrapped(s, width) for s in like_sentences(story)]
    return lines


def _said(facts: Mapping[str, Any], story: Mapping[str, Any]) -> str:
    said = (
        numbers.number(story["prediction"], 5)
        if isinstance(story["prediction"], float)
        else quoted(str(story["prediction"]))
    )
    about = "" if story["about"] is None else f" (for {quoted(str(story['about']))})"
    held = story["range"]
    sure = ""
    if held is not None and not facts["labels"]:
        sure = f"; nine times of ten between {numbers.number(held[0], 4)} and {numbers.number(held[1], 4)}"
    elif held is not None and len(held) > 1:
        sure = f"; {' and '.join(quoted(str(h)) for h in held[:4])} cannot be ruled out"
    return f"{said}; {answer(facts, story['answer'])}{about}, from a middling {answer(facts, story['start'])}{sure}."


def change_sentences(story: Mapping[str, Any]) -> list[str]:
    """Return what would have to change for another answer."""
    if story["changes"] is None:
        return []
    wanted = story["changes"]["wanted"]
    to = numbers.number(wanted, 5) if isinstance(wanted, float) else quoted(str(wanted))
    if not story["changes"]["found"]:
        return [f"No change of up to four columns was found that leads to {to}."]
    ways = [
        ", and ".join(f"{marked(c['column'])} were {quoted(cell(c['after']))}" for c in way["changes"])
        for way in story["changes"]["found"]
    ]
    return [f"Would be {to} if {'; or if '.join(ways)}."]


def like_sentences(story: Mapping[str, Any]) -> list[str]:
    """Return the known rows that are most like it."""
    told = []
    for s in story["similar"]:
        truth = "" if s["truth"] is None else f", was {quoted(cell(s['truth']))}"
        told.append(f"row {s['row']} ({100 * s['likeness']:.0f} % alike{truth})")
    return [f"Most alike among the known rows: {', '.join(told)}."] if told else []


def weak_sentences(facts: Mapping[str, Any]) -> list[str]:
    """Return where the model is weak."""
    found = facts["slices"]
    if found is None:
        return []
    looked = f"{numbers.count(found['n_looked_at'])} slices looked at"
    if not found["slices"]:
        return [f"No slice is weaker than the rest beyond chance ({looked}; {found['on']})."]
    return [f"Weak where {_weak(found, s)}; corrected for {looked}." for s in found["slices"][:3]]


def _weak(found: Mapping[str, Any], s: Mapping[str, Any]) -> str:
    loss, elsewhere, excess, low, high = (numbers.number(s[k]) for k in ("loss", "elsewhere", "excess", "low", "high"))
    told = (
        f"{marked(s['name'], 120)}: {found['loss']} {loss} against {elsewhere} elsewhere, {excess} more "
        f"({low} to {high}), in {numbers.counted(s['n_rows'], 'row')}"
    )
    if "surprise" not in s:
        return told
    if s["surprise_low"] <= 0:
        return f"{told}, which it expects itself, by its probabilities"
    return f"{told}, {numbers.number(s['surprise'])} beyond what it expects itself"


def fair_sentences(facts: Mapping[str, Any]) -> list[str]:
    """Return what groups were found to be treated otherwise."""
    return [f"By {marked(name)}: {clean(found['sentence'], 600)}" for name, found in facts["fairness"].items()]


def robust_sentences(facts: Mapping[str, Any]) -> list[str]:
    """Return what throws the model off most."""
    trials = [t for t in facts["robustness"] if t["moved"] > 0]
    if not trials:
        return []
    worst = max(trials, key=lambda t: t["moved"])
    noise = next((t for t in trials if t["kind"] == "noise"), None)
    told = [] if noise is None else [f"With {noise['what']}, {_shaken(facts, noise)}."]
    caught = f"the contract flags {numbers.percent(worst['flagged'])} of such rows"
    return [*told, f"Most sensitive: when {marked(worst['what'], 90)}, {_shaken(facts, worst)}; {caught}."]


def _shaken(facts: Mapping[str, Any], trial: Mapping[str, Any]) -> str:
    gap = trial.get("difference")
    if gap is not None and gap["value"] is not None:
        value, low, high = numbers.measured(gap["value"], gap["low"], gap["high"])
        return f"{gap['metric']} changes by {value} ({low} to {high})"
    if "changed" in trial:
        return f"{numbers.percent(trial['changed'])} of the answers change"
    return f"the answers move by {numbers.number(trial['moved'])}"


def sure_sentences(facts: Mapping[str, Any]) -> list[str]:
    """Return how sure single answers are."""
    known = facts["uncertainty"]
    if known is None or known["reach"] is None:
        return []
    if not facts["labels"]:
        return [f"Nine truths of ten lie within {numbers.number(known['reach'], 3)} of the estimate ({known['on']})."]
    sentence = (
        f"Nine times of ten the truth is among the labels not ruled out: one label in {numbers.percent(known['sure'])}"
    )
    return [f"{sentence} of the rows, several in {numbers.percent(known['torn'])} ({known['on']})."]


def page(facts: Mapping[str, Any], name: str) -> str:
    """Return the explanation as one HTML page that needs no network and runs no script.

    Args:
        facts: As ``flows.explain`` finds them.
        name: How the model is called.
    """
    with Pen() as pen:
        pictures = effect_charts.pictures(facts)
        drawn = pen.draw({p.name: p.spec for p in pictures})
    style = "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in ("page.css", "explain.css"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    charts = {p.name: {"picture": p, "svg": drawn[p.name]} for p in pictures if p.name in drawn}
    return (
        environment()
        .get_template("explain.html.j2")
        .render(
            style=style,
            style_hash=f"sha256-{digest}",
            title=f"{clean(name, 60)}: why it answers as it does",
            model_name=clean(name, 80),
            made=datetime.now(UTC).date().isoformat(),
            unit=unit_of(facts),
            about=_about(facts),
            notes=facts["notes"],
            judged_on=facts["judged_on"],
            charts=charts,
            shapes=[p.name for p in pictures if p.name.startswith("shape")],
            moves=[_move(facts, e) for e in facts["importance"]["moves"] if e["value"] > 0],
            together=together_sentences(facts),
            stories=[_told(facts, s) for s in facts["rows"]],
            weak=weak_sentences(facts),
            fair=fair_sentences(facts),
            groups=_groups(facts),
            robust=robust_sentences(facts),
            trials=[_trial(facts, t) for t in facts["robustness"][:MOST_TRIALS]],
            sure=sure_sentences(facts),
        )
    )


def _move(facts: Mapping[str, Any], e: Mapping[str, Any]) -> list[str]:
    permuted = {p["column"]: p for p in facts["importance"]["permutation"]}.get(e["column"])
    rise = "–"
    if permuted is not None and permuted.get("value") is not None:
        value, low, high = numbers.measured(permuted["value"], permuted["low"], permuted["high"])
        rise = f"{value} ({low} to {high})"
    return [e["column"], f"{amount(facts, e['value'])} ({amount(facts, e['low'])} to {amount(facts, e['high'])})", rise]


def _told(facts: Mapping[str, Any], story: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row's story for the page: sentences, and reasons with bars."""
    most = max((abs(r["adds"]) for r in story["reasons"]), default=0.0) or 1.0
    shown = story["reasons"][: 2 * MOST_REASONS]
    rest = sum(r["adds"] for r in story["reasons"][2 * MOST_REASONS :])
    reasons = [(r["column"], cell(r["value"]), r["adds"]) for r in shown]
    if len(story["reasons"]) > len(shown):
        reasons.append(("all other columns", "", rest))
    return {
        "row": story["row"],
        "said": _said(facts, story),
        "reasons": [
            {
                "column": column,
                "value": value,
                "adds": amount(facts, adds, signed=True),
                "at": round(50 - 50 * max(-adds, 0) / most, 1),
                "width": round(50 * abs(adds) / most, 1),
                "is_more": adds > 0,
            }
            for column, value, adds in reasons
        ],
        "sentences": [*change_sentences(story), *like_sentences(story)],
    }


def _groups(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a table per column whose groups were compared."""
    tables = []
    for name, found in facts["fairness"].items():
        measures: Sequence[str] = list(dict.fromkeys(m for g in found["groups"] for m in g["measures"]))
        rows = [
            [g["group"], numbers.count(g["n_rows"]), *(_measured(facts, g["measures"].get(m)) for m in measures)]
            for g in found["groups"]
        ]
        tables.append({"name": name, "head": ["Group", "Rows", *(m.replace("_", " ") for m in measures)], "rows": rows})
    return tables


def _measured(facts: Mapping[str, Any], m: Mapping[str, Any] | None) -> str:
    if m is None:
        return "–"
    value, low, high = numbers.measured(m["value"], m["low"], m["high"])
    return f"{value} ({low} to {high}){' *' if m['is_beyond_chance'] else ''}"


def _trial(facts: Mapping[str, Any], t: Mapping[str, Any]) -> list[str]:
    return [t["what"], _shaken(facts, t), numbers.percent(t["flagged"])]
