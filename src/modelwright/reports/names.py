"""Names from the data: made safe to show, and told apart from our own words in every kind of document.

A sentence carries a name between two invisible marks, Unicode's "first strong isolate" and its end, which keep
a right-to-left name from turning the sentence around. Each document then shows marked names in its own way.
"""

from __future__ import annotations

import html
import re
import unicodedata

OPEN, CLOSE = "\u2068", "\u2069"
MARKED = re.compile(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}")
LONGEST = 48
EMPTY = "(no name)"

_JOINERS = "\u200c\u200d"
"""Invisible, but letters of Persian and parts of emoji."""

_MARKUP = str.maketrans(
    {c: f"\\{c}" for c in "\\`*_{}[]#~!$^"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;", "|": "&#124;", "@": "&#64;"}
)
_LIST_MARK = re.compile(r"^([-+]|\d+[.)])(?=\s)")
_CODE_SAFE = re.compile(r"[^\W_][\w .,;()/%+=-]*")


def clean(name: str, limit: int = LONGEST) -> str:
    r"""Return a name without line breaks, control characters and bidirectional overrides, cut to ``limit``.

    >>> clean("a\nb\u202ec"), clean(""), clean("x" * 60, 5)
    ('a bc', '(no name)', 'xxxx…')
    """
    shown = " ".join("".join(map(_shown, str(name)[: 4 * limit])).split())
    if not shown:
        return EMPTY
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


def _shown(character: str) -> str:
    code, category = ord(character), unicodedata.category(character)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    is_noncharacter = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    hidden = category == "Cs" or is_noncharacter or (category == "Cf" and character not in _JOINERS)
    return "" if hidden else character


def marked(name: str, limit: int = LONGEST) -> str:
    """Return a name for use inside a sentence."""
    return f"{OPEN}{clean(name, limit)}{CLOSE}"


def quoted(label: str, limit: int = LONGEST) -> str:
    """Return a value for use inside a sentence, in quotation marks."""
    return f"“{marked(label, limit)}”"


def as_plain(sentence: str) -> str:
    """Return a sentence for a terminal: no marks, no control characters."""
    return clean(sentence, 10_000) if sentence else ""


def as_html(sentence: str) -> str:
    """Return a sentence as HTML: everything escaped, names isolated.

    >>> as_html(f"Check {marked('<b>')}.")
    'Check <bdi>&lt;b&gt;</bdi>.'
    """
    escaped = html.escape(sentence, quote=True)
    isolated = MARKED.sub(lambda m: f"<bdi>{m.group(1)}</bdi>", escaped)
    return isolated.replace(OPEN, "").replace(CLOSE, "")


def as_markdown(sentence: str) -> str:
    r"""Return a sentence as one line of Markdown: nothing in it is markup but the code spans of plain names.

    >>> as_markdown(f"Check {marked('total_amount')} and {marked('a|`b`')} *now*.")
    'Check `total_amount` and a&#124;\\`b\\` \\*now\\*.'
    """
    parts = MARKED.split(sentence)
    names = ["", *(f"`{n}`" if _is_code(n) else _escaped(n) for n in parts[1::2])]
    line = "".join(name + _escaped(text) for name, text in zip(names, parts[::2], strict=True))
    return _LIST_MARK.sub(lambda m: f"{m.group(1)[:-1]}\\{m.group(1)[-1]}", line)


def _is_code(name: str) -> bool:
    return bool(_CODE_SAFE.fullmatch(name)) and "www." not in name.lower()


def _escaped(text: str) -> str:
    """Return text in which Markdown finds nothing to do: no emphasis, link, table cell, tag or bare address."""
    shown = re.sub(r"\s+", " ", "".join(map(_shown, text))).translate(_MARKUP)
    return re.sub(r"(?i)(www)\.", r"\1&#46;", shown.replace("://", "&#58;//"))


def distinct(names: list[str]) -> list[str]:
    """Return the names, later ones that repeat an earlier one numbered.

    >>> distinct(["a", "b", "a"])
    ['a', 'b', 'a (2)']
    """
    taken: set[str] = set()
    chosen = []
    for name in names:
        free = next(n for n in (name, *(f"{name} ({i})" for i in range(2, len(names) + 2))) if n not in taken)
        taken.add(free)
        chosen.append(free)
    return chosen


def without_secrets(text: str) -> str:
    """Return an address or command without the user name and password it may carry.

    >>> without_secrets("postgresql://ann:secret@host/db")
    'postgresql://…@host/db'
    """
    return re.sub(r"(://)[^/\s]*@", r"\1…@", text)
