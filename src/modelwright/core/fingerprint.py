"""Names for values: the same content has the same fingerprint, on every machine."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np

AS_IT_IS = frozenset({str, int, bool, type(None)})


def plain(value: object) -> Any:  # noqa: PLR0911 - one return per kind of value reads best
    """Return the value as JSON-ready data: dataclasses, enums, tuples, mappings and arrays unfolded.

    Non-finite numbers become ``None``, since JSON has no word for them.
    """
    if type(value) in AS_IT_IS:  # by far the most; asked first, contracts of thousands of columns take half the time
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if hasattr(value, "items"):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return list(value) if AS_IT_IS.issuperset(map(type, value)) else [plain(v) for v in value]
    return str(value)


def canonical_json(value: object) -> bytes:
    """Return one spelling of the value: sorted keys, no spaces, UTF-8."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def fingerprint(*parts: object) -> str:
    """Return 32 hexadecimal digits that name the parts; bytes count as they are, all else by its JSON.

    >>> fingerprint({"a": 1}) == fingerprint({"a": 1})
    True
    """
    digest = hashlib.sha256()
    for part in parts:
        content = part if isinstance(part, bytes) else canonical_json(part)
        digest.update(len(content).to_bytes(8, "little"))
        digest.update(content)
    return digest.hexdigest()[:32]
