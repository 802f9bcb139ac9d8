"""Contract files: a contract written down to be read, edited and given back.

The file is JSON, a block for each column, what is not said left at its default. A column of a given file needs
only its name and kind; counts, range and levels that it leaves out are learnt from the table.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from modelwright.core.contract import Column, Contract, Role
from modelwright.core.errors import InvalidContract, UnreadableSource, UnwritableOutput, closest
from modelwright.core.fingerprint import plain
from modelwright.core.values import LIMIT, reader

_DEFAULTS = {f.name: plain(f.default) for f in fields(Column)}
_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "bool": (bool,),
    "float": (int, float),
    "float | None": (int, float, type(None)),
    "tuple[str, ...]": (list,),
    "tuple[Level, ...]": (list,),
}


def save_contract(contract: Contract, path: str | Path) -> None:
    """Write a contract as a file to be read and edited; an old file there is replaced whole or not at all.

    Raises:
        UnwritableOutput: The place cannot be written.
    """
    path = Path(path)
    blocks = ",\n".join(_block(column) for column in contract.to_dict()["columns"])
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(f'{{\n  "format": 1,\n  "columns": [\n{blocks}\n  ]\n}}\n', encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UnwritableOutput(
            "a contract is written to a place that can be written",
            where=str(path),
            got=error.strerror or str(error),
            fix="choose another file",
        ) from error


def load_contract(path: str | Path) -> Contract:
    """Return the contract a file holds.

    Raises:
        UnreadableSource: There is no such file, or it cannot be read as UTF-8 text.
        InvalidContract: It is no JSON, or no contract; the message says in which line or column.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableSource(
            "a contract file can be read as UTF-8 text",
            where=str(path),
            got=getattr(error, "strerror", None) or "bytes that are no UTF-8",
            fix="write one with `modelwright profile TABLE --contract-out FILE`",
        ) from error
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise InvalidContract(
            "a contract file is JSON",
            where=f"{path}{line}",
            got=error.msg if isinstance(error, json.JSONDecodeError) else "a number too long, or nested too deep",
            fix="look for a missing comma, quote or bracket there or in the line before",
        ) from error
    try:
        _check_types(data)
        contract = Contract.from_dict(data)
        for i, column in enumerate(contract.columns):
            _check_meaning(column, f"columns[{i}] ({column.name})")
        return contract
    except InvalidContract as error:
        where = f"{path}, {error.where}" if error.where else str(path)
        raise InvalidContract(error.rule, where=where, got=error.got, fix=error.fix) from error


def merge_contract(inferred: Contract, given: Contract) -> Contract:
    """Return the inferred contract with the columns a person gave in place of the inferred ones.

    Args:
        inferred: What the table suggests.
        given: Columns as a person wants them, all or some. What was learnt of the values stays where the kind
            does; a column of another kind, written without counts, is for ``data.inference.complete`` to fill.

    Raises:
        InvalidContract: A given column is not in the table.
    """
    for column in given.columns:
        if column.name not in inferred:
            raise InvalidContract(
                "a contract speaks of columns the table has",
                where=column.name,
                got="no such column in the table",
                fix=closest(column.name, [c.name for c in inferred.columns]),
            )
    return Contract(tuple(_merged(c, given.column(c.name)) if c.name in given else c for c in inferred.columns))


def _merged(inferred: Column, given: Column) -> Column:
    role = inferred.role if given.role is Role.FEATURE else given.role
    merged = replace(given, confidence=1.0, role=role, reason=given.reason or "given")
    is_same = all(
        getattr(given, name) == getattr(inferred, name)
        for name in ("kind", "null_tokens", "decimal", "thousands", "datetime_format")
    )
    if given.n_rows or not is_same:
        return merged
    learnt = {name: getattr(inferred, name) for name in ("n_rows", "n_missing", "n_distinct", "is_integer")}
    levels = given.levels or inferred.levels
    if given.levels:
        learnt["n_distinct"] = len(given.levels)
    low = inferred.low if given.low is None else given.low
    high = inferred.high if given.high is None else given.high
    true, false = given.true_spellings or inferred.true_spellings, given.false_spellings or inferred.false_spellings
    return replace(merged, **learnt, low=low, high=high, levels=levels, true_spellings=true, false_spellings=false)


def _block(column: dict[str, Any]) -> str:
    """Return one column's lines: a line for each key that says something, a line for each level."""
    said = {k: v for k, v in column.items() if k in ("name", "kind", "role", "reason") or v != _DEFAULTS[k]}
    said = {k: v for k, v in said.items() if v != []}
    lines = []
    for key, value in said.items():
        text = json.dumps(value, ensure_ascii=False)
        if key == "levels":
            levels = ",\n".join(f"        {json.dumps(level, ensure_ascii=False)}" for level in value)
            text = f"[\n{levels}\n      ]"
        lines.append(f'      "{key}": {text}')
    return "    {\n" + ",\n".join(lines) + "\n    }"


def _check_types(data: Any) -> None:
    """Refuse another format, and values of a wrong type, with the place and the key."""
    if not isinstance(data, dict):
        return  # said better by Contract.from_dict
    if data.get("format", 1) != 1:
        raise InvalidContract(
            "this version reads contracts of format 1",
            where="format",
            got=data["format"],
            fix="upgrade modelwright, or write the file anew",
        )
    columns = data.get("columns")
    for i, column in enumerate(columns if isinstance(columns, list) else ()):
        for field in fields(Column) if isinstance(column, dict) else ():
            value, wanted = column.get(field.name), _TYPES.get(str(field.type))
            if wanted is not None and field.name in column and not _is_of(value, wanted):
                names = " or ".join("nothing" if t is type(None) else t.__name__ for t in wanted)
                raise InvalidContract(
                    f"{field.name} is written as {names}",
                    where=f"columns[{i}] ({column.get('name')})",
                    got=json.dumps(value)[:40],
                    fix="correct the value, or remove the line for its default",
                )


def _is_of(value: object, wanted: tuple[type, ...]) -> bool:
    if isinstance(value, bool):  # Python would let a truth pass for a number
        return bool in wanted
    is_usable = not isinstance(value, int | float) or -LIMIT <= value <= LIMIT
    return isinstance(value, wanted) and is_usable


def _check_meaning(column: Column, where: str) -> None:
    """Refuse keys that contradict each other, or a date-time format that is none."""
    try:
        reader(column)
    except InvalidContract as error:
        raise InvalidContract(error.rule, where=f"{where}, {error.where}", got=error.got, fix=error.fix) from error
    if column.decimal not in (".", ",") or column.decimal == column.thousands or len(column.thousands) > 1:
        raise InvalidContract(
            "the decimal mark is . or , and the thousands mark another character, or none",
            where=where,
            got=f"decimal {column.decimal!r}, thousands {column.thousands!r}",
            fix='write "decimal": "," and "thousands": "." for numbers such as 1.234,5',
        )
    if column.low is not None and column.high is not None and column.low > column.high:
        raise InvalidContract(
            "low <= high must hold", where=where, got=(column.low, column.high), fix="exchange the two"
        )
