"""Accepting: connections are shared out among the workers that listen on one socket.

The operating system gives a connection to whichever worker it wakes first, which then takes all that wait: eight
callers often ended with one worker, beside another that was idle, and were answered half as fast.
"""

from __future__ import annotations

import asyncio
import mmap
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

GIVE_WAY_SECONDS = 0.001
"""How long a worker that has more connections than another leaves a new one to it."""
ALIVE_SECONDS = 3.0
"""A worker that has said nothing for so long is not waited for; each says something every second."""


class SharedSocket:
    """A listening socket, and how many connections each worker has of it, in memory that all see.

    Made before the workers are forked.

    Args:
        sock: Bound and listening; stays open.
        n_workers: Who listen on it. Each has two places, for one that is replaced goes on beside its successor.
        clock: Seconds, the same for all processes.
    """

    def __init__(self, sock: socket.socket, n_workers: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.sock = sock
        self._memory = memoryview(mmap.mmap(-1, 8 * 4 * n_workers)).cast("d")
        self._clock = clock
        self._mine = 0
        self._has_left = False

    def become(self, worker: int) -> None:
        """Be this worker from now on, which has no connections yet."""
        self._mine = min(4 * worker, 4 * worker + 2, key=lambda at: self._memory[at + 1])
        self._memory[self._mine] = 0.0
        self._has_left = False
        self.live()

    def change(self, n: int) -> None:
        """Say that a connection began (1) or ended (-1)."""
        if not self._has_left:  # else the place may be another's
            self._memory[self._mine] += n

    def live(self) -> None:
        """Say that this worker is alive; due every second."""
        self._memory[self._mine + 1] = self._clock()

    def leave(self) -> None:
        """Say that this worker takes no more."""
        self._memory[self._mine + 1] = 0.0
        self._has_left = True

    def is_ahead(self) -> bool:
        """Return whether another worker that is alive has fewer connections."""
        memory, mine, now = self._memory, self._mine, self._clock()
        return any(
            memory[at] < memory[mine] and now - memory[at + 1] < ALIVE_SECONDS
            for at in range(0, len(memory), 2)
            if at != mine and memory[at + 1]
        )


class Acceptor:
    """Takes connections one at a time, and leaves them for a moment to workers that have fewer. For one event loop.

    It closes as an ``asyncio.Server`` does, in whose place it stands.

    Args:
        shared: Of this worker and the others.
        protocol: Makes what speaks on a connection, and says to ``shared`` when that ends.
        tls: For connections that are encrypted, or None.
    """

    def __init__(
        self, shared: SharedSocket, protocol: Callable[[], asyncio.Protocol], tls: ssl.SSLContext | None
    ) -> None:
        self._shared, self._sock, self._protocol, self._tls = shared, shared.sock, protocol, tls
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_closed = False
        self._sock.setblocking(False)
        self._listen()

    def _listen(self) -> None:
        if not self._is_closed:
            self._loop.add_reader(self._sock, self._look)

    def _look(self) -> None:
        """Take a connection that waits, at once or after a moment for others to take it."""
        if self._shared.is_ahead():
            self._loop.remove_reader(self._sock)
            self._loop.call_later(GIVE_WAY_SECONDS, self._take_late)
        else:
            self._take()

    def _take_late(self) -> None:
        if not self._is_closed:
            self._listen()
            self._take()

    def _take(self) -> None:
        try:
            taken, _ = self._sock.accept()
        except (BlockingIOError, InterruptedError, ConnectionError):  # another took it, or it is gone
            return
        except OSError:  # no more files may be opened: what is open has to end first
            self._loop.remove_reader(self._sock)
            self._loop.call_later(1.0, self._listen)
            return
        taken.setblocking(False)
        self._shared.change(1)
        task = self._loop.create_task(self._begin(taken))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _begin(self, taken: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._protocol, taken, ssl=self._tls)
        except OSError:  # such as a handshake that failed: nobody else is told of its end
            self._shared.change(-1)
            taken.close()

    def close(self) -> None:
        """Take no more connections; those that are open go on."""
        if not self._is_closed:
            self._is_closed = True
            self._loop.remove_reader(self._sock)
            self._shared.leave()

    async def wait_closed(self) -> None:
        """Wait until those that were being taken are."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=5.0)
