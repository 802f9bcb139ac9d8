"""Pages beside a command's answer: where they may be written, and writing them."""

from __future__ import annotations

from pathlib import Path

from modelwright.core.errors import UnwritableOutput


def check_page(place: str | Path) -> None:
    """Refuse a place whose folder does not exist, before an hour's work is done for it."""
    folder = Path(place).resolve().parent
    if not folder.is_dir():
        raise UnwritableOutput(
            "a page is written into a folder that exists",
            where=str(place),
            got=f"no folder {folder}",
            fix="make the folder, or give another place with --page",
        )


def write_page(place: str | Path, text: str) -> None:
    """Write a page.

    Raises:
        UnwritableOutput: It cannot be written.
    """
    try:
        Path(place).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UnwritableOutput(
            "a page needs a place it may be written to", where=str(place), got=str(error), fix="give another --page"
        ) from error
