"""The application: a bare ASGI function. Deny by default, caps before parsing, record before answering."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import msgspec

from modelwright.core.errors import ModelwrightError
from modelwright.service import bodies, inference_protocol, invocations, labels, openapi, page, routes
from modelwright.service.answering import Answering, predicted
from modelwright.service.explaining import check_rows
from modelwright.service.limiting import Rates
from modelwright.service.logs import place_of
from modelwright.service.quick import Quick
from modelwright.service.refusals import Refused, too_large

if TYPE_CHECKING:
    from modelwright.service.counters import Counters
    from modelwright.service.door import Row
    from modelwright.service.hosts import Hosts
    from modelwright.service.limits import Limits
    from modelwright.service.logs import Log
    from modelwright.service.models import Models
    from modelwright.service.recorder import Recorder
    from modelwright.service.routes import Route
    from modelwright.service.scorer import Scorer
    from modelwright.service.tokens import Keyring
    from modelwright.service.tracing import Tracer

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_JSON = b"application/json"
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Reply:
    """What is sent back."""

    body: bytes
    status: int = 200
    kind: bytes = _JSON
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


class _Gone(Exception):
    """The sender closed the connection before its request was whole."""


class App:
    """One worker's application.

    Attributes:
        answering: Models, batches and records.
        quick: Answers small requests before they come here.
    """

    def __init__(
        self,
        models: Models,
        *,
        keyring: Keyring,
        recorder: Recorder,
        counters: Counters,
        limits: Limits,
        hosts: Hosts,
        log: Log,
        tracer: Tracer | None = None,
    ) -> None:
        self.answering = Answering(models, recorder, counters, limits)
        self._keyring, self._recorder, self._counters = keyring, recorder, counters
        self._limits, self._hosts, self._log, self._tracer = limits, hosts, log, tracer
        self._rates = Rates(limits.requests_per_second)
        is_quick = tracer is None and not limits.requests_per_second and not log.is_verbose
        self.quick = Quick(self.answering, hosts, keyring, is_on=is_quick)

    @property
    def models(self) -> Models:
        """Who answers; replaced as a whole while requests run."""
        return self.answering.models

    @models.setter
    def models(self, models: Models) -> None:
        self.answering.models = models

    @property
    def is_draining(self) -> bool:
        """Whether connections are asked to go elsewhere."""
        return self.answering.is_draining

    @is_draining.setter
    def is_draining(self, is_draining: bool) -> None:
        self.answering.is_draining = is_draining

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        route, given = routes.find(scope["method"], scope["path"])
        self.answering.in_flight += 1
        self._counters.in_flight(1)
        try:
            reply = await self._reply(scope, receive, route, given, started)
        except _Gone:
            return
        except Refused as refused:
            reply = _refusal(refused, route)
        except Exception as error:
            reply = self._defect(error)
        finally:
            self.answering.in_flight -= 1
            self._counters.in_flight(-1)
        seconds = time.perf_counter() - started
        name = routes.ELSEWHERE if route is None else route.name
        self._counters.answered(name, reply.status, seconds)
        if self._log.is_verbose or reply.status >= 500:
            self._log.say("request", route=name, status=reply.status, ms=round(1000 * seconds, 3))
        await self._send(send, reply, is_head=scope["method"] == "HEAD")

    async def _send(self, send: Send, reply: Reply, *, is_head: bool) -> None:
        headers = [(b"content-type", reply.kind), (b"content-length", b"%d" % len(reply.body)), *reply.headers]
        if self.is_draining:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if is_head else reply.body})

    async def _reply(
        self, scope: Message, receive: Receive, route: Route | None, given: dict[str, str], started: float
    ) -> Reply:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if not self._hosts.allows(headers.get(b"host")):
            fix = "ask under its address, or start it with --allow-host NAME"
            raise Refused(HTTPStatus.MISDIRECTED_REQUEST, "a request names this service", where="Host", fix=fix)
        self._authorize(headers.get(b"authorization"), route)
        if route is None:
            raise _nowhere(scope["path"])
        if self.answering.in_flight > self._limits.in_flight and route.scope:
            raise Refused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "the service works on a limited number of requests at a time",
                fix="try again shortly",
                retry_after=1,
            )
        if route.method == "GET":
            return self._described(route, given)
        kind = _kind(headers)
        body = await _read(receive, headers, self._limits.body_bytes)
        if self._tracer is not None:
            with self._tracer.span(route.name, headers) as span:
                reply = await self._worked(route, given, kind, body, started)
                span.set_attribute("http.response.status_code", reply.status)
                return reply
        return await self._worked(route, given, kind, body, started)

    def _authorize(self, header: bytes | None, route: Route | None) -> None:
        """Let a request pass that may do what it asks; whatever has no route needs a token too."""
        if route is not None and not route.scope:
            return
        token = self._keyring.find(header)
        if token is None:
            fix = "send the header `Authorization: Bearer TOKEN`"
            raise Refused(
                HTTPStatus.UNAUTHORIZED, "a request carries a token of this service", where="Authorization", fix=fix
            )
        if route is not None and route.scope not in token.scopes and "admin" not in token.scopes:
            got = f"a token for {', '.join(token.scopes)}"
            raise Refused(HTTPStatus.FORBIDDEN, f"this needs a token for {route.scope}", where="Authorization", got=got)
        if not self._rates.take(token.digest):
            rule = f"a token asks at most {self._limits.requests_per_second} times a second"
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, rule, where="Authorization", retry_after=1)

    def _described(self, route: Route, given: dict[str, str]) -> Reply:
        """Answer what needs no body."""
        name = route.name
        if name in ("ready", "v2_ready", "ping"):
            status = 503 if self.is_draining else 200
            return Reply(b"\n" if name == "ping" else _encode({"ready": not self.is_draining}), status)
        if name == "page":
            return Reply(page.content(), 200, b"text/html; charset=utf-8", page.headers())
        if name == "metrics":
            return Reply(self._counters.page(self.models.listed()), 200, b"text/plain; version=1.0.0; charset=utf-8")
        if name == "version":
            return Reply(version("modelwright").encode(), 200, b"text/plain; charset=utf-8")
        return Reply(_encode(self._told(name, given)))

    def _told(self, name: str, given: dict[str, str]) -> dict[str, Any]:
        """Return what a path tells as JSON."""
        if name in ("live", "v2_live"):
            return {"live": True}
        if name == "openapi":
            return openapi.document(self.models.champion, self._limits)
        if name == "v2":
            return {"name": "modelwright", "version": version("modelwright"), "extensions": []}
        scorer = self._asked(given)
        if name == "v2_model_ready":
            return {"name": scorer.pointer.model, "ready": True}
        return inference_protocol.metadata(scorer)

    def _asked(self, given: dict[str, str]) -> Scorer:
        """Return the model a path names, or raise Refused (404)."""
        scorer = self.models.named(given.get("version"))
        if scorer is None or given["name"] != scorer.pointer.model:
            fix = f"this service answers for {self.models.champion.pointer.model!r}"
            raise Refused(HTTPStatus.NOT_FOUND, "the path names a model of this service", where="path", fix=fix)
        return scorer

    async def _worked(self, route: Route, given: dict[str, str], kind: str, body: bytes, started: float) -> Reply:
        """Answer what comes with a body."""
        name, limits = route.name, self._limits
        if name == "labels":
            outcomes = labels.outcomes_of(kind, body, self.models.champion, limits)
            self._recorder.outcomes(outcomes)
            return Reply(_encode({"accepted": len(outcomes)}), HTTPStatus.ACCEPTED)
        scorer, role = self.answering.choose()
        if name == "predict":
            rows, explain = bodies.asked_of(kind, body, limits)
            if explain:
                check_rows(rows, limits)
            answers, ids, recorded = await self.answering.scored(scorer, role, rows, started)
            reasons = await self.answering.explained(scorer, rows) if explain else None
            return Reply(predicted(scorer, answers, ids, recorded=recorded, reasons=reasons))
        if name == "invocations":
            rows = _invoked(kind, body, limits)
            answers, ids, _ = await self.answering.scored(scorer, role, rows, started)
            return Reply(_encode(invocations.answer(scorer, answers, ids)))
        asked = self._asked(given)
        if "version" in given:
            scorer, role = asked, "canary" if asked is self.models.canary else "champion"
        if kind != bodies.JSON:
            raise _unsupported("the Open Inference Protocol is spoken in JSON here")
        request = bodies.decode(inference_protocol.decoder, body)
        rows = inference_protocol.rows_of(request, scorer, limits)
        answers, ids, recorded = await self.answering.scored(scorer, role, rows, started)
        return Reply(_encode(inference_protocol.answer(request, scorer, answers, ids, recorded=recorded)))

    def _defect(self, error: Exception) -> Reply:
        """Return the answer to what nobody foresaw; the log names the kind and the place, never a value."""
        code = error.code if isinstance(error, ModelwrightError) else ""
        self._log.say("defect", kind=type(error).__name__, place=place_of(error), code=code)
        rule = "the service answers or explains whatever it is sent"
        return _refusal(Refused(HTTPStatus.INTERNAL_SERVER_ERROR, rule, fix="see the log of the service"), None)

    async def settle(self) -> None:
        """Wait until the shadows have answered."""
        await self.answering.settle()


def _invoked(kind: str, body: bytes, limits: Limits) -> list[Row]:
    if kind != bodies.JSON:
        return bodies.rows_of(kind, body, limits)
    return invocations.rows_of(bodies.decode_loosely(invocations.decoder, body), limits)


def _kind(headers: dict[bytes, bytes]) -> str:
    """Return how the body is to be read, or raise Refused (415)."""
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise _unsupported("bodies come as they are, not compressed", where="Content-Encoding")
    if b"inference-header-content-length" in headers:
        raise _unsupported("tensors come as JSON, not as binary data", where="Inference-Header-Content-Length")
    named = headers.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("latin-1")
    kind = bodies.KINDS.get(named)
    if kind is None:
        raise _unsupported("a body is JSON, CSV or Parquet", where="Content-Type")
    return kind


def _unsupported(rule: str, *, where: str = "Content-Type") -> Refused:
    fix = f"send one of {', '.join(k for k in bodies.KINDS if k)}"
    return Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, rule, where=where, fix=fix)


def _nowhere(path: str) -> Refused:
    methods = routes.methods_of(path)
    if methods:
        refused = Refused(HTTPStatus.METHOD_NOT_ALLOWED, "a path is asked with its method", fix=f"use {methods[0]}")
        refused.allow = methods
        return refused
    return Refused(HTTPStatus.NOT_FOUND, "a path is one of the service's", where="path", fix="see /openapi.json")


async def _read(receive: Receive, headers: dict[bytes, bytes], bytes_max: int) -> bytes:
    """Return the body, refused before it is read where its length is announced, and as soon as it is too long."""
    announced = headers.get(b"content-length")
    if announced is not None and (not announced.isdigit() or int(announced[:20]) > bytes_max):
        raise too_large("bytes", bytes_max)
    message = await receive()
    if message["type"] != "http.request":
        raise _Gone
    if not message.get("more_body"):
        body: bytes = message.get("body", b"")
        if len(body) > bytes_max:
            raise too_large("bytes", bytes_max)
        return body
    parts, size = [message["body"]], len(message["body"])
    while message.get("more_body"):
        message = await receive()
        if message["type"] != "http.request":
            raise _Gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > bytes_max:
            raise too_large("bytes", bytes_max)
    return b"".join(parts)


def _refusal(refused: Refused, route: Route | None) -> Reply:
    """Return a refusal as a reply; the Open Inference Protocol wants one text."""
    data = refused.to_dict()
    is_v2 = route is not None and route.name.startswith("v2")
    text = "; ".join(v for v in (refused.rule, data["where"], data["found"], data["fix"]) if v)
    headers = [(b"cache-control", b"no-store")]
    if refused.retry_after is not None:
        headers.append((b"retry-after", b"%d" % refused.retry_after))
    if refused.status == HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b"Bearer"))
    if refused.status in (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE):
        headers.append((b"connection", b"close"))  # the rest of the body is not read
    if refused.allow:
        headers.append((b"allow", ", ".join(refused.allow).encode()))
    return Reply(_encode({"error": text if is_v2 else data}), refused.status.value, _JSON, headers)
