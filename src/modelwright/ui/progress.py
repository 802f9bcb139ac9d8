"""What a waiting person sees: a bar with the time left, what is being tried, and the best score so far."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from modelwright.core.ports import Progress

SECONDS_BETWEEN_LINES = 5.0


class Bar:
    """A live bar on a terminal; a line now and then elsewhere; nothing when quiet. It writes to standard error."""

    def __init__(self, budget_seconds: float | None, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._budget = budget_seconds
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._live = None if quiet or not self._stream.isatty() else _live(budget_seconds, self._stream)
        self._last_line = (0.0, "")

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, event: Progress) -> None:
        """Show one event."""
        if self._quiet:
            return
        if self._live is not None:
            spent = None if self._budget is None or event.seconds_left is None else self._budget - event.seconds_left
            task = self._live.task_ids[0]
            self._live.update(task, completed=spent, description=sentence(event), refresh=True)
            return
        now, stage = time.monotonic(), event.stage
        if stage != self._last_line[1] or now - self._last_line[0] >= SECONDS_BETWEEN_LINES:
            self._last_line = (now, stage)
            left = "" if event.seconds_left is None else f", {max(event.seconds_left, 0):.0f} s left"
            print(f"{sentence(event)}{left}", file=self._stream, flush=True)


def sentence(event: Progress) -> str:
    """Return an event in a few words.

    >>> from modelwright.core.ports import Progress
    >>> sentence(Progress("search", "catboost", 12.0, best=0.8412))
    'search: catboost (best 0.8412)'
    """
    best = "" if event.best is None else f" (best {event.best:.4g})"
    return f"{event.stage}: {event.doing}{best}"


def _live(budget_seconds: float | None, stream: TextIO):  # type: ignore[no-untyped-def]  # noqa: ANN202 - rich's type
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.table import Column

    words = TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1))
    console = Console(file=stream)
    bar = [BarColumn(bar_width=min(30, max(console.width // 4, 5)))] if budget_seconds else []
    live = Progress(words, *bar, TimeElapsedColumn(), console=console, transient=True, expand=True)
    live.add_task("starting", total=budget_seconds)
    return live
