"""Numbers are rounded by their doubt and never lie."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.core.score import Score
from modelwright.reports import numbers

SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
ordinary = st.floats(-1e12, 1e12, allow_nan=False)
any_float = st.floats(-1e307, 1e307) | st.sampled_from([math.nan, math.inf, -math.inf])


def back(text: str) -> float:
    """Return the number a text shows."""
    if " × 10" in text:
        mantissa, exponent = text.split(" × 10")
        return float(mantissa) * 10.0 ** int(exponent.translate(SUPERSCRIPTS))
    return float(text.replace(",", ""))


@settings(max_examples=100, deadline=None)
@given(ordinary, st.floats(1e-6, 1e9))
def test_rounding_moves_a_value_by_less_than_a_fifth_of_its_doubt(value, half):
    shown = numbers.measured(value, value - half, value + half)
    for text, exact in zip(shown, (value, value - half, value + half), strict=True):
        assert abs(back(text) - exact) <= 0.2 * half + 1e-9 * abs(exact) + 1e-6


@settings(max_examples=100, deadline=None)
@given(st.lists(ordinary, min_size=3, max_size=3).map(sorted))
def test_a_value_stays_within_its_interval(ordered):
    low, value, high = ordered
    value, low, high = (back(t) for t in numbers.measured(value, low, high))
    assert low <= value <= high


@settings(max_examples=100, deadline=None)
@given(any_float, any_float, any_float)
def test_whatever_is_measured_can_be_shown(value, low, high):
    for text in numbers.measured(value, low, high):
        assert text == numbers.NOTHING or math.isfinite(back(text))


@settings(max_examples=100, deadline=None)
@given(st.floats(-1e307, 1e307))
def test_a_number_keeps_its_significant_digits(value):
    shown = numbers.number(value, 3)
    assert len(shown) < 26
    assert back(shown) == pytest.approx(value, rel=0.0051, abs=1e-300)


@pytest.mark.parametrize(
    ("value", "half", "shown"),
    [
        (0.8421, 0.0207, "0.842"),
        (0.672, 0.039, "0.67"),
        (26.312, 1.12, "26.3"),
        (48213.7, 1400, "48,200"),
        (1e20, 1e18, "10²⁰"),
    ],
)
def test_digits_follow_the_width_of_the_interval(value, half, shown):
    assert numbers.measured(value, value - half, value + half)[0].endswith(shown)


def test_a_number_that_does_not_exist_is_a_dash():
    nan = float("nan")
    assert numbers.measured(nan, nan, nan) == ("–", "–", "–")
    assert numbers.number(None) == numbers.count(nan) == numbers.duration(nan) == numbers.percent(nan) == "–"
    assert numbers.interval(Score("roc_auc", nan, nan, nan, 3)) == "–"


def test_a_zero_has_no_minus_sign():
    assert numbers.measured(-0.0004, -0.05, 0.05)[0] == "0.00"


def test_an_almost_certain_thing_is_not_called_certain():
    assert numbers.out_of(0.9982, 0.99, 1.0)[:2] == ("1,000", "998")
    assert numbers.out_of(0.0003, 0.0, 0.001)[:2] == ("10,000", "3")
    assert numbers.out_of(1.0, 0.9, 1.0)[:2] == ("100", "100")


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_share_of_a_hundred_keeps_the_order_of_its_interval(a, b, c):
    low, value, high = sorted((a, b, c))
    whole, *shown = numbers.out_of(value, low, high)
    value, low, high = map(back, shown)
    assert 0 <= low <= value <= high <= back(whole)


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1))
def test_a_percentage_calls_nothing_certain_that_is_not(share):
    shown = numbers.percent(share)
    assert back(shown.removesuffix(" %")) == pytest.approx(100 * share, rel=0.06)
    assert shown != "100 %" or share > 0.999999


@pytest.mark.parametrize(
    ("unit", "target", "shown"),
    [
        ("", "", "4"),
        ("ms", "", "4 ms"),
        ("%", "y", "4 %"),
        ("target", "", "4"),
        ("target", "y", "4 y"),
        ("target²", "y", "4 y²"),
    ],
)
def test_units_stand_behind(unit, target, shown):
    assert numbers.with_unit("4", unit, target) == shown
    assert numbers.with_unit(numbers.NOTHING, unit, target) == numbers.NOTHING


def test_a_yardstick_is_rounded_as_the_score_beside_it():
    assert numbers.alike(0.50012, Score("roc_auc", 0.842, 0.821, 0.862, 9)) == "0.500"


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 1e15), st.floats(0, 1e9))
def test_sizes_and_times_are_short(n_bytes, seconds):
    assert len(numbers.size(n_bytes)) < 20
    assert len(numbers.duration(seconds)) < 24
