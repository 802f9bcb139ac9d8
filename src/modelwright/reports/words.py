"""What the numbers say, in sentences for a person who is not an engineer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.core.metrics import MEASURES
from modelwright.core.task import TaskKind
from modelwright.reports import numbers
from modelwright.reports.names import clean, marked, quoted

if TYPE_CHECKING:
    from modelwright.core.evidence import Evidence
    from modelwright.core.finding import Finding
    from modelwright.core.score import Score
    from modelwright.core.task import Task
    from modelwright.reports.view import View


_SENTENCES: dict[TaskKind, dict[str, str]] = {
    TaskKind.BINARY: {
        "precision": "Of {whole} rows it calls {yes}, about {value} really are.",
        "recall": "Of {whole} rows that are {yes}, it finds about {value}.",
        "roc_auc": "Shown one row that is {yes} and one that is not, it ranks them rightly {value} times "
        "of {whole} (a coin: half the time).",
    },
    TaskKind.MULTICLASS: {
        "accuracy": "Of {whole} rows, it names the right class for about {value}.",
        "recall": "With every class counting alike, common or rare, it finds about {value} of {whole}.",
    },
    TaskKind.REGRESSION: {
        "r2": "It explains {value} of {whole} parts of what makes rows differ in {target} (R²).",
    },
}
"""Shares of one, by measure, as sentences."""

_FALLBACK = {"accuracy": "Of {whole} rows, it answers rightly for about {value}."}
"""For rows so few that nothing better could be measured."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One measure put into words.

    Attributes:
        figure: The number to show large, such as ``67 of 100``.
        sentence: What it means.
        doubt: Its interval, in words.
        share: Value and interval as shares of one, to be drawn as a line; None where there is no such scale.
    """

    figure: str
    sentence: str
    doubt: str
    share: tuple[float, float, float] | None = None


def predicts(task: Task) -> str:
    """Return what the model predicts, as the end of a sentence."""
    target = marked(task.target)
    match task.kind:
        case TaskKind.BINARY:
            return f"whether {target} is {quoted(task.labels[1])}"
        case TaskKind.MULTICLASS:
            return f"which of {numbers.count(len(task.labels))} classes {target} is"
        case _:
            return f"the number {target}"


def answers(task: Task, threshold: float) -> str:
    """Return in what form the model answers."""
    match task.kind:
        case TaskKind.BINARY:
            yes, no = quoted(task.labels[1]), quoted(task.labels[0])
            bar = numbers.percent(threshold)
            return f"For each row it gives a probability, and says {yes} from {bar} on, {no} below."
        case TaskKind.MULTICLASS:
            return "For each row it gives the probability of every class, and names the most probable one."
        case _:
            return "For each row it gives one number, its best estimate."


def facts(view: View) -> tuple[Fact, ...]:
    """Return the two or three measures a reader should remember, the measure it was chosen by among them."""
    kpis, task = view.evidence.kpis, view.task
    told = _SENTENCES[task.kind]
    if not any(_exists(kpis.get(name)) for name in told):
        told = _FALLBACK
    made = [_share(kpis[name], task, sentence) for name, sentence in told.items() if _exists(kpis.get(name))]
    if _exists(kpis.get("mae")):
        made.insert(0, _typical_error(kpis["mae"], task))
    if task.metric not in (*told, "mae") and _exists(kpis.get(task.metric)):
        made.append(_as_measured(kpis[task.metric]))
    return tuple(made)


def headline(view: View) -> str:
    """Return the measure the model was chosen by, with its interval, in one line."""
    found = view.evidence.kpis.get(view.task.metric)
    title = MEASURES[view.task.metric].title if view.task.metric in MEASURES else view.task.metric
    if found is None or not _exists(found):
        return f"{title}: not measured"
    unit = "" if found.unit.startswith("target") else found.unit
    shown = numbers.with_unit(numbers.measured(found.value, found.low, found.high)[0], unit)
    return f"{title} {shown}{_between(found)}, on {numbers.counted(found.n_rows, 'sealed row')}"


def worth(evidence: Evidence) -> str:
    """Return whether a model is worth having here at all, or an empty text when that was not asked."""
    said = evidence.baselines.get("verdict", "")
    if not isinstance(said, str):
        said = said.get("sentence", "") if hasattr(said, "get") else ""
    return f"{said[:1].upper()}{said[1:]}"


def drivers(evidence: Evidence, most: int = 5) -> tuple[str, ...]:
    """Return the columns that matter most and whose interval lies above zero, most important first."""
    counted = [e for e in evidence.importance if (e.get("value") or 0) > 0 and (e.get("low") or 0) > 0]
    return tuple(str(e["column"]) for e in counted[:most])


def finding_sentence(finding: Finding) -> str:
    """Return what was found, beginning with a capital unless it begins with a column's name."""
    title = clean(finding.title, 300)
    starts_with_name = any(title.startswith(clean(c)) for c in finding.columns)
    return title if starts_with_name else f"{title[:1].upper()}{title[1:]}"


