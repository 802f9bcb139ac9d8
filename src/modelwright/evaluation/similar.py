"""Similar rows: the known rows nearest to one that is explained, by the columns the model leans on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.core.arrays import Array, Floats


def nearest(
    row: Mapping[str, Array], known: Mapping[str, Array], weights: Mapping[str, float], *, count: int = 3
) -> list[dict[str, Any]]:
    """Return the nearest known rows.

    The distance is Gower's (Biometrics 1971): by column 0 for equal and 1 for different levels, and for numbers
    their distance as a share of the spread between the 5th and 95th percentile, at most 1; columns count by how much
    the model leans on them.

    Args:
        row: One value per column, arrays of length 1.
        known: Columns of the known rows: floats with NaN, or text with None.
        weights: By column, zero or more.
        count: How many.

    Returns:
        Entries with ``row`` (its number) and ``likeness``, 1 for equal in all that counts.
    """
    total = sum(weights.get(name, 0.0) for name in known)
    n = len(next(iter(known.values()))) if known else 0
    if not n or total <= 0:
        return []
    away = np.zeros(n)
    for name, values in known.items():
        if weights.get(name, 0.0) > 0:
            away += weights[name] / total * _apart(values, row[name])
    order = np.argsort(away, kind="stable")[:count]
    return [{"row": int(i), "likeness": float(1 - away[i])} for i in order]


def _apart(values: Array, one: Array) -> Floats:
    if values.dtype.kind != "f":
        return np.asarray(values != one[0], dtype=np.float64)
    numbers, own = np.asarray(values, dtype=np.float64), float(np.asarray(one, dtype=np.float64)[0])
    present = np.isfinite(numbers)
    if not np.isfinite(own):
        return present.astype(np.float64)
    low, high = np.percentile(numbers[present], [5, 95]) if present.any() else (0.0, 0.0)
    spread = float(high - low) or float(np.ptp(numbers[present])) if present.any() else 0.0
    distance = np.abs(numbers - own) / (spread or 1.0)
    return np.where(present, np.minimum(distance, 1.0), 1.0)
