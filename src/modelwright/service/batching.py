"""Batching: requests that are ready at the same moment are scored in one call of the model; none waits for another."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.core.arrays import Floats
    from modelwright.service.door import Row
    from modelwright.service.scorer import Answers, Scorer

    Then = Callable[[Floats | None, Exception | None], None]

_PROBE_EVERY = 31
"""While requests come one by one, one of so many counts how many the same turn brings."""
_PAYS_FROM = 1.5
"""Mean requests in a turn from which batching is cheaper than scoring each alone; see ``benchmarks/batching.py``."""
ROWS_AT_ONCE = 64
"""A batch of more rows is scored at once, so that the first does not wait for the last."""

_Waiting = tuple["Scorer", "Sequence[Row]", "Then"]


class Batcher:
    """Gathers what one turn of the event loop brings. For one event loop.

    Under load a turn brings several requests; scored together they cost less each, because the model's trees are
    walked while they are in the processor's cache. With one caller a turn brings one, which is scored where it is.
    """

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._mean = 1.0
        self._n, self._n_rows, self._in_turn = 0, 0, 0

    def ask(self, scorer: Scorer, rows: Sequence[Row], then: Then) -> None:
        """Have admitted rows scored, now or at the end of this turn.

        Args:
            scorer: Whose model scores them.
            rows: As its door admitted them.
            then: Given the scores, or what went wrong.
        """
        self._n += 1
        self._in_turn += 1
        if not rows or self._mean < _PAYS_FROM:
            if self._n % _PROBE_EVERY == 0:
                self._in_turn = 1
                asyncio.get_running_loop().call_soon(self._look)
            _score_together(scorer, [(rows, then)])
            return
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self.flush)
        self._waiting.append((scorer, rows, then))
        self._n_rows += len(rows)
        if self._n_rows >= ROWS_AT_ONCE:
            self.flush()

    async def answer(self, scorer: Scorer, rows: Sequence[Row]) -> Answers:
        """Return the answers for the rows of one request, or raise Refused where the policy refuses one."""
        admitted = scorer.door.admit(rows)
        if not rows:
            return scorer.finish(admitted, scorer.nothing)
        future: asyncio.Future[Floats] = asyncio.get_running_loop().create_future()

        def then(scores: Floats | None, error: Exception | None) -> None:
            if future.done():  # nobody waits any more
                return
            if error is not None:
                future.set_exception(error)
            elif scores is not None:
                future.set_result(scores)

        self.ask(scorer, admitted.rows, then)
        return scorer.finish(admitted, await future)

    def _look(self) -> None:
        """Take note of how many requests this turn brought."""
        self._mean += 0.3 * (self._in_turn - self._mean)

    def flush(self) -> None:
        """Score what is waiting, model by model."""
        waiting, self._waiting, self._n_rows = self._waiting, [], 0
        if not waiting:
            return
        self._mean += 0.1 * (len(waiting) - self._mean)
        for scorer in {id(w[0]): w[0] for w in waiting}.values():
            _score_together(scorer, [(rows, then) for by, rows, then in waiting if by is scorer])


def _score_together(scorer: Scorer, waiting: Sequence[tuple[Sequence[Row], Then]]) -> None:
    rows = waiting[0][0] if len(waiting) == 1 else [row for some, _ in waiting for row in some]
    try:
        scores = scorer.model.scores_of(rows)
    except Exception as error:
        if len(waiting) == 1:
            waiting[0][1](None, error)
            return
        for one in waiting:  # what one request brings must not spoil the others
            _score_together(scorer, [one])
        return
    if len(waiting) == 1:
        waiting[0][1](scores, None)
        return
    start = 0
    for some, then in waiting:
        then(scores[start : start + len(some)], None)
        start += len(some)
