"""Traits: every value falls into one bin, and bins are fixed by the reference."""

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.monitoring.traits import CELLS, bins, coarse, levels_trait, numbers_trait

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


EDGES = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=60, unique=True)


@settings(deadline=None)
@given(EDGES, st.integers(0, 2**32 - 1))
def test_bins_are_those_of_a_search_whatever_the_edges(edges, seed):
    edges = np.array(sorted(edges))
    rng = np.random.default_rng(seed)
    with np.errstate(over="ignore"):
        near = np.concatenate(
            [edges, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf), (edges[1:] + edges[:-1]) / 2]
        )
    values = rng.choice(np.append(near, [np.inf, -np.inf, 0.0]), CELLS)
    assert (bins(edges, values) == np.searchsorted(edges, values, side="right")).all()


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 3.0))
def test_bins_of_quantiles_are_those_of_a_search(seed, tail):
    rng = np.random.default_rng(seed)
    trait = numbers_trait("x", pl.Series(np.exp(tail * rng.standard_normal(5_000))))
    values = np.append(np.exp(tail * rng.standard_normal(3_000)), [0.0, 1e300, np.inf, *trait.edges])
    assert (bins(trait.edges, values) == np.searchsorted(trait.edges, values, side="right")).all()


@settings(deadline=None)
@given(st.lists(st.sampled_from([None, "", "a", "b", "c", "ü", "z"]), max_size=60))
def test_every_level_is_counted_where_it_belongs(values):
    trait = levels_trait("x", pl.Series(["a"] * 30 + ["b"] * 20 + ["c"]))
    places = {"a": 0, "b": 1, "c": 2, None: 4}
    codes = trait.codes(pl.Series(values, dtype=pl.String))
    assert codes.tolist() == [places.get(v, 3) for v in values]


def test_levels_rare_new_and_missing_have_bins_of_their_own():
    trait = levels_trait("x", pl.Series(["a"] * 50 + ["b"] * 30 + ["c"] * 2))
    assert trait.levels == ("a", "b")
    assert trait.count(pl.Series(["a", "c", "z", "z", None, "b", "a"])).tolist() == [2, 1, 1, 2, 1]


def test_a_column_of_one_value_is_counted():
    trait = numbers_trait("x", np.full(30, 7.0))
    assert trait.count(np.array([7.0, 6.0, 8.0, np.nan])).tolist() == [1, 1, 1, 1]
