"""Agreement and silhouette are those of the reference library."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score, silhouette_score

from modelwright.evaluation.partitions import adjusted_rand, jaccard, silhouette

LABELS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=40)


@given(LABELS)
@settings(max_examples=60, deadline=None)
def test_adjusted_rand_is_the_reference_librarys(pairs):
    a, b = np.array(pairs).T
    assert adjusted_rand(a, b) == pytest.approx(adjusted_rand_score(a, b), abs=1e-12)


def test_silhouette_is_the_reference_librarys():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(60, 3))
    labels = rng.integers(0, 4, 60)
    labels[0] = 4  # a group of one row
    apart = np.sqrt(((points[:, None] - points) ** 2).sum(axis=2))
    assert silhouette(apart, labels) == pytest.approx(silhouette_score(points, labels), abs=1e-12)


def test_jaccard_finds_the_group_most_like_each():
    a, b = np.array([0, 0, 0, 1, 1]), np.array([1, 1, 0, 0, 0])
    assert jaccard(a, b).tolist() == pytest.approx([2 / 3, 2 / 3])
