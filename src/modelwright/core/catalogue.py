"""The catalogue: parts by name, imported only when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from modelwright.core.errors import InvalidPackage, MissingLibrary, UnknownName, closest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.core.state import State


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Which parts exist, by kind and name; composed in ``flows.builtin`` and passed down.

    ``table`` maps a kind (``learner``, ``plan``, ``blend``, …) to names and ``module:attribute`` addresses.
    """

    table: Mapping[str, Mapping[str, str]]

    def names(self, kind: str) -> list[str]:
        """Return the names of a kind, sorted."""
        return sorted(self.table.get(kind, {}))

    def find(self, kind: str, name: str) -> Any:
        """Return the part of this name, or raise UnknownName with the nearest names."""
        known = self.table.get(kind, {})
        if name not in known:
            raise UnknownName(f"a {kind} is chosen by its name", where=kind, got=name, fix=closest(name, known))
        module, _, attribute = known[name].partition(":")
        try:
            return getattr(import_module(module), attribute)
        except ImportError as error:
            raise MissingLibrary(
                f"the {kind} {name!r} needs its library",
                where=module,
                got=str(error),
                fix=f"install it: pip install 'modelwright[{name}]'",
            ) from error

    def restore(self, state: State) -> Any:
        """Return the fitted part a state describes, found by its kind over all parts that may be restored."""
        for kind, known in self.table.items():
            if state.kind in known:
                return self.find(kind, state.kind).restore(state)
        raise InvalidPackage(
            "a package holds parts this version knows",
            where="state",
            got=state.kind,
            fix="install the plug-in it was trained with, or upgrade modelwright",
        )
