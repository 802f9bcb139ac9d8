"""Numbers as people read them: no more digits than the doubt allows, thousands apart, units behind."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelwright.core.score import Score

NOTHING = "–"
"""Stands where a number does not exist."""

LARGEST_PLAIN = 1e15
SMALLEST_PLAIN = 1e-4
MOST_DECIMALS = 6
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def count(n: float) -> str:
    """Return a count with thousands apart.

    >>> count(1234567)
    '1,234,567'
    """
    return f"{n:,.0f}" if math.isfinite(n) else NOTHING


def counted(n: float, noun: str) -> str:
    """Return a count with its noun.

    >>> counted(1, "row"), counted(1409, "row")
    ('1 row', '1,409 rows')
    """
    return f"{count(n)} {noun}" if n == 1 else f"{count(n)} {noun}s"


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with this many significant digits; whole parts are never cut short.

    >>> number(0.0312345), number(48213.7), number(3.0), number(2e-9)
    ('0.0312', '48,214', '3', '2 × 10⁻⁹')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    if not SMALLEST_PLAIN <= abs(value) < LARGEST_PLAIN:
        return scientific(value, digits)
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def scientific(value: float, digits: int = 3) -> str:
    """Return a very large or very small number as a power of ten.

    >>> scientific(1.234e20)
    '1.23 × 10²⁰'
    """
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa} × 10{str(int(exponent)).translate(_SUPERSCRIPTS)}"


def decimals_of(low: float, high: float) -> int | None:
    """Return how many decimals an interval supports, negative for wide ones; None when it has no width.

    The rule of the Particle Data Group: two significant digits of the doubt where it begins with 1 to 3.54, one
    where it begins higher.

    >>> decimals_of(0.82, 0.86), decimals_of(0.59, 0.69), decimals_of(4100, 6900), decimals_of(1, 1)
    (3, 2, -2, None)
    """
    half = (high - low) / 2
    if not math.isfinite(half) or half <= 0:
        return None
    power = math.floor(math.log10(half))
    return min((1 if half < 3.55 * 10.0**power else 0) - power, MOST_DECIMALS)


def measured(value: float, low: float, high: float) -> tuple[str, str, str]:
    """Return a value and the ends of its interval, rounded alike, to what the interval's width supports.

    >>> measured(0.84217, 0.82061, 0.86201)
    ('0.842', '0.821', '0.862')
    >>> measured(48213.7, 46900.2, 49700.9)
    ('48,200', '46,900', '49,700')
    """
    if not math.isfinite(value):
        return NOTHING, NOTHING, NOTHING
    decimals = decimals_of(low, high)
    largest = max(abs(v) for v in (value, low, high) if math.isfinite(v))
    if decimals is None or largest >= LARGEST_PLAIN or (decimals == MOST_DECIMALS and largest < SMALLEST_PLAIN):
        return number(value), number(low), number(high)
    return _fixed(value, decimals), _fixed(low, decimals), _fixed(high, decimals)


def _fixed(value: float, decimals: int) -> str:
    if not math.isfinite(value):
        return NOTHING
    rounded = round(value, decimals) + 0.0  # no minus sign before a zero
    return f"{rounded:,.{max(decimals, 0)}f}"


def score(found: Score, target: str = "") -> str:
    """Return a score with its unit, without its interval.

    Args:
        found: The score.
        target: What the target is called; left out of the unit when empty.
    """
    return with_unit(measured(found.value, found.low, found.high)[0], found.unit, target)


def alike(value: float, found: Score) -> str:
    """Return a number rounded as the score it stands beside."""
    decimals = decimals_of(found.low, found.high)
    return number(value) if decimals is None or abs(value) >= LARGEST_PLAIN else _fixed(value, decimals)


def interval(found: Score) -> str:
    """Return the interval of a score, ``low – high``, or a dash where there is none."""
    _, low, high = measured(found.value, found.low, found.high)
    return NOTHING if NOTHING in (low, high) or found.low == found.high else f"{low} to {high}"


def with_unit(text: str, unit: str, target: str = "") -> str:
    """Return a number with its unit behind it, ``target`` and ``target²`` replaced by the target's name.

    >>> with_unit("4.1", "ms"), with_unit("41", "target", "cnt"), with_unit("0.84", "")
    ('4.1 ms', '41 cnt', '0.84')
    """
    shown = unit.replace("target", target).strip("²" if not target else "")
    return text if not shown or text == NOTHING else f"{text} {shown}"


def out_of(value: float, low: float, high: float) -> tuple[str, str, str, str]:
    """Return a share as "so many of a hundred": the whole, the share, and the ends of its interval.

    The whole grows to 1,000 or 10,000 where a hundred would call an almost certain thing certain.

    >>> out_of(0.672, 0.634, 0.711)
    ('100', '67', '63', '71')
    >>> out_of(0.9982, 0.9961, 0.9991)
    ('1,000', '998', '996', '999')
    """
    whole = 100
    while whole < 10_000 and 0 < value < 1 and not 0 < round(value * whole) < whole:
        whole *= 10
    parts = [count(round(v * whole)) if math.isfinite(v) else NOTHING for v in (value, low, high)]
    return count(whole), parts[0], parts[1], parts[2]


def percent(share: float) -> str:
    """Return a share as a percentage of two or three digits.

    >>> percent(0.4213), percent(0.0042), percent(0.9997), percent(1.0)
    ('42 %', '0.42 %', '99.97 %', '100 %')
    """
    if not math.isfinite(share):
        return NOTHING
    if 0.995 <= share < 1:
        decimals = min(-math.floor(math.log10(100 - 100 * share)), MOST_DECIMALS)
        return f"{100 * share:.{decimals}f} %" if decimals > 0 else f"{100 * share:.1f} %"
    return f"{number(100 * share, 2)} %"


def size(n_bytes: float) -> str:
    """Return a size in bytes in a unit that fits.

    >>> size(512), size(48_211), size(3_200_000)
    ('512 bytes', '48 kB', '3.2 MB')
    """
    for limit, divisor, unit in ((1e3, 1, "bytes"), (1e6, 1e3, "kB"), (1e9, 1e6, "MB")):
        if n_bytes < limit:
            return f"{number(n_bytes / divisor, 2)} {unit}"
    return f"{number(n_bytes / 1e9, 2)} GB"


def duration(seconds: float) -> str:
    """Return a time in a unit that fits.

    >>> duration(0.00042), duration(41.3), duration(754)
    ('0.42 ms', '41 s', '12 min 34 s')
    """
    if not math.isfinite(seconds):
        return NOTHING
    if seconds < 1:
        return f"{number(seconds * 1e3, 2)} ms"
    if seconds < 60:
        return f"{number(seconds, 2)} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
