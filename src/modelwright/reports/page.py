"""The page: everything about a model in one HTML file that needs no network and runs no script."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.core.finding import Severity
from modelwright.reports import effect_charts, explaining, numbers, tables, words
from modelwright.reports.as_html import STAMP
from modelwright.reports.cautions import cautions, suspects
from modelwright.reports.drawing import Pen
from modelwright.reports.gallery import pictures
from modelwright.reports.mistakes import mistakes
from modelwright.reports.names import as_html, clean, without_secrets
from modelwright.reports.promises import promises
from modelwright.reports.sources import sources, stamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jinja2 import Environment

    from modelwright.reports.gallery import Picture
    from modelwright.reports.view import View

TEMPLATES = Path(__file__).with_name("templates")


def page(view: View) -> str:
    """Return a report as one HTML page, for a person first and an engineer below.

    It holds no script, link, image or font from elsewhere; its content security policy forbids them all and
    names the hash of the one style sheet. Everything that came from the data is escaped.

    Args:
        view: What is known about the model.

    Returns:
        The page, under 1 MB. Charts are left out where they cannot be drawn; their numbers stand in tables.
    """
    with Pen() as pen:
        shown = (*pictures(view), *explained(view))
        drawn = pen.draw({p.name: p.spec for p in shown})
    return render(view, shown, drawn)


def explained(view: View) -> tuple[Picture, ...]:
    """Return the charts of the explanation that a package carries."""
    facts = view.evidence.explanation
    return tuple(effect_charts.pictures(facts)) if facts else ()


def render(view: View, shown: Sequence[Picture] = (), drawn: Mapping[str, str] | None = None) -> str:
    """Lay out the page.

    Args:
        view: What is known about the model.
        shown: The pictures that belong on the page.
        drawn: Those of them that could be drawn, as SVG by name.
    """
    svgs = drawn or {}
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    charts = {p.name: {"picture": p, "svg": svgs[p.name]} for p in shown if p.name in svgs}
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            _facts(view),
            style=style,
            style_hash=f"sha256-{digest}",
            charts=charts,
            n_charts_missing=len(shown) - len(charts),
            stamp=json.dumps(stamp(view, "page")),
            stamp_name=STAMP,
        )
    )


def _facts(view: View) -> dict[str, Any]:
    """Return every sentence and table of the page."""
    m, known = view.manifest, sources(view)
    return {
        "model_name": clean(view.model_name, 80),
        "title": f"{clean(view.model_name, 60)}: model report",
        "predicts": words.predicts(view.task),
        "answers": words.answers(view.task, view.threshold),
        "headline": words.headline(view),
        "worth": words.worth(view.evidence),
        "facts": words.facts(view),
        "mistakes": mistakes(view),
        "drivers": _drivers(view),
        "cautions": cautions(view),
        "suspects": suspects(view),
        "severe": [f for f in view.findings if f.severity is Severity.SEVERE],
        "findings": view.findings,
        "notes": view.evidence.notes,
        "split": m.split,
        "data": m.data,
        "made": m.created[:10],
        "command": without_secrets(m.command),
        "is_classification": view.task.is_classification,
        "task": view.task,
        "quality": tables.quality(view),
        "costs": tables.costs(view),
        "absent": tables.absent(view),
        "promises": promises(view),
        "yardsticks": tables.yardstick_names(view),
        "candidates": tables.candidates(view),
        "n_candidates": len(view.evidence.leaderboard),
        "fronts": tables.fronts(view),
        "importances": tables.importances(view),
        "why": _why(view),
        "convergences": tables.convergences(view),
        "bias_variance": tables.bias_variance(view),
        "bias_variance_sentence": view.evidence.bias_variance.get("sentence", ""),
        "bias_variance_basis": tables.bias_variance_basis(view),
        "mix_ups": tables.mix_ups(view),
        "contract": tables.contract(view),
        "n_columns": len(view.contract.columns),
        "is_folded": len(view.contract.columns) > tables.COLUMNS_OPEN,
        "provenance": tables.provenance(view),
        "sources": [(s.title, s.place, s.basis.value) for s in known.values()],
        "check": f"{known['split'].command} --document report.html",
    }


def _why(view: View) -> dict[str, Any] | None:
    """Return sentences and tables of the explanation that a package carries, None where it has none."""
    facts = view.evidence.explanation
    if not facts:
        return None
    return {
        "unit": explaining.unit_of(facts),
        "n_rows": facts["n_rows"],
        "moves": explaining.moves(facts),
        "shapes": [f"shape-{i}" for i in range(effect_charts.MOST_SHAPES)],
        "cases": explaining.case_sentences(facts),
        "weak": explaining.weak_sentences(facts),
        "robust": explaining.robust_sentences(facts),
        "trials": explaining.trials(facts),
    }


def _drivers(view: View) -> list[tuple[str, float]]:
    """Return the columns that matter most, with the length of their bar, the longest 100."""
    names = words.drivers(view.evidence)
    values = {
        str(e["column"]): float(e["value"]) for e in reversed(view.evidence.importance) if e.get("value") is not None
    }
    return [(name, round(100 * values[name] / values[names[0]], 1)) for name in names]


def environment() -> Environment:
    """Return what lays out pages: everything is escaped, names are isolated."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # as_html escapes all that is not its own <bdi>; the SVG comes from the renderer, which escapes its texts.
    environment.filters["words"] = lambda text: Markup(as_html(str(text)))  # noqa: S704
    environment.filters["svg"] = lambda text: Markup(text)  # noqa: S704
    environment.filters["count"] = numbers.count
    environment.filters["clean"] = clean
    environment.filters["sentence"] = words.finding_sentence
    environment.globals["finding_columns"] = tables.finding_columns
    environment.globals["finding_evidence"] = tables.finding_evidence
    return environment
