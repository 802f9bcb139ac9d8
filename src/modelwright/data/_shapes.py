"""What texts look like: dates in one of the usual patterns, numbers with marks, codes, words, names of ids."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelwright.core.values import parse_datetime, parse_number

if TYPE_CHECKING:
    from collections.abc import Sequence

DATE_PATTERNS = (
    "iso",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%m.%d.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d.%m.%y",
    "%d-%m-%y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d/%b/%Y",
    "%d-%b-%y",
    "%d %b, %Y",
    "%b %d, %Y",
    "%b %d %Y",
    "%a, %d %b %Y",
    "%a %b %d %Y",
    "%A, %b %d, %Y",
    "%b-%Y",
    "%b %Y",
    "%b-%y",
    "%Y-%b",
    "%Y-%m",
    "%m/%Y",
    "%d%b%Y",
)
"""Date patterns that are looked for; the earlier of two that read a column equally well is taken."""

MARKS = ((".", ""), (".", ","), (",", ""), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'"))
"""Decimal and thousands marks that are looked for, likewise."""

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE_SHAPE = re.compile(
    rf"(?:[a-z]{{2,9}}\.?,?\s+)?(?:[0-9]{{1,4}}[-/.][0-9]{{1,2}}|[0-9]{{1,4}}[-\s/.]*{_MONTH}|{_MONTH}\b)",
    re.IGNORECASE,
)
_NUMBER_SHAPE = re.compile(r"[^0-9A-Za-z]*[0-9][0-9.,'’\s]*(?:[eE][+-]?[0-9]+)?[^0-9A-Za-z]*")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_NAME_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_a-zA-Z]+")
_ID_WORDS = frozenset(
    {"id", "ids", "key", "uuid", "guid", "index", "idx", "identifier", "serial", "ssn", "isbn", "vin", "hash", "phone"}
    | {"rownum", "rownumber", "recordnumber", "rowno", "accountno", "orderno", "invoiceno", "unnamed"}
)
_NO_IDS = frozenset(
    {"paid", "unpaid", "prepaid", "bid", "mid", "amid", "grid", "valid", "invalid", "humid", "covid", "solid", "acid"}
    | {"fluid", "liquid", "rapid", "avoid", "said", "aid", "raid", "kid", "lid", "void", "hybrid", "android", "thyroid"}
    | {"steroid", "centroid", "squid", "vivid", "arid", "rigid", "pyramid", "lipid", "candid", "plasmid", "bifid"}
)


def share_of_dates(values: Sequence[str], pattern: str) -> float:
    """Return which share of the values a date pattern reads."""
    return sum(parse_datetime(v, pattern) is not None for v in values) / len(values)


def date_patterns(values: Sequence[str], *, at_least: float) -> list[str]:
    """Return the date patterns that read the values best, all that tie; empty when none reads enough of them."""
    few = values[:25]
    if sum(_DATE_SHAPE.match(v) is not None for v in few) < 0.8 * len(few):
        return []
    promising = [p for p in DATE_PATTERNS if share_of_dates(few, p) >= 0.8 * at_least]
    shares = {p: share_of_dates(values, p) for p in promising}
    best = max(shares.values(), default=0.0)
    return [p for p in promising if shares[p] == best] if best >= at_least else []


def number_marks(values: Sequence[str]) -> list[tuple[str, str]]:
    """Return the pairs of decimal and thousands marks that read most of the values, all that tie.

    Empty when fewer than a fifth of the values have the shape of a number under any marks.
    """
    if sum(_NUMBER_SHAPE.fullmatch(v) is not None for v in values) < 0.2 * len(values):
        return []
    counts = [sum(parse_number(v, decimal=d, thousands=t) is not None for v in values) for d, t in MARKS]
    return [m for m, n in zip(MARKS, counts, strict=True) if n == max(counts)]


def is_code(values: Sequence[str]) -> bool:
    """Return whether digit strings are codes, as postal codes: all of one width of 3 or more, some with leading 0."""
    width = len(values[0])
    return (
        width >= 3
        and all(len(v) == width and v.isascii() and v.isdigit() for v in values)
        and any(v[0] == "0" for v in values)
    )


def n_words(text: str) -> float:
    """Return how many words a text has; in scripts without spaces two characters count as one.

    >>> n_words("how is your sister"), n_words("你好世界")
    (4, 2.0)
    """
    unspaced = len(_UNSPACED.findall(text))
    return unspaced / 2 if unspaced else len(text.split())


def is_id_name(name: str) -> bool:
    """Return whether a column's name says that it names its rows.

    >>> [is_id_name(n) for n in ("customerID", "enrollee_id", "PID", "amount_paid", "width")]
    [True, True, True, False, False]
    """
    words = name_words(name)
    return any(w in _ID_WORDS or (w.endswith("id") and w not in _NO_IDS) for w in words)


def name_words(name: str) -> list[str]:
    """Return the words of a column's name, lower case.

    >>> name_words("firstName_x2"), name_words("customerID")
    (['first', 'name', 'x', '2'], ['customer', 'id'])
    """
    return [w.lower() for w in _NAME_WORDS.findall(name)]
