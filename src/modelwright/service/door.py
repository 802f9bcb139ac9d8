"""The door: every row is held against the contract before it is scored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from modelwright.core.contract import Kind, NullPolicy
from modelwright.core.values import canonical_level as canonical
from modelwright.core.values import is_missing, null_numbers, null_spellings, reader
from modelwright.service.policy import OUTSIDE
from modelwright.service.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.core.contract import Column, Contract
    from modelwright.core.prediction import Cell
    from modelwright.service.policy import Policy

    Row = dict[str, Cell]

_ABSENT: Any = object()
_NAMED_MAX = 20
"""So many departures are named in a refusal; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Departure:
    """One row's departure in one column; no value is kept."""

    row: int
    column: str
    rule: str


@dataclass(slots=True)
class Admitted:
    """Rows that may be scored.

    Attributes:
        rows: As they are scored: the rows that came, or copies where a cell was replaced.
        departures: All of them, in order of rows.
        abstained: Why the model gives no answer, by row.
    """

    rows: Sequence[Row]
    departures: tuple[Departure, ...] = ()
    abstained: dict[int, str] | None = None

    def flags(self, n: int) -> list[list[str]]:
        """Return the departures of each of n rows as texts."""
        flags: list[list[str]] = [[] for _ in range(n)]
        for d in self.departures:
            flags[d.row].append(f"{d.column}: {d.rule}")
        for row, why in (self.abstained or {}).items():
            flags[row].append(f"abstained: {why}")
        return flags


class Door:
    """Checks rows against a contract by a policy; made once for a model. Safe to use from several threads.

    A row that departs in nothing costs a set look-up or a comparison per column. The verdicts are those of
    ``data.conforming.conform``, cell by cell.
    """

    def __init__(self, contract: Contract, policy: Policy) -> None:
        inputs = contract.inputs
        self._policy = policy
        self._known = frozenset(column.name for column in contract.columns)
        self._inputs = frozenset(column.name for column in inputs)
        self._judges = {column.name: _judge(column) for column in inputs}
        self._by_name = {column.name: column for column in inputs}
        self._sets = [(c.name, _spelled(c)) for c in inputs if c.kind in (Kind.CATEGORY, Kind.BOOLEAN)]
        plain = [c for c in inputs if c.kind is Kind.NUMBER and c.decimal == "."]
        self._numbers = [(c.name, *_ends(c), c.thousands != ".", null_numbers(c)) for c in plain]
        fast = {name for name, _ in self._sets} | {c.name for c in plain}
        self._others = [c.name for c in inputs if c.name not in fast]

    def admit(self, rows: Sequence[Row]) -> Admitted:
        """Return the rows as they are to be scored, or raise Refused (422) where the policy refuses one.

        Args:
            rows: By column name, text or typed. They are not changed.
        """
        found: list[Departure] = []
        absent: dict[str, int] = {}
        for i, row in enumerate(rows):
            self._check(i, row, found, absent)
        if not found and not absent:
            return Admitted(rows)
        for name, count in absent.items():
            # A key that no row has is a missing column; one that some rows have is a missing value there.
            rule = "missing column" if count == len(rows) else "missing value"
            found += [d for i in range(len(rows)) if (d := self._missing(i, rows[i], name, rule))]
        return self._decide(rows, sorted(found, key=lambda d: d.row))

    def _check(self, i: int, row: Row, found: list[Departure], absent: dict[str, int]) -> None:
        doubtful, n_seen = self._doubtful(row)
        for name in doubtful:
            value = row.get(name, _ABSENT)
            if value is _ABSENT:
                absent[name] = absent.get(name, 0) + 1
            elif rule := self._judges[name](value):
                found.append(Departure(i, name, rule))
        if n_seen != len(row):
            found += [Departure(i, name, "extra column") for name in row if name not in self._known]

    def _doubtful(self, row: Row) -> tuple[list[str], int]:
        """Return the columns that need a closer look, and how many of the inputs the row has."""
        get = row.get
        doubtful = [name for name, spelled in self._sets if get(name) not in spelled]
        for name, low, high, is_plain, nulls in self._numbers:
            value: Any = get(name)
            kind = type(value)
            if kind is str and is_plain and "_" not in value:
                try:
                    value = float(value)
                except ValueError:
                    value = None
            elif kind is not float and kind is not int:
                value = None
            if value is None or not low <= value <= high or value in nulls:
                doubtful.append(name)
        doubtful += self._others
        n_missing = sum(name not in row for name in doubtful)
        return doubtful, len(self._inputs) - n_missing

    def _missing(self, i: int, row: Row, name: str, rule: str) -> Departure | None:
        """Return the departure of a cell that is not there; a missing value may be allowed."""
        if name in row:
            return None
        policy = self._by_name[name].null_policy
        if rule == "missing value" and policy is NullPolicy.ALLOW:
            return None
        return Departure(i, name, rule)

    def _decide(self, rows: Sequence[Row], found: list[Departure]) -> Admitted:
        """Apply the policy."""
        refused = [d for d in found if self._is_refused(d)]
        if refused:
            raise _refusal(refused)
        scored = list(rows)
        abstained: dict[int, str] = {}
        outside: dict[int, int] = {}
        for d in found:
            action = self._policy.action(d.column, d.rule)
            if action.name == "abstain":
                abstained.setdefault(d.row, f"{d.column} {d.rule}")
            elif action.name in ("missing", "clip", "override") and d.rule != "extra column":
                replaced = dict(scored[d.row])
                replaced[d.column] = self._instead(d, rows[d.row], action.name, action.value)
                scored[d.row] = replaced
            outside[d.row] = outside.get(d.row, 0) + (d.rule in OUTSIDE)
        for i, n in outside.items():
            if n > self._policy.guard.outside_max:
                abstained.setdefault(i, "outside training support")
        return Admitted(scored, tuple(found), abstained or None)

    def _is_refused(self, d: Departure) -> bool:
        if self._policy.action(d.column, d.rule).name == "refuse":
            return True
        if d.rule in ("missing value", "missing column", "unreadable value") and d.column in self._by_name:
            return self._by_name[d.column].null_policy is NullPolicy.REFUSE
        return False

    def _instead(self, d: Departure, row: Row, action: str, value: Cell) -> Cell:
        if action == "override":
            return value
        column = self._by_name[d.column]
        number = reader(column)(row.get(d.column)) if action == "clip" and d.rule == "out of range" else None
        if not isinstance(number, float):
            return None
        low, high = _ends(column)
        return min(max(number, low), high)


