import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from modelwright.core.contract import Column, Contract, Kind
from modelwright.core.errors import InvalidPackage
from modelwright.core.state import State
from modelwright.features._means import level_means
from modelwright.features.encoding import MAX_CLASSES, TargetEncoding
from modelwright.features.recipe import recommend


def encode(values, target, *, kind=Kind.CATEGORY, n_classes=2, weight=None, seed=0):
    contract = Contract((Column("c", kind, n_distinct=50),))
    recipe = recommend(contract, n_classes=n_classes, n_rows=len(values))
    frame = pl.DataFrame({"c": pl.Series(values, dtype=pl.String)})
    return TargetEncoding.fit(frame, contract, recipe, target, n_classes=n_classes, weight=weight, seed=seed)


def of(encoding, values):
    return encoding.matrix(pl.DataFrame({"c": pl.Series(values, dtype=pl.String)})).values


def test_random_levels_and_random_targets_tell_nothing():
    # Encoded with their own targets such rows reach an area of 0.8; out of fold they must stay at a half.
    areas = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        levels, target = rng.integers(0, 800, 2_000), rng.integers(0, 2, 2_000)
        own = np.bincount(levels, weights=target)[levels] / np.bincount(levels)[levels]
        assert roc_auc_score(target, own) > 0.75
        _, out_of_fold = encode([f"l{i}" for i in levels], target, seed=seed)
        areas.append(roc_auc_score(target, out_of_fold.values[:, 0]))
    assert abs(np.mean(areas) - 0.5) < 4 * 0.013 / np.sqrt(len(areas))  # 0.013: standard error of one such area


def test_random_texts_and_random_targets_tell_nothing():
    rng = np.random.default_rng(0)
    areas = []
    for seed in range(4):
        words = np.array([f"w{i}" for i in range(300)])
        texts = [" ".join(rng.choice(words, 6)) for _ in range(600)]
        target = rng.integers(0, 2, 600)
        encoding, out_of_fold = encode(texts, target, kind=Kind.TEXT, seed=seed)
        areas.append(roc_auc_score(target, out_of_fold.values[:, 0]))
        assert roc_auc_score(target, of(encoding, texts)[:, 0]) > 0.8  # which is what leaking would look like
    assert abs(np.mean(areas) - 0.5) < 0.05


@pytest.mark.parametrize(
    ("kind", "n_classes"), [(Kind.CATEGORY, 2), (Kind.CATEGORY, 0), (Kind.CATEGORY, 3), (Kind.TEXT, 2), (Kind.TEXT, 0)]
)
def test_a_rows_own_target_never_reaches_its_encoding(kind, n_classes):
    rng = np.random.default_rng(1)
    levels = rng.integers(0, 12, 60)
    values = [f"level {i} word" for i in levels]
    target = (levels + (rng.random(60) < 0.2)) % n_classes if n_classes else levels + rng.normal(size=60)
    fitted, before = encode(values, target, kind=kind, n_classes=n_classes)
    for row in (0, 17, 59):
        changed = target.copy()
        changed[row] = (changed[row] + 1) % n_classes if n_classes else 99
        again, after = encode(values, changed, kind=kind, n_classes=n_classes)
        # Means of levels hold the overall mean, a constant that all rows share.
        shared = of(again, ["new"]) - of(fitted, ["new"]) if kind is Kind.CATEGORY else 0
        assert np.allclose(after.values[row], before.values[row] + shared, atol=2e-6)
        assert not np.allclose(after.values, before.values + shared, atol=1e-3)


def test_real_effects_come_through_and_unseen_levels_get_the_mean():
    rng = np.random.default_rng(2)
    truth = rng.uniform(0.05, 0.95, 30)
    levels = rng.integers(0, 30, 6_000)
    target = (rng.random(6_000) < truth[levels]).astype(np.int64)
    encoding, out_of_fold = encode([f"l{i}" for i in levels], target)
    shares = of(encoding, [f"l{i}" for i in range(30)])[:, 0]
    assert np.abs(shares - truth).max() < 0.12
    assert np.corrcoef(out_of_fold.values[:, 0], truth[levels])[0, 1] > 0.98
    assert np.isclose(of(encoding, ["never seen"])[0, 0], target.mean(), atol=1e-6)


def test_missing_is_a_level_of_its_own():
    values = ["a", "b", "c", "d"] * 100 + [None] * 100
    target = np.array([0, 1, 0, 0] * 100 + [1] * 100)
    encoding, _ = encode(values, target)
    unseen, missing = of(encoding, ["new", None])[:, 0]
    assert missing > 0.95 > unseen


