"""Size: how much room a fitted model takes on disk and in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.packaging._states import fold

if TYPE_CHECKING:
    from modelwright.core.state import State


def disk_bytes(state: State) -> int:
    """Return the bytes a state takes in a package: its tree, its numbers and its blobs.

    Raises:
        InvalidPackage: The state holds what cannot travel.
    """
    return fold(state).n_bytes


def memory_bytes(state: State) -> int:
    """Return the bytes of a state's arrays and blobs, the bulk of what a loaded model holds."""
    own = sum(a.nbytes for a in state.arrays.values()) + sum(len(b) for b in state.blobs.values())
    return own + sum(memory_bytes(part) for part in state.parts.values())
