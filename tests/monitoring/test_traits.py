"""Traits: every value falls into one bin, and bins are fixed by the reference."""

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.monitoring.traits import coarse, levels_trait, numbers_trait

NUMBERS = st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=200)


@settings(deadline=None)  # the machine may be busy
@given(NUMBERS, NUMBERS)
def test_every_number_is_counted_once(reference, new):
    trait = numbers_trait("x", pl.Series(reference, dtype=pl.Float64))
    counts = trait.count(pl.Series(new, dtype=pl.Float64))
    assert counts.sum() == len(new)
    assert counts[-1] == sum(v is None for v in new)
    assert coarse(counts, trait).sum() == len(new)
    present = [v for v in reference if v is not None]
    if present:
        assert counts[0] == sum(v is not None and v < min(present) for v in new)
        assert counts[-2] == sum(v is not None and v > max(present) for v in new)


def test_levels_rare_new_and_missing_have_bins_of_their_own():
    trait = levels_trait("x", pl.Series(["a"] * 50 + ["b"] * 30 + ["c"] * 2))
    assert trait.levels == ("a", "b")
    assert trait.count(pl.Series(["a", "c", "z", "z", None, "b", "a"])).tolist() == [2, 1, 1, 2, 1]


def test_a_column_of_one_value_is_counted():
    trait = numbers_trait("x", np.full(30, 7.0))
    assert trait.count(np.array([7.0, 6.0, 8.0, np.nan])).tolist() == [1, 1, 1, 1]
