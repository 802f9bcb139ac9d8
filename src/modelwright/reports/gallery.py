"""The gallery: which charts a report shows, what each is called, and what it says to someone who cannot see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.core.metrics import MEASURES
from modelwright.core.task import TaskKind
from modelwright.reports import charts, figures, numbers
from modelwright.reports.names import clean
from modelwright.reports.words import drivers

if TYPE_CHECKING:
    from modelwright.reports.view import View

MOST_CLASSES = 40
MOST_CURVES = 12
MOST_RUNS = 3


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart to be drawn.

    Attributes:
        name: Unique in the page.
        title: Its heading.
        caption: How to read it, one or two sentences.
        told: What it shows, for those who cannot see it.
        spec: The Vega-Lite spec.
    """

    name: str
    title: str
    caption: str
    told: str
    spec: charts.Spec


def pictures(view: View) -> tuple[Picture, ...]:
    """Return every chart the evidence has data for."""
    makers = (
        _importance,
        _leaderboard,
        _convergence,
        _confusion,
        _roc,
        _precision_recall,
        _calibration,
        _estimates,
        _distribution,
    )
    return tuple(p for make in makers if (p := make(view)) is not None)


def _importance(view: View) -> Picture | None:
    entries = [e for e in view.evidence.importance if e.get("value") is not None]
    if not entries:
        return None
    told = ", ".join(clean(c) for c in drivers(view.evidence)) or "no column stands out"
    caption = "How much worse the model gets when one column's values are shuffled; the thin lines are 95 % intervals."
    return Picture(
        "importance",
        "What it leans on",
        caption,
        f"Most important first: {told}.",
        charts.importance(entries, str(entries[0].get("unit") or "")),
    )


def _leaderboard(view: View) -> Picture | None:
    entries = [e for e in view.evidence.leaderboard if e.get("score") is not None]
    if len(entries) < 2:
        return None
    tied = sum(bool(e.get("tied")) for e in entries)
    caption = "With 95 % intervals. Those in colour cannot be told apart from the best."
    told = f"{len(entries)} candidates; {tied} tied with the best; best: {clean(str(entries[0]['name']))}."
    known = MEASURES.get(view.task.metric)
    return Picture(
        "leaderboard",
        "Scores in validation",
        caption,
        told,
        charts.leaderboard(entries, known.title if known else view.task.metric),
    )


def _convergence(view: View) -> Picture | None:
    runs = [r for r in view.evidence.convergence if len(r.get("rounds") or ()) > 1][:MOST_RUNS]
    if not runs:
        return None
    told = "; ".join(f"{clean(str(r['name']))}: {r.get('verdict', '')}" for r in runs)
    caption = "Training has converged where the line of the rows held back lies flat or has turned."
    return Picture("convergence", "Loss by round", caption, f"{told}.", charts.convergence(runs))


def _confusion(view: View) -> Picture | None:
    table = figures.confusion(view.evidence.figures)
    if table is None or len(table.labels) > MOST_CLASSES:
        return None
    right = sum(row[i] for i, row in enumerate(table.counts))
    told = f"{numbers.count(right)} of {numbers.count(sum(map(sum, table.counts)))} rows lie on the diagonal."
    caption = (
        "Rows by truth and answer. On the diagonal it was right; "
        "the deeper the shade, the larger the share of the truth's rows."
    )
    return Picture("confusion", "Right and wrong answers", caption, told, charts.confusion(table))


def _roc(view: View) -> Picture | None:
    lines = figures.roc(view.evidence.figures)[:MOST_CURVES]
    if not lines:
        return None
    caption = "How many of the positives are found for a given share of false alarms. The dashed line is chance."
    spec = charts.curves(lines, "false positive rate", "true positive rate", ((0, 0), (1, 1)))
    return Picture("roc", "ROC", caption, _told(view, "roc_auc"), spec)


def _precision_recall(view: View) -> Picture | None:
    lines = figures.precision_recall(view.evidence.figures)[:MOST_CURVES]
    if not lines:
        return None
    base = figures.base_rate(view.evidence.figures)
    chance = ((0, base), (1, base)) if base is not None else ()
    caption = "The more of the positives it shall find (recall), the more of its alarms are false (precision falls)."
    caption += " The dashed line is chance." if chance else ""
    spec = charts.curves(lines, "recall", "precision", chance)
    return Picture("precision-recall", "Precision and recall", caption, _told(view, "average_precision"), spec)


def _calibration(view: View) -> Picture | None:
    bins = figures.calibration(view.evidence.figures)
    if len(bins) < 2:
        return None
    caption = "Whether probabilities mean what they say: on the dashed line, 30 % comes true 30 times of 100."
    return Picture("calibration", "Calibration", caption, _told(view, "calibration_error"), charts.calibration(bins))


def _estimates(view: View) -> Picture | None:
    points = figures.estimates(view.evidence.figures)
    if len(points) < 2:
        return None
    caption = "One dot per sealed row (some of them, if there are many). On the dashed line the estimate is right."
    return Picture(
        "estimates", "Estimates and truth", caption, _told(view, "r2"), charts.residuals(points, view.task.target)
    )


def _distribution(view: View) -> Picture | None:
    lines = figures.distribution(view.evidence.figures)[:2]
    if not lines:
        return None
    regression = view.task.kind is TaskKind.REGRESSION
    title = clean(view.task.target, 30) if regression else "probability the model gave"
    caption = (
        "How the estimates are spread, and how the truths are."
        if regression
        else "The probabilities it gave, by what was true. The further apart the two, the better it tells them apart."
    )
    told = f"Histograms of {' and '.join(clean(line.name) for line in lines)}."
    return Picture("distribution", "Distribution", caption, told, charts.distribution(lines, title))


def _told(view: View, metric: str) -> str:
    found = view.evidence.kpis.get(metric)
    return "" if found is None else f"{MEASURES[metric].title} {numbers.score(found)}."