def listed(names: tuple[str, ...], most: int = 3) -> str:
    """Return names as a list for a sentence.

    >>> from modelwright.reports.names import as_plain
    >>> as_plain(listed(("a", "b", "c", "d")))
    'a, b, c and 1 more'
    """
    shown = [marked(n) for n in names[:most]]
    if len(names) > most:
        return f"{', '.join(shown)} and {numbers.count(len(names) - most)} more"
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else "".join(shown)


def in_sentence(title: str) -> str:
    """Return a measure's title as it stands within a sentence: names and abbreviations keep their capitals.

    >>> in_sentence("Log loss"), in_sentence("ROC AUC"), in_sentence("F1"), in_sentence("Brier score")
    ('log loss', 'ROC AUC', 'F1', 'Brier score')
    """
    keeps = title[:2].isupper() or not title[1:2].islower() or title.startswith("Brier")
    return title if keeps else f"{title[0].lower()}{title[1:]}"


def _exists(found: Score | None) -> bool:
    return found is not None and math.isfinite(found.value)


def _ends(found: Score) -> tuple[str, str] | None:
    _, low, high = numbers.measured(found.value, found.low, found.high)
    return None if numbers.NOTHING in (low, high) or found.low == found.high else (low, high)


def _between(found: Score) -> str:
    ends = _ends(found)
    return f" (95 % interval {ends[0]} to {ends[1]})" if ends else ""


def _doubt(found: Score) -> str:
    ends = _ends(found)
    return f"95 % interval: {ends[0]} to {ends[1]}" if ends else "No interval could be made."


def _share(found: Score, task: Task, sentence: str) -> Fact:
    if found.value < 0:
        nothing = "It explains nothing: the average of the target would be a better guess."
        return Fact(numbers.measured(found.value, found.low, found.high)[0], nothing, _doubt(found))
    whole, value, low, high = numbers.out_of(found.value, max(found.low, 0.0), found.high)
    yes = quoted(task.labels[-1]) if task.labels else ""
    said = sentence.format(whole=whole, value=value, yes=yes, target=marked(task.target))
    if _ends(found) is None:
        return Fact(f"{value} of {whole}", said, _doubt(found))
    doubt = f"95 % interval: {low} to {high} of {whole}"
    return Fact(f"{value} of {whole}", said, doubt, (found.value, max(found.low, 0.0), found.high))


def _typical_error(found: Score, task: Task) -> Fact:
    value = numbers.measured(found.value, found.low, found.high)[0]
    return Fact(f"± {value}", f"On average its estimate of {marked(task.target)} is off by {value}.", _doubt(found))


def _as_measured(found: Score) -> Fact:
    known = MEASURES[found.metric]
    value = numbers.measured(found.value, found.low, found.high)[0]
    way = "more is better" if known.greater_is_better else "less is better"
    sentence = f"{known.title}, the measure the model was chosen by ({way})."
    return Fact(numbers.with_unit(value, "%" if found.unit == "%" else ""), sentence, _doubt(found))