def _refusal(refused: list[Departure]) -> Refused:
    named = "; ".join(f"row {d.row}, {d.column}: {d.rule}" for d in refused[:_NAMED_MAX])
    more = f" and {len(refused) - _NAMED_MAX} more" if len(refused) > _NAMED_MAX else ""
    return Refused(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "rows keep the contract where its policy refuses what departs from it",
        where="records",
        got=named + more,
        fix="send values as /openapi.json describes them",
    )


def _ends(column: Column) -> tuple[float, float]:
    low = float("-inf") if column.low is None else column.low
    high = float("inf") if column.high is None else column.high
    # Beyond the largest number that counts as one, the slow path decides.
    return max(low, -1e300), min(high, 1e300)


def _has_all_levels(column: Column) -> bool:
    return bool(column.levels) and len(column.levels) >= column.n_distinct


def _spelled(column: Column) -> frozenset[str | int]:
    """Return spellings that surely keep the promise; others are looked at more closely."""
    read = reader(column)
    if column.kind is Kind.BOOLEAN:
        words = {*column.true_spellings, *column.false_spellings, "true", "false", "yes", "no"}
        cells = {v for w in words for v in (w, w.capitalize(), w.upper())} | {0, 1}
        return frozenset(v for v in cells if read(v) is not None)
    return frozenset(level.value for level in column.levels if read(level.value) == level.value)


def _judge(column: Column) -> Callable[[Cell], str]:
    """Return the function from a value to the departure it is, or an empty text."""
    read, without_tokens = reader(column), reader(replace(column, null_tokens=()))
    nulls = null_spellings(column)
    levels = {level.value for level in column.levels} if _has_all_levels(column) else None
    low = float("-inf") if column.low is None else column.low
    high = float("inf") if column.high is None else column.high
    has_range = column.kind in (Kind.NUMBER, Kind.DATETIME)
    is_category = column.kind is Kind.CATEGORY
    says_missing = column.null_policy is not NullPolicy.ALLOW

    def judge(value: Cell) -> str:
        answer = read(value)
        if answer is None:
            is_null = is_missing(value) or canonical(value).lower() in nulls or without_tokens(value) is not None
            return ("missing value" if says_missing else "") if is_null else "unreadable value"
        if is_category and levels is not None and answer not in levels:
            return "unknown level"
        if has_range and isinstance(answer, float) and not low <= answer <= high:
            return "out of range"
        return ""

    return judge
