"""What a request costs the processor when several are ready at once, scored alone and together.

python benchmarks/batching.py churn.model
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from typing import Any

import uvloop

from modelwright.flows.builtin import catalogue
from modelwright.packaging.reading import read
from modelwright.registry.ledger_privacy import Privacy
from modelwright.registry.ledger_spool import Spool
from modelwright.service import routes
from modelwright.service.app import App
from modelwright.service.counters import Counters
from modelwright.service.hosts import Hosts
from modelwright.service.limits import Limits
from modelwright.service.logs import Log
from modelwright.service.models import Models
from modelwright.service.policy import RULES, Policy
from modelwright.service.recorder import Recorder
from modelwright.service.scorer import Scorer
from modelwright.service.sources import PackageSource
from modelwright.service.tokens import SCOPES, Keyring, Token, digest_of

TOKEN = "0123456789abcdef0123"  # noqa: S105 - of a benchmark


def application(path: str, folder: str) -> tuple[App, bytes]:
    """Return an application without a server, and a request's body."""
    package = read(path, catalogue())
    counters = Counters(routes.NAMES, [], RULES)
    app = App(
        Models(Scorer(package, PackageSource(path).current(), Policy())),
        keyring=Keyring((Token("a", digest_of(TOKEN), SCOPES),)),
        recorder=Recorder(Spool(folder, bytes_max=60_000_000), Privacy(), counters),
        counters=counters,
        limits=Limits(),
        hosts=Hosts(),
        log=Log(),
    )
    return app, json.dumps({"records": [dict(package.golden.records[0])]}).encode()


async def cost(app: App, body: bytes, at_once: int, *, together: bool) -> float:
    """Return microseconds a request, the least of several tries."""
    headers = [(b"host", b"127.0.0.1"), (b"authorization", b"Bearer " + TOKEN.encode())]
    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": headers}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(_: Any) -> None:
        pass

    best = float("inf")
    for _ in range(6):
        began = time.thread_time()
        for _ in range(400 // at_once):
            app.answering.batcher._mean = 99.0 if together else 0.0
            await asyncio.gather(*[asyncio.ensure_future(app(scope, receive, send)) for _ in range(at_once)])
        best = min(best, (time.thread_time() - began) / (400 // at_once * at_once))
    return 1e6 * best


async def main() -> None:
    """Measure and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        app, body = application(sys.argv[1], folder)
        print("| at once | alone, µs | together, µs |\n|--:|--:|--:|")
        for at_once in (1, 2, 4, 8, 16):
            alone, together = [await cost(app, body, at_once, together=how) for how in (False, True)]
            print(f"| {at_once} | {alone:.0f} | {together:.0f} |")


with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(main())
