"""The brief: one page in plain language for whoever has to decide whether a model is used."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from modelwright.core.task import TaskKind
from modelwright.reports import numbers, words
from modelwright.reports.cautions import FEW_ROWS, suspects
from modelwright.reports.figures import confusion
from modelwright.reports.mistakes import confused_pairs, weak_classes
from modelwright.reports.names import clean, marked, quoted
from modelwright.reports.prose import Paragraph, Points, Prose, Said, Section, points
from modelwright.reports.sources import sources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.core.costs import Costs, Prices
    from modelwright.core.score import Score
    from modelwright.reports.view import View

ROWS = 1_000
"""Costs are told for so many rows."""


def brief(view: View) -> Prose:
    """Return the brief: what the model does, how sure it is, what errors cost, what not to use it for.

    Args:
        view: What is known about the model.
    """
    sections = (
        Section("What it does", (points(*_does(view)),)),
        Section("How sure is it?", (points(*_sure(view)),)),
        Section("What its errors cost", (points(*_costs(view)),)),
        Section("What it looks at", (points(*_looks(view)),)),
        Section("What not to use it for", (_not_for(view),)),
        Section("How to check this page", (Paragraph(_checks(view)),)),
    )
    return Prose("brief", f"Brief · {clean(view.model_name, 80)}", _title(view), sections, sources(view))


def _title(view: View) -> str:
    target = marked(view.task.target)
    return f"A model that says whether {target} is {_yes(view)}" if _is_binary(view) else f"A model that tells {target}"


def _yes(view: View) -> str:
    return quoted(view.task.labels[1])


def _is_binary(view: View) -> bool:
    return view.task.kind is TaskKind.BINARY


def _does(view: View) -> Iterator[Said]:
    m, target = view.manifest, marked(view.task.target)
    n_rows = numbers.count(float(m.data.get("rows") or 0))
    yield Said(f"It learned from a table of {n_rows} rows. It looked for what goes with {target}.", ("data",))
    match view.task.kind:
        case TaskKind.BINARY:
            yield Said(
                f"For a new row it gives the chance that {target} is {_yes(view)}. "
                f"From {numbers.percent(view.threshold)} on it says {_yes(view)}.",
                ("threshold",),
            )
        case TaskKind.MULTICLASS:
            n = numbers.count(len(view.task.labels))
            yield Said(f"For a new row it picks one of {n} kinds. It also says how sure it is.", ("contract",))
        case _:
            yield Said(f"For a new row it gives one number: its best guess of {target}.")


def _sure(view: View) -> Iterator[Said]:
    kpis = view.evidence.kpis
    n_test = numbers.count(float(view.manifest.split.get("test") or 0))
    yield Said(f"It was tested on {n_test} rows that it had never seen.", ("split",))
    told = {
        TaskKind.BINARY: (
            ("precision", "When it says {yes}, it is right about {value} times in {whole}."),
            ("recall", "Out of {whole} rows that are {yes}, it finds about {value}."),
        ),
        TaskKind.MULTICLASS: (("accuracy", "It is right about {value} times in {whole}."),),
        TaskKind.REGRESSION: (),
    }[view.task.kind]
    for name, sentence in told or ():
        if _exists(kpis.get(name)):
            yield _share(view, kpis[name], sentence)
    if _exists(kpis.get("mae")):
        yield _off_by(view, kpis["mae"])
    if not told and _exists(kpis.get("r2")):
        _, value, _, _ = numbers.out_of(max(kpis["r2"].value, 0.0), 0.0, 1.0)
        yield Said(f"It can tell about {value} of 100 parts of why rows differ.", ("kpis.r2",))
    yield from _against_rule(view)
    counts = [s.n_rows for name, s in kpis.items() if name == view.task.metric]
    if counts and counts[0] < FEW_ROWS:
        yield Said("So few rows give only a rough idea. Test it on more rows before you count on it.", ("split",))


def _share(view: View, score: Score, sentence: str) -> Said:
    whole, value, low, high = numbers.out_of(score.value, max(score.low, 0.0), score.high)
    yes = _yes(view) if _is_binary(view) else ""
    doubt = f" The true count is likely from {low} to {high}." if score.low < score.high else ""
    return Said(sentence.format(whole=whole, value=value, yes=yes) + doubt, (f"kpis.{score.metric}",))


def _off_by(view: View, score: Score) -> Said:
    value, low, high = numbers.measured(score.value, score.low, score.high)
    unit = f" {clean(view.costs.unit, 24)}" if view.costs is not None and view.costs.unit else ""
    text = f"Its guess is off by about {value}{'' if view.costs else unit} on average."
    doubt = f" The true size is likely from {low} to {high}." if low != high else ""
    return Said(text + doubt, ("kpis.mae",))


def _against_rule(view: View) -> Iterator[Said]:
    """Tell whether a model is better than always giving the same answer."""
    gain = view.evidence.baselines.get("difference_to_constant")
    low, high = (_number(gain.get(k)) if isinstance(gain, dict) else math.nan for k in ("low", "high"))
    cites = ("baselines",)
    if low > 0:
        yield Said("It beats the simple rule of always giving the same answer.", cites)
    elif high < 0:
        yield Said("It is worse than always giving the same answer. Do not use it.", cites)
    elif math.isfinite(low + high):
        yield Said("It may be no better than always giving the same answer. Do not use it yet.", cites)


def _costs(view: View) -> Iterator[Said]:
    if view.costs is not None:
        yield from _priced(view, view.costs)
        return
    table = confusion(view.evidence.figures)
    if _is_binary(view) and table is not None:
        (_, alarms), (missed, _) = table.counts
        total = sum(map(sum, table.counts))
        yield Said(
            f"On {numbers.count(total)} test rows it gave {numbers.counted(alarms, 'false alarm')}. "
            f"It missed {numbers.count(missed)} rows that were {_yes(view)}.",
            ("figures.confusion",),
        )
    elif table is not None:
        for truth, answer, n, of in confused_pairs(table, 2):
            yield Said(
                f"It took {quoted(truth)} for {quoted(answer)} in {numbers.count(n)} of {numbers.count(of)} rows.",
                ("figures.confusion",),
            )
    ask = "--cost-false-alarm, --cost-miss and --unit"
    yield Said(f"Nobody has said yet what an error costs you. Add {ask} to get the cost on this page.")


def _priced(view: View, found: Costs) -> Iterator[Said]:
    unit, cites = _unit(found), ("costs",)
    if found.prices is None:
        yield Said("You gave a cost for each answer. The model answers what is expected to cost least.", cites)
    else:
        yield _prices_told(view, found.prices, unit)
    value, low, high = _of_rows(found.model)
    yield Said(
        f"In {numbers.count(ROWS)} rows, its errors cost about {value}{unit}. "
        f"The true cost is likely from {low} to {high}{unit}.",
        cites,
    )
    if found.always is None:
        yield Said(f"The best single answer for all rows would cost {_of_rows(found.never)[0]}{unit}.", cites)
        return
    yield Said(
        f"Never saying {_yes(view)} would cost {_of_rows(found.never)[0]}{unit}. "
        f"Always saying it would cost {_of_rows(found.always)[0]}{unit}.",
        cites,
    )
    if found.best is not None and found.threshold is not None:
        at = numbers.percent(found.threshold)
        yield Said(
            f"With your costs, it pays to say {_yes(view)} from {at} on. "
            f"Then the cost is about {_of_rows(found.best)[0]}{unit}.",
            cites,
        )


def _prices_told(view: View, prices: Prices, unit: str) -> Said:
    alarm, miss, cites = numbers.number(prices.false_alarm), numbers.number(prices.miss), ("costs",)
    match view.task.kind:
        case TaskKind.BINARY:
            return Said(f"You said that a false alarm costs {alarm}{unit} and a miss costs {miss}{unit}.", cites)
        case TaskKind.MULTICLASS:
            wrong = numbers.number(prices.false_alarm + prices.miss)
            return Said(f"You said that a wrong answer costs {wrong}{unit}.", cites)
        case _:
            return Said(f"You said that one too many costs {alarm}{unit} and one too few costs {miss}{unit}.", cites)


def _of_rows(score: Score) -> tuple[str, str, str]:
    return numbers.measured(*(ROWS * v for v in (score.value, score.low, score.high)))


def _unit(found: Costs) -> str:
    return f" {marked(found.unit, 24)}" if found.unit else ""


def _looks(view: View) -> Iterator[Said]:
    names = words.drivers(view.evidence, 3)
    if names:
        yield Said(f"It leans most on {words.listed(names)}.", ("importance",))
    else:
        yield Said("No single column stands out.", ("importance",))
    yield Said("It finds what goes together. It does not know what causes what.")


def _not_for(view: View) -> Points:
    """Tell the limits that matter most, in short sentences."""
    said = []
    leaks = tuple(dict.fromkeys(c for f in suspects(view) for c in f.columns))
    if leaks:
        fact = "If you learn this only after the fact, the test is too good."
        said.append(Said(f"Do not use it before you check {words.listed(leaks)}. {fact}", ("findings",)))
    table = confusion(view.evidence.figures) if view.task.kind is TaskKind.MULTICLASS else None
    weak = weak_classes(table, 3) if table else []
    if weak:
        names = ", ".join(quoted(label) for label, _, _ in weak)
        said.append(Said(f"Do not count on it to find {names}. It misses most of them.", ("figures.confusion",)))
    codes = {f.code for f in view.findings}
    if codes & {"F021", "F022", "F024"}:
        said.append(Said("Do not use it for much later times. Things change, so test it again first.", ("findings",)))
    if "F020" in codes:
        said.append(Said("Do not expect the same for groups it has never met.", ("findings",)))
    said.append(Said("Do not use it for rows of another kind, or from another place, than it learned from."))
    said.append(Said("Do not let it decide alone where a wrong answer can harm a person."))
    return Points(tuple(said[:5]))


def _checks(view: View) -> Said:
    made = f" This model was made on {view.manifest.created[:10]}." if view.manifest.created else ""
    return Said(
        f"The small marks lead to the list below. It says where each number came from and how to get it again.{made}"
    )


def _exists(score: Score | None) -> bool:
    return score is not None and math.isfinite(score.value)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
