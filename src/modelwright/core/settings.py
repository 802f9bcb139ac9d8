"""Every knob of a training run, in one table: help, configuration file, schema and docs are made from it."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from modelwright.core.errors import InvalidSetting, closest

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Setting:
    """One knob.

    Attributes:
        name: As in ``modelwright.toml`` and in Python; ``--name`` with hyphens on the command line.
        kind: ``text``, ``list``, ``integer``, ``duration``, ``size``, ``choice`` or ``flag``.
        help: One sentence.
        default: What holds when it is not given, in words.
        choices: Allowed values of a choice.
        metavar: How its value is called in the help.
    """

    name: str
    kind: str
    help: str
    default: str = "inferred"
    choices: tuple[str, ...] = ()
    metavar: str = ""


SETTINGS = (
    Setting("target", "text", "Column to predict.", "required", metavar="COLUMN"),
    Setting("task", "choice", "What kind of question it is.", choices=("binary", "multiclass", "regression")),
    Setting("metric", "text", "Measure that models are chosen by.", metavar="NAME"),
    Setting("positive", "text", "Label that counts as positive (binary).", metavar="LABEL"),
    Setting("time", "text", "Column that orders the rows in time; the last rows are sealed.", metavar="COLUMN"),
    Setting("group", "text", "Column whose values must not be on both sides of a split.", metavar="COLUMN"),
    Setting("weight", "text", "Column with row weights.", "none", metavar="COLUMN"),
    Setting("ignore", "list", "Column to leave out; may be given several times.", "none", metavar="COLUMN"),
    Setting("test", "text", "Table of sealed rows, or the fraction of rows to seal.", metavar="FILE|FRACTION"),
    Setting("costs", "text", "File of what each answer costs, by what is true.", "none", metavar="FILE"),
    Setting("contract", "text", "Contract file, as `profile --contract` writes it.", "inferred", metavar="FILE"),
    Setting("query", "text", "SQL query, when the source is a database.", "none", metavar="SQL"),
    Setting("budget", "duration", "Wall-clock limit of the whole command (45s, 10m, 2h).", "60s", metavar="TIME"),
    Setting("effort", "integer", "Work units instead of a time limit: reproducible.", "none", metavar="N"),
    Setting("memory", "size", "Memory the run may use (500MB, 4GB).", "what is free", metavar="SIZE"),
    Setting(
        "latency",
        "duration",
        "Most time one answer may take (0.1ms); the ensemble is pruned to it, or may grow to it beyond 0.5ms.",
        "about 0.5ms",
        metavar="TIME",
    ),
    Setting(
        "size", "size", "Most room the model may take (5MB); the ensemble is pruned to it.", "no limit", metavar="SIZE"
    ),
    Setting("plan", "text", "Package or plan.json whose run is repeated without searching.", "none", metavar="FILE"),
    Setting("threads", "integer", "Threads to use.", "all cores", metavar="N"),
    Setting("seed", "integer", "Seed of all randomness.", "0", metavar="N"),
    Setting("final_fit", "choice", "Rows of the delivered model.", "all", choices=("all", "train")),
    Setting("out", "text", "Where the package goes: a folder, or one file if it ends in .zip.", metavar="PATH"),
    Setting("name", "text", "Register the package under this name.", "not registered", metavar="NAME"),
    Setting("fresh", "flag", "Do not resume an interrupted run.", "no"),
)
"""The knobs of ``train``, in the order of the help."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The knobs of one run, checked; None means inferred. See ``SETTINGS`` for their meaning."""

    target: str
    task: str | None = None
    metric: str | None = None
    positive: str | None = None
    time: str | None = None
    group: str | None = None
    weight: str | None = None
    ignore: tuple[str, ...] = ()
    test: str | None = None
    costs: str | None = None
    contract: str | None = None
    query: str | None = None
    budget: float | None = 60.0
    effort: int | None = None
    memory: int | None = None
    latency: float | None = None
    size: int | None = None
    plan: str | None = None
    threads: int | None = None
    seed: int = 0
    final_fit: str = "all"
    out: str | None = None
    name: str | None = None
    fresh: bool = False

    @classmethod
    def of(cls, values: Mapping[str, Any], *, needs_target: bool = True) -> Settings:
        """Return checked settings; None values count as not given.

        Raises:
            InvalidSetting: A name is unknown, a value is outside what it may be, or two contradict each other.

        >>> Settings.of({"target": "Churn", "budget": "10m"}).budget
        600.0
        """
        known = {s.name: s for s in SETTINGS}
        given = {}
        for name, value in values.items():
            if name not in known:
                raise InvalidSetting("a setting has a known name", where="settings", got=name, fix=closest(name, known))
            if value is not None:
                given[name] = _checked(known[name], value)
        if needs_target and not given.get("target"):
            raise InvalidSetting("a run names the column to predict", where="target", fix="add --target COLUMN")
        if "effort" in given:
            if "budget" in given:
                raise InvalidSetting(
                    "a run is limited by time or by work units, not both",
                    where="budget, effort",
                    got=f"{values['budget']} and {values['effort']}",
                    fix="give one of them",
                )
            given["budget"] = None
        return cls(**given)

    def to_dict(self) -> dict[str, Any]:
        """Return what was set as plain data, without what was left to inference."""
        return {
            f.name: list(value) if isinstance(value := getattr(self, f.name), tuple) else value
            for f in fields(self)
            if getattr(self, f.name) not in (None, (), False)
        }


