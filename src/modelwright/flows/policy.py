"""The policy file: the gate's rules written down, with a published schema."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from modelwright.core.errors import InvalidPolicy
from modelwright.core.policy import RULES, Policy, Rule
from modelwright.core.verdict import CHECKS

FILE_NAME = "modelwright-policy.toml"
"""Read from the project's folder when no other file is named."""


def read_policy(path: str | Path) -> Policy:
    """Return the policy of a TOML file.

    Raises:
        InvalidPolicy: It cannot be read, is no TOML, or holds an unknown rule or a value out of bounds.
    """
    path = Path(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidPolicy("a policy can be read", where=str(path), got=str(error), fix="check the path") from error
    except tomllib.TOMLDecodeError as error:
        fix = "write tables such as [compare], see `modelwright policy`"
        raise InvalidPolicy("a policy is TOML", where=str(path), got=str(error), fix=fix) from error
    return Policy.of(data, where=path.name)


def default_text() -> str:
    """Return a policy file that holds every rule with its default and what it means."""
    lines = ["# The gate's policy: every rule with its default. What is left out keeps it."]
    for check in CHECKS:
        lines += ["", f"[{check}]"]
        for rule in (r for r in RULES if r.check == check):
            lines += [f"# {rule.help}", f"{rule.name} = {_toml(rule.default)}"]
    return "\n".join(lines) + "\n"


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a policy file, made from the table of rules."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": FILE_NAME,
        "type": "object",
        "additionalProperties": False,
        "properties": {
            check: {
                "type": "object",
                "additionalProperties": False,
                "properties": {r.name: _schema(r) for r in RULES if r.check == check},
            }
            for check in CHECKS
        },
    }


def _schema(rule: Rule) -> dict[str, Any]:
    number = {"minimum": rule.low, **({"maximum": rule.high} if rule.high != float("inf") else {})}
    kinds: dict[str, dict[str, Any]] = {
        "flag": {"type": "boolean"},
        "choice": {"enum": list(rule.choices)},
        "number": {"type": "number", **number},
        "count": {"type": "integer", **number},
        "names": {"type": "array", "items": {"type": "string"}},
        "numbers": {"type": "object", "additionalProperties": {"type": "number"}},
        "directions": {"type": "object", "additionalProperties": {"enum": list(rule.choices)}},
    }
    default = list(rule.default) if isinstance(rule.default, tuple) else rule.default
    return {**kinds[rule.kind], "description": rule.help, "default": default}


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    return "[]" if value == () else "{}" if value == {} else str(value)
