"""Times and sizes as measures: how long training took, how fast the model answers, how big it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.evaluation.timing import exact, time_inference
from modelwright.packaging.size import disk_bytes, memory_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from modelwright.core.model import Model
    from modelwright.core.run import Run
    from modelwright.core.score import Score
    from modelwright.packaging.package import Package

ROWS_TIMED, ROWS_TIMED_LEAST = 5_000, 200
BATCH_SECONDS = 0.2
"""A timed batch has as many rows as are scored in about this time, so that a slow model is not timed for long."""
MEGABYTE = 1e6


def speed_and_size(package: Package, rows: pl.DataFrame, run: Run, seconds: Mapping[str, float]) -> dict[str, Score]:
    """Return training, preprocessing and inference time and model size as scores.

    Args:
        package: The model and its golden rows, which are asked one by one.
        rows: Conformed rows for a batch.
        run: The clock.
        seconds: What ``search`` and ``preprocess`` took.
    """
    model = package.model
    frame = rows.head(_rows_timed(model, rows, run))
    state = model.state()
    timed = time_inference(
        lambda record: model.scores_of([record]),
        package.golden.records,
        lambda: model.scores(frame),
        frame.height,
        clock=run.clock,
    )
    return {
        "train_seconds": exact("train_seconds", seconds["search"], "s", 1),
        "preprocess_seconds": exact("preprocess_seconds", seconds["preprocess"], "s", 1),
        **timed,
        "size_mb_disk": exact("size_mb_disk", disk_bytes(state) / MEGABYTE, "MB", 1),
        "size_mb_memory": exact("size_mb_memory", memory_bytes(state) / MEGABYTE, "MB", 1),
    }


def _rows_timed(model: Model, rows: pl.DataFrame, run: Run) -> int:
    """Return how many rows a timed batch has."""
    few = rows.head(ROWS_TIMED_LEAST)
    model.scores(few)
    begun = run.clock()
    model.scores(few)
    seconds = max(run.clock() - begun, 1e-9)
    return min(max(int(few.height * BATCH_SECONDS / seconds), ROWS_TIMED_LEAST), ROWS_TIMED)
