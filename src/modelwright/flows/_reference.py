"""The reference: the sealed rows a package was judged on, found again in its table by their fingerprints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from modelwright.core.contract import Kind, Role
from modelwright.core.errors import WatchUnavailable
from modelwright.core.fingerprint import fingerprint
from modelwright.core.split import How
from modelwright.data.conforming import conform
from modelwright.data.reading import read
from modelwright.monitoring.baseline import fit_baseline

if TYPE_CHECKING:
    import polars as pl

    from modelwright.core.arrays import Ints
    from modelwright.core.model import Model
    from modelwright.monitoring.baseline import Baseline
    from modelwright.packaging.package import Package

FOUND_LEAST = 0.9


def baseline_of(name: str, package: Package, *, table: str | None, window_seconds: float) -> Baseline:
    """Return the baseline of a package.

    Args:
        name: The model's name.
        package: What answers.
        table: Its training table; None for where its manifest says it was.
        window_seconds: Length of a window, for references in order of time.

    Raises:
        WatchUnavailable: The package holds no sealed rows, or the table does not hold them.
        UnreadableSource: The table cannot be read.
    """
    source = table or str(package.manifest.data["source"])
    if package.sealed is None:
        raise WatchUnavailable(
            "a package that is watched says on which rows it was judged", where=name, fix="train anew"
        )
    frame = read(source).frame
    test = package.manifest.options.get("test")
    if table is None and isinstance(test, str) and Path(test).is_file():  # its sealed rows were a table of their own
        frame = read(test).frame.select(frame.columns)
    places = {fingerprint(list(row)): i for i, row in enumerate(frame.rows())}
    found = [(k, places[key]) for k, key in enumerate(package.sealed.rows) if key in places]
    if len(found) < FOUND_LEAST * len(package.sealed.rows):
        raise WatchUnavailable(
            "production is compared with the rows the model was judged on",
            where=source,
            got=f"{len(found):,} of {len(package.sealed.rows):,} sealed rows are in this table",
            fix="name the table the model was trained on with --reference",
        )
    kept, rows = (np.array(part) for part in zip(*found, strict=True))
    frame = conform(frame[rows], package.model.contract).frame
    is_in_time = package.manifest.split["how"] == How.TIME.value
    window_of = _windows(frame, package.model, window_seconds) if is_in_time else None
    if window_of is not None:
        order = np.argsort(window_of, kind="stable")
        frame, kept, window_of = frame[order], kept[order], window_of[order]
    sealed = package.sealed
    return fit_baseline(name, package.model, frame, sealed.scores[kept], sealed.target[kept], window_of=window_of)


def _windows(frame: pl.DataFrame, model: Model, seconds: float) -> Ints | None:
    """Return the window each reference row would have fallen into, or None where its time is not known."""
    times = [c for c in model.contract.columns if c.role is Role.TIME and c.kind is Kind.DATETIME and c.name in frame]
    if not times or frame[times[0].name].null_count():
        return None
    moments = frame[times[0].name].to_numpy()
    return np.asarray(np.floor((moments - moments.min()) / seconds), dtype=np.int64)
