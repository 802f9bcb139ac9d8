"""The shelf: what is read and marked in a registry often and quickly, without loading MLflow's library.

Loading MLflow takes seconds and 200 MB, which neither a prediction service nor a way back in two seconds can afford.
So versions, tags and aliases are read and moved where MLflow keeps them: in its tables, or over its REST interface.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.registry.version import Version


class Shelf(Protocol):
    """A registry as it is looked at; every call is one transaction, and threads may share it."""

    def names(self) -> tuple[str, ...]:
        """Return the names of all registered models, sorted."""

    def versions(self, name: str | None = None) -> tuple[Version, ...]:
        """Return the versions of a model, or of all, by name and number."""

    def version(self, name: str, which: int | str) -> Version | None:
        """Return one version by its number or alias, or None."""

    def model_tags(self, name: str) -> Mapping[str, str]:
        """Return the tags of a model; empty when there is no such model."""

    def mark(
        self,
        name: str,
        *,
        aliases: Mapping[str, int | None] | None = None,
        tags: Mapping[str, str] | None = None,
        version_tags: Mapping[int, Mapping[str, str]] | None = None,
    ) -> None:
        """Move or remove (None) aliases and set tags of a model and of its versions."""
