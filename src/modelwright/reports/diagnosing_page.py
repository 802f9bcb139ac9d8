"""The page on what limits a model: one HTML file that needs no network and runs no script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.core.metrics import MEASURES
from modelwright.reports import charts, numbers
from modelwright.reports.as_html import html_of
from modelwright.reports.diagnosing import about, sentences
from modelwright.reports.drawing import Pen
from modelwright.reports.gallery import Picture
from modelwright.reports.names import clean, marked
from modelwright.reports.prose import Drawing, Grid, Paragraph, Prose, Said, Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelwright.reports.prose import Block

MOST_COLUMNS = 40


def page(facts: Mapping[str, Any], name: str) -> str:
    """Return a diagnosis as one HTML page.

    Args:
        facts: As ``flows.diagnose`` finds them.
        name: How the model is called.
    """
    with Pen() as pen:
        prose = _prose(facts, name)
        drawn = pen.draw({d.picture.name: d.picture.spec for d in prose.drawings()})
    return html_of(prose, {"format": 1, "document": prose.kind, "sources": {}}, drawn)


def _prose(facts: Mapping[str, Any], name: str) -> Prose:
    told = dict(sentences(facts))
    parts = {
        "More rows": tuple(_rows(facts)),
        "Fit": tuple(_fit(facts)),
        "Bias and variance": tuple(_bias_variance(facts)),
        "Convergence": tuple(_convergence(facts)),
        "Labels": tuple(_labels(facts)),
        "Columns": tuple(_columns(facts)),
    }
    sections = [Section("How it was found", (Paragraph(Said(about(facts))),))]
    for title, sentence in told.items():
        said = f"{sentence[:1].upper()}{sentence[1:]}"
        sections.append(Section(title, (Paragraph(Said(said)), *parts[title])))
    title = f"What limits {marked(name, 60)}, and what would help"
    return Prose("diagnosis", "Diagnosis", title, tuple(sections), {})


def _rows(facts: Mapping[str, Any]) -> Iterator[Block]:
    curve = facts["learning_curve"]
    if curve is None:
        return
    title = MEASURES[curve["metric"]].title
    caption = (
        "Dots were measured, with what they vary by; the bar is what twice the rows would bring, in 95 of 100 cases."
    )
    told = f"{title} by the number of rows learnt from."
    yield Drawing(Picture("learning-curve", "Learning curve", caption, told, _curve(curve, title)))
    rows = tuple(
        (numbers.count(n), numbers.number(value, 4), f"± {numbers.number(1.96 * error, 2)}")
        for n, value, error in zip(curve["sizes"], curve["values"], curve["errors"], strict=True)
    )
    ahead = (
        numbers.count(curve["factor"] * curve["n_rows"]),
        numbers.number(curve["then"], 4),
        f"{numbers.number(curve['low'], 4)} to {numbers.number(curve['high'], 4)} (not measured)",
    )
    yield Grid(("Rows learnt from", title, "Doubt"), (*rows, ahead))


def _curve(curve: Mapping[str, Any], title: str) -> charts.Spec:
    import altair as alt

    x = alt.X("rows", type="quantitative", title="rows learnt from", scale=alt.Scale(type="log", nice=False))
    y = alt.Y("value", type="quantitative", title=title, scale=alt.Scale(zero=False))
    ends = {"y": alt.Y("low", type="quantitative", title=title), "y2": alt.Y2("high")}
    line = charts.on("line").mark_line(color=charts.ACCENT, strokeWidth=2, strokeDash=[5, 3]).encode(x=x, y=y)
    spans = charts.on().mark_rule(color=charts.INK).encode(x=x, **ends)
    dots = charts.on().mark_circle(color=charts.INK, size=55, opacity=1).encode(x=x, y=y)
    bar = charts.on("ahead").mark_rule(color=charts.SECOND, strokeWidth=4, opacity=0.6).encode(x=x, **ends)
    end = charts.on("ahead").mark_circle(color=charts.SECOND, size=80, opacity=1).encode(x=x, y=y)
    points = [
        {"rows": n, "value": v, "low": v - 1.96 * e, "high": v + 1.96 * e}
        for n, v, e in zip(curve["sizes"], curve["values"], curve["errors"], strict=True)
    ]
    spec = charts.finished(alt.layer(line, spans, dots, bar, end), points, width=420)
    shape = curve["curve"]
    spec["datasets"]["line"] = [{"rows": n, "value": v} for n, v in zip(shape["rows"], shape["value"], strict=True)]
    ahead = {"rows": curve["factor"] * curve["n_rows"], "value": curve["then"]}
    spec["datasets"]["ahead"] = [{**ahead, "low": curve["low"], "high": curve["high"]}]
    return spec


def _fit(facts: Mapping[str, Any]) -> Iterator[Block]:
    found = facts["fit"]
    rows = [("rows it learnt from", found["learnt"]), ("other rows", found["held"])]
    shown = [
        (what, numbers.number(v)) for what, v in [*rows, ("other rows, always the same answer", found["constant"])]
    ]
    yield Grid(("Loss on", "Mean"), tuple(shown))


def _bias_variance(facts: Mapping[str, Any]) -> Iterator[Block]:
    found = facts["bias_variance"]
    title = MEASURES[found["measure"]].title
    value, low, high = numbers.measured(found["variance"], found["variance_low"], found["variance_high"])
    rows = [
        (title, numbers.number(found["loss"]), ""),
        ("of it comes back with every sample: bias and noise", numbers.number(found["bias"]), ""),
        ("of it changes with the sample: variance", value, f"{low} to {high}"),
    ]
    if "zero_one" in found:
        z = found["zero_one"]
        rows += [
            ("Wrong answers", numbers.percent(z["error"]), ""),
            ("of them come back with every sample", numbers.percent(z["bias"]), ""),
            ("come and go with it, in points", f"{100 * z['variance']:+.2g}", ""),
        ]
    yield Grid(("Part", "Value", "95 % interval"), tuple(rows), widths=(0.55, 0.2, 0.25))


def _convergence(facts: Mapping[str, Any]) -> Iterator[Block]:
    rows = tuple(
        (
            marked(str(c["name"])),
            clean(str(c["verdict"])),
            numbers.NOTHING if c["best_round"] is None else numbers.count(c["best_round"]),
        )
        for c in facts["convergence"]
    )
    if rows:
        yield Grid(("Candidate", "Verdict", "Best round"), rows)


def _labels(facts: Mapping[str, Any]) -> Iterator[Block]:
    found = facts["label_noise"]
    if not found or not found["suspects"]:
        return
    rows = tuple(
        (numbers.count(s["row"]), marked(s["given"]), marked(s["likely"]), numbers.percent(s["probability"]))
        for s in found["suspects"]
    )
    yield Grid(("Row to look at", "Label it has", "Label that is likely", "Probability of the one it has"), rows)


def _columns(facts: Mapping[str, Any]) -> Iterator[Block]:
    found = facts["columns"]
    weak = set(found["not_worth"])
    rows = []
    for e in found["ranked"][:MOST_COLUMNS]:
        value, low, high = numbers.measured(e["value"], e["low"], e["high"])
        rows.append((marked(e["column"]), value, f"{low} to {high}", "no" if e["column"] in weak else "yes"))
    heads = ("Column", "Rise of the loss when shuffled", "95 % interval", "Worth collecting")
    if rows:
        yield Grid(heads, tuple(rows))
