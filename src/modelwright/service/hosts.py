"""Hosts: requests whose Host header names this service, and not a page of somebody else's (DNS rebinding)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address that is bound.

    >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0")
    (True, False)
    """
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class Hosts:
    """The names under which the service may be asked.

    An address of numbers is always right: a page in a browser can only make a *name* of its own point here.

    Args:
        allowed: Further names, lower case; ``.example.org`` stands for every name below it.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        names = {name.lower() for name in allowed}
        self._below = tuple(name for name in names if name.startswith("."))
        self._known = {b"localhost": True, **{name.encode("latin-1"): True for name in names - set(self._below)}}

    def allows(self, header: bytes | None) -> bool:
        """Return whether a Host header names this service."""
        if header is None:
            return False
        host = header.lower()
        bare = host.partition(b"]")[0] + b"]" if host.startswith(b"[") else host.partition(b":")[0]
        known = self._known.get(bare)
        if known is None:
            known = self._is_right(bare.decode("latin-1"))
            if len(self._known) < 1000:  # strangers' names must not fill the memory
                self._known[bare] = known
        return known

    def _is_right(self, host: str) -> bool:
        if self._below and host.endswith(self._below):
            return True
        try:
            ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            return False
        return True
