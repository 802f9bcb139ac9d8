"""Logs: one JSON object a line on standard error; names, counts and times, never a cell's value or a token."""

from __future__ import annotations

import json
import sys
import time
from typing import TextIO

Fact = str | int | float | bool | None
SILENT = frozenset({"authorization", "token", "row", "rows_content", "body"})
"""Facts of these names are never written, whoever hands them in."""


class Log:
    """Writes lines.

    Args:
        file: Where to; standard error when None.
        is_verbose: Whether each answered request is told too.
    """

    def __init__(self, file: TextIO | None = None, *, is_verbose: bool = False) -> None:
        self._file, self.is_verbose = file, is_verbose

    def say(self, event: str, **facts: Fact) -> None:
        """Write one line."""
        kept = {name: value for name, value in facts.items() if name not in SILENT}
        line = json.dumps({"time": round(time.time(), 3), "event": event, **kept}, ensure_ascii=True)
        print(line, file=self._file or sys.stderr, flush=True)


def place_of(error: BaseException) -> str:
    """Return the file and line where an error was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
