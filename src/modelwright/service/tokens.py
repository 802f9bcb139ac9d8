"""Tokens: who may do what. Only hashes are kept; a file of them is read again whenever it changes."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelwright.core.errors import InvalidSetting

SCOPES = ("predict", "label", "admin")
"""``predict`` asks for predictions and reads what describes them, ``label`` hands in outcomes, ``admin`` may do
both and reads the metrics."""
LENGTH_MIN = 16


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token.

    Attributes:
        name: Given by a person, to revoke it by.
        digest: SHA-256 of the token, hexadecimal. Tokens are long and random, so no slow hash is needed.
        scopes: Of ``SCOPES``.
        expires: Seconds since 1970-01-01 UTC, or None.
    """

    name: str
    digest: str
    scopes: tuple[str, ...]
    expires: float | None = None


def digest_of(token: str | bytes) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode() if isinstance(token, str) else token).hexdigest()


def new_token() -> str:
    """Return a random token of 256 bits."""
    return secrets.token_urlsafe(32)


def check_token(token: str) -> str:
    """Return a token a person chose, or raise InvalidSetting where it could be guessed."""
    if len(token) < LENGTH_MIN or not token.isascii() or not token.isprintable() or " " in token:
        raise InvalidSetting(
            f"a token has {LENGTH_MIN} or more printable ASCII characters and no spaces",
            where="--token or MODELWRIGHT_TOKEN",
            got=f"{len(token)} characters",
            fix="make one with `modelwright token new`",
        )
    return token


class Keyring:
    """The tokens that are accepted; with a file, those in it, read again when it changes.

    Args:
        fixed: Tokens that stay as long as the process.
        path: A file that ``write`` made, or None.
        is_open: Whether requests without a token may do everything; only ever on loopback.
    """

    def __init__(self, fixed: tuple[Token, ...] = (), path: str | Path | None = None, *, is_open: bool = False) -> None:
        self._fixed, self._path, self.is_open = fixed, None if path is None else Path(path), is_open
        self._stamp: object = None
        self._known: dict[str, Token] = {}
        self.refresh()

    def refresh(self) -> bool:
        """Read the file again if it changed; return whether it did. A file that cannot be read changes nothing."""
        stamp = _stamp(self._path)
        if stamp == self._stamp and self._known:
            return False
        try:
            kept = () if self._path is None or stamp is None else read(self._path)
        except InvalidSetting:
            if not self._known:
                raise
            return False
        self._known = {token.digest: token for token in (*self._fixed, *kept)}
        self._stamp = stamp
        return True

    def find(self, authorization: bytes | None) -> Token | None:
        """Return the token of an Authorization header, or None when it is not known (any more)."""
        if authorization is None or authorization[:7].lower() != b"bearer ":
            return _NOBODY if self.is_open and authorization is None else None
        # The token's hash is looked up, so the time taken says nothing about the token.
        token = self._known.get(digest_of(authorization[7:].strip()))
        if token is None or (token.expires is not None and time.time() >= token.expires):
            return None
        return token


_NOBODY = Token("nobody", "", SCOPES)


def _stamp(path: Path | None) -> object:
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return found and (found.st_mtime_ns, found.st_size, found.st_ino)


def read(path: Path) -> tuple[Token, ...]:
    """Return the tokens of a file, or raise InvalidSetting."""
    if not path.exists():
        return ()
    try:
        data = json.loads(path.read_text())
        return tuple(_token(item) for item in data["tokens"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        fix = "make it with `modelwright token new --file FILE`"
        raise InvalidSetting("a tokens file holds tokens", where=str(path), got=str(error)[:80], fix=fix) from error


def _token(item: Any) -> Token:
    scopes = tuple(str(s) for s in item["scopes"])
    if set(scopes) - set(SCOPES) or not scopes or len(item["digest"]) != 64:
        raise ValueError(f"scopes {scopes}")
    expires = item.get("expires")
    return Token(str(item["name"]), str(item["digest"]), scopes, None if expires is None else float(expires))


def write(path: Path, tokens: tuple[Token, ...]) -> None:
    """Write the file at once and for its owner only."""
    items = [{"name": t.name, "digest": t.digest, "scopes": t.scopes, "expires": t.expires} for t in tokens]
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"format": 1, "tokens": items}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
