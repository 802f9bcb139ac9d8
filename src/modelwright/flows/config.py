"""The configuration file: a run written down, checked against a published schema."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from modelwright.core.errors import InvalidSetting, closest
from modelwright.core.settings import SETTINGS

FILE_NAME = "modelwright.toml"
SOURCE = "source"
_TYPES: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "choice": {"type": "string"},
    "list": {"type": "array", "items": {"type": "string"}},
    "integer": {"type": "integer", "minimum": 0},
    "duration": {"type": ["string", "number"]},
    "size": {"type": ["string", "integer"]},
    "flag": {"type": "boolean"},
}


def schema() -> dict[str, Any]:
    """Return the JSON Schema of ``modelwright.toml``, made from the table of settings."""
    properties: dict[str, Any] = {
        SOURCE: {"type": "string", "description": "Table to learn from: a path, glob, folder or address."}
    }
    for s in SETTINGS:
        described = f"{s.help} Default: {s.default}."
        properties[s.name] = {
            **_TYPES[s.kind],
            "description": described,
            **({"enum": list(s.choices)} if s.choices else {}),
        }
    properties["test"]["type"] = ["string", "number"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": FILE_NAME,
        "type": "object",
        "additionalProperties": False,
        "required": ["target"],
        "properties": properties,
    }


def read_config(path: str | Path) -> dict[str, Any]:
    """Return the settings of a configuration file, and ``source``; paths in it are taken from its own folder.

    Raises:
        InvalidSetting: The file is missing, is no TOML, or does not fit the schema; the message names the line
            or the key.
    """
    path = Path(path)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSetting(
            "a configuration file can be read", where=str(path), got=str(error), fix="check the path"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidSetting(
            "a configuration file is TOML", where=str(path), got=str(error), fix='write lines such as target = "Churn"'
        ) from error
    _check(values, path)
    for name in (SOURCE, "test", "costs", "contract", "out"):
        value = values.get(name)
        if isinstance(value, str) and "://" not in value and (path.parent / value).exists():
            values[name] = str(path.parent / value)
    return values


def _check(values: dict[str, Any], path: Path) -> None:
    from jsonschema import Draft202012Validator

    known = schema()
    for name in values:
        if name not in known["properties"]:
            raise InvalidSetting(
                "a setting has a known name", where=f"{path}, {name}", got=name, fix=closest(name, known["properties"])
            )
    for problem in sorted(Draft202012Validator(known).iter_errors(values), key=lambda e: list(e.path)):
        where = ".".join(str(p) for p in problem.path) or "target"
        raise InvalidSetting(
            "a setting has a value of its type",
            where=f"{path}, {where}",
            got=problem.message,
            fix="see `modelwright schema`",
        )
