"""A package is an MLflow model folder: MLflow itself opens it and predicts with it."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import modelwright

pytest.importorskip("mlflow")


@pytest.mark.slow
@pytest.mark.server
def test_mlflow_predicts_with_a_package(churn_model, later_csv, tmp_path):
    with later_csv.open(newline="") as file:
        rows = [{k: v for k, v in row.items() if k != "churn"} for row in csv.DictReader(file)][:5]
    inputs = tmp_path / "rows.csv"
    with inputs.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    out = tmp_path / "out.json"
    words = ["models", "predict", "--model-uri", churn_model.path, "--input-path", inputs, "--content-type", "csv"]
    words += ["--output-path", out, "--env-manager", "local"]
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'mlflow.db'}"}
    command = [sys.executable, "-m", "mlflow", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    answered = json.loads(Path(out).read_text())["predictions"]
    expected = modelwright.load(churn_model.path).predict(rows)
    assert [a["prediction"] for a in answered] == expected
