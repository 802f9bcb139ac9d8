"""The page on why a model answers as it does: one HTML file that needs no network and runs no script."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelwright.reports import effect_charts, numbers
from modelwright.reports.drawing import Pen
from modelwright.reports.explaining import (
    MISSING,
    MOST_REASONS,
    about,
    amount,
    between,
    cell,
    change_sentences,
    fair_sentences,
    like_sentences,
    named,
    others_named,
    robust_sentences,
    said,
    sure_sentences,
    together_sentences,
    trials,
    unit_of,
    weak_sentences,
    word_sentences,
)
from modelwright.reports.names import clean
from modelwright.reports.page import TEMPLATES, environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def page(facts: Mapping[str, Any], name: str) -> str:
    """Return the explanation as one HTML page that needs no network and runs no script.

    Args:
        facts: As ``flows.explain`` finds them.
        name: How the model is called.
    """
    with Pen() as pen:
        pictures = effect_charts.pictures(facts)
        drawn = pen.draw({p.name: p.spec for p in pictures})
    style = "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in ("page.css", "explain.css"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    charts = {p.name: {"picture": p, "svg": drawn[p.name]} for p in pictures if p.name in drawn}
    return (
        environment()
        .get_template("explain.html.j2")
        .render(
            style=style,
            style_hash=f"sha256-{digest}",
            title=f"{clean(name, 60)}: why it answers as it does",
            model_name=clean(name, 80),
            made=datetime.now(UTC).date().isoformat(),
            unit=unit_of(facts),
            about=about(facts),
            notes=facts["notes"],
            judged_on=facts["judged_on"],
            charts=charts,
            shapes=[p.name for p in pictures if p.name.startswith("shape")],
            moves=[_move(facts, e) for e in facts["importance"]["moves"] if e["value"] > 0],
            together=together_sentences(facts),
            stories=[_told(facts, s) for s in facts["rows"]],
            weak=weak_sentences(facts),
            fair=fair_sentences(facts),
            groups=_groups(facts),
            robust=robust_sentences(facts),
            trials=trials(facts),
            sure=sure_sentences(facts),
        )
    )


def _move(facts: Mapping[str, Any], e: Mapping[str, Any]) -> list[str]:
    permuted = {p["column"]: p for p in facts["importance"]["permutation"]}.get(e["column"])
    rise = "–"
    if permuted is not None and permuted.get("value") is not None:
        value, low, high = numbers.measured(permuted["value"], permuted["low"], permuted["high"])
        rise = f"{value} ({low} to {high})"
    return [
        named(e["column"]),
        f"{amount(facts, e['value'])} ({between(facts, e)})",
        rise,
    ]


def _told(facts: Mapping[str, Any], story: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row's story for the page: sentences, and reasons with bars."""
    most = max((abs(r["adds"]) for r in story["reasons"]), default=0.0) or 1.0
    shown, others = story["reasons"][: 2 * MOST_REASONS], story["reasons"][2 * MOST_REASONS :]
    reasons = [(named(r["column"]), "" if r["column"] == MISSING else cell(r["value"]), r["adds"]) for r in shown]
    if others:
        reasons.append((others_named(others), "", sum(r["adds"] for r in others)))
    return {
        "row": story["row"],
        "said": said(facts, story),
        "reasons": [
            {
                "column": column,
                "value": value,
                "adds": amount(facts, adds, signed=True),
                "at": round(50 - 50 * max(-adds, 0) / most, 1),
                "width": round(50 * abs(adds) / most, 1),
                "is_more": adds > 0,
            }
            for column, value, adds in reasons
        ],
        "sentences": [*word_sentences(facts, story), *change_sentences(story), *like_sentences(story)],
    }


def _groups(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a table per column whose groups were compared."""
    tables = []
    for name, found in facts["fairness"].items():
        measures: Sequence[str] = list(dict.fromkeys(m for g in found["groups"] for m in g["measures"]))
        rows = [
            [g["group"], numbers.count(g["n_rows"]), *(_measured(facts, g["measures"].get(m)) for m in measures)]
            for g in found["groups"]
        ]
        tables.append({"name": name, "head": ["Group", "Rows", *(m.replace("_", " ") for m in measures)], "rows": rows})
    return tables


def _measured(facts: Mapping[str, Any], m: Mapping[str, Any] | None) -> str:
    if m is None:
        return "–"
    value, low, high = numbers.measured(m["value"], m["low"], m["high"])
    return f"{value} ({low} to {high}){' *' if m['is_beyond_chance'] else ''}"
