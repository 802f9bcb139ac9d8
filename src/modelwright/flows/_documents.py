"""The documents of a package: its page and its card, drawn from what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.packaging.size import disk_bytes
from modelwright.reports.card import card
from modelwright.reports.page import page
from modelwright.reports.view import View

if TYPE_CHECKING:
    from modelwright.packaging.package import Package

PAGE, CARD = "report.html", "card.md"


def view_of(package: Package, name: str, *, path: str = "") -> View:
    """Return what the reports draw.

    Args:
        package: The package.
        name: How the model is called in its documents.
        path: Where it lies, when that is to be told.
    """
    model = package.model
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
    )


def documents(view: View) -> dict[str, bytes]:
    """Return the documents by file name."""
    return {PAGE: page(view).encode(), CARD: card(view).encode()}
