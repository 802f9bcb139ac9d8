"""Connections: uvicorn's, with what it leaves open closed: endless headers, stalled senders, too many at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from modelwright.service.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterable

_END = b"content-length: 0\r\nconnection: close\r\n\r\n"
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n" + _END
_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\n" + _END


class Connection(HttpToolsProtocol):
    """One connection; ``protocol`` gives the class its limits."""

    limits: ClassVar[Limits] = Limits()
    _header_bytes = 0
    _at_last_look: object = None
    _is_refused = False

    def connection_made(self, transport: Any) -> None:
        """Begin, or say that there are too many."""
        if len(self.connections) >= self.limits.connections:
            self._is_refused = True
            transport.write(_BUSY)
            transport.close()
            return
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        if not self._is_refused:
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        if not self._is_refused:
            super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._header_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def _count(self, n: int) -> None:
        self._header_bytes += n + 4
        if self._header_bytes > self.limits.header_bytes and not self.transport.is_closing():
            self.transport.write(_LONG)
            self.transport.close()

    def is_stalled(self) -> bool:
        """Return whether a request was being sent at the last look too, and nothing of it came since."""
        cycle = self.cycle
        is_between = cycle is None or cycle.response_complete
        is_idle = is_between and self.timeout_keep_alive_task is not None  # uvicorn closes those
        is_answered = not is_between and not cycle.more_body
        now = None if is_idle or is_answered else (id(cycle), 0 if is_between else len(cycle.body), self._header_bytes)
        was, self._at_last_look = self._at_last_look, now
        return now is not None and now == was


def protocol(limits: Limits) -> type[Connection]:
    """Return the class of connections that keep these limits."""
    return type("LimitedConnection", (Connection,), {"limits": limits})


async def close_stalled(connections: Iterable[Any], seconds: float) -> None:
    """Look at all connections again and again, and close those that stand still for ``seconds`` to twice that."""
    while True:
        await asyncio.sleep(seconds)
        for connection in list(connections):
            if connection.is_stalled():
                connection.transport.close()
