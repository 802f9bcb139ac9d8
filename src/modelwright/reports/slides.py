"""The slides: what a model does and how far to trust it, for people who are not engineers, with charts to edit."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.core.task import TaskKind
from modelwright.reports import figures, numbers, words
from modelwright.reports.as_html import INKS
from modelwright.reports.brief import ROWS, brief
from modelwright.reports.libraries import needs
from modelwright.reports.mistakes import mistakes, weak_classes
from modelwright.reports.names import as_plain, clean, without_secrets
from modelwright.reports.office import STAMP_PART, STAMP_RELATION, STAMP_TYPE, as_cell, as_office, made_at, stamp_xml
from modelwright.reports.prose import Points
from modelwright.reports.sources import sources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.reports.prose import Said
    from modelwright.reports.sources import Source
    from modelwright.reports.view import View

WIDTH, HEIGHT = 13.333, 7.5
"""Inches: 16 to 9."""
LEFT, TOP, WIDE = 0.75, 1.75, 11.8
MOST_BARS = 8
MOST_LINES = 5


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart that PowerPoint draws itself.

    Attributes:
        kind: ``bars``, ``stacked`` or ``lines``.
        categories: Names along the axis.
        series: Values by name.
        form: Number format of the labels.
        title: What the axis shows.
        most: Upper end of the axis; None to leave it to the numbers.
    """

    kind: str
    categories: tuple[str, ...]
    series: tuple[tuple[str, tuple[float, ...]], ...]
    form: str = "0"
    title: str = ""
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Slide:
    """A slide: a sentence as its title, a few lines, a chart, and the sources of its numbers."""

    title: str
    lines: tuple[str, ...]
    chart: Chart | None = None
    cites: tuple[str, ...] = ()
    figures: tuple[tuple[str, str], ...] = ()
    """Large numbers, each with its meaning."""


def slides(view: View) -> tuple[Slide, ...]:
    """Return the slides after the title, in order."""
    told = {s.title: s for s in brief(view).sections}
    made = (_does, _sure, _leans, _errors, _priced, _calibrated, _not_for)
    return tuple(slide for make in made if (slide := make(view, _lines(told))) is not None)


def pptx_of(view: View, stamp: Mapping[str, Any]) -> bytes:
    """Return the deck as PPTX.

    Args:
        view: What is known about the model.
        stamp: What it can be checked by.

    Raises:
        MissingLibrary: python-pptx is not installed.
    """
    with needs("python-pptx", "slides"):
        import pptx
    deck = pptx.Presentation()
    from pptx.util import Inches

    deck.slide_width, deck.slide_height = Inches(WIDTH), Inches(HEIGHT)
    writer = _Writer(deck, sources(view))
    writer.opening(view)
    for slide in slides(view):
        writer.slide(slide)
    writer.closing(view)
    return writer.saved(stamp, view)


Told = dict[str, tuple["Said", ...]]


def _lines(sections: Mapping[str, Any]) -> Told:
    return {
        title: tuple(said for block in section.blocks if isinstance(block, Points) for said in block.items)
        for title, section in sections.items()
    }


def _texts(said: Sequence[Said]) -> tuple[str, ...]:
    return tuple(s.text for s in said[:MOST_LINES])


def _cited(said: Sequence[Said]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(c for s in said for c in s.cites))


def _does(view: View, told: Told) -> Slide:
    del view
    said = told["What it does"]
    return Slide(
        "What it does",
        (*_texts(said), "It finds what goes together. It does not know what causes what."),
        None,
        _cited(said),
    )


def _sure(view: View, told: Told) -> Slide:
    said = told["How sure is it?"]
    large = tuple((f.figure, f"{f.sentence} {f.doubt}") for f in words.facts(view)[:2])
    return Slide(_sure_title(view), _texts(said), _against_rules(view), (*_cited(said), "baselines"), large)


def _sure_title(view: View) -> str:
    gain: Any = view.evidence.baselines.get("difference_to_constant") or {}
    low, high = (_number(gain.get(k)) for k in ("low", "high"))
    if low > 0:
        return "It is better than a simple rule"
    return "It is worse than a simple rule" if high < 0 else "How sure is it?"


def _against_rules(view: View) -> Chart | None:
    """Draw the model beside simple rules, in a measure that people know."""
    name = {TaskKind.BINARY: "roc_auc", TaskKind.MULTICLASS: "accuracy", TaskKind.REGRESSION: "mae"}[view.task.kind]
    own = view.evidence.kpis.get(name)
    if own is None or not math.isfinite(own.value):
        return None
    named = {"This model": own.value}
    for rule, title in (("lightgbm_default", "Default LightGBM"), ("constant", "Always the same answer")):
        found: Any = view.evidence.baselines.get(rule) or {}
        value = getattr(found.get(name), "value", found.get(name))
        if isinstance(value, int | float) and math.isfinite(value):
            named[title] = float(value)
    titles = {
        "roc_auc": "Right order of two rows, in 100 pairs",
        "accuracy": "Right answers in 100 rows",
        "mae": "Average error (less is better)",
    }
    scale = 1.0 if name == "mae" else 100.0
    form = "#,##0.0" if max(named.values()) * scale < 1000 else "#,##0"
    return Chart("bars", tuple(named), (("Measure", tuple(v * scale for v in named.values())),), form, titles[name])


