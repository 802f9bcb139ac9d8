"""Restoring: which class brings back a fitted part, by the kind its state names."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from modelwright.core.errors import InvalidPackage

if TYPE_CHECKING:
    from modelwright.core.ports import Fitted
    from modelwright.core.state import State

KINDS = {
    "blend": "modelwright.learners.blend:Blend",
    "calibrator": "modelwright.learners.calibration:Calibrator",
    "constant": "modelwright.learners.constant:Constant",
    "foundation": "modelwright.learners.foundation:Foundation",
    "linear": "modelwright.learners.linear:Linear",
    "neighbours": "modelwright.learners.neighbours:Neighbours",
    "neural": "modelwright.learners.neural:Neural",
    "shaped": "modelwright.learners.shaped:Shaped",
    "trees": "modelwright.learners.trees:Trees",
}
"""Kinds of this room; names match ``State.kind``."""
MEMBERS = frozenset(KINDS) - {"calibrator"}
PLUGIN_GROUP = "modelwright.learners"


def restore(state: State) -> Fitted:
    """Return the fitted part that a state describes.

    A kind of another make is looked for among the installed plug-ins: the state only chooses between classes
    that the machine's owner installed, and names nothing to import.

    Raises:
        InvalidPackage: No installed part has this kind, or the state is not sound.
    """
    if state.kind in MEMBERS:
        module, _, name = KINDS[state.kind].partition(":")
        part: Fitted = getattr(import_module(module), name).restore(state)
        return part
    for point in entry_points(group=PLUGIN_GROUP):
        if point.name == state.kind:
            made: Fitted = point.load().restore(state)
            return made
    raise InvalidPackage(
        "a package holds parts this version knows",
        where="state",
        got=state.kind,
        fix="install the plug-in it was trained with, or upgrade modelwright",
    )
