"""Numbers as people write them: marks, currency signs, percent signs, accounting negatives."""

from __future__ import annotations

import re
from functools import lru_cache

BLANKS = "".join(map(chr, (*range(0x09, 0x0E), *range(0x1C, 0x21), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200C))))
BLANKS += "\u2028\u2029\u202f\u205f\u3000\ufeff"
"""Every blank that may stand around a value: Unicode white space, the zero-width space, the byte-order mark."""

LIMIT = 1e300
"""Numbers beyond this are not measurements but overflow, and are read as missing."""

_CURRENCY = r"[$£¥¢฿\u20a0-\u20cf]"
_GAP = r"[ \u00a0\u2009\u202f]"


@lru_cache(maxsize=64)
def _pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    mark = re.escape(decimal)
    whole = "[0-9]+"
    if thousands:
        group = _GAP if thousands.isspace() else "['’]" if thousands in "'’" else re.escape(thousands)
        # Two digits between marks are the Indian way (12,34,567); a leading zero is no group (0,123 is a fraction).
        whole = f"(?:[1-9][0-9]{{0,2}}(?:{group}[0-9]{{2,3}})*{group}[0-9]{{3}}|[0-9]+)"
    digits = rf"(?P<whole>{whole})?(?:{mark}(?P<fraction>[0-9]*))?(?P<exponent>[eE][+-]?[0-9]+)?"
    sign = r"(?P<sign>[+\-−]?)"
    return re.compile(
        rf"(?P<open>\()?\s*{sign}\s*(?:{_CURRENCY}\s*)?(?P<inner>[+\-−]?){digits}\s*(?:%|{_CURRENCY})?\s*(?P<close>\))?"
    )


def parse_number(text: str, *, decimal: str = ".", thousands: str = "") -> float | None:
    """Return the number a text spells, or None when it spells none or one beyond ±1e300.

    A percent sign and a currency sign are read over: ``12 %`` is 12, for the contract's ranges have no unit.
    Brackets around a number are an accountant's minus.

    Args:
        text: What stands in the cell.
        decimal: The decimal mark, ``.`` or ``,``.
        thousands: The mark between groups of digits, or empty when there is none.

    >>> parse_number("€ 1.234,50", decimal=",", thousands="."), parse_number("(3.5)"), parse_number("1_000")
    (1234.5, -3.5, None)
    """
    text = text.strip(BLANKS)
    found = _pattern(decimal, thousands).fullmatch(text)
    if found is None or not (found["whole"] or found["fraction"]):
        return None
    signs = found["sign"] + found["inner"]
    is_bracketed = bool(found["open"])
    if is_bracketed != bool(found["close"]) or len(signs) + is_bracketed > 1:
        return None
    whole = re.sub(r"[^0-9]", "", found["whole"] or "0")
    number = float(f"{whole}.{found['fraction'] or '0'}{found['exponent'] or ''}")
    if not number <= LIMIT:
        return None
    return -number if is_bracketed or signs in ("-", "−") else number
