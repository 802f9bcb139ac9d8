"""What the studies of one part of the search share: the tables, the head of a page, and a gain with its error."""

from __future__ import annotations

import json
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

DATA = Path(__file__).parents[2] / "shared" / "data"
Floats = Any
Row = dict[str, Any]


def brought(plain: Floats, changed: Floats) -> tuple[float, float]:
    """Return by how many per cent the loss of the same rows falls, and its standard errors."""
    gain = plain - changed
    return 100 * float(gain.mean() / plain.mean()), float(gain.mean() / (gain.std() / np.sqrt(len(gain))))


def heading(title: str, command: str, said: str) -> list[str]:
    """Return the lines above the table of a page."""
    when = f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()} (times do not enter)."
    return [f"# {title}", "", f"`{command}`", "", when, "", said, ""]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take which tables are studied, and where the page goes."""
    parser.add_argument("--only", default="")
    parser.add_argument("--out", default="")


def run_study(study: Callable[[str], Row | None], page: Callable[[list[Row]], str], asked: argparse.Namespace) -> None:
    """Study each table that was asked for, tell a line of each that has something to tell, and write the page."""
    rows = []
    for name in asked.only.split(",") if asked.only else sorted(p.parent.name for p in DATA.glob("*/meta.json")):
        if (row := study(name)) is not None:
            rows.append(row)
            print(json.dumps(row), flush=True)
    if asked.out:
        Path(f"{asked.out}.md").write_text(page(rows))
