"""Shapes: what each JSON file of a package must look like before anything is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.packaging._json import damaged

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Each:
    """An object with any keys, each value of this shape."""

    value: Any


@dataclass(frozen=True, slots=True)
class Maybe:
    """A value of this shape, or null."""

    value: Any


@dataclass(frozen=True, slots=True)
class Lacking:
    """A value of this shape whose key may be left out."""

    value: Any


def _is_int(value: object) -> bool:
    return type(value) is int and abs(value) < 2**63


def _is_number(value: object) -> bool:
    return isinstance(value, float) or _is_int(value)


CHECKS: dict[type, Callable[[object], bool]] = {
    int: _is_int,
    float: _is_number,
    str: lambda value: isinstance(value, str),
    bool: lambda value: isinstance(value, bool),
    list: lambda value: isinstance(value, list),
    dict: lambda value: isinstance(value, dict),
}
TITLES = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    dict: "an object",
    list: "a list",
}

FREE: dict[str, Any] = {}
"""Any object: what it holds is only ever shown."""

COLUMN = {
    "name": str,
    "kind": str,
    "role": str,
    "confidence": float,
    "reason": str,
    "null_tokens": [str],
    "null_policy": str,
    "n_rows": int,
    "n_missing": int,
    "n_distinct": int,
    "low": Maybe(float),
    "high": Maybe(float),
    "is_integer": bool,
    "decimal": str,
    "thousands": str,
    "datetime_format": str,
    "true_spellings": [str],
    "false_spellings": [str],
    "levels": list,
}
"""The levels, of which there may be very many, are checked where they are made."""
CONTRACT = {"format": int, "columns": [COLUMN]}
TASK = {
    "kind": str,
    "target": str,
    "metric": str,
    "labels": [str],
    "label_type": str,
    "time": Maybe(str),
    "group": Maybe(str),
    "weight": Maybe(str),
    "reason": str,
    "costs": Lacking({"values": [[float]], "unit": str}),
}
MANIFEST = {
    "format": int,
    "fingerprint": str,
    "version": str,
    "versions": Each(str),
    "seed": int,
    "options": FREE,
    "command": str,
    "data": FREE,
    "split": FREE,
    "parents": Each(str),
    "created": str,
    "seconds": Each(float),
    "stopped": str,
}
SCORE = {
    "value": Maybe(float),
    "low": Maybe(float),
    "high": Maybe(float),
    "n_rows": int,
    "unit": str,
    "method": str,
    "note": str,
}
EVIDENCE = {
    "kpis": Each(SCORE),
    "baselines": FREE,
    "leaderboard": [FREE],
    "importance": [FREE],
    "convergence": [FREE],
    "bias_variance": FREE,
    "figures": FREE,
    "timing": FREE,
    "notes": [str],
    "front": Lacking([FREE]),
    "explanation": Lacking(FREE),
}
FINDINGS = [
    {
        "code": str,
        "severity": str,
        "title": str,
        "columns": [str],
        "evidence": FREE,
        "action": str,
        "overrule": str,
    }
]
GOLDEN = {"records": [FREE], "scores": list}
CHECKSUMS = Each(str)


def check(value: Any, shape: Any, *, where: str) -> None:
    """Check that a JSON value has a shape.

    Args:
        value: Parsed JSON.
        shape: ``str``, ``int``, ``float``, ``bool``, ``list``; ``[shape]`` for a list of it; a dict for an object
            with exactly these keys (an empty one: any object); ``Each`` and ``Maybe``.
        where: The file's name, for the error; the place within is added to it.

    Raises:
        InvalidPackage: The value is something else.

    >>> check({"a": [1]}, {"a": [int]}, where="a.json")
    """
    if isinstance(shape, Maybe):
        if value is not None:
            check(value, shape.value, where=where)
    elif isinstance(shape, Each):
        _expect(dict, value, where)
        for key, item in value.items():
            check(item, shape.value, where=f"{where}, {key!r}")
    elif isinstance(shape, dict):
        _check_object(value, shape, where)
    elif isinstance(shape, list):
        _expect(list, value, where)
        for position, item in enumerate(value):
            check(item, shape[0], where=f"{where}, {position}")
    else:
        _expect(shape, value, where)


def _check_object(value: Any, shape: dict[str, Any], where: str) -> None:
    _expect(dict, value, where)
    shape = {k: s.value if isinstance(s, Lacking) else s for k, s in shape.items() if _is_due(s, k in value)}
    if shape and value.keys() != shape.keys():
        raise damaged(
            "an object of a package has its keys, no more and no fewer",
            where=where,
            got=repr(sorted(value.keys() ^ shape.keys()))[:200],
        )
    for key, inner in shape.items():
        # A contract of thousands of columns has a hundred thousand leaves: their places are spelled out only if wrong.
        if not (isinstance(inner, type) and CHECKS[inner](value[key])):
            check(value[key], inner, where=f"{where}, {key}")


def _is_due(shape: object, is_there: bool) -> bool:
    return is_there or not isinstance(shape, Lacking)


def _expect(kind: type, value: object, where: str) -> None:
    if not CHECKS[kind](value):
        raise damaged(f"a package holds {TITLES[kind]} here", where=where, got=repr(value)[:100])
