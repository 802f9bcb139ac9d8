"""Dates and times as people write them, without the locale or the clock having a say."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

from modelwright.core._numbers import BLANKS, parse_number
from modelwright.core.errors import InvalidContract

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMES = "january february march april may june july august september october november december"
_MONTHS = {name[:n]: i for i, name in enumerate(_NAMES.split(), 1) for n in range(3, len(name) + 1)}
_ZONE = r"(?P<z>[Zz]|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)"
_LOOSE = {
    "Y": "(?P<Y>[0-9]{4})",
    "y": "(?P<y>[0-9]{2})",
    "m": "(?P<m>[0-9]{1,2})",
    "d": "(?P<d>[0-9]{1,2})",
    "b": r"(?P<b>[A-Za-z]{3,9})\.?",
    "B": r"(?P<b>[A-Za-z]{3,9})\.?",
    "a": r"[A-Za-z]{2,9}\.?",
    "A": r"[A-Za-z]{2,9}\.?",
    "H": "(?P<H>[0-9]{1,2})",
    "I": "(?P<H>[0-9]{1,2})",
    "M": "(?P<M>[0-9]{1,2})",
    "S": "(?P<S>[0-9]{1,2})",
    "f": "(?P<f>[0-9]{1,9})",
    "p": r"(?P<p>[AaPp])\.?[Mm]\.?",
    "z": _ZONE,
    "%": "%",
}
_TIME = (
    r"(?:[Tt,\s]\s*(?P<H>[0-9]{1,2}):(?P<M>[0-9]{2})(?::(?P<S>[0-9]{2})(?:[.,](?P<f>[0-9]{1,9}))?)?"
    rf"(?:\s?(?P<p>[AaPp])\.?[Mm]\.?)?(?:\s?{_ZONE})?)?"
)


def seconds(moment: datetime) -> float:
    """Return seconds since 1970-01-01 UTC; a moment without a zone is taken as UTC."""
    passed = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH
    # Whole microseconds first: the same rounding as a column of 64-bit microseconds, whatever its path.
    return float((passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds) / 1e6


def date_seconds(day: date) -> float:
    """Return seconds from 1970-01-01 UTC to the first moment of a day."""
    return (day.toordinal() - EPOCH.toordinal()) * 86_400.0


def parse_datetime(text: str, format: str = "iso") -> float | None:
    """Return the seconds since 1970-01-01 UTC that a text spells, or None; without a zone it is UTC.

    Args:
        text: What stands in the cell.
        format: ``iso`` for any ISO 8601 form, ``unix`` for epoch seconds, else a pattern with the directives
            ``%Y %y %m %d %b %B %a %A %H %I %M %S %f %p %z``. A pattern of a date alone also takes a time after
            it (``HH:MM[:SS[.f]] [AM|PM] [zone]``), for columns mix the two. Month names are English.

    Raises:
        InvalidContract: The format is not such a pattern.

    >>> parse_datetime("31/01/2011 2:30 PM", "%d/%m/%Y"), parse_datetime("1970-01-01T02:00:00+02:00")
    (1296484200.0, 0.0)
    """
    return datetime_parser(format)(text.strip(BLANKS))


@lru_cache(maxsize=256)
def datetime_parser(pattern: str) -> Callable[[str], float | None]:
    """Return the reader of one format, made once."""
    if pattern == "unix":
        return parse_number
    if pattern in ("", "iso"):
        return _parse_iso
    expression = _expression(pattern)

    def parse(text: str) -> float | None:
        found = expression.fullmatch(text)
        return None if found is None else _moment(found.groupdict())

    return parse


def _parse_iso(text: str) -> float | None:
    try:
        return seconds(datetime.fromisoformat(text))
    except ValueError:
        return datetime_parser("%Y-%m-%d")(text)


def _expression(pattern: str) -> re.Pattern[str]:
    tokens = re.findall(r"%(.)|([^%]+)|(%)$", pattern)
    names = [name for name, _, _ in tokens]
    unknown = [name or stray for name, _, stray in tokens if stray or (name and name not in _LOOSE)]
    has_year = "Y" in names or "y" in names
    repeated = len([n for n in names if n]) != len({n for n in names if n})
    if unknown or repeated or not has_year:
        raise InvalidContract(
            "a date-time format is iso, unix, or a pattern with a year and each directive once",
            where="datetime_format",
            got=pattern,
            fix="write a pattern such as %d.%m.%Y or %m/%d/%Y %H:%M",
        )
    parts = []
    for i, (name, literal, _) in enumerate(tokens):
        if literal:
            parts.append(re.sub(r"(?:\\?\s)+", r"\\s+", re.escape(literal)))
            continue
        # Side by side, as in %Y%m%d, directives have their full width; else 2011112 could be read two ways.
        beside = (i > 0 and names[i - 1]) or (i + 1 < len(names) and names[i + 1])
        parts.append(_LOOSE[name].replace("{1,2}", "{2}") if beside else _LOOSE[name])
    tail = "" if set("HIMSfp") & set(names) else _TIME
    return re.compile("".join(parts) + tail)


def _moment(parts: dict[str, str | None]) -> float | None:
    year = int(parts.get("Y") or 0)
    if parts.get("y"):
        short = int(parts["y"] or 0)
        year = short + (1900 if short >= 69 else 2000)  # as POSIX has it
    month = _MONTHS.get((parts.get("b") or "").lower(), 0) if parts.get("b") else int(parts.get("m") or 1)
    hour = int(parts.get("H") or 0)
    if parts.get("p"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if (parts["p"] or "").lower() == "p" else 0)
    microseconds = int((parts.get("f") or "0").ljust(6, "0")[:6])
    clock = (hour, int(parts.get("M") or 0), int(parts.get("S") or 0), microseconds)
    try:
        return seconds(datetime(year, month, int(parts.get("d") or 1), *clock, tzinfo=_zone(parts.get("z"))))
    except ValueError:
        return None


def _zone(text: str | None) -> timezone:
    if text is None or text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-shift if text[0] == "-" else shift)
