"""States: they come back as they went, to the bit and in order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from modelwright.core.errors import InvalidPackage
from modelwright.core.state import State
from modelwright.packaging._states import DTYPES, fold, unfold
from modelwright.packaging.size import disk_bytes, memory_bytes

names = st.text(st.characters(codec="utf-8"), max_size=8)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**62), 2**62)
values = st.recursive(
    st.none() | st.booleans() | numbers | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
arrays = arrays_of.arrays(
    st.sampled_from(list(DTYPES.values())) | st.just(np.dtype(">f8")) | st.just(np.dtype(">i4")),
    arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)
states = st.recursive(
    st.builds(
        State,
        names,
        st.dictionaries(names, values, max_size=3),
        st.dictionaries(names, arrays, max_size=3),
        st.dictionaries(names, st.binary(max_size=20), max_size=2),
    ),
    lambda inner: st.builds(State, names, parts=st.dictionaries(names, inner, max_size=3)),
    max_leaves=5,
)


def back(state: State) -> State:
    folded = fold(state)
    return unfold(folded.tree, folded.arrays, folded.blobs, where="state.json")


def assert_same(first: State, second: State) -> None:
    assert (first.kind, first.meta, first.blobs) == (second.kind, second.meta, second.blobs)
    for one, other in ((first.arrays, second.arrays), (first.blobs, second.blobs), (first.parts, second.parts)):
        assert list(one) == list(other)
    for name, array in first.arrays.items():
        other = second.arrays[name]
        assert (array.dtype.name, array.shape) == (other.dtype.name, other.shape)
        assert array.astype(other.dtype).tobytes() == other.tobytes()
    for name, part in first.parts.items():
        assert_same(part, second.parts[name])


@settings(deadline=None, max_examples=40)
@given(states)
def test_a_state_comes_back_to_the_bit(state):
    assert_same(state, back(state))
    assert fold(back(state)) == fold(state)


def test_parts_keep_their_order_beyond_nine():
    state = State("blend", parts={f"member_{i}": State("x", {"z": 1, "a": 2}) for i in range(12)})
    again = back(state)
    assert list(again.parts) == [f"member_{i}" for i in range(12)]
    assert list(again.parts["member_3"].meta) == ["z", "a"]


def test_arrays_that_are_views_are_stored_as_they_look():
    array = np.arange(24.0).reshape(4, 6)
    state = State("x", arrays={"a": array[::2, ::-1].T, "b": np.broadcast_to(np.int64(3), (2, 2))})
    again = back(state)
    assert np.array_equal(again.arrays["a"], array[::2, ::-1].T)
    assert np.array_equal(again.arrays["b"], np.full((2, 2), 3))


def test_numpy_scalars_in_meta_become_numbers():
    meta = {"a": np.float64(0.5), "b": np.int64(3), "c": np.bool_(True), "d": (1, 2), "e": np.float32(0.5)}
    assert back(State("x", meta)).meta == {"a": 0.5, "b": 3, "c": True, "d": [1, 2], "e": 0.5}


@settings(deadline=None, max_examples=60)
@given(states, st.binary(max_size=12), st.randoms(use_true_random=False))
def test_other_bytes_are_refused_or_make_a_state(state, noise, random):
    folded = fold(state)
    pieces = [folded.tree, folded.arrays, *folded.blobs]
    which = random.randrange(len(pieces))
    at = random.randrange(len(pieces[which]) + 1)
    pieces[which] = pieces[which][:at] + noise + pieces[which][at + random.randrange(4) :]
    try:
        made = unfold(pieces[0], pieces[1], pieces[2:], where="state.json")
    except InvalidPackage:
        return
    assert isinstance(made, State)


def test_sizes_count_what_is_there():
    state = State("x", arrays={"a": np.zeros(100)}, parts={"p": State("y", blobs={"b": bytes(50)})})
    assert memory_bytes(state) == 850
    folded = fold(state)
    assert disk_bytes(state) == len(folded.tree) + len(folded.arrays) + 50
    assert len(folded.arrays) % 64 == 0


@pytest.mark.parametrize("n", [1, 10, 1000])
def test_arrays_are_views_of_the_file(n):
    folded = fold(State("x", arrays={"a": np.zeros(n), "b": np.ones(n, np.uint8)}))
    array = unfold(folded.tree, folded.arrays, (), where="state.json").arrays["a"]
    assert not array.flags.owndata
    assert array.flags.aligned
