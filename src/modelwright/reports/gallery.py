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
    loss = "log loss" if view.task.is_classification else "root mean squared error"
    spec = charts.importance(entries, loss)
    return Picture("importance", "What it leans on", caption, f"Most important first: {told}.", spec)


def _leaderboard(view: View) -> Picture | None:
    entries = view.evidence.leaderboard
    if len(entries) < 2:
        return None
    tied = sum(bool(e.get("tied")) for e in entries)
    caption = (
        "Mean loss behind the best candidate's, row by row in validation, with 95 % intervals. "
        "Those whose line reaches zero, in colour, cannot be told apart from the best."
    )
    told = f"{len(entries)} candidates, {tied} of them not told apart from the best, {clean(str(entries[0]['name']))}."
    loss = "log loss" if view.task.is_classification else "squared error"
    return Picture("leaderboard", "Behind the best", caption, told, charts.leaderboard(entries, loss))


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
    # Where all is called positive, at the end of the curve, precision is what chance would give.
    chance = ((0.0, lines[0].points[-1][1]), (1.0, lines[0].points[-1][1])) if len(lines) == 1 else ()
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
    bands = figures.bands(view.evidence.figures)
    caption = "One dot per sealed row, or a sample of them. On the dashed line the estimate is right."
    caption += " Nine of ten truths lie in the band." if bands else ""
    return Picture(
        "estimates",
        "Estimates and truth",
        caption,
        _told(view, "r2"),
        charts.estimates(points, bands, view.task.target),
    )


def _distribution(view: View) -> Picture | None:
    lines = figures.distribution(view.evidence.figures)[:2]
    if not lines:
        return None
    title, caption = _SPREAD[view.task.kind]
    told = f"Histograms of {' and '.join(clean(line.name) for line in lines)}."
    spec = charts.distribution(lines, title or clean(view.task.target, 30))
    return Picture("distribution", "Distribution", caption, told, spec)


_SPREAD = {
    TaskKind.REGRESSION: ("", "How the truths are spread, and how the estimates are."),
    TaskKind.BINARY: (
        "probability the model gave",
        "The probabilities it gave, by what was true. The further apart the two, the better it tells them apart.",
    ),
    TaskKind.MULTICLASS: (
        "probability of the class it named",
        "How sure it was when it was right and when it was wrong. Wrong answers should have been less sure.",
    ),
}
"""Title of the axis and caption, by task."""


def _told(view: View, metric: str) -> str:
    """Return the number a curve comes down to."""
    found = view.evidence.kpis.get(metric)
    if found is None:
        return "A curve; the measures it belongs to stand in the table of measures."
    return f"A picture of one measure: {MEASURES[metric].title} {numbers.score(found)}."
