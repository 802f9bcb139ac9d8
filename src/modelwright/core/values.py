"""Values: the one definition of what a cell means under a contract, whether text or typed.

Training, batch scoring and the service all read cells by these rules, so they cannot disagree. Numeric kinds
become floats (numbers, 0/1, seconds since 1970-01-01 UTC), all others text; what is missing or unreadable
becomes None, never NaN and never infinite.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from modelwright.core._datetimes import date_seconds, datetime_parser, seconds
from modelwright.core._datetimes import parse_datetime as parse_datetime
from modelwright.core._numbers import BLANKS as BLANKS
from modelwright.core._numbers import LIMIT as LIMIT
from modelwright.core._numbers import parse_number as parse_number
from modelwright.core.contract import Column, Kind

Reader = Callable[[object], float | str | None]
"""Takes a raw cell, gives its canonical value."""


def _spellings(text: str) -> frozenset[str]:
    return frozenset(text.split("|"))


HARD_NULLS = _spellings(
    "|?|??|na|n/a|n.a.|n.a|#n/a|#n/a n/a|#na|<na>|nan|-nan|nat|null|(null)|<null>|\\n|-|--|---|–|—|.|..|#null!|#div/0!"
    "|#value!|#ref!|#name?|#num!"
)
"""Spellings, lower case, that mean missing in a column of any kind."""

SOFT_NULLS = _spellings(
    "none|<none>|(none)|unknown|unk|missing|(missing)|nil|not available|not applicable|not known|not specified"
    "|unspecified|undefined|no data|n/k|n/d|blank|(blank)|empty|(empty)|void"
)
"""Words that mean missing among numbers, truths and dates, but may be a level of their own in a category."""

_TRUE = _spellings("true|t|yes|y|on|1|.true.|wahr|ja|vrai|oui|verdadero|si|sí|sim|да|tak|是|はい")
_FALSE = _spellings("false|f|no|n|off|0|.false.|falsch|nein|faux|non|falso|não|nao|нет|nie|否|いいえ")
_BUILTINS = frozenset({str, int, float, bool, type(None), Decimal, datetime, date, timedelta})
_WHOLE_FLOAT = re.compile(r"(-?(?:0|[1-9][0-9]*))\.0+")


def is_null_token(text: str) -> bool:
    """Return whether a text is one of the known spellings of a missing value; blank text is.

    >>> is_null_token(" N/A "), is_null_token("0")
    (True, False)
    """
    lowered = text.strip(BLANKS).lower()
    return lowered in HARD_NULLS or lowered in SOFT_NULLS


def parse_boolean(text: str) -> bool | None:
    """Return the truth a text spells in one of the usual ways, or None.

    >>> parse_boolean("Yes"), parse_boolean("off"), parse_boolean("maybe")
    (True, False, None)
    """
    lowered = canonical_level(text).lower()
    return True if lowered in _TRUE else False if lowered in _FALSE else None


def canonical_level(value: object) -> str:
    """Return the one spelling of a value as text: stripped, whole floats without a fraction.

    >>> canonical_level(" red "), canonical_level("6.0"), canonical_level(6.0), canonical_level("007")
    ('red', '6', '6', '007')
    """
    value = _builtin(value)
    if isinstance(value, str):
        text = value.strip(BLANKS)
        whole = _WHOLE_FLOAT.fullmatch(text) if text[-1:] == "0" and "." in text else None
        return text if whole is None else "0" if whole[1] == "-0" else whole[1]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, Decimal):
        return canonical_level(f"{value:f}") if value.is_finite() else str(value)
    return str(value)


def is_missing(value: object) -> bool:
    """Return whether a raw value is missing by itself: None, NaN, NaT, blank, or a known null token."""
    value = _builtin(value)
    if isinstance(value, str):
        return is_null_token(value)
    if isinstance(value, Decimal):
        return value.is_nan()
    return value is None or (isinstance(value, float) and math.isnan(value))


def is_finite(value: float | Decimal) -> bool:
    """Return whether a number is neither infinite nor NaN; a signalling NaN is a NaN like others."""
    return value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)


def read_value(column: Column, value: object) -> float | str | None:
    """Return what a raw or typed value means under a column of the contract.

    Args:
        column: The promise: kind, marks, formats, null tokens.
        value: A cell: text, a number, a truth, a date or date-time, a numpy or pandas scalar, or None.

    Returns:
        A finite float for numeric kinds, text for all others, None for a missing or unreadable value.

    >>> read_value(Column("price", Kind.NUMBER, thousands=","), "$1,234.50")
    1234.5
    """
    return reader(column)(value)


def reader(column: Column) -> Reader:
    """Return ``read_value`` of one column, prepared for many cells.

    Raises:
        InvalidContract: The column's date-time format is not one.
    """
    if column.kind is Kind.NUMBER:
        return _number_reader(column)
    if column.kind is Kind.BOOLEAN:
        return _boolean_reader(column)
    if column.kind is Kind.DATETIME:
        return _datetime_reader(column)
    return _text_reader(column)


def null_numbers(column: Column) -> frozenset[float]:
    """Return the null tokens of a number column that are numbers, such as -999: equal values are missing."""
    read = (parse_number(t, decimal=column.decimal, thousands=column.thousands) for t in column.null_tokens)
    return frozenset(n for n in read if n is not None)


def null_spellings(column: Column) -> frozenset[str]:
    """Return the null tokens of a column as they are compared: canonical, lower case."""
    return frozenset(canonical_level(t).lower() for t in column.null_tokens)


def _builtin(value: Any) -> Any:
    """Return the plain Python value behind numpy, pandas and other scalars; None for their missing ones."""
    if type(value) in _BUILTINS:
        return value
    name = type(value).__name__
    if name in ("NaTType", "NAType"):
        return None
    if name in ("datetime64", "timedelta64"):
        return value.astype(f"{name}[us]").item()
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "replace")
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return value.item()
    return value


def _typed_number(value: object) -> float | None:
    """Return a typed value as a finite number, or None where it is not one."""
    value = _builtin(value)
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if not isinstance(value, bool | int | float | Decimal):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):  # integers beyond floats; signalling NaN
        return None
    return number if -LIMIT <= number <= LIMIT else None


def _number_reader(column: Column) -> Reader:
    decimal, thousands = column.decimal, column.thousands
    nulls = null_numbers(column)
    is_plain = decimal == "." and thousands != "."

    def read(value: object) -> float | None:
        number: float | None = None
        if isinstance(value, str):
            try:
                # Most cells are spelled as Python spells them; its own extras are left to the strict parser.
                number = float(value) if is_plain and "_" not in value and value.isascii() else None
            except ValueError:
                number = None
            if number is None or not -LIMIT <= number <= LIMIT:
                number = parse_number(value, decimal=decimal, thousands=thousands)
        elif type(value) is float or type(value) is int:
            number = float(value) if -LIMIT <= value <= LIMIT else None
        elif value is not None:
            plain = _builtin(value)
            number = read(plain) if isinstance(plain, str) else _typed_number(plain)
        return None if number in nulls else number

    return read


def _boolean_reader(column: Column) -> Reader:
    known = {**dict.fromkeys(_FALSE, 0.0), **dict.fromkeys(_TRUE, 1.0)}
    for spellings, truth in ((column.false_spellings, 0.0), (column.true_spellings, 1.0)):
        known |= {canonical_level(s).lower(): truth for s in spellings}
    for token in null_spellings(column):
        known.pop(token, None)

    def read(value: object) -> float | None:
        if isinstance(value, str) and value in known:  # most cells, spelled as in the contract
            return known[value]
        return known.get(canonical_level(value).lower())

    return read


def _datetime_reader(column: Column) -> Reader:
    parse = datetime_parser(column.datetime_format)
    nulls = null_spellings(column)
    is_unix = column.datetime_format == "unix"

    def read(value: object) -> float | None:
        if not isinstance(value, str):
            value = _builtin(value)
            if value is None:
                return None
            if isinstance(value, datetime):
                return seconds(value)
            if isinstance(value, date):
                return date_seconds(value)
            if is_unix:
                return _typed_number(value)
            value = canonical_level(value)
        text = value.strip(BLANKS)
        return None if nulls and text.lower() in nulls else parse(text)

    return read


def _text_reader(column: Column) -> Reader:
    nulls = null_spellings(column)

    def read(value: object) -> str | None:
        if isinstance(value, str):
            text = value.strip(BLANKS)
            if text[-1:] == "0":
                text = canonical_level(text)
        else:
            value = _builtin(value)
            if value is None or (isinstance(value, float | Decimal) and not is_finite(value)):
                return None
            text = canonical_level(value)
        return None if not text or text.lower() in nulls else text

    return read
