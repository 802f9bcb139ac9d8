"""Tokens: made, listed and revoked in a file that running services read again when it changes."""

from __future__ import annotations

import time
from pathlib import Path

from modelwright.core.errors import InvalidSetting, closest
from modelwright.service.tokens import SCOPES, Token, digest_of, new_token, read, write

_DAY = 86_400.0


def make(name: str, scopes: tuple[str, ...], *, file: str, days: float | None = None) -> str:
    """Return a new token, whose hash is added to a file; it is told this once.

    To rotate a token make a second one, hand it out, and revoke the first: both are accepted meanwhile.

    Args:
        name: To revoke it by; two tokens may not share one.
        scopes: Of ``predict``, ``label`` and ``admin``.
        file: Made if absent, for its owner only.
        days: After which it is not accepted any more; None for never.

    Raises:
        InvalidSetting: The name is taken, a scope is unknown, or the file holds no tokens.
    """
    for scope in scopes:
        if scope not in SCOPES:
            raise InvalidSetting("a token is for known things", where="--scope", got=scope, fix=closest(scope, SCOPES))
    known = read(Path(file))
    if any(token.name == name for token in known):
        raise InvalidSetting("a token's name is its own", where="NAME", got=name, fix="choose another, or revoke that")
    token = new_token()
    expires = None if days is None else time.time() + days * _DAY
    write(Path(file), (*known, Token(name, digest_of(token), scopes, expires)))
    return token


def listed(file: str) -> list[dict[str, object]]:
    """Return names, scopes and ends of the tokens in a file; the tokens themselves are not known to anybody."""
    return [{"name": t.name, "scopes": list(t.scopes), "expires": t.expires} for t in read(Path(file))]


def revoke(name: str, *, file: str) -> None:
    """Remove a token from a file; running services refuse it within two seconds."""
    known = read(Path(file))
    left = tuple(token for token in known if token.name != name)
    if len(left) == len(known):
        fix = closest(name, [t.name for t in known]) if known else "the file holds none"
        raise InvalidSetting("a token that is revoked exists", where="NAME", got=name, fix=fix)
    write(Path(file), left)
