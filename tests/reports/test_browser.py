"""The page as a browser has it: nothing is asked for, nothing runs, nothing hangs over the edge of a telephone."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from modelwright.reports.page import page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
TELEPHONE = 390

pytestmark = [
    pytest.mark.slow,
    pytest.mark.server,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
]

# The page stands in a frame as wide as a telephone; the wrapper, which alone may run scripts, measures it.
WRAPPER = """<!DOCTYPE html><iframe id="frame" width="{width}" height="800" srcdoc="{page}"></iframe><p id="told"></p>
<script>
frame.onload = () => {{
  const inner = frame.contentDocument;
  const over = [...inner.querySelectorAll("body *")].filter(
    e => !e.closest(".scroll, .plot, pre, details") && e.getBoundingClientRect().right > {width} + 0.5);
  told.textContent = [inner.documentElement.scrollWidth - inner.documentElement.clientWidth, over.length,
    inner.querySelectorAll("h1").length, inner.scripts.length, frame.contentWindow.ran === undefined].join(" ");
}};
</script>"""


def browse(document: str, tmp_path) -> tuple[str, list[str]]:
    """Return what the browser made of a document, and every path it asked for besides the document."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            content = document.encode() if self.path == "/page" else b""
            self.send_response(200 if content else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    quiet = ["--disable-background-networking", "--disable-sync", "--no-first-run", "--disable-component-update"]
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{server.server_port}"
        command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", *quiet, f"--user-data-dir={tmp_path}"]
        # Every other host is unreachable, so that a page that needs one shows it.
        command += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--dump-dom", f"http://{address}/page"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        server.shutdown()
    return done.stdout, [path for path in asked if path not in ("/page", "/favicon.ico")]


def measured(document: str, tmp_path) -> list[str]:
    dom, asked = browse(WRAPPER.format(width=TELEPHONE, page=html.escape(document)), tmp_path)
    assert asked == []
    return re.search(r'<p id="told">([^<]*)</p>', dom).group(1).split()


@pytest.mark.parametrize("name", ["binary", "multiclass", "hostile", "wide"])
def test_a_telephone_shows_the_page_without_sideways_scrolling(views, name, tmp_path):
    assert measured(page(views[name]), tmp_path) == ["0", "0", "1", "0", "true"]


@pytest.mark.parametrize("name", ["hostile", "regression"])
def test_a_browser_asks_for_nothing(views, name, tmp_path):
    dom, asked = browse(page(views[name]), tmp_path)
    assert "Model report" in dom
    assert asked == []


def test_the_measurements_can_fail(tmp_path):
    wide = '<h1>x</h1><div style="width: 900px">x</div><img src="/asked"><script>window.ran = 1</script>'
    dom, asked = browse(WRAPPER.format(width=TELEPHONE, page=html.escape(wide)), tmp_path)
    told = re.search(r'<p id="told">([^<]*)</p>', dom).group(1).split()
    assert asked == ["/asked"]
    assert int(told[0]) > 0
    assert told[1:] == ["1", "1", "1", "false"]
