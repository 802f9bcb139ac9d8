"""States as bytes: one JSON tree, one run of numbers, and the libraries' own blobs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.core.errors import InvalidPackage
from modelwright.core.state import State
from modelwright.packaging._json import damaged, dump_dense, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.arrays import Array

DTYPES = {
    "bool": np.dtype("?"),
    **{f"int{8 * n}": np.dtype(f"<i{n}") for n in (1, 2, 4, 8)},
    **{f"uint{8 * n}": np.dtype(f"<u{n}") for n in (1, 2, 4, 8)},
    **{f"float{8 * n}": np.dtype(f"<f{n}") for n in (4, 8)},
}
"""The types an array may have, by name; all little-endian."""

ALIGNMENT = 64
MAX_DIMENSIONS = 4
MAX_DEPTH = 16
MAX_PARTS = 20_000
MAX_EMPTY_WIDTH = 1_000_000
NODE_KEYS = {"kind", "meta", "arrays", "blobs", "parts"}


@dataclass(frozen=True, slots=True)
class Folded:
    """A state as bytes: the tree, its numbers one after the other, its blobs in the tree's order."""

    tree: bytes
    arrays: bytes
    blobs: tuple[bytes, ...]

    @property
    def n_bytes(self) -> int:
        """Bytes altogether."""
        return len(self.tree) + len(self.arrays) + sum(len(b) for b in self.blobs)


def fold(state: State) -> Folded:
    """Return a state as bytes; ``unfold`` gives an equal one back, names in the same order.

    Raises:
        InvalidPackage: The state holds what cannot travel, such as an object array or NaN in its meta.
    """
    pieces: list[bytes] = []
    blobs: list[bytes] = []
    tree = _node(state, "state", pieces, blobs)
    return Folded(dump_dense(tree, where="state"), b"".join(pieces), tuple(blobs))


def unfold(tree: bytes, arrays: bytes, blobs: Sequence[bytes], *, where: str) -> State:
    """Return the state that bytes hold; its arrays are read-only views of ``arrays``.

    Args:
        tree: JSON; it names neither places nor files, so there is nothing in it to follow.
        arrays: The numbers, in the tree's order.
        blobs: In the tree's order.
        where: The tree's file name, for errors.

    Raises:
        InvalidPackage: Tree, numbers and blobs do not belong together, or something else is unsound.
    """
    reader = _Reader(arrays, blobs, where)
    state = reader.state(parse(tree, where=where), depth=0)
    reader.finish()
    return state


def _node(state: State, where: str, pieces: list[bytes], blobs: list[bytes]) -> dict[str, Any]:
    """Return one part as JSON data, adding its numbers and blobs to the lists in the order they are read back."""
    where = f"{where} ({state.kind})"
    arrays = []
    for name, array in state.arrays.items():
        content = _numbers(array, f"{where}, array {name!r}")
        arrays.append([name, array.dtype.name, list(array.shape)])
        pieces += [content, bytes(-len(content) % ALIGNMENT)]
    blobs += [bytes(content) for content in state.blobs.values()]
    parts = [[name, _node(part, f"{where}.{name}", pieces, blobs)] for name, part in state.parts.items()]
    return {"kind": state.kind, "meta": dict(state.meta), "arrays": arrays, "blobs": list(state.blobs), "parts": parts}


def _numbers(array: Array, where: str) -> bytes:
    dtype = DTYPES.get(array.dtype.name)
    if dtype is None or array.ndim > MAX_DIMENSIONS:
        raise InvalidPackage(
            f"an array that travels holds numbers or booleans in at most {MAX_DIMENSIONS} dimensions",
            where=where,
            got=f"{array.dtype}, {array.ndim} dimensions",
            fix=f"use one of {', '.join(DTYPES)}",
        )
    return array.astype(dtype, order="C", copy=False).tobytes()


