"""Runs inside NannyML's environment: estimates measures of windows without labels.

    python benchmarks/_peer_estimates.py KIND IN.npz OUT.npz

KIND is ``binary`` (CBPE) or ``regression`` (DLE). IN holds for ``reference`` and ``windows`` features, scores,
choices and targets; windows have equal lengths. OUT holds by measure one estimate a window.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")


def main() -> None:
    """Estimate with the tool's defaults."""
    import nannyml as nml

    kind, given, out = sys.argv[1:]
    with np.load(given) as held:
        data = {k: held[k] for k in held.files}

    def frame(part: str) -> tuple[pd.DataFrame, list[str]]:
        features = pd.DataFrame(data[f"{part}_features"])
        features.columns = [f"f{i}" for i in range(features.shape[1])]
        names = list(features.columns)
        features["score"], features["choice"] = data[f"{part}_scores"], data[f"{part}_choices"]
        features["target"] = data[f"{part}_target"]
        return features, names

    old, names = frame("reference")
    new, _ = frame("windows")
    rows = int(data["rows"])
    if kind == "binary":
        measures = ["roc_auc", "f1", "accuracy", "precision", "recall"]
        tool = nml.CBPE(
            problem_type="classification_binary",
            y_pred_proba="score",
            y_pred="choice",
            y_true="target",
            metrics=measures,
            chunk_size=rows,
        )
    else:
        measures = ["mae", "mse", "rmse"]
        tool = nml.DLE(feature_column_names=names, y_pred="score", y_true="target", metrics=measures, chunk_size=rows)
    tool.fit(old)
    table = tool.estimate(new.drop(columns="target")).filter(period="analysis").to_df()
    np.savez(out, **{m: table[m, "value"].to_numpy(dtype=np.float64) for m in measures})


if __name__ == "__main__":
    main()
