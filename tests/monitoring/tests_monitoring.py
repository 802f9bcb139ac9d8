"""Streams of windows for the tests of scanning and of the budget."""

import numpy as np

from modelwright.monitoring.panel import fit_panel
from modelwright.monitoring.traits import numbers_trait


def rows_of(n, columns, rng):
    base = rng.standard_normal((n, columns))
    if columns > 1:
        base[:, 1] = 0.8 * base[:, 0] + 0.6 * base[:, 1]
    if columns > 2:
        base[:, 2] = np.exp(base[:, 2])
    if columns > 3:
        base[rng.random(n) < 0.05, 3] = np.nan
    return base


def panel_and_sums(*, windows, rows, seed=0, shift=0.0, since=0, columns=5, reference=5_000):
    """Return a panel, and sums and sizes of windows whose first column moves by ``shift`` from ``since`` on."""
    rng = np.random.default_rng(seed)
    known = rows_of(reference, columns, rng)
    values = {(f"x{c}", f"x{c}"): known[:, c] for c in range(columns)}
    traits = [numbers_trait(name, v, name) for (name, _), v in values.items()]
    panel = fit_panel(traits, values)
    drawn = rows_of(windows * rows, columns, rng)
    drawn[since * rows :, 0] += shift
    window = np.repeat(np.arange(windows), rows)
    sums = []
    for c, (trait, table) in enumerate(zip(traits, panel.scores, strict=True)):
        counts = np.bincount(window * trait.n_bins + trait.codes(drawn[:, c]), minlength=windows * trait.n_bins)
        sums.append(counts.reshape(windows, -1) @ table)
    found = np.hstack(sums)
    return panel, found, np.full(found.shape, float(rows))
