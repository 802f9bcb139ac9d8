"""JSON as packages hold it: written one way, read strictly."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from modelwright.core.errors import InvalidPackage
from modelwright.core.fingerprint import plain

REBUILD = "get the package again from where it was made, or train it anew"


def damaged(rule: str, *, where: str, got: object = None, fix: str = REBUILD) -> InvalidPackage:
    """Return the error for a package that is not as it was written."""
    return InvalidPackage(rule, where=where, got=got, fix=fix)


def dump(value: Any) -> bytes:
    """Return the JSON of plain data in UTF-8, for people to read: a line for each key, and for each object of a list.

    >>> print(dump({"columns": [{"name": "age"}, {"name": "town"}], "format": 1}).decode(), end="")
    {
    "columns": [
     {"name": "age"},
     {"name": "town"}
    ],
    "format": 1
    }
    """
    if isinstance(value, dict):
        text = "{\n" + ",\n".join(f"{_line(key)}: {_lines(item)}" for key, item in value.items()) + "\n}\n"
    else:
        text = _lines(value) + "\n"
    return text.encode()


def dump_dense(value: object, *, where: str) -> bytes:
    """Return the value's JSON in UTF-8 on one line; what JSON cannot hold without loss is refused.

    Args:
        value: JSON values; NumPy scalars are allowed.
        where: The part it belongs to, for the error.

    Raises:
        InvalidPackage: The value holds NaN, an infinity or an object.
    """
    try:
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_scalar)
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidPackage(
            "a fitted part holds finite numbers, text, lists and objects only",
            where=where,
            got=str(error),
            fix="change the part's state() so that it survives JSON unharmed",
        ) from error


def parse(content: bytes, *, where: str) -> Any:
    """Return what JSON says, refusing whatever two readers might understand differently.

    Args:
        content: UTF-8 text.
        where: The file's name, for the error.

    Raises:
        InvalidPackage: Not JSON, not UTF-8, a key twice, NaN, a number beyond a float, or nested too deep.
    """
    try:
        return json.loads(
            content.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant, parse_float=_float
        )
    except (ValueError, RecursionError) as error:
        raise damaged("a package's JSON is sound", where=where, got=str(error)[:200]) from error


def _lines(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f" {_line(item)}" for item in value) + "\n]"
    return _line(value)


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _scalar(value: object) -> Any:
    if hasattr(value, "dtype") or hasattr(value, "items"):
        return plain(value)
    raise TypeError(f"a {type(value).__name__}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("the same key twice in one object")
    return made


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON number")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number too large for a float")
    return number
