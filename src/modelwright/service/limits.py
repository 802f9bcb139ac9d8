"""Limits: what one request and all of them together may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from modelwright.core.errors import InvalidSetting, closest


@dataclass(frozen=True, slots=True)
class Limits:
    """Every cap of the service; each is checked before the work that it bounds.

    Attributes:
        body_bytes: Of one request.
        rows: Of one request.
        explained_rows: Of one request that asks for reasons.
        columns: Of one row.
        unfolded_bytes: Of a compressed body's content.
        header_bytes: Of one request.
        in_flight: Requests that one worker works on at a time; more get 503.
        connections: Open connections of one worker; more are refused with 503.
        requests_per_second: Of one token, averaged over ten seconds; 0 for no limit; more get 429.
        stalled_seconds: How long a request may stand still while it is sent.
        drain_seconds: How long a worker that is told to end may go on with what it has.
    """

    body_bytes: int = 8_000_000
    rows: int = 10_000
    explained_rows: int = 100
    columns: int = 10_000
    unfolded_bytes: int = 64_000_000
    header_bytes: int = 32_768
    in_flight: int = 256
    connections: int = 2_000
    requests_per_second: int = 0
    stalled_seconds: int = 20
    drain_seconds: int = 20

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Limits:
        """Return the limits of a file's ``limits`` table."""
        known = {f.name for f in fields(cls)}
        for key, value in data.items():
            if key not in known:
                raise InvalidSetting("limits have known keys only", where="limits", got=key, fix=closest(key, known))
            if type(value) is not int or value < 0:
                raise InvalidSetting("a limit is a whole number", where=f"limits.{key}", got=value, fix="try 1000")
        return cls(**data)