def _leans(view: View, told: Told) -> Slide | None:
    entries = [e for e in view.evidence.importance if (e.get("value") or 0) > 0][:MOST_BARS]
    if not entries:
        return None
    most = max(float(e["value"]) for e in entries)
    chart = Chart(
        "bars",
        tuple(as_cell(str(e["column"]), 28) for e in entries),
        (("Weight", tuple(100 * float(e["value"]) / most for e in entries)),),
        "0",
        "How much worse it gets without each, the most important one as 100",
    )
    return Slide("What it looks at", _texts(told["What it looks at"]), chart, ("importance",))


def _errors(view: View, told: Told) -> Slide | None:
    del told
    said = mistakes(view)
    if not said:
        return None
    key = "figures.confusion" if view.task.is_classification else "figures.residuals"
    return Slide("Where it is wrong", said[:MOST_LINES], _errors_chart(view), (key,))


def _errors_chart(view: View) -> Chart | None:
    if view.task.kind is TaskKind.REGRESSION:
        bands = figures.bands(view.evidence.figures)
        if len(bands) < 2:
            return None
        names = tuple(numbers.number(b.estimate) for b in bands)
        lines = (
            ("9 of 10 truths lie below", tuple(b.high for b in bands)),
            ("It says", tuple(b.estimate for b in bands)),
            ("9 of 10 truths lie above", tuple(b.low for b in bands)),
        )
        return Chart("lines", names, lines, "#,##0", "Its guess, and where nine of ten truths lie")
    table = figures.confusion(view.evidence.figures)
    if table is None:
        return None
    if len(table.labels) == 2:
        names = tuple(f"Truly {as_cell(label, 20)}" for label in table.labels)
        series = tuple(
            (f"It said {as_cell(label, 20)}", tuple(row[i] for row in table.counts))
            for i, label in enumerate(table.labels)
        )
        return Chart("stacked", names, series, "#,##0", "Test rows")
    weak = weak_classes(table, MOST_BARS) or _least_found(table)
    names = tuple(as_cell(label, 28) for label, _, _ in weak)
    return Chart(
        "bars", names, (("Found", tuple(100 * hit / n for _, hit, n in weak)),), "0", "Found, of 100 rows of each kind"
    )


def _least_found(table: figures.Confusion) -> list[tuple[str, float, float]]:
    found = [(label, row[i], sum(row)) for i, (label, row) in enumerate(zip(table.labels, table.counts, strict=True))]
    return sorted((f for f in found if f[2] > 0), key=lambda f: f[1] / f[2])[:MOST_BARS]


def _priced(view: View, told: Told) -> Slide:
    said, found = told["What its errors cost"], view.costs
    if found is None:
        return Slide("What its errors cost", _texts(said), None, _cited(said))
    named = {"This model": found.model, "Never saying it": found.never, "Always saying it": found.always}
    if found.always is None:
        named = {"This model": found.model, "One answer for all": found.never}
    elif found.threshold is not None:
        named = {"This model": found.model, f"From {numbers.percent(found.threshold)} on": found.best, **named}
    costs = {name: ROWS * score.value for name, score in named.items() if score is not None}
    unit = f", {clean(found.unit, 24)}" if found.unit else ""
    title = f"Cost of {numbers.count(ROWS)} rows{unit}"
    chart = Chart("bars", tuple(costs), (("Cost", tuple(costs.values())),), "#,##0", title)
    return Slide("What its errors cost", _texts(said), chart, ("costs",))


def _calibrated(view: View, told: Told) -> Slide | None:
    del told
    bins = figures.calibration(view.evidence.figures)
    if len(bins) < 3:
        return None
    lines = (("Came true", tuple(100 * b.true for b in bins)), ("It said", tuple(100 * b.said for b in bins)))
    chart = Chart("lines", tuple(f"{100 * b.said:.0f} %" for b in bins), lines, "0", "In 100 rows", most=100.0)
    said = (
        "If it says 30 of 100, about 30 of 100 should come true.",
        "The closer the two lines, the more you can take its word.",
    )
    return Slide("Can you take its chances at their word?", said, chart, ("figures.calibration",))


