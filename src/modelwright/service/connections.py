"""Connections: uvicorn's, with what it leaves open closed: endless headers, stalled senders, too many at once.

Small requests are answered where they arrive.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from modelwright.service.limits import Limits
from modelwright.service.quick import PATH

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelwright.service.accepting import SharedSocket
    from modelwright.service.quick import Quick

_END = b"content-length: 0\r\nconnection: close\r\n\r\n"
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n" + _END
_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\n" + _END
_ANSWER = b"HTTP/1.1 200 OK\r\n%bcontent-type: application/json\r\ncontent-length: %d\r\n%b\r\n%b"
_CLOSE = b"connection: close\r\n"


class Connection(HttpToolsProtocol):
    """One connection; ``protocol`` gives the class its limits and the quick way.

    A request that the quick way takes is held until its body is whole, and answered without a cycle of uvicorn's.
    Whatever is not in order goes on as if this class had never looked at it.
    """

    limits: ClassVar[Limits] = Limits()
    quick: ClassVar[Quick | None] = None
    shared: ClassVar[SharedSocket | None] = None
    dated: ClassVar[tuple[object, bytes]] = (None, b"")
    """uvicorn's own headers, such as the date, as they were last seen, and as bytes."""
    _header_bytes = 0
    _n_bytes = 0
    _n_quick = 0
    _held: list[bytes] | None = None
    _asked: bytes | None = None
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
        """Take what came; headers that go on and on are cut off."""
        if self._is_refused:
            return
        before, n_quick = self.cycle, self._n_quick
        self._n_bytes += len(data)
        super().data_received(data)
        is_quick = self._n_quick != n_quick or self._held is not None
        if is_quick or self.cycle is not before or not (before is None or before.response_complete):
            self._header_bytes = 0
            return
        self._header_bytes += len(data)
        if self._header_bytes > self.limits.header_bytes and not self.transport.is_closing():
            self.transport.write(_LONG)
            self.transport.close()

    # What the parser says

    def on_message_begin(self) -> None:
        """Begin a request; one that was sent after another waits for that one's answer."""
        if self._asked is not None and self.quick is not None:
            self.quick.flush()
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        """Hold a request that the quick way takes; have uvicorn begin all others."""
        if self.url == PATH and self.quick is not None and self._is_plain() and self.quick.takes(self.headers):
            self._held = []
            self._n_quick += 1
            return
        self._as_usual()

    def _is_plain(self) -> bool:
        parser = self.parser
        return (
            parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and (self.cycle is None or self.cycle.response_complete)
            and not self.flow.write_paused
        )

    def _as_usual(self, body: bytes | None = None) -> None:
        """Have uvicorn begin the request whose headers came, and give it a body that is whole already."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)
        super().on_headers_complete()
        if body is not None:
            super().on_body(body)
            super().on_message_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        if self._held is None:
            super().on_body(body)
        else:
            self._held.append(body)

    def on_message_complete(self) -> None:
        """Answer, or have uvicorn go on."""
        held = self._held
        if held is None or self.quick is None:
            super().on_message_complete()
            return
        self._held = None
        self._asked = body = held[0] if len(held) == 1 else b"".join(held)
        if not self.quick.answer(body, self._answered):
            self._answered(None)

    def _answered(self, content: bytes | None) -> None:
        """Send an answer; without one the request takes the usual way."""
        body, self._asked = self._asked, None
        if self.transport.is_closing() or self.quick is None:
            return
        if content is None:
            self._as_usual(body)
            return
        is_last = self.quick.is_draining
        self.transport.write(_ANSWER % (self._date(), len(content), _CLOSE if is_last else b"", content))
        self.server_state.total_requests += 1
        if is_last:
            self.transport.close()
            return
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _date(self) -> bytes:
        """Return uvicorn's own headers; it makes new ones every second."""
        given = self.server_state.default_headers
        seen, text = Connection.dated
        if seen is not given:
            text = b"".join(b"%b: %b\r\n" % header for header in given)
            Connection.dated = given, text
        return text

    # The end

    def shutdown(self) -> None:
        """End once what is being sent or answered is through."""
        if self._asked is not None and self.quick is not None:
            self.quick.flush()
        if self._held is not None:  # uvicorn waits for requests that it has begun
            held, self._held = self._held, None
            self._as_usual()
            for part in held:
                super().on_body(part)
        super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._held = None
        if self.shared is not None:
            self.shared.change(-1)
        if not self._is_refused:
            super().connection_lost(exc)

    def is_stalled(self) -> bool:
        """Return whether a request was being sent at the last look too, and nothing of it came since."""
        cycle = self.cycle
        is_between = cycle is None or cycle.response_complete
        is_idle = is_between and self.timeout_keep_alive_task is not None  # uvicorn closes those
        is_answered = not is_between and not cycle.more_body
        now = None if is_idle or is_answered else (id(cycle), self._n_bytes)
        was, self._at_last_look = self._at_last_look, now
        return now is not None and now == was


def protocol(limits: Limits, quick: Quick | None = None, shared: SharedSocket | None = None) -> type[Connection]:
    """Return the class of connections that keep these limits, have this quick way, and came by this socket."""
    return type("LimitedConnection", (Connection,), {"limits": limits, "quick": quick, "shared": shared})


async def close_stalled(connections: Iterable[Any], seconds: float) -> None:
    """Look at all connections again and again, and close those that stand still for ``seconds`` to twice that."""
    while True:
        await asyncio.sleep(seconds)
        for connection in list(connections):
            if connection.is_stalled():
                connection.transport.close()
