"""The run: seed, clock, budget and catalogue, in one value that is passed down."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import process_time
from typing import TYPE_CHECKING

from modelwright.core.ports import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.core.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Run:
    """The circumstances of one command.

    Attributes:
        catalogue: Parts by name.
        clock: Seconds that only rise.
        started: The clock's reading when the command began, imports included.
        budget_seconds: Wall-clock limit of the whole command; None when counted in ``effort``.
        effort: Work units, one for each candidate that is cross-validated; None under a wall-clock budget.
        seed: All randomness comes from it.
        threads: How many threads may be used.
        memory_bytes: What the process may use, or None.
        row_seconds: What an answer may take, or None where nothing was said.
        tell: Takes each progress event.
        worked: Seconds that this process has kept a core busy, which only rise.
        is_stopped: Polled; true once the person asked to end with the best so far.
    """

    catalogue: Catalogue
    clock: Callable[[], float]
    started: float
    budget_seconds: float | None = 60.0
    effort: int | None = None
    seed: int = 0
    threads: int = 1
    memory_bytes: int | None = None
    row_seconds: float | None = None
    tell: Callable[[Progress], None] = lambda _: None
    worked: Callable[[], float] = process_time
    is_stopped: Callable[[], bool] = lambda: False

    def elapsed(self) -> float:
        """Seconds since the command began."""
        return self.clock() - self.started

    def seconds_left(self) -> float:
        """Seconds until the budget ends; infinite when it is counted in work units."""
        if self.budget_seconds is None:
            return float("inf")
        return self.budget_seconds - self.elapsed()

    def sooner(self, seconds: float) -> Run:
        """Return the same run with a deadline so much earlier; one without a deadline stays as it is.

        >>> Run(None, lambda: 0.0, 0.0, budget_seconds=60.0).sooner(4.0).seconds_left()
        56.0
        """
        return self if self.budget_seconds is None else replace(self, budget_seconds=self.budget_seconds - seconds)

    def say(self, stage: str, doing: str, *, best: float | None = None, **facts: object) -> None:
        """Tell whoever listens what is happening."""
        left = None if self.budget_seconds is None else self.seconds_left()
        self.tell(Progress(stage, doing, left, best, facts))
