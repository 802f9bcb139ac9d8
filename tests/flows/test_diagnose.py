"""Diagnosis of real packages: planted wrong labels and planted useless columns are found and named."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

import modelwright
from modelwright import ModelwrightError

NOISE = 0.1


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A table in which two columns say all, two say nothing, and a tenth of the labels is wrong."""
    rng = np.random.default_rng(0)
    n = 900
    size, colour = rng.normal(size=n), rng.choice(["red", "green"], n)
    truth = np.where(size + 1.5 * (colour == "red") > 0.75, "big", "small")
    wrong = rng.random(n) < NOISE
    given = np.where(wrong, np.where(truth == "big", "small", "big"), truth)
    frame = pl.DataFrame(
        {
            "size": size,
            "colour": colour,
            "useless": rng.normal(size=n),
            "idle": rng.choice(["a", "b", "c"], n),
            "label": given,
        }
    )
    folder = tmp_path_factory.mktemp("planted")
    frame.write_csv(folder / "planted.csv")
    out = folder / "planted.model"
    modelwright.train(folder / "planted.csv", target="label", effort=1, out=str(out), threads=1)
    return out, folder / "planted.csv", wrong


@pytest.fixture(scope="module")
def found(planted):
    return modelwright.diagnose(planted[0], planted[1], threads=1)


@pytest.mark.slow
def test_wrong_labels_are_counted_and_named(found, planted):
    noise = found.facts["label_noise"]
    assert noise["low"] - 0.02 <= NOISE <= noise["high"] + 0.02
    rows = [s["row"] - 1 for s in noise["suspects"]]
    assert np.mean(planted[2][rows]) >= 0.8


@pytest.mark.slow
def test_useless_columns_are_named(found):
    columns = found.facts["columns"]
    assert {"useless", "idle"} <= set(columns["not_worth"])
    assert columns["worth"][:2] in (["size", "colour"], ["colour", "size"])


@pytest.mark.slow
def test_every_question_has_an_answer_and_all_is_json(found):
    facts = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert facts["how"] == "judged on the package's sealed rows"
    assert facts["learning_curve"]["helps"] in ("yes", "no", "unclear")
    zero_one = facts["bias_variance"]["zero_one"]
    assert zero_one["error"] == pytest.approx(zero_one["bias"] + zero_one["variance"])
    assert facts["fit"]["verdict"] in ("over-fits", "under-fits", "about right")
    assert facts["convergence"][0]["verdict"]
    text = found.summary(60)
    for title in ("More rows", "Fit", "Bias and variance", "Convergence", "Labels", "Columns"):
        assert f"{title}: " in text
    assert max(map(len, text.splitlines())) <= 60


@pytest.mark.slow
def test_regression_is_diagnosed_too(house_model, house_csv):
    facts = modelwright.diagnose(house_model.path, house_csv, threads=1).facts
    assert facts["label_noise"] is None
    assert "size" in facts["columns"]["worth"]


def test_a_table_without_targets_is_refused(churn_model, tmp_path):
    path = tmp_path / "few.csv"
    path.write_text("tenure,contract,churn\n1,month,yes\n")
    with pytest.raises(ModelwrightError, match="labelled rows"):
        modelwright.diagnose(churn_model.path, path)
