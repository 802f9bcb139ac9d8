"""Drawing: from chart specs to SVG, in a process of its own.

The renderer is a JavaScript engine: it takes a second to start, holds the interpreter's lock while it works,
keeps some 200 MB and ends the process when memory is short. Beside the run it costs the run nothing of that:
it warms up while the specs are made, its memory goes with it, and if it fails there are tables instead.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

SCRIPT = Path(__file__).with_name("_pen.py")
PATIENCE_SECONDS = 30.0

_LONG_DECIMALS = re.compile(r"(\.\d{2})\d+")
_GEOMETRY = re.compile(r'(?<= )(?:d|transform|x|y|x2|y2|width|height)="[-\d.,a-zA-Z() ]*"')


class Pen:
    """Draws charts; use it in a ``with`` block and make the specs inside, while it warms up."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with contextlib.suppress(OSError):
            self._process = subprocess.Popen(  # noqa: S603 - our own script, run by the interpreter that runs us
                [sys.executable, "-P", str(SCRIPT)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def draw(self, specs: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        """Return the charts as SVG by name; nothing when they cannot be drawn on this machine."""
        return {name: tidy(svg, name) for name, svg in self._answer({"svg": specs} if specs else {}).items()}

    def paint(self, specs: Mapping[str, Mapping[str, Any]], *, scale: float = 2.5) -> dict[str, bytes]:
        """Return the charts as PNG by name, for what cannot show SVG; nothing when they cannot be drawn.

        Args:
            specs: Charts by name, with colours in place of the page's variables.
            scale: Pixels for each of the chart's.
        """
        asked = {"png": specs, "scale": scale} if specs else {}
        return {name: base64.b64decode(png) for name, png in self._answer(asked).items()}

    def _answer(self, asked: Mapping[str, Any]) -> dict[str, str]:
        if self._process is None or not asked:
            return {}
        try:
            drawn, _ = self._process.communicate(json.dumps(asked).encode(), timeout=PATIENCE_SECONDS)
            found: dict[str, str] = json.loads(drawn)
        except (OSError, ValueError, subprocess.TimeoutExpired):
            return {}
        return found


def tidy(svg: str, name: str) -> str:
    """Return an SVG fit to stand beside others in one page: identifiers of its own, no needless digits.

    >>> tidy('<svg xmlns:xlink="http://www.w3.org/1999/xlink"><g clip-path="url(#clip0)"/></svg>', "roc")
    '<svg aria-hidden="true"><g clip-path="url(#roc-clip0)"/></svg>'
    """
    svg = svg.replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', ' aria-hidden="true"', 1)
    svg = re.sub(r'(?<=[ ]id=")(?=(?:clip|gradient))|(?<=="url\(#)', f"{name}-", svg)
    return _GEOMETRY.sub(lambda m: _LONG_DECIMALS.sub(r"\1", m.group()), svg)
