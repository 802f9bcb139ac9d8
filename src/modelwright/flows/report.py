"""Report: one body of evidence as the document each reader needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.core.errors import InvalidPackage, UnwritableOutput
from modelwright.flows._documents import BRIEF, CARD, DOCX, PAGE, PDF, SLIDES, TWIN, documents, draw, view_of
from modelwright.flows.builtin import catalogue
from modelwright.flows.resolve import check_same, resolve
from modelwright.packaging.reading import read

if TYPE_CHECKING:
    from modelwright.core.costs import Costs, Prices
    from modelwright.packaging.package import Package
    from modelwright.reports.view import View

NAMES = {
    PAGE: "page",
    CARD: "card",
    TWIN: "twin",
    BRIEF: "brief",
    PDF: "pdf",
    DOCX: "docx",
    SLIDES: "slides",
}
"""What ``--json`` calls each file."""


@dataclass(frozen=True, slots=True)
class Reported:
    """The documents that were written: where, by what they are, and which package they are of."""

    files: dict[str, str]
    fingerprint: str

    @property
    def page(self) -> str:
        """Where the page lies, or an empty text."""
        return self.files.get("page", "")

    @property
    def card(self) -> str:
        """Where the card lies, or an empty text."""
        return self.files.get("card", "")

    def to_dict(self) -> dict[str, str]:
        """Return what ``report --json`` prints."""
        return {**self.files, "fingerprint": self.fingerprint}


def report(
    package: str | Path,
    *,
    kind: str | None = None,
    out: str | Path | None = None,
    prices: Prices | None = None,
) -> Reported:
    """Draw documents of a package anew.

    Args:
        package: A model package, or a registered name such as ``churn@champion``.
        kind: ``page``, ``card``, ``brief``, ``document`` or ``slides``; None for page and card.
        out: Folder to write to; by default ``<package>-report`` beside the package, which stays as it is.
        prices: What errors cost, to be told in brief, document and slides.

    Raises:
        InvalidSetting: There is no such kind.
        UnwritableOutput: The folder cannot be written.
        MissingLibrary: A library of the extra ``documents`` is not installed.
    """
    place = resolve(package)
    opened = read(place.path, catalogue())
    check_same(place, opened.fingerprint)
    view = view_with(opened, place.title, prices)
    made = documents(view) if kind is None else draw(view, kind)
    folder = Path(out) if out is not None else Path(f"{package}-report")
    write_files(folder, made)
    return Reported({NAMES[name]: str(folder / name) for name in made}, opened.fingerprint)


def view_with(package: Package, name: str, prices: Prices | None) -> View:
    """Return what the reports draw, with what errors cost where prices were given."""
    return view_of(package, name, costs=None if prices is None else costs_of(package, prices))


def costs_of(package: Package, prices: Prices) -> Costs:
    """Return what the errors on the sealed rows cost.

    Raises:
        InvalidPackage: The package carries no sealed rows.
    """
    from modelwright.evaluation.costs import costs

    sealed, model = package.sealed, package.model
    if sealed is None:
        raise InvalidPackage(
            "costs are computed from the sealed rows that a package carries",
            where="sealed.json",
            got="no sealed rows",
            fix="train it anew with this version",
        )
    choices = model.choices(sealed.scores)
    return costs(model.task, sealed.target, sealed.scores, choices, prices, weight=sealed.weight)


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    """Write files into a folder, which is made where it is missing.

    Raises:
        UnwritableOutput: It cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise UnwritableOutput(
            "a report needs a folder it may write to",
            where=str(folder),
            got=str(error),
            fix="give another folder with --out",
        ) from error
