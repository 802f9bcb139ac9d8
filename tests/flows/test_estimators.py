"""The scikit-learn estimators keep scikit-learn's promises."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from modelwright import ModelwrightClassifier, ModelwrightRegressor


@pytest.mark.slow
@parametrize_with_checks([ModelwrightClassifier(effort=1, threads=1), ModelwrightRegressor(effort=1, threads=1)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
def test_they_learn_in_a_cross_validation():
    x, y = load_iris(return_X_y=True)
    assert cross_val_score(ModelwrightClassifier(threads=1), x, y, cv=3).mean() > 0.92
    x, y = load_diabetes(return_X_y=True)
    assert cross_val_score(ModelwrightRegressor(threads=1), x, y, cv=3, scoring="r2").mean() > 0.35


def test_frames_with_text_and_missing_values_are_fine():
    import pandas as pd

    rng = np.random.default_rng(0)
    x = pd.DataFrame({"a": rng.normal(size=80), "b": rng.choice(["x", "y", None], 80)})
    y = np.where((x["a"] > 0) ^ (x["b"] == "x"), "good", "bad")
    model = ModelwrightClassifier(effort=1, threads=1).fit(x, y)
    assert set(model.classes_) == {"good", "bad"}
    assert model.predict_proba(x).shape == (80, 2)
    assert list(model.feature_names_in_) == ["a", "b"]
