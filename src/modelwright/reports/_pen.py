"""Draws the charts it is sent: run as a script by ``drawing``, it reads specs and writes SVG or PNG, as JSON."""

from __future__ import annotations

import base64
import json
import signal
import sys
from typing import Any


def main() -> None:
    """Warm up while the specs are still being made, then draw them all in one batch."""
    # Ctrl-C reaches every process of a terminal; the one that started this one decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import vl_convert

    vl_convert.vegalite_to_svg({"data": {"values": []}, "mark": "point"})
    asked: dict[str, Any] = json.load(sys.stdin.buffer)
    drawn = {
        name: vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]) for name, spec in asked.get("svg", {}).items()
    }
    for name, spec in asked.get("png", {}).items():
        png = vl_convert.vegalite_to_png(spec, scale=asked["scale"], allowed_base_urls=[])
        drawn[name] = base64.b64encode(png).decode()
    sys.stdout.buffer.write(json.dumps(drawn).encode())


if __name__ == "__main__":
    main()
