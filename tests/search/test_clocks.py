"""What a fit was told of the time can be told again."""

from hypothesis import given
from hypothesis import strategies as st

from modelwright.search.clocks import Witness, repeating


def told(clock, n):
    return [clock() for _ in range(n)]


@given(st.lists(st.floats(-1, 50), max_size=30).map(lambda v: sorted(v, reverse=True)))
def test_signs_are_kept_for_those_that_ask_only_whether_time_is_over(values):
    source = iter(values)
    witness = Witness(lambda: next(source), "lightgbm")
    first = told(witness, len(values))
    again = told(repeating(witness.record()), len(values))
    assert [v > 0 for v in first] == [v > 0 for v in again]


@given(st.lists(st.floats(-1, 50), max_size=30))
def test_a_network_is_told_the_same_milliseconds(values):
    source = iter(values)
    witness = Witness(lambda: next(source), "neural")
    first = told(witness, len(values))
    record = witness.record()
    assert told(repeating(record), len(values)) == first or not values
    assert all(abs(a - b) <= 0.0005 for a, b in zip(first, values, strict=True))


def test_without_a_limit_nothing_is_kept():
    witness = Witness(lambda: float("inf"), "neural")
    told(witness, 5)
    assert witness.record() == {}
    assert repeating({})() == float("inf")
