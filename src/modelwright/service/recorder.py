"""The recorder: gives ids to answers and has them written down before they are given."""

from __future__ import annotations

import secrets
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from modelwright.registry.ledger_spool import Line
from modelwright.service.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.prediction import Outcome
    from modelwright.registry.ledger_privacy import Privacy
    from modelwright.registry.ledger_spool import Spool
    from modelwright.service.counters import Counters
    from modelwright.service.door import Row
    from modelwright.service.scorer import Answers, Scorer


class Recorder:
    """Writes to one worker's spool.

    Args:
        spool: Where lines go, or None where nothing is recorded.
        privacy: Applied before anything is written.
        counters: Counts what was recorded.
    """

    def __init__(self, spool: Spool | None, privacy: Privacy, counters: Counters) -> None:
        self._spool, self._privacy, self._counters = spool, privacy, counters
        self._prefix = secrets.token_hex(6)
        self._count = 0

    @property
    def is_on(self) -> bool:
        """Whether answers are recorded."""
        return self._spool is not None

    def ids(self, n: int) -> list[str]:
        """Return n new ids: the time in milliseconds, a number of this worker's own, a count; 32 hex digits."""
        start = self._count
        self._count += n
        lead = f"{int(time.time() * 1000):012x}{self._prefix}"
        return [f"{lead}{(start + i) & 0xFFFFFFFF:08x}" for i in range(n)]

    def record(
        self,
        scorer: Scorer,
        rows: Sequence[Row],
        answers: Answers,
        ids: Sequence[str],
        *,
        seconds: float,
        role: str = "champion",
    ) -> bool:
        """Write answers down; return whether they are recorded.

        Raises:
            Refused: 503, they could not be written, so they must not be given.
        """
        if self._spool is None:
            return False
        now, pointer, kept = time.time(), scorer.pointer, self._privacy.kept
        fingerprint, latency = scorer.package.fingerprint, round(1000 * seconds, 3)
        records = [
            Line(
                ids[i],
                now,
                pointer.model,
                pointer.version,
                fingerprint,
                kept(row),
                answers.predictions[i],
                scores if type(scores := answers.scores[i]) is list else [scores],
                answers.flags[i],
                latency,
                role,
            )
            for i, row in enumerate(rows)
        ]
        self._write(records=records)
        self._counters.event("recorded", len(records))
        return True

    def outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Write outcomes down, or raise Refused."""
        if self._spool is None:
            raise Refused(HTTPStatus.NOT_FOUND, "outcomes are taken where predictions are recorded", where="--ledger")
        self._write(outcomes=outcomes)
        self._counters.event("outcomes", len(outcomes))

    def _write(self, **lines: Any) -> None:
        assert self._spool is not None
        try:
            self._spool.write(**lines)
        except OSError:
            self._counters.event("record_failures")
            raise Refused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "an answer is given only once it is recorded",
                where="ledger",
                got="the spool cannot be written",
                fix="check the disk of the service",
                retry_after=5,
            ) from None

    def close(self) -> None:
        """Finish the spool."""
        if self._spool is not None:
            self._spool.close()
