"""Report: the page and the card of a package, as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modelwright.core.errors import UnwritableOutput
from modelwright.flows._documents import CARD, PAGE, documents, view_of
from modelwright.flows.builtin import catalogue
from modelwright.flows.resolve import check_same, resolve
from modelwright.packaging.reading import read


@dataclass(frozen=True, slots=True)
class Reported:
    """Where the documents were written, and what they say in short."""

    page: str
    card: str
    fingerprint: str

    def to_dict(self) -> dict[str, str]:
        """Return what ``report --json`` prints."""
        return {"page": self.page, "card": self.card, "fingerprint": self.fingerprint}


def report(package: str | Path, *, out: str | Path | None = None) -> Reported:
    """Draw the documents of a package anew.

    Args:
        package: A model package, or a registered name such as ``churn@champion``.
        out: Folder to write to; by default ``<package>-report`` beside the package, which stays as it is.

    Raises:
        UnwritableOutput: The folder cannot be written.
    """
    place = resolve(package)
    opened = read(place.path, catalogue())
    check_same(place, opened.fingerprint)
    folder = Path(out) if out is not None else Path(f"{package}-report")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in documents(view_of(opened, place.title)).items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise UnwritableOutput(
            "a report needs a folder it may write to",
            where=str(folder),
            got=str(error),
            fix="give another folder with --out",
        ) from error
    return Reported(str(folder / PAGE), str(folder / CARD), opened.fingerprint)
