"""The worker: one process that answers, takes up new packages while it does, and drains when told to end."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import uvicorn
import uvloop

from modelwright.core.errors import ModelwrightError
from modelwright.service.accepting import Acceptor
from modelwright.service.app import App
from modelwright.service.connections import close_stalled, protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from modelwright.service.accepting import SharedSocket
    from modelwright.service.limits import Limits
    from modelwright.service.logs import Log
    from modelwright.service.models import Models

LOOK_SECONDS = 1.0
"""How often a worker asks whether its models or tokens changed."""
LINGER_SECONDS = 0.5
"""How long a draining worker goes on answering on connections that are open, asking each to go elsewhere."""


class _Server(uvicorn.Server):
    """Uvicorn's, without its signal handlers, for a worker drains first, and with connections shared out."""

    def __init__(self, config: uvicorn.Config, shared: SharedSocket) -> None:
        super().__init__(config)
        self._shared = shared

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        config, speaks = self.config, cast("Callable[..., Any]", self.config.http_protocol_class)
        protocol = partial(speaks, config=config, server_state=self.server_state, app_state={})
        self.servers = [cast("Any", Acceptor(self._shared, protocol, config.ssl))]

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def work(
    app: App,
    shared: SharedSocket,
    *,
    limits: Limits,
    log: Log,
    look: Callable[[], Models | None],
    is_ready: Callable[[], None],
    tls: tuple[str, str] | None = None,
    parent: int = 0,
) -> None:
    """Answer until told to end by SIGTERM or SIGINT.

    Args:
        app: The application.
        shared: Where connections come from; this worker's place in it is taken.
        limits: Seconds to stand still and to drain.
        log: Told of changes.
        look: Called in a thread each second; gives new models when there are, None otherwise.
        is_ready: Called once requests are taken.
        tls: Paths of certificate and key, or None.
        parent: The process without which the worker ends; 0 for none.
    """
    config = uvicorn.Config(
        app,
        http=protocol(limits, app.quick, shared),
        ws="none",
        loop="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="critical",
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=limits.drain_seconds,
        ssl_certfile=None if tls is None else tls[0],
        ssl_keyfile=None if tls is None else tls[1],
    )
    server = _Server(config, shared)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(server, app, shared, limits, log, look, is_ready, parent))


async def _serve(
    server: _Server,
    app: App,
    shared: SharedSocket,
    limits: Limits,
    log: Log,
    look: Callable[[], Models | None],
    is_ready: Callable[[], None],
    parent: int,
) -> None:
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[Any]] = set()

    def begin(work: Any) -> None:
        task = loop.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def drain() -> None:
        if not app.is_draining:
            app.is_draining = True
            begin(_drained(server))

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, drain)
    begin(_looked(app, look, log, drain, parent))
    begin(_lived(app, shared))
    begin(close_stalled(server.server_state.connections, max(limits.stalled_seconds / 2, 0.05)))
    begin(_told(server, is_ready))
    await server.serve(sockets=[])
    await app.settle()
    for task in tasks:
        task.cancel()


async def _told(server: _Server, is_ready: Callable[[], None]) -> None:
    while not server.started:
        await asyncio.sleep(0.002)
    is_ready()


async def _lived(app: App, shared: SharedSocket) -> None:
    while not app.is_draining:
        shared.live()
        await asyncio.sleep(1.0)


async def _drained(server: _Server) -> None:
    """Take no new connections, ask the open ones to go elsewhere, and only then close those that stay silent."""
    for listening in server.servers:
        listening.close()
    await asyncio.sleep(LINGER_SECONDS)
    server.should_exit = True


async def _looked(
    app: App, look: Callable[[], Models | None], log: Log, drain: Callable[[], None], parent: int
) -> None:
    """Take up new models as they appear: those that answer go on until the new ones are loaded and verified."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if parent and os.getppid() != parent:
            log.say("orphaned")
            drain()
            return
        with suppress(ModelwrightError):  # said and counted where it happened; what answers goes on answering
            models = await asyncio.to_thread(look)
            if models is not None:
                app.models = models
                log.say("took up", model=models.champion.pointer.model, version=models.champion.version)
