"""Charts are drawn beside the run, and a run without charts still has a report."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from modelwright.reports import drawing
from modelwright.reports.drawing import Pen, tidy

SPEC = {"data": {"values": [{"x": 1}]}, "mark": "point", "encoding": {"x": {"field": "x", "type": "quantitative"}}}


@pytest.mark.slow
def test_a_spec_becomes_svg():
    with Pen() as pen:
        drawn = pen.draw({"one": SPEC})
    assert drawn["one"].startswith("<svg")
    assert "aria-hidden" in drawn["one"]


@pytest.mark.slow
def test_a_spec_that_cannot_be_drawn_leaves_no_chart_and_no_error():
    with Pen() as pen:
        assert pen.draw({"one": {"mark": 7}}) == {}


@pytest.mark.slow
def test_nothing_is_fetched_for_a_chart():
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with Pen() as pen:
            pen.draw({"one": {**SPEC, "data": {"url": f"http://127.0.0.1:{server.server_port}/x.json"}}})
        server.shutdown()
    assert asked == []


@pytest.mark.parametrize("interpreter", ["/nowhere/python", ""])
def test_without_an_interpreter_there_are_no_charts(monkeypatch, interpreter):
    monkeypatch.setattr(sys, "executable", interpreter)
    with Pen() as pen:
        assert pen.draw({"one": SPEC}) == {}


def test_nothing_to_draw_ends_the_process():
    with Pen() as pen:
        assert pen.draw({}) == {}
        process = pen._process
    assert process is not None
    assert process.returncode is not None


def test_a_pen_that_hangs_is_put_down(monkeypatch, tmp_path):
    script = tmp_path / "hang.py"
    script.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(drawing, "SCRIPT", script)
    monkeypatch.setattr(drawing, "PATIENCE_SECONDS", 0.2)
    with Pen() as pen:
        assert pen.draw({"one": SPEC}) == {}


def test_identifiers_are_the_chart_s_own_and_texts_stay():
    svg = '<svg><defs><clipPath id="clip0"/></defs><g clip-path="url(#clip0)" transform="translate(1.23456,2)">'
    svg += "<text>0.12345</text></g></svg>"
    assert tidy(svg, "roc") == (
        '<svg><defs><clipPath id="roc-clip0"/></defs><g clip-path="url(#roc-clip0)" transform="translate(1.23,2)">'
        "<text>0.12345</text></g></svg>"
    )
