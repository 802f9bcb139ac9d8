"""Runs inside another tool's environment: reads columns, writes that tool's drift statistic of each by window.

    python benchmarks/_peer_drift.py TOOL IN.npz OUT.npz

IN holds ``reference_<column>`` (n,) and ``days_<column>`` (n_days, n_rows) arrays; numbers as floats with NaN for
missing, levels as text. OUT holds, by column, the statistic of each day in units of the tool's default threshold:
1 and more is what the tool calls drift by default.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")


def evidently(reference: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Return Evidently's default for references over 1,000 rows: Wasserstein (numbers), Jensen-Shannon (levels)."""
    from evidently.legacy.calculations.stattests import get_stattest
    from evidently.legacy.core import ColumnType

    is_number = reference.dtype.kind == "f"
    kind = ColumnType.Numerical if is_number else ColumnType.Categorical
    old = pd.Series(reference).dropna()
    test = get_stattest(old, old, kind, None)
    found = []
    for day in days:
        new = pd.Series(day).dropna()
        found.append(test.func(old, new, kind, test.default_threshold)[0] / test.default_threshold)
    return np.array(found, dtype=np.float64)


def nannyml(reference: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Return NannyML's default: the largest of Jensen-Shannon distance, missing and unseen values, in 3 deviations."""
    import nannyml as nml

    n_rows = days.shape[1]
    is_number = reference.dtype.kind == "f"
    whole = len(reference) // n_rows * n_rows
    old = pd.DataFrame({"x": reference[:whole]})
    new = pd.DataFrame({"x": days.reshape(-1)})
    if not is_number:
        old, new = (f.astype({"x": "category"}) for f in (old, new))
    calculators = [
        nml.UnivariateDriftCalculator(
            column_names=["x"], treat_as_categorical=[] if is_number else ["x"], chunk_size=n_rows
        ),
        nml.MissingValuesCalculator(column_names=["x"], chunk_size=n_rows),
    ]
    if not is_number:
        calculators.append(nml.UnseenValuesCalculator(column_names=["x"], chunk_size=n_rows))
    best = np.zeros(len(days))
    for calculator in calculators:
        calculator.fit(old)
        table = calculator.calculate(new).to_df()
        values = next(table[c] for c in table.columns if c[-1] == "value").to_numpy(dtype=np.float64)
        period = next(table[c] for c in table.columns if c[-1] == "period").to_numpy()
        base, said = values[period == "reference"], values[period == "analysis"]
        off, spread = said - base.mean(), base.std()
        scaled = np.where(off <= 0, 0.0, off / (3 * spread) if spread > 0 else np.where(off > 0, np.inf, 0.0))
        best = np.maximum(best, np.nan_to_num(scaled, posinf=1e9))
    return best


def alibi(reference: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Return alibi-detect's TabularDrift of one column: Kolmogorov-Smirnov (numbers), chi-square (levels), p < 0.05."""
    from alibi_detect.cd import TabularDrift

    is_number = reference.dtype.kind == "f"
    if is_number:
        old = reference[~np.isnan(reference)][:, None]
        detector = wider = TabularDrift(old, p_val=0.05)
    else:
        known = {level: i for i, level in enumerate(sorted(set(reference.tolist())))}
        old = np.array([known[v] for v in reference])[:, None]
        # A level that neither side has is refused: those never seen are one level, only on days that have some.
        detector, wider = (
            TabularDrift(old, p_val=0.05, categories_per_feature={0: list(range(n))})
            for n in (len(known), len(known) + 1)
        )
    found = []
    for day in days:
        new = day[~np.isnan(day)] if is_number else np.array([known.get(v, len(known)) for v in day])
        asked = wider if not is_number and (new == len(known)).any() else detector
        # It does not see what is missing.
        p = float(asked.predict(new[:, None])["data"]["p_val"][0]) if len(new) else 1.0
        found.append(np.log(max(p, 1e-300)) / np.log(0.05))
    return np.array(found)


TOOLS = {"evidently": evidently, "nannyml": nannyml, "alibi-detect": alibi}

if __name__ == "__main__":
    tool, given, out = sys.argv[1:]
    with np.load(given) as held:
        names = [n.removeprefix("days_") for n in held.files if n.startswith("days_")]
        told = {n: TOOLS[tool](held[f"reference_{n}"], held[f"days_{n}"]) for n in names}
    np.savez(out, **told)
