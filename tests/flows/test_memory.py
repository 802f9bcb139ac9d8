"""A run stays within the memory it is given, or says what it needs."""

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


def test_rows_are_left_out_and_that_is_said(tmp_path):
    memory = LIBRARIES_BYTES + 1_500_000
    trained = modelwright.train(rows(), target="y", effort=1, memory=memory, out=str(tmp_path / "m.model"))
    notes = " ".join(trained.package.evidence.notes)
    assert "to stay within the memory allowed" in notes
    assert trained.package.evidence.kpis["roc_auc"].value > 0.9


def test_too_little_memory_is_refused_before_any_work(tmp_path):
    with pytest.raises(ModelwrightError) as caught:
        modelwright.train(rows(), target="y", effort=1, memory="100MB", out=str(tmp_path / "m.model"))
    assert caught.value.code == "MW601"
    assert "give at least" in caught.value.fix
    assert not (tmp_path / "m.model").exists()
