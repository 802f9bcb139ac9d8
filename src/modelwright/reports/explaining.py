"""Explaining: why a model answers as it does, in sentences and tables, and as a short text for a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from modelwright.core.metrics import MEASURES
from modelwright.reports import numbers
from modelwright.reports.names import clean, marked, quoted
from modelwright.reports.terminal import table, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NARROWEST, MOST_DRIVERS, MOST_REASONS, MOST_TRIALS = 20, 6, 5, 12
MISSING = "(missing values)"
"""What the count of a row's missing values is called among the columns."""
LEFT_MOST = 0.25
"""At most this share of all reasons is put together as those of the other columns, where ten tell the rest."""
NONE_TOLD = 0.005
SQUARED = "squared error"
CLEAR_H = 0.1
"""Below this share of a pair's joint effect, two columns are not said to work together."""


def summary(facts: Mapping[str, Any], width: int) -> str:
    """Return what a person should read first, in plain lines no wider than the terminal.

    Args:
        facts: As ``flows.explain`` finds them.
        width: Columns of the terminal, 20 or more.
    """
    width = max(width, NARROWEST)
    lines = [wrapped(sentence, width) for sentence in [about(facts), ""] if sentence]
    lines += ["", *_drivers(facts, width)]
    for story in facts["rows"]:
        lines += ["", *_story(facts, story, width)]
    told = [*weak_sentences(facts), *fair_sentences(facts), *robust_sentences(facts), *sure_sentences(facts)]
    lines += ["", *(wrapped(s, width) for s in told)]
    lines += [wrapped(f"note: {n}", width) for n in facts["notes"]]
    return "\n".join(lines)


def about(facts: Mapping[str, Any]) -> str:
    """Return what is told of, in one sentence or two."""
    unit = unit_of(facts)
    told = f"What moves the {unit}, compared with {numbers.counted(facts['n_known'], 'known row')}."
    if len(facts["labels"]) > 2:
        told += f" Shapes and “as it grows” are of the probability of {quoted(facts['focus'])}; --label names another."
    return told


def unit_of(facts: Mapping[str, Any]) -> str:
    """Return what reasons add up to, in words."""
    if facts["space"] == "value":
        return f"estimate of {marked(facts['target'])}"
    about = (
        f"that {marked(facts['target'])} is {quoted(facts['focus'])}"
        if len(facts["labels"]) == 2
        else "of the label that is answered"
    )
    return f"{facts['space']} {about}"


def amount(facts: Mapping[str, Any], value: float, *, signed: bool = False) -> str:
    """Return how much a column adds: in points of a hundred for probabilities, else in the unit itself."""
    is_share = facts["space"] == "probability"
    shown = 100 * value if is_share else value
    text = numbers.number(abs(shown), 2 if is_share and abs(shown) < 10 else 3)
    mark = ("−" if shown < 0 else "+") if signed else "−" if shown < 0 else ""
    return f"{mark}{text}{' points' if is_share else ''}"


def between(facts: Mapping[str, Any], e: Mapping[str, Any]) -> str:
    """Return the interval of an amount, its unit left to the amount itself."""
    return f"{amount(facts, e['low'])} to {amount(facts, e['high'])}".replace(" points", "")


def answer(facts: Mapping[str, Any], value: float) -> str:
    """Return an answer or a start as people read it."""
    return numbers.percent(value) if facts["space"] == "probability" else numbers.number(value, 4)


def cell(value: Any) -> str:
    """Return a cell of the data, made safe to show."""
    if value is None:
        return "missing"
    if not isinstance(value, float):
        return clean(str(value), 40)
    # Years and codes are whole numbers of four digits: no comma belongs into them.
    return f"{value:.0f}" if value.is_integer() and abs(value) < 10_000 else numbers.number(value, 6)


def _drivers(facts: Mapping[str, Any], width: int) -> list[str]:
    directions = {s["column"]: s["direction"] for s in facts["shapes"]}
    rows = [("column", "moves it by", "95 % interval", "as it grows")]
    for e in facts["importance"]["moves"][:MOST_DRIVERS]:
        if e["value"] > 0:
            grows = "" if e["column"] == MISSING else _grows(directions.get(e["column"], ""))
            rows.append((named(e["column"]), amount(facts, e["value"]), between(facts, e), grows))
    shown = rows if width >= 60 else [row[:2] for row in rows]
    return [*table(shown, width=width), *(wrapped(s, width) for s in together_sentences(facts))]


def named(column: str) -> str:
    """Return what people call a column: the count of a row's missing values has no name in the table."""
    return "how many are missing" if column == MISSING else column


