"""Answering: who scores rows, how the answers are written down, and what the caller is told."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from modelwright.service.batching import Batcher
from modelwright.service.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.service.counters import Counters
    from modelwright.service.door import Row
    from modelwright.service.limits import Limits
    from modelwright.service.models import Models
    from modelwright.service.recorder import Recorder
    from modelwright.service.scorer import Answers, Scorer

ROWS_AT_ONCE = 32
"""Requests of more rows are scored in a thread, so that small ones do not wait behind them."""
_encode = msgspec.json.Encoder().encode


class Answering:
    """One worker's models and what surrounds an answer of theirs. For one event loop.

    Attributes:
        models: Who answers; replaced as a whole while requests run.
        batcher: Scores together what one turn of the loop brings.
        in_flight: Requests that are being worked on.
        is_draining: Whether connections are asked to go elsewhere.
    """

    def __init__(self, models: Models, recorder: Recorder, counters: Counters, limits: Limits) -> None:
        self.models, self.recorder, self.counters, self.limits = models, recorder, counters, limits
        self.batcher = Batcher()
        self.in_flight, self.is_draining = 0, False
        self.threads = ThreadPoolExecutor(2, thread_name_prefix="score")
        self._n_asked = 0
        self._shadows: set[asyncio.Future[Any]] = set()

    def choose(self) -> tuple[Scorer, str]:
        """Return who answers the next request, and as what."""
        self._n_asked += 1
        return self.models.choose(self._n_asked)

    async def scored(
        self, scorer: Scorer, role: str, rows: list[Row], started: float
    ) -> tuple[Answers, list[str], bool]:
        """Score rows, write the answers down, and return them with their ids and whether they are recorded."""
        if len(rows) > ROWS_AT_ONCE:
            answers = await asyncio.get_running_loop().run_in_executor(self.threads, scorer.answer, rows)
        else:
            answers = await self.batcher.answer(scorer, rows)
        return answers, *self.written(scorer, role, rows, answers, started)

    async def explained(self, scorer: Scorer, rows: list[Row]) -> list[dict[str, Any]]:
        """Return the reasons of rows as they are scored, worked out in a thread."""
        admitted = scorer.door.admit(rows).rows
        return await asyncio.get_running_loop().run_in_executor(self.threads, scorer.explainer.reasons, admitted)

    def written(
        self, scorer: Scorer, role: str, rows: Sequence[Row], answers: Answers, started: float
    ) -> tuple[list[str], bool]:
        """Write answers down and count them; return their ids, and whether they are recorded.

        Raises:
            Refused: 503, they could not be written, so they must not be given.
        """
        ids = self.recorder.ids(len(rows))
        seconds = time.perf_counter() - started
        recorded = self.recorder.record(scorer, rows, answers, ids, seconds=seconds, role=role)
        self.counters.rows(role, len(rows))
        if answers.departures:
            self.counters.departed(answers.departures)
        if answers.n_abstained:
            self.counters.event("abstained", answers.n_abstained)
        if self.models.shadow is not None:
            self._follow(self.models.shadow, rows)
        return ids, recorded

    def _follow(self, shadow: Scorer, rows: Sequence[Row]) -> None:
        """Ask the shadow in a thread; when too much waits already it is left out rather than slow the champion."""
        if len(self._shadows) >= self.limits.in_flight:
            return
        started = time.perf_counter()
        task = asyncio.get_running_loop().run_in_executor(self.threads, shadow.answer, rows)
        self._shadows.add(task)

        def done(finished: asyncio.Future[Answers]) -> None:
            self._shadows.discard(task)
            if finished.cancelled() or finished.exception() is not None:
                return
            seconds = time.perf_counter() - started
            ids = self.recorder.ids(len(rows))
            with suppress(Refused):  # counted as a failure to record
                self.recorder.record(shadow, rows, finished.result(), ids, seconds=seconds, role="shadow")
                self.counters.rows("shadow", len(rows))

        task.add_done_callback(done)

    async def settle(self) -> None:
        """Wait until the shadows have answered."""
        if self._shadows:
            await asyncio.wait(set(self._shadows), timeout=5.0)


def predicted(
    scorer: Scorer, answers: Answers, ids: list[str], *, recorded: bool, reasons: list[Any] | None = None
) -> bytes:
    """Return the body of ``POST /predict``."""
    body: dict[str, Any] = {"predictions": answers.predictions}
    if scorer.names:
        names = scorer.names
        body["probabilities"] = [dict(zip(names, row, strict=True)) for row in answers.scores]
    elif scorer.half_width is not None:
        body["intervals"] = [scorer.interval(value) for value in answers.scores]
    if reasons is not None:
        body["reasons"] = reasons
    body["prediction_ids"], body["flags"], body["recorded"] = ids, answers.flags, recorded
    return scorer.heading + _encode(body)[1:]
