"""Text encodings: any bytes of a text file become UTF-8, or an error says at which line they stop being text."""

from __future__ import annotations

import codecs
import re

from modelwright.core.errors import UnreadableSource

# UTF-32's little-endian mark begins with UTF-16's, so it is tried first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHUNK = 1 << 24
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_HIGH = re.compile(rb"[\x80-\xff]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]{4,}")
_UTF8_CHARACTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_SAVE_AS_UTF8 = "save the file as UTF-8"


def to_utf8(data: bytes, where: str) -> bytes:
    """Return the text as UTF-8 without a byte-order mark.

    Tried in order: byte-order marks, UTF-8, UTF-16 without a mark, Windows-1252 (which contains Latin-1's letters).

    Args:
        data: The whole file.
        where: Its name, for messages.

    Raises:
        UnreadableSource: The bytes are not text, mix two encodings, or are in one that cannot be told.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _no_nulls(_recode(data[len(mark) :], name, where), where)
    if data.isascii():
        return _no_nulls(data, where)
    bad = _first_bad_byte(data)
    if bad is None:
        return _no_nulls(data, where)
    if b"\0" in data:
        return _no_nulls(data, where)
    return _western(data, bad, where)


def _recode(data: bytes, name: str, where: str) -> bytes:
    try:
        return data.decode(name).encode()
    except UnicodeDecodeError as error:
        raise UnreadableSource(
            f"a file that begins with the mark of {name.upper()} is {name.upper()} to its end",
            where=f"{where}, byte {error.start + 1}",
            got=error.reason,
            fix=f"{_SAVE_AS_UTF8}, or get the file again if it was cut short",
        ) from error


def _no_nulls(data: bytes, where: str) -> bytes:
    """Return text without NUL characters as it is, and UTF-16 without a mark as UTF-8."""
    at = data.find(b"\0")
    if at < 0:
        return data
    head = data[:4096]
    half = len(head) // 2
    for name, zeros, others in (("utf-16-le", head[1::2], head[::2]), ("utf-16-be", head[::2], head[1::2])):
        if zeros.count(0) > 0.6 * half and others.count(0) < 0.05 * half:
            return _no_nulls(_recode(data, name, where), where)
    raise _not_text(data, at, where, "a NUL byte")


def _first_bad_byte(data: bytes) -> int | None:
    """Return where UTF-8 ends being valid; in pieces, so that a large file is not held twice."""
    view, start = memoryview(data), 0
    while start < len(data):
        end = min(start + _CHUNK, len(data))
        try:
            start += codecs.utf_8_decode(view[start:end], "strict", end == len(data))[1]
        except UnicodeDecodeError as error:
            return start + error.start
    return None


def _western(data: bytes, bad: int, where: str) -> bytes:
    """Return Windows-1252 text as UTF-8, unless it looks like anything else."""
    control = _CONTROLS.search(data)
    if control:
        raise _not_text(data, control.start(), where, f"byte 0x{data[control.start()]:02x}")
    n_high = len(_HIGH.findall(data))
    rest = _UTF8_CHARACTER.sub(b"", data)
    n_bad = len(_HIGH.findall(rest))
    n_good = len(_UTF8_CHARACTER.findall(data))
    # Two bytes that happen to be one UTF-8 character are rare in Windows-1252 text; a tenth of them is no chance.
    if n_good * 10 >= n_good + n_bad:
        raise UnreadableSource(
            "a file is in one encoding",
            where=f"{where}, line {_line(data, bad)}",
            got=f"UTF-8 in {n_good:,} places and byte 0x{data[bad]:02x}, which is not UTF-8",
            fix=f"{_SAVE_AS_UTF8}, or get the file again if it was cut short",
        )
    runs = sum(map(len, _HIGH_RUN.findall(data)))
    try:
        # Western words have single accented letters; long runs of high bytes are another script.
        text = "" if runs * 2 > n_high else data.decode("cp1252")
    except UnicodeDecodeError:
        text = ""
    if not text:
        raise UnreadableSource(
            "text is UTF-8, UTF-16, UTF-32 or Windows-1252",
            where=f"{where}, line {_line(data, bad)}",
            got=f"byte 0x{data[bad]:02x} in another encoding",
            fix=_SAVE_AS_UTF8,
        )
    return text.encode()


def _not_text(data: bytes, at: int, where: str, what: str) -> UnreadableSource:
    return UnreadableSource(
        "a table in a text file is text",
        where=f"{where}, line {_line(data, at)}",
        got=f"{what}, so this is a binary file",
        fix="give the file its own ending (.parquet, .arrow, .xlsx), or export it as CSV in UTF-8",
    )


def _line(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1
