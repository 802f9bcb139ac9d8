"""Attribution: how much each column moves the answers of a table, from the reasons of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.evaluation import _ends

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.core.arrays import Floats


def ranked(columns: Sequence[str], values: Floats) -> list[dict[str, Any]]:
    """Return the mean size of each column's reasons, largest first.

    Args:
        columns: Names.
        values: Shape (n_rows, n_columns): what each column adds to each row's answer.

    Returns:
        Entries with ``column``, ``value`` (mean absolute reason, in the answer's unit), ``low`` and ``high`` (95 %,
        over rows like these, the model taken as it is), ``share`` of all movement, and ``n_rows``.
    """
    size = np.abs(values)
    mean = size.mean(axis=0)
    whole = float(mean.sum()) or 1.0
    entries = []
    for i, name in enumerate(columns):
        value = float(mean[i])
        low, high = _ends.skewed(value, size[:, i] - value, np.ones(len(size)))
        ends = {"low": max(min(low, value), 0.0), "high": max(high, value)}
        entries.append({"column": name, "value": value, **ends, "share": value / whole, "n_rows": len(size)})
    return sorted(entries, key=lambda e: (-e["value"], e["column"]))
