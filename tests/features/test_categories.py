import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.features._index import LevelIndex
from modelwright.features.categories import count_levels, encode_levels


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=3), unique=True, max_size=40), st.lists(st.none() | st.text(max_size=3), max_size=60))
def test_the_index_finds_what_a_dict_finds(levels, values):
    known = {level: i for i, level in enumerate(levels)} | {None: len(levels) + 1}
    found = LevelIndex(levels).find(pl.Series(values + levels, dtype=pl.String))
    assert found.tolist() == [known.get(v, len(levels)) for v in values + levels]


def test_the_index_holds_many_levels_and_sees_through_chunks():
    levels = [f"a rather long level, number {i}" for i in range(20_000)]
    series = pl.Series(levels[::2]).append(pl.Series([*levels[1::2], "new"]))
    assert LevelIndex(levels).find(series).tolist() == [*range(0, 20_000, 2), *range(1, 20_000, 2), 20_000]


def test_levels_come_by_falling_count_then_name():
    levels, counts = count_levels(pl.Series("x", ["b", "a", "c", "c", None]))
    assert levels == ("c", "a", "b")
    assert counts.tolist() == [2, 1, 1]


def encoded(series, values, **options):
    lookup = encode_levels(pl.Series("x", series), **{"max_codes": 1_000, "count_from": 50} | options)
    out = np.empty((len(values), len(lookup.features)), dtype=np.float32)
    lookup.fill(pl.DataFrame({"x": pl.Series(values, dtype=pl.String)}), out)
    return lookup, out


def test_levels_beyond_the_cap_share_the_last_code():
    lookup, codes = encoded(list("aaabbbccdd"), [*"abcd", "new"], max_codes=2)
    assert codes[:, 0].tolist() == [0, 1, 2, 2, 2]
    assert lookup.features[0].n_levels == 3
    assert lookup.levels == ("a", "b")  # the others need not travel


def test_many_levels_also_get_their_log_count():
    lookup, values = encoded([f"l{i % 60}" for i in range(240)] + ["once"], ["l3", "once", "new", None], max_codes=10)
    assert [f.name for f in lookup.features] == ["x", "x.log_count"]
    assert np.allclose(values[:3, 1], [np.log(4), 0, 0])
    assert np.isnan(values[3]).all()


def test_all_missing_and_all_rare():
    assert np.isnan(encoded(pl.Series([None, None], dtype=pl.String), [None])[1]).all()
    lookup, codes = encoded(["a", "b"], ["a", "new"])
    assert lookup.features[0].n_levels == 1
    assert codes.tolist() == [[0], [0]]