def _grows(direction: str) -> str:
    return {"differs": "(levels)", "flat": "stays", "": "(text)"}.get(direction, direction)


def together_sentences(facts: Mapping[str, Any]) -> list[str]:
    """Return which columns work together, if any do."""
    clear = [e for e in facts["interactions"] if e["h"] >= CLEAR_H][:2]
    return [
        f"{marked(e['columns'][0])} and {marked(e['columns'][1])} work together: of the effect of both, "
        f"{100 * e['h']:.0f} % is not the sum of their two effects (H statistic)."
        for e in clear
    ]


def _story(facts: Mapping[str, Any], story: Mapping[str, Any], width: int) -> list[str]:
    head = f"Row {story['row']}: {said(facts, story)}"
    lines = [wrapped(head, width)]
    shown, others = _leading(story["reasons"])
    for r in shown:
        doubt = f" ± {amount(facts, 1.96 * r['error'])}" if r["error"] > 0 else ""
        adds = f"{amount(facts, r['adds'], signed=True)}{doubt}"
        lines.append(f"  {adds}  " + clean(_has(r), max(width - len(adds) - 4, 8)))
    if others:
        rest = sum(r["adds"] for r in others)
        lines.append(f"  {amount(facts, rest, signed=True)}  {others_named(others)}")
    lines += [wrapped(s, width) for s in (*word_sentences(facts, story), *change_sentences(story))]
    lines += [wrapped(s, width) for s in like_sentences(story)]
    return lines


def _leading(reasons: Sequence[Mapping[str, Any]]) -> tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]:
    """Divide reasons, largest first, into those that are told, five or more where much would be left, and the rest."""
    whole = sum(abs(r["adds"]) for r in reasons)
    n = MOST_REASONS
    while n < 2 * MOST_REASONS and sum(abs(r["adds"]) for r in reasons[n:]) > LEFT_MOST * whole:
        n += 1
    return reasons[:n], reasons[n:]


def _has(reason: Mapping[str, Any]) -> str:
    """Return what a row has in a column."""
    if reason["column"] == MISSING:
        return "how many of its values are missing"
    return f"{reason['column']} is {cell(reason['value'])}"


def others_named(reasons: Sequence[Mapping[str, Any]]) -> str:
    """Return what columns are called that are told together."""
    return "one other column" if len(reasons) == 1 else f"{numbers.count(len(reasons))} other columns together"


def said(facts: Mapping[str, Any], story: Mapping[str, Any]) -> str:
    """Return a row's answer, where it starts from, and how sure it is, in one sentence."""
    predicted = (
        numbers.number(story["prediction"], 5)
        if isinstance(story["prediction"], float)
        else quoted(str(story["prediction"]))
    )
    label = "" if story["about"] is None else f" (for {quoted(str(story['about']))})"
    held = story["range"]
    sure = ""
    if held is not None and not facts["labels"]:
        sure = f"; nine times of ten between {numbers.number(held[0], 4)} and {numbers.number(held[1], 4)}"
    elif held is not None and len(held) > 1:
        sure = f"; {' and '.join(quoted(str(h)) for h in held[:4])} cannot be ruled out"
    start = answer(facts, story["start"])
    told = f"; {answer(facts, story['answer'])}{label}" if facts["labels"] else ""
    return f"{predicted}{told}, where a middling row has {start}{sure}."


def word_sentences(facts: Mapping[str, Any], story: Mapping[str, Any]) -> list[str]:
    """Return which words of a row's texts move its answer."""
    by_column: dict[str, list[str]] = {}
    for w in story["words"]:
        told = f"{quoted(w['word'], 24)} {amount(facts, w['adds'], signed=True)}"
        by_column.setdefault(w["column"], []).append(told)
    return [
        f"Words of {marked(column)}, each against the same text without it: {', '.join(words)}."
        for column, words in by_column.items()
    ]


def change_sentences(story: Mapping[str, Any]) -> list[str]:
    """Return what would have to change for another answer."""
    if story["changes"] is None:
        return []
    wanted = story["changes"]["wanted"]
    to = numbers.number(wanted, 5) if isinstance(wanted, float) else quoted(str(wanted))
    if not story["changes"]["n_columns"]:
        return ["No other values can be proposed: texts, and columns that are immutable, are left as they are."]
    if not story["changes"]["found"]:
        return [f"No change of up to four columns was found that leads to {to}."]
    ways = [
        ", and ".join(f"{marked(c['column'])} were {quoted(cell(c['after']))}" for c in way["changes"])
        for way in story["changes"]["found"]
    ]
    become = "reach" if isinstance(wanted, float) else "be"
    return [f"Would {become} {to} if {'; or if '.join(ways)}."]


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
    if found is None or not found["n_looked_at"]:
        return []
    looked = f"{numbers.count(found['n_looked_at'])} slices looked at"
    if not found["slices"]:
        return [f"No slice is weaker than the rest beyond chance ({looked}; {found['on']})."]
    return [f"Weak where {_weak(found, s)}; corrected for {looked}." for s in found["slices"][:3]]


