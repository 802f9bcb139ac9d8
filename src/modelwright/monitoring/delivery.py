"""Delivery: an alarm as a webhook (plain JSON, Slack, Teams), an e-mail, or a line of a log."""

from __future__ import annotations

import json
import smtplib
import ssl
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from modelwright.core.errors import InvalidSetting
from modelwright.core.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelwright.monitoring.state import WatchState

TIMEOUT_SECONDS = 10.0
KINDS = ("webhook", "slack", "teams", "email", "log")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where alarms go.

    Attributes:
        kind: ``webhook``, ``slack``, ``teams``, ``email`` or ``log``.
        address: A URL; ``smtp://user:password@host:587/?from=a@b&to=c@d`` (``smtps://`` for TLS from the start);
            empty for the log.
    """

    kind: str
    address: str = ""

    def __post_init__(self) -> None:
        schemes = {"email": ("smtp", "smtps"), "log": ("",)}.get(self.kind, ("http", "https"))
        if self.kind not in KINDS or urlsplit(self.address).scheme not in schemes:
            raise InvalidSetting(
                "alarms go to a webhook, Slack, Teams, e-mail or the log",
                where=f"--{self.kind}",
                got=f"{urlsplit(self.address).scheme}://…",
                fix="give https://… for webhooks, smtp://user:password@host:587/?from=a@b&to=c@d for e-mail",
            )

    @property
    def name(self) -> str:
        """Names the destination in the outbox, without its secrets."""
        return f"{self.kind}:{fingerprint(self.address)[:12]}"

    def send(self, key: str, alarm: Mapping[str, Any]) -> None:
        """Deliver an alarm; whatever goes wrong is raised.

        Args:
            key: Names the message, so that a receiver can drop one that comes twice.
            alarm: As plain data.
        """
        match self.kind:
            case "log":
                print(log_line(alarm), file=sys.stderr, flush=True)  # noqa: T201 - this is the log
            case "email":
                _mail(self.address, alarm, key)
            case _:
                _post(self.address, BODIES[self.kind](alarm), key)


def log_line(alarm: Mapping[str, Any]) -> str:
    """Return an alarm as one line of ``key=value`` pairs."""
    when = datetime.fromtimestamp(alarm["time"], UTC).isoformat(timespec="seconds")
    title = json.dumps(alarm["title"], ensure_ascii=False)
    return f"time={when} level=warning event=alarm model={json.dumps(alarm['model'])} id={alarm['id']} title={title}"


def _facts(alarm: Mapping[str, Any]) -> list[tuple[str, str]]:
    when = datetime.fromtimestamp(alarm["time"], UTC)
    facts = [("model", str(alarm["model"])), ("window ended", f"{when:%Y-%m-%d %H:%M} UTC"), ("id", str(alarm["id"]))]
    if alarm.get("columns"):
        facts.append(("columns", ", ".join(alarm["columns"][:6])))
    if alarm.get("effect_share") is not None:
        kind = "measured" if alarm["is_about_quality"] else "estimated"
        facts.append(("mean loss", f"{100 * alarm['effect_share']:+.0f} % ({kind})"))
    return facts


def _slack(alarm: Mapping[str, Any]) -> dict[str, Any]:
    title = _escaped(f"{alarm['model']}: {alarm['title']}")
    lines = "\n".join(f"*{k}*: {_escaped(v)}" for k, v in _facts(alarm))
    return {
        "text": title,
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": f"*{title}*"[:2900]}},
            {"type": "section", "text": {"type": "mrkdwn", "text": lines[:2900]}},
        ],
    }


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams(alarm: Mapping[str, Any]) -> dict[str, Any]:
    card = {
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "text": f"{alarm['model']}: {alarm['title']}", "weight": "Bolder", "wrap": True},
            {"type": "FactSet", "facts": [{"title": k, "value": v} for k, v in _facts(alarm)]},
        ],
    }
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


def _generic(alarm: Mapping[str, Any]) -> dict[str, Any]:
    return {"event": "alarm", "alarm": dict(alarm)}


BODIES: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "webhook": _generic,
    "slack": _slack,
    "teams": _teams,
}


def _post(url: str, body: dict[str, Any], key: str) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": key, "User-Agent": "modelwright"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")  # noqa: S310 - checked
    opener = urllib.request.build_opener(_NoRedirects)
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            response.read(1)
    except urllib.error.HTTPError as error:
        error.close()
        message = f"the receiver answered {error.code}"
        raise OSError(message) from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """An alarm goes where it was sent, and nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _mail(address: str, alarm: Mapping[str, Any], key: str) -> None:
    parts = urlsplit(address)
    asked = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    message = EmailMessage()
    message["Subject"] = _one_line(f"[modelwright] {alarm['model']}: {alarm['title']}")[:200]
    message["From"], message["To"] = unquote(asked.get("from", "")), unquote(asked.get("to", ""))
    message["Message-ID"] = f"<{key}@modelwright>"
    text = "\n".join([alarm["title"], "", *(f"{k}: {v}" for k, v in _facts(alarm)), "", *_signal_lines(alarm)])
    message.set_content(text)
    make = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    port = parts.port or (465 if parts.scheme == "smtps" else 587)
    with make(parts.hostname or "", port, timeout=TIMEOUT_SECONDS) as server:
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _signal_lines(alarm: Mapping[str, Any]) -> list[str]:
    return [f"- {s['text']} ({s['strength']:+.1f} standard errors, {s['windows']} windows)" for s in alarm["signals"]]


def deliver(state: WatchState, destinations: Sequence[Destination]) -> tuple[int, int]:
    """Try every message that is due; return how many arrived and how many did not."""
    by_name = {d.name: d for d in destinations}
    arrived = failed = 0
    for key, name, alarm in state.due(tuple(by_name)):
        try:
            by_name[name].send(key, alarm)
        except (OSError, HTTPException, smtplib.SMTPException, ValueError) as error:
            state.failed(key, f"{type(error).__name__}: {error}")
            failed += 1
        else:
            state.delivered(key)
            arrived += 1
    return arrived, failed
