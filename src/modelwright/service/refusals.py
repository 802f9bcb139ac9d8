"""Refusals: what a request did wrong, as a status, the four parts of an error, and headers."""

from __future__ import annotations

from http import HTTPStatus

from modelwright.core.errors import ModelwrightError


class Refused(ModelwrightError):
    """A request that is not answered.

    Args:
        status: Of HTTP, 400 to 599.
        rule: What must hold.
        where: The header, field, row or column that broke it; never a cell's value.
        got: What was found there; never a cell's value.
        fix: What to do about it.
        retry_after: Seconds after which the same request may succeed, or None.
    """

    def __init__(
        self,
        status: HTTPStatus,
        rule: str,
        *,
        where: str = "",
        got: str | None = None,
        fix: str = "",
        retry_after: int | None = None,
    ) -> None:
        super().__init__(rule, where=where, got=got, fix=fix)
        self.status, self.retry_after = status, retry_after
        self.code = f"HTTP{status.value}"
        self.allow: list[str] = []


def too_large(what: str, limit: int, *, where: str = "body") -> Refused:
    """Return the refusal of a body with more bytes, rows or cells than are taken."""
    return Refused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"a request holds at most {limit:,} {what}",
        where=where,
        fix="send it in parts, or score it with `modelwright predict`",
    )


def unreadable(rule: str, *, where: str = "body", got: str | None = None, fix: str = "") -> Refused:
    """Return the refusal of a body that is not what its content type says."""
    return Refused(HTTPStatus.BAD_REQUEST, rule, where=where, got=got, fix=fix)


def unprocessable(rule: str, *, where: str = "body", got: str | None = None, fix: str = "") -> Refused:
    """Return the refusal of a body that is well formed and asks for something that cannot be."""
    return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, rule, where=where, got=got, fix=fix)


def without_parquet() -> Refused:
    """Return the refusal of a Parquet body where the library that reads it is not installed, as in a slim image."""
    return Refused(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "Parquet is read where the library for it is installed",
        where="Content-Type",
        fix="send JSON or CSV, or install polars beside the service",
    )
