"""Delivery: each form arrives as its receiver expects it, and what fails is tried again."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import StreamRequestHandler, TCPServer

import pytest

from modelwright.core.errors import InvalidSetting
from modelwright.core.signal import Alarm, Aspect, Signal
from modelwright.monitoring.delivery import Destination, deliver, log_line
from modelwright.monitoring.state import WatchState

SEEN = Signal("x: location", "x", Aspect.LOCATION, 4.2, 3.5, 2, 0.0, "x moved")
ALARM = Alarm("a" * 16, "churn", 86_400.0, "x moved <b>", (SEEN,), ("x",), 0.1, 0.2)


@pytest.fixture
def receiver():
    got: list[tuple[dict, dict]] = []
    answers = [503, 200]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            got.append((dict(self.headers), body))
            self.send_response(answers.pop(0) if answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", got
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_message_that_was_refused_arrives_later(receiver, tmp_path):
    url, got = receiver
    now = [1_000.0]
    state = WatchState(tmp_path / "watch.db", lambda: now[0])
    to = Destination("webhook", url)
    state.record("churn", [ALARM], [to.name], {})
    assert deliver(state, [to]) == (0, 1)
    assert deliver(state, [to]) == (0, 0)
    now[0] += 31
    assert deliver(state, [to]) == (1, 0)
    state.close()
    keys = {headers["Idempotency-Key"] for headers, _ in got}
    assert len(got) == 2
    assert len(keys) == 1
    assert got[1][1]["alarm"]["title"] == "x moved <b>"


def test_slack_and_teams_have_their_forms(receiver):
    url, got = receiver
    for kind in ("slack", "teams"):
        try:
            Destination(kind, url).send("key", ALARM.to_dict())
        except OSError:
            Destination(kind, url).send("key", ALARM.to_dict())
    slack, teams = got[1][1], got[2][1]
    assert "&lt;b&gt;" in slack["text"]
    assert slack["blocks"][0]["type"] == "section"
    assert teams["attachments"][0]["content"]["type"] == "AdaptiveCard"


def test_an_e_mail_is_sent():
    said = []

    class Handler(StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"220 here\r\n")
            in_data = False
            for raw in self.rfile:
                text = raw.decode().rstrip("\r\n")
                said.append(text)
                if in_data and text != ".":
                    continue
                in_data = text.upper() == "DATA"
                bye = text.upper() == "QUIT"
                self.wfile.write(b"354 go on\r\n" if in_data else b"221 bye\r\n" if bye else b"250 well\r\n")
                if bye:
                    return

    server = TCPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    address = f"smtp://127.0.0.1:{server.server_address[1]}/?from=a%40b.example&to=c%40d.example"
    Destination("email", address).send("key", ALARM.to_dict())
    thread.join(10)
    server.server_close()
    assert "Subject: [modelwright] churn: x moved <b>" in said
    assert "To: c@d.example" in said
    assert any("x moved (+4.2 standard errors, 2 windows)" in line for line in said)


def test_a_log_line_is_one_line():
    assert "\n" not in log_line({**ALARM.to_dict(), "title": "two\nlines"})


@pytest.mark.parametrize(("kind", "address"), [("webhook", "file:///etc/passwd"), ("email", "https://x"), ("fax", "")])
def test_other_addresses_are_refused(kind, address):
    with pytest.raises(InvalidSetting, match="webhook"):
        Destination(kind, address)
