"""A run stays within the memory it is given, or says what it needs."""

import json
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

import modelwright
from modelwright import ModelwrightError
from modelwright.flows._memory import LIBRARIES_BYTES


def rows(n: int = 4_000) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 6))
    return pl.DataFrame(x, schema=list("abcdef")).with_columns(y=pl.Series(np.where(x[:, 0] > 0, "p", "q")))


@pytest.mark.slow
def test_rows_are_left_out_and_that_is_said(tmp_path):
    rows().write_csv(tmp_path / "rows.csv")
    memory = f"{(LIBRARIES_BYTES + 1_500_000) / 1e6:g}MB"
    words = ["train", "rows.csv", "--target", "y", "--effort", "1", "--memory", memory, "--json"]
    # A process of its own: what this one holds already would count.
    done = subprocess.run(
        [sys.executable, "-m", "modelwright.ui", *words], cwd=tmp_path, capture_output=True, check=True
    )
    notes = " ".join(modelwright.load(tmp_path / "rows.model").package.evidence.notes)
    assert "to stay within the memory allowed" in notes
    assert json.loads(done.stdout)["kpis"]["roc_auc"]["value"] > 0.9


def test_too_little_memory_is_refused_before_any_work(tmp_path):
    with pytest.raises(ModelwrightError) as caught:
        modelwright.train(rows(), target="y", effort=1, memory="100MB", out=str(tmp_path / "m.model"))
    assert caught.value.code == "MW601"
    assert "give at least" in caught.value.fix
    assert not (tmp_path / "m.model").exists()