def _checked(setting: Setting, value: Any) -> Any:
    match setting.kind:
        case "duration":
            return parse_duration(value, where=setting.name)
        case "size":
            return parse_size(value, where=setting.name)
        case "integer":
            return _whole(value, setting.name)
        case "list":
            return tuple(str(v) for v in ([value] if isinstance(value, str) else value))
        case "flag":
            return bool(value)
        case "choice" if value not in setting.choices:
            raise InvalidSetting(
                "a choice is one of its values",
                where=setting.name,
                got=value,
                fix=f"use one of {', '.join(setting.choices)}",
            )
        case _:
            return str(value)


def _whole(value: Any, where: str) -> int:
    lowest = 0 if where == "seed" else 1
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = lowest - 1
    if isinstance(value, bool) or number < lowest or (isinstance(value, float) and value != number):
        raise InvalidSetting(
            f"a whole number from {lowest} on is needed", where=where, got=value, fix=f"try {max(lowest, 2)}"
        )
    return number


DURATION_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}
SIZE_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}


def parse_duration(value: str | float, *, where: str = "budget") -> float:
    """Return seconds for ``45s``, ``10m``, ``1h30m`` or a number of seconds.

    Raises:
        InvalidSetting: It is no time, or not above zero.

    >>> parse_duration("1h30m")
    5400.0
    """
    text = str(value).strip().lower()
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)", text)
    whole = "".join(re.split(r"\s+", text)) == "".join(n + u for n, u in parts)
    seconds = sum(float(n) * DURATION_UNITS[u] for n, u in parts) if parts and whole else 0.0
    if not 0 < seconds < 10**8:
        raise InvalidSetting(
            "a time is a number with a unit, above zero", where=where, got=value, fix="write 45s, 10m or 2h"
        )
    return seconds


def parse_size(value: str | float, *, where: str = "memory") -> int:
    """Return bytes for ``500MB``, ``4GB``, ``2GiB`` or a number of bytes.

    Raises:
        InvalidSetting: It is no size, or not above zero.

    >>> parse_size("4GB")
    4000000000
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", str(value).strip().lower())
    size = int(float(match[1]) * SIZE_UNITS.get(match[2], 0)) if match else 0
    if size <= 0:
        raise InvalidSetting(
            "a size is a number with a unit, above zero", where=where, got=value, fix="write 500MB or 4GB"
        )
    return size
