"""Names: the only way a person ever points at a registered model."""

from __future__ import annotations

import re
from dataclasses import dataclass

from modelwright.core.errors import InvalidName

CHAMPION, CHALLENGER = "champion", "challenger"
ALIASES = (CHAMPION, CHALLENGER)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}[A-Za-z0-9]|[A-Za-z]")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Ref:
    """A registered model as a person writes it: ``churn``, ``churn@champion``, ``churn@4``.

    Attributes:
        name: Of the model.
        alias: ``champion`` or ``challenger``; None when a version was named.
        number: The version; None when an alias was named.
    """

    name: str
    alias: str | None = CHAMPION
    number: int | None = None

    def __str__(self) -> str:
        return f"{self.name}@{self.alias or self.number}"


def check_name(name: str) -> str:
    """Return a model's name after checking it: letters, digits, ``-`` and ``_``, a letter first, at most 64.

    Raises:
        InvalidName: It is anything else.

    >>> check_name("churn-2")
    'churn-2'
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidName(
            "a model's name is 1 to 64 letters, digits, - and _, a letter first",
            where="name",
            got=repr(name)[:80],
            fix="use a name such as churn or house-prices",
        )
    return name


def parse_ref(text: str) -> Ref:
    """Return what ``churn``, ``churn@champion``, ``churn@challenger`` or ``churn@4`` points at.

    Raises:
        InvalidName: It is none of these.

    >>> parse_ref("churn@4").number
    4
    """
    name, at, what = text.partition("@")
    check_name(name)
    if not at or what in ALIASES:
        return Ref(name, what or CHAMPION)
    if not _NUMBER.fullmatch(what):
        raise InvalidName(
            "behind @ stands a version's number, champion or challenger",
            where=name,
            got=repr(what)[:80],
            fix=f"write {name}@champion or {name}@1",
        )
    return Ref(name, None, int(what))


def may_be_ref(text: str) -> bool:
    """Return whether a text has the form of a name, with or without a version: no dot, no slash.

    >>> may_be_ref("churn@champion"), may_be_ref("churn.model"), may_be_ref("./churn")
    (True, False, False)
    """
    return bool(_NAME.fullmatch(text.partition("@")[0]))