class _Reader:
    """Walks a tree and hands out numbers and blobs in its order, checking each before it is taken."""

    def __init__(self, arrays: bytes, blobs: Sequence[bytes], where: str) -> None:
        self._arrays = arrays
        self._blobs = blobs
        self._where = where
        self._offset = 0
        self._n_blobs = 0
        self._n_parts = 0

    def state(self, node: Any, *, depth: int) -> State:
        """Return the state of one node of the tree."""
        self._n_parts += 1
        self._check(depth <= MAX_DEPTH and self._n_parts <= MAX_PARTS, "a state is not nested without end", depth)
        self._check(isinstance(node, dict) and set(node) == NODE_KEYS, "a part has kind, meta, arrays, blobs, parts")
        self._check(isinstance(node["kind"], str), "a part's kind is a name", node["kind"])
        self._check(isinstance(node["meta"], dict), "a part's meta is an object", type(node["meta"]).__name__)
        arrays = self._named(node["arrays"], 3)
        blobs = self._named([[name] for name in node["blobs"]] if isinstance(node["blobs"], list) else None, 1)
        parts = self._named(node["parts"], 2)
        return State(
            node["kind"],
            node["meta"],
            {name: self._array(*rest) for name, rest in arrays.items()},
            {name: self._blob() for name in blobs},
            {name: self.state(rest[0], depth=depth + 1) for name, rest in parts.items()},
        )

    def finish(self) -> None:
        """Check that nothing is left over."""
        self._check(self._offset == len(self._arrays), "a state's arrays fill their file", len(self._arrays))
        self._check(self._n_blobs == len(self._blobs), "each blob belongs to a part", len(self._blobs))

    def _named(self, entries: Any, length: int) -> dict[str, list[Any]]:
        """Return entries by their first item, a name that stands once."""
        rule = f"a part's lists hold entries of {length}, each with a name of its own"
        self._check(isinstance(entries, list), rule)
        for entry in entries:
            self._check(isinstance(entry, list) and len(entry) == length and isinstance(entry[0], str), rule)
        named = {entry[0]: entry[1:] for entry in entries}
        self._check(len(named) == len(entries), rule)
        return named

    def _array(self, type_name: Any, shape: Any) -> Array:
        known = isinstance(type_name, str) and type_name in DTYPES
        self._check(known, f"an array's type is one of {', '.join(DTYPES)}", type_name)
        self._check(
            isinstance(shape, list) and len(shape) <= MAX_DIMENSIONS and all(type(n) is int and n >= 0 for n in shape),
            f"an array's shape is at most {MAX_DIMENSIONS} whole numbers, none negative",
            shape,
        )
        dtype = DTYPES[type_name]
        # Python's whole numbers do not overflow, so a huge shape is seen here, before anything is allocated; an
        # array without numbers is bounded too, since a reader may make something as wide as it says.
        size = math.prod(shape) * dtype.itemsize
        left = len(self._arrays) - self._offset
        fits = size <= left and math.prod(n or 1 for n in shape) <= max(left, MAX_EMPTY_WIDTH)
        self._check(fits, "an array's numbers are in the package", f"{shape} of {type_name}, {left} bytes left")
        flat = np.frombuffer(self._arrays, dtype, math.prod(shape), self._offset) if size else np.zeros(0, dtype)
        array = flat.reshape(shape)
        if dtype.kind == "b":
            self._check(bool((array.view(np.uint8) <= 1).all()), "booleans are stored as 0 or 1")
        self._offset += size + -size % ALIGNMENT
        return array

    def _blob(self) -> bytes:
        self._check(self._n_blobs < len(self._blobs), "each blob of a part is in the package", len(self._blobs))
        self._n_blobs += 1
        return self._blobs[self._n_blobs - 1]

    def _check(self, holds: bool, rule: str, got: object = None) -> None:
        if not holds:
            raise damaged(rule, where=self._where, got=None if got is None else repr(got)[:200])
