"""Unfolding: what a learner takes out of a state that it has no reason to trust."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from modelwright.core.errors import InvalidPackage

if TYPE_CHECKING:
    from modelwright.core.state import State


def refuse(where: str, rule: str, got: object) -> NoReturn:
    """Raise InvalidPackage: the state was altered or was never one of ours."""
    raise InvalidPackage(rule, where=where, got=got, fix="take the package from where it was written, or train again")


def array(state: State, name: str, shape: tuple[int | None, ...], kinds: str = "f") -> Any:
    """Return an array of a state; None in ``shape`` stands for any length, ``kinds`` for numpy's kind letters.

    Raises:
        InvalidPackage: It is missing, of another kind or shape, or holds numbers that are not finite.
    """
    where = f"{state.kind}.{name}"
    found = state.arrays.get(name)
    if not isinstance(found, np.ndarray) or found.dtype.kind not in kinds:
        refuse(where, "a fitted part holds all its arrays", getattr(found, "dtype", None))
    fits = len(shape) == found.ndim and all(w is None or w == n for w, n in zip(shape, found.shape, strict=True))
    if not fits:
        refuse(where, "the arrays of a fitted part fit each other", list(found.shape))
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        refuse(where, "the numbers of a fitted part are finite", "infinite or not a number")
    return found


def positions(state: State, name: str, length: int | None, below: int) -> Any:
    """Return an array of whole numbers from zero and under ``below``."""
    found = array(state, name, (length,), kinds="iu")
    if found.size and (int(found.min()) < 0 or int(found.max()) >= below):
        refuse(f"{state.kind}.{name}", "positions point at something that is there", f"outside 0 to {below - 1}")
    return found


def whole(state: State, name: str, low: int, high: int = 10_000_000) -> int:
    """Return a whole number of a state's meta, within its limits."""
    value = state.meta.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        refuse(f"{state.kind}.{name}", f"this is a whole number from {low} to {high}", value)
    return value


def real(state: State, name: str) -> float:
    """Return a finite number of a state's meta."""
    value = state.meta.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        refuse(f"{state.kind}.{name}", "this is a finite number", value)
    return float(value)


def width(kind: str, found: int, expected: int) -> None:
    """Refuse a matrix of another width than the part was fitted on."""
    if found != expected:
        refuse(kind, "a fitted part gets the features it was fitted on", f"{found} instead of {expected}")
