"""The documents of a package: drawn from what is in it, each for its readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.core.errors import InvalidSetting, closest
from modelwright.evaluation.costs import costs_by
from modelwright.packaging.size import disk_bytes
from modelwright.packaging.writing import fingerprint_of
from modelwright.reports.card import card
from modelwright.reports.page import page
from modelwright.reports.view import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.core.costs import Costs
    from modelwright.packaging.package import Package

PAGE, CARD = "report.html", "card.md"
TWIN, BRIEF, PDF, DOCX, SLIDES = "card.json", "brief.html", "document.pdf", "document.docx", "slides.pptx"


def view_of(package: Package, name: str, *, path: str = "", costs: Costs | None = None) -> View:
    """Return what the reports draw.

    Args:
        package: The package.
        name: How the model is called in its documents.
        path: Where it lies, when that is to be told.
        costs: What errors cost, where the user gave prices; by default what the model's own costs come to.
    """
    model, sealed = package.model, package.sealed
    if costs is None and model.task.costs is not None and sealed is not None:
        chosen = model.choices(sealed.scores)
        costs = costs_by(model.task.costs, sealed.target, sealed.scores, chosen, sealed.weight)
    return View(
        task=model.task,
        contract=model.contract,
        evidence=package.evidence,
        findings=package.findings,
        manifest=package.manifest,
        model_name=name,
        threshold=model.threshold,
        package_size_bytes=disk_bytes(model.state()),
        package_path=path,
        costs=costs,
        fingerprint=package.fingerprint or fingerprint_of(package),
    )


def documents(view: View) -> dict[str, bytes]:
    """Return the documents that a package carries, by file name."""
    return {PAGE: page(view).encode(), CARD: card(view).encode()}


def draw(view: View, kind: str) -> dict[str, bytes]:
    """Return one kind of document as files by name.

    Args:
        view: What is known about the model.
        kind: One of ``KINDS``.

    Raises:
        InvalidSetting: There is no such kind.
        MissingLibrary: It needs a library that is not installed.
    """
    if kind not in KINDS:
        raise InvalidSetting("a document is of a known kind", where="--as", got=kind, fix=closest(kind, KINDS))
    return KINDS[kind](view)


def _page(view: View) -> dict[str, bytes]:
    return {PAGE: page(view).encode()}


def _card(view: View) -> dict[str, bytes]:
    from modelwright.reports.twin import twin

    return {CARD: card(view).encode(), TWIN: twin(view).encode()}


def _brief(view: View) -> dict[str, bytes]:
    from modelwright.reports.as_html import html_of
    from modelwright.reports.brief import brief
    from modelwright.reports.sources import stamp

    prose = brief(view)
    return {BRIEF: html_of(prose, stamp(view, "brief", prose.numbered())).encode()}


def _document(view: View) -> dict[str, bytes]:
    from modelwright.reports.as_docx import docx_of
    from modelwright.reports.as_html import inked_spec
    from modelwright.reports.as_pdf import pdf_of
    from modelwright.reports.drawing import Pen
    from modelwright.reports.sources import stamp
    from modelwright.reports.validation import validation

    with Pen() as pen:
        prose = validation(view)
        painted = pen.paint({d.picture.name: inked_spec(d.picture.spec) for d in prose.drawings()})
    mark = stamp(view, "document", prose.numbered())
    return {
        PDF: pdf_of(prose, mark, painted),
        DOCX: docx_of(prose, mark, painted, created=view.manifest.created),
    }


def _slides(view: View) -> dict[str, bytes]:
    from modelwright.reports.slides import pptx_of
    from modelwright.reports.sources import stamp

    return {SLIDES: pptx_of(view, stamp(view, "slides"))}


KINDS: dict[str, Callable[[View], dict[str, bytes]]] = {
    "page": _page,
    "card": _card,
    "brief": _brief,
    "document": _document,
    "slides": _slides,
}
"""What a report can be drawn as."""
