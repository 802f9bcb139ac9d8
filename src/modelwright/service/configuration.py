"""The configuration of a service: one TOML file, checked as a whole; what of it can change while it runs does."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelwright.core.errors import InvalidSetting, closest
from modelwright.service.limits import Limits
from modelwright.service.policy import Policy

TABLES = ("policy", "columns", "guard", "limits", "private", "canary", "shadow", "ledger")


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the file says.

    Attributes:
        policy: For rows that depart from the contract. Changes are taken up.
        limits: Taken at the start.
        private: By column, what the ledger keeps of it (``mask``, ``hash``, ``drop``, ``keep``). Taken at the start.
        canary: Package and percentage of requests, or None. Changes are taken up; without the table it stops.
        shadow: Package that is asked beside the champion, or None. Likewise.
        retain_days: How long the ledger keeps predictions; 0 for ever.
    """

    policy: Policy = field(default_factory=Policy)
    limits: Limits = field(default_factory=Limits)
    private: Mapping[str, str] = field(default_factory=dict)
    canary: tuple[str, float] | None = None
    shadow: str | None = None
    retain_days: int = 0


def read_configuration(path: str | Path | None) -> Configuration:
    """Return what a file says, or the defaults without one.

    Raises:
        InvalidSetting: It cannot be read, or holds something unknown.
    """
    if path is None:
        return Configuration()
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidSetting("a configuration is a TOML file", where=str(path), got=str(error)[:120]) from error
    for key, value in data.items():
        if key not in TABLES or not isinstance(value, dict):
            fix = closest(key, TABLES)
            raise InvalidSetting("a service's configuration has known tables", where=str(path), got=key, fix=fix)
    canary = _table(data, "canary", {"package": str, "percent": (int, float)})
    shadow = _table(data, "shadow", {"package": str})
    percent = float(canary.get("percent", 0.0))
    if not 0 <= percent <= 100:
        raise InvalidSetting("a canary answers 0 to 100 percent", where="canary.percent", got=percent, fix="try 5")
    return Configuration(
        Policy.of(data),
        Limits.of(data.get("limits", {})),
        {str(k): str(v) for k, v in data.get("private", {}).items()},
        (canary["package"], percent) if canary else None,
        shadow.get("package"),
        int(_table(data, "ledger", {"retain_days": int}).get("retain_days", 0)),
    )


def _table(data: Mapping[str, Any], name: str, kinds: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table whose every key is there and of its kind; empty when the table is not there."""
    table: dict[str, Any] = data.get(name, {})
    for key, value in table.items():
        if key not in kinds or not isinstance(value, kinds[key]):
            fix = f"it has {', '.join(kinds)}"
            raise InvalidSetting("a table has known keys of their kind", where=f"{name}.{key}", got=value, fix=fix)
    if table and set(kinds) - set(table):
        raise InvalidSetting(
            "a table has all its keys", where=name, got=sorted(table), fix=f"it has {', '.join(kinds)}"
        )
    return table
