"""The main job on a real table that ships inside scikit-learn: train, predict, evaluate, report."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sklearn.datasets import load_breast_cancer

TEST_ROWS = 114


def write_tables(folder: Path) -> tuple[Path, Path]:
    """Write 455 biopsies to learn from and 114 that come later; return the two paths."""
    data = load_breast_cancer(as_frame=True)
    table = data.frame.sample(frac=1.0, random_state=7)
    table["diagnosis"] = table.pop("target").map({0: "malignant", 1: "benign"})
    paths = folder / "biopsies.csv", folder / "biopsies_later.csv"
    table.iloc[TEST_ROWS:].to_csv(paths[0], index=False)
    table.iloc[:TEST_ROWS].to_csv(paths[1], index=False)
    return paths


def call(*words: str | Path) -> None:
    """Run one modelwright command and show it as it would be typed."""
    print(f"\n$ modelwright {' '.join(map(str, words))}", flush=True)
    command = Path(sys.executable).with_name("modelwright")
    subprocess.run([command, *words], check=True)


def main() -> None:
    """Run the demo in the folder given as the only argument."""
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    table, later = write_tables(folder)
    model = folder / "biopsies.model"
    call("train", table, "--target", "diagnosis", "--positive", "malignant", "--budget", "30s", "--out", model)
    call("predict", model, later, "--out", folder / "scored.csv")
    call("evaluate", model, later)
    call("report", model, "--out", folder / "report")


if __name__ == "__main__":
    main()
