"""Accepting: connections are shared out, and nobody waits for a worker that is gone."""

import asyncio
import copy
import errno
import os
import signal
import socket
import time
from collections import Counter
from contextlib import ExitStack, suppress

import pytest

from modelwright.service.accepting import ALIVE_SECONDS, Acceptor, SharedSocket


@pytest.fixture
def now():
    return [100.0]


@pytest.fixture
def shared(now):
    """As worker 0 sees it, beside worker 1."""
    with socket.socket() as sock:
        shared = SharedSocket(sock, 2, clock=lambda: now[0])
        for worker in (1, 0):
            shared.become(worker)
        yield shared


def seen_by(shared, worker):
    """Return what another process has of it, which is this worker."""
    other = copy.copy(shared)
    other.become(worker)
    return other


def test_a_worker_with_more_than_another_gives_way(shared):
    assert not shared.is_ahead()
    shared.change(1)
    assert shared.is_ahead()
    shared.change(-1)
    assert not shared.is_ahead()


def test_nobody_waits_for_a_worker_that_is_silent(shared, now):
    shared.change(1)
    now[0] += ALIVE_SECONDS
    shared.live()
    assert not shared.is_ahead()


def test_nobody_waits_for_a_worker_that_has_left(now):
    with socket.socket() as sock:
        shared = SharedSocket(sock, 2, clock=lambda: now[0])
        shared.become(0)
        other = seen_by(shared, 1)
        shared.change(1)
        assert shared.is_ahead()
        other.leave()
        assert not shared.is_ahead()


def test_a_worker_and_its_successor_do_not_count_each_others_connections(shared, now):
    for _ in range(3):
        shared.change(1)
    now[0] += 1
    successor = seen_by(shared, 0)
    assert not successor.is_ahead()
    successor.change(1)
    assert successor.is_ahead()  # worker 1 has none
    shared.leave()
    second = seen_by(successor, 0)
    for _ in range(3):
        shared.change(-1)  # as those it still had end
    assert not second.is_ahead()
    second.change(1)
    assert second.is_ahead()


class Full(socket.socket):
    """Listens where no more files may be opened."""

    n_asked = 0

    def accept(self):
        self.n_asked += 1
        raise OSError(errno.EMFILE, "too many open files")


@pytest.mark.parametrize("is_ahead", [False, True])
def test_where_no_more_files_may_be_opened_it_rests(is_ahead):
    with Full() as sock, socket.socket() as caller:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        caller.connect(sock.getsockname())
        shared = SharedSocket(sock, 2)
        for worker in (1, 0):
            shared.become(worker)
        shared.change(is_ahead)

        async def wait():
            acceptor = Acceptor(shared, asyncio.Protocol, None)
            await asyncio.sleep(0.2)
            acceptor.close()

        asyncio.run(wait())
        assert sock.n_asked == 1


class Telling(asyncio.Protocol):
    """Says which process it is; counts its end, as the service's connections do."""

    def __init__(self, shared):
        self._shared = shared

    def connection_made(self, transport):
        transport.write(b"%d\n" % os.getpid())

    def connection_lost(self, exc):
        self._shared.change(-1)


def listen(worker, shared, make_loop):
    """Be a worker until killed."""

    async def live():
        shared.become(worker)
        Acceptor(shared, lambda: Telling(shared), None)
        await asyncio.sleep(60)

    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(live())


@pytest.fixture
def address():
    """Two worker processes on one socket."""
    from uvloop import new_event_loop

    with socket.create_server(("127.0.0.1", 0), backlog=256) as sock:
        shared, pids = SharedSocket(sock, 2), []
        for worker in range(2):
            pid = os.fork()
            if pid == 0:
                try:
                    listen(worker, shared, new_event_loop)
                finally:
                    os._exit(1)
            pids.append(pid)
        try:
            time.sleep(0.3)
            yield sock.getsockname(), pids
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                with suppress(ChildProcessError):
                    os.waitpid(pid, 0)


def told(open_):
    return int(open_.makefile("rb").readline())


def test_connections_that_come_at_once_are_shared_out(address):
    where, _ = address
    with ExitStack() as stack:
        some = [stack.enter_context(socket.socket()) for _ in range(32)]
        for one in some:
            one.setblocking(False)
            with suppress(BlockingIOError):
                one.connect(where)
        for one in some:
            one.settimeout(10)
        by = Counter(told(one) for one in some)
    assert len(by) == 2
    assert min(by.values()) >= 12  # a worker may be held up for a moment; without sharing out one takes nearly all


def test_connections_that_come_one_by_one_go_to_who_has_fewest(address):
    where, pids = address
    with ExitStack() as stack:
        kept: dict[int, list[socket.socket]] = {pid: [] for pid in pids}
        for _ in range(16):
            one = stack.enter_context(socket.create_connection(where, timeout=10))
            kept[told(one)].append(one)
        assert min(len(some) for some in kept.values()) >= 6
        for one in kept[pids[0]]:  # its callers leave
            one.close()
        time.sleep(0.2)
        by = Counter(told(stack.enter_context(socket.create_connection(where, timeout=10))) for _ in range(6))
        assert by[pids[0]] >= 4


def test_a_worker_that_died_is_not_waited_for_long(address):
    where, pids = address
    os.kill(pids[0], signal.SIGKILL)
    os.waitpid(pids[0], 0)
    with ExitStack() as stack:
        began = time.monotonic()
        by = {told(stack.enter_context(socket.create_connection(where, timeout=10))) for _ in range(20)}
        assert by == {pids[1]}
        assert time.monotonic() - began < 5
