"""The document for validators: everything about a model under the headings they look for, each answer linked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.core.metrics import MEASURES
from modelwright.core.task import TaskKind
from modelwright.reports import columns, effect_charts, explaining, numbers, tables, words
from modelwright.reports.brief import ROWS
from modelwright.reports.cautions import cautions
from modelwright.reports.gallery import pictures
from modelwright.reports.mistakes import mistakes
from modelwright.reports.names import clean, marked, without_secrets
from modelwright.reports.promises import promises
from modelwright.reports.prose import Block, Drawing, Grid, Paragraph, Prose, Said, Section, points
from modelwright.reports.requirements import ANNEX_IV, HERE, MISSING, PARTLY, SR_11_7, answered
from modelwright.reports.sources import sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelwright.core.score import Score
    from modelwright.reports.requirements import Requirement
    from modelwright.reports.view import View

COLUMNS_SHOWN = 60
FINDINGS_SHOWN = 30
_CITED = {
    "importance": "importance",
    "leaderboard": "leaderboard",
    "convergence": "convergence",
    "confusion": "figures.confusion",
    "roc": "figures.roc",
    "precision-recall": "figures.precision_recall",
    "calibration": "figures.calibration",
    "estimates": "figures.residuals",
    "distribution": "figures.distribution",
}
"""The source of each picture."""
_ANCHORS = ("purpose", "design", "data", "outcomes", "behaviour", "weakness", "limits", "use", "reproduce")
_TITLES = {name: f"Section {i}" for i, name in enumerate(_ANCHORS, start=1)}
"""What links to the sections say."""


def validation(view: View) -> Prose:
    """Return the document: purpose, design, data, outcomes, behaviour, limits, use, reproduction, requirements.

    Args:
        view: What is known about the model.
    """
    sections = (
        Section("Summary", tuple(_summary(view)), "summary"),
        Section("1  Purpose and intended use", tuple(_purpose(view)), "purpose"),
        Section("2  Design, theory and logic", tuple(_design(view)), "design"),
        Section("3  Data", tuple(_data(view)), "data"),
        Section("4  Testing and outcomes analysis", tuple(_outcomes(view)), "outcomes"),
        Section("5  Behaviour and conceptual soundness", tuple(_behaviour(view)), "behaviour"),
        Section("6  Groups of rows in which it does worse", tuple(_weakness(view)), "weakness"),
        Section("7  Limits and assumptions", tuple(_limits(view)), "limits"),
        Section("8  Use, and what errors cost", tuple(_use(view)), "use"),
        Section("9  Version, reproduction and integrity", tuple(_reproduce(view)), "reproduce"),
        Section("10  Requirements of SR 11-7", (*_asked(SR_11_7, view),), "sr-11-7"),
        Section("11  Requirements of Annex IV, Regulation (EU) 2024/1689", (*_asked(ANNEX_IV, view),), "annex-iv"),
    )
    title = f"Model documentation: {marked(view.model_name, 80)}"
    return Prose("document", "Model documentation for validation", title, sections, sources(view))


def _summary(view: View) -> Iterator[Block]:
    yield Paragraph(Said(f"The model predicts {words.predicts(view.task)}.", ("data",)), "lead")
    yield Paragraph(Said(f"{words.headline(view)}.", (f"kpis.{view.task.metric}",)))
    if worth := words.worth(view.evidence):
        yield Paragraph(Said(worth, ("baselines",)))
    counts = [[answered(r, view)[0] for r in asked] for asked in (SR_11_7, ANNEX_IV)]
    rows = [
        (name, *(numbers.count(found.count(state)) for state in (HERE, PARTLY, MISSING)))
        for name, found in zip(("SR 11-7", "Annex IV"), counts, strict=True)
    ]
    yield Grid(("Requirements", "Answered here", "In part", "Missing"), tuple(rows))


def _purpose(view: View) -> Iterator[Block]:
    said = [Said(f"{m.sentence} {m.doubt}", _of_fact(view)) for m in words.facts(view)[:1]]
    yield points(
        f"To estimate {words.predicts(view.task)} for rows like those it was judged on.",
        Said(words.answers(view.task, view.threshold), ("threshold",)),
        *said,
        "The business decision that it serves, and who takes it, must be added by its owner.",
    )


def _of_fact(view: View) -> tuple[str, ...]:
    order = {TaskKind.BINARY: "precision", TaskKind.MULTICLASS: "accuracy", TaskKind.REGRESSION: "mae"}
    return (f"kpis.{order[view.task.kind]}",)


def _design(view: View) -> Iterator[Block]:
    used = [e for e in view.evidence.leaderboard if e.get("weight")]
    learners = tuple(dict.fromkeys(str(e.get("learner", "")) for e in used))
    libraries = [f"{clean(k)} {clean(v)}" for k, v in sorted(view.manifest.versions.items())]
    measure = MEASURES[view.task.metric]
    way = "higher" if measure.greater_is_better else "lower"
    made = f"It is a weighted mean of {numbers.counted(len(used), 'candidate')}: {words.listed(learners, 8)}."
    yield points(
        Said(made, ("leaderboard",)) if used else "",
        f"Candidates were compared by {measure.title} ({way} is better) on rows held back from their training.",
        clean(view.task.reason, 300) if view.task.reason else "",
        Said(words.answers(view.task, view.threshold), ("threshold",)),
        f"Third-party libraries: {', '.join(libraries)}.",
    )
    rows = tuple((c[0], c[1], c[2], c[3], c[4], c[5]) for c in tables.candidates(view)[:12])
    if rows:
        heads = ("Candidate", "Learner", "Score", "Behind the best", "Rank", "Weight")
        yield Grid(heads, rows, (("leaderboard",), *((),) * (len(rows) - 1)), widths=(0.28, 0.14, 0.12, 0.2, 0.16, 0.1))
    yield from _pictures(view, "leaderboard")


def _data(view: View) -> Iterator[Block]:
    m = view.manifest
    n_rows, n_columns = (numbers.count(float(m.data.get(k) or 0)) for k in ("rows", "columns"))
    source = marked(without_secrets(str(m.data.get("source") or "table")), 120)
    n_train, n_test = (numbers.count(float(m.split.get(k) or 0)) for k in ("train", "test"))
    yield points(
        Said(f"Table {source}: {n_rows} rows, {n_columns} columns.", ("data",)),
        Said(f"{n_train} rows to learn from; {n_test} sealed, read once to judge it.", ("split",)),
        f"How they were divided: {clean(str(m.split.get('how', '')))}. {clean(str(m.split.get('reason', '')), 300)}",
        "How the labels were made, and who made them, must be added by its owner.",
    )
    shown = view.contract.columns[:COLUMNS_SHOWN]
    rows = tuple((marked(c.name), c.role.value, c.kind.value, columns.missing(c), columns.seen(c)) for c in shown)
    cites = (("contract",), *((),) * max(len(rows) - 1, 0))
    yield Grid(("Column", "Role", "Kind", "Missing", "Seen"), rows, cites, widths=(0.26, 0.12, 0.14, 0.12, 0.36))
    if len(view.contract.columns) > len(shown):
        yield Paragraph(
            Said(f"The first {len(shown)} of {numbers.count(len(view.contract.columns))} columns."), "small"
        )
    found = tuple(
        (f.code, f.severity.value, words.finding_sentence(f), clean(f.action, 160) if f.action else numbers.NOTHING)
        for f in view.findings[:FINDINGS_SHOWN]
    )
    if found:
        cites = (("findings",), *((),) * (len(found) - 1))
        yield Grid(
            ("Finding", "Severity", "What was found", "Done about it"), found, cites, widths=(0.12, 0.13, 0.45, 0.3)
        )
    else:
        yield Paragraph(Said("No finding was made about the data.", ("findings",)))


def _outcomes(view: View) -> Iterator[Block]:
    measure = MEASURES[view.task.metric]
    yield Paragraph(
        Said(
            f"All measures are of rows it had never seen, with 95 % intervals. It was chosen by {measure.title}; "
            "the others say where that measure alone would mislead.",
            ("split",),
        )
    )
    names = tables.yardstick_names(view)
    quality, costs = tables.quality(view), tables.costs(view)
    kpis = list(view.evidence.kpis)
    cites = tuple((f"kpis.{name}",) for name in kpis if name in MEASURES)
    rows = tuple((m.title, m.value, m.interval, m.n_rows, *m.yardsticks) for m in quality)
    yield Grid(("Measure", "Value", "95 % interval", "Rows", *names), rows, cites)
    if costs:
        cites = tuple((f"kpis.{name}",) for name in kpis if name not in MEASURES)
        yield Grid(
            ("Time and size", "Value", "95 % interval", "Measured"),
            tuple((m.title, m.value, m.interval, m.n_rows) for m in costs),
            cites,
        )
    yield points(*promises(view))
    if worth := words.worth(view.evidence):
        yield Paragraph(Said(worth, ("baselines",)))
    said = [
        Said(s, ("figures.confusion" if view.task.is_classification else "figures.residuals",)) for s in mistakes(view)
    ]
    yield points(*said)
    yield from _pictures(view, "confusion", "roc", "precision-recall", "calibration", "estimates", "distribution")


def _behaviour(view: View) -> Iterator[Block]:
    rows = tuple(tables.importances(view)[:15])
    if rows:
        cites = (("importance",), *((),) * (len(rows) - 1))
        yield Grid(("Column", "Rise of the loss when shuffled", "95 % interval"), rows, cites)
    yield from _pictures(view, "importance")
    yield from _explanation(view)
    trained = tables.convergences(view)
    if trained:
        cites = (("convergence",), *((),) * (len(trained) - 1))
        yield Grid(("Candidate", "Rounds", "Training"), tuple(trained), cites)
    split = tables.bias_variance(view)
    if split:
        cites = (("bias_variance",), *((),) * (len(split) - 1))
        yield Grid(("Part of the error", "Value", "95 % interval"), tuple(split), cites)
        yield Paragraph(
            Said(
                f"{view.evidence.bias_variance.get('sentence', '')} {tables.bias_variance_basis(view)}".strip(),
                ("bias_variance",),
            )
        )


def _explanation(view: View) -> Iterator[Block]:
    """Tell why it answers as it does, and what throws it off."""
    facts = view.evidence.explanation
    if not facts:
        return
    cites = ("explanation",)
    of = f"{explaining.unit_of(facts)}, of {numbers.counted(facts['n_rows'], 'sealed row')}"
    yield Paragraph(Said(f"What moves the {of}; what every column adds to a row adds up to its answer.", cites))
    rows = tuple(explaining.moves(facts)[:10])
    yield Grid(("Column", "Mean move (95 % interval)"), rows, (cites, *((),) * (len(rows) - 1)))
    yield points(*(Said(s, cites) for s in explaining.case_sentences(facts)))
    for picture in effect_charts.of_shapes(facts)[:2]:
        yield Drawing(picture, cites)
    trials = tuple(tuple(t) for t in explaining.trials(facts))
    if trials:
        yield Paragraph(Said("Stress tests: the sealed rows, changed on purpose, and the measure before and after."))
        heads = ("When", "What happens", "Rows the contract flags")
        yield Grid(heads, trials, (cites, *((),) * (len(trials) - 1)), widths=(0.45, 0.38, 0.17))


def _weakness(view: View) -> Iterator[Block]:
    """Tell the parts of the rows in which it does worse."""
    facts = view.evidence.explanation
    if not facts or facts["slices"] is None:
        yield Paragraph(Said("Missing: groups of rows were not compared. `modelwright explain` does it."), "alarm")
        return
    cites = ("explanation",)
    yield points(*(Said(s, cites) for s in explaining.weak_sentences(facts)))
    rows = tuple(explaining.slice_rows(facts))
    if rows:
        loss = explaining.loss_name(facts["slices"])
        heads = ("Rows where", "Rows", f"{loss[:1].upper()}{loss[1:]} (95 % interval)", "Elsewhere")
        yield Grid(heads, rows, (cites, *((),) * (len(rows) - 1)), widths=(0.45, 0.1, 0.3, 0.15))
    yield Paragraph(
        Said(
            "Which columns tell groups of persons only its owner knows; `modelwright explain --group-by COLUMN` "
            "compares how each group is treated, with intervals."
        )
    )


def _limits(view: View) -> Iterator[Block]:
    yield points(*cautions(view, 8))
    notes = [clean(n, 300) for n in view.evidence.notes[:10]]
    if notes:
        yield points(*notes)


def _use(view: View) -> Iterator[Block]:
    found = view.costs
    if found is None:
        yield Paragraph(
            Said("Missing: nobody has said what an error costs. Give --cost-false-alarm, --cost-miss and --unit."),
            "alarm",
        )
        return
    unit = clean(found.unit, 24) if found.unit else ""
    told = "Each answer has a cost of its own; the model answers what is expected to cost least."
    if found.prices is not None:
        alarm, miss = numbers.number(found.prices.false_alarm), numbers.number(found.prices.miss)
        told = f"A false alarm costs {alarm}{f' {unit}' if unit else ''}, a miss {miss}{f' {unit}' if unit else ''}."
    yield Paragraph(Said(told, ("costs",)))
    named = {"This model": found.model, "Never answering it": found.never, "Always answering it": found.always}
    if found.always is None:
        named = {"This model": found.model, "The best single answer": found.never}
    elif found.threshold is not None:
        named[f"This model, from {numbers.percent(found.threshold)} on"] = found.best
    rows = tuple((name, *_priced(score)) for name, score in named.items() if score is not None)
    heads = ("Rule", f"Cost of {numbers.count(ROWS)} rows{f', {unit}' if unit else ''}", "95 % interval")
    yield Grid(heads, rows, (("costs",), *((),) * (len(rows) - 1)))


def _priced(score: Score) -> tuple[str, str]:
    value, low, high = numbers.measured(*(ROWS * v for v in (score.value, score.low, score.high)))
    return value, numbers.NOTHING if low == high else f"{low} to {high}"


def _reproduce(view: View) -> Iterator[Block]:
    yield Grid(
        ("Part", "Value"),
        tuple((name, marked(value, 400)) for name, value in tables.provenance(view)),
        widths=(0.28, 0.72),
    )
    yield Paragraph(Said("The command that repeats the run:"))
    yield Paragraph(Said(clean(without_secrets(view.manifest.command), 2_000)), "code")
    yield points(
        "The package is plain files without executable content; every file is checked by its digest when it is read.",
        "Cybersecurity where it is run, and human oversight, must be added by its owner.",
    )


def _asked(asked: Sequence[Requirement], view: View) -> Iterator[Block]:
    found = [(r, *answered(r, view)) for r in asked]
    rows = tuple(
        (
            r.number,
            r.asked,
            state,
            lacking or numbers.NOTHING,
            _TITLES.get(r.anchor, "") if state != MISSING else numbers.NOTHING,
        )
        for r, state, lacking in found
    )
    targets = tuple(r.anchor if state != MISSING else "" for r, state, _ in found)
    heads = ("No.", "Asked", "Answer", "Still to be added", "Evidence")
    yield Grid(heads, rows, targets=targets, widths=(0.08, 0.34, 0.1, 0.3, 0.18))


def _pictures(view: View, *names: str) -> Iterator[Block]:
    for picture in pictures(view):
        if picture.name in names:
            yield Drawing(picture, (_CITED[picture.name],))
