"""State: what is fitted and must travel, as plain data that any writer can store without knowing its meaning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelwright.core.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.core.arrays import Array


@dataclass(frozen=True, slots=True)
class State:
    """A fitted part, unfolded.

    Attributes:
        kind: The catalogue name of the part that can restore it, such as ``lightgbm``.
        meta: JSON values.
        arrays: Numeric or boolean arrays by name (never object arrays); names are Python identifiers.
        blobs: A library's own safe format by name, such as LightGBM model text.
        parts: States inside this one, by name.
    """

    kind: str
    meta: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    parts: Mapping[str, State] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Names the content: meta, arrays, blobs and parts."""
        arrays = {k: fingerprint(str(v.dtype), list(v.shape), v.tobytes()) for k, v in self.arrays.items()}
        blobs = {k: fingerprint(v) for k, v in self.blobs.items()}
        parts = {k: v.fingerprint for k, v in self.parts.items()}
        return fingerprint([self.kind, dict(self.meta), arrays, blobs, parts])
