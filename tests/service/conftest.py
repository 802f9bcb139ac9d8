"""An application without a server: requests go straight to the ASGI function; and a real service on a free port."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

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

TOKENS = {name: f"{name}-0123456789abcdef" for name in SCOPES}
ROW = {"customer": "C-9", "tenure": 5, "contract": "month", "charge": "53.85", "since": "2015-05-05"}


class Desk:
    """An application and the means to ask it."""

    def __init__(self, package, folder, *, policy=None, limits=None, models=None, is_open=False):
        self.package = read(package, catalogue())
        pointer = replace(PackageSource(package).current(), version=self.package.fingerprint[:12])
        self.scorer = Scorer(self.package, pointer, policy or Policy())
        columns = [c.name for c in self.package.model.contract.columns]
        self.counters = Counters(routes.NAMES, columns, RULES)
        self.spool = folder / "spool"
        self.log = io.StringIO()
        self.recorder = Recorder(
            Spool(self.spool, bytes_max=100_000), Privacy({}, b"", frozenset(columns)), self.counters
        )
        tokens = tuple(Token(name, digest_of(token), (name,)) for name, token in TOKENS.items())
        self.app = App(
            models(self) if models else Models(self.scorer),
            keyring=Keyring(tokens, is_open=is_open),
            recorder=self.recorder,
            counters=self.counters,
            limits=limits or Limits(),
            hosts=Hosts(("model.example",)),
            log=Log(self.log),
        )

    def ask(
        self,
        method,
        path,
        body=b"",
        *,
        token="admin",
        kind="application/json",
        host="127.0.0.1:1",
        headers=(),
        chunk=None,
    ):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        sent = [(b"host", host.encode()), (b"content-type", kind.encode())]
        if token:
            sent.append((b"authorization", f"Bearer {TOKENS.get(token, token)}".encode()))
        scope = {"type": "http", "method": method, "path": path, "headers": [*sent, *headers]}
        size = chunk or max(len(body), 1)
        parts = [body[i : i + size] for i in range(0, len(body), size)] or [b""]
        got = []

        async def receive():
            part = parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(parts)}

        async def send(message):
            got.append(message)

        async def one():
            await self.app(scope, receive, send)
            await self.app.settle()

        asyncio.run(one())
        content = b"".join(m.get("body", b"") for m in got[1:])
        found = dict(got[0]["headers"])
        is_json = found[b"content-type"] == b"application/json" and content.strip()
        return got[0]["status"], found, json.loads(content) if is_json else content

    def written(self):
        lines = [
            line[1:]
            for path in sorted(self.spool.iterdir())
            for line in path.read_bytes().split(b"\n")
            if line.startswith(b"R")
        ]
        return [json.loads(line) for line in lines]


@pytest.fixture
def desk(churn_model, tmp_path):
    return Desk(churn_model.path, tmp_path)


@pytest.fixture
def make_desk(churn_model, tmp_path):
    return lambda package=churn_model.path, **options: Desk(package, tmp_path, **options)


class Running:
    """A service in its own processes."""

    def __init__(self, folder, package, *options, env=None):
        command = [sys.executable, "-m", "modelwright.ui", "serve", str(package), "--port", "0", "--json", *options]
        self.start(command, folder, env)

    @classmethod
    def of(cls, command, folder, env=None):
        running = cls.__new__(cls)
        running.start(command, folder, env)
        return running

    def start(self, command, folder, env):
        self.log = (folder / "service.log").open("a+")
        self.process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=self.log, text=True, env={**os.environ, **(env or {})}
        )
        self.began = time.monotonic()
        line = self.process.stdout.readline()
        assert line, self.said()
        told = json.loads(line)
        assert "error" not in told, told
        self.url, self.token, self.pid, self.version = told["url"], told["token"], told["pid"], told["version"]

    def ask(self, path, body=None, *, kind="application/json", token=None, timeout=10):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": kind, "Authorization": f"Bearer {token or self.token}"}
        request = urllib.request.Request(self.url + path, data, headers)
        with urllib.request.urlopen(request, timeout=timeout) as reply:
            content = reply.read()
            return json.loads(content) if reply.headers["content-type"] == "application/json" else content

    def refused(self, path, body=None, **options):
        try:
            self.ask(path, body, **options)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        return 200

    def children(self):
        return [int(p) for p in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
        self.process.stdout.close()
        self.log.close()
        return self.process.returncode


@pytest.fixture
def run_service(churn_model, tmp_path):
    running = []

    def start(*options, package=churn_model.path, folder=tmp_path, env=None):
        running.append(Running(folder, package, *options, env=env))
        return running[-1]

    yield start
    for service in running:
        service.stop()
