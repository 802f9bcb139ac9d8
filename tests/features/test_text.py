import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.features._grams import grams, grams_of_one
from modelwright.features._vocabulary import Projection, Vocabulary
from modelwright.features.text import MAX_FITTED, count, fit_text, sample

WORDS = ["free", "prize", "winner", "call", "now", "see", "you", "home", "later", "love", "meeting", "urgent", "claim"]


def messages(n_texts, seed=0):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(3, 20))) for _ in range(n_texts)]


def text_grams(text):
    return sorted(grams([text])[1].tolist())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(), max_size=25), max_size=6))
def test_grams_of_a_text_do_not_depend_on_its_neighbours(texts):
    numbers, buckets = grams(["x", *texts, "y"])
    for i, text in enumerate(texts, start=1):
        assert sorted(buckets[numbers == i].tolist()) == text_grams(text)
        assert sorted(grams_of_one(text).tolist()) == text_grams(text)


def test_grams_are_those_that_are_promised():
    # " ab cd ": the line feed that starts the text counts as a character; 6 + 5 sequences, 2 words, 1 pair
    assert len(text_grams("ab cd")) == 6 + 5 + 2 + 1
    assert text_grams("AB\t\ncd ") == text_grams("ab cd")
    assert set(text_grams("later")) & set(text_grams("see you later"))
    assert text_grams("ab cd") != text_grams("cd ab")
    assert text_grams("") == text_grams("   ")
    assert len(set(text_grams("a" * 100_000))) == 4 + 4 + 1


def test_hashes_stay_the_same_on_every_machine():
    assert text_grams("hi") == [189974, 204056, 298737, 471163, 471807, 755818]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=9), max_size=20).map(" ".join), st.integers(0, 9))
def test_a_text_alone_has_the_same_components_as_in_a_batch(text, place):
    texts = [*messages(20)[:place], text, *messages(20)[place:]]
    assert (FITTED.encode(texts)[place] == FITTED.encode([text])[0]).all()


FITTED = fit_text(pl.Series("t", messages(200)), n_components=8, seed=0)


def test_sums_are_exact_whatever_their_order():
    summed = FITTED.projection._summed
    rng = np.random.default_rng(0)
    rows = rng.integers(0, len(summed), 5_000)
    assert (summed[rows].sum(axis=0) == summed[rng.permutation(rows)].cumsum(axis=0)[-1]).all()


def test_components_match_the_exact_decomposition():
    texts = messages(120)
    vocabulary = Vocabulary.fit(texts)
    rows = vocabulary.sparse(texts).toarray()
    fitted = fit_text(pl.Series("t", texts), n_components=3, seed=0)
    exact = np.linalg.svd(rows, full_matrices=False)
    ours = np.linalg.norm(fitted.projection.apply(texts), axis=0)
    assert np.allclose(ours, exact[1][:3], rtol=0.02)
    projected = Projection(vocabulary, exact[2][:1].T.astype(np.float32)).apply(texts)
    assert np.allclose(projected[:, 0], rows @ exact[2][0], atol=1e-2)


def test_another_seed_keeps_the_signs():
    first, second = (fit_text(pl.Series("t", messages(300)), n_components=2, seed=s) for s in (0, 1))
    left, right = (f.projection.apply(messages(50, seed=9)) for f in (first, second))
    assert np.corrcoef(left[:, 0], right[:, 0])[0, 1] > 0.99


def test_counts():
    length, words, digits, capitals, punctuation, links = count(["Win 50 NOW! http://x.de", ""]).T.tolist()
    assert length == [23, 0]
    assert words == [4, 0]
    assert digits == [2 / 23, 0]
    assert capitals == [4 / 23, 0]
    assert punctuation == [5 / 23, 0]
    assert links == [1, 0]


@pytest.mark.parametrize("texts", [[None, None], ["one"], ["a", "b"], ["", None], ["same words"] * 3])
def test_few_texts_still_give_counts(texts):
    fitted = fit_text(pl.Series("t", texts, dtype=pl.String), n_components=8, seed=0)
    values = fitted.encode(texts)
    assert values.shape == (len(texts), len(fitted.features))
    assert [bool(row.any()) for row in np.isnan(values)] == [text is None for text in texts]


def test_no_more_texts_are_read_than_promised():
    rows, texts = sample(["word"] * 30_000, seed=0)
    assert len(rows) == len(texts) == MAX_FITTED
    assert (np.diff(rows) > 0).all()
    assert len(sample(["x" * 1_000] * 9_000, seed=0)[0]) == 2_000


@pytest.mark.slow
def test_five_thousand_messages_are_fitted_and_encoded_quickly():
    texts = [(text + " " + text)[:80] for text in messages(5_000)]
    fits, runs = [], []
    for _ in range(3):
        start = time.process_time()
        fitted = fit_text(pl.Series("t", texts), n_components=32, seed=0)
        middle = time.process_time()
        fitted.encode(texts)
        fits.append(middle - start)
        runs.append(time.process_time() - middle)
    assert min(fits) < 4  # 0.5 to 1.5 s, by machine
    assert min(runs) < 2
