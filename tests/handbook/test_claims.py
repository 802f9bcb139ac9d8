"""Four pages whose claims are tried again by other code: scikit-learn's, or a few lines written here."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from modelwright.handbook.contents import find
from modelwright.handbook.running import run
from modelwright.reports.names import as_plain

pytestmark = pytest.mark.slow


def said(experiment) -> str:
    return as_plain(" ".join((*experiment.meaning, *experiment.advice)))


def shown(name: str, sample):
    experiment = run(find(name), sample, 0)
    return said(experiment), experiment.value


def descend(x: np.ndarray, y: np.ndarray, size: int, rate: float, *, falls: bool) -> list[float]:
    """Return the loss above the least possible after each of twenty epochs, in shares of the way."""
    rng, w = np.random.default_rng(77), np.zeros(x.shape[1])
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    floor, start = (((x @ v - y) ** 2).mean() / 2 for v in (best, w))
    left = []
    for epoch in range(20):
        for rows in np.array_split(rng.permutation(len(y)), -(-len(y) // size)):
            step = rate / (1 + epoch) if falls else rate
            w = w - step * x[rows].T @ (x[rows] @ w - y[rows]) / len(rows)
        left.append((((x @ w - y) ** 2).mean() / 2 - floor) / (start - floor))
    return left


def test_descent_by_single_rows_is_quick_and_restless_in_other_code_too(studied):
    from modelwright.handbook.strength import strongest

    done = studied("batch-stochastic")
    value, s = done.experiment.value, done.sample
    x, y = s.fit.x[:, strongest(s.fit.x, s.fit.y, is_classes=False)[:20]], s.fit.y
    # Half of what is safe for one row a step: 1 / the longest row; for all rows: 1 / the steepest direction.
    one, whole = 0.5 / (x**2).sum(axis=1).max(), 0.5 / np.linalg.eigvalsh(x.T @ x / len(y))[-1]
    single, falling = (descend(x, y, 1, one, falls=falls) for falls in (False, True))
    batch = descend(x, y, len(y), whole, falls=False)
    for name, left in (("single", single), ("falling", falling), ("batch", batch)):
        assert 1 - left[0] == pytest.approx(value(f"first_{name}"), abs=0.1)
        assert 1 - left[-1] == pytest.approx(value(f"last_{name}"), abs=0.1)
    way = value("start") - value("floor")
    assert np.mean(single[-5:]) * way == pytest.approx(value("above_single"), rel=0.6)
    assert np.mean(falling[-5:]) < np.mean(single[-5:])
    assert "never comes to rest" in said(done.experiment)
    assert "With a falling rate the noise dies down" in said(done.experiment)


def test_descent_comes_to_rest_where_there_is_no_noise(sample_of_frame):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 3))
    frame = pl.DataFrame({**{f"x{i}": x[:, i] for i in range(3)}, "y": x @ np.array([1.0, -2.0, 0.5])})
    text, value = shown("batch-stochastic", sample_of_frame(frame))
    # Every row agrees on the best weights, so there is nothing to keep single steps moving.
    assert abs(value("above_single")) < 1e-9 * value("start")
    assert "never comes to rest" not in text
    assert "even single rows come to rest" in text


def test_single_splits_scatter_in_scikit_learn_too(studied):
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import KFold, ShuffleSplit, cross_val_score

    from modelwright.handbook.strength import strongest

    done = studied("cross-validation")
    value = done.experiment.value
    s = done.sample.few(400, seed=0)
    x = s.fit.x[:, strongest(s.fit.x, s.fit.y, is_classes=True)[:40]]
    model = LogisticRegression(max_iter=300)
    single = cross_val_score(model, x, s.fit.y, cv=ShuffleSplit(40, test_size=0.2, random_state=5))
    folded = [cross_val_score(model, x, s.fit.y, cv=KFold(5, shuffle=True, random_state=i)).mean() for i in range(12)]
    assert single.mean() == pytest.approx(value("single_mean"), abs=0.015)
    assert single.std(ddof=1) == pytest.approx(value("single_spread"), rel=0.5)
    assert np.std(folded, ddof=1) < single.std(ddof=1) / 1.5
    assert "every row judges once" in said(done.experiment)


def test_noise_chosen_before_the_folds_fools_scikit_learn_too(studied):
    from sklearn.feature_selection import SelectKBest
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline

    value = studied("cross-validation").experiment.value
    leaky, honest = [], []
    for seed in range(8):
        rng = np.random.default_rng(1_000 + seed)
        y, noise = rng.permutation(np.arange(100) % 2), rng.normal(size=(100, 1_000))
        folds = StratifiedKFold(5, shuffle=True, random_state=seed)
        before = SelectKBest(k=10).fit_transform(noise, y)
        inside = make_pipeline(SelectKBest(k=10), LogisticRegression())
        leaky.append(cross_val_score(LogisticRegression(), before, y, cv=folds, scoring="roc_auc").mean())
        honest.append(cross_val_score(inside, noise, y, cv=folds, scoring="roc_auc").mean())
    assert np.mean(leaky) == pytest.approx(value("leaky"), abs=0.1)
    assert np.mean(honest) == pytest.approx(value("honest"), abs=0.1)


def test_one_hot_is_worth_as_much_to_scikit_learn(studied):
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    from modelwright.handbook.entries import one_hot_encoding

    done = studied("one-hot-encoding")
    s, value = done.sample, done.experiment.value
    coded = one_hot_encoding._bands(s)
    names = [
        np.column_stack(
            [np.array(levels, dtype=object)[codes] for levels, codes in zip(coded.levels, side, strict=True)]
        )
        for side in (coded.fit, coded.held)
    ]
    order = OrdinalEncoder().fit(names[0])
    scaled = StandardScaler().fit(order.transform(names[0]))
    hot = OneHotEncoder(handle_unknown="ignore").fit(names[0])
    forms = {
        "codes": [scaled.transform(order.transform(part)) for part in names],
        "hot": [hot.transform(part) for part in names],
    }
    right = {
        key: LogisticRegression(max_iter=300).fit(fit, s.fit.y).score(held, s.held.y)
        for key, (fit, held) in forms.items()
    }
    assert right["codes"] == pytest.approx(value("line_codes"), abs=0.02)
    assert right["hot"] == pytest.approx(value("line_hot"), abs=0.02)
    assert right["hot"] > right["codes"]


def test_one_hot_counts_new_levels_and_its_price(sample_of_frame):
    rng = np.random.default_rng(3)
    n = 900
    city = np.array([f"c{i:03d}" for i in rng.zipf(1.6, n).clip(1, 36)])
    frame = pl.DataFrame({"city": city, "kind": rng.choice(["x", "y", "z"], n), "y": rng.normal(size=n)})
    sample = sample_of_frame(frame)
    text, value = shown("one-hot-encoding", sample)
    seen = set(sample.fit.frame["city"].to_list())
    new = [v for v in sample.held.frame["city"].to_list() if v not in seen]
    assert value("n_new") == len(new)
    assert value("n_hot") == len(seen) + 3
    assert f"{len(new)} values held back have a level never seen" in text
    assert value("gain_low") <= 0  # the target is noise: nothing can be gained
    assert "gains from one-hot" not in text


def test_gaps_by_chance_cost_as_much_in_scikit_learn(studied):
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline

    from modelwright.handbook.strength import strongest

    done = studied("missing-data")
    s, value = done.sample, done.experiment.value
    kept = strongest(s.fit.x, s.fit.y, is_classes=False)[:12]
    fit, held = s.fit.x[:, kept], s.held.x[:, kept]
    losses: dict[str, list[float]] = {"mean": [], "flag": [], "dropped": []}
    for seed in range(12):
        rng = np.random.default_rng(50 + seed)
        gaps = []
        for side in (fit, held):
            hidden = side.copy()
            hidden[:, :6][rng.random((len(side), 6)) < 0.4] = np.nan
            gaps.append(hidden)
        whole = ~np.isnan(gaps[0]).any(axis=1)
        fills = {name: SimpleImputer(add_indicator=name == "flag") for name in ("mean", "flag")}
        for name, imputer in fills.items():
            model = make_pipeline(imputer, Ridge(1.0)).fit(gaps[0], s.fit.y)
            losses[name].append(float(((model.predict(gaps[1]) - s.held.y) ** 2).mean()))
        model = Ridge(1.0).fit(fit[whole], s.fit.y[whole])
        filled = SimpleImputer().fit(gaps[0]).transform(gaps[1])
        losses["dropped"].append(float(((model.predict(filled) - s.held.y) ** 2).mean()))
    for name, found in losses.items():
        assert abs(value(f"chance_{name}") - np.mean(found)) < 4 * np.std(found, ddof=1), name
    assert np.mean(losses["dropped"]) > np.mean(losses["mean"])
    # By chance a gap says nothing, so a flag for it cannot help; the page may say so only if its interval does.
    assert np.mean(losses["flag"]) == pytest.approx(np.mean(losses["mean"]), abs=0.03)
    tied = value("flag_chance_low") <= 0 <= value("flag_chance_high")
    assert ("The flag changes nothing that could be told from zero" in said(done.experiment)) >= tied


def test_gaps_that_say_nothing_get_no_flag(sample_of_frame):
    rng = np.random.default_rng(0)
    n = 700
    income = [None if rng.random() < 0.3 else float(v) for v in rng.normal(size=n)]
    frame = pl.DataFrame({"income": income, "age": rng.normal(size=n), "y": rng.normal(size=n)})
    text, value = shown("missing-data", sample_of_frame(frame))
    assert abs(value("worst_z")) <= 3
    assert "hardly differ in the target" in text
    assert "Keep a flag for" not in text
