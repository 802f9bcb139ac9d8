"""Scored tables, and bounds that keep what they promise."""

import numpy as np
import polars as pl
import pytest

import modelwright
from modelwright.core.errors import InvalidSetting


def test_numbers_get_an_interval_around_them(house_model, house_csv):
    scored = modelwright.predict(house_model.path, house_csv, coverage=0.8).frame
    assert scored.columns == ["prediction", "low", "high"]
    assert ((scored["low"] < scored["prediction"]) & (scored["prediction"] < scored["high"])).all()
    wider = modelwright.predict(house_model.path, house_csv, coverage=0.95).frame
    assert (wider["high"] - wider["low"]).mean() > (scored["high"] - scored["low"]).mean()
    truth = pl.read_csv(house_csv)["price"]
    held = ((scored["low"] <= truth) & (truth <= scored["high"])).mean()
    assert held > 0.7  # the model has learnt from most of these rows, so that is no proof; the simulation is


def test_classes_get_those_that_stay_possible(churn_model, later_csv):
    scored = modelwright.predict(churn_model.path, later_csv, coverage=0.9).frame
    assert set(scored["labels"].unique()) <= {"no", "yes", "no; yes"}
    told = pl.read_csv(later_csv)["churn"]
    held = np.mean([truth in labels.split("; ") for truth, labels in zip(told, scored["labels"], strict=True)])
    assert held > 0.75  # 80 rows that nobody learnt from, nine in ten promised: three standard errors
    assert scored["labels"].str.contains(";").any(), "what is uncertain is said"


@pytest.mark.parametrize("coverage", [0.0, 1.0, -1.0, 0.9999])
def test_more_than_the_rows_can_promise_is_refused(churn_model, later_csv, coverage):
    with pytest.raises(InvalidSetting, match="coverage"):
        modelwright.predict(churn_model.path, later_csv, coverage=coverage)
