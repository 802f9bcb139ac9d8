"""The contract: what each column means, learnt at training and enforced everywhere after."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from modelwright.core.errors import InvalidContract, UnknownColumn, closest
from modelwright.core.fingerprint import fingerprint, plain


class Kind(StrEnum):
    """What the values of a column mean."""

    NUMBER = "number"
    CATEGORY = "category"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    TEXT = "text"
    IDENTIFIER = "identifier"
    CONSTANT = "constant"


NUMERIC_KINDS = frozenset({Kind.NUMBER, Kind.BOOLEAN, Kind.DATETIME})
"""Kinds whose canonical value is a float: numbers, 0/1, seconds since 1970-01-01 UTC. All others are text."""


class Role(StrEnum):
    """What a column is used for."""

    FEATURE = "feature"
    TARGET = "target"
    TIME = "time"
    GROUP = "group"
    WEIGHT = "weight"
    IGNORED = "ignored"


class NullPolicy(StrEnum):
    """What to do with a missing value when rows are scored."""

    ALLOW = "allow"
    FLAG = "flag"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Level:
    """One value of a categorical column and how often it was seen."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Column:
    """What is promised of one column.

    Attributes:
        name: As in the table's header.
        kind: What the values mean.
        role: What the column is used for.
        confidence: How sure the inference is of the kind, 0 to 1; 1 when a person wrote it.
        reason: Why this kind, in one short sentence.
        null_tokens: Spellings that mean missing in this column, besides the empty cell.
        null_policy: What a missing value means when rows are scored.
        n_rows: Rows the promise was learnt from.
        n_missing: How many of them were missing.
        n_distinct: Distinct values among the present ones.
        low: Smallest number seen; for date-times in seconds since 1970-01-01 UTC; None for text.
        high: Largest number seen, likewise.
        is_integer: All numbers seen were whole.
        decimal: Decimal mark of numbers written as text, ``.`` or ``,``.
        thousands: Thousands mark of numbers written as text, or empty.
        datetime_format: ``strptime`` pattern, ``iso`` for any ISO 8601 form, ``unix`` for epoch seconds.
        true_spellings: Spellings that mean true, lower case (boolean columns).
        false_spellings: Spellings that mean false, lower case.
        levels: Values by falling count, at most 1,000 (categories, identifiers hold none).
    """

    name: str
    kind: Kind
    role: Role = Role.FEATURE
    confidence: float = 1.0
    reason: str = ""
    null_tokens: tuple[str, ...] = ()
    null_policy: NullPolicy = NullPolicy.ALLOW
    n_rows: int = 0
    n_missing: int = 0
    n_distinct: int = 0
    low: float | None = None
    high: float | None = None
    is_integer: bool = False
    decimal: str = "."
    thousands: str = ""
    datetime_format: str = ""
    true_spellings: tuple[str, ...] = ()
    false_spellings: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()

    @property
    def is_numeric(self) -> bool:
        """Whether the canonical value is a float."""
        return self.kind in NUMERIC_KINDS


@dataclass(frozen=True, slots=True)
class Break:
    """One way in which rows departed from the contract.

    Attributes:
        column: Where.
        rule: ``missing column``, ``extra column``, ``missing value``, ``unreadable value``, ``unknown level``,
            ``out of range``.
        n_rows: In how many rows.
        action: What was done: ``ignored``, ``read as missing``, ``kept and flagged``.
        example: One value, or empty.
    """

    column: str
    rule: str
    n_rows: int
    action: str
    example: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """The promises of all columns, in the table's order."""

    columns: tuple[Column, ...]
    _by_name: dict[str, Column] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_name.update({c.name: c for c in self.columns})
        if len(self._by_name) != len(self.columns):
            names = [c.name for c in self.columns]
            twice = sorted({n for n in names if names.count(n) > 1})
            raise InvalidContract(
                "each column stands in a contract once", where="columns", got=twice, fix="remove the repeats"
            )

    def column(self, name: str) -> Column:
        """Return the column of this name, or raise UnknownColumn with the nearest names."""
        if name not in self._by_name:
            raise UnknownColumn(
                "a column that is named must exist", where="contract", got=name, fix=closest(name, self._by_name)
            )
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns a model may learn from: features and the time, unless constant or an identifier."""
        barred = (Kind.CONSTANT, Kind.IDENTIFIER)
        learnt = (Role.FEATURE, Role.TIME)
        return tuple(c for c in self.columns if c.role in learnt and c.kind not in barred)

    @property
    def inputs(self) -> tuple[Column, ...]:
        """The columns asked for when rows are scored: the features."""
        return self.features

    def with_roles(self, **roles: tuple[str, ...]) -> Contract:
        """Return a copy in which the named columns have the role of their keyword (``target=("y",)``)."""
        chosen = {name: Role(role) for role, names in roles.items() for name in names}
        for name in chosen:
            self.column(name)
        return Contract(tuple(replace(c, role=chosen.get(c.name, c.role)) for c in self.columns))

    @property
    def fingerprint(self) -> str:
        """Names the promises."""
        return fingerprint(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Return the contract as plain data, the form of the file."""
        return {"format": 1, "columns": [plain(c) for c in self.columns]}

    @classmethod
    def from_dict(cls, data: Any) -> Contract:
        """Return the contract a file holds; unknown keys, kinds and wrong types raise InvalidContract."""
        if not isinstance(data, dict) or not isinstance(data.get("columns"), list):
            raise InvalidContract(
                "a contract is an object with a list of columns",
                got=type(data).__name__,
                fix="write one with `modelwright profile TABLE --contract-out FILE`",
            )
        return cls(tuple(_column_from(c, f"columns[{i}]") for i, c in enumerate(data["columns"])))


def _column_from(data: Any, where: str) -> Column:
    if not isinstance(data, dict) or not isinstance(data.get("name"), str):
        raise InvalidContract("a column is an object with a name", where=where, got=data, fix="add its name and kind")
    where = f"{where} ({data['name']})"
    known = set(Column.__slots__)
    for key in data:
        if key not in known:
            raise InvalidContract("a column has known keys only", where=where, got=key, fix=closest(key, known))
    values = dict(data)
    try:
        values["kind"] = Kind(values["kind"])
        values["role"] = Role(values.get("role", "feature"))
        values["null_policy"] = NullPolicy(values.get("null_policy", "allow"))
        values["levels"] = tuple(
            Level(str(v["value"]), int(v["count"])) if isinstance(v, dict) else Level(str(v), 1)
            for v in values.get("levels", ())
        )
        for key in ("null_tokens", "true_spellings", "false_spellings"):
            values[key] = tuple(str(v) for v in values.get(key, ()))
        for key in ("low", "high"):
            values[key] = None if values.get(key) is None else float(values[key])
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidContract(
            "a column's keys hold values of their type",
            where=where,
            got=str(error),
            fix=f"kinds are {[k.value for k in Kind]}",
        ) from error
    return Column(**values)
