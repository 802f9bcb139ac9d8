"""Diagnosing: what limits a model, one sentence for each question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.core.metrics import MEASURES
from modelwright.reports import numbers
from modelwright.reports.names import marked
from modelwright.reports.terminal import wrapped
from modelwright.reports.words import in_sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_NAMED = 8


def summary(facts: Mapping[str, Any], width: int) -> str:
    """Return one paragraph for each question, in plain lines no wider than the terminal."""
    lines = [wrapped(about(facts), width), ""]
    for title, sentence in sentences(facts):
        lines.append(wrapped(f"{title}: {sentence}", width))
    return "\n".join(lines)


def about(facts: Mapping[str, Any]) -> str:
    """Return what was fitted, on what, and judged by what."""
    return (
        f"Diagnosis by {marked(facts['member'])}, the member with the most weight: learnt from "
        f"{numbers.counted(facts['n_learnt'], 'row')}, {facts['how']} ({numbers.count(facts['n_held'])})."
    )


def sentences(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return each question's title and its answer."""
    told = [
        ("More rows", _rows(facts["learning_curve"])),
        ("Fit", facts["fit"]["sentence"]),
        ("Bias and variance", _bias_variance(facts["bias_variance"])),
        ("Convergence", _convergence(facts["convergence"])),
        ("Labels", facts["label_noise"]["sentence"] if facts["label_noise"] else ""),
        ("Columns", _columns(facts["columns"])),
    ]
    return [(title, sentence) for title, sentence in told if sentence]


def _rows(curve: Mapping[str, Any] | None) -> str:
    if curve is None:
        return "there are too few rows to draw a learning curve."
    title = MEASURES[curve["metric"]].title
    _, low, high = numbers.measured(curve["then"], curve["low"], curve["high"])
    now, then = (numbers.number(curve[k], 4) for k in ("now", "then"))
    verdict = {
        "yes": "more rows help",
        "no": "more rows change little",
        "unclear": "it is not clear that more rows help",
    }
    return (
        f"twice the rows: {title} {now} → {then} ({low} to {high}); {verdict[curve['helps']]} "
        f"(a gain counts from {numbers.number(curve['worthwhile'], 2)})."
    )


def _bias_variance(found: Mapping[str, Any]) -> str:
    sentence = str(found["sentence"])
    if "zero_one" not in found:
        return sentence
    z = found["zero_one"]
    wrong, back = numbers.percent(z["error"]), numbers.percent(z["bias"])
    return (
        f"{sentence} {wrong} of the answers are wrong, {back} come back "
        f"with every sample; answers that come and go make it {100 * z['variance']:+.2g} points."
    )


def _convergence(found: list[Mapping[str, Any]]) -> str:
    if not found:
        return ""
    told = []
    for c in found[:5]:
        at = "solved outright" if c["best_round"] is None else f"{c['verdict']} at round {c['best_round']}"
        told.append(f"{marked(str(c['name']))} {at}")
    return f"{'; '.join(told)}."


def _columns(found: Mapping[str, Any]) -> str:
    weak, worth = found["not_worth"], found["worth"]
    if not weak:
        return f"all {len(worth)} columns are worth collecting, as far as these rows can tell."
    names = ", ".join(marked(n) for n in weak[:MOST_NAMED])
    more = f" and {len(weak) - MOST_NAMED} more" if len(weak) > MOST_NAMED else ""
    gap = found["cost_of_leaving_out"]
    value, low, high = numbers.measured(gap["value"], gap["low"], gap["high"])
    return (
        f"{len(weak)} of {len(weak) + len(worth)} are not worth collecting ({names}{more}): fitted without them, "
        f"the {in_sentence(MEASURES[found['loss']].title)} changes by {value} ({low} to {high})."
    )