def loss_name(found: Mapping[str, Any]) -> str:
    """Return what the loss of slices is called: of squared errors the root is told, which has the target's unit."""
    return "root mean squared error" if found["loss"] == SQUARED else str(found["loss"])


def _losses(found: Mapping[str, Any], s: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return a slice's loss, that of the other rows, and the interval of the first were the second sure."""
    values = [s["loss"], s["elsewhere"], s["elsewhere"] + s["low"], s["elsewhere"] + s["high"]]
    if found["loss"] == SQUARED:
        values = [math.sqrt(max(v, 0.0)) for v in values]
    value, low, high = numbers.measured(values[0], values[2], values[3])
    return value, numbers.number(values[1]), f"{low} to {high}"


def _weak(found: Mapping[str, Any], s: Mapping[str, Any]) -> str:
    loss, elsewhere, between = _losses(found, s)
    told = (
        f"{marked(s['name'], 120)}: {loss_name(found)} {loss} ({between}) against {elsewhere} elsewhere, in "
        f"{numbers.counted(s['n_rows'], 'row')}"
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
        return f"the {_in_sentence(MEASURES[gap['metric']].title)} changes by {value} ({low} to {high})"
    if "changed" in trial:
        return f"{numbers.percent(trial['changed'])} of the answers change"
    return f"the answers move by {numbers.number(trial['moved'])}"


def _in_sentence(title: str) -> str:
    """Return a measure's title as it stands within a sentence: names and abbreviations keep their capitals."""
    keeps = title[:2].isupper() or not title[1:2].islower() or title.startswith("Brier")
    return title if keeps else f"{title[0].lower()}{title[1:]}"


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
    none = max(1 - known["sure"] - known["torn"], 0.0)
    left = f", none in {numbers.percent(none)}" if none > NONE_TOLD else ""
    return [f"{sentence} of the rows, several in {numbers.percent(known['torn'])}{left} ({known['on']})."]


def case_sentences(facts: Mapping[str, Any]) -> list[str]:
    """Return why the highest answers are high and the lowest low, one sentence each, from a package's explanation."""
    told = []
    for case in facts["cases"]:
        parts = [
            f"{_usually(r)} {amount(facts, r['adds'], signed=True)}" for r in case["reasons"] if abs(r["adds"]) > 0
        ]
        rest = f"all others {amount(facts, case['rest'], signed=True)}"
        told.append(
            f"The {numbers.counted(case['n_rows'], 'row')} with the {case['which']} answers have "
            f"{answer(facts, case['answer'])} in the mean, where a middling row has {answer(facts, case['start'])}: "
            f"{', '.join([*parts, rest])}."
        )
    return told


def _usually(reason: Mapping[str, Any]) -> str:
    usual = reason["usual"]
    if usual is None:
        return marked(named(reason["column"]))
    return f"{marked(reason['column'])} (mostly {marked(cell(usual), 30)})"


def trials(facts: Mapping[str, Any]) -> list[list[str]]:
    """Return what was tried to throw the model off: when, what happens, and how many rows the contract flags."""
    return [_trial(facts, t) for t in facts["robustness"][:MOST_TRIALS]]


def moves(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the columns that move an answer, and by how much in the mean, with the interval."""
    return [
        (named(e["column"]), f"{amount(facts, e['value'])} ({between(facts, e)})")
        for e in facts["importance"]["moves"]
        if e["value"] > 0
    ]


def slice_rows(facts: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the weak slices: which rows, how many, their loss with its interval, and that of the others."""
    found = facts["slices"] or {"slices": []}
    return [
        (
            marked(s["name"], 90),
            numbers.count(s["n_rows"]),
            f"{loss} ({between})",
            elsewhere,
        )
        for s in found["slices"]
        for loss, elsewhere, between in [_losses(found, s)]
    ]


def _trial(facts: Mapping[str, Any], t: Mapping[str, Any]) -> list[str]:
    return [marked(t["what"], 90), _shaken(facts, t), numbers.percent(t["flagged"])]