def test_shrinkage_is_that_of_the_random_effects_model():
    # Simulated with known variances: the prior must count as noise / signal = 4 / 1 rows.
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(4_000), 5)
    answers = 10 + rng.normal(size=4_000)[groups] + rng.normal(scale=2, size=20_000)
    means = level_means(groups, 4_001, answers[:, None], np.ones(20_000))[:, 0]
    raw = np.bincount(groups, weights=answers) / 5
    slope = np.polyfit(raw - answers.mean(), means[:-1] - answers.mean(), 1)[0]
    assert np.isclose(slope, 5 / (5 + 4), atol=0.03)
    assert np.isclose(means[-1], answers.mean())


def test_weights_move_the_means():
    values, target = ["a"] * 40 + ["b"] * 40, np.array([0, 1] * 20 + [0] * 30 + [1] * 10)
    plain, _ = encode(values, target)
    heavy, _ = encode(values, target, weight=np.where(target == 1, 3.0, 1.0))
    assert (of(heavy, ["a", "b"]) > of(plain, ["a", "b"]) + 0.05).all()
    same, _ = encode(values, target, weight=np.full(80, 7.0))
    assert np.allclose(of(same, ["a", "b"]), of(plain, ["a", "b"]))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.none() | st.sampled_from("abc"), st.floats(-1e300, 1e300), st.floats(0.01, 100)),
        min_size=1,
        max_size=12,
    )
)
def test_encodings_are_finite_and_within_the_targets(rows):
    values, target, weight = ([row[i] for row in rows] for i in range(3))
    encoding, out_of_fold = encode(values, np.array(target), n_classes=0, weight=np.array(weight))
    table = of(encoding, [*values, "new"]).astype(np.float64)
    low, high = np.clip([min(target), max(target)], -3.4e38, 3.4e38)
    slack = 1e-5 * max(abs(low), abs(high)) + 1e-40
    assert (table >= low - slack).all()
    assert (table <= high + slack).all()
    assert np.isfinite(out_of_fold.values).all() == (len(rows) > 1)


@pytest.mark.parametrize(("n_classes", "n_columns"), [(3, 3), (10, 10), (26, MAX_CLASSES)])
def test_each_label_has_a_column_and_many_labels_the_most_frequent_ones(n_classes, n_columns):
    rng = np.random.default_rng(0)
    target = np.minimum(rng.geometric(0.15, 900) - 1, n_classes - 1)
    encoding, out_of_fold = encode([f"l{i}" for i in target % 12], target, n_classes=n_classes)
    assert out_of_fold.values.shape == (900, n_columns)
    assert out_of_fold.features == encoding.features
    if n_classes <= MAX_CLASSES:
        assert np.allclose(of(encoding, ["l1"]).sum(), 1, atol=0.05)


def test_texts_get_a_score_that_ranks_them():
    rng = np.random.default_rng(0)
    target = rng.integers(0, 2, 400)
    texts = [
        " ".join(rng.choice(["win", "prize", "free"] if y else ["home", "later", "see"], 2)) + f" the {i}"
        for i, y in enumerate(target)
    ]
    encoding, out_of_fold = encode(texts, target, kind=Kind.TEXT)
    assert roc_auc_score(target, out_of_fold.values[:, 0]) > 0.99
    assert np.isnan(of(encoding, [None])).all()
    _, out_of_fold = encode(texts, target * 1e6 + 5e6, kind=Kind.TEXT, n_classes=0)
    assert np.abs(out_of_fold.values[:, 0] - target * 1e6 - 5e6).mean() < 2e5


def test_the_same_seed_gives_the_same_encoding_and_it_survives_travelling():
    rng = np.random.default_rng(5)
    texts, target = [f"word{i} and word{i % 7}" for i in rng.integers(0, 40, 200)], rng.integers(0, 2, 200)
    (first, left), (second, right) = (encode(texts, target, kind=Kind.TEXT) for _ in range(2))
    assert first.state().fingerprint == second.state().fingerprint
    assert (left.values == right.values).all()
    assert (of(TargetEncoding.restore(first.state()), texts) == of(first, texts)).all()
    assert not first.is_empty
    with pytest.raises(InvalidPackage):
        TargetEncoding.restore(State("target_encoding", {"n_crafts": 3}))


def test_nothing_to_encode_is_empty():
    contract = Contract((Column("c", Kind.CATEGORY, n_distinct=3),))
    frame = pl.DataFrame({"c": ["a", "b"]})
    recipe = recommend(contract, n_classes=2, n_rows=2)
    encoding, out_of_fold = TargetEncoding.fit(
        frame, contract, recipe, np.array([0, 1]), n_classes=2, weight=None, seed=0
    )
    assert encoding.is_empty
    assert out_of_fold.values.shape == encoding.matrix(frame).values.shape == (2, 0)
