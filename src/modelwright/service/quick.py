"""The quick way: small requests of ``POST /predict`` are answered where they arrive, without a task of their own."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from modelwright.service import bodies
from modelwright.service.answering import predicted
from modelwright.service.refusals import Refused
from modelwright.service.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.service.answering import Answering
    from modelwright.service.hosts import Hosts
    from modelwright.service.tokens import Keyring

    Headers = list[tuple[bytes, bytes]]

ROUTE = next(route for route in ROUTES if route.name == "predict")
PATH = ROUTE.path.encode()
BODY_MAX = 16_384
"""Bytes of a body that is held until it is whole; more is read by the application."""
ROWS_MAX = 8
_SLOW = frozenset(
    (b"content-encoding", b"expect", b"inference-header-content-length", b"te", b"transfer-encoding", b"upgrade")
)


class Quick:
    """Answers what is in order in every way; all else, refusals too, it leaves to the application.

    So there is one place that refuses. What this one gives is what the application would have given, byte for byte
    but for times and ids; it saves the task, the queue and the messages between server and application, which cost
    as much as a small model.

    Args:
        answering: Shared with the application.
        hosts: Under which names the service may be asked.
        keyring: Who may ask.
        is_on: Whether nothing watches each request: no trace, no rate, no log of every one.
    """

    def __init__(self, answering: Answering, hosts: Hosts, keyring: Keyring, *, is_on: bool) -> None:
        self._answering, self._hosts, self._keyring, self._is_on = answering, hosts, keyring, is_on
        self._body_max = min(BODY_MAX, answering.limits.body_bytes)
        self._rows_max = min(ROWS_MAX, answering.limits.rows)

    @property
    def is_draining(self) -> bool:
        """Whether connections are asked to go elsewhere."""
        return self._answering.is_draining

    def takes(self, headers: Headers) -> bool:
        """Return whether a request with these headers is in order and small."""
        named = dict(headers)
        if not self._is_on or len(named) != len(headers) or not _SLOW.isdisjoint(named):
            return False
        length = named.get(b"content-length", b"")
        if named.get(b"content-type") != b"application/json" or not length.isdigit() or len(length) > 6:
            return False
        if int(length) > self._body_max or self._answering.in_flight >= self._answering.limits.in_flight:
            return False
        token = self._keyring.find(named.get(b"authorization"))
        if token is None or not (ROUTE.scope in token.scopes or "admin" in token.scopes):
            return False
        return self._hosts.allows(named.get(b"host"))

    def answer(self, body: bytes, then: Callable[[bytes | None], None]) -> bool:
        """Have a request answered in this turn of the loop.

        Args:
            body: Whole.
            then: Given the body of the response, or None where the application is to decide after all.

        Returns:
            Whether ``then`` was or will be called; nothing has happened otherwise.
        """
        started = time.perf_counter()
        try:
            request = bodies.decode(bodies.predict_decoder, body)
            rows = request.records
            if request.explain or not 0 < len(rows) <= self._rows_max:
                return False
            scorer, role = self._answering.choose()
            admitted = scorer.door.admit(rows)
        except Refused:
            return False

        def finish(scores: Any, error: Exception | None) -> None:
            content = None
            if error is None:
                try:
                    answers = scorer.finish(admitted, scores)
                    ids, recorded = self._answering.written(scorer, role, rows, answers, started)
                    content = predicted(scorer, answers, ids, recorded=recorded)
                    self._answering.counters.answered(ROUTE.name, HTTPStatus.OK, time.perf_counter() - started)
                except Exception:  # said and counted by the application, which comes to the same end
                    content = None
            then(content)

        self._answering.batcher.ask(scorer, admitted.rows, finish)
        return True

    def flush(self) -> None:
        """Answer now what waits for the end of this turn."""
        self._answering.batcher.flush()
