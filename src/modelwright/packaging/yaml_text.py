"""YAML: plain data as text that every reader of YAML takes for that very data."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BARE_KEY = re.compile(r"[A-Za-z][A-Za-z0-9./_-]*\Z")
_HALVES = re.compile(r"\\\\|\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})")
_NOT_TEXT = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
"""Words that some readers of YAML take for something else than text."""


def yaml_text(data: Mapping[str, Any], notes: Mapping[str, str] | None = None) -> str:
    r"""Return a mapping as YAML.

    Texts are always quoted as JSON quotes them, so none can be read as a number, a truth or a tag, or end its line.

    Args:
        data: Mappings with text as keys, lists, texts, finite numbers, truths and None.
        notes: By top-level key, a comment above it.

    >>> print(yaml_text({"a": [1, {"b": "x: y"}], "on": None}), end="")
    a:
      - 1
      - b: "x: y"
    "on": null
    """
    lines: list[str] = []
    for key, value in data.items():
        if notes and key in notes:
            lines += [f"# {' '.join(line.split())}" for line in notes[key].splitlines()]
        lines += _entry(key, value)
    return "\n".join(lines) + "\n"


def _entry(key: str, value: Any) -> Iterator[str]:
    """Give the lines of one key and its value."""
    name = key if _BARE_KEY.match(key) and key.lower() not in _NOT_TEXT else _quoted(key)
    if isinstance(value, dict | list | tuple) and value:
        yield f"{name}:"
        yield from (f"  {line}" for line in _lines(value))
    else:
        yield f"{name}: {_scalar(value)}"


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _entry(key, item)
        return
    for item in value:
        if isinstance(item, dict | list | tuple) and item:
            first, *rest = _lines(item)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
        else:
            yield f"- {_scalar(item)}"


def _scalar(value: Any) -> str:
    if isinstance(value, dict | list | tuple):
        return "{}" if isinstance(value, dict) else "[]"
    if isinstance(value, str):
        return _quoted(value)
    text = json.dumps(value, allow_nan=False)
    # Older readers take 1e-06 for a text, and 1.0e-06 for the number.
    return text.replace("e", ".0e", 1) if isinstance(value, float) and "e" in text and "." not in text else text


def _quoted(text: str) -> str:
    """Return a text in double quotes and ASCII, so that no line end or mark of another alphabet means anything.

    JSON's escapes are YAML's too, but for characters that JSON tells by two halves.
    """
    return _HALVES.sub(_whole, json.dumps(text, ensure_ascii=True))


def _whole(found: re.Match[str]) -> str:
    if found[1] is None:
        return found[0]
    return f"\\U{0x10000 + ((int(found[1], 16) - 0xD800) << 10) + int(found[2], 16) - 0xDC00:08x}"
