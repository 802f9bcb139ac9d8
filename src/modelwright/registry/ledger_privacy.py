"""Privacy: which cells the ledger keeps, masks or hashes, before anything is written."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.core.errors import InvalidSetting
from modelwright.core.values import canonical_level

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from modelwright.core.prediction import Cell

WAYS = ("mask", "hash", "drop", "keep")
MASK = "***"
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Privacy:
    """What becomes of private columns.

    Attributes:
        ways: By column: ``mask`` keeps that there was a value, ``hash`` keeps a keyed hash of it, by which one
            person's rows can still be found and erased, ``drop`` keeps nothing, ``keep`` keeps it.
        key: Of the hash, 32 bytes; whoever has it can find out by trying which value a hash stands for.
        columns: The columns that are kept at all; others are dropped. None keeps all.
    """

    ways: Mapping[str, str] = field(default_factory=dict)
    key: bytes = b""
    columns: frozenset[str] | None = None

    def __post_init__(self) -> None:
        for column, way in self.ways.items():
            if way not in WAYS:
                fix = f"use one of {', '.join(WAYS)}"
                raise InvalidSetting("a private column is treated in a known way", where=column, got=way, fix=fix)
        if "hash" in self.ways.values() and len(self.key) < _KEY_BYTES:
            raise InvalidSetting("hashing needs a key", where="ledger", fix="set MODELWRIGHT_LEDGER_KEY, 64 hex digits")

    def kept(self, row: Mapping[str, Cell]) -> Mapping[str, Cell]:
        """Return the row as it may be written."""
        ways, columns = self.ways, self.columns
        if (not ways or ways.keys().isdisjoint(row)) and (columns is None or columns.issuperset(row)):
            return row
        kept: dict[str, Cell] = {}
        for name, value in row.items():
            way = ways.get(name) or ("keep" if columns is None or name in columns else "drop")
            if way == "keep" or (value is None and way != "drop"):
                kept[name] = value
            elif way != "drop":
                kept[name] = MASK if way == "mask" else self.hashed(name, value)
        return kept

    def hashed(self, column: str, value: Cell) -> str:
        """Return the keyed hash of a value; equal values of a column, however typed, have equal hashes."""
        text = f"{column}\x00{canonical_level(value)}".encode()
        return "hmac:" + hmac.new(self.key, text, hashlib.sha256).hexdigest()[:32]

    def spellings(self, column: str, value: Cell) -> tuple[str, ...]:
        """Return the texts under which a value may stand in the ledger."""
        text = canonical_level(value)
        plain = {str(value), text, f"{text}.0"}
        return tuple(sorted(plain | ({self.hashed(column, value)} if self.key else set())))


def key_of(folder: str | Path, environ: Mapping[str, str] = os.environ) -> bytes:
    """Return the key of the hashes: from MODELWRIGHT_LEDGER_KEY, or the file ``key`` of a folder, made if absent.

    Raises:
        InvalidSetting: The variable is not 64 hexadecimal digits.
    """
    if given := environ.get("MODELWRIGHT_LEDGER_KEY"):
        try:
            key = bytes.fromhex(given)
        except ValueError:
            key = b""
        if len(key) != _KEY_BYTES:
            fix = "python -c 'import secrets; print(secrets.token_hex(32))'"
            raise InvalidSetting("the ledger's key is 64 hexadecimal digits", where="MODELWRIGHT_LEDGER_KEY", fix=fix)
        return key
    path = Path(folder) / "key"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(_KEY_BYTES))
    return path.read_bytes()


def ways_of(identifiers: Iterable[str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the ways of columns: identifiers are hashed unless a person says otherwise."""
    return {**dict.fromkeys(identifiers, "hash"), **given}
