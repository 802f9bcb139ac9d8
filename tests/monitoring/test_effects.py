"""Effects: sizes that do not depend on how many rows were seen."""

import numpy as np
import pytest

from modelwright.monitoring.effects import bin_name, drift
from modelwright.monitoring.traits import numbers_trait


def test_no_drift_is_near_zero_whatever_the_rows():
    rng = np.random.default_rng(0)
    reference = rng.standard_normal(20_000)
    trait = numbers_trait("x", reference)
    known = trait.count(reference)
    for n in (100, 1_000, 50_000):
        values = [drift(trait, trait.count(rng.standard_normal(n)), known) for _ in range(30)]
        assert np.mean([v.low == 0 for v in values]) > 0.8
        assert np.median([v.value for v in values]) < 1.5 / np.sqrt(n) + 0.02


@pytest.mark.parametrize("n", [1_000, 50_000])
def test_the_same_change_has_the_same_size_in_few_and_in_many_rows(n):
    rng = np.random.default_rng(1)
    reference = rng.standard_normal(50_000)
    trait = numbers_trait("x", reference)
    known = trait.count(reference)
    sizes = [drift(trait, trait.count(rng.standard_normal(n) + 0.5), known) for _ in range(20)]
    assert np.mean([s.value for s in sizes]) == pytest.approx(0.49, abs=0.03)
    assert all(s.low <= s.value <= s.high for s in sizes)


def test_bins_have_names():
    trait = numbers_trait("x", np.arange(100.0))
    names = [bin_name(trait, i) for i in range(13)]
    assert names[0] == "below 0"
    assert names[-2:] == ["above 99", "is missing"]
