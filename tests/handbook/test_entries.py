"""What each page claims about its own table, checked by another way than the page's."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from modelwright.handbook.contents import find
from modelwright.handbook.running import run
from modelwright.reports.names import as_plain

pytestmark = pytest.mark.slow


def said(done) -> str:
    """Return everything a page says of its data, as plain text."""
    return as_plain(" ".join((*done.experiment.meaning, *done.experiment.advice)))


def shown(name: str, sample):
    """Return the text and a reader of the numbers of an entry on a sample."""
    experiment = run(find(name), sample, 0)
    return as_plain(" ".join((*experiment.meaning, *experiment.advice))), experiment.value


def blobs(n: int = 300, *, aligned: bool) -> pl.DataFrame:
    """Return two far-apart groups in six columns; the label is the group, or something else entirely."""
    rng = np.random.default_rng(0)
    group = rng.integers(0, 2, n)
    x = 4 * group[:, None] + rng.normal(size=(n, 6))
    other = rng.normal(size=n)
    label = group if aligned else other > 0
    columns = {f"x{i}": x[:, i] for i in range(6)}
    return pl.DataFrame({**columns, "other": other, "y": np.where(label, "yes", "no")})


def test_supervised_groups_are_the_grapes(studied):
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score

    done = studied("supervised-unsupervised")
    s, value = done.sample, done.experiment.value
    groups = KMeans(3, n_init=20, random_state=7).fit(s.fit.x).predict(s.held.x)
    assert adjusted_rand_score(s.held.y, groups) == pytest.approx(value("rand"), abs=0.1)
    assert value("by_groups") > value("guess") + 0.3
    assert "nearly the target" in said(done)


def test_supervised_says_when_groups_are_about_something_else(sample_of_frame):
    together, value = shown("supervised-unsupervised", sample_of_frame(blobs(aligned=True)))
    assert "nearly the target" in together
    assert value("stability") > 0.95
    apart, value = shown("supervised-unsupervised", sample_of_frame(blobs(aligned=False)))
    assert "something other than the target" in apart
    assert value("recovered") < 0.2


def test_bias_and_variance_are_those_of_trees_fitted_by_hand(studied):
    from sklearn.tree import DecisionTreeRegressor

    done = studied("bias-variance")
    s, value = done.sample, done.experiment.value
    rng = np.random.default_rng(5)
    for name, depth in (("shallow", 1), ("deep", 12)):
        answers = []
        for _ in range(40):
            rows = rng.integers(0, s.fit.n, s.fit.n)
            answers.append(DecisionTreeRegressor(max_depth=depth).fit(s.fit.x[rows], s.fit.y[rows]).predict(s.held.x))
        assert np.var(answers, axis=0, ddof=1).mean() == pytest.approx(value(f"variance_{name}"), rel=0.2)
        assert value(f"bias_{name}") + value(f"variance_{name}") == pytest.approx(value(f"loss_{name}"))
    assert value("variance_deep") > 3 * value("variance_shallow")
    assert value("variance_half") > value("variance_deep")
    assert "That valley is the trade-off" in said(done)


def test_bias_and_variance_of_noise_leave_nothing_to_find(sample_of_frame):
    rng = np.random.default_rng(0)
    noise = pl.DataFrame({"a": rng.normal(size=300), "b": rng.normal(size=300), "y": rng.normal(size=300)})
    text, value = shown("bias-variance", sample_of_frame(noise))
    assert value("best") == 1
    assert "simplest tree is as good as any" in text


def test_overfitting_losses_are_those_of_the_library_by_itself(studied):
    from sklearn.metrics import log_loss

    from modelwright.handbook.entries.overfitting import SETTINGS
    from modelwright.handbook.models import house

    done = studied("overfitting")
    s, value = done.sample, done.experiment.value
    for rounds, name in ((value("best"), "best"), (value("rounds"), "last")):
        predict, _ = house("lightgbm", s.fit.matrix, s.fit.y, 2, seed=0, rounds=rounds, **SETTINGS)
        assert log_loss(s.held.y, predict(s.held.matrix)) == pytest.approx(value(f"held_{name}"), rel=1e-3)
    assert value("fit_last") < value("fit_best")
    assert value("held_last") > value("held_best")
    assert "gets worse while it seems to get better" in said(done)
    assert value("noise_fit") > 0.95 > value("usual") + 0.2
    assert value("noise_held") < value("usual") + 0.05


def test_regularisation_costs_on_the_rows_learnt_from(studied):
    from sklearn.linear_model import Ridge

    from modelwright.handbook.entries import regularisation

    done = studied("regularisation")
    value = done.experiment.value
    s = done.sample.few(regularisation.ROWS_MOST, seed=0)
    x, _ = regularisation._with_products(s)
    fits = []
    for penalty in regularisation.PENALTIES:
        model = Ridge(alpha=penalty).fit(x, s.fit.y)
        fits.append(((model.predict(x) - s.fit.y) ** 2).mean())
    assert (np.diff(fits) > -1e-9).all()
    assert fits[0] == pytest.approx(value("fit_least"))
    assert value("held_most") > value("held_chosen")
    tied = value("gain_low") <= 0 <= value("gain_high")
    assert ("tied" in said(done)) == tied
    assert ("pays" in said(done)) == (value("gain_low") > 0)


def test_regularisation_pays_where_columns_outnumber_the_signal(sample_of_frame):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 40))
    frame = pl.DataFrame({**{f"x{i}": x[:, i] for i in range(40)}, "y": x[:, 0] + 2 * rng.normal(size=2000)})
    text, value = shown("regularisation", sample_of_frame(frame))
    assert "the chosen penalty pays" in text
    assert value("held_chosen") < value("held_least")


def test_cross_validation_is_steadier_and_noise_stays_noise(studied):
    done = studied("cross-validation")
    value = done.experiment.value
    assert value("folded_spread") < value("single_spread") / 1.5
    assert value("single_low") < value("folded_low") <= value("folded_high") < value("single_high")
    assert value("leaky") > 0.75
    assert abs(value("honest") - 0.5) < 0.08
    assert "pure noise seems to predict" in said(done)


def test_metrics_are_those_of_scikit_learn(studied):
    from sklearn import metrics

    from modelwright.handbook.models import house

    done = studied("classification-metrics")
    s, value = done.sample, done.experiment.value
    predict, _ = house("lightgbm", s.fit.matrix, s.fit.y, 2, seed=0, preset="default", rounds=60)
    p = predict(s.held.matrix)
    choices = p.argmax(axis=1)
    tn, fp, fn, tp = metrics.confusion_matrix(s.held.y, choices).ravel()
    assert (value("rejections"), value("alarms"), value("misses"), value("hits")) == (tn, fp, fn, tp)
    assert value("accuracy") == pytest.approx((tp + tn) / s.held.n)
    assert value("precision") == pytest.approx(tp / (tp + fp))
    assert value("recall") == pytest.approx(tp / (tp + fn))
    assert value("f1") == pytest.approx(metrics.f1_score(s.held.y, choices))
    assert value("roc_auc") == pytest.approx(metrics.roc_auc_score(s.held.y, p[:, 1]))
    assert value("log_loss") == pytest.approx(metrics.log_loss(s.held.y, p))
    assert value("accuracy_guess") == pytest.approx((s.held.y == 0).mean())
    assert value("balanced_accuracy_guess") == pytest.approx(0.5)


def test_metrics_say_when_accuracy_is_no_better_than_a_guess(sample_of_frame):
    rng = np.random.default_rng(0)
    x = rng.normal(size=600)
    frame = pl.DataFrame({"x": x, "z": rng.normal(size=600), "y": np.where(rng.random(600) < 0.1, "yes", "no")})
    text, value = shown("classification-metrics", sample_of_frame(frame))
    assert value("accuracy_low") <= value("accuracy_guess")
    assert "can't be told from the guess" in text


def test_precision_and_recall_trade_and_add_up(studied):
    value = studied("precision-recall").experiment.value
    assert value("at_wide") < 0.5
    assert value("recall_wide") >= value("recall_half")
    assert value("precision_wide") < value("precision_half")
    for key in ("half", "f1", "wide", "cost"):
        p, r = value(f"precision_{key}"), value(f"recall_{key}")
        assert value(f"f1_{key}") == pytest.approx(2 * p * r / (p + r))
        positives = value("base") * value("n_held")
        hits = r * positives
        assert value(f"alarms_{key}") == round(hits / p)
        assert value(f"cost_{key}") == round(value(f"alarms_{key}") - hits + 5 * (positives - hits))
    assert value("at_cost") == pytest.approx(1 / 6)


def test_generative_errors_are_those_of_naive_bayes(studied):
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB

    from modelwright.handbook.strength import strongest

    done = studied("generative-discriminative")
    s, value = done.sample, done.experiment.value
    kept = strongest(s.fit.x, s.fit.y, is_classes=True)[:30]
    for name, model in (("bayes", GaussianNB(var_smoothing=1e-2)), ("logistic", LogisticRegression(max_iter=2000))):
        wrong = model.fit(s.fit.x[:, kept], s.fit.y).predict(s.held.x[:, kept]) != s.held.y
        assert wrong.mean() == pytest.approx(value(f"{name}_large"), abs=0.006)
    assert "discriminative model is ahead" in said(done)
    assert value("edge_low") > 0
    assert abs(value("real")) > 0.5 > abs(value("made")) + 0.3


def test_generative_wins_where_its_story_is_true_and_no_line_parts_the_labels(sample_of_frame):
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 900)
    x = rng.normal(size=(900, 6)) * np.where(y == 1, 3.0, 1.0)[:, None]
    frame = pl.DataFrame({**{f"x{i}": x[:, i] for i in range(6)}, "y": np.where(y == 1, "wide", "narrow")})
    text, value = shown("generative-discriminative", sample_of_frame(frame))
    assert value("edge_high") < 0
    assert "generative model is ahead" in text


def test_gradient_descent_diverges_exactly_beyond_the_limit(studied):
    from modelwright.handbook.strength import strongest

    done = studied("gradient-descent")
    s, value = done.sample, done.experiment.value
    x, y = s.fit.x[:, strongest(s.fit.x, s.fit.y, is_classes=False)[:20]], s.fit.y
    ends = {}
    for share in (0.99, 1.01):
        w = np.zeros(x.shape[1])
        for _ in range(4000):
            w = w - share * value("limit") * x.T @ (x @ w - y) / len(y)
        ends[share] = ((x @ w - y) ** 2).mean() / 2
    assert ends[0.99] == pytest.approx(value("floor"), rel=0.01)
    assert ends[1.01] > 1e6
    residual = y - x @ np.linalg.pinv(x) @ y
    assert value("floor") == pytest.approx((residual**2).mean() / 2)
    assert value("end_over") > value("start") > value("end_good")
    assert "it is useless" in said(done)


def test_stochastic_steps_are_quick_and_never_rest(studied):
    value = studied("batch-stochastic").experiment.value
    assert value("first_mini") > value("first_batch")
    assert value("first_single") > value("first_batch")
    assert value("above_falling") < value("above_single")
    assert value("updates_single") == value("n_fit")
    assert value("floor") < value("floor") + value("above_batch") < value("start")


def test_backpropagation_is_exact_and_a_mistake_would_show(studied):
    done = studied("backpropagation")
    value = done.experiment.value
    assert value("error") < 1e-7
    assert value("error_broken") > 0.05
    assert value("error_coarse") > 1e3 * value("error") < value("error_fine")
    assert value("n_weights") == 13 * 8 + 8 + 8 * 6 + 6 + 6 * 3 + 3
    assert value("passes_nudge") == 2 * value("n_weights")
    assert value("seconds_nudge") > 5 * value("seconds_back")
    assert value("loss_last") < value("loss_first")
    assert "backpropagation is exact" in said(done)


def test_activations_bend_and_sigmoid_slopes_vanish(studied):
    done = studied("activation-functions")
    value = done.experiment.value
    assert value("merged") < 1e-10
    assert value("first_sigmoid") < 0.25**7
    assert min(value("first_tanh"), value("first_ReLU")) > 1e3 * value("first_sigmoid")
    pays = value("edge_low") > 0
    assert ("bending pays" in said(done)) == pays


def test_activations_pay_where_no_line_can_part_the_labels(sample_of_frame):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1200, 2))
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": np.where(x[:, 0] * x[:, 1] > 0, "same", "different")})
    text, value = shown("activation-functions", sample_of_frame(frame))
    assert "bending pays" in text
    assert value("loss_bent") < 0.5 * value("loss_identity")
    assert value("linear") == pytest.approx(value("loss_identity"), abs=0.03)


def test_bagging_lowers_variance_and_boosting_bias(studied):
    from sklearn.ensemble import BaggingRegressor
    from sklearn.tree import DecisionTreeRegressor

    done = studied("bagging-boosting")
    s, value = done.sample, done.experiment.value
    bag = BaggingRegressor(DecisionTreeRegressor(), 60, random_state=3).fit(s.fit.x, s.fit.y).predict(s.held.x)
    one = DecisionTreeRegressor(random_state=3).fit(s.fit.x, s.fit.y).predict(s.held.x)
    assert ((bag - s.held.y) ** 2).mean() == pytest.approx(value("bagged"), rel=0.1)
    assert ((one - s.held.y) ** 2).mean() > 1.5 * ((bag - s.held.y) ** 2).mean()
    assert value("gain_low") > 0
    assert "Averaging pays" in said(done)
    assert value("variance_bag") < value("variance_tree") / 2
    assert abs(value("bias_bag") - value("bias_tree")) < 0.1
    assert value("boosted") < value("boosted_first")
    assert value("boosted") < value("boosted_last")


def test_boosting_that_still_gains_is_not_said_to_have_ended(sample_of_frame):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1_500, 6))
    frame = pl.DataFrame({**{f"x{i}": x[:, i] for i in range(6)}, "y": np.sin(2 * x).sum(axis=1)})
    text, value = shown("bagging-boosting", sample_of_frame(frame))
    assert value("n_best") >= 115
    assert "more rounds would bring more" in text


def test_l1_selects_and_l2_shrinks_as_scikit_learn_has_it(studied):
    from sklearn.linear_model import Lasso, Ridge

    from modelwright.handbook.entries import l1_l2

    done = studied("l1-l2")
    value = done.experiment.value
    s = done.sample.numeric().few(l1_l2.ROWS_MOST, seed=0)
    x, _, _ = l1_l2._planted(s, 0)
    y = s.fit.y - s.fit.y.mean()
    penalties = l1_l2._penalties(x, y)
    one = l1_l2._chosen(x, y, penalties, l1_l2._lasso, 0)
    lasso = Lasso(alpha=penalties[one], fit_intercept=False, tol=1e-8, max_iter=100_000).fit(x, y).coef_
    assert (lasso == 0).sum() == pytest.approx(value("zero_l1"), abs=1)
    two = l1_l2._chosen(x, y, penalties * 100, l1_l2._ridge, 0)
    ridge = Ridge(alpha=penalties[two] * 100 * len(y), fit_intercept=False).fit(x, y).coef_
    assert ridge[0] == pytest.approx(value("own_l2"), rel=1e-6)
    assert value("zero_l2") == 0 < value("zero_l1")
    assert value("apart_l2") < 0.1 < value("apart_l1")
    assert "another sample may pick otherwise" in said(done)


def test_scaling_matters_to_neighbours_and_not_to_trees(studied):
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    done = studied("feature-scaling")
    s, value = done.sample, done.experiment.value
    raw = KNeighborsClassifier(15).fit(s.fit.raw, s.fit.y).score(s.held.raw, s.held.y)
    scaled = make_pipeline(StandardScaler(), KNeighborsClassifier(15)).fit(s.fit.raw, s.fit.y)
    assert raw == pytest.approx(value("near_raw"))
    assert scaled.score(s.held.raw, s.held.y) == pytest.approx(value("near_scaled"), abs=0.03)
    assert value("gain_low") > 0
    assert "Nearest neighbours gain" in said(done)
    assert value("tree_same") == 1
    assert value("condition_raw") > 1e3 * value("condition_scaled")
    assert value("share") > 0.9


def test_a_wide_column_that_is_not_alone_is_not_called_the_only_one(sample_of_frame):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 6)) * np.array([10.0, 6.0, 1.0, 1.0, 1.0, 1.0])
    frame = pl.DataFrame({**{f"x{i}": x[:, i] for i in range(6)}, "y": np.where(x[:, 2] > 0, "yes", "no")})
    text, value = shown("feature-scaling", sample_of_frame(frame))
    assert 0.5 < value("share") < 0.9
    assert "outweighs all others together" in text
    assert "the only column" not in text


def test_scaling_harms_where_the_wide_column_tells(sample_of_frame):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 12)) * np.array([10.0] + [1.0] * 11)
    frame = pl.DataFrame({**{f"x{i}": x[:, i] for i in range(12)}, "y": np.where(x[:, 0] > 0, "yes", "no")})
    text, value = shown("feature-scaling", sample_of_frame(frame))
    assert value("gain_high") < 0
    assert "Nearest neighbours lose here" in text


def test_one_hot_frees_the_linear_model_from_the_alphabet(studied):
    done = studied("one-hot-encoding")
    value = done.experiment.value
    assert value("n_hot") == 5 * value("n_columns") == 30
    assert value("gain_low") > 0
    assert value("line_hot") > value("line_codes") + 0.1
    assert "gains from one-hot" in said(done)
    tied = value("edge_low") <= 0 <= value("edge_high")
    assert ("can live with either" in said(done)) == tied


def test_one_hot_brings_nothing_where_the_codes_are_in_order(sample_of_frame):
    rng = np.random.default_rng(0)
    step = rng.integers(0, 5, 800)
    levels = np.array(["a", "b", "c", "d", "e"])[step]
    frame = pl.DataFrame({"grade": levels, "x": rng.normal(size=800), "y": step + rng.normal(size=800)})
    text, value = shown("one-hot-encoding", sample_of_frame(frame))
    assert value("n_columns") == 1
    assert "doesn't surely change" in text


def test_missing_values_cost_what_chance_says(studied):
    done = studied("missing-data")
    value = done.experiment.value
    assert value("complete") == pytest.approx(0.6**6, abs=0.03)
    assert value("shrunk") == pytest.approx(np.sqrt(0.6), abs=0.08)
    assert value("shifted") < -0.2
    assert value("full") < min(value("chance_mean"), value("reason_mean"))
    assert value("chance_mean") < value("chance_dropped")
    assert value("own") == 0
    helps = value("flag_reason_low") > 0
    assert ("says something about the row" in said(done)) == helps
    assert helps


def test_missing_values_that_tell_are_named(sample_of_frame):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 500)
    income = [None if v and rng.random() < 0.5 else float(x) for v, x in zip(y, rng.normal(size=500), strict=True)]
    frame = pl.DataFrame({"income": income, "age": rng.normal(size=500), "y": np.where(y == 1, "yes", "no")})
    text, value = shown("missing-data", sample_of_frame(frame))
    assert value("worst") == "income"
    assert value("worst_z") > 5
    assert "Keep a flag for income" in text


def test_weights_move_the_threshold_and_cost_the_probabilities(studied):
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    done = studied("imbalanced-data")
    s, value = done.sample, done.experiment.value
    assert value("share") < 0.15
    plain = LogisticRegression(max_iter=2000).fit(s.fit.x, s.fit.y)
    assert roc_auc_score(s.held.y, plain.predict_proba(s.held.x)[:, 1]) == pytest.approx(value("auc_plain"), abs=0.01)
    assert value("recall_weighted") > value("recall_plain")
    assert value("precision_weighted") < value("precision_plain")
    assert abs(value("said_plain") - value("share")) < 0.03
    assert value("said_weighted") > value("share") + 0.02
    assert "They cost the probabilities" in said(done)
    assert abs(value("recall_alike") - value("recall_weighted")) < 0.06
    assert abs(value("precision_alike") - value("precision_weighted")) < 0.06
    same = value("auc_gain_low") <= 0 <= value("auc_gain_high")
    assert ("The ranking is the same" in said(done)) == same


def test_components_are_those_of_scikit_learn(studied):
    from sklearn.decomposition import PCA

    done = studied("dimensionality-reduction")
    s, value = done.sample, done.experiment.value
    kept = PCA().fit(s.fit.x).explained_variance_ratio_.cumsum()
    assert value("k_half") == int((kept < 0.5).sum()) + 1
    assert value("k_most") == int((kept < 0.95).sum()) + 1
    assert value("first") == pytest.approx(kept[0])
    assert value("at_enough") > value("random_enough")
    assert value("edge_low") <= 0
    assert "It matters which directions" in said(done)


def test_reduction_of_independent_columns_finds_nothing_to_squeeze(sample_of_frame):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 16))
    frame = pl.DataFrame({**{f"x{i}": x[:, i] for i in range(16)}, "y": x.sum(axis=1)})
    text, value = shown("dimensionality-reduction", sample_of_frame(frame))
    assert "nearly independent" in text
    assert value("enough") == 16


@pytest.mark.parametrize("seed", range(6))
def test_few_directions_are_not_enough_where_much_is_lost_but_not_surely(sample_of_frame, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(90, 10))
    frame = pl.DataFrame({**{f"x{i}": x[:, i] for i in range(10)}, "y": x.sum(axis=1) + rng.standard_t(2, 90)})
    _, value = shown("dimensionality-reduction", sample_of_frame(frame))
    assert 1 - value("at_enough") <= 1.1 * (1 - value("full")) + 1e-9


def test_partial_least_squares_are_those_of_scikit_learn(studied):
    from sklearn.cross_decomposition import PLSRegression

    from modelwright.handbook.entries import feature_extraction

    done = studied("feature-extraction")
    value = done.experiment.value
    s = done.sample.few(feature_extraction.ROWS_MOST, feature_extraction.HELD_MOST, seed=0)
    ours = feature_extraction._partial(s, 4)[0]
    theirs = PLSRegression(4, scale=False, tol=1e-12, max_iter=5000).fit(s.fit.x, np.eye(s.n_classes)[s.fit.y])
    for i in range(4):
        assert abs(np.corrcoef(ours[:, i], theirs.x_scores_[:, i])[0, 1]) > 0.999
    assert value("edge_high") < 0
    assert value("pls") > value("chosen")
    assert "beats choosing as many" in said(done)


def test_extraction_of_texts_is_worth_what_it_says(tables, sample_of_frame):
    text, value = shown("feature-extraction", sample_of_frame(tables["texts"]))
    assert value("had_text") == 1
    assert value("made_text") > 1
    assert value("with_made") >= value("without_made")
    assert "taking texts and dates apart" in text
