"""The border: whatever goes wrong outside becomes one of our errors, and no password crosses it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import polars as pl

from modelwright.core.errors import MissingLibrary, ModelwrightError, UnreadableSource

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 240


@contextmanager
def border(rule: str, *, where: str, fix: str, secret: str = "") -> Iterator[None]:
    """Turn every outer error raised inside into UnreadableSource.

    Args:
        rule: What must hold for the reading to succeed.
        where: The file, address or query.
        fix: What to do about it.
        secret: Text that must not appear in the message.
    """
    try:
        yield
    except ModelwrightError:
        raise
    # A panic of the Rust side is no Exception, and would reach the user as a traceback.
    except (Exception, pl.exceptions.PanicException) as error:
        raise UnreadableSource(rule, where=where, got=_sentence(error, secret), fix=fix) from error


@contextmanager
def needs(library: str, extra: str, *, where: str) -> Iterator[None]:
    """Turn a missing optional library into MissingLibrary that names the extra which brings it."""
    try:
        yield
    except ImportError as error:
        raise MissingLibrary(
            f"{library} is installed to read this",
            where=where,
            got=str(error),
            fix=f"install it: pip install 'modelwright[{extra}]'",
        ) from error


def without_secrets(url: str) -> str:
    """Return the address with its password masked, fit for messages and the manifest.

    >>> without_secrets("postgresql://ann:pw@db/shop")
    'postgresql://ann:***@db/shop'
    """
    masked = re.sub(r"(://[^:@/?#]*):[^@/?#]*@", r"\1:***@", url)
    # A password with a bare / or # is no valid URL, and is masked all the same.
    masked = re.sub(r"(://[^:@/]*):[^@]*@", r"\1:***@", masked)
    return re.sub(r"((?:password|sslpassword)=)[^&]*", r"\1***", masked)


def secret_of(url: str) -> str:
    """Return the password in an address, or an empty text."""
    try:
        return unquote(urlsplit(url).password or "")
    except ValueError:
        return ""


def _sentence(error: BaseException, secret: str) -> str:
    """Return the error's first line, shortened; the type's name where it says nothing."""
    lines = str(error).strip().splitlines()
    text = lines[0] if lines else type(error).__name__
    if secret:
        text = text.replace(secret, "***")
    text = re.sub(r"\s*\(path: [^)]*\)", "", text)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " …"