def _not_for(view: View, told: Told) -> Slide:
    del view
    said = told["What not to use it for"]
    return Slide("What not to use it for", _texts(said), None, _cited(said))


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


class _Writer:
    """Lays out slides in an empty deck."""

    def __init__(self, deck: Any, known: dict[str, Source]) -> None:
        self.deck, self.known, self.shown = deck, known, 0

    def opening(self, view: View) -> None:
        """Add the title slide."""
        m = view.manifest
        slide = self._blank(as_office(brief(view).title), top=2.3, size=36)
        n_test = numbers.count(float(m.split.get("test") or 0))
        made = f", made on {m.created[:10]}" if m.created else ""
        lines = (f"Tested on {n_test} rows that it had never seen{made}", clean(view.model_name, 80))
        self._text(slide, lines, LEFT, 4.3, WIDE, 1.2, size=18, ink="soft")
        self._sources(slide, ("split",))

    def slide(self, told: Slide) -> None:
        """Add one slide: large numbers or lines at the left, the chart at the right."""
        slide = self._blank(as_office(told.title))
        left_width = WIDE if told.chart is None else 5.2
        top = TOP
        if told.figures:
            for figure, meaning in told.figures:
                self._text(slide, (figure,), LEFT, top, left_width, 0.7, size=32, ink="accent", bold=True)
                self._text(slide, (as_office(meaning),), LEFT, top + 0.7, left_width, 1.1, size=14)
                top += 2.0
            rest = told.lines[-1:]
            self._text(slide, rest, LEFT, top, left_width, 1.0, size=14, ink="soft")
        else:
            size = 20 if told.chart is None else 17
            self._text(slide, tuple(map(as_office, told.lines)), LEFT, top, left_width, 4.6, size=size, bullet=True)
        if told.chart is not None:
            self._chart(slide, told.chart, LEFT + left_width + 0.4, TOP, WIDE - left_width - 0.4, 4.8)
        self._sources(slide, told.cites)

    def closing(self, view: View) -> None:
        """Add where the numbers came from."""
        slide = self._blank("Where the numbers came from")
        cited = [self.known[k] for k in ("data", "split") if k in self.known]
        command = self.known["split"].command
        again = self.known["importance"].command if "importance" in self.known else view.manifest.command
        lines = (
            "The small print on each slide names the place in the package that its numbers came from.",
            f"To check them all: {command} --document slides.pptx",
            f"To repeat the run: {clean(without_secrets(again), 400)}",
            f"Package: {clean(view.model_name, 80)}, fingerprint {view.fingerprint}",
        )
        self._text(slide, lines, LEFT, TOP, WIDE, 4.5, size=15, bullet=True)
        self._sources(slide, tuple(s.key for s in cited))

    def saved(self, stamp: Mapping[str, Any], view: View) -> bytes:
        """Return the file."""
        from pptx.opc.package import Part
        from pptx.opc.packuri import PackURI

        part = self.deck.part
        carried = Part(PackURI(STAMP_PART), STAMP_TYPE, part.package, stamp_xml(stamp))
        part.relate_to(carried, STAMP_RELATION)
        facts = self.deck.core_properties
        facts.title, facts.author = as_plain(view.model_name)[:200], "modelwright"
        facts.created = facts.modified = made_at(view.manifest.created)
        facts.last_modified_by = "modelwright"
        file = io.BytesIO()
        self.deck.save(file)
        return file.getvalue()

    def _blank(self, title: str, *, top: float = 0.6, size: int = 30) -> Any:
        from pptx.util import Inches, Pt

        self.shown += 1
        slide = self.deck.slides.add_slide(self.deck.slide_layouts[5])
        shape = slide.shapes.title
        shape.left, shape.top, shape.width, shape.height = (
            Inches(v) for v in (LEFT, top, WIDE, 1.0 if top < 1 else 1.8)
        )
        frame = shape.text_frame
        frame.word_wrap = True
        frame.text = title if len(title) <= 160 else f"{title[:159]}…"
        frame.margin_left = frame.margin_right = 0
        frame.vertical_anchor = 4  # bottom
        paragraph = frame.paragraphs[0]
        paragraph.alignment = 1
        self._font(paragraph.runs[0], size, "ink", bold=True)
        if len(title) > 70:
            paragraph.runs[0].font.size = Pt(size - 8)
        return slide

    def _text(
        self, slide: Any, lines: Sequence[str], left: float, top: float, width: float, height: float, **look: Any
    ) -> None:
        from pptx.util import Inches, Pt

        frame = slide.shapes.add_textbox(*(Inches(v) for v in (left, top, width, height))).text_frame
        frame.word_wrap = True
        frame.margin_left = frame.margin_right = 0
        for i, line in enumerate(lines):
            paragraph = frame.paragraphs[0] if i == 0 else frame.add_paragraph()
            paragraph.space_after = Pt(8 if look.get("bullet") else 3)
            run = paragraph.add_run()
            run.text = line
            self._font(run, look.get("size", 16), look.get("ink", "ink"), bold=look.get("bold", False))

    def _font(self, run: Any, size: float, ink: str, *, bold: bool = False) -> None:
        from pptx.dml.color import RGBColor
        from pptx.util import Pt

        run.font.size, run.font.bold, run.font.name = Pt(size), bold, "Arial"
        run.font.color.rgb = RGBColor.from_string(INKS[ink][1:])

    def _chart(self, slide: Any, told: Chart, left: float, top: float, width: float, height: float) -> None:
        from pptx.chart.data import CategoryChartData
        from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION
        from pptx.util import Inches

        kinds = {
            "bars": XL_CHART_TYPE.BAR_CLUSTERED,
            "stacked": XL_CHART_TYPE.BAR_STACKED,
            "lines": XL_CHART_TYPE.LINE_MARKERS,
        }
        data = CategoryChartData(number_format=told.form)
        data.categories = list(told.categories)
        for name, values in told.series:
            data.add_series(name, values)
        place = [Inches(v) for v in (left, top, width, height)]
        shape = slide.shapes.add_chart(kinds[told.kind], *place, data)
        chart = shape.chart
        shape._element.nvGraphicFramePr.cNvPr.set("descr", f"Chart. {told.title}")
        self._dress(chart, told)
        chart.has_legend = len(told.series) > 1
        if chart.has_legend:
            chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
            self._small(chart.legend.font)

    def _dress(self, chart: Any, told: Chart) -> None:
        from pptx.util import Pt

        chart.has_title = bool(told.title)
        if told.title:
            chart.chart_title.text_frame.text = told.title
            self._font(chart.chart_title.text_frame.paragraphs[0].runs[0], 13, "soft")
        for axis in (chart.category_axis, chart.value_axis):
            self._small(axis.tick_labels.font)
            axis.format.line.color.rgb = _rgb("line")
        chart.value_axis.major_gridlines.format.line.color.rgb = _rgb("line")
        chart.value_axis.tick_labels.number_format, chart.value_axis.tick_labels.number_format_is_linked = (
            "#,##0",
            False,
        )
        if told.most is not None:
            chart.value_axis.minimum_scale, chart.value_axis.maximum_scale = 0, told.most
        if told.kind != "lines":
            chart.category_axis.reverse_order = True
            chart.value_axis.minimum_scale = 0
            chart.value_axis.visible = False
            chart.value_axis.has_major_gridlines = False
            plot = chart.plots[0]
            plot.gap_width = 60 if len(told.categories) > 3 else 120
            plot.has_data_labels = True
            plot.data_labels.number_format, plot.data_labels.number_format_is_linked = told.form, False
            self._small(plot.data_labels.font)
            if told.kind == "stacked":
                plot.overlap = 100
                plot.data_labels.font.color.rgb = _rgb("paper")
        for series, ink in zip(chart.plots[0].series, ("accent", "second", "third"), strict=False):
            line = series.format.line if told.kind == "lines" else None
            if line is not None:
                line.color.rgb, line.width, series.smooth = _rgb(ink), Pt(2.25), False
                series.marker.format.fill.solid()
                series.marker.format.fill.fore_color.rgb = _rgb(ink)
                series.marker.format.line.color.rgb = _rgb(ink)
            else:
                series.format.fill.solid()
                series.format.fill.fore_color.rgb = _rgb(ink)

    def _small(self, font: Any) -> None:
        from pptx.util import Pt

        font.size, font.name = Pt(12), "Arial"
        font.color.rgb = _rgb("ink")

    def _sources(self, slide: Any, cites: Sequence[str]) -> None:
        """Say at the foot where the numbers came from, and in the notes how to get them again."""
        cited = [self.known[k] for k in cites if k in self.known]
        places = "; ".join(dict.fromkeys(s.place for s in cited))
        foot = f"Source: {places}" if places else "No numbers on this slide."
        self._text(slide, (clean(foot, 220),), LEFT, 6.85, WIDE - 0.6, 0.4, size=9, ink="soft")
        self._text(slide, (str(self.shown),), LEFT + WIDE - 0.4, 6.85, 0.4, 0.4, size=9, ink="soft")
        notes = [f"{s.title}: {s.place}, {s.basis.value}. Again: {s.command}" for s in cited]
        slide.notes_slide.notes_text_frame.text = (
            "\n".join(clean(n, 1_200) for n in notes) or "No numbers on this slide."
        )


def _rgb(ink: str) -> Any:
    from pptx.dml.color import RGBColor

    return RGBColor.from_string(INKS[ink][1:])
